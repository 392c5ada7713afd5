//! Programmes and their terms as they stand in bodies.

use std::borrow::Cow;
use std::collections::BTreeSet;

use lahete_domain::ids::Id as _;
use lahete_domain::programme::{Programme, REFRESHER_MONTHS_MAX, Terms};
use lahete_domain::text::{LINE_MAX, NAME_MAX};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::__dev::ComposeSchema;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::http::wire::{Change, Date, Decimal, Patch, Text};
use crate::http::wire_sets::Municipality;

/// How the address of a page is written.
const WEB_ADDRESS_PATTERN: &str = "^https?://[!-~]{3,180}$";

/// The highest fee of an hour, in cents.
const FEE_MAX: i64 = 100_000;

/// The address of a page, on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebAddress(String);

impl WebAddress {
    /// The address.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for WebAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let fits = text.len() <= LINE_MAX
            && (text.starts_with("https://") || text.starts_with("http://"))
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text)) } else { Err(D::Error::custom("not an address")) }
    }
}

impl ComposeSchema for WebAddress {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).max_length(Some(LINE_MAX)).pattern(Some(WEB_ADDRESS_PATTERN)).into()
    }
}

impl ToSchema for WebAddress {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlineWebAddress")
    }
}

/// A programme: one controller's running of the model in a set of municipalities.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000001",
    "name": "Sodankylän hyvinvointilähete",
    "controller": "Sodankylän kunta",
    "privacy_notice_url": "https://hyvinvointilahete.example/tietosuoja",
    "municipalities": ["261", "320", "742", "758"],
    "active": true,
    "refresher_months": 6
}))]
pub struct ProgrammeView {
    /// The programme's id.
    pub id: Uuid,
    /// Its name.
    #[schema(max_length = 120)]
    pub name: String,
    /// The controller of its register (rekisterinpitäjä).
    #[schema(max_length = 120)]
    pub controller: String,
    /// Where its privacy notice can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub privacy_notice_url: Option<String>,
    /// The municipalities that it serves.
    #[schema(max_items = 400)]
    pub municipalities: Vec<Municipality>,
    /// Whether it takes referrals.
    pub active: bool,
    /// Months after which a link worker's training is refreshed.
    #[schema(minimum = 1, maximum = 60)]
    pub refresher_months: u32,
}

/// Months after which a training is refreshed: 1 to 60.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RefresherMonths(pub u32);

impl<'de> Deserialize<'de> for RefresherMonths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let months = u32::deserialize(deserializer)?;
        if (1..=REFRESHER_MONTHS_MAX).contains(&months) { Ok(Self(months)) } else { Err(D::Error::custom("out of range")) }
    }
}

impl ComposeSchema for RefresherMonths {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(REFRESHER_MONTHS_MAX)).into()
    }
}

impl ToSchema for RefresherMonths {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlineRefresherMonths")
    }
}

impl From<&Programme> for ProgrammeView {
    fn from(programme: &Programme) -> Self {
        Self {
            id: programme.id.as_uuid(),
            name: programme.name.clone(),
            controller: programme.controller.clone(),
            privacy_notice_url: programme.privacy_notice_url.clone(),
            municipalities: programme.municipalities.iter().cloned().map(Municipality).collect(),
            active: programme.active,
            refresher_months: programme.refresher_months,
        }
    }
}

/// A new programme. Whoever adds it becomes its first administrator.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Kittilän hyvinvointilähete",
    "controller": "Kittilän kunta",
    "privacy_notice_url": "https://hyvinvointilahete.example/kittila/tietosuoja",
    "municipalities": ["261", "498"]
}))]
pub struct ProgrammeNew {
    /// Its name.
    pub name: Text<{ NAME_MAX }>,
    /// The controller of its register (rekisterinpitäjä).
    pub controller: Text<{ NAME_MAX }>,
    /// Where its privacy notice can be read.
    pub privacy_notice_url: Option<WebAddress>,
    /// The municipalities that it serves.
    #[schema(min_items = 1, max_items = 400)]
    pub municipalities: Vec<Municipality>,
}

/// A change of a programme. Members left out stay as they are.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"municipalities": ["261", "320", "742", "758", "890"]}))]
pub struct ProgrammeUpdate {
    /// Its name.
    #[serde(default)]
    pub name: Change<Text<{ NAME_MAX }>>,
    /// The controller of its register.
    #[serde(default)]
    pub controller: Change<Text<{ NAME_MAX }>>,
    /// Where its privacy notice can be read.
    #[serde(default)]
    pub privacy_notice_url: Patch<WebAddress>,
    /// The municipalities that it serves from now on, all of them.
    #[serde(default)]
    #[schema(value_type = Vec<Municipality>, min_items = 1, max_items = 400)]
    pub municipalities: Change<BTreeSet<Municipality>>,
    /// Whether it takes referrals.
    #[serde(default)]
    pub active: Change<bool>,
    /// Months after which a link worker's training is refreshed.
    #[serde(default)]
    pub refresher_months: Change<RefresherMonths>,
}

/// The limits and fees of a programme from a day on, until the next ones begin.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000002",
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "valid_from": "2022-01-01",
    "max_months": 6,
    "max_minutes_per_month": 600,
    "fee_per_hour": "13.00"
}))]
pub struct TermsView {
    /// The id of the terms.
    pub id: Uuid,
    /// The programme.
    pub programme_id: Uuid,
    /// The first day on which they hold.
    pub valid_from: Date,
    /// Longest support period in months.
    #[schema(minimum = 1, maximum = 6)]
    pub max_months: u32,
    /// Most minutes with one client in a calendar month.
    #[schema(minimum = 1, maximum = 44_640)]
    pub max_minutes_per_month: i64,
    /// The link worker's fee of an hour with a client, in euros.
    pub fee_per_hour: Decimal,
}

impl From<&Terms> for TermsView {
    fn from(terms: &Terms) -> Self {
        Self {
            id: terms.id.as_uuid(),
            programme_id: terms.programme.as_uuid(),
            valid_from: terms.valid_from,
            max_months: terms.max_months,
            max_minutes_per_month: terms.max_minutes_per_month,
            fee_per_hour: Decimal::from_hundredths(terms.fee_per_hour.0),
        }
    }
}

/// New limits and fees of a programme.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"valid_from": "2027-01-01", "max_months": 6, "max_minutes_per_month": 600, "fee_per_hour": "13.50"}))]
pub struct TermsNew {
    /// The first day on which they hold. No other terms of the programme may begin on it.
    pub valid_from: Date,
    /// Longest support period in months.
    #[schema(minimum = 1, maximum = 6)]
    pub max_months: u32,
    /// Most minutes with one client in a calendar month.
    #[schema(minimum = 1, maximum = 44_640)]
    pub max_minutes_per_month: i64,
    /// The link worker's fee of an hour with a client, in euros, at most 1000.
    #[validate(custom(function = "fee_in_range"))]
    pub fee_per_hour: Decimal,
}

fn fee_in_range(fee: &Decimal) -> Result<(), ValidationError> {
    if (0..=FEE_MAX).contains(&fee.hundredths()) {
        Ok(())
    } else {
        Err(ValidationError::new("out_of_range").with_message(Cow::Borrowed("The fee lies between 0 and 1000 euros.")))
    }
}
