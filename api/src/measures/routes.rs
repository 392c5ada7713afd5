//! Paths of measures.

use actix_web::{get, post};
use lahete_domain::ids::{MeasureId, SupportPeriodId};
use lahete_domain::version::Version;

use super::cases;
use super::wire::{MeasureCreate, MeasureView, ScoreChangeView};
use crate::http::answer::Answer;
use crate::http::extract::paging::LIMIT_MAX;
use crate::http::extract::{ListView, PageView, Paging, PathId, ValidJson};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(measure_create).service(measure_change_list).service(measure_list).service(measure_view);
}

/// Record a questionnaire.
///
/// With its answers, or with the coded reason why there are none; once for each instrument and timepoint. The score comes with the
/// answer. The texts of the items are not part of the product. Clients answer for themselves: in mode `self`. An instrument that is meant for groups is
/// refused (409 `instrument_for_groups`) until the programme has decided otherwise.
#[utoipa::path(
    tag = "measures",
    params(("support_period_id" = Uuid, Path, description = "The support period.")),
    request_body = MeasureCreate,
    responses((status = 201, description = "The measure with its score.", body = MeasureView))
)]
#[post("/support-periods/{support_period_id}/measures")]
pub async fn measure_create(op: Operation, path: PathId<SupportPeriodId>, body: ValidJson<MeasureCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let scored = cases::create(db, ctx, path.0, &body.0)?;
        Ok(Answer::created(format!("/v1/measures/{}", scored.measure.id), &MeasureView::from(&scored)).version(Version::FIRST))
    })
    .await
}

/// List the measures of a support period.
///
/// In the order in which they were recorded.
#[utoipa::path(
    tag = "measures",
    params(("support_period_id" = Uuid, Path, description = "The support period."), Paging),
    responses((status = 200, description = "A page of measures.", body = ListView<MeasureView>))
)]
#[get("/support-periods/{support_period_id}/measures")]
pub async fn measure_list(op: Operation, path: PathId<SupportPeriodId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, path.0, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, MeasureView>(page)))
    })
    .await
}

/// List what has changed.
///
/// In each score of a support period, from its start to its end and to the follow-up, with what the change means for the client: better, worse, none, or
/// too small to tell. Scores of different versions of an instrument are not compared. There are as many as there are questionnaires with answers at both.
#[utoipa::path(
    tag = "measures",
    params(("support_period_id" = Uuid, Path, description = "The support period.")),
    responses((status = 200, description = "The changes.", body = ListView<ScoreChangeView>))
)]
#[get("/support-periods/{support_period_id}/measures/changes")]
pub async fn measure_change_list(op: Operation, path: PathId<SupportPeriodId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let items: Vec<_> = cases::changes(db, ctx, path.0)?.iter().map(ScoreChangeView::from).collect();
        Ok(Answer::list(&ListView { items, page: PageView { next: None, limit: LIMIT_MAX } }))
    })
    .await
}

/// Read one measure.
///
/// A measure never changes.
#[utoipa::path(
    tag = "measures",
    params(("measure_id" = Uuid, Path, description = "The measure.")),
    responses((status = 200, description = "The measure with its score.", body = MeasureView))
)]
#[get("/measures/{measure_id}")]
pub async fn measure_view(op: Operation, path: PathId<MeasureId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(Answer::ok(&MeasureView::from(&cases::view(db, ctx, path.0)?)).version(Version::FIRST))).await
}
