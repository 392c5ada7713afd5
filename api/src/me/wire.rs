//! Bodies of one's own matters.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::consents::wire::ConsentView;
use crate::http::wire::{RoleCode, SectorCode};

/// A role that the caller holds today.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "role": "referrer", "programme_id": "01900000-0000-7000-8000-000000000001", "programme": "Sodankylän hyvinvointilähete",
    "organisation_id": "01900000-0000-7000-8000-000000000011", "sector": "elderly"
}))]
pub struct MyRole {
    /// The role.
    pub role: RoleCode,
    /// In which programme.
    pub programme_id: Uuid,
    /// Its name.
    pub programme: String,
    /// For which organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<Uuid>,
    /// The sector of that organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector: Option<SectorCode>,
}

/// Who the caller is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"kind": "user", "id": "01900000-0000-7000-8000-000000000020", "name": "Riikka Lähettäjä", "roles": []}))]
pub struct MeView {
    /// `user` for a person, `api_client` for a machine.
    pub kind: String,
    /// The id of the user or of the machine.
    pub id: Uuid,
    /// The name.
    pub name: String,
    /// The roles of today; rights that were taken away are not here any more.
    #[schema(max_items = 200)]
    pub roles: Vec<MyRole>,
}

/// The caller's own consents.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": []}))]
pub struct MyConsentsView {
    /// Those of all own referrals, the newest referral first.
    #[schema(max_items = 1000)]
    pub items: Vec<ConsentView>,
}
