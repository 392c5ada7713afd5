//! Users as they stand in bodies and queries.

use std::borrow::Cow;

use lahete_domain::ids::Id as _;
use lahete_domain::text::{LOGIN_MAX, NAME_MAX};
use lahete_domain::user::User;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::__dev::ComposeSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{Change, Text};

/// How a sign-in name is written. Small letters alone, so that no two names differ by case only.
const LOGIN_PATTERN: &str = "^[a-z0-9][a-z0-9._@+-]*$";

/// A sign-in name on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login(String);

impl Login {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Login {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fits = text.len() <= LOGIN_MAX
            && text.bytes().next().is_some_and(small)
            && text.bytes().all(|byte| small(byte) || matches!(byte, b'.' | b'_' | b'@' | b'+' | b'-'));
        if fits { Ok(Self(text)) } else { Err(D::Error::custom("not a sign-in name")) }
    }
}

impl ComposeSchema for Login {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(LOGIN_MAX)).pattern(Some(LOGIN_PATTERN)).into()
    }
}

impl ToSchema for Login {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlineLogin")
    }
}

/// A person who signs in. What they may do follows from their role assignments.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000021",
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "login": "kaisa",
    "name": "Kaisa Koordinaattori",
    "active": true
}))]
pub struct UserView {
    /// The user's id.
    pub id: Uuid,
    /// The programme whose administrators look after the account.
    pub programme_id: Uuid,
    /// The name that they sign in with.
    #[schema(max_length = 80)]
    pub login: String,
    /// Their name.
    #[schema(max_length = 120)]
    pub name: String,
    /// Whether they may sign in and use their roles.
    pub active: bool,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.as_uuid(),
            programme_id: user.programme.as_uuid(),
            login: user.login.clone(),
            name: user.name.clone(),
            active: user.active,
        }
    }
}

/// A new user. There is no password here: people sign in with their organisation.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "login": "kerttu.kotihoito",
    "name": "Kerttu Kotihoito"
}))]
pub struct UserNew {
    /// The programme whose administrators look after the account.
    pub programme_id: Uuid,
    /// The name that they sign in with; nobody else may have it.
    pub login: Login,
    /// Their name.
    pub name: Text<{ NAME_MAX }>,
}

/// A change of a user. Members left out stay as they are.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Kaisa Koordinaattori-Virtanen"}))]
pub struct UserUpdate {
    /// Their name.
    #[serde(default)]
    pub name: Change<Text<{ NAME_MAX }>>,
    /// Whether they may sign in and use their roles.
    #[serde(default)]
    pub active: Change<bool>,
}

/// Which users are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UserQuery {
    /// Only those of this programme.
    pub programme_id: Option<Uuid>,
    /// Only open or only closed accounts.
    pub active: Option<bool>,
}
