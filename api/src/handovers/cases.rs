//! Handing over: what can move moves, what cannot is named, all in one transaction.

use lahete_domain::access::{Action, Subject};
use lahete_domain::actor::{Caller, Grant};
use lahete_domain::assignment::AssignmentState;
use lahete_domain::codes::{AssignmentEndReason, AuditAction, ClientStanding, Code as _, EventKind, Role};
use lahete_domain::handover::{HANDOVER_MAX, released, to_coordinator};
use lahete_domain::ids::{AssignmentId, Id as _, LinkWorkerId, ProgrammeId, ReferralId, UserId};
use lahete_domain::link_worker::LinkWorker;
use lahete_domain::referral::state::ReferralState;
use lahete_persistence::Db;

use super::wire::{HandoverCreate, HandoverPiece, HandoverView, Moved, NotMoved};
use crate::assignments::cases::{Reserve, expect_candidate, propose};
use crate::assignments::wire::NewAssignment;
use crate::error::{AppError, Fault, RuleProblem};
use crate::operation::OpContext;
use crate::referrals::case::{self, OpenCase};

/// Whose cases, and who takes them.
enum Sides {
    Coordinators(UserId, UserId),
    LinkWorkers(LinkWorkerId, LinkWorkerId),
}

fn sides(body: &HandoverCreate) -> Result<Sides, AppError> {
    let fault = |pointer: &str, text: &str| AppError::fault(Fault::new(pointer, "contradiction", text));
    match (body.from_user_id, body.to_user_id, body.from_link_worker_id, body.to_link_worker_id) {
        (Some(from), Some(to), None, None) if from == to => Err(fault("/to_user_id", "Both are the same person.")),
        (None, None, Some(from), Some(to)) if from == to => Err(fault("/to_link_worker_id", "Both are the same person.")),
        (Some(from), Some(to), None, None) => Ok(Sides::Coordinators(UserId::from_uuid(from), UserId::from_uuid(to))),
        (None, None, Some(from), Some(to)) => Ok(Sides::LinkWorkers(LinkWorkerId::from_uuid(from), LinkWorkerId::from_uuid(to))),
        _ => Err(fault("", "Name either two coordinators or two link workers: whose cases pass on, and who takes them.")),
    }
}

/// One handover under way.
struct Work<'a> {
    ctx: &'a OpContext,
    grant: Grant,
    body: &'a HandoverCreate,
    view: HandoverView,
}

impl Work<'_> {
    fn reason(&self) -> Option<String> {
        Some(self.body.reason.as_str().to_owned())
    }

    fn open(&self, db: &mut Db<'_>, id: ReferralId) -> Result<OpenCase, AppError> {
        let open = case::open_by(db, self.ctx, id, Some(self.grant.clone()))?;
        case::audit(db, self.ctx, &open, AuditAction::Read);
        Ok(open)
    }

    fn stays(&mut self, open: &OpenCase, piece: HandoverPiece, why: RuleProblem) {
        self.view.not_moved.push(NotMoved {
            piece,
            referral_id: open.case.referral.id.as_uuid(),
            client_id: open.case.referral.client.as_uuid(),
            state: open.case.referral.state.code().into(),
            code: why.code.to_owned(),
            detail: why.detail,
        });
    }

    fn moves(&mut self, db: &mut Db<'_>, open: &OpenCase, piece: HandoverPiece, assignment: Option<AssignmentId>) -> Result<(), AppError> {
        let id = open.case.referral.id;
        let now = if self.body.validate_only { None } else { db.referral_standings(&[id])?.remove(&id).map(|(state, _)| state) };
        self.view.moved.push(Moved {
            piece,
            referral_id: id.as_uuid(),
            client_id: open.case.referral.client.as_uuid(),
            state: now.unwrap_or(open.case.referral.state.code()).into(),
            assignment_id: assignment.map(|id| id.as_uuid()),
        });
        Ok(())
    }

    fn coordinators(&mut self, db: &mut Db<'_>, from: UserId, to: UserId) -> Result<(), AppError> {
        let programme = self.grant.programme;
        let limit = i64::from(HANDOVER_MAX);
        let mut found = db.referrals_coordinated(programme, from, limit + 1)?;
        self.view.more = found.len() > usize::from(HANDOVER_MAX);
        found.truncate(usize::from(HANDOVER_MAX));
        for id in found {
            let open = self.open(db, id)?;
            if open.case.standing != ClientStanding::Open {
                self.stays(&open, HandoverPiece::Referral, restricted());
                continue;
            }
            let changed = to_coordinator(open.case.referral.clone(), to)?;
            if !self.body.validate_only {
                let event = changed.event;
                let after = lahete_persistence::repo::referrals::Case { referral: changed.referral, ..open.case.clone() };
                db.referral_update(&after, open.case.referral.version)?;
                case::note(db, self.ctx, &open, event, None, self.reason())?;
            }
            self.moves(db, &open, HandoverPiece::Referral, None)?;
        }
        for (id, referral) in db.proposals_made(programme, from)? {
            let open = self.open(db, referral)?;
            if !self.body.validate_only {
                db.assignment_set_proposer(id, to)?;
                case::audit(db, self.ctx, &open, AuditAction::Changed);
            }
            self.moves(db, &open, HandoverPiece::Proposal, Some(id))?;
        }
        Ok(())
    }

    fn link_workers(&mut self, db: &mut Db<'_>, from: &LinkWorker, to: &LinkWorker) -> Result<(), AppError> {
        let mut found = db.assignments_of_worker(from.id, i64::from(HANDOVER_MAX) + 1)?;
        self.view.more = found.len() > usize::from(HANDOVER_MAX);
        found.truncate(usize::from(HANDOVER_MAX));
        // Each proposal of this call takes up a place of the new link worker, though they have not accepted yet.
        let mut reserved = 0;
        for (id, referral) in found {
            let open = self.open(db, referral)?;
            let Some(assignment) = db.assignment_get(id)? else { continue };
            let accepted = matches!(assignment.state, AssignmentState::Accepted { .. });
            let piece = match (&open.case.referral.state, accepted) {
                (_, false) => HandoverPiece::Proposal,
                (ReferralState::InSupport { .. }, true) => HandoverPiece::SupportPeriod,
                (_, true) => HandoverPiece::Assignment,
            };
            if !accepted && self.ctx.now >= assignment.expires_at {
                self.stays(&open, piece, RuleProblem::new("proposal_expired", "The proposal has expired."));
                continue;
            }
            match self.expect_movable(db, &open, to, accepted, reserved) {
                Err(AppError::Rule(why)) => {
                    self.stays(&open, piece, why);
                    continue;
                }
                other => other?,
            }
            reserved += 1;
            let new = if self.body.validate_only { None } else { Some(self.pass_on(db, &open, id, to, accepted)?) };
            self.moves(db, &open, piece, new)?;
        }
        Ok(())
    }

    /// Whether the new link worker can be proposed for a case: by the same rules as for any other.
    fn expect_movable(&self, db: &mut Db<'_>, open: &OpenCase, to: &LinkWorker, accepted: bool, reserved: u32) -> Result<(), AppError> {
        if open.case.standing != ClientStanding::Open {
            return Err(restricted().into());
        }
        let referral = open.case.referral.clone();
        let free = if accepted { released(referral, self.ctx.now)?.referral } else { referral };
        free.expect_proposable(&open.status)?;
        let absences = db.absences_from(&[to.id], self.ctx.now.helsinki_date())?.remove(&to.id).unwrap_or_default();
        let reserve = Reserve { places: reserved, absences: &absences };
        expect_candidate(db, self.ctx.now, to, open.case.referral.client, &open.case.municipality, reserve)
    }

    /// The former link worker lets the case go, and the new one is proposed.
    fn pass_on(
        &self,
        db: &mut Db<'_>,
        open: &OpenCase,
        assignment: AssignmentId,
        to: &LinkWorker,
        accepted: bool,
    ) -> Result<AssignmentId, AppError> {
        let referral = &open.case.referral;
        if accepted {
            let support = referral.state.support_period();
            let changed = released(referral.clone(), self.ctx.now)?;
            case::commit(db, self.ctx, open, changed, self.reason())?;
            if let Some(period) = support {
                db.support_period_moved_on(period)?;
            }
        } else {
            let reason = AssignmentEndReason::ProposalWithdrawn;
            case::end_assignment(db, self.ctx, assignment, reason)?;
            case::note(db, self.ctx, open, EventKind::AssignmentEnded, Some(reason.as_str()), self.reason())?;
        }
        let new = NewAssignment { link_worker_id: to.id.as_uuid(), message: self.body.message.clone() };
        Ok(propose(db, self.ctx, referral.id, &new)?.found.assignment.id)
    }
}

fn restricted() -> RuleProblem {
    RuleProblem::new("restricted", "The client's data are restricted: nothing is done with them.")
}

/// Whether somebody has anything to do with a programme.
fn is_known(db: &mut Db<'_>, ctx: &OpContext, user: UserId, programme: ProgrammeId) -> Result<bool, AppError> {
    let at_home = db.user_get(user)?.is_some_and(|user| user.programme == programme);
    let actor = db.actor(Caller::User(user), ctx.now.helsinki_date())?;
    Ok(at_home || actor.grants.iter().any(|grant| grant.programme == programme))
}

/// Hands over all open cases of somebody.
///
/// # Errors
/// 404 and 403 by the policy, 409 when the new coordinator is none, 422 for people who are not there.
pub(crate) fn make(db: &mut Db<'_>, ctx: &OpContext, body: &HandoverCreate) -> Result<HandoverView, AppError> {
    let programme = ProgrammeId::from_uuid(body.programme_id);
    let grant = ctx.require(db, Action::HandoverMake, &Subject::of_programme(programme), None, None)?;
    let sides = sides(body)?;
    let view = HandoverView { validate_only: body.validate_only, moved: Vec::new(), not_moved: Vec::new(), more: false };
    let mut work = Work { ctx, grant, body, view };
    let missing = |pointer: &str| AppError::fault(Fault::new(pointer, "not_found", "The programme has nobody of this id."));
    match sides {
        Sides::Coordinators(from, to) => {
            if !is_known(db, ctx, from, programme)? {
                return Err(missing("/from_user_id"));
            }
            if !is_known(db, ctx, to, programme)? {
                return Err(missing("/to_user_id"));
            }
            if !db.actor(Caller::User(to), ctx.now.helsinki_date())?.has(Role::Coordinator, programme) {
                let text = "Whoever takes the cases over must be a coordinator of the programme today.";
                return Err(RuleProblem::new("not_a_coordinator", text).into());
            }
            work.coordinators(db, from, to)?;
        }
        Sides::LinkWorkers(from, to) => {
            let mut find = |id, pointer: &str| -> Result<LinkWorker, AppError> {
                db.link_worker_get(id)?.filter(|worker| worker.programme == programme).ok_or_else(|| missing(pointer))
            };
            let (from, to) = (find(from, "/from_link_worker_id")?, find(to, "/to_link_worker_id")?);
            work.link_workers(db, &from, &to)?;
        }
    }
    Ok(work.view)
}
