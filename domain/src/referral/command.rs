//! What can be done to a referral, and from which states (product §4).

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::access::Action;
use crate::codes::{
    Barrier, Code, EndReason, FollowUpAnswer, MessageParty, NotFollowedUpReason, Outcome, Priority, ReferralStateCode, UnmetNeed,
};

/// A change of state, by name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Transition {
    /// Send a draft (1).
    Submit,
    /// Take it, or take it back because the activity did not work (2, 5).
    Review,
    /// Ask (3).
    RequestInformation,
    /// Answer (3).
    Answer,
    /// Guide directly (4).
    Guide,
    /// Put on the waiting list (6).
    Waitlist,
    /// A link worker accepts (7).
    Assign,
    /// The assignment ends before support starts (8).
    Unassign,
    /// Start later (9).
    Defer,
    /// Take up again (9).
    Resume,
    /// Start the support period (10).
    StartSupport,
    /// Change the link worker (11).
    ChangeLinkWorker,
    /// End the support period (12).
    EndSupport,
    /// Close without support, or after direct guidance (5, 13).
    Close,
    /// Withdraw (14).
    Withdraw,
    /// Open again (15).
    Reopen,
    /// Mark as entered in error (16).
    MarkAsError,
}

impl Transition {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Submit,
        Self::Review,
        Self::RequestInformation,
        Self::Answer,
        Self::Guide,
        Self::Waitlist,
        Self::Assign,
        Self::Unassign,
        Self::Defer,
        Self::Resume,
        Self::StartSupport,
        Self::ChangeLinkWorker,
        Self::EndSupport,
        Self::Close,
        Self::Withdraw,
        Self::Reopen,
        Self::MarkAsError,
    ];

    /// Its name in problems and in the document: the verb of its path.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Review => "review",
            Self::RequestInformation => "request-information",
            Self::Answer => "answer",
            Self::Guide => "guide",
            Self::Waitlist => "waitlist",
            Self::Assign => "accept-assignment",
            Self::Unassign => "end-assignment",
            Self::Defer => "defer",
            Self::Resume => "resume",
            Self::StartSupport => "start-support",
            Self::ChangeLinkWorker => "change-link-worker",
            Self::EndSupport => "end-support",
            Self::Close => "close",
            Self::Withdraw => "withdraw",
            Self::Reopen => "reopen",
            Self::MarkAsError => "mark-as-error",
        }
    }

    /// The states in which it is possible at all; guards may still refuse it.
    #[must_use]
    pub fn from_states(self) -> &'static [ReferralStateCode] {
        use ReferralStateCode as S;
        match self {
            Self::Submit => &[S::Draft],
            Self::Review => &[S::Submitted, S::DirectlyGuided],
            Self::RequestInformation => &[S::InReview],
            Self::Answer => &[S::AwaitingInformation],
            Self::Guide => &[S::InReview, S::Waitlisted],
            Self::Waitlist => &[S::InReview],
            Self::Assign => &[S::InReview, S::Waitlisted, S::InSupport],
            Self::Unassign => &[S::Assigned],
            Self::Defer => &[S::InReview, S::Waitlisted, S::Assigned],
            Self::Resume => &[S::Deferred],
            Self::StartSupport => &[S::Assigned],
            Self::ChangeLinkWorker | Self::EndSupport => &[S::InSupport],
            Self::Close => &[S::Submitted, S::InReview, S::AwaitingInformation, S::Waitlisted, S::Deferred, S::Assigned, S::DirectlyGuided],
            Self::Withdraw => &[
                S::Draft,
                S::Submitted,
                S::InReview,
                S::AwaitingInformation,
                S::Waitlisted,
                S::Deferred,
                S::Assigned,
                S::InSupport,
                S::DirectlyGuided,
            ],
            Self::Reopen => &[S::Closed],
            Self::MarkAsError => &[
                S::Draft,
                S::Submitted,
                S::InReview,
                S::AwaitingInformation,
                S::Waitlisted,
                S::Deferred,
                S::Assigned,
                S::InSupport,
                S::DirectlyGuided,
                S::Closed,
            ],
        }
    }

    /// The permission that a caller needs for it.
    #[must_use]
    pub fn action(self) -> Action {
        match self {
            Self::Submit => Action::ReferralSubmit,
            Self::Review => Action::ReferralReview,
            Self::RequestInformation => Action::ReferralRequestInformation,
            Self::Answer => Action::ReferralAnswer,
            Self::Guide => Action::ReferralGuide,
            Self::Waitlist => Action::ReferralWaitlist,
            Self::Assign => Action::AssignmentAnswer,
            Self::Unassign => Action::AssignmentEnd,
            Self::Defer | Self::Resume => Action::ReferralDefer,
            Self::StartSupport => Action::SupportStart,
            Self::ChangeLinkWorker => Action::SupportChangeLinkWorker,
            Self::EndSupport => Action::SupportEnd,
            Self::Close => Action::ReferralClose,
            Self::Withdraw => Action::ReferralWithdraw,
            Self::Reopen => Action::ReferralReopen,
            Self::MarkAsError => Action::ReferralMarkAsError,
        }
    }

    /// What may be done from a state.
    pub fn allowed_from(state: ReferralStateCode) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |transition| transition.from_states().contains(&state))
    }
}

/// Facts from outside the referral that decide whether a draft may be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SubmitFacts<'a> {
    /// The client as written.
    pub client: &'a crate::client::ClientData,
    /// The programme that it goes to.
    pub programme: &'a crate::programme::Programme,
    /// What the client consented to.
    pub consents: &'a crate::consent::ConsentStatus,
}

/// Guide directly.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guide {
    /// How many activities were chosen.
    pub activity_links: usize,
    /// When to ask how it went.
    pub follow_up_on: NaiveDate,
}

/// Close without support, or after direct guidance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Close {
    /// How it turned out.
    pub outcome: Outcome,
    /// Why.
    pub end_reason: EndReason,
    /// After direct guidance: how it went, or why nobody knows.
    pub follow_up: Option<FollowUp>,
    /// How often somebody tried to reach the client.
    pub contact_attempts: u32,
}

/// What stood in the client's way and what they would have needed, as it is known when a referral ends: for those who decide about services.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClosingNeeds {
    /// What stood in the way.
    pub barriers: BTreeSet<Barrier>,
    /// What nobody offers.
    pub unmet_needs: BTreeSet<UnmetNeed>,
}

impl ClosingNeeds {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.barriers.is_empty() && self.unmet_needs.is_empty()
    }
}

/// What is known at the follow-up of direct guidance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FollowUp {
    /// The client's answer.
    Answered(FollowUpAnswer),
    /// Nobody knows, and why.
    NotFollowedUp(NotFollowedUpReason),
}

/// Put on the waiting list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waitlist {
    /// How urgent it is.
    pub priority: Priority,
}

/// Ask for information.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestInformation {
    /// Whom.
    pub asked: MessageParty,
}

/// Take for review.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Review {
    /// After direct guidance: what stood in the way.
    pub barrier: Option<Barrier>,
}

/// The end reasons that fit an outcome.
#[must_use]
pub fn fitting_end_reasons(outcome: Outcome) -> Vec<EndReason> {
    use EndReason as R;
    let fits = |reason: R| match outcome {
        Outcome::CompletedAsPlanned => matches!(
            reason,
            R::GoalsReached
                | R::MaxPeriodReached
                | R::ContinuesInActivity
                | R::ContinuesWithSupportPerson
                | R::ContinuesAsFriendOrVolunteer
                | R::Other
        ),
        Outcome::Discontinued => matches!(
            reason,
            R::ClientWish
                | R::HealthDeclined
                | R::MemoryDisorder
                | R::MovedToIntensiveHousing
                | R::MovedAway
                | R::Deceased
                | R::LinkWorkerLeft
                | R::NotReached
                | R::ProgrammeBreak
                | R::Other
        ),
        Outcome::NotStarted => matches!(
            reason,
            R::ClientDeclined
                | R::NotReached
                | R::NoSuitableLinkWorker
                | R::NoCapacity
                | R::NoSuitableActivity
                | R::Distance
                | R::Deceased
                | R::ProgrammeBreak
                | R::Other
        ),
        Outcome::Redirected => matches!(reason, R::HealthService | R::SocialService | R::OtherCommunitySupport | R::OtherArea),
        Outcome::Declined => {
            matches!(reason, R::NeedsCareService | R::TooDemanding | R::OutsideArea | R::Duplicate | R::InsufficientInformation | R::Other)
        }
        Outcome::Withdrawn => matches!(reason, R::ConsentWithdrawn | R::ClientWithdrew | R::ReferrerWithdrew),
    };
    EndReason::ALL.iter().copied().filter(|reason| fits(*reason)).collect()
}
