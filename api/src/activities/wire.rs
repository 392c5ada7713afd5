//! Activities on the wire.

use chrono::NaiveDate;
use lahete_domain::activity::Activity;
use lahete_domain::ids::Id;
use lahete_domain::text::{NAME_MAX, NOTE_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{Change, Date, LongText, Patch, PriceCode, Text, ThemeCode};
use crate::http::wire_sets::{LanguageTag, Municipality, SetOf};
use crate::link_workers::wire::LANGUAGES_MAX;

/// Most themes of one activity: all that there are.
pub const THEMES_MAX: usize = 10;
/// Longest text to search for.
pub const SEARCH_MAX: usize = 60;

/// Which activities are wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ActivityQuery {
    /// Only those whose name holds this text; capital letters do not matter.
    #[param(inline)]
    pub q: Option<Text<{ SEARCH_MAX }>>,
    /// Only those with this theme.
    pub theme: Option<ThemeCode>,
    /// Only those in this municipality.
    #[param(inline)]
    pub municipality: Option<Municipality>,
    /// Only those at this price.
    pub price: Option<PriceCode>,
    /// Only those that the Kaikukortti opens, or does not.
    pub kaikukortti: Option<bool>,
    /// Only those that one can take part in remotely, or cannot.
    pub remote: Option<bool>,
    /// Only those in which this language is spoken.
    #[param(inline)]
    pub language: Option<LanguageTag>,
    /// Only those that this programme keeps.
    pub programme_id: Option<Uuid>,
    /// With false, those that one can no longer join; otherwise those that one can.
    pub active: Option<bool>,
}

/// A new entry of the directory.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "organisation_id": "01900000-0000-7000-8000-000000000012",
    "name": "Torstaikerho",
    "description": "Kahvia, laulua ja juttuseuraa seurakuntatalolla torstaisin klo 12-14.",
    "themes": ["participation", "mental_wellbeing"],
    "municipality": "758",
    "price": "free",
    "kaikukortti": false,
    "remote": false,
    "languages": ["fi", "se"],
    "checked_on": "2026-11-20"
}))]
pub struct NewActivity {
    /// The programme whose coordinators keep it.
    pub programme_id: Uuid,
    /// Who provides it.
    pub organisation_id: Option<Uuid>,
    /// Its name.
    pub name: Text<{ NAME_MAX }>,
    /// What happens there, and when.
    pub description: Option<LongText<{ NOTE_MAX }>>,
    /// Its themes.
    #[serde(default)]
    pub themes: SetOf<ThemeCode, { THEMES_MAX }>,
    /// Where it is held; none when it is held remotely for everyone.
    pub municipality: Option<Municipality>,
    /// What it costs.
    pub price: PriceCode,
    /// Whether the Kaikukortti opens it.
    #[serde(default)]
    pub kaikukortti: bool,
    /// Whether one can take part remotely.
    #[serde(default)]
    pub remote: bool,
    /// The languages spoken there.
    #[serde(default)]
    pub languages: SetOf<LanguageTag, { LANGUAGES_MAX }>,
    /// When somebody last checked that it is true; today when left out.
    pub checked_on: Option<Date>,
}

/// A change of an entry. What is left out stays.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "checked_on": "2026-11-22", "kaikukortti": true }))]
pub struct ActivityUpdate {
    /// Who provides it; null for nobody known.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub organisation_id: Patch<Uuid>,
    /// Its name.
    #[serde(default)]
    pub name: Change<Text<{ NAME_MAX }>>,
    /// What happens there, and when; null takes it away.
    #[serde(default)]
    pub description: Patch<LongText<{ NOTE_MAX }>>,
    /// Its themes, all of them.
    #[serde(default)]
    pub themes: Change<SetOf<ThemeCode, { THEMES_MAX }>>,
    /// Where it is held; null when it is held remotely for everyone.
    #[serde(default)]
    pub municipality: Patch<Municipality>,
    /// What it costs.
    #[serde(default)]
    pub price: Change<PriceCode>,
    /// Whether the Kaikukortti opens it.
    #[serde(default)]
    pub kaikukortti: Change<bool>,
    /// Whether one can take part remotely.
    #[serde(default)]
    pub remote: Change<bool>,
    /// The languages spoken there, all of them.
    #[serde(default)]
    pub languages: Change<SetOf<LanguageTag, { LANGUAGES_MAX }>>,
    /// When somebody last checked that it is true.
    #[serde(default)]
    #[schema(value_type = Date)]
    pub checked_on: Change<Date>,
    /// Whether one can still join.
    #[serde(default)]
    pub active: Change<bool>,
}

/// An entry of the directory.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000040",
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "organisation_id": "01900000-0000-7000-8000-000000000012",
    "name": "Torstaikerho",
    "description": "Kahvia, laulua ja juttuseuraa seurakuntatalolla torstaisin klo 12-14.",
    "themes": ["participation", "mental_wellbeing"],
    "municipality": "758",
    "price": "free",
    "kaikukortti": false,
    "remote": false,
    "languages": ["fi", "se"],
    "checked_on": "2026-11-20",
    "active": true
}))]
pub struct ActivityView {
    /// Its id.
    pub id: Uuid,
    /// The programme whose coordinators keep it.
    pub programme_id: Uuid,
    /// Who provides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<Uuid>,
    /// Its name.
    #[schema(max_length = 120)]
    pub name: String,
    /// What happens there, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub description: Option<String>,
    /// Its themes.
    #[schema(max_items = 10)]
    pub themes: Vec<ThemeCode>,
    /// Where it is held; left out when it is held remotely for everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub municipality: Option<Municipality>,
    /// What it costs.
    pub price: PriceCode,
    /// Whether the Kaikukortti opens it.
    pub kaikukortti: bool,
    /// Whether one can take part remotely.
    pub remote: bool,
    /// The languages spoken there.
    #[schema(max_items = 20)]
    pub languages: Vec<String>,
    /// When somebody last checked that it is true.
    pub checked_on: NaiveDate,
    /// Whether one can still join.
    pub active: bool,
}

impl From<&Activity> for ActivityView {
    fn from(activity: &Activity) -> Self {
        Self {
            id: activity.id.as_uuid(),
            programme_id: activity.programme.as_uuid(),
            organisation_id: activity.organisation.map(Id::as_uuid),
            name: activity.name.clone(),
            description: activity.description.clone(),
            themes: activity.themes.iter().copied().map(Into::into).collect(),
            municipality: activity.municipality.as_ref().map(Municipality::from),
            price: activity.price.into(),
            kaikukortti: activity.kaikukortti,
            remote: activity.remote,
            languages: activity.languages.iter().cloned().collect(),
            checked_on: activity.checked_on,
            active: activity.active,
        }
    }
}

impl From<Activity> for ActivityView {
    fn from(activity: Activity) -> Self {
        Self::from(&activity)
    }
}
