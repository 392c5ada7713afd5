//! Bodies of the guidance for concerns.

use lahete_domain::codes::{ConcernKind, Language, Obligation};
use lahete_domain::concern::{Guidance, Obligations, obligations};
use lahete_domain::ids::Id as _;
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::text::{LINE_MAX, REASON_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::national::{EMERGENCY_NUMBER, Part, text};
use crate::http::wire::{Change, ConcernKindCode, LongText, ObligationCode, Patch, Text};
use crate::http::wire_sets::{LanguageTag, Municipality, SetOf};

/// Most languages in which an office answers.
pub const LANGUAGES_MAX: usize = 20;

/// Which guidance is wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct GuidanceQuery {
    /// Of this programme; the caller's first one when it is left out.
    pub programme_id: Option<Uuid>,
    /// For this municipality.
    #[param(inline)]
    pub municipality: Option<Municipality>,
    /// For this kind of concern; for all when it is left out.
    pub kind: Option<ConcernKindCode>,
}

/// Who must report and who may, by working relation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"hourly": "duty", "fee": "right", "volunteer": "right"}))]
pub struct ObligationsWire {
    /// Hourly staff, and coordinators.
    pub hourly: ObligationCode,
    /// Those with a fee contract.
    pub fee: ObligationCode,
    /// Volunteers.
    pub volunteer: ObligationCode,
}

impl From<Obligations> for ObligationsWire {
    fn from(all: Obligations) -> Self {
        Self { hourly: all.hourly.into(), fee: all.fee.into(), volunteer: all.volunteer.into() }
    }
}

impl From<ObligationsWire> for Obligations {
    fn from(all: ObligationsWire) -> Self {
        Self { hourly: all.hourly.0, fee: all.fee.0, volunteer: all.volunteer.0 }
    }
}

/// A guidance to add.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "municipality": "261", "kind": "social_care",
    "where": "Lapin hyvinvointialue, Kittilän sosiaalitoimisto", "contact": "Sosiaaliohjaaja", "phone": "+358 40 555 0171",
    "hours": "ma–pe 9–15", "languages": ["fi", "se"]
}))]
pub struct GuidanceCreate {
    /// The programme.
    pub programme_id: Uuid,
    /// The municipality; the whole programme when it is left out.
    pub municipality: Option<Municipality>,
    /// The kind of concern.
    pub kind: ConcernKindCode,
    /// To which office.
    #[serde(rename = "where")]
    pub place: Text<{ LINE_MAX }>,
    /// To whom there.
    pub contact: Option<Text<{ LINE_MAX }>>,
    /// The telephone number.
    pub phone: Option<Text<{ LINE_MAX }>>,
    /// When somebody answers.
    pub hours: Option<Text<{ LINE_MAX }>>,
    /// What the law says; the national text when it is left out.
    pub law: Option<LongText<{ REASON_MAX }>>,
    /// The languages in which somebody answers.
    #[serde(default)]
    pub languages: SetOf<LanguageTag, { LANGUAGES_MAX }>,
    /// Who must and who may; as national law has it when it is left out.
    #[validate(nested)]
    pub obligations: Option<ObligationsWire>,
}

/// A change of a guidance. What is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"hours": "ma–to 9–15"}))]
pub struct GuidanceUpdate {
    /// To which office.
    #[serde(default, rename = "where")]
    pub place: Change<Text<{ LINE_MAX }>>,
    /// To whom there.
    #[serde(default)]
    pub contact: Patch<Text<{ LINE_MAX }>>,
    /// The telephone number.
    #[serde(default)]
    pub phone: Patch<Text<{ LINE_MAX }>>,
    /// When somebody answers.
    #[serde(default)]
    pub hours: Patch<Text<{ LINE_MAX }>>,
    /// What the law says; null takes the national text again.
    #[serde(default)]
    pub law: Patch<LongText<{ REASON_MAX }>>,
    /// The languages in which somebody answers, all of them.
    #[serde(default)]
    pub languages: Change<SetOf<LanguageTag, { LANGUAGES_MAX }>>,
    /// Who must and who may.
    #[serde(default)]
    pub obligations: Change<ObligationsWire>,
}

/// Where one kind of concern is reported.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000e4", "version": 1, "programme_id": "01900000-0000-7000-8000-000000000001",
    "municipality": "758", "kind": "older_person", "national": false, "where": "Lapin hyvinvointialue, ikääntyneiden palvelut",
    "contact": "Palveluohjaaja", "phone": "+358 40 555 0170", "hours": "ma–pe 8–16",
    "law": "Vanhuspalvelulaki 980/2012 25 §: ilmoita, kun iäkäs ihminen ei ilmeisesti pysty huolehtimaan itsestään.",
    "languages": ["fi", "se"], "obligations": {"hourly": "duty", "fee": "right", "volunteer": "right"}, "your_obligation": "right",
    "emergency_number": "112"
}))]
pub struct GuidanceView {
    /// Its id; left out for the national text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Its version; left out for the national text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub version: Option<i64>,
    /// The programme.
    pub programme_id: Uuid,
    /// The municipality whose own it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub municipality: Option<Municipality>,
    /// The kind of concern.
    pub kind: ConcernKindCode,
    /// Whether this is the national text, because the programme has said nothing.
    pub national: bool,
    /// To which office.
    #[serde(rename = "where")]
    #[schema(max_length = 500)]
    pub place: String,
    /// To whom there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub contact: Option<String>,
    /// The telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub phone: Option<String>,
    /// When somebody answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub hours: Option<String>,
    /// What the law says, in plain words. No legal advice.
    #[schema(max_length = 500)]
    pub law: String,
    /// The languages in which somebody answers.
    #[schema(max_items = 20)]
    pub languages: Vec<String>,
    /// Who must and who may.
    pub obligations: ObligationsWire,
    /// What the caller themself has, by the contract that is in force today; coordinators as hourly staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub your_obligation: Option<ObligationCode>,
    /// The number to call when somebody is in danger now.
    #[schema(max_length = 20)]
    pub emergency_number: String,
}

/// The guidance for each kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": []}))]
pub struct GuidanceListView {
    /// One for each kind that was asked for.
    #[schema(max_items = 100)]
    pub items: Vec<GuidanceView>,
}

/// Who asks, and how.
#[derive(Clone, Debug)]
pub struct Asking {
    /// The programme.
    pub programme: Uuid,
    /// The language of national texts.
    pub language: Language,
    /// Chooses the caller's own obligation, if they work here.
    pub relation: Option<lahete_domain::codes::ContractKind>,
}

impl Asking {
    fn own(&self, all: Obligations) -> Option<Obligation> {
        self.relation.map(|contract| all.of(contract))
    }
}

impl GuidanceView {
    /// A row of the programme.
    #[must_use]
    pub fn of(guidance: &Guidance, asking: &Asking) -> Self {
        let law = guidance.law.clone().unwrap_or_else(|| text(guidance.kind, Part::Law, asking.language).to_owned());
        Self {
            id: Some(guidance.id.as_uuid()),
            version: Some(guidance.version.get()),
            programme_id: guidance.programme.as_uuid(),
            municipality: guidance.municipality.as_ref().map(Municipality::from),
            kind: guidance.kind.into(),
            national: false,
            place: guidance.place.clone(),
            contact: guidance.contact.clone(),
            phone: guidance.phone.clone(),
            hours: guidance.hours.clone(),
            law,
            languages: guidance.languages.iter().cloned().collect(),
            obligations: guidance.obligations.into(),
            your_obligation: asking.own(guidance.obligations).map(Into::into),
            emergency_number: EMERGENCY_NUMBER.to_owned(),
        }
    }

    /// The national text.
    #[must_use]
    pub fn national(kind: ConcernKind, asking: &Asking) -> Self {
        let all = obligations(kind);
        Self {
            id: None,
            version: None,
            programme_id: asking.programme,
            municipality: None,
            kind: kind.into(),
            national: true,
            place: text(kind, Part::Place, asking.language).to_owned(),
            contact: None,
            phone: None,
            hours: None,
            law: text(kind, Part::Law, asking.language).to_owned(),
            languages: Vec::new(),
            obligations: all.into(),
            your_obligation: asking.own(all).map(Into::into),
            emergency_number: EMERGENCY_NUMBER.to_owned(),
        }
    }
}

/// The code of a municipality, if there is one.
#[must_use]
pub fn code(municipality: Option<&Municipality>) -> Option<MunicipalityCode> {
    municipality.map(|municipality| municipality.0.clone())
}
