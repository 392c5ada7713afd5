//! What a referrer who wants to hear back is told at each milestone of their referral: where it stands and since when, never what the work was like.

use chrono::NaiveDate;

use crate::codes::{EventKind, Milestone};
use crate::ids::{ClientId, MilestoneId, ProgrammeId, ReferralId, UserId};
use crate::time::Instant;

impl Milestone {
    /// The milestone that an event is, if it is one.
    #[must_use]
    pub fn of(kind: EventKind) -> Option<Self> {
        match kind {
            EventKind::ReviewStarted => Some(Self::InReview),
            EventKind::Guided => Some(Self::DirectlyGuided),
            EventKind::Waitlisted => Some(Self::Waitlisted),
            EventKind::AssignmentAccepted => Some(Self::LinkWorkerFound),
            EventKind::SupportStarted => Some(Self::SupportStarted),
            EventKind::SupportEnded => Some(Self::SupportEnded),
            EventKind::Closed | EventKind::Withdrawn => Some(Self::Closed),
            _ => None,
        }
    }
}

/// A message to a referrer. It is there as soon as the milestone is reached; whether it is told is asked at each access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MilestoneMessage {
    /// Its id.
    pub id: MilestoneId,
    /// The programme.
    pub programme: ProgrammeId,
    /// The referral.
    pub referral: ReferralId,
    /// Whom the referral is about.
    pub client: ClientId,
    /// Who wrote the referral.
    pub referrer: UserId,
    /// Which milestone.
    pub milestone: Milestone,
    /// When it was reached.
    pub at: Instant,
    /// The last day on which the client's consents let the referrer hear of it; none when they do not.
    pub told_until: Option<NaiveDate>,
    /// When the referrer said that they have seen it.
    pub acknowledged_at: Option<Instant>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::Code as _;

    #[test]
    fn every_milestone_can_be_reached() {
        for milestone in Milestone::ALL {
            assert!(EventKind::ALL.iter().any(|kind| Milestone::of(*kind) == Some(*milestone)), "{milestone}");
        }
    }
}
