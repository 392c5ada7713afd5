//! Organisations as they stand in bodies and queries.

use lahete_domain::ids::Id as _;
use lahete_domain::text::NAME_MAX;
use lahete_domain::user::Organisation;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{Change, OrganisationKindCode, Patch, SectorCode, Text};
use crate::http::wire_sets::Municipality;

/// An organisation that refers, employs link workers or arranges activities.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000011",
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "name": "Lapin hyvinvointialue / vanhuspalvelut",
    "kind": "wellbeing_county",
    "sector": "elderly",
    "municipality": "758",
    "active": true
}))]
pub struct OrganisationView {
    /// The organisation's id.
    pub id: Uuid,
    /// The programme that it takes part in.
    pub programme_id: Uuid,
    /// Its name.
    #[schema(max_length = 120)]
    pub name: String,
    /// What kind it is.
    pub kind: OrganisationKindCode,
    /// The sector of its referrers; taken over into a referral that names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector: Option<SectorCode>,
    /// Its municipality, when it belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub municipality: Option<Municipality>,
    /// Whether it still takes part.
    pub active: bool,
}

impl From<&Organisation> for OrganisationView {
    fn from(organisation: &Organisation) -> Self {
        Self {
            id: organisation.id.as_uuid(),
            programme_id: organisation.programme.as_uuid(),
            name: organisation.name.clone(),
            kind: organisation.kind.into(),
            sector: organisation.sector.map(Into::into),
            municipality: organisation.municipality.clone().map(Municipality),
            active: organisation.active,
        }
    }
}

/// A new organisation.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "name": "Sodankylän kirjasto",
    "kind": "municipality",
    "sector": "education_culture",
    "municipality": "758"
}))]
pub struct OrganisationNew {
    /// The programme that it takes part in.
    pub programme_id: Uuid,
    /// Its name.
    pub name: Text<{ NAME_MAX }>,
    /// What kind it is.
    pub kind: OrganisationKindCode,
    /// The sector of its referrers.
    pub sector: Option<SectorCode>,
    /// Its municipality, when it belongs to one.
    pub municipality: Option<Municipality>,
}

/// A change of an organisation. Members left out stay as they are.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Sodankylän kunnankirjasto"}))]
pub struct OrganisationUpdate {
    /// Its name.
    #[serde(default)]
    pub name: Change<Text<{ NAME_MAX }>>,
    /// What kind it is.
    #[serde(default)]
    pub kind: Change<OrganisationKindCode>,
    /// The sector of its referrers.
    #[serde(default)]
    pub sector: Patch<SectorCode>,
    /// Its municipality.
    #[serde(default)]
    pub municipality: Patch<Municipality>,
    /// Whether it still takes part.
    #[serde(default)]
    pub active: Change<bool>,
}

/// Which organisations are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrganisationQuery {
    /// Only those of this programme.
    pub programme_id: Option<Uuid>,
    /// Only those of this kind.
    pub kind: Option<OrganisationKindCode>,
    /// Only those in this municipality.
    #[param(value_type = Option<String>, pattern = "^[0-9]{3}$", min_length = 3, max_length = 3)]
    pub municipality: Option<Municipality>,
    /// Only those that take part, or only the others.
    pub active: Option<bool>,
}
