//! Why a change of a referral is refused.

use crate::codes::{ConsentPurpose, EndReason, Outcome, ReferralStateCode};
use crate::referral::command::Transition;

/// A refused change. Nothing was changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReferralError {
    /// Not from this state.
    #[error("a referral in the state {state} cannot be changed this way")]
    WrongState {
        /// The present state.
        state: ReferralStateCode,
        /// What can be done instead.
        allowed: Vec<Transition>,
    },
    /// The client is not an adult, or not certainly one.
    #[error("the client must be 18 years old on the day of sending; when only the year of birth is given, for certain")]
    ClientIsMinor,
    /// A purpose is not consented to.
    #[error("the client's consent to {0} is missing")]
    ConsentMissing(ConsentPurpose),
    /// A sender asserts it; the client has not been asked.
    #[error("the consent to {0} is only asserted by the sender; verify it with the client first")]
    ConsentNotVerified(ConsentPurpose),
    /// No reason given.
    #[error("a referral states at least one reason")]
    NoReasons,
    /// No active programme serves the place.
    #[error("the programme does not serve the client's municipality")]
    MunicipalityNotServed,
    /// The programme takes no referrals.
    #[error("the programme does not take referrals at present")]
    ProgrammeInactive,
    /// The sender has not acknowledged what this is not.
    #[error("acknowledge that this does not replace a health or social service")]
    NotAcknowledged,
    /// Guided to nothing.
    #[error("direct guidance names at least one activity")]
    NoActivityLink,
    /// Given up too early.
    #[error("closing as not reached needs three attempts to reach the client")]
    ContactAttemptsMissing {
        /// Attempts on record.
        recorded: u32,
    },
    /// The reason belongs to another outcome.
    #[error("the end reason does not fit the outcome")]
    EndReasonDoesNotFit {
        /// The outcome.
        outcome: Outcome,
        /// The reasons that fit it.
        fitting: Vec<EndReason>,
    },
    /// The outcome cannot be reached from this state.
    #[error("this outcome is not possible in the state {state}")]
    OutcomeNotPossible {
        /// The present state.
        state: ReferralStateCode,
        /// The outcomes that are.
        possible: Vec<Outcome>,
    },
    /// Nobody said how it went.
    #[error("closing after direct guidance needs the follow-up answer, or the reason why there is none")]
    FollowUpMissing,
    /// What stood in the way is not said.
    #[error("taking a directly guided referral back needs the barrier that stood in the way")]
    BarrierMissing,
    /// That outcome is final.
    #[error("a referral closed as {outcome} is not opened again; write a new one that names it")]
    CannotReopen {
        /// How it had been closed.
        outcome: Outcome,
    },
    /// The 30 days are over.
    #[error("a closed referral can be opened again within 30 days")]
    ReopenTooLate,
    /// The day to resume is not ahead.
    #[error("the day to resume lies ahead")]
    ResumeDateInPast,
    /// The day to follow up is not ahead.
    #[error("the follow-up lies ahead")]
    FollowUpDateInPast,
    /// Too late for the referrer.
    #[error("a referrer can withdraw until the support starts; after that the client or the coordinator can")]
    NotYoursToWithdraw,
    /// No question is open for this person.
    #[error("no question is open for you")]
    NoOpenQuestion,
}

impl ReferralError {
    /// Not from this state; what can be done instead is what the life cycle allows from there.
    #[must_use]
    pub fn wrong_state(state: ReferralStateCode) -> Self {
        Self::WrongState { state, allowed: Transition::allowed_from(state).collect() }
    }
}
