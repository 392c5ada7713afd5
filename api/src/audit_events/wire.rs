//! Audit events as they stand in bodies and queries.

use lahete_domain::actor::Caller;
use lahete_domain::ids::Id as _;
use lahete_persistence::repo::audit::StoredAuditEvent;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::checkpoint_file::SignedCheckpoint;
use crate::http::wire::{AuditActionCode, AuditOutcomeCode, RoleCode, Timestamp};

/// What kind of caller it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = json!("user"))]
pub enum AuditCallerKind {
    /// A person who signed in.
    User,
    /// A machine that signed in.
    ApiClient,
    /// Somebody without a token.
    Anonymous,
    /// The program itself, at its appointed time.
    Clock,
}

/// One access to one client's data, or one change of the programme's own data. It never holds the data itself.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000a1",
    "at": "2026-11-22T10:00:00.000000Z",
    "caller": "user",
    "user_id": "01900000-0000-7000-8000-000000000021",
    "role": "coordinator",
    "organisation_id": "01900000-0000-7000-8000-000000000010",
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "client_id": "01900000-0000-7000-8000-000000000050",
    "referral_id": "01900000-0000-7000-8000-000000000060",
    "operation": "referral_view",
    "action": "read",
    "outcome": "allowed",
    "request_id": "01939a5c-7a10-7000-8000-00000000aaaa"
}))]
pub struct AuditEventView {
    /// The event's id.
    pub id: Uuid,
    /// When it happened.
    pub at: Timestamp,
    /// What kind of caller it was.
    pub caller: AuditCallerKind,
    /// Which person, when it was one who signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
    /// Which machine, when it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_client_id: Option<Uuid>,
    /// In which role it was allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleCode>,
    /// For which organisation the caller works in that role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<Uuid>,
    /// In which programme the data lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub programme_id: Option<Uuid>,
    /// Whose data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Uuid>,
    /// In which referral.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral_id: Option<Uuid>,
    /// By which operation of this API.
    #[schema(max_length = 80)]
    pub operation: String,
    /// What was done.
    pub action: AuditActionCode,
    /// Whether it was let through.
    pub outcome: AuditOutcomeCode,
    /// The stated reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub reason: Option<String>,
    /// The `X-Request-Id` of the call.
    #[schema(max_length = 64)]
    pub request_id: String,
}

impl From<StoredAuditEvent> for AuditEventView {
    fn from(event: StoredAuditEvent) -> Self {
        let (caller, user_id, api_client_id) = match event.caller {
            Caller::User(id) => (AuditCallerKind::User, Some(id.as_uuid()), None),
            Caller::ApiClient(id) => (AuditCallerKind::ApiClient, None, Some(id.as_uuid())),
            Caller::Anonymous => (AuditCallerKind::Anonymous, None, None),
            Caller::Clock => (AuditCallerKind::Clock, None, None),
        };
        Self {
            id: event.id.as_uuid(),
            at: event.at.into(),
            caller,
            user_id,
            api_client_id,
            role: event.role.map(Into::into),
            organisation_id: event.organisation.map(|id| id.as_uuid()),
            programme_id: event.programme.map(|id| id.as_uuid()),
            client_id: event.client.map(|id| id.as_uuid()),
            referral_id: event.referral.map(|id| id.as_uuid()),
            operation: event.operation,
            action: event.action.into(),
            outcome: event.outcome.into(),
            reason: event.reason,
            request_id: event.request_id,
        }
    }
}

/// Where one chain of the trail stood.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "chain": "01939a5c-7a10-7000-8000-00000000cccc", "seq": 128,
    "hash": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", "closed": false
}))]
pub struct ChainHeadView {
    /// The chain.
    pub chain: Uuid,
    /// The place of its last event.
    pub seq: i64,
    /// The hash of that event, in hexadecimal.
    #[schema(max_length = 64)]
    pub hash: String,
    /// Whether the chain ended there.
    pub closed: bool,
}

/// A signed checkpoint of the audit trail. It holds no personal data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "at": "2026-11-25T10:05:00.000000Z",
    "chains": [{
        "chain": "01939a5c-7a10-7000-8000-00000000cccc", "seq": 128,
        "hash": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", "closed": false
    }],
    "key_id": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    "line": "{\"checkpoint\":{\"version\":1},\"key_id\":\"…\",\"signature\":\"…\"}"
}))]
pub struct AuditCheckpointView {
    /// When it was signed.
    #[schema(max_length = 27)]
    pub at: String,
    /// The chains that had moved since the checkpoint before.
    #[schema(max_items = 1000)]
    pub chains: Vec<ChainHeadView>,
    /// The key that signed it, one of `/.well-known/jwks.json`.
    #[schema(max_length = 64)]
    pub key_id: String,
    /// The line of the file, word for word: what to keep elsewhere.
    #[schema(max_length = 262_144)]
    pub line: String,
}

impl From<(String, SignedCheckpoint)> for AuditCheckpointView {
    fn from((line, signed): (String, SignedCheckpoint)) -> Self {
        let chains = signed.checkpoint.chains.into_iter();
        Self {
            at: signed.checkpoint.at,
            chains: chains.map(|head| ChainHeadView { chain: head.chain, seq: head.seq, hash: head.hash, closed: head.closed }).collect(),
            key_id: signed.key_id,
            line,
        }
    }
}

/// The newest checkpoints of this server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": []}))]
pub struct AuditCheckpointsView {
    /// The newest first; all of them are in the server's file.
    #[schema(max_items = 100)]
    pub items: Vec<AuditCheckpointView>,
}

/// Which events are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditEventQuery {
    /// Only those about this client.
    pub client_id: Option<Uuid>,
    /// Only those of this person's doing.
    pub user_id: Option<Uuid>,
    /// Only those that were let through, or only those that were not.
    pub outcome: Option<AuditOutcomeCode>,
    /// With true, only those with a stated reason (`X-Access-Reason`): what was read outside one's own relation to the case. With false, only the
    /// others.
    pub with_reason: Option<bool>,
    /// Only those from this instant on.
    #[param(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// Only those before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}
