//! Handing over all open cases of somebody who leaves or is away: what it means for one case.

use crate::codes::{AssignmentEndReason, EventKind};
use crate::ids::UserId;
use crate::referral::error::ReferralError;
use crate::referral::state::ReferralState;
use crate::referral::{Changed, Referral};
use crate::time::Instant;

/// Most cases that one call hands over; what is left is handed over by the next one.
pub const HANDOVER_MAX: u16 = 500;

/// Another coordinator takes an open case. Where it stands, and since when, does not change.
///
/// # Errors
/// When it was not sent yet, or has ended.
pub fn to_coordinator(mut referral: Referral, to: UserId) -> Result<Changed, ReferralError> {
    referral.expect_open()?;
    referral.coordinator = Some(to);
    Ok(Changed { referral, event: EventKind::CoordinatorChanged, reason: None, ended_assignment: None, ended_support: None })
}

/// The present link worker lets a case go, so that another one can be proposed: during support it waits for them, before it goes back to its place on the
/// waiting list, as with every change of link worker (product §4 rows 8 and 11).
///
/// # Errors
/// When nobody is assigned.
pub fn released(referral: Referral, now: Instant) -> Result<Changed, ReferralError> {
    match referral.state {
        ReferralState::InSupport { .. } => referral.release_link_worker(AssignmentEndReason::LinkWorkerChanged),
        _ => referral.unassign(AssignmentEndReason::LinkWorkerChanged, now),
    }
}
