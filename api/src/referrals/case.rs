//! One case, opened under the access policy, and written back after a transition with everything that follows from it.

use lahete_domain::access::{self, Action, Decision};
use lahete_domain::actor::{Caller, Grant};
use lahete_domain::codes::{
    AbsentParty, AssignmentEndReason, AuditAction, Channel, ConsentPurpose, EventKind, Milestone, ReferralStateCode, Role,
};
use lahete_domain::consent::{Consent, ConsentStatus, shared_until};
use lahete_domain::event::Event;
use lahete_domain::ids::{
    ActivityLinkId, AssignmentId, ConcernId, FeedbackId, GoalId, Id, MilestoneId, ReferralId, SupportPeriodId, TimeEntryId, VisitId,
};
use lahete_domain::milestone::MilestoneMessage;
use lahete_domain::referral::Changed;
use lahete_domain::referral::state::ClosedBy;
use lahete_persistence::Db;
use lahete_persistence::repo::referrals::Case;

use crate::error::AppError;
use crate::operation::OpContext;

/// A case that the caller may work on, with the role that allows it.
#[derive(Clone, Debug)]
pub struct OpenCase {
    /// The referral and its relations.
    pub case: Case,
    /// The caller's role that allows the access; none for the program itself and for anonymous senders.
    pub grant: Option<Grant>,
    /// All consents.
    pub consents: Vec<Consent>,
    /// What they open today.
    pub status: ConsentStatus,
}

impl OpenCase {
    /// The role that allows the access.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.grant.as_ref().map(|grant| grant.role)
    }

    /// Whether the caller acts in a role.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.role() == Some(role)
    }

    /// Who closes the referral, when the caller does.
    ///
    /// # Errors
    /// When nobody is signed in: a referral is closed by somebody.
    pub fn closed_by(&self, ctx: &OpContext) -> Result<ClosedBy, AppError> {
        let role = self.role().ok_or_else(|| AppError::internal("a referral was to be closed without a role"))?;
        Ok(ClosedBy { user: ctx.actor.user(), role })
    }
}

/// Opens a case for an action.
///
/// # Errors
/// 404 when there is none or the caller may not know of it, 403 when they may see it but not do this, or when the case lies behind them and they have
/// not said why they need it.
pub fn open(db: &mut Db<'_>, ctx: &OpContext, action: Action, id: ReferralId) -> Result<OpenCase, AppError> {
    let Some(case) = db.referral_case(id)? else { return Err(ctx.absent(db, action)) };
    let subject = case.subject(ctx.now.helsinki_date());
    let grant = ctx.require(db, action, &subject, Some(case.referral.client), Some(id))?;
    with_consents(db, ctx, case, Some(grant))
}

/// Holds a repeated call against the rights of today: the stored answer tells about the case, and is not for somebody who may no longer know of it.
/// `parameter` and `id` are what its path names.
///
/// # Errors
/// 404 when the case is not the caller's any more.
pub fn expect_still_seen(db: &mut Db<'_>, ctx: &OpContext, parameter: &str, id: uuid::Uuid) -> Result<(), AppError> {
    if parameter == "concern_id" {
        return crate::concerns::expect_still_seen(db, ctx, ConcernId::from_uuid(id));
    }
    let referral = match parameter {
        "referral_id" => Some(ReferralId::from_uuid(id)),
        "support_period_id" => db.support_period_get(SupportPeriodId::from_uuid(id))?.map(|period| period.referral),
        "visit_id" => db.visit_get(VisitId::from_uuid(id))?.map(|visit| visit.referral),
        "activity_link_id" => db.activity_link_get(ActivityLinkId::from_uuid(id))?.map(|found| found.link.referral),
        "time_entry_id" => db.time_entry_get(TimeEntryId::from_uuid(id))?.map(|entry| entry.referral),
        "goal_id" => match db.goal_get(GoalId::from_uuid(id))? {
            Some(goal) => db.support_period_get(goal.support_period)?.map(|period| period.referral),
            None => None,
        },
        "feedback_id" => db.feedback_get(FeedbackId::from_uuid(id))?.map(|feedback| feedback.referral),
        "milestone_id" => db.milestone_referral(MilestoneId::from_uuid(id))?,
        // The answer to a proposal and the end of an assignment take the case away from whoever gives them, who may still hear that it was done.
        _ => None,
    };
    let Some(referral) = referral else { return Ok(()) };
    let Some(case) = db.referral_case(referral)? else { return Ok(()) };
    let subject = case.subject(ctx.now.helsinki_date());
    // An administrator does one thing with a case, without seeing it.
    if matches!(access::decide(&ctx.actor, Action::ReferralMarkAsError, &subject), Decision::Allowed(_)) {
        return Ok(());
    }
    ctx.require(db, Action::ReferralView, &subject, Some(case.referral.client), Some(referral)).map(drop)
}

/// Opens a case for somebody whose right was already asked of something else: the proposal of an assignment, an anonymous sender, the clock.
///
/// # Errors
/// 404 when there is none.
pub fn open_by(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, grant: Option<Grant>) -> Result<OpenCase, AppError> {
    let case = db.referral_case(id)?.ok_or(AppError::NotFound(ReferralId::RESOURCE))?;
    with_consents(db, ctx, case, grant)
}

fn with_consents(db: &mut Db<'_>, ctx: &OpContext, case: Case, grant: Option<Grant>) -> Result<OpenCase, AppError> {
    let consents = db.consents_of(case.referral.id)?;
    let status = ConsentStatus::of(&consents, ctx.now.helsinki_date());
    Ok(OpenCase { case, grant, consents, status })
}

/// Notes in the audit trail that the caller has read or changed data of the client of a case.
pub fn audit(db: &mut Db<'_>, ctx: &OpContext, open: &OpenCase, action: AuditAction) {
    let referral = &open.case.referral;
    ctx.audit_as(db, open.grant.as_ref(), action, Some(referral.programme), Some(referral.client), Some(referral.id));
}

/// Adds a line to the timeline and nothing to the audit trail: for what happens together with something that is noted there.
///
/// # Errors
/// When the database fails.
pub fn line(db: &mut Db<'_>, ctx: &OpContext, open: &OpenCase, kind: EventKind) -> Result<(), AppError> {
    line_with(db, ctx, open, kind, None)
}

/// As [`line`], with a coded reason.
///
/// # Errors
/// When the database fails.
pub fn line_with(db: &mut Db<'_>, ctx: &OpContext, open: &OpenCase, kind: EventKind, reason: Option<&'static str>) -> Result<(), AppError> {
    event(db, ctx, open, kind, None, reason, None)
}

fn event(
    db: &mut Db<'_>,
    ctx: &OpContext,
    open: &OpenCase,
    kind: EventKind,
    to: Option<ReferralStateCode>,
    reason: Option<&'static str>,
    comment: Option<String>,
) -> Result<(), AppError> {
    let referral = &open.case.referral;
    let event = Event {
        id: ctx.ids.next(),
        referral: referral.id,
        programme: referral.programme,
        kind,
        at: ctx.now,
        caller: ctx.actor.caller,
        role: open.role().filter(|_| !matches!(ctx.actor.caller, Caller::Anonymous | Caller::Clock)),
        from: to.map(|_| referral.state.code()),
        to,
        reason,
        comment,
    };
    db.event_insert(&event)?;
    if let Some(milestone) = Milestone::of(kind) {
        tell_referrer(db, open, &event, milestone)?;
    }
    Ok(())
}

/// Puts a milestone among the messages of a signed-in referrer who wants to hear back. Whether it is told is asked of the client's consents, as they
/// stand after what is happening now, and again at each access.
fn tell_referrer(db: &mut Db<'_>, open: &OpenCase, event: &Event, milestone: Milestone) -> Result<(), AppError> {
    let referral = &open.case.referral;
    let writer = &referral.referrer;
    let Some(referrer) = writer.user.filter(|_| writer.channel == Channel::SignedIn && writer.feedback_wanted) else { return Ok(()) };
    let told_until = shared_until(&db.consents_of(referral.id)?, ConsentPurpose::FeedbackToReferrer);
    db.milestone_insert(&MilestoneMessage {
        id: MilestoneId::from_uuid(event.id.as_uuid()),
        programme: referral.programme,
        referral: referral.id,
        client: referral.client,
        referrer,
        milestone,
        at: event.at,
        told_until,
        acknowledged_at: None,
    })?;
    Ok(())
}

/// Adds a line to the timeline that changes no state, and notes the change in the audit trail.
///
/// # Errors
/// When the database fails.
pub fn note(
    db: &mut Db<'_>,
    ctx: &OpContext,
    open: &OpenCase,
    kind: EventKind,
    reason: Option<&'static str>,
    comment: Option<String>,
) -> Result<(), AppError> {
    event(db, ctx, open, kind, None, reason, comment)?;
    audit(db, ctx, open, AuditAction::Changed);
    Ok(())
}

/// As [`note`], with another word for the audit trail: something was created.
///
/// # Errors
/// When the database fails.
pub fn note_as(db: &mut Db<'_>, ctx: &OpContext, open: &OpenCase, kind: EventKind, action: AuditAction) -> Result<(), AppError> {
    let state = open.case.referral.state.code();
    event(db, ctx, open, kind, Some(state).filter(|_| kind == EventKind::Created), None, None)?;
    audit(db, ctx, open, action);
    Ok(())
}

/// Adds the line of a transition to the timeline, and notes the change in the audit trail.
///
/// # Errors
/// When the database fails.
pub fn note_transition(
    db: &mut Db<'_>,
    ctx: &OpContext,
    open: &OpenCase,
    kind: EventKind,
    to: ReferralStateCode,
    reason: Option<&'static str>,
    comment: Option<String>,
) -> Result<(), AppError> {
    event(db, ctx, open, kind, Some(to), reason, comment)?;
    audit(db, ctx, open, AuditAction::Changed);
    Ok(())
}

/// Whether the referral was sent and has not ended.
///
/// # Errors
/// 409 when it has.
pub fn expect_open(open: &OpenCase) -> Result<(), AppError> {
    Ok(open.case.referral.expect_open()?)
}

/// Ends an assignment, or takes a proposal back; one that is over stays as it was.
///
/// # Errors
/// When the database fails.
pub fn end_assignment(db: &mut Db<'_>, ctx: &OpContext, id: AssignmentId, reason: AssignmentEndReason) -> Result<(), AppError> {
    let Some(assignment) = db.assignment_get(id)? else { return Ok(()) };
    if assignment.is_open() {
        let expected = assignment.version;
        let ended = assignment.end(reason, ctx.now)?;
        db.assignment_update(&ended, expected)?;
    }
    Ok(())
}

/// Writes a transition: the referral under its version, the assignment and the support period that end with it, a proposal that has lost its sense,
/// the line of the timeline, the audit event. Gives back the referral as it is stored now.
///
/// # Errors
/// 412 when somebody was faster; otherwise when the database fails.
pub fn commit(db: &mut Db<'_>, ctx: &OpContext, open: &OpenCase, changed: Changed, comment: Option<String>) -> Result<Case, AppError> {
    let before = &open.case.referral;
    let mut after = Case { referral: changed.referral, ..open.case.clone() };
    if let Some((assignment, reason)) = changed.ended_assignment {
        end_assignment(db, ctx, assignment, reason)?;
        after.link_worker_user = None;
    }
    if let Some(id) = changed.ended_support
        && let Some(period) = db.support_period_get(id)?
        && period.expect_running().is_ok()
    {
        let expected = period.version;
        db.support_period_update(&period.cut_short(ctx.now.helsinki_date()), expected)?;
        // Nobody comes to a visit of a period that is over, and nobody could call it off any more.
        let by = if open.is(Role::Client) { AbsentParty::Client } else { AbsentParty::Logistics };
        for visit in db.visits_planned_of(id)? {
            let expected = visit.version;
            db.visit_update(&visit.cancel(by, None)?, expected)?;
        }
    }
    let newly_assigned = after.referral.state.assignment().filter(|id| before.state.assignment() != Some(*id));
    if let Some(id) = newly_assigned {
        let assignment = db.assignment_get(id)?.ok_or_else(|| AppError::internal("the accepted assignment is missing"))?;
        after.link_worker_user = Some(assignment.link_worker_user);
    }
    let state = after.referral.state.code();
    let nobody_wanted = matches!(
        state,
        ReferralStateCode::Deferred | ReferralStateCode::DirectlyGuided | ReferralStateCode::Closed | ReferralStateCode::EnteredInError
    );
    if nobody_wanted && let Some(proposal) = db.assignment_open_of(before.id)? {
        end_assignment(db, ctx, proposal.id, AssignmentEndReason::ProposalWithdrawn)?;
    }
    db.referral_update(&after, before.version)?;
    note_transition(db, ctx, open, changed.event, state, changed.reason, comment)?;
    after.referral.version = before.version.next();
    Ok(after)
}

/// Writes what a new, verified or withdrawn consent opens from now on. The referral's version moves on with it.
///
/// # Errors
/// 412 when somebody was faster; otherwise when the database fails.
pub fn store_sharing(db: &mut Db<'_>, open: &OpenCase) -> Result<Case, AppError> {
    let consents = db.consents_of(open.case.referral.id)?;
    let before = &open.case.referral;
    let mut after = open.case.clone();
    after.shared_until = shared_until(&consents, ConsentPurpose::ShareWithLinkWorker);
    db.milestones_tell_until(before.id, shared_until(&consents, ConsentPurpose::FeedbackToReferrer))?;
    db.referral_update(&after, before.version)?;
    if before.submission.is_some() {
        db.referral_snapshot_evaluation(before.id, shared_until(&consents, ConsentPurpose::Evaluation))?;
    }
    after.referral.version = before.version.next();
    Ok(after)
}
