//! Coordinators' time on referrals.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use lahete_domain::codes::TimeEntryKind;
use lahete_domain::ids::{Id, ProgrammeId, ReferralId, TimeEntryId, UserId};
use lahete_domain::time_entry::{Struck, TimeEntry, TimeEntryContent};
use lahete_domain::version::Version;

use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::time_entries;
use crate::spelled::spelled;
use crate::sql_types::{CodeCol, IdCol, InstantCol, VersionCol};

const TABLE: &str = "time_entries";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = time_entries, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct TimeEntryRow {
    id: IdCol<TimeEntryId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    referral_id: IdCol<ReferralId>,
    coordinator_id: IdCol<UserId>,
    worked_on: NaiveDate,
    minutes: i64,
    kind: CodeCol<TimeEntryKind>,
    note: Option<String>,
    recorded_at: InstantCol,
    struck_at: Option<InstantCol>,
    struck_by: Option<IdCol<UserId>>,
}

impl TimeEntryRow {
    fn of(entry: &TimeEntry, version: Version) -> Self {
        Self {
            id: IdCol(entry.id),
            version: VersionCol(version),
            programme_id: IdCol(entry.programme),
            referral_id: IdCol(entry.referral),
            coordinator_id: IdCol(entry.coordinator),
            worked_on: entry.content.on,
            minutes: i64::from(entry.content.minutes),
            kind: CodeCol(entry.content.kind),
            note: entry.content.note.clone(),
            recorded_at: InstantCol(entry.recorded_at),
            struck_at: entry.struck.map(|struck| InstantCol(struck.at)),
            struck_by: entry.struck.map(|struck| IdCol(struck.by)),
        }
    }
}

impl TryFrom<TimeEntryRow> for TimeEntry {
    type Error = StoreError;

    fn try_from(row: TimeEntryRow) -> Result<Self, StoreError> {
        let minutes = u32::try_from(row.minutes).map_err(|_| StoreError::corrupt(TABLE, "minutes", row.id.0))?;
        Ok(Self {
            id: row.id.0,
            version: row.version.0,
            programme: row.programme_id.0,
            referral: row.referral_id.0,
            coordinator: row.coordinator_id.0,
            content: TimeEntryContent { on: row.worked_on, minutes, kind: row.kind.0, note: row.note },
            recorded_at: row.recorded_at.0,
            struck: row.struck_by.zip(row.struck_at).map(|(by, at)| Struck { by: by.0, at: at.0 }),
        })
    }
}

impl Db<'_> {
    /// Writes a new entry.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn time_entry_insert(&mut self, entry: &TimeEntry) -> Result<(), StoreError> {
        diesel::insert_into(time_entries::table).values(TimeEntryRow::of(entry, entry.version)).execute(self.conn())?;
        Ok(())
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn time_entry_get(&mut self, id: TimeEntryId) -> Result<Option<TimeEntry>, StoreError> {
        let row = time_entries::table.find(IdCol(id)).select(TimeEntryRow::as_select()).first(self.conn()).optional()?;
        row.map(TimeEntry::try_from).transpose()
    }

    /// Writes a changed entry over the version that it was made from.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn time_entry_update(&mut self, entry: &TimeEntry, expected: Version) -> Result<(), StoreError> {
        let stored = time_entries::table.find(IdCol(entry.id)).filter(time_entries::version.eq(VersionCol(expected)));
        match diesel::update(stored).set(TimeEntryRow::of(entry, expected.next())).execute(self.conn())? {
            0 => Err(StoreError::Stale),
            _ => Ok(()),
        }
    }

    /// The minutes of all entries of a referral that were not struck.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn time_entry_minutes(&mut self, referral: ReferralId) -> Result<i64, StoreError> {
        Ok(time_entries::table
            .filter(time_entries::referral_id.eq(IdCol(referral)))
            .filter(time_entries::struck_at.is_null())
            .select(spelled::<BigInt>("COALESCE(CAST(SUM(time_entries.minutes) AS BIGINT), 0)"))
            .get_result(self.conn())?)
    }

    /// A page of the entries of a referral, the newest day first; struck ones, too.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn time_entries_of(&mut self, referral: ReferralId, request: &PageRequest) -> Result<Page<TimeEntry>, StoreError> {
        let mut query = time_entries::table
            .select(TimeEntryRow::as_select())
            .filter(time_entries::referral_id.eq(IdCol(referral)))
            .into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            // A cursor that no list gave out ends the list: there is nothing behind it.
            let Ok(on) = cursor.sort.parse::<NaiveDate>() else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = time_entries::worked_on.lt(on).or(time_entries::id.lt(IdCol(TimeEntryId::from_uuid(cursor.id))));
            query = query.filter(time_entries::worked_on.le(on)).filter(behind);
        }
        let rows = query
            .order((time_entries::worked_on.desc(), time_entries::id.desc()))
            .limit(request.fetch())
            .load::<TimeEntryRow>(self.conn())?;
        let cursor = |row: &TimeEntryRow| Cursor { sort: row.worked_on.to_string(), id: row.id.0.as_uuid() };
        Page::from_rows(rows, request, cursor).try_map(TimeEntry::try_from)
    }
}
