//! Bodies of legal holds.

use lahete_domain::ids::Id as _;
use lahete_domain::retention::LegalHold;
use lahete_domain::text::REASON_MAX;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{Date, LongText, Timestamp};

/// A hold to place.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "client_id": "01900000-0000-7000-8000-000000000050", "reason": "Kantelu on vireillä aluehallintovirastossa.", "until": "2027-11-22"
}))]
pub struct LegalHoldCreate {
    /// Whose records.
    pub client_id: Uuid,
    /// Only those of this referral of the client.
    pub referral_id: Option<Uuid>,
    /// Why they must be kept.
    pub reason: LongText<{ REASON_MAX }>,
    /// The last day; until it is ended when it is left out.
    pub until: Option<Date>,
}

/// Why a hold ends.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Kantelu on ratkaistu."}))]
pub struct LegalHoldEnd {
    /// The reason.
    pub reason: Option<LongText<{ REASON_MAX }>>,
}

/// Which holds are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LegalHoldQuery {
    /// Only those of this programme.
    pub programme_id: Option<Uuid>,
    /// Only those of this client.
    pub client_id: Option<Uuid>,
    /// Only those that hold today.
    pub holding: Option<bool>,
}

/// A legal hold.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000c3", "version": 1, "programme_id": "01900000-0000-7000-8000-000000000001",
    "client_id": "01900000-0000-7000-8000-00000000005a", "reason": "Kantelu on vireillä aluehallintovirastossa.",
    "placed_at": "2026-11-20T08:00:00.000000Z", "placed_by": "01900000-0000-7000-8000-000000000025", "holding": true
}))]
pub struct LegalHoldView {
    /// Its id.
    pub id: Uuid,
    /// The version, as in the `ETag`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The programme.
    pub programme_id: Uuid,
    /// Whose records.
    pub client_id: Uuid,
    /// Only those of this referral.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral_id: Option<Uuid>,
    /// Why.
    pub reason: String,
    /// Since when.
    pub placed_at: Timestamp,
    /// By whom.
    pub placed_by: Uuid,
    /// The last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// When it was ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
    /// Whether it holds today.
    pub holding: bool,
}

impl LegalHoldView {
    /// A hold as it is on a day.
    #[must_use]
    pub fn of(hold: &LegalHold, today: Date) -> Self {
        let ended = hold.ended.as_ref();
        Self {
            id: hold.id.as_uuid(),
            version: hold.version.get(),
            programme_id: hold.programme.as_uuid(),
            client_id: hold.client.as_uuid(),
            referral_id: hold.referral.map(|id| id.as_uuid()),
            reason: hold.reason.clone(),
            placed_at: hold.placed_at.into(),
            placed_by: hold.placed_by.as_uuid(),
            until: hold.until,
            ended_at: ended.map(|ended| ended.at.into()),
            end_reason: ended.and_then(|ended| ended.reason.clone()),
            holding: hold.holds_on(today),
        }
    }
}
