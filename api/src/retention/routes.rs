//! Paths of retention.

use actix_web::{get, post};
use lahete_domain::ids::RetentionRunId;

use super::cases;
use super::wire::{RetentionPoliciesView, RetentionPolicyCreate, RetentionPolicyQuery, RetentionPolicyView, RetentionRunView};
use crate::http::answer::Answer;
use crate::http::extract::{ListView, Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(retention_policy_list).service(retention_policy_create).service(retention_run_list).service(retention_run_view);
}

/// List retention policies.
///
/// For the privacy officer and the administrator: how long records of each class are kept, from when that is counted, and how they go. Where the
/// controller has given no policy, the default is shown.
#[utoipa::path(
    tag = "data-requests",
    params(RetentionPolicyQuery),
    responses((status = 200, description = "The policies.", body = RetentionPoliciesView))
)]
#[get("/retention-policies")]
pub async fn retention_policy_list(op: Operation, query: ValidQuery<RetentionPolicyQuery>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(Answer::ok(&RetentionPoliciesView { items: cases::policies(db, ctx, &query.0)? }))).await
}

/// Give a retention policy.
///
/// From a day on, until the next one of the class begins.
#[utoipa::path(
    tag = "data-requests",
    request_body = RetentionPolicyCreate,
    responses((status = 201, description = "The policy.", body = RetentionPolicyView))
)]
#[post("/retention-policies")]
pub async fn retention_policy_create(op: Operation, body: ValidJson<RetentionPolicyCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::create(db, ctx, &body.0)?;
        Ok(Answer::created("/v1/retention-policies", &view))
    })
    .await
}

/// List runs of the retention.
///
/// For the privacy officer and the administrator, the newest first, dry runs too.
#[utoipa::path(
    tag = "data-requests",
    params(Paging),
    responses((status = 200, description = "A page of runs.", body = ListView<RetentionRunView>))
)]
#[get("/retention-runs")]
pub async fn retention_run_list(op: Operation, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::runs(db, ctx, &paging.request())?.try_map(|run| RetentionRunView::of(&run))?;
        Ok(Answer::list(&paging.view::<_, RetentionRunView>(page)))
    })
    .await
}

/// Read one run of the retention.
///
/// With how many rows of each class went, were held and are kept.
#[utoipa::path(
    tag = "data-requests",
    params(("retention_run_id" = Uuid, Path, description = "The run.")),
    responses((status = 200, description = "The run.", body = RetentionRunView))
)]
#[get("/retention-runs/{retention_run_id}")]
pub async fn retention_run_view(op: Operation, id: PathId<RetentionRunId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(Answer::ok(&RetentionRunView::of(&cases::run(db, ctx, id.0)?)?))).await
}
