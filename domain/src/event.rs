//! What happened to a referral: the lines of its timeline, from which outbox and statistics read too.

use crate::actor::Caller;
use crate::codes::{EventKind, ReferralStateCode, Role};
use crate::ids::{EventId, ProgrammeId, ReferralId};
use crate::time::Instant;

/// One line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// The referral.
    pub referral: ReferralId,
    /// Its programme.
    pub programme: ProgrammeId,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Instant,
    /// Who did it.
    pub caller: Caller,
    /// In which role; none for the clock and for anonymous senders.
    pub role: Option<Role>,
    /// State before.
    pub from: Option<ReferralStateCode>,
    /// State after.
    pub to: Option<ReferralStateCode>,
    /// The coded reason, if the change has one.
    pub reason: Option<&'static str>,
    /// The reason in words, if one was given. Free text about a case: shown only with the case.
    pub comment: Option<String>,
}
