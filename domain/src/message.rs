//! Questions and answers about a referral, and attempts to reach the client.

use crate::codes::{ContactChannel, ContactResult, MessageKind, MessageParty};
use crate::ids::{ContactAttemptId, MessageId, ReferralId, UserId};
use crate::time::Instant;

/// A question of the coordinator, or its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The referral.
    pub referral: ReferralId,
    /// Question or answer.
    pub kind: MessageKind,
    /// Who wrote it.
    pub sender: MessageParty,
    /// For whom it is.
    pub recipient: MessageParty,
    /// The signed-in writer; none for a machine.
    pub user: Option<UserId>,
    /// What it says.
    pub words: String,
    /// When.
    pub sent_at: Instant,
}

/// One attempt to reach the client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContactAttempt {
    /// Its id.
    pub id: ContactAttemptId,
    /// The referral.
    pub referral: ReferralId,
    /// How.
    pub channel: ContactChannel,
    /// What came of it.
    pub result: ContactResult,
    /// When.
    pub attempted_at: Instant,
    /// Who tried.
    pub recorded_by: UserId,
    /// A short note.
    pub note: Option<String>,
}
