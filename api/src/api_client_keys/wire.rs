//! Keys of API clients as they stand in bodies.

use lahete_domain::ids::Id as _;
use lahete_domain::user::ApiClientKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::Timestamp;

/// A public key by which an API client proves who it is.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000d2",
    "kid": "sodankyla-ehr-2022",
    "algorithm": "EdDSA",
    "jwk": {
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "sodankyla-ehr-2022", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    },
    "created_at": "2022-01-01T08:00:00.000000Z"
}))]
pub struct ApiClientKeyView {
    /// Its id.
    pub id: Uuid,
    /// Its name in the head of an assertion.
    #[schema(max_length = 200)]
    pub kid: String,
    /// The one algorithm that it is used with: `ES256`, `EdDSA`, `RS256` or `PS256`.
    #[schema(max_length = 10)]
    pub algorithm: &'static str,
    /// The key.
    pub jwk: Jwk,
    /// When it stops working; never when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
}

impl From<&ApiClientKey> for ApiClientKeyView {
    fn from(key: &ApiClientKey) -> Self {
        Self {
            id: key.id.as_uuid(),
            kid: key.name.clone(),
            algorithm: key.algorithm.as_str(),
            jwk: serde_json::from_str(&key.jwk).unwrap_or_default(),
            expires_at: key.expires_at.map(Into::into),
            created_at: key.created_at.into(),
        }
    }
}

/// A public key (RFC 7517): EC on P-256, Ed25519, or RSA of 2048 bits and more.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "sodankyla-ehr-2026",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
}))]
pub struct Jwk {
    /// The kind of key: `EC`, `OKP` or `RSA`.
    #[schema(max_length = 10, pattern = "^[A-Za-z0-9-]*$")]
    pub kty: String,
    /// Its name in the head of an assertion.
    #[schema(min_length = 1, max_length = 200, pattern = "^[!-~]+$")]
    pub kid: String,
    /// The one algorithm that it is used with; when left out, the one for its kind, and `PS256` for RSA.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 10, pattern = "^[A-Za-z0-9-]*$")]
    pub alg: Option<String>,
    /// `sig`, if anything.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 10, pattern = "^[A-Za-z0-9-]*$")]
    pub usage: Option<String>,
    /// The curve: `P-256` or `Ed25519`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20, pattern = "^[A-Za-z0-9-]*$")]
    pub crv: Option<String>,
    /// A coordinate, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, pattern = "^[A-Za-z0-9_-]*$")]
    pub x: Option<String>,
    /// The other coordinate, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, pattern = "^[A-Za-z0-9_-]*$")]
    pub y: Option<String>,
    /// The modulus of RSA, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1400, pattern = "^[A-Za-z0-9_-]*$")]
    pub n: Option<String>,
    /// The exponent of RSA, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20, pattern = "^[A-Za-z0-9_-]*$")]
    pub e: Option<String>,
}

/// A new key.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "jwk": {
        "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "sodankyla-ehr-2026",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
    }
}))]
pub struct ApiClientKeyNew {
    /// The public half. A key with a secret half is refused.
    pub jwk: Jwk,
    /// When it stops working; never when left out.
    pub expires_at: Option<Timestamp>,
}
