//! Paths of programme breaks.

use actix_web::{get, patch, post};
use lahete_domain::ids::{ProgrammeBreakId, ProgrammeId};

use super::cases;
use super::wire::{ProgrammeBreakCreate, ProgrammeBreakUpdate, ProgrammeBreakView};
use crate::http::answer::Answer;
use crate::http::extract::{ListView, MergePatch, Paging, PathId, ValidJson};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(programme_break_list).service(programme_break_create).service(programme_break_update);
}

/// List the breaks of a programme.
///
/// The newest first, those to come too. For everybody who holds a role in it.
#[utoipa::path(
    tag = "programmes",
    params(("programme_id" = Uuid, Path, description = "The programme."), Paging),
    responses((status = 200, description = "A page of breaks.", body = ListView<ProgrammeBreakView>))
)]
#[get("/programmes/{programme_id}/breaks")]
pub async fn programme_break_list(op: Operation, path: PathId<ProgrammeId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, path.0, &paging.request())?;
        let today = ctx.now.helsinki_date();
        Ok(Answer::list(&paging.view_with(page, |found| ProgrammeBreakView::of(&found, today))))
    })
    .await
}

/// Add a break to a programme.
///
/// For coordinators and administrators. In a break no clock runs: days of waiting are not counted, and proposals can be answered that much longer. Nothing is
/// paused, refused or closed by it.
#[utoipa::path(
    tag = "programmes",
    params(("programme_id" = Uuid, Path, description = "The programme.")),
    request_body = ProgrammeBreakCreate,
    responses((status = 201, description = "The break.", body = ProgrammeBreakView))
)]
#[post("/programmes/{programme_id}/breaks")]
pub async fn programme_break_create(
    op: Operation,
    path: PathId<ProgrammeId>,
    body: ValidJson<ProgrammeBreakCreate>,
) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let found = cases::create(db, ctx, path.0, body.0.clone())?;
        let view = ProgrammeBreakView::of(&found, ctx.now.helsinki_date());
        Ok(Answer::created(format!("/v1/programmes/{}/breaks", path.0), &view).version(found.version))
    })
    .await
}

/// Change a break of a programme.
///
/// A merge patch; what was held up by it is counted anew. The version stands in the list.
#[utoipa::path(
    tag = "programmes",
    params(
        ("programme_id" = Uuid, Path, description = "The programme."),
        ("programme_break_id" = Uuid, Path, description = "The break.")
    ),
    request_body = ProgrammeBreakUpdate,
    responses((status = 200, description = "The break as it is now.", body = ProgrammeBreakView))
)]
#[patch("/programmes/{programme_id}/breaks/{programme_break_id}")]
pub async fn programme_break_update(
    op: Operation,
    programme: PathId<ProgrammeId>,
    id: PathId<ProgrammeBreakId>,
    body: MergePatch<ProgrammeBreakUpdate>,
) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let found = cases::update(db, ctx, programme.0, id.0, body.0.clone())?;
        Ok(Answer::ok(&ProgrammeBreakView::of(&found, ctx.now.helsinki_date())).version(found.version))
    })
    .await
}
