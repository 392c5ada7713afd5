//! Paths of measures.

use actix_web::{get, post};
use lahete_domain::ids::{MeasureId, SupportPeriodId};
use lahete_domain::version::Version;
use utoipa_actix_web::service_config::ServiceConfig;

use super::cases;
use super::wire::{MeasureCreate, MeasureView};
use crate::http::answer::Answer;
use crate::http::extract::{ListView, Paging, PathId, ValidJson};
use crate::http::problem::Problem;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.service(measure_create).service(measure_list).service(measure_view);
}

/// Record a questionnaire.
///
/// With its answers, or with the coded reason why there are none; once for each instrument and timepoint. The score comes with the
/// answer. The texts of the items are not part of the product.
#[utoipa::path(
    tag = "measures",
    params(("support_period_id" = Uuid, Path, description = "The support period.")),
    request_body = MeasureCreate,
    responses((status = 201, description = "The measure with its score.", body = MeasureView))
)]
#[post("/support-periods/{support_period_id}/measures")]
pub async fn measure_create(op: Operation, path: PathId<SupportPeriodId>, body: ValidJson<MeasureCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let measure = cases::create(db, ctx, path.0, &body.0)?;
        Ok(Answer::created(format!("/v1/measures/{}", measure.id), &MeasureView::from(&measure)).version(Version::FIRST))
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
