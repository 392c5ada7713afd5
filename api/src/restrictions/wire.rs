//! Bodies of restrictions.

use lahete_domain::ids::Id as _;
use lahete_domain::text::REASON_MAX;
use lahete_persistence::repo::restrictions::Restriction;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{LongText, Timestamp};

/// Why data are restricted.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Asiakas kiistää tietojen oikeellisuuden; asia tarkistetaan."}))]
pub struct RestrictionCreate {
    /// The reason, in words that the person can read.
    pub reason: LongText<{ REASON_MAX }>,
}

/// Why a restriction ends.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Tiedot on tarkistettu ja korjattu."}))]
pub struct RestrictionRelease {
    /// The reason, in words that the person can read.
    pub reason: LongText<{ REASON_MAX }>,
}

/// A restriction.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000c4", "version": 2, "client_id": "01900000-0000-7000-8000-00000000005d",
    "reason": "Asiakas kiistää tietojen oikeellisuuden; asia tarkistetaan.", "restricted_at": "2026-11-20T08:00:00.000000Z",
    "release_reason": "Tiedot on tarkistettu.", "released_at": "2026-11-21T08:00:00.000000Z"
}))]
pub struct RestrictionView {
    /// Its id.
    pub id: Uuid,
    /// The version, as in the `ETag`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// Whose data.
    pub client_id: Uuid,
    /// Why.
    pub reason: String,
    /// Since when.
    pub restricted_at: Timestamp,
    /// Why it shall end, when that was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_reason: Option<String>,
    /// When that was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
    /// When it was lifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifted_at: Option<Timestamp>,
}

impl From<&Restriction> for RestrictionView {
    fn from(restriction: &Restriction) -> Self {
        Self {
            id: restriction.id.as_uuid(),
            version: restriction.version.get(),
            client_id: restriction.client.as_uuid(),
            reason: restriction.reason.clone(),
            restricted_at: restriction.restricted_at.into(),
            release_reason: restriction.release_reason.clone(),
            released_at: restriction.released.map(|(at, _)| at.into()),
            lifted_at: restriction.lifted.map(|(at, _)| at.into()),
        }
    }
}
