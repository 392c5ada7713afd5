//! Bodies of handovers.

use lahete_domain::text::{NOTE_MAX, REASON_MAX};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{LongText, ReferralStateCode};

/// A handover: of a coordinator's cases or of a link worker's, never both.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "from_link_worker_id": "01900000-0000-7000-8000-000000000031",
    "to_link_worker_id": "01900000-0000-7000-8000-000000000030", "reason": "Lauri on kevään opintovapaalla.", "validate_only": true
}))]
pub struct HandoverCreate {
    /// The programme.
    pub programme_id: Uuid,
    /// The coordinator whose cases pass on.
    pub from_user_id: Option<Uuid>,
    /// The coordinator who takes them.
    pub to_user_id: Option<Uuid>,
    /// The link worker whose clients pass on.
    pub from_link_worker_id: Option<Uuid>,
    /// The link worker who is proposed for them.
    pub to_link_worker_id: Option<Uuid>,
    /// Why, in words, for the timeline, which clients read.
    pub reason: LongText<{ REASON_MAX }>,
    /// A word to the new link worker, without name or contact of any client.
    pub message: Option<LongText<{ NOTE_MAX }>>,
    /// Only say what would move and what would not.
    #[serde(default)]
    pub validate_only: bool,
}

/// What passes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HandoverPiece {
    /// A referral of the coordinator.
    Referral,
    /// A proposal that nobody has answered yet.
    Proposal,
    /// A client whom the link worker has accepted, before the support starts.
    Assignment,
    /// A client in support.
    SupportPeriod,
}

/// A case that passes on.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "piece": "support_period", "referral_id": "01900000-0000-7000-8000-00000000009f", "client_id": "01900000-0000-7000-8000-00000000005c",
    "state": "in_support"
}))]
pub struct Moved {
    /// What.
    pub piece: HandoverPiece,
    /// The referral.
    pub referral_id: Uuid,
    /// The client.
    pub client_id: Uuid,
    /// Where the referral stands now.
    pub state: ReferralStateCode,
    /// The new proposal, which the link worker answers. Nothing changes hands before they accept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignment_id: Option<Uuid>,
}

/// A case that stays where it was.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "piece": "assignment", "referral_id": "01900000-0000-7000-8000-00000000009c", "client_id": "01900000-0000-7000-8000-000000000059",
    "state": "assigned", "code": "link_worker_full", "detail": "the link worker has 6 clients and takes 6"
}))]
pub struct NotMoved {
    /// What.
    pub piece: HandoverPiece,
    /// The referral.
    pub referral_id: Uuid,
    /// The client.
    pub client_id: Uuid,
    /// Where the referral stands.
    pub state: ReferralStateCode,
    /// Why, as a problem code.
    #[schema(max_length = 60)]
    pub code: String,
    /// Why, in words.
    #[schema(max_length = 500)]
    pub detail: String,
}

/// What a handover has done, or would do.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"validate_only": true, "moved": [], "not_moved": [], "more": false}))]
pub struct HandoverView {
    /// Whether nothing was changed.
    pub validate_only: bool,
    /// What passes on.
    #[schema(max_items = 1000)]
    pub moved: Vec<Moved>,
    /// What stays, and why.
    #[schema(max_items = 1000)]
    pub not_moved: Vec<NotMoved>,
    /// Whether there is more than one call takes: call again.
    pub more: bool,
}
