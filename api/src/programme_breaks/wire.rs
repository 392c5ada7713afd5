//! Bodies of programme breaks.

use std::collections::BTreeMap;

use lahete_domain::actor::Validity;
use lahete_domain::codes::Language;
use lahete_domain::ids::Id as _;
use lahete_domain::programme_break::ProgrammeBreak;
use lahete_domain::text::REASON_MAX;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::http::wire::{BreakReasonCode, Change, Date, LongText, Patch, expect_days_in_order};

/// What is said about a break, in the languages in which somebody has said it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"fi": "Joulutauko: palaamme loppiaisen jälkeen.", "sv": "Juluppehåll: vi är tillbaka efter trettondagen."}))]
pub struct BreakWords {
    /// Finnish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fi: Option<LongText<{ REASON_MAX }>>,
    /// Swedish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sv: Option<LongText<{ REASON_MAX }>>,
    /// English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub en: Option<LongText<{ REASON_MAX }>>,
    /// Northern Sámi.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub se: Option<LongText<{ REASON_MAX }>>,
    /// Inari Sámi.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smn: Option<LongText<{ REASON_MAX }>>,
    /// Skolt Sámi.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms: Option<LongText<{ REASON_MAX }>>,
}

impl From<BreakWords> for BTreeMap<Language, String> {
    fn from(words: BreakWords) -> Self {
        [
            (Language::Finnish, words.fi),
            (Language::Swedish, words.sv),
            (Language::English, words.en),
            (Language::NorthernSami, words.se),
            (Language::InariSami, words.smn),
            (Language::SkoltSami, words.sms),
        ]
        .into_iter()
        .filter_map(|(language, words)| Some((language, words?.into_string())))
        .collect()
    }
}

impl From<&BTreeMap<Language, String>> for BreakWords {
    fn from(all: &BTreeMap<Language, String>) -> Self {
        let in_language = |language| all.get(&language).cloned().and_then(LongText::new);
        Self {
            fi: in_language(Language::Finnish),
            sv: in_language(Language::Swedish),
            en: in_language(Language::English),
            se: in_language(Language::NorthernSami),
            smn: in_language(Language::InariSami),
            sms: in_language(Language::SkoltSami),
        }
    }
}

/// A break to add.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "days_in_order"))]
#[schema(example = json!({
    "from": "2027-07-01", "until": "2027-07-31", "reason": "holiday_season", "words": {"fi": "Heinäkuussa lepäämme kaikki."}
}))]
pub struct ProgrammeBreakCreate {
    /// The first day.
    pub from: Date,
    /// The last day; left out while it is not known.
    pub until: Option<Date>,
    /// Why.
    pub reason: BreakReasonCode,
    /// What is said about it.
    #[serde(default)]
    #[validate(nested)]
    pub words: BreakWords,
}

fn days_in_order(found: &ProgrammeBreakCreate) -> Result<(), ValidationError> {
    expect_days_in_order(Validity { from: found.from, until: found.until })
}

/// A change of a break. What is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"until": "2027-01-10"}))]
pub struct ProgrammeBreakUpdate {
    /// The first day.
    #[serde(default)]
    #[schema(value_type = Date)]
    pub from: Change<Date>,
    /// The last day; null when it is not known.
    #[serde(default)]
    #[schema(value_type = Option<Date>)]
    pub until: Patch<Date>,
    /// Why.
    #[serde(default)]
    pub reason: Change<BreakReasonCode>,
    /// What is said about it, in all languages.
    #[serde(default)]
    pub words: Change<BreakWords>,
}

/// A time in which a programme does not work: no clock runs against anybody.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000ed", "version": 1, "programme_id": "01900000-0000-7000-8000-000000000001",
    "from": "2026-12-24", "until": "2027-01-06", "reason": "holiday_season", "words": {"fi": "Joulutauko: palaamme loppiaisen jälkeen."},
    "current": false
}))]
pub struct ProgrammeBreakView {
    /// Its id.
    pub id: Uuid,
    /// The version, for `If-Match`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The programme.
    pub programme_id: Uuid,
    /// The first day.
    pub from: Date,
    /// The last day; left out while it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Why.
    pub reason: BreakReasonCode,
    /// What is said about it.
    pub words: BreakWords,
    /// Whether today lies in it.
    pub current: bool,
}

impl ProgrammeBreakView {
    /// A break as it is on a day.
    #[must_use]
    pub fn of(found: &ProgrammeBreak, today: Date) -> Self {
        Self {
            id: found.id.as_uuid(),
            version: found.version.get(),
            programme_id: found.programme.as_uuid(),
            from: found.days.from,
            until: found.days.until,
            reason: found.reason.into(),
            words: BreakWords::from(&found.words),
            current: found.days.covers(today),
        }
    }
}
