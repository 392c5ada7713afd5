//! Paths of goals.

use actix_web::{get, patch, post};
use lahete_domain::goal::Goal;
use lahete_domain::ids::{GoalId, SupportPeriodId};

use super::cases;
use super::wire::{GoalCreate, GoalStepMark, GoalUpdate, GoalView};
use crate::http::answer::Answer;
use crate::http::extract::{ListView, MergePatch, Paging, PathId, ValidJson};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(goal_create).service(goal_list).service(goal_view).service(goal_update).service(goal_mark_step);
}

fn shown(goal: Goal) -> Answer {
    Answer::ok(&GoalView::from(&goal)).version(goal.version)
}

/// Write down a goal.
///
/// In the client's words, with the steps towards it.
#[utoipa::path(
    tag = "support-periods",
    params(("support_period_id" = Uuid, Path, description = "The support period.")),
    request_body = GoalCreate,
    responses((status = 201, description = "The goal.", body = GoalView))
)]
#[post("/support-periods/{support_period_id}/goals")]
pub async fn goal_create(op: Operation, path: PathId<SupportPeriodId>, body: ValidJson<GoalCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let goal = cases::create(db, ctx, path.0, &body.0)?;
        Ok(Answer::created(format!("/v1/goals/{}", goal.id), &GoalView::from(&goal)).version(goal.version))
    })
    .await
}

/// List the goals of a support period.
///
/// In the order in which they were written down.
#[utoipa::path(
    tag = "support-periods",
    params(("support_period_id" = Uuid, Path, description = "The support period."), Paging),
    responses((status = 200, description = "A page of goals.", body = ListView<GoalView>))
)]
#[get("/support-periods/{support_period_id}/goals")]
pub async fn goal_list(op: Operation, path: PathId<SupportPeriodId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, path.0, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, GoalView>(page)))
    })
    .await
}

/// Read one goal.
#[utoipa::path(
    tag = "support-periods",
    params(("goal_id" = Uuid, Path, description = "The goal.")),
    responses((status = 200, description = "The goal.", body = GoalView))
)]
#[get("/goals/{goal_id}")]
pub async fn goal_view(op: Operation, path: PathId<GoalId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| cases::view(db, ctx, path.0).map(shown)).await
}

/// Change a goal, or say what became of it.
///
/// Coordinator and link worker write words and steps. What became of the goal is the client's word: the client says it here themself, or the others
/// write it down as the client said it, and `outcome_by` tells which of the two it is. What the client has said themself is the client's to change.
#[utoipa::path(
    tag = "support-periods",
    params(("goal_id" = Uuid, Path, description = "The goal.")),
    request_body = GoalUpdate,
    responses((status = 200, description = "The goal after the change.", body = GoalView))
)]
#[patch("/goals/{goal_id}")]
pub async fn goal_update(op: Operation, path: PathId<GoalId>, body: MergePatch<GoalUpdate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| cases::update(db, ctx, path.0, &body.0).map(shown)).await
}

/// Mark a step of a goal as done.
///
/// Or as not done after all. The client can do so themself, as coordinator and link worker can.
#[utoipa::path(
    tag = "support-periods",
    params(("goal_id" = Uuid, Path, description = "The goal.")),
    request_body = GoalStepMark,
    responses((status = 200, description = "The goal after the change.", body = GoalView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/goals/{goal_id}/mark-step")]
pub async fn goal_mark_step(op: Operation, path: PathId<GoalId>, body: ValidJson<GoalStepMark>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| cases::mark_step(db, ctx, path.0, &body.0).map(shown)).await
}
