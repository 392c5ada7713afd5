//! The referral: written with the client, received by a coordinator, led to an activity or a link worker, closed. Its transitions consume the old
//! value, so that nobody goes on with a state that is gone.

pub mod command;
pub mod error;
pub mod state;

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::codes::{
    AssignmentEndReason, Channel, ConsentPurpose, EndReason, EventKind, MessageParty, Outcome, ReferralReason, Role, Route, Sector, Sex,
};
use crate::ids::{ApiClientId, AssignmentId, ClientId, OrganisationId, ProgrammeId, ReferralId, SupportPeriodId, UserId};
use crate::programme::MunicipalityCode;
use crate::time::Instant;
use crate::version::Version;

use command::{Close, Guide, RequestInformation, Review, SubmitFacts, Transition, Waitlist, fitting_end_reasons};
use error::ReferralError;
use state::{BackTo, ClosedBy, Closure, QueuePlace, ReferralState};

/// Days in which a closed referral can be opened again.
pub const REOPEN_DAYS: i64 = 30;
/// Attempts to reach the client before a referral is closed as not reached.
pub const CONTACT_ATTEMPTS_MIN: u32 = 3;
/// Days after which a draft that nobody sent is deleted.
pub const DRAFT_DAYS: i64 = 30;

/// Who wrote the referral.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Referrer {
    /// How it came in.
    pub channel: Channel,
    /// The signed-in writer.
    pub user: Option<UserId>,
    /// The machine that pushed it.
    pub api_client: Option<ApiClientId>,
    /// The writer's organisation.
    pub organisation: Option<OrganisationId>,
    /// The sector.
    pub sector: Sector,
    /// The writer's name.
    pub name: Option<String>,
    /// How to reach the writer.
    pub contact: Option<String>,
    /// Whether the writer wants to hear back.
    pub feedback_wanted: bool,
}

/// The identifier of a referral in the system that pushed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// The system.
    pub system: String,
    /// Its id there.
    pub id: String,
}

/// What the referral says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// Why it is written.
    pub reasons: BTreeSet<ReferralReason>,
    /// The client's own wish in their words.
    pub wish: Option<String>,
    /// Free text.
    pub background: Option<String>,
    /// Written together with the client.
    pub written_together: bool,
    /// A joint first meeting is wished for.
    pub joint_meeting_wished: bool,
    /// The writer acknowledges that this does not replace a health or social service.
    pub not_a_service_acknowledged: bool,
    /// Identifier in the pushing system.
    pub source: Option<Source>,
    /// The earlier referral that this one continues.
    pub previous: Option<ReferralId>,
}

/// What the statistics keep of the client on the day of sending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Age in whole years.
    pub age: u32,
    /// Sex by own statement.
    pub sex: Option<Sex>,
    /// Municipality.
    pub municipality: MunicipalityCode,
}

/// When it was sent, and what was true then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Submission {
    /// When.
    pub at: Instant,
    /// The Finnish date of it, by which reports count.
    pub on: NaiveDate,
    /// The client then.
    pub snapshot: Snapshot,
}

/// A referral.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Referral {
    /// Its id.
    pub id: ReferralId,
    /// Its version.
    pub version: Version,
    /// The programme that it goes to.
    pub programme: ProgrammeId,
    /// The client.
    pub client: ClientId,
    /// Who wrote it.
    pub referrer: Referrer,
    /// What it says.
    pub content: Content,
    /// Where it stands.
    pub state: ReferralState,
    /// Since when it stands there.
    pub state_since: Instant,
    /// The coordinator who took it.
    pub coordinator: Option<UserId>,
    /// Its place on the waiting list, once it had one.
    pub queue: Option<QueuePlace>,
    /// When it was begun.
    pub created_at: Instant,
    /// When it was sent.
    pub submission: Option<Submission>,
}

/// A transition that happened, with what follows from it elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changed {
    /// The referral after it.
    pub referral: Referral,
    /// The line for the timeline.
    pub event: EventKind,
    /// The coded reason for the timeline.
    pub reason: Option<&'static str>,
    /// The assignment that ends with it.
    pub ended_assignment: Option<(AssignmentId, AssignmentEndReason)>,
    /// The support period that ends with it.
    pub ended_support: Option<SupportPeriodId>,
}

impl Referral {
    fn expect(&self, transition: Transition) -> Result<(), ReferralError> {
        let state = self.state.code();
        if transition.from_states().contains(&state) {
            return Ok(());
        }
        Err(ReferralError::wrong_state(state))
    }

    /// Whether it was sent and has not ended.
    ///
    /// # Errors
    /// [`ReferralError::WrongState`] when it was not, or has.
    pub fn expect_open(&self) -> Result<(), ReferralError> {
        if self.state.is_open() { Ok(()) } else { Err(ReferralError::wrong_state(self.state.code())) }
    }

    /// Whether it was sent.
    ///
    /// # Errors
    /// [`ReferralError::WrongState`] for a draft.
    pub fn expect_sent(&self) -> Result<(), ReferralError> {
        if self.state == ReferralState::Draft { Err(ReferralError::wrong_state(self.state.code())) } else { Ok(()) }
    }

    /// Whether it stands on record as one that should have been written: also after its end, but not when it was entered in error.
    ///
    /// # Errors
    /// [`ReferralError::WrongState`] when it was entered in error.
    pub fn expect_not_in_error(&self) -> Result<(), ReferralError> {
        if self.state == ReferralState::EnteredInError { Err(ReferralError::wrong_state(self.state.code())) } else { Ok(()) }
    }

    fn to(mut self, state: ReferralState, now: Instant, event: EventKind) -> Changed {
        self.state = state;
        self.state_since = now;
        Changed { referral: self, event, reason: None, ended_assignment: None, ended_support: None }
    }

    /// Sends a draft and takes the snapshot for the statistics.
    ///
    /// # Errors
    /// The first guard that fails, in the order of product §4 row 1.
    pub fn submit(mut self, facts: SubmitFacts<'_>, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::Submit)?;
        let today = now.helsinki_date();
        let age = facts.client.birth.age_on(today).filter(|age| *age >= crate::client::ADULT_AGE).ok_or(ReferralError::ClientIsMinor)?;
        if !facts.consents.open.contains(&ConsentPurpose::ProcessReferral) {
            return Err(ReferralError::ConsentMissing(ConsentPurpose::ProcessReferral));
        }
        if self.content.reasons.is_empty() {
            return Err(ReferralError::NoReasons);
        }
        if !facts.programme.active {
            return Err(ReferralError::ProgrammeInactive);
        }
        if !facts.programme.municipalities.contains(&facts.client.municipality) {
            return Err(ReferralError::MunicipalityNotServed);
        }
        if !self.content.not_a_service_acknowledged {
            return Err(ReferralError::NotAcknowledged);
        }
        let snapshot = Snapshot { age, sex: facts.client.sex, municipality: facts.client.municipality.clone() };
        self.submission = Some(Submission { at: now, on: today, snapshot });
        Ok(self.to(ReferralState::Submitted, now, EventKind::Submitted))
    }

    /// A coordinator takes it; from direct guidance, takes it back.
    ///
    /// # Errors
    /// In another state; after direct guidance without a barrier.
    pub fn review(mut self, command: Review, by: UserId, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::Review)?;
        let reason = match (&self.state, command.barrier) {
            (ReferralState::DirectlyGuided { .. }, None) => return Err(ReferralError::BarrierMissing),
            (_, barrier) => barrier.map(crate::codes::Code::as_str),
        };
        self.coordinator = Some(by);
        Ok(Changed { reason, ..self.to(ReferralState::InReview, now, EventKind::ReviewStarted) })
    }

    /// Asks the referrer or the client.
    ///
    /// # Errors
    /// In another state.
    pub fn request_information(self, command: RequestInformation, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::RequestInformation)?;
        Ok(self.to(ReferralState::AwaitingInformation { asked: command.asked }, now, EventKind::InformationRequested))
    }

    /// Takes the answer of the one who was asked.
    ///
    /// # Errors
    /// In another state, or when somebody else was asked.
    pub fn answer(self, by: MessageParty, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::Answer)?;
        if self.state != (ReferralState::AwaitingInformation { asked: by }) {
            return Err(ReferralError::NoOpenQuestion);
        }
        Ok(self.to(ReferralState::InReview, now, EventKind::InformationAnswered))
    }

    /// Guides directly to activities.
    ///
    /// # Errors
    /// In another state, without an activity, or with a follow-up that does not lie ahead.
    pub fn guide(self, command: &Guide, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::Guide)?;
        if command.activity_links == 0 {
            return Err(ReferralError::NoActivityLink);
        }
        if command.follow_up_on <= now.helsinki_date() {
            return Err(ReferralError::FollowUpDateInPast);
        }
        Ok(self.to(ReferralState::DirectlyGuided { follow_up_on: command.follow_up_on }, now, EventKind::Guided))
    }

    /// Puts it on the waiting list.
    ///
    /// # Errors
    /// In another state.
    pub fn waitlist(mut self, command: Waitlist, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::Waitlist)?;
        let accepted_at = self.queue.map_or(now, |queue| queue.accepted_at);
        self.queue = Some(QueuePlace { accepted_at, priority: command.priority });
        Ok(Changed {
            reason: Some(crate::codes::Code::as_str(command.priority)),
            ..self.to(ReferralState::Waitlisted, now, EventKind::Waitlisted)
        })
    }

    /// Starts later. A link worker who had accepted is released, and the referral goes back to the waiting list.
    ///
    /// # Errors
    /// In another state, or when the day does not lie ahead.
    pub fn defer(mut self, resume_on: NaiveDate, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::Defer)?;
        if resume_on <= now.helsinki_date() {
            return Err(ReferralError::ResumeDateInPast);
        }
        let assignment = self.state.assignment();
        let back_to = if matches!(self.state, ReferralState::InReview) { BackTo::InReview } else { BackTo::Waitlisted };
        if back_to == BackTo::Waitlisted {
            self.keep_queue_place(now);
        }
        let changed = self.to(ReferralState::Deferred { resume_on, back_to }, now, EventKind::Deferred);
        Ok(Changed { ended_assignment: assignment.map(|id| (id, AssignmentEndReason::Deferred)), ..changed })
    }

    /// Takes a deferred referral up again, where it was.
    ///
    /// # Errors
    /// In another state.
    pub fn resume(self, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::Resume)?;
        let state = match self.state {
            ReferralState::Deferred { back_to: BackTo::Waitlisted, .. } => ReferralState::Waitlisted,
            _ => ReferralState::InReview,
        };
        Ok(self.to(state, now, EventKind::Resumed))
    }

    fn keep_queue_place(&mut self, now: Instant) {
        self.queue.get_or_insert(QueuePlace { accepted_at: now, priority: crate::codes::Priority::Normal });
    }

    /// Whether a link worker may be proposed: in these states, and only with the client's own consent.
    ///
    /// # Errors
    /// In another state, or without a verified consent to share with a link worker.
    pub fn expect_proposable(&self, consents: &crate::consent::ConsentStatus) -> Result<(), ReferralError> {
        self.expect(Transition::Assign)?;
        if self.state.assignment().is_some() {
            return Err(ReferralError::WrongState {
                state: self.state.code(),
                allowed: Transition::allowed_from(self.state.code()).collect(),
            });
        }
        expect_shared(consents, ConsentPurpose::ShareWithLinkWorker)
    }

    /// A link worker accepts.
    ///
    /// # Errors
    /// As [`Referral::expect_proposable`].
    pub fn assign(
        mut self,
        assignment: AssignmentId,
        consents: &crate::consent::ConsentStatus,
        now: Instant,
    ) -> Result<Changed, ReferralError> {
        self.expect_proposable(consents)?;
        let state = match self.state {
            ReferralState::InSupport { support_period, .. } => ReferralState::InSupport { support_period, assignment: Some(assignment) },
            _ => ReferralState::Assigned { assignment },
        };
        self.keep_queue_place(now);
        let since = if matches!(state, ReferralState::InSupport { .. }) { self.state_since } else { now };
        Ok(self.to(state, since, EventKind::AssignmentAccepted))
    }

    /// The assignment ends before the support has started: back to the waiting list, at its old place.
    ///
    /// # Errors
    /// In another state.
    pub fn unassign(mut self, reason: AssignmentEndReason, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::Unassign)?;
        let assignment = self.state.assignment();
        self.keep_queue_place(now);
        let changed = self.to(ReferralState::Waitlisted, now, EventKind::AssignmentEnded);
        Ok(Changed { reason: Some(crate::codes::Code::as_str(reason)), ended_assignment: assignment.map(|id| (id, reason)), ..changed })
    }

    /// The support period starts. Its own guards are those of [`crate::support_period`].
    ///
    /// # Errors
    /// In another state.
    pub fn start_support(self, support_period: SupportPeriodId, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::StartSupport)?;
        let assignment = self.state.assignment();
        Ok(self.to(ReferralState::InSupport { support_period, assignment }, now, EventKind::SupportStarted))
    }

    /// Releases today's link worker during support, so that another can be proposed. The end date stays.
    ///
    /// # Errors
    /// In another state.
    pub fn release_link_worker(self, reason: AssignmentEndReason) -> Result<Changed, ReferralError> {
        self.expect(Transition::ChangeLinkWorker)?;
        let ReferralState::InSupport { support_period, assignment } = self.state else {
            return Err(ReferralError::WrongState { state: self.state.code(), allowed: Vec::new() });
        };
        let since = self.state_since;
        let changed = self.to(ReferralState::InSupport { support_period, assignment: None }, since, EventKind::LinkWorkerChanged);
        Ok(Changed { reason: Some(crate::codes::Code::as_str(reason)), ended_assignment: assignment.map(|id| (id, reason)), ..changed })
    }

    /// The support period ends, as planned or before.
    ///
    /// # Errors
    /// In another state, with an outcome that support does not have, or with a reason that does not fit it.
    pub fn end_support(self, outcome: Outcome, end_reason: EndReason, by: ClosedBy, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::EndSupport)?;
        let possible = vec![Outcome::CompletedAsPlanned, Outcome::Discontinued];
        self.close_as(outcome, end_reason, &possible, AssignmentEndReason::SupportEnded, by, now, EventKind::Closed)
    }

    /// Closes without support, or after direct guidance.
    ///
    /// # Errors
    /// In another state; see product §4 rows 5 and 13 for the guards.
    pub fn close(self, command: Close, by: ClosedBy, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::Close)?;
        let guided = matches!(self.state, ReferralState::DirectlyGuided { .. });
        let possible = if guided {
            vec![Outcome::CompletedAsPlanned, Outcome::Discontinued, Outcome::NotStarted, Outcome::Redirected, Outcome::Declined]
        } else {
            vec![Outcome::NotStarted, Outcome::Redirected, Outcome::Declined]
        };
        if guided && command.outcome == Outcome::CompletedAsPlanned && command.follow_up.is_none() {
            return Err(ReferralError::FollowUpMissing);
        }
        let given_up = command.outcome == Outcome::NotStarted && command.end_reason == EndReason::NotReached;
        if given_up && command.contact_attempts < CONTACT_ATTEMPTS_MIN {
            return Err(ReferralError::ContactAttemptsMissing { recorded: command.contact_attempts });
        }
        self.close_as(command.outcome, command.end_reason, &possible, AssignmentEndReason::ReferralClosed, by, now, EventKind::Closed)
    }
    fn close_as(
        self,
        outcome: Outcome,
        end_reason: EndReason,
        possible: &[Outcome],
        assignment_reason: AssignmentEndReason,
        by: ClosedBy,
        now: Instant,
        event: EventKind,
    ) -> Result<Changed, ReferralError> {
        if !possible.contains(&outcome) {
            return Err(ReferralError::OutcomeNotPossible { state: self.state.code(), possible: possible.to_vec() });
        }
        let fitting = fitting_end_reasons(outcome);
        if !fitting.contains(&end_reason) {
            return Err(ReferralError::EndReasonDoesNotFit { outcome, fitting });
        }
        Ok(self.closed(Closure { outcome, end_reason, route: None, at: now, by }, assignment_reason, event))
    }

    fn closed(self, closure: Closure, assignment_reason: AssignmentEndReason, event: EventKind) -> Changed {
        let assignment = self.state.assignment();
        let support_period = self.state.support_period();
        let route = match self.state {
            ReferralState::InSupport { .. } => Some(Route::LinkWorker),
            ReferralState::DirectlyGuided { .. } => Some(Route::Direct),
            _ => None,
        };
        let (at, reason) = (closure.at, closure.end_reason);
        let changed = self.to(ReferralState::Closed(Closure { route, ..closure }), at, event);
        Changed {
            reason: Some(crate::codes::Code::as_str(reason)),
            ended_assignment: assignment.map(|id| (id, assignment_reason)),
            ended_support: support_period,
            ..changed
        }
    }

    /// Whether a role may still withdraw it; whoever sent it can until the support starts.
    #[must_use]
    pub fn can_be_withdrawn_by(&self, role: Role) -> bool {
        !(is_sender(role) && matches!(self.state, ReferralState::InSupport { .. }))
    }

    /// Whether it is closed in a way, and so lately, that it can be opened again.
    #[must_use]
    pub fn can_be_reopened(&self, now: Instant) -> bool {
        matches!(&self.state, ReferralState::Closed(closure) if expect_reopenable(closure, now).is_ok())
    }

    /// Withdraws it: the client always, the referrer before support, the coordinator on their behalf.
    ///
    /// # Errors
    /// When it is closed already, or when a referrer comes too late.
    pub fn withdraw(self, by: ClosedBy, consent_withdrawn: bool, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::Withdraw)?;
        let from_referrer = is_sender(by.role);
        if !self.can_be_withdrawn_by(by.role) {
            return Err(ReferralError::NotYoursToWithdraw);
        }
        let (end_reason, assignment_reason) = if consent_withdrawn {
            (EndReason::ConsentWithdrawn, AssignmentEndReason::ConsentWithdrawn)
        } else if from_referrer {
            (EndReason::ReferrerWithdrew, AssignmentEndReason::ReferralClosed)
        } else {
            (EndReason::ClientWithdrew, AssignmentEndReason::ReferralClosed)
        };
        let closure = Closure { outcome: Outcome::Withdrawn, end_reason, route: None, at: now, by };
        Ok(self.closed(closure, assignment_reason, EventKind::Withdrawn))
    }

    /// Opens a closed referral again.
    ///
    /// # Errors
    /// After support or withdrawal, or later than 30 days.
    pub fn reopen(mut self, by: UserId, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::Reopen)?;
        let ReferralState::Closed(closure) = &self.state else {
            return Err(ReferralError::WrongState { state: self.state.code(), allowed: Vec::new() });
        };
        expect_reopenable(closure, now)?;
        self.coordinator = Some(by);
        Ok(self.to(ReferralState::InReview, now, EventKind::Reopened))
    }

    /// Marks it as entered in error, whatever it was.
    ///
    /// # Errors
    /// When it is marked already.
    pub fn mark_as_error(self, now: Instant) -> Result<Changed, ReferralError> {
        self.expect(Transition::MarkAsError)?;
        let assignment = self.state.assignment();
        let support_period = self.state.support_period();
        let changed = self.to(ReferralState::EnteredInError, now, EventKind::MarkedAsError);
        Ok(Changed {
            ended_assignment: assignment.map(|id| (id, AssignmentEndReason::ReferralClosed)),
            ended_support: support_period,
            ..changed
        })
    }
}

fn is_sender(role: Role) -> bool {
    matches!(role, Role::Referrer | Role::Integration)
}

fn expect_reopenable(closure: &Closure, now: Instant) -> Result<(), ReferralError> {
    if !matches!(closure.outcome, Outcome::NotStarted | Outcome::Redirected | Outcome::Declined) {
        return Err(ReferralError::CannotReopen { outcome: closure.outcome });
    }
    if now.helsinki_date() > crate::time::plus_days(closure.at.helsinki_date(), REOPEN_DAYS.unsigned_abs()) {
        return Err(ReferralError::ReopenTooLate);
    }
    Ok(())
}

/// Whether somebody other than the coordinator may be let in.
///
/// # Errors
/// Tells a missing consent from one that the client has not confirmed.
pub fn expect_shared(consents: &crate::consent::ConsentStatus, purpose: ConsentPurpose) -> Result<(), ReferralError> {
    for needed in [ConsentPurpose::ProcessReferral, purpose] {
        if !consents.open.contains(&needed) {
            return Err(ReferralError::ConsentMissing(needed));
        }
        if !consents.verified.contains(&needed) {
            return Err(ReferralError::ConsentNotVerified(needed));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
