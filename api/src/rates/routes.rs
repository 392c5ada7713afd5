//! Paths of mileage rates.

use actix_web::{get, post};

use super::cases;
use super::wire::{RateCreate, RateQuery, RateView};
use crate::http::answer::Answer;
use crate::http::extract::{ListView, Paging, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(rate_list).service(rate_create);
}

/// List mileage rates.
///
/// Those that begin last first. For a day of travel the rate holds that the programme has added itself, otherwise the state's tax-free maximum, which
/// is there from the beginning; of several that hold, the one that began last.
#[utoipa::path(
    tag = "hour-sheets",
    params(RateQuery, Paging),
    responses((status = 200, description = "A page of rates.", body = ListView<RateView>))
)]
#[get("/rates")]
pub async fn rate_list(op: Operation, query: ValidQuery<RateQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(Answer::list(&paging.view::<_, RateView>(cases::list(db, ctx, &query.0, &paging.request())?)))).await
}

/// Add a mileage rate.
///
/// By the coordinator or an administrator. A rate is never changed: a new one is added. Open hour sheets are reckoned by it at once; what is submitted,
/// approved or paid stays as it is.
#[utoipa::path(
    tag = "hour-sheets",
    request_body = RateCreate,
    responses((status = 201, description = "The rate.", body = RateView))
)]
#[post("/rates")]
pub async fn rate_create(op: Operation, body: ValidJson<RateCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(Answer::created("/v1/rates", &RateView::from(cases::create(db, ctx, &body.0)?)))).await
}
