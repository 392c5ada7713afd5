//! What can be done with goals.

use lahete_domain::access::Action;
use lahete_domain::codes::{AuditAction, Code as _, EventKind};
use lahete_domain::goal::{Goal, GoalStep, Teller};
use lahete_domain::ids::{GoalId, Id as _, SupportPeriodId};
use lahete_domain::version::Version;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{GoalCreate, GoalStepMark, GoalUpdate};
use crate::error::AppError;
use crate::http::wire::{LongText, Patch};
use crate::operation::OpContext;
use crate::referrals::case::{self, OpenCase};
use crate::support_periods::cases::{OpenPeriod, open_period};

/// Writes a goal down.
///
/// # Errors
/// 404 and 403 by the policy, 409 when the support period has ended.
pub(crate) fn create(db: &mut Db<'_>, ctx: &OpContext, id: SupportPeriodId, body: &GoalCreate) -> Result<Goal, AppError> {
    let OpenPeriod { open, period } = open_period(db, ctx, Action::PlanWrite, id)?;
    period.expect_running()?;
    let goal = Goal {
        id: ctx.ids.next(),
        version: Version::FIRST,
        support_period: id,
        words: body.words.as_str().to_owned(),
        steps: body.steps.iter().cloned().map(GoalStep::from).collect(),
        outcome: None,
        recorded_at: ctx.now,
    };
    db.goal_insert(&goal)?;
    db.support_period_moved_on(id)?;
    case::note(db, ctx, &open, EventKind::GoalRecorded, None, None)?;
    Ok(goal)
}

/// A goal with the support period that it belongs to, opened for an action.
fn open_goal(db: &mut Db<'_>, ctx: &OpContext, action: Action, id: GoalId) -> Result<(OpenPeriod, Goal), AppError> {
    let found = db.goal_get(id)?;
    let open = open_period(db, ctx, action, found.as_ref().map_or_else(SupportPeriodId::nil, |goal| goal.support_period))?;
    Ok((open, found.ok_or(AppError::NotFound(GoalId::RESOURCE))?))
}

/// Reads a goal.
///
/// # Errors
/// 404 when there is none or the caller may not see it.
pub(crate) fn view(db: &mut Db<'_>, ctx: &OpContext, id: GoalId) -> Result<Goal, AppError> {
    let (OpenPeriod { open, .. }, goal) = open_goal(db, ctx, Action::SupportView, id)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    Ok(goal)
}

/// Lists the goals of a support period.
///
/// # Errors
/// 404 when there is no such support period or the caller may not see it.
pub(crate) fn list(db: &mut Db<'_>, ctx: &OpContext, id: SupportPeriodId, request: &PageRequest) -> Result<Page<Goal>, AppError> {
    let OpenPeriod { open, .. } = open_period(db, ctx, Action::SupportView, id)?;
    let page = db.goals_of(id, request)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    Ok(page)
}

/// Who says what became of a goal.
fn teller(ctx: &OpContext, open: &OpenCase) -> Result<Teller, AppError> {
    let role = open.role().ok_or_else(|| AppError::internal("a goal is changed in a role"))?;
    Ok(Teller { user: ctx.actor.user(), role, at: ctx.now })
}

fn store(db: &mut Db<'_>, ctx: &OpContext, open: &OpenCase, goal: Goal, reason: Option<&'static str>) -> Result<Goal, AppError> {
    let expected = goal.version;
    db.goal_update(&goal, expected)?;
    db.support_period_moved_on(goal.support_period)?;
    case::note(db, ctx, open, EventKind::GoalRecorded, reason, None)?;
    Ok(Goal { version: expected.next(), ..goal })
}

/// Changes a goal. Words and steps are the plan's; the outcome is also the client's to say, and what the client has said nobody says otherwise.
///
/// # Errors
/// 404 and 403 by the policy, 409 when the support period has ended or the client has said themself what became of it, 412 and 428 by the version.
pub(crate) fn update(db: &mut Db<'_>, ctx: &OpContext, id: GoalId, body: &GoalUpdate) -> Result<Goal, AppError> {
    let writes_plan = !body.words.is_absent() || body.steps.is_some();
    let action = if writes_plan { Action::PlanWrite } else { Action::GoalOutcome };
    let (OpenPeriod { open, period }, goal) = open_goal(db, ctx, action, id)?;
    if writes_plan && !body.outcome.is_absent() {
        case::open(db, ctx, Action::GoalOutcome, period.referral)?;
    }
    ctx.expect_version(goal.version)?;
    period.expect_running()?;
    let patch = body.clone();
    let (outcome, reason) = match &patch.outcome {
        Patch::Absent => (goal.outcome.map(|told| told.outcome), None),
        Patch::Null => (None, None),
        Patch::Value(code) => (Some(code.0), Some(code.0.as_str())),
    };
    let told = goal.tell(outcome, teller(ctx, &open)?)?;
    let changed = Goal {
        words: patch.words.map(LongText::into_string).apply(told.words),
        steps: patch.steps.map_or(told.steps, |steps| steps.into_iter().map(GoalStep::from).collect()),
        ..told
    };
    store(db, ctx, &open, changed, reason)
}

/// Marks one step as done, or as not done after all: by the client, too.
///
/// # Errors
/// 404 and 403 by the policy, 409 when the support period has ended, 412 and 428 by the version, 422 when there is no such step.
pub(crate) fn mark_step(db: &mut Db<'_>, ctx: &OpContext, id: GoalId, body: &GoalStepMark) -> Result<Goal, AppError> {
    let (OpenPeriod { open, period }, goal) = open_goal(db, ctx, Action::GoalOutcome, id)?;
    ctx.expect_version(goal.version)?;
    period.expect_running()?;
    let marked = goal.mark_step(usize::from(body.step), body.done)?;
    store(db, ctx, &open, marked, None)
}
