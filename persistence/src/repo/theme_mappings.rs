//! Which classes of another directory belong to which themes.

use diesel::prelude::*;
use lahete_domain::codes::{Code, Theme};
use lahete_domain::ids::{ProgrammeId, UserId};
use lahete_domain::theme_mapping::{ThemeEntry, ThemeMapping};
use lahete_domain::time::Instant;
use lahete_domain::version::Version;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::schema::theme_mappings;
use crate::sql_types::{IdCol, InstantCol, JsonCol, UuidCol, VersionCol};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = theme_mappings, primary_key(programme_id), check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct MappingRow {
    programme_id: IdCol<ProgrammeId>,
    version: VersionCol,
    entries: JsonCol,
    changed_at: InstantCol,
    changed_by: Option<IdCol<UserId>>,
    applied_after: Option<UuidCol>,
}

fn entries_to_json(entries: &[ThemeEntry]) -> Value {
    let one = |entry: &ThemeEntry| json!([entry.term, entry.themes.iter().map(|theme| theme.as_str()).collect::<Vec<_>>()]);
    entries.iter().map(one).collect()
}

fn entries_from_json(value: &Value) -> Option<Vec<ThemeEntry>> {
    let one = |value: &Value| {
        let themes = value.get(1)?.as_array()?.iter().map(|code| Theme::parse(code.as_str()?));
        Some(ThemeEntry { term: value.get(0)?.as_str()?.to_owned(), themes: themes.collect::<Option<_>>()? })
    };
    value.as_array()?.iter().map(one).collect()
}

impl Db<'_> {
    /// The mapping of a programme; none while it has that of the program.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn theme_mapping_get(&mut self, programme: ProgrammeId) -> Result<Option<ThemeMapping>, StoreError> {
        let row =
            theme_mappings::table.find(IdCol(programme)).select(MappingRow::as_select()).first::<MappingRow>(self.conn()).optional()?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ThemeMapping {
            programme,
            version: row.version.0,
            entries: entries_from_json(&row.entries.0).ok_or_else(|| StoreError::corrupt("theme_mappings", "entries", programme))?,
            applying: row.applied_after.is_some(),
        }))
    }

    /// Stores the mapping of a programme over the expected version; it is still to be applied to what is there.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn theme_mapping_put(
        &mut self,
        mapping: &ThemeMapping,
        expected: Version,
        at: Instant,
        by: Option<UserId>,
    ) -> Result<(), StoreError> {
        let row = MappingRow {
            programme_id: IdCol(mapping.programme),
            version: VersionCol(expected.next()),
            entries: JsonCol(entries_to_json(&mapping.entries)),
            changed_at: InstantCol(at),
            changed_by: by.map(IdCol),
            applied_after: mapping.applying.then_some(UuidCol(Uuid::nil())),
        };
        if self.theme_mapping_get(mapping.programme)?.is_none() {
            if expected != Version::FIRST {
                return Err(StoreError::Stale);
            }
            diesel::insert_into(theme_mappings::table).values(row).execute(self.conn())?;
            return Ok(());
        }
        let stored = theme_mappings::table.find(IdCol(mapping.programme)).filter(theme_mappings::version.eq(VersionCol(expected)));
        if diesel::update(stored).set(row).execute(self.conn())? == 0 { Err(StoreError::Stale) } else { Ok(()) }
    }

    /// The programmes whose mapping is still to be applied, with the last entry to which it was.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn theme_mappings_applying(&mut self) -> Result<Vec<(ProgrammeId, Uuid)>, StoreError> {
        let rows = theme_mappings::table
            .filter(theme_mappings::applied_after.is_not_null())
            .select((theme_mappings::programme_id, theme_mappings::applied_after))
            .load::<(IdCol<ProgrammeId>, Option<UuidCol>)>(self.conn())?;
        Ok(rows.into_iter().filter_map(|(programme, after)| after.map(|after| (programme.0, after.0))).collect())
    }

    /// Notes to which entry a mapping was applied; none when to all.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn theme_mapping_applied(&mut self, programme: ProgrammeId, after: Option<Uuid>) -> Result<(), StoreError> {
        let row = theme_mappings::table.find(IdCol(programme));
        diesel::update(row).set(theme_mappings::applied_after.eq(after.map(UuidCol))).execute(self.conn())?;
        Ok(())
    }
}
