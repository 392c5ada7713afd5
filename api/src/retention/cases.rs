//! Reading and giving retention policies, reading what runs have done.

use lahete_domain::access::{Action, Subject};
use lahete_domain::codes::{AuditAction, Code as _, RecordClass};
use lahete_domain::ids::{Id as _, ProgrammeId, RetentionPolicyId, RetentionRunId};
use lahete_domain::retention::{Policy, has_policy, policies_on};
use lahete_persistence::repo::retention::RetentionRun;
use lahete_persistence::{Constraint, Db, Page, PageRequest, StoreError};

use super::wire::{RetentionPolicyCreate, RetentionPolicyQuery, RetentionPolicyView};
use crate::error::{AppError, Fault, RuleProblem};
use crate::operation::OpContext;
use crate::programmes::reachable;

/// The policies of the caller's programmes: those in force on a day, and those that begin later.
///
/// # Errors
/// When the database fails.
pub fn policies(db: &mut Db<'_>, ctx: &OpContext, query: &RetentionPolicyQuery) -> Result<Vec<RetentionPolicyView>, AppError> {
    let programmes = reachable(ctx, Action::RetentionView, query.programme_id.map(ProgrammeId::from_uuid));
    let day = query.on.unwrap_or_else(|| ctx.now.helsinki_date());
    let given = db.retention_policies_of(&programmes)?;
    let mut all: Vec<Policy> = Vec::new();
    for programme in programmes {
        for policy in policies_on(programme, &given, day) {
            let class = policy.class;
            all.push(policy);
            all.extend(
                given.iter().filter(|later| later.programme == programme && later.class == class && later.valid_from > day).cloned(),
            );
        }
    }
    let wanted = query.record_class.map(|code| code.0);
    Ok(all.iter().filter(|policy| wanted.is_none_or(|class| class == policy.class)).map(RetentionPolicyView::from).collect())
}

/// Gives a policy.
///
/// # Errors
/// 404 for a programme that is not the caller's, 409 when one begins on that day already, 422 for a class without policies or a day that has gone by.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, body: &RetentionPolicyCreate) -> Result<RetentionPolicyView, AppError> {
    let programme = ProgrammeId::from_uuid(body.programme_id);
    let grant = ctx.require(db, Action::RetentionManage, &Subject::of_programme(programme), None, None)?;
    let class = body.record_class.0;
    if !has_policy(class) {
        let with: Vec<&str> = RecordClass::ALL.iter().filter(|class| has_policy(**class)).map(|class| class.as_str()).collect();
        let fault = Fault::new("/record_class", "no_policy", "How long these are kept is not the controller's to say.");
        return Err(AppError::fault(fault.with("classes", with)));
    }
    if body.valid_from < ctx.now.helsinki_date() {
        return Err(AppError::fault(Fault::new("/valid_from", "out_of_range", "A policy begins today or later.")));
    }
    let by = ctx.user()?;
    let id: RetentionPolicyId = ctx.ids.next();
    let policy = Policy {
        id: Some(id),
        programme,
        class,
        valid_from: body.valid_from,
        keep_months: body.keep_months,
        statutory: body.statutory,
        legal_basis: body.legal_basis.as_str().to_owned(),
        given: Some((ctx.now, by)),
    };
    let taken = |policy: &Policy| policy.class == class && policy.valid_from == body.valid_from;
    if db.retention_policies_of(&[programme])?.iter().any(taken) {
        return Err(day_taken().into());
    }
    db.retention_policy_insert(id, &policy, ctx.now, by).map_err(|error| match error {
        StoreError::Constraint(Constraint::RetentionPolicyDayTaken) => day_taken().into(),
        other => AppError::from(other),
    })?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(RetentionPolicyView::from(&policy))
}

fn day_taken() -> RuleProblem {
    RuleProblem::new("retention_policy_day_taken", "Another policy of the class begins on this day already.")
}

/// What runs have done in the caller's programmes, the newest first.
///
/// # Errors
/// When the database fails.
pub fn runs(db: &mut Db<'_>, ctx: &OpContext, page: &PageRequest) -> Result<Page<RetentionRun>, AppError> {
    Ok(db.retention_run_list(&reachable(ctx, Action::RetentionView, None), page)?)
}

/// One run.
///
/// # Errors
/// 404 when there is none or the caller may not see it.
pub fn run(db: &mut Db<'_>, ctx: &OpContext, id: RetentionRunId) -> Result<RetentionRun, AppError> {
    let run = db.retention_run_get(id)?.ok_or(AppError::NotFound(RetentionRunId::RESOURCE))?;
    ctx.require(db, Action::RetentionView, &Subject::of_programme(run.programme), None, None)?;
    Ok(run)
}
