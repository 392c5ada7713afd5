//! Asking for imports, and how far they are.

use std::collections::BTreeSet;

use lahete_domain::access::{Action, Subject};
use lahete_domain::activity_import::{ActivityImport, ImportCounts, ImportOrigin, ImportPlace};
use lahete_domain::codes::{ActivityImportPhase, ActivityImportState, AuditAction};
use lahete_domain::ids::{ActivityImportId, Id as _, ProgrammeId, UserId};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::time::Instant;
use lahete_domain::version::Version;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{ActivityImportCreate, ActivityImportQuery};
use crate::error::{AppError, Fault, RuleProblem};
use crate::operation::OpContext;
use crate::programmes::reachable;

/// An import that has not begun.
#[must_use]
pub fn new_import(
    id: ActivityImportId,
    programme: ProgrammeId,
    origin: ImportOrigin,
    municipalities: BTreeSet<MunicipalityCode>,
    since: Option<Instant>,
    now: Instant,
    by: Option<UserId>,
) -> ActivityImport {
    ActivityImport {
        id,
        version: Version::FIRST,
        programme,
        origin,
        municipalities,
        since,
        state: ActivityImportState::Queued,
        phase: ActivityImportPhase::Organisations,
        place: ImportPlace { step: 0, page: 1, item: 0 },
        pages_of_step: None,
        counts: ImportCounts::default(),
        faults: Vec::new(),
        problem: None,
        created_at: now,
        created_by: by,
        beat_at: None,
        finished_at: None,
    }
}

/// Asks for an import: of the programme's municipalities when none are named.
///
/// # Errors
/// 404 outside the caller's programmes; 409 while another import is not through; 422 for a time to come.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, body: &ActivityImportCreate) -> Result<ActivityImport, AppError> {
    let programme = ProgrammeId::from_uuid(body.programme_id);
    let grant = ctx.require(db, Action::ActivityImport, &Subject::of_programme(programme), None, None)?;
    let served = db.programme_get(programme)?.ok_or(AppError::NotFound(ProgrammeId::RESOURCE))?.municipalities;
    if body.since.is_some_and(|since| since.0 > ctx.now) {
        return Err(AppError::fault(Fault::new("/since", "in_the_future", "Nothing has changed since a time to come.")));
    }
    if db.activity_import_open(programme)?.is_some() {
        return Err(RuleProblem::new("activity_import_under_way", "Another import of the programme is not through.").into());
    }
    let asked: BTreeSet<MunicipalityCode> = body.municipalities.0.iter().map(|municipality| municipality.0.clone()).collect();
    let import = new_import(
        ctx.ids.next(),
        programme,
        ImportOrigin::Server,
        if asked.is_empty() { served } else { asked },
        body.since.map(|since| since.0),
        ctx.now,
        ctx.actor.user(),
    );
    db.activity_import_insert(&import)?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(import)
}

/// One import.
///
/// # Errors
/// 404 when there is none or the caller may not see it.
pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: ActivityImportId) -> Result<ActivityImport, AppError> {
    let import = db.activity_import_get(id)?.ok_or(AppError::NotFound(ActivityImportId::RESOURCE))?;
    ctx.require(db, Action::ActivityImport, &Subject::of_programme(import.programme), None, None)?;
    Ok(import)
}

/// The imports of the caller's programmes, the newest first.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &ActivityImportQuery, page: &PageRequest) -> Result<Page<ActivityImport>, AppError> {
    let programmes = reachable(ctx, Action::ActivityImport, query.programme_id.map(ProgrammeId::from_uuid));
    Ok(db.activity_import_list(&programmes, query.state.map(|state| state.0), page)?)
}
