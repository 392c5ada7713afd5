//! Links with other issuers as they stand in bodies.

use std::borrow::Cow;

use lahete_domain::ids::Id as _;
use lahete_domain::user::{ISSUER_MAX, Identity, SUBJECT_MAX};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::__dev::ComposeSchema;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::Timestamp;

macro_rules! visible {
    ($($(#[$doc:meta])* $name:ident, $inline:literal, $max:expr, $pattern:expr, $prefixes:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let prefixes: &[&str] = $prefixes;
                let fits = text.len() <= $max
                    && text.bytes().all(|byte| byte.is_ascii_graphic())
                    && prefixes.iter().any(|prefix| text.len() > prefix.len() && text.starts_with(prefix));
                if fits { Ok(Self(text)) } else { Err(D::Error::custom("text does not fit")) }
            }
        }

        impl ComposeSchema for $name {
            fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some($max)).pattern(Some($pattern)).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($inline)
            }
        }
    )*};
}

visible! {
    /// An issuer, letter by letter as in `iss`.
    Issuer, "InlineIssuer", ISSUER_MAX, "^https?://[!-~]+$", &["https://", "http://"];
    /// A name at an issuer, letter by letter as in `sub`.
    IssuerSubject, "InlineIssuerSubject", SUBJECT_MAX, "^[!-~]+$", &[""];
}

/// A name by which a user or a machine is known at another issuer, and can sign in with its tokens.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000d0",
    "issuer": "https://kirjautuminen.sodankyla.example",
    "subject": "kaisa-6f1c",
    "created_at": "2022-01-03T06:00:00.000000Z"
}))]
pub struct IdentityView {
    /// Its id.
    pub id: Uuid,
    /// The issuer, letter by letter as in `iss`.
    #[schema(max_length = 300)]
    pub issuer: String,
    /// The name there, letter by letter as in `sub`.
    #[schema(max_length = 255)]
    pub subject: String,
    /// The administrator who linked it; left out when it came about by a person's own sign-in or on the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Uuid>,
    /// When it was linked.
    pub created_at: Timestamp,
}

impl From<&Identity> for IdentityView {
    fn from(identity: &Identity) -> Self {
        Self {
            id: identity.id.as_uuid(),
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            created_by: identity.created_by.map(|id| id.as_uuid()),
            created_at: identity.created_at.into(),
        }
    }
}

/// A name at another issuer that is to be linked. A personal identity code is no such name.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"issuer": "https://kirjautuminen.sodankyla.example", "subject": "a7d2-4c19"}))]
pub struct IdentityNew {
    /// The issuer, letter by letter as in `iss`. Its tokens are taken once it stands in the settings of the server.
    pub issuer: Issuer,
    /// The name there, letter by letter as in `sub`.
    pub subject: IssuerSubject,
}
