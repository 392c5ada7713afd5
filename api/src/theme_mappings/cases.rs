//! Reading, giving and applying mappings.

use std::sync::LazyLock;

use lahete_domain::access::{Action, Subject};
use lahete_domain::activity::Activity;
use lahete_domain::actor::Grant;
use lahete_domain::codes::{AuditAction, Code as _, Theme};
use lahete_domain::ids::ProgrammeId;
use lahete_domain::search::words;
use lahete_domain::theme_mapping::{ThemeEntry, ThemeMapping, Themer};
use lahete_domain::version::Version;
use lahete_persistence::repo::activity_imports::Brought;
use lahete_persistence::{Db, Store};
use serde::Deserialize;
use uuid::Uuid;

use super::wire::ThemeMappingPut;
use crate::error::{AppError, Fault};
use crate::operation::OpContext;
use crate::shipped_table;

/// Entries of the directory that one transaction looks at.
const BATCH: u16 = 200;

#[derive(Debug, Deserialize)]
struct ShippedRow {
    term: String,
    themes: String,
}

/// The mapping that the program ships: from the service classes that wellbeing trays of Finnish counties show, and from the words of the ten themes.
static SHIPPED: LazyLock<Vec<ThemeEntry>> = LazyLock::new(|| {
    shipped_table::rows("ptv_themes.csv", include_bytes!("ptv_themes.csv"))
        .map(|row: ShippedRow| ThemeEntry { term: row.term, themes: row.themes.split_whitespace().filter_map(Theme::parse).collect() })
        .collect()
});

/// The mapping that the program ships.
#[must_use]
pub fn shipped() -> &'static [ThemeEntry] {
    &SHIPPED
}

/// The mapping of a programme, or the one that the program ships.
///
/// # Errors
/// When the database fails.
pub fn entries_of(db: &mut Db<'_>, programme: ProgrammeId) -> Result<Vec<ThemeEntry>, AppError> {
    Ok(db.theme_mapping_get(programme)?.map_or_else(|| SHIPPED.clone(), |mapping| mapping.entries))
}

fn find(db: &mut Db<'_>, ctx: &OpContext, programme: ProgrammeId) -> Result<(ThemeMapping, Grant), AppError> {
    let grant = ctx.require(db, Action::ThemeMappingManage, &Subject::of_programme(programme), None, None)?;
    let shipped = || ThemeMapping { programme, version: Version::FIRST, entries: SHIPPED.clone(), applying: false };
    Ok((db.theme_mapping_get(programme)?.unwrap_or_else(shipped), grant))
}

/// The mapping of a programme.
///
/// # Errors
/// 404 outside the caller's programmes.
pub fn view(db: &mut Db<'_>, ctx: &OpContext, programme: ProgrammeId) -> Result<ThemeMapping, AppError> {
    Ok(find(db, ctx, programme)?.0)
}

/// Gives a programme another mapping. It is applied to what was imported before in the background.
///
/// # Errors
/// 404 outside the caller's programmes; 412 and 428 by the version; 422 for a term of several words or one that stands twice.
pub fn put(db: &mut Db<'_>, ctx: &OpContext, programme: ProgrammeId, body: &ThemeMappingPut) -> Result<ThemeMapping, AppError> {
    let (present, grant) = find(db, ctx, programme)?;
    ctx.expect_version(present.version)?;
    let mut faults = Vec::new();
    let mut entries: Vec<ThemeEntry> = Vec::new();
    for (at, entry) in body.entries.iter().enumerate() {
        let term = entry.term.as_str();
        let pointer = format!("/entries/{at}/term");
        if !term.starts_with("http") && words(term).len() != 1 && !lahete_domain::theme_mapping::is_class_code(term) {
            faults.push(Fault::new(pointer, "malformed", "A term is an address, the code of a class, or the beginning of one word."));
        } else if entries.iter().any(|known| known.term == term) {
            faults.push(Fault::new(pointer, "twice", "This term stands there already."));
        } else {
            entries.push(ThemeEntry { term: term.to_owned(), themes: entry.themes.0.iter().map(|theme| theme.0).collect() });
        }
    }
    if !faults.is_empty() {
        return Err(AppError::Invalid(faults));
    }
    let expected = present.version;
    let mapping = ThemeMapping { programme, version: expected.next(), entries, applying: true };
    db.theme_mapping_put(&mapping, expected, ctx.now, ctx.actor.user())?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok(mapping)
}

/// Applies a mapping that was changed to some of what was imported before; says whether there is more to do.
///
/// # Errors
/// When the store fails; what was done stays done.
pub async fn apply_next(store: &Store) -> Result<bool, AppError> {
    let waiting = store.read(|db: &mut Db<'_>| -> Result<bool, AppError> { Ok(!db.theme_mappings_applying()?.is_empty()) }).await?;
    if !waiting {
        return Ok(false);
    }
    store
        .write(|db: &mut Db<'_>| -> Result<bool, AppError> {
            let Some((programme, after)) = db.theme_mappings_applying()?.into_iter().next() else { return Ok(false) };
            apply_some(db, programme, after)?;
            Ok(true)
        })
        .await
}

fn apply_some(db: &mut Db<'_>, programme: ProgrammeId, after: Uuid) -> Result<(), AppError> {
    let themer = Themer::of(&entries_of(db, programme)?);
    let some = db.activities_imported_after(programme, after, BATCH)?;
    let ids: Vec<_> = some.iter().map(|(_, id)| *id).collect();
    for Brought { activity, classes, .. } in db.activities_brought(&ids)? {
        let themes = themer.themes(classes.iter().map(String::as_str), &activity.keywords);
        if themes != activity.themes {
            let expected = activity.version;
            db.activity_update_silently(&Activity { themes, ..activity }, expected)?;
        }
    }
    let last = some.last().filter(|_| some.len() == usize::from(BATCH)).map(|(source_id, _)| *source_id);
    Ok(db.theme_mapping_applied(programme, last)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lahete_domain::theme_mapping::is_class_code;

    #[test]
    fn the_shipped_mapping_is_well_formed_and_leads_to_every_theme() {
        let entries = shipped();
        for entry in entries {
            assert!(!entry.themes.is_empty(), "{entry:?}");
            assert!(is_class_code(&entry.term) || words(&entry.term).len() == 1, "{entry:?}");
            assert_eq!(entries.iter().filter(|other| other.term == entry.term).count(), 1, "{entry:?}");
        }
        for theme in Theme::ALL {
            assert!(entries.iter().any(|entry| entry.themes.contains(theme)), "{theme}");
        }
        let rows = include_str!("ptv_themes.csv").lines().skip(1);
        let themes = rows.clone().map(|row| row.split(',').nth(1).map_or(0, |themes| themes.split(' ').count())).sum::<usize>();
        assert_eq!((rows.count(), themes), (entries.len(), entries.iter().map(|entry| entry.themes.len()).sum()), "no code was misspelt");
    }
}
