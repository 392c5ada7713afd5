//! API clients as they stand in bodies and queries.

use std::borrow::Cow;
use std::collections::BTreeSet;

use lahete_domain::ids::Id as _;
use lahete_domain::text::{NAME_MAX, TOKEN_MAX};
use lahete_domain::user::ApiClient;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::__dev::ComposeSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{Change, Text, Timestamp};

/// How the name of a source system is written.
const SOURCE_SYSTEM_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._:/-]*$";

/// The name of a source system on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceSystem(String);

impl SourceSystem {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for SourceSystem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let fits = text.len() <= TOKEN_MAX
            && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'/' | b'-'));
        if fits { Ok(Self(text)) } else { Err(D::Error::custom("not a source system")) }
    }
}

impl ComposeSchema for SourceSystem {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(TOKEN_MAX))
            .pattern(Some(SOURCE_SYSTEM_PATTERN))
            .into()
    }
}

impl ToSchema for SourceSystem {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlineSourceSystem")
    }
}

/// A machine that signs in: a patient system that pushes referrals.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000028",
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "name": "Sodankylän potilastietojärjestelmä",
    "source_system": "sodankyla-ehr",
    "organisation_ids": ["01900000-0000-7000-8000-000000000011"],
    "active": true,
    "created_at": "2022-01-01T08:00:00.000000Z"
}))]
pub struct ApiClientView {
    /// The client id for the token endpoint.
    pub id: Uuid,
    /// The programme that it pushes to.
    pub programme_id: Uuid,
    /// Its name.
    #[schema(max_length = 120)]
    pub name: String,
    /// The name under which the ids of its referrals are known: each pair of source system and source id is one referral.
    #[schema(max_length = 80)]
    pub source_system: String,
    /// The organisations that it pushes referrals for.
    #[schema(max_items = 100)]
    pub organisation_ids: Vec<Uuid>,
    /// When its secret stops working; never when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_expires_at: Option<Timestamp>,
    /// Until when the secret before the present one works as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_secret_until: Option<Timestamp>,
    /// When it last signed in with a secret, to the hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_used_at: Option<Timestamp>,
    /// Whether it may sign in; false once it is revoked.
    pub active: bool,
    /// When it was added.
    pub created_at: Timestamp,
}

impl From<&ApiClient> for ApiClientView {
    fn from(client: &ApiClient) -> Self {
        Self {
            id: client.id.as_uuid(),
            programme_id: client.programme.as_uuid(),
            name: client.name.clone(),
            source_system: client.source_system.clone(),
            organisation_ids: client.organisations.iter().map(|id| id.as_uuid()).collect(),
            secret_expires_at: client.secret_expires_at.map(Into::into),
            old_secret_until: client.old_secret_until.map(Into::into),
            secret_used_at: client.secret_used_at.map(Into::into),
            active: client.active,
            created_at: client.created_at.into(),
        }
    }
}

/// A machine that signs in, with the secret that it has just got.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000028",
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "name": "Sodankylän potilastietojärjestelmä",
    "source_system": "sodankyla-ehr",
    "organisation_ids": ["01900000-0000-7000-8000-000000000011"],
    "active": true,
    "created_at": "2022-01-01T08:00:00.000000Z",
    "client_secret": "lahete_c2hvd24gb25jZSwgc3RvcmVkIGFzIGEgaGFzaCBhbG9uZQ"
}))]
pub struct ApiClientSecretView {
    /// The machine.
    #[serde(flatten)]
    pub client: ApiClientView,
    /// The secret for the token endpoint. It stands in this one answer and can never be read again; the answer to a repeated request lacks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60, pattern = "^lahete_[A-Za-z0-9_-]{43,52}$")]
    pub client_secret: Option<String>,
}

/// A new machine.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "name": "Kittilän potilastietojärjestelmä",
    "source_system": "kittila-ehr",
    "organisation_ids": ["01900000-0000-7000-8000-000000000011"]
}))]
pub struct ApiClientNew {
    /// The programme that it pushes to.
    pub programme_id: Uuid,
    /// Its name.
    pub name: Text<{ NAME_MAX }>,
    /// The name under which the ids of its referrals are known.
    pub source_system: SourceSystem,
    /// The organisations of the programme that it pushes referrals for.
    #[schema(min_items = 1, max_items = 100)]
    pub organisation_ids: Vec<Uuid>,
    /// Whether it gets a secret. One that proves itself by a key, or signs in at another issuer, needs none.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub with_secret: bool,
    /// When its secret stops working, within two years; in a year when left out.
    pub secret_expires_at: Option<Timestamp>,
}

fn yes() -> bool {
    true
}

/// A change of a machine. Members left out stay as they are.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Lapin potilastietojärjestelmä"}))]
pub struct ApiClientUpdate {
    /// Its name.
    #[serde(default)]
    pub name: Change<Text<{ NAME_MAX }>>,
    /// The organisations that it pushes referrals for from now on, all of them.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 100)]
    pub organisation_ids: Change<BTreeSet<Uuid>>,
}

/// What a new secret is like.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"overlap_hours": 24}))]
pub struct SecretRotation {
    /// When the new secret stops working, within two years; in a year when left out.
    pub secret_expires_at: Option<Timestamp>,
    /// For how many hours the present secret goes on beside the new one, never beyond its own end; not at all when left out.
    #[schema(minimum = 0, maximum = 720)]
    pub overlap_hours: Option<u16>,
}

/// Which machines are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ApiClientQuery {
    /// Only those of this programme.
    pub programme_id: Option<Uuid>,
}
