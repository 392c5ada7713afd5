//! When link workers are away.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use lahete_domain::actor::Validity;
use lahete_domain::codes::AbsenceReason;
use lahete_domain::ids::{AbsenceId, Id, LinkWorkerId, UserId};
use lahete_domain::link_worker::Absence;
use lahete_domain::version::Version;

use crate::among::among;
use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::absences;
use crate::sql_types::{CodeCol, IdCol, InstantCol, VersionCol};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = absences, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct AbsenceRow {
    id: IdCol<AbsenceId>,
    version: VersionCol,
    link_worker_id: IdCol<LinkWorkerId>,
    from_day: NaiveDate,
    until_day: Option<NaiveDate>,
    reason: CodeCol<AbsenceReason>,
    recorded_by: IdCol<UserId>,
    recorded_at: InstantCol,
}

impl AbsenceRow {
    fn of(absence: &Absence, version: Version) -> Self {
        Self {
            id: IdCol(absence.id),
            version: VersionCol(version),
            link_worker_id: IdCol(absence.link_worker),
            from_day: absence.days.from,
            until_day: absence.days.until,
            reason: CodeCol(absence.reason),
            recorded_by: IdCol(absence.recorded_by),
            recorded_at: InstantCol(absence.recorded_at),
        }
    }
}

impl From<AbsenceRow> for Absence {
    fn from(row: AbsenceRow) -> Self {
        Self {
            id: row.id.0,
            version: row.version.0,
            link_worker: row.link_worker_id.0,
            days: Validity { from: row.from_day, until: row.until_day },
            reason: row.reason.0,
            recorded_by: row.recorded_by.0,
            recorded_at: row.recorded_at.0,
        }
    }
}

impl Db<'_> {
    /// Enters an absence.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn absence_insert(&mut self, absence: &Absence) -> Result<(), StoreError> {
        diesel::insert_into(absences::table).values(AbsenceRow::of(absence, absence.version)).execute(self.conn())?;
        Ok(())
    }

    /// One absence.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn absence_get(&mut self, id: AbsenceId) -> Result<Option<Absence>, StoreError> {
        let row = absences::table.find(IdCol(id)).select(AbsenceRow::as_select()).first(self.conn()).optional()?;
        Ok(row.map(Absence::from))
    }

    /// Writes a changed absence over the version that it was made from.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn absence_update(&mut self, absence: &Absence, expected: Version) -> Result<(), StoreError> {
        let stored = absences::table.find(IdCol(absence.id)).filter(absences::version.eq(VersionCol(expected)));
        match diesel::update(stored).set(AbsenceRow::of(absence, expected.next())).execute(self.conn())? {
            0 => Err(StoreError::Stale),
            _ => Ok(()),
        }
    }

    /// A page of somebody's absences, the newest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn absence_list(&mut self, of: LinkWorkerId, request: &PageRequest) -> Result<Page<Absence>, StoreError> {
        let mut query =
            absences::table.filter(absences::link_worker_id.eq(IdCol(of))).select(AbsenceRow::as_select()).into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            let Ok(day) = cursor.sort.parse::<NaiveDate>() else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = absences::from_day.lt(day).or(absences::id.lt(IdCol(AbsenceId::from_uuid(cursor.id))));
            query = query.filter(absences::from_day.le(day)).filter(behind);
        }
        let rows = query.order((absences::from_day.desc(), absences::id.desc())).limit(request.fetch()).load::<AbsenceRow>(self.conn())?;
        let cursor = |row: &AbsenceRow| Cursor { sort: row.from_day.to_string(), id: row.id.0.as_uuid() };
        Page::from_rows(rows, request, cursor).try_map(|row| Ok(row.into()))
    }

    /// The absences of some link workers that are not over on a day.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn absences_from(&mut self, ids: &[LinkWorkerId], day: NaiveDate) -> Result<BTreeMap<LinkWorkerId, Vec<Absence>>, StoreError> {
        let mut all: BTreeMap<LinkWorkerId, Vec<Absence>> = BTreeMap::new();
        if ids.is_empty() {
            return Ok(all);
        }
        let rows = absences::table
            .filter(among(absences::link_worker_id, ids.iter().copied()))
            .filter(absences::until_day.is_null().or(absences::until_day.ge(day).assume_not_null()))
            .select(AbsenceRow::as_select())
            .load::<AbsenceRow>(self.conn())?;
        for absence in rows.into_iter().map(Absence::from) {
            all.entry(absence.link_worker).or_default().push(absence);
        }
        Ok(all)
    }
}
