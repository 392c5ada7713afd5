//! The states of a referral. Each carries exactly the data that exists in it.

use chrono::NaiveDate;

use crate::codes::{EndReason, MessageParty, Outcome, Priority, ReferralStateCode, Role, Route};
use crate::ids::{AssignmentId, SupportPeriodId, UserId};
use crate::time::Instant;

/// Where a referral stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReferralState {
    /// Being written; nobody but its writer sees it.
    Draft,
    /// Sent; no coordinator has taken it.
    Submitted,
    /// A coordinator has taken it.
    InReview,
    /// A question is open.
    AwaitingInformation {
        /// Whom it is for.
        asked: MessageParty,
    },
    /// Accepted; no link worker yet.
    Waitlisted,
    /// Agreed to start later.
    Deferred {
        /// The day to take it up again.
        resume_on: NaiveDate,
        /// Where it goes back to.
        back_to: BackTo,
    },
    /// A link worker has accepted; the first visit is still to come.
    Assigned {
        /// Their assignment.
        assignment: AssignmentId,
    },
    /// The support period runs, or is paused.
    InSupport {
        /// The support period.
        support_period: SupportPeriodId,
        /// The assignment of today's link worker; none between two of them.
        assignment: Option<AssignmentId>,
    },
    /// Guided to an activity; the follow-up is still to come.
    DirectlyGuided {
        /// The day to ask how it went.
        follow_up_on: NaiveDate,
    },
    /// Ended.
    Closed(Closure),
    /// Should never have existed; out of the statistics.
    EnteredInError,
}

/// Where a deferred referral goes back to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BackTo {
    /// To the coordinator's desk.
    InReview,
    /// To the waiting list, at its old place.
    Waitlisted,
}

/// How a referral ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closure {
    /// How it turned out.
    pub outcome: Outcome,
    /// Why.
    pub end_reason: EndReason,
    /// Which way it had gone.
    pub route: Option<Route>,
    /// When.
    pub at: Instant,
    /// Who closed it, in which role.
    pub by: ClosedBy,
}

/// Who closed a referral.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClosedBy {
    /// The person; none when a machine withdrew what it had pushed.
    pub user: Option<UserId>,
    /// Their role.
    pub role: Role,
}

/// A place on the waiting list. It is kept for life, so that a referral that comes back does not queue again from the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueuePlace {
    /// Since when it waits.
    pub accepted_at: Instant,
    /// How urgent it is.
    pub priority: Priority,
}

impl ReferralState {
    /// The code of the state.
    #[must_use]
    pub fn code(&self) -> ReferralStateCode {
        match self {
            Self::Draft => ReferralStateCode::Draft,
            Self::Submitted => ReferralStateCode::Submitted,
            Self::InReview => ReferralStateCode::InReview,
            Self::AwaitingInformation { .. } => ReferralStateCode::AwaitingInformation,
            Self::Waitlisted => ReferralStateCode::Waitlisted,
            Self::Deferred { .. } => ReferralStateCode::Deferred,
            Self::Assigned { .. } => ReferralStateCode::Assigned,
            Self::InSupport { .. } => ReferralStateCode::InSupport,
            Self::DirectlyGuided { .. } => ReferralStateCode::DirectlyGuided,
            Self::Closed(_) => ReferralStateCode::Closed,
            Self::EnteredInError => ReferralStateCode::EnteredInError,
        }
    }

    /// The accepted assignment, if there is one.
    #[must_use]
    pub fn assignment(&self) -> Option<AssignmentId> {
        match self {
            Self::Assigned { assignment } => Some(*assignment),
            Self::InSupport { assignment, .. } => *assignment,
            _ => None,
        }
    }

    /// The running support period, if there is one.
    #[must_use]
    pub fn support_period(&self) -> Option<SupportPeriodId> {
        match self {
            Self::InSupport { support_period, .. } => Some(*support_period),
            _ => None,
        }
    }

    /// Submitted and not yet ended: what "open" means in the statistics.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.code().is_open()
    }
}

impl ReferralStateCode {
    /// See [`ReferralState::is_open`].
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Draft | Self::Closed | Self::EnteredInError)
    }
}
