//! What the audit trail says about one access to one client's data. It never holds the data itself.

use crate::actor::Caller;
use crate::codes::{AuditAction, AuditOutcome, Role};
use crate::ids::{ClientId, OrganisationId, ProgrammeId, ReferralId};
use crate::time::Instant;

/// One access, before it has its place in the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEvent {
    /// When, by the server's clock.
    pub at: Instant,
    /// Who.
    pub caller: Caller,
    /// In which role the access was allowed; none when it was denied.
    pub role: Option<Role>,
    /// For which organisation the caller works in that role.
    pub organisation: Option<OrganisationId>,
    /// In which programme the data lies.
    pub programme: Option<ProgrammeId>,
    /// Whose data.
    pub client: Option<ClientId>,
    /// In which referral.
    pub referral: Option<ReferralId>,
    /// The operation id of the API document, `referral_view`.
    pub operation: &'static str,
    /// What was done.
    pub action: AuditAction,
    /// Whether it was let through.
    pub outcome: AuditOutcome,
    /// The stated reason for reading outside one's own relation to the case.
    pub reason: Option<String>,
    /// Ties the event to the answer and to the log line.
    pub request_id: String,
}
