//! Paths of visits.

use actix_web::{get, patch, post};
use lahete_domain::ids::{SupportPeriodId, VisitId};
use lahete_domain::version::Version;

use super::cases;
use super::wire::{VisitCancel, VisitCreate, VisitHold, VisitNotAttended, VisitQuery, VisitUpdate, VisitView};
use crate::http::answer::Answer;
use crate::http::extract::{ListView, MergePatch, Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(visit_create)
        .service(support_period_visits_list)
        .service(visit_list)
        .service(visit_view)
        .service(visit_update)
        .service(visit_hold)
        .service(visit_cancel)
        .service(visit_mark_not_attended);
}

fn shown((view, version): (VisitView, Version)) -> Answer {
    Answer::ok(&view).version(version)
}

/// Write down a visit.
///
/// A held visit counts against the client's month at once: it is refused when the month's hours do not allow it, with the minutes that
/// are left. A coordinator may record it all the same and say why. Phone calls and messages are counted apart.
#[utoipa::path(
    tag = "visits",
    params(("support_period_id" = Uuid, Path, description = "The support period.")),
    request_body = VisitCreate,
    responses((status = 201, description = "The visit, with the hours of its month.", body = VisitView))
)]
#[post("/support-periods/{support_period_id}/visits")]
pub async fn visit_create(op: Operation, path: PathId<SupportPeriodId>, body: ValidJson<VisitCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let (view, version) = cases::create(db, ctx, path.0, &body.0)?;
        Ok(Answer::created(format!("/v1/visits/{}", view.id), &view).version(version))
    })
    .await
}

/// List the visits of a support period.
///
/// The newest first. The client reads them with their notes.
#[utoipa::path(
    tag = "visits",
    params(("support_period_id" = Uuid, Path, description = "The support period."), Paging),
    responses((status = 200, description = "A page of visits.", body = ListView<VisitView>))
)]
#[get("/support-periods/{support_period_id}/visits")]
pub async fn support_period_visits_list(op: Operation, path: PathId<SupportPeriodId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list_of(db, ctx, path.0, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, VisitView>(page)))
    })
    .await
}

/// List visits.
///
/// A coordinator sees those of the programme, a link worker those of the clients assigned to them, a client their own. The newest first.
#[utoipa::path(
    tag = "visits",
    params(VisitQuery, Paging),
    responses((status = 200, description = "A page of visits.", body = ListView<VisitView>))
)]
#[get("/visits")]
pub async fn visit_list(op: Operation, query: ValidQuery<VisitQuery>, paging: Paging) -> Result<Answer, Problem> {
    let filter = query.0.into();
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, filter, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, VisitView>(page)))
    })
    .await
}

/// Read one visit.
#[utoipa::path(
    tag = "visits",
    params(("visit_id" = Uuid, Path, description = "The visit.")),
    responses((status = 200, description = "The visit, with the hours of its month.", body = VisitView))
)]
#[get("/visits/{visit_id}")]
pub async fn visit_view(op: Operation, path: PathId<VisitId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| cases::view(db, ctx, path.0).map(shown)).await
}

/// Correct a visit.
///
/// A planned or held one; the month's hours are held against the corrected minutes and day.
#[utoipa::path(
    tag = "visits",
    params(("visit_id" = Uuid, Path, description = "The visit.")),
    request_body = VisitUpdate,
    responses((status = 200, description = "The visit after the correction.", body = VisitView))
)]
#[patch("/visits/{visit_id}")]
pub async fn visit_update(op: Operation, path: PathId<VisitId>, body: MergePatch<VisitUpdate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| cases::update(db, ctx, path.0, &body.0).map(shown)).await
}

/// Record that a planned visit took place.
///
/// The body may say what was other than planned; `{}` when nothing was. What an hour is paid is settled now, by contract and terms of the
/// day.
#[utoipa::path(
    tag = "visits",
    params(("visit_id" = Uuid, Path, description = "The visit.")),
    request_body = VisitHold,
    responses((status = 200, description = "The held visit, with the hours of its month.", body = VisitView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/visits/{visit_id}/hold")]
pub async fn visit_hold(op: Operation, path: PathId<VisitId>, body: ValidJson<VisitHold>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| cases::hold(db, ctx, path.0, &body.0).map(shown)).await
}

/// Call off a planned visit.
#[utoipa::path(
    tag = "visits",
    params(("visit_id" = Uuid, Path, description = "The visit.")),
    request_body = VisitCancel,
    responses((status = 200, description = "The cancelled visit.", body = VisitView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/visits/{visit_id}/cancel")]
pub async fn visit_cancel(op: Operation, path: PathId<VisitId>, body: ValidJson<VisitCancel>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| cases::cancel(db, ctx, path.0, &body.0).map(shown)).await
}

/// Record that somebody did not come to a planned visit.
///
/// Who it was, and why: the attempt was work, too, and the reason tells what to do about it.
#[utoipa::path(
    tag = "visits",
    params(("visit_id" = Uuid, Path, description = "The visit.")),
    request_body = VisitNotAttended,
    responses((status = 200, description = "The visit that did not take place.", body = VisitView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/visits/{visit_id}/mark-not-attended")]
pub async fn visit_mark_not_attended(op: Operation, path: PathId<VisitId>, body: ValidJson<VisitNotAttended>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| cases::not_attended(db, ctx, path.0, &body.0).map(shown)).await
}
