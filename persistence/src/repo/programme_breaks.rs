//! Breaks of programmes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::prelude::*;
use lahete_domain::actor::Validity;
use lahete_domain::codes::{AssignmentStateCode, BreakReason, Code as _, Language};
use lahete_domain::ids::{AssignmentId, Id, ProgrammeBreakId, ProgrammeId};
use lahete_domain::programme_break::ProgrammeBreak;
use lahete_domain::time::Instant;
use lahete_domain::version::Version;
use serde_json::{Map, Value};

use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::{assignments, programme_breaks};
use crate::sql_types::{CodeCol, IdCol, InstantCol, JsonCol, VersionCol};

const TABLE: &str = "programme_breaks";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = programme_breaks, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct BreakRow {
    id: IdCol<ProgrammeBreakId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    from_day: NaiveDate,
    until_day: Option<NaiveDate>,
    reason: CodeCol<BreakReason>,
    words: JsonCol,
}

impl BreakRow {
    fn of(found: &ProgrammeBreak, version: Version) -> Self {
        let words: Map<String, Value> =
            found.words.iter().map(|(language, words)| (language.as_str().to_owned(), Value::from(words.clone()))).collect();
        Self {
            id: IdCol(found.id),
            version: VersionCol(version),
            programme_id: IdCol(found.programme),
            from_day: found.days.from,
            until_day: found.days.until,
            reason: CodeCol(found.reason),
            words: JsonCol(Value::Object(words)),
        }
    }
}

impl TryFrom<BreakRow> for ProgrammeBreak {
    type Error = StoreError;

    fn try_from(row: BreakRow) -> Result<Self, StoreError> {
        let corrupt = || StoreError::corrupt(TABLE, "words", row.id.0);
        let mut words = BTreeMap::new();
        for (language, text) in row.words.0.as_object().ok_or_else(corrupt)? {
            let language = Language::parse(language).ok_or_else(corrupt)?;
            words.insert(language, text.as_str().ok_or_else(corrupt)?.to_owned());
        }
        Ok(Self {
            id: row.id.0,
            version: row.version.0,
            programme: row.programme_id.0,
            days: Validity { from: row.from_day, until: row.until_day },
            reason: row.reason.0,
            words,
        })
    }
}

/// A proposal that waits for an answer, as far as a break holds it up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitingProposal {
    /// The assignment.
    pub id: AssignmentId,
    /// Its version.
    pub version: Version,
    /// When it was proposed.
    pub proposed_at: Instant,
    /// Until when it can be answered.
    pub expires_at: Instant,
}

impl Db<'_> {
    /// Adds a break.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn programme_break_insert(&mut self, found: &ProgrammeBreak) -> Result<(), StoreError> {
        diesel::insert_into(programme_breaks::table).values(BreakRow::of(found, found.version)).execute(self.conn())?;
        Ok(())
    }

    /// One break.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn programme_break_get(&mut self, id: ProgrammeBreakId) -> Result<Option<ProgrammeBreak>, StoreError> {
        let row = programme_breaks::table.find(IdCol(id)).select(BreakRow::as_select()).first::<BreakRow>(self.conn()).optional()?;
        row.map(ProgrammeBreak::try_from).transpose()
    }

    /// Writes a changed break over the version that it was made from.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn programme_break_update(&mut self, found: &ProgrammeBreak, expected: Version) -> Result<(), StoreError> {
        let stored = programme_breaks::table.find(IdCol(found.id)).filter(programme_breaks::version.eq(VersionCol(expected)));
        match diesel::update(stored).set(BreakRow::of(found, expected.next())).execute(self.conn())? {
            0 => Err(StoreError::Stale),
            _ => Ok(()),
        }
    }

    /// All breaks of a programme, in order.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn breaks_of(&mut self, programme: ProgrammeId) -> Result<Vec<ProgrammeBreak>, StoreError> {
        let of_programme = programme_breaks::table
            .filter(programme_breaks::programme_id.eq(IdCol(programme)))
            .order((programme_breaks::from_day.asc(), programme_breaks::id.asc()));
        let rows: Vec<BreakRow> = on_backend!(self.conn(), |c| of_programme.select(BreakRow::as_select()).load(c))?;
        rows.into_iter().map(ProgrammeBreak::try_from).collect()
    }

    /// All breaks of some programmes, by programme and in order.
    ///
    /// # Errors
    /// As [`Db::breaks_of`].
    pub fn breaks_of_all(
        &mut self,
        programmes: impl IntoIterator<Item = ProgrammeId>,
    ) -> Result<BTreeMap<ProgrammeId, Vec<ProgrammeBreak>>, StoreError> {
        let mut all = BTreeMap::new();
        for programme in programmes.into_iter().collect::<BTreeSet<_>>() {
            all.insert(programme, self.breaks_of(programme)?);
        }
        Ok(all)
    }

    /// A page of the breaks of a programme, the newest first.
    ///
    /// # Errors
    /// As [`Db::breaks_of`].
    pub fn programme_break_list(&mut self, programme: ProgrammeId, request: &PageRequest) -> Result<Page<ProgrammeBreak>, StoreError> {
        let mut query = programme_breaks::table
            .filter(programme_breaks::programme_id.eq(IdCol(programme)))
            .select(BreakRow::as_select())
            .into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            let Ok(day) = cursor.sort.parse::<NaiveDate>() else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = programme_breaks::from_day.lt(day).or(programme_breaks::id.lt(IdCol(ProgrammeBreakId::from_uuid(cursor.id))));
            query = query.filter(programme_breaks::from_day.le(day)).filter(behind);
        }
        let rows = query
            .order((programme_breaks::from_day.desc(), programme_breaks::id.desc()))
            .limit(request.fetch())
            .load::<BreakRow>(self.conn())?;
        let cursor = |row: &BreakRow| Cursor { sort: row.from_day.to_string(), id: row.id.0.as_uuid() };
        Page::from_rows(rows, request, cursor).try_map(ProgrammeBreak::try_from)
    }

    /// The proposals of a programme that wait for an answer.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn proposals_waiting(&mut self, programme: ProgrammeId) -> Result<Vec<WaitingProposal>, StoreError> {
        let rows = assignments::table
            .filter(assignments::programme_id.eq(IdCol(programme)))
            .filter(assignments::state.eq(CodeCol(AssignmentStateCode::Proposed)))
            .select((assignments::id, assignments::version, assignments::proposed_at, assignments::expires_at))
            .load::<(IdCol<AssignmentId>, VersionCol, InstantCol, InstantCol)>(self.conn())?;
        let waiting = |(id, version, proposed_at, expires_at): (IdCol<AssignmentId>, VersionCol, InstantCol, InstantCol)| WaitingProposal {
            id: id.0,
            version: version.0,
            proposed_at: proposed_at.0,
            expires_at: expires_at.0,
        };
        Ok(rows.into_iter().map(waiting).collect())
    }

    /// Moves the time until which a proposal can be answered. Its version stays: whoever has read it can answer it as they have read it.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn assignment_set_expiry(&mut self, id: AssignmentId, expires_at: Instant) -> Result<(), StoreError> {
        diesel::update(assignments::table.find(IdCol(id))).set(assignments::expires_at.eq(InstantCol(expires_at))).execute(self.conn())?;
        Ok(())
    }
}
