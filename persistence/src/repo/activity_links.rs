//! The activities that clients were guided to.

use std::collections::BTreeMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use lahete_domain::activity::{ActivityLink, ActivityLinkState};
use lahete_domain::codes::{ActivityLinkStateCode, ActivityStatus, Barrier, UnmetNeed};
use lahete_domain::ids::{ActivityId, ActivityLinkId, Id, ReferralId};
use lahete_domain::version::Version;

use crate::among::among;
use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::{activities, activity_links};
use crate::sql_types::{CodeCol, CodeSetCol, IdCol, InstantCol, VersionCol, parse_instant};

const TABLE: &str = "activity_links";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = activity_links, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct ActivityLinkRow {
    id: IdCol<ActivityLinkId>,
    version: VersionCol,
    referral_id: IdCol<ReferralId>,
    activity_id: IdCol<ActivityId>,
    state: CodeCol<ActivityLinkStateCode>,
    continues: Option<bool>,
    barrier: Option<CodeCol<Barrier>>,
    proposed_at: InstantCol,
    unmet_needs: CodeSetCol<UnmetNeed>,
}

/// What the state keeps besides its code.
fn columns(state: ActivityLinkState) -> (Option<bool>, Option<CodeCol<Barrier>>) {
    match state {
        ActivityLinkState::Proposed | ActivityLinkState::Started => (None, None),
        ActivityLinkState::Attending { continues } => (continues, None),
        ActivityLinkState::Stopped { barrier } => (None, Some(CodeCol(barrier))),
    }
}

impl From<&ActivityLink> for ActivityLinkRow {
    fn from(link: &ActivityLink) -> Self {
        let (continues, barrier) = columns(link.state);
        Self {
            id: IdCol(link.id),
            version: VersionCol(link.version),
            referral_id: IdCol(link.referral),
            activity_id: IdCol(link.activity),
            state: CodeCol(link.state.code()),
            continues,
            barrier,
            proposed_at: InstantCol(link.proposed_at),
            unmet_needs: link.unmet_needs.iter().copied().collect::<Vec<_>>().into(),
        }
    }
}

impl TryFrom<ActivityLinkRow> for ActivityLink {
    type Error = StoreError;

    fn try_from(row: ActivityLinkRow) -> Result<Self, StoreError> {
        let id = row.id.0;
        let state = match row.state.0 {
            ActivityLinkStateCode::Proposed => ActivityLinkState::Proposed,
            ActivityLinkStateCode::Started => ActivityLinkState::Started,
            ActivityLinkStateCode::Attending => ActivityLinkState::Attending { continues: row.continues },
            ActivityLinkStateCode::Stopped => {
                ActivityLinkState::Stopped { barrier: row.barrier.ok_or_else(|| StoreError::corrupt(TABLE, "barrier", id))?.0 }
            }
        };
        Ok(Self {
            id,
            version: row.version.0,
            referral: row.referral_id.0,
            activity: row.activity_id.0,
            state,
            unmet_needs: Vec::from(row.unmet_needs).into_iter().collect(),
            proposed_at: row.proposed_at.0,
        })
    }
}

/// A link with the name of its activity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedActivityLink {
    /// The link.
    pub link: ActivityLink,
    /// The activity's name.
    pub activity_name: String,
    /// Whether one can join the activity.
    pub activity_status: ActivityStatus,
}

impl NamedActivityLink {
    fn read((row, activity_name, status): (ActivityLinkRow, String, CodeCol<ActivityStatus>)) -> Result<Self, StoreError> {
        Ok(Self { link: row.try_into()?, activity_name, activity_status: status.0 })
    }
}

impl Db<'_> {
    /// Links a referral with an activity.
    ///
    /// # Errors
    /// Whatever the database says; a rule of the schema when the two are linked already.
    pub fn activity_link_insert(&mut self, link: &ActivityLink) -> Result<(), StoreError> {
        diesel::insert_into(activity_links::table).values(ActivityLinkRow::from(link)).execute(self.conn())?;
        Ok(())
    }

    /// One link.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn activity_link_get(&mut self, id: ActivityLinkId) -> Result<Option<NamedActivityLink>, StoreError> {
        let row = activity_links::table
            .inner_join(activities::table)
            .filter(activity_links::id.eq(IdCol(id)))
            .select((ActivityLinkRow::as_select(), activities::name, activities::status))
            .first::<(ActivityLinkRow, String, CodeCol<ActivityStatus>)>(self.conn())
            .optional()?;
        row.map(NamedActivityLink::read).transpose()
    }

    /// The link between a referral and an activity.
    ///
    /// # Errors
    /// As [`Db::activity_link_get`].
    pub fn activity_link_between(&mut self, referral: ReferralId, activity: ActivityId) -> Result<Option<ActivityLink>, StoreError> {
        let row = activity_links::table
            .filter(activity_links::referral_id.eq(IdCol(referral)))
            .filter(activity_links::activity_id.eq(IdCol(activity)))
            .select(ActivityLinkRow::as_select())
            .first::<ActivityLinkRow>(self.conn())
            .optional()?;
        row.map(ActivityLink::try_from).transpose()
    }

    /// Stores the state of a link, if nobody else has changed it since.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the stored version is not the expected one; whatever else the database says.
    pub fn activity_link_update(&mut self, link: &ActivityLink, expected: Version) -> Result<(), StoreError> {
        let (continues, barrier) = columns(link.state);
        let target = activity_links::table.find(IdCol(link.id)).filter(activity_links::version.eq(VersionCol(expected)));
        let changes = (
            activity_links::version.eq(VersionCol(expected.next())),
            activity_links::state.eq(CodeCol(link.state.code())),
            activity_links::continues.eq(continues),
            activity_links::barrier.eq(barrier),
            activity_links::unmet_needs.eq(CodeSetCol::from(link.unmet_needs.iter().copied().collect::<Vec<_>>())),
        );
        if diesel::update(target).set(changes).execute(self.conn())? == 0 {
            return Err(StoreError::Stale);
        }
        Ok(())
    }

    /// How many links of some referrals still stand without anybody knowing whether the client goes on; referrals without such links are left out.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn activity_links_unanswered(&mut self, referrals: &[ReferralId]) -> Result<BTreeMap<ReferralId, i64>, StoreError> {
        let unanswered = activity_links::table
            .filter(among(activity_links::referral_id, referrals.iter().copied()))
            .filter(activity_links::state.ne(CodeCol(ActivityLinkStateCode::Stopped)))
            .filter(activity_links::continues.is_null())
            .group_by(activity_links::referral_id)
            .select((activity_links::referral_id, count_star()));
        let rows = on_backend!(self.conn(), |c| unanswered.load::<(IdCol<ReferralId>, i64)>(c))?;
        Ok(rows.into_iter().map(|(referral, count)| (referral.0, count)).collect())
    }

    /// A page of a referral's links, in the order in which they were proposed.
    ///
    /// # Errors
    /// As [`Db::activity_link_get`].
    pub fn activity_link_list(&mut self, referral: ReferralId, request: &PageRequest) -> Result<Page<NamedActivityLink>, StoreError> {
        let mut query = activity_links::table
            .inner_join(activities::table)
            .filter(activity_links::referral_id.eq(IdCol(referral)))
            .select((ActivityLinkRow::as_select(), activities::name, activities::status))
            .into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind =
                activity_links::proposed_at.gt(InstantCol(at)).or(activity_links::id.gt(IdCol(ActivityLinkId::from_uuid(cursor.id))));
            query = query.filter(activity_links::proposed_at.ge(InstantCol(at))).filter(behind);
        }
        let rows =
            query.order((activity_links::proposed_at.asc(), activity_links::id.asc())).limit(request.fetch()).load::<(
                ActivityLinkRow,
                String,
                CodeCol<ActivityStatus>,
            )>(self.conn())?;
        let cursor = |(row, _, _): &(ActivityLinkRow, String, CodeCol<ActivityStatus>)| Cursor {
            sort: row.proposed_at.0.to_string(),
            id: row.id.0.as_uuid(),
        };
        Page::from_rows(rows, request, cursor).try_map(NamedActivityLink::read)
    }
}
