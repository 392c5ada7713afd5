//! Legal holds: what keeps the records of a client, or of one referral, whatever a policy or a request says.

use chrono::NaiveDate;
use diesel::prelude::*;
use lahete_domain::ids::{ClientId, Id, LegalHoldId, ProgrammeId, ReferralId, UserId};
use lahete_domain::retention::{HoldEnd, LegalHold};
use lahete_domain::version::Version;

use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::legal_holds;
use crate::sql_types::{IdCol, InstantCol, VersionCol, parse_instant};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = legal_holds, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct HoldRow {
    id: IdCol<LegalHoldId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    client_id: IdCol<ClientId>,
    referral_id: Option<IdCol<ReferralId>>,
    reason: String,
    placed_at: InstantCol,
    placed_by: IdCol<UserId>,
    hold_until: Option<NaiveDate>,
    ended_at: Option<InstantCol>,
    ended_by: Option<IdCol<UserId>>,
    end_reason: Option<String>,
}

impl HoldRow {
    fn of(hold: &LegalHold, version: Version) -> Self {
        let ended = hold.ended.as_ref();
        Self {
            id: IdCol(hold.id),
            version: VersionCol(version),
            programme_id: IdCol(hold.programme),
            client_id: IdCol(hold.client),
            referral_id: hold.referral.map(IdCol),
            reason: hold.reason.clone(),
            placed_at: InstantCol(hold.placed_at),
            placed_by: IdCol(hold.placed_by),
            hold_until: hold.until,
            ended_at: ended.map(|ended| InstantCol(ended.at)),
            ended_by: ended.map(|ended| IdCol(ended.by)),
            end_reason: ended.and_then(|ended| ended.reason.clone()),
        }
    }
}

impl From<HoldRow> for LegalHold {
    fn from(row: HoldRow) -> Self {
        let ended = row.ended_at.zip(row.ended_by).map(|(at, by)| HoldEnd { at: at.0, by: by.0, reason: row.end_reason });
        Self {
            id: row.id.0,
            version: row.version.0,
            programme: row.programme_id.0,
            client: row.client_id.0,
            referral: row.referral_id.map(|id| id.0),
            reason: row.reason,
            placed_at: row.placed_at.0,
            placed_by: row.placed_by.0,
            until: row.hold_until,
            ended,
        }
    }
}

/// Which holds are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HoldFilter {
    /// Of this client.
    pub client: Option<ClientId>,
    /// That hold on this day.
    pub holding_on: Option<NaiveDate>,
}

impl Db<'_> {
    /// Places a hold.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn legal_hold_insert(&mut self, hold: &LegalHold) -> Result<(), StoreError> {
        diesel::insert_into(legal_holds::table).values(HoldRow::of(hold, hold.version)).execute(self.conn())?;
        Ok(())
    }

    /// One hold.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn legal_hold_get(&mut self, id: LegalHoldId) -> Result<Option<LegalHold>, StoreError> {
        let row = legal_holds::table.find(IdCol(id)).select(HoldRow::as_select()).first(self.conn()).optional()?;
        Ok(row.map(LegalHold::from))
    }

    /// Writes a changed hold over the version that it was made from.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn legal_hold_update(&mut self, hold: &LegalHold, expected: Version) -> Result<(), StoreError> {
        let stored = legal_holds::table.find(IdCol(hold.id)).filter(legal_holds::version.eq(VersionCol(expected)));
        match diesel::update(stored).set(HoldRow::of(hold, expected.next())).execute(self.conn())? {
            0 => Err(StoreError::Stale),
            _ => Ok(()),
        }
    }

    /// The holds on a client and on their referrals that hold on a day.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn legal_holds_on(&mut self, client: ClientId, day: NaiveDate) -> Result<Vec<LegalHold>, StoreError> {
        let rows: Vec<HoldRow> =
            legal_holds::table.filter(legal_holds::client_id.eq(IdCol(client))).select(HoldRow::as_select()).load(self.conn())?;
        Ok(rows.into_iter().map(LegalHold::from).filter(|hold| hold.holds_on(day)).collect())
    }

    /// A page of the holds of some programmes, the newest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn legal_hold_list(
        &mut self,
        programmes: &[ProgrammeId],
        filter: HoldFilter,
        request: &PageRequest,
    ) -> Result<Page<LegalHold>, StoreError> {
        if programmes.is_empty() {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let programmes: Vec<_> = programmes.iter().copied().map(IdCol).collect();
        let mut query = legal_holds::table.select(HoldRow::as_select()).into_boxed::<MultiBackend>();
        query = of_programmes!(query, legal_holds::programme_id, programmes);
        if let Some(client) = filter.client {
            query = query.filter(legal_holds::client_id.eq(IdCol(client)));
        }
        if let Some(day) = filter.holding_on {
            query = query.filter(legal_holds::ended_at.is_null());
            query = query.filter(legal_holds::hold_until.is_null().or(legal_holds::hold_until.ge(day).assume_not_null()));
        }
        if let Some(cursor) = &request.after {
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = legal_holds::placed_at.lt(InstantCol(at)).or(legal_holds::id.lt(IdCol(LegalHoldId::from_uuid(cursor.id))));
            query = query.filter(legal_holds::placed_at.le(InstantCol(at))).filter(behind);
        }
        let rows =
            query.order((legal_holds::placed_at.desc(), legal_holds::id.desc())).limit(request.fetch()).load::<HoldRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.placed_at.0.to_string(), id: row.id.0.as_uuid() });
        page.try_map(|row| Ok(row.into()))
    }
}
