//! The messages to referrers about the milestones of their referrals.

use chrono::NaiveDate;
use diesel::prelude::*;
use lahete_domain::codes::{ClientStanding, Milestone, Outcome, ReferralStateCode};
use lahete_domain::ids::{ClientId, Id as _, MilestoneId, ProgrammeId, ReferralId, UserId};
use lahete_domain::milestone::MilestoneMessage;
use lahete_domain::time::Instant;

use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::{clients, milestones, referral_details, referrals};
use crate::sql_types::{CodeCol, IdCol, InstantCol, parse_instant};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = milestones, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct MilestoneRow {
    id: IdCol<MilestoneId>,
    programme_id: IdCol<ProgrammeId>,
    referral_id: IdCol<ReferralId>,
    client_id: IdCol<ClientId>,
    referrer_user_id: IdCol<UserId>,
    milestone: CodeCol<Milestone>,
    at: InstantCol,
    told_until: Option<NaiveDate>,
    acknowledged_at: Option<InstantCol>,
}

impl From<MilestoneRow> for MilestoneMessage {
    fn from(row: MilestoneRow) -> Self {
        Self {
            id: row.id.0,
            programme: row.programme_id.0,
            referral: row.referral_id.0,
            client: row.client_id.0,
            referrer: row.referrer_user_id.0,
            milestone: row.milestone.0,
            at: row.at.0,
            told_until: row.told_until,
            acknowledged_at: row.acknowledged_at.map(|at| at.0),
        }
    }
}

/// A message with how the referral ended, if it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ToldMilestone {
    /// The message.
    pub message: MilestoneMessage,
    /// How it ended.
    pub outcome: Option<Outcome>,
}

/// Which messages are wanted. Only those are given that may be told on the day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MilestoneFilter {
    /// To this referrer.
    pub referrer: UserId,
    /// In these programmes.
    pub programmes: Vec<ProgrammeId>,
    /// About this referral.
    pub referral: Option<ReferralId>,
    /// This one.
    pub id: Option<MilestoneId>,
    /// Reached at this time or later.
    pub since: Option<Instant>,
    /// Not acknowledged, or acknowledged.
    pub unread: Option<bool>,
    /// Told on this day.
    pub today: NaiveDate,
}

impl Db<'_> {
    /// Keeps a message.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn milestone_insert(&mut self, message: &MilestoneMessage) -> Result<(), StoreError> {
        let row = MilestoneRow {
            id: IdCol(message.id),
            programme_id: IdCol(message.programme),
            referral_id: IdCol(message.referral),
            client_id: IdCol(message.client),
            referrer_user_id: IdCol(message.referrer),
            milestone: CodeCol(message.milestone),
            at: InstantCol(message.at),
            told_until: message.told_until,
            acknowledged_at: message.acknowledged_at.map(InstantCol),
        };
        on_backend!(self.conn(), |c| diesel::insert_into(milestones::table).values(row).execute(c))?;
        Ok(())
    }

    /// Writes until when the client's consents let the referrer hear of a referral.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn milestones_tell_until(&mut self, referral: ReferralId, until: Option<NaiveDate>) -> Result<(), StoreError> {
        let of = milestones::table.filter(milestones::referral_id.eq(IdCol(referral)));
        diesel::update(of).set(milestones::told_until.eq(until)).execute(self.conn())?;
        Ok(())
    }

    /// Notes that the referrer has seen a message.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn milestone_acknowledge(&mut self, id: MilestoneId, at: Instant) -> Result<(), StoreError> {
        let unread = milestones::table.find(IdCol(id)).filter(milestones::acknowledged_at.is_null());
        diesel::update(unread).set(milestones::acknowledged_at.eq(Some(InstantCol(at)))).execute(self.conn())?;
        Ok(())
    }

    /// Which referral a message is about, whether it may be told or not.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn milestone_referral(&mut self, id: MilestoneId) -> Result<Option<ReferralId>, StoreError> {
        let found = milestones::table.find(IdCol(id)).select(milestones::referral_id);
        Ok(found.first::<IdCol<ReferralId>>(self.conn()).optional()?.map(|id| id.0))
    }

    /// A page of messages, the oldest first: only those whose referrer wants to hear back, whose client's consents let them, of referrals that stand.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn milestone_list(&mut self, filter: &MilestoneFilter, request: &PageRequest) -> Result<Page<ToldMilestone>, StoreError> {
        let mut query = milestones::table
            .inner_join(referrals::table.on(referrals::id.eq(milestones::referral_id)))
            .inner_join(referral_details::table.on(referral_details::referral_id.eq(milestones::referral_id)))
            .inner_join(clients::table.on(clients::id.eq(milestones::client_id)))
            .filter(milestones::told_until.ge(filter.today).assume_not_null())
            .filter(referral_details::feedback_wanted.eq(true))
            .filter(clients::standing.eq(CodeCol(ClientStanding::Open)))
            .filter(referrals::state.ne(CodeCol(ReferralStateCode::EnteredInError)))
            .select((MilestoneRow::as_select(), referrals::outcome))
            .into_boxed::<MultiBackend>();
        query = match filter.referral {
            Some(referral) => query.filter(milestones::referral_id.eq(IdCol(referral))),
            None => {
                query = query.filter(milestones::referrer_user_id.eq(IdCol(filter.referrer)));
                of_programmes!(query, milestones::programme_id, filter.programmes.iter().copied().map(IdCol).collect())
            }
        };
        if let Some(id) = filter.id {
            query = query.filter(milestones::id.eq(IdCol(id)));
        }
        if let Some(since) = filter.since {
            query = query.filter(milestones::at.ge(InstantCol(since)));
        }
        query = match filter.unread {
            Some(true) => query.filter(milestones::acknowledged_at.is_null()),
            Some(false) => query.filter(milestones::acknowledged_at.is_not_null()),
            None => query,
        };
        if let Some(cursor) = &request.after {
            // A cursor that no list gave out ends the list: there is nothing behind it.
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = milestones::at.gt(InstantCol(at)).or(milestones::id.gt(IdCol(MilestoneId::from_uuid(cursor.id))));
            query = query.filter(milestones::at.ge(InstantCol(at))).filter(behind);
        }
        let rows = query
            .order((milestones::at.asc(), milestones::id.asc()))
            .limit(request.fetch())
            .load::<(MilestoneRow, Option<CodeCol<Outcome>>)>(self.conn())?;
        let page = Page::from_rows(rows, request, |(row, _)| Cursor { sort: row.at.0.to_string(), id: row.id.0.as_uuid() });
        page.try_map(|(row, outcome)| Ok(ToldMilestone { message: row.into(), outcome: outcome.map(|code| code.0) }))
    }
}
