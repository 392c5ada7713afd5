//! What is done with assignments.

use lahete_domain::access::{self, Action, Decision, Subject};
use lahete_domain::actor::Grant;
use lahete_domain::assignment::{Assignment, AssignmentState, Candidate, PROPOSAL_DAYS, expect_eligible};
use lahete_domain::codes::{AssignmentEndReason, AuditAction, Code as _, DeclineReason, EventKind, Role};
use lahete_domain::ids::{AssignmentId, ClientId, Id, LinkWorkerId, ReferralId};
use lahete_domain::link_worker::{Absence, LinkWorker};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::programme_break::{after_days, days_of};
use lahete_domain::referral::state::ReferralState;
use lahete_domain::time::{Instant, Month};
use lahete_domain::version::Version;
use lahete_persistence::repo::assignments::{AssignmentCase, AssignmentFilter};
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{AssignmentQuery, EndAssignment, NewAssignment};
use crate::error::{AppError, Fault, RuleProblem};
use crate::operation::OpContext;
use crate::referrals::case::{self, OpenCase};

/// An assignment, and the role in which the caller sees it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The assignment with what may be known of its case.
    pub found: AssignmentCase,
    /// The role.
    pub role: Role,
    /// Without what tells about the client: the case lies behind the caller.
    pub veiled: bool,
}

/// An assignment as the access policy sees it. What was declined, has expired or ended is no longer the link worker's, nor is anything that the
/// client no longer shares.
fn subject(found: &AssignmentCase, now: Instant) -> Subject {
    let assignment = &found.assignment;
    let shared = found.shared_until.is_some_and(|until| now.helsinki_date() <= until);
    let user = Some(assignment.link_worker_user);
    let (proposed_to, link_worker) = match assignment.state {
        AssignmentState::Proposed if now < assignment.expires_at => (user, None),
        AssignmentState::Accepted { .. } => (None, user),
        AssignmentState::Proposed | AssignmentState::Declined { .. } | AssignmentState::Expired { .. } | AssignmentState::Ended { .. } => {
            (None, None)
        }
    };
    let past = access::is_past(found.referral_state, found.referral_state_since, now.helsinki_date());
    let standing = found.standing;
    Subject { proposed_to, link_worker, shared_with_link_worker: shared, past, standing, ..Subject::of_programme(assignment.programme) }
}

fn find(db: &mut Db<'_>, ctx: &OpContext, action: Action, id: AssignmentId) -> Result<(AssignmentCase, Grant), AppError> {
    let Some(found) = db.assignment_case(id)? else { return Err(ctx.absent(db, action)) };
    let grant = ctx.require(db, action, &subject(&found, ctx.now), Some(found.client), Some(found.assignment.referral))?;
    Ok((found, grant))
}

/// What is shown after a change, which was allowed by `role` and has left its own audit event.
fn changed(db: &mut Db<'_>, id: AssignmentId, role: Role) -> Result<Shown, AppError> {
    let found = db.assignment_case(id)?.ok_or(AppError::NotFound(AssignmentId::RESOURCE))?;
    Ok(Shown { found, role, veiled: false })
}

/// What else takes up a link worker's room.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reserve<'a> {
    /// Clients whom they were asked about in the same call.
    pub places: u32,
    /// When they are away. Whoever answers a proposal knows that themself, and is not asked.
    pub absences: &'a [Absence],
}

/// Whether a link worker may work with a client today.
///
/// # Errors
/// 409 with what stands against it.
pub(crate) fn expect_candidate(
    db: &mut Db<'_>,
    now: Instant,
    worker: &LinkWorker,
    client: ClientId,
    municipality: &MunicipalityCode,
    reserve: Reserve<'_>,
) -> Result<(), AppError> {
    let today = now.helsinki_date();
    let standing = db.link_worker_standings(&[worker.id], Month::of(today))?.remove(&worker.id).unwrap_or_default();
    let candidate = Candidate {
        link_worker: worker,
        contracts: &standing.contracts,
        trainings: &standing.trainings,
        open_clients: standing.open_clients.saturating_add(reserve.places),
        minutes_this_month: standing.minutes_in_month,
        conflict: db.link_worker_conflict(worker.id, client)?,
        absences: reserve.absences,
    };
    Ok(expect_eligible(candidate, municipality, today)?)
}

/// Proposes a link worker for a referral.
///
/// # Errors
/// 404, 403; 409 when the referral cannot be proposed, the link worker is not eligible, or another proposal is open; 422 for an unknown link worker.
pub fn propose(db: &mut Db<'_>, ctx: &OpContext, referral: ReferralId, new: &NewAssignment) -> Result<Shown, AppError> {
    let open = case::open(db, ctx, Action::AssignmentPropose, referral)?;
    let coordinator = ctx.user()?;
    open.case.referral.expect_proposable(&open.status)?;
    if db.assignment_open_of(referral)?.is_some() {
        return Err(RuleProblem::new("assignment_already_open", "Another link worker is proposed or assigned already.").into());
    }
    let programme = open.case.referral.programme;
    let worker = db
        .link_worker_get(LinkWorkerId::from_uuid(new.link_worker_id))?
        .filter(|worker| worker.programme == programme)
        .ok_or_else(|| AppError::fault(Fault::new("/link_worker_id", "not_found", "The programme has no such link worker.")))?;
    let absences = db.absences_from(&[worker.id], ctx.now.helsinki_date())?.remove(&worker.id).unwrap_or_default();
    let reserve = Reserve { places: 0, absences: &absences };
    expect_candidate(db, ctx.now, &worker, open.case.referral.client, &open.case.municipality, reserve)?;
    let breaks = days_of(&db.breaks_of(programme)?);
    let assignment = Assignment {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme,
        referral,
        link_worker: worker.id,
        link_worker_user: worker.user,
        proposed_by: coordinator,
        proposed_at: ctx.now,
        expires_at: after_days(ctx.now, PROPOSAL_DAYS, &breaks),
        message: new.message.as_ref().map(|text| text.as_str().to_owned()),
        state: AssignmentState::Proposed,
    };
    db.assignment_insert(&assignment)?;
    case::note(db, ctx, &open, EventKind::AssignmentProposed, None, None)?;
    changed(db, assignment.id, Role::Coordinator)
}

/// One assignment.
///
/// # Errors
/// 404 when there is none, or it is none of the caller's business.
pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: AssignmentId) -> Result<Shown, AppError> {
    let (found, grant) = find(db, ctx, Action::AssignmentView, id)?;
    ctx.audit(db, &grant, AuditAction::Read, Some(found.client), Some(found.assignment.referral));
    Ok(Shown { found, role: grant.role, veiled: false })
}

fn visible(ctx: &OpContext) -> AssignmentFilter {
    let visible = access::visibility(&ctx.actor, Action::AssignmentView);
    let own = visible.assigned_to.map(|(user, programmes)| (user, programmes, ctx.now));
    AssignmentFilter { programmes: visible.programmes, own, ..AssignmentFilter::default() }
}

/// Finds the role in which each assignment of a page is seen, and notes the reading: once for each client.
fn shown(db: &mut Db<'_>, ctx: &OpContext, page: Page<AssignmentCase>) -> Page<Shown> {
    let mut noted = std::collections::BTreeSet::new();
    let mut items = Vec::with_capacity(page.items.len());
    for found in page.items {
        let (client, referral) = (found.client, found.assignment.referral);
        let seen_as = subject(&found, ctx.now);
        // The condition of the list says the same as the policy; should they ever differ, the policy counts.
        let Decision::Allowed(grant) = access::decide(&ctx.actor, Action::AssignmentView, &seen_as) else { continue };
        let veiled = ctx.veils(grant.role, seen_as.past);
        if !veiled && noted.insert(client) {
            ctx.audit(db, &grant, AuditAction::Read, Some(client), Some(referral));
        }
        items.push(Shown { found, role: grant.role, veiled });
    }
    Page { items, next: page.next }
}

/// The assignments that the caller may see.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &AssignmentQuery, page: &PageRequest) -> Result<Page<Shown>, AppError> {
    let filter = AssignmentFilter {
        state: query.state.map(|state| state.0),
        link_worker: query.link_worker_id.map(LinkWorkerId::from_uuid),
        ..visible(ctx)
    };
    let found = db.assignment_list(&filter, page)?;
    Ok(shown(db, ctx, found))
}

/// The assignments of one referral, as far as the caller may see them.
///
/// # Errors
/// 404 when there is no such referral, or the caller may not know of it.
pub fn list_of(db: &mut Db<'_>, ctx: &OpContext, referral: ReferralId, page: &PageRequest) -> Result<Page<Shown>, AppError> {
    let open = case::open(db, ctx, Action::AssignmentView, referral)?;
    let filter = AssignmentFilter { referral: Some(referral), ..visible(ctx) };
    let found = db.assignment_list(&filter, page)?;
    if found.items.is_empty() {
        case::audit(db, ctx, &open, AuditAction::Read);
    }
    Ok(shown(db, ctx, found))
}

/// The link worker says yes. Everything that made them eligible is asked again: a week may have passed.
///
/// # Errors
/// 404, 403; 412 and 428 by the version; 409 when it cannot be accepted any more.
pub fn accept(db: &mut Db<'_>, ctx: &OpContext, id: AssignmentId) -> Result<Shown, AppError> {
    let (found, grant) = find(db, ctx, Action::AssignmentAnswer, id)?;
    let (assignment, role) = (found.assignment, grant.role);
    ctx.expect_version(assignment.version)?;
    let expected = assignment.version;
    let accepted = assignment.accept(ctx.now)?;
    let open = case::open_by(db, ctx, accepted.referral, Some(grant))?;
    let worker = db.link_worker_get(accepted.link_worker)?.ok_or_else(|| AppError::internal("the proposed link worker is missing"))?;
    expect_candidate(db, ctx.now, &worker, found.client, &open.case.municipality, Reserve::default())?;
    let next = open.case.referral.clone().assign(id, &open.status, ctx.now)?;
    db.assignment_update(&accepted, expected)?;
    case::commit(db, ctx, &open, next, None)?;
    changed(db, id, role)
}

/// The link worker says no.
///
/// # Errors
/// 404, 403; 412 and 428 by the version; 409 when it cannot be declined any more.
pub fn decline(db: &mut Db<'_>, ctx: &OpContext, id: AssignmentId, reason: DeclineReason) -> Result<Shown, AppError> {
    let (found, grant) = find(db, ctx, Action::AssignmentAnswer, id)?;
    let (assignment, role) = (found.assignment, grant.role);
    ctx.expect_version(assignment.version)?;
    let expected = assignment.version;
    let declined = assignment.decline(reason, ctx.now)?;
    let open = case::open_by(db, ctx, declined.referral, Some(grant))?;
    db.assignment_update(&declined, expected)?;
    case::note(db, ctx, &open, EventKind::AssignmentDeclined, Some(reason.as_str()), None)?;
    changed(db, id, role)
}

fn withdraw_proposal(
    db: &mut Db<'_>,
    ctx: &OpContext,
    open: &OpenCase,
    assignment: Assignment,
    comment: Option<String>,
) -> Result<(), AppError> {
    let expected = assignment.version;
    let reason = AssignmentEndReason::ProposalWithdrawn;
    let ended = assignment.end(reason, ctx.now)?;
    db.assignment_update(&ended, expected)?;
    case::note(db, ctx, open, EventKind::AssignmentEnded, Some(reason.as_str()), comment)
}

/// Ends an assignment, or takes a proposal back. Before the support has started, the referral goes back to the waiting list at its old place;
/// during support it waits for the next link worker.
///
/// # Errors
/// 404, 403; 412 and 428 by the version; 409 when it is over already.
pub fn end(db: &mut Db<'_>, ctx: &OpContext, id: AssignmentId, command: &EndAssignment) -> Result<Shown, AppError> {
    let (found, grant) = find(db, ctx, Action::AssignmentEnd, id)?;
    let (assignment, role) = (found.assignment, grant.role);
    ctx.expect_version(assignment.version)?;
    let comment = command.comment.as_ref().map(|text| text.as_str().to_owned());
    let open = case::open_by(db, ctx, assignment.referral, Some(grant))?;
    if assignment.state == AssignmentState::Proposed {
        withdraw_proposal(db, ctx, &open, assignment, comment)?;
    } else {
        // The state of the assignment itself is asked first, so that the answer names it and not the referral's.
        assignment.end(command.reason.0, ctx.now)?;
        let referral = open.case.referral.clone();
        let next = match referral.state {
            ReferralState::InSupport { .. } => referral.release_link_worker(command.reason.0)?,
            _ => referral.unassign(command.reason.0, ctx.now)?,
        };
        case::commit(db, ctx, &open, next, comment)?;
    }
    changed(db, id, role)
}
