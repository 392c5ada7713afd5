//! Paths of absences.

use actix_web::{get, patch, post};
use lahete_domain::ids::{AbsenceId, LinkWorkerId};

use super::cases;
use super::wire::{AbsenceCreate, AbsenceUpdate, AbsenceView};
use crate::http::answer::Answer;
use crate::http::extract::{ListView, MergePatch, Paging, PathId, ValidJson};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(absence_list).service(absence_create).service(absence_update);
}

/// List a link worker's absences.
///
/// The newest first.
#[utoipa::path(
    tag = "link-workers",
    params(("link_worker_id" = Uuid, Path, description = "The link worker."), Paging),
    responses((status = 200, description = "A page of absences.", body = ListView<AbsenceView>))
)]
#[get("/link-workers/{link_worker_id}/absences")]
pub async fn absence_list(op: Operation, path: PathId<LinkWorkerId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, path.0, &paging.request())?;
        let today = ctx.now.helsinki_date();
        Ok(Answer::list(&paging.view_with(page, |absence| AbsenceView::of(&absence, today))))
    })
    .await
}

/// Enter an absence.
///
/// By the link worker, or by the coordinator for them. While it lasts nobody can propose them; the clients whom they have stay theirs, and are found with
/// `GET /v1/support-periods?link_worker_absent_on=`.
#[utoipa::path(
    tag = "link-workers",
    params(("link_worker_id" = Uuid, Path, description = "The link worker.")),
    request_body = AbsenceCreate,
    responses((status = 201, description = "The absence.", body = AbsenceView))
)]
#[post("/link-workers/{link_worker_id}/absences")]
pub async fn absence_create(op: Operation, path: PathId<LinkWorkerId>, body: ValidJson<AbsenceCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let absence = cases::create(db, ctx, path.0, &body.0)?;
        let view = AbsenceView::of(&absence, ctx.now.helsinki_date());
        Ok(Answer::created(format!("/v1/link-workers/{}/absences", path.0), &view).version(absence.version))
    })
    .await
}

/// Change an absence.
///
/// A merge patch. Set the last day to end it early. The version stands in the list.
#[utoipa::path(
    tag = "link-workers",
    params(
        ("link_worker_id" = Uuid, Path, description = "The link worker."),
        ("absence_id" = Uuid, Path, description = "The absence.")
    ),
    request_body = AbsenceUpdate,
    responses((status = 200, description = "The absence as it is now.", body = AbsenceView))
)]
#[patch("/link-workers/{link_worker_id}/absences/{absence_id}")]
pub async fn absence_update(
    op: Operation,
    worker: PathId<LinkWorkerId>,
    id: PathId<AbsenceId>,
    body: MergePatch<AbsenceUpdate>,
) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let absence = cases::update(db, ctx, worker.0, id.0, &body.0)?;
        Ok(Answer::ok(&AbsenceView::of(&absence, ctx.now.helsinki_date())).version(absence.version))
    })
    .await
}
