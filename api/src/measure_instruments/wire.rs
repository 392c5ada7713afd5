//! Instruments as they stand in bodies.

use lahete_domain::codes::Language;
use lahete_domain::ids::Id as _;
use lahete_domain::measure::definition::{Band, Definition, Direction, InstrumentKey, Item, MissingRule, Scoring, Thresholds};
use lahete_domain::measure::group::GroupAnswer;
use lahete_domain::measure::registry::{IndividualUse, ItemTexts};
use lahete_domain::money::mean;
use lahete_domain::text::{LINE_MAX, NAME_MAX, NOTE_MAX, REASON_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::cases::InUse;
use crate::code_lists::labels::label_in;
use crate::error::{AppError, Fault};
use crate::http::wire::{Date, Decimal, LongText, ScoreBandCode, Text, Timestamp};
use crate::http::wire_sets::{InstrumentName, LanguageTag};
use crate::measures::wire::AnswerSet;

/// Whose instruments are wanted.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProgrammeQuery {
    /// Those that this programme uses, its own and newer versions included.
    pub programme_id: Option<Uuid>,
}

/// In which programme.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OneProgrammeQuery {
    /// The programme.
    #[param(example = "01900000-0000-7000-8000-000000000001")]
    pub programme_id: Uuid,
}

/// How an instrument is wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InstrumentQuery {
    /// The programme that uses it.
    #[param(example = "01900000-0000-7000-8000-000000000001")]
    pub programme_id: Uuid,
    /// This version; the one in use when left out.
    #[param(minimum = 1, maximum = 32767)]
    pub instrument_version: Option<u16>,
    /// With its words in this language, if the programme has them.
    #[param(inline)]
    pub language: Option<LanguageTag>,
}

/// Which way a score points.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = json!("higher_is_better"))]
pub enum ScoreDirection {
    /// The higher the score, the better it goes.
    HigherIsBetter,
    /// The lower the score, the better it goes.
    LowerIsBetter,
    /// Neither is better.
    None,
}

impl From<Direction> for ScoreDirection {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::HigherIsBetter => Self::HigherIsBetter,
            Direction::LowerIsBetter => Self::LowerIsBetter,
            Direction::Neutral => Self::None,
        }
    }
}

impl From<ScoreDirection> for Direction {
    fn from(direction: ScoreDirection) -> Self {
        match direction {
            ScoreDirection::HigherIsBetter => Self::HigherIsBetter,
            ScoreDirection::LowerIsBetter => Self::LowerIsBetter,
            ScoreDirection::None => Self::Neutral,
        }
    }
}

/// How a score is made of the answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = json!("sum"))]
pub enum ScoringMethod {
    /// Their sum.
    Sum,
    /// Their sum, `times` a number.
    SumTimes,
    /// Their sum, looked up in `table`.
    SumTable,
    /// Their sum less `minus`, `factor` times.
    Linear,
    /// Every item is a score of its own; they are never summed.
    Separate,
    /// The one answer is the score.
    Single,
    /// Goal attainment scaling: a T-score over the goals of the support period.
    GoalAttainment,
}

/// What becomes of answers with a gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = json!("no_score"))]
pub enum GapRule {
    /// They are not taken.
    Refused,
    /// They are kept, without a score.
    NoScore,
}

/// How a score is made of the answers, with what the method needs.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"method": "sum_times", "times": 4}))]
pub struct ScoringRule {
    /// The method.
    pub method: ScoringMethod,
    /// `sum_times`: by what the sum is multiplied.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    pub times: Option<u16>,
    /// `linear`: what is taken off the sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -10000, maximum = 10000)]
    pub minus: Option<i32>,
    /// `linear`: by what the rest is multiplied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<Decimal>,
    /// `sum_table`: the score for each possible sum, from the lowest on; they rise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 1000)]
    pub table: Option<Vec<Decimal>>,
}

impl From<&Scoring> for ScoringRule {
    fn from(scoring: &Scoring) -> Self {
        let plain = |method| Self { method, times: None, minus: None, factor: None, table: None };
        let decimal = |value: &i32| Decimal::from_hundredths(i64::from(*value));
        match scoring {
            Scoring::Sum => plain(ScoringMethod::Sum),
            Scoring::SumTimes(times) => Self { times: Some(*times), ..plain(ScoringMethod::SumTimes) },
            Scoring::SumTable(table) => Self { table: Some(table.iter().map(decimal).collect()), ..plain(ScoringMethod::SumTable) },
            Scoring::Linear { minus, factor } => {
                Self { minus: Some(*minus), factor: Some(decimal(factor)), ..plain(ScoringMethod::Linear) }
            }
            Scoring::Separate => plain(ScoringMethod::Separate),
            Scoring::Single => plain(ScoringMethod::Single),
            Scoring::GoalAttainment => plain(ScoringMethod::GoalAttainment),
        }
    }
}

/// A decimal in hundredths that a score can be.
fn score_of(value: Decimal, pointer: &str) -> Result<i32, AppError> {
    let fits = i32::try_from(value.hundredths()).ok().filter(|score| score.abs() <= 100_000_000);
    fits.ok_or_else(|| AppError::fault(Fault::new(pointer, "out_of_range", "No score is that large.")))
}

impl ScoringRule {
    fn scoring(&self) -> Result<Scoring, AppError> {
        let lacks = |member: &str| AppError::fault(Fault::new(format!("/scoring/{member}"), "needed_by_method", "The method needs it."));
        Ok(match self.method {
            ScoringMethod::Sum => Scoring::Sum,
            ScoringMethod::SumTimes => Scoring::SumTimes(self.times.ok_or_else(|| lacks("times"))?),
            ScoringMethod::SumTable => {
                let table = self.table.as_ref().ok_or_else(|| lacks("table"))?;
                Scoring::SumTable(table.iter().map(|score| score_of(*score, "/scoring/table")).collect::<Result<_, _>>()?)
            }
            ScoringMethod::Linear => Scoring::Linear {
                minus: self.minus.ok_or_else(|| lacks("minus"))?,
                factor: score_of(self.factor.ok_or_else(|| lacks("factor"))?, "/scoring/factor")?,
            },
            ScoringMethod::Separate => Scoring::Separate,
            ScoringMethod::Single => Scoring::Single,
            ScoringMethod::GoalAttainment => Scoring::GoalAttainment,
        })
    }
}

/// A range of scores with a name.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"item": "satisfied", "from": "0", "until": "1", "band": "low"}))]
pub struct ScoreRange {
    /// The item whose score it is about; left out for the score of the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<InstrumentName>,
    /// The lowest score of it.
    pub from: Decimal,
    /// The highest score of it.
    pub until: Decimal,
    /// Its name.
    pub band: ScoreBandCode,
}

impl From<&Band> for ScoreRange {
    fn from(band: &Band) -> Self {
        Self {
            item: band.item.as_deref().and_then(InstrumentKey::parse).map(Into::into),
            from: Decimal::from_hundredths(i64::from(band.from)),
            until: Decimal::from_hundredths(i64::from(band.until)),
            band: band.code.into(),
        }
    }
}

/// An item of an instrument to add.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"key": "worried", "reversed": true}))]
pub struct InstrumentItem {
    /// Its key, in place of its words.
    pub key: InstrumentName,
    /// Whether it points the other way than the instrument.
    #[serde(default)]
    pub reversed: bool,
}

/// An instrument to add, or the next version of one.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "instrument": "everyday4", "title": "Arjen sujuminen, neljä kysymystä",
    "items": [{"key": "getting_up"}, {"key": "meals"}, {"key": "errands"}, {"key": "worried", "reversed": true}],
    "answer_min": 0, "answer_max": 3, "direction": "higher_is_better", "scoring": {"method": "sum"}, "missing_rule": "no_score",
    "reliable_change": "3", "no_change_below": "1", "bands": [{"from": "0", "until": "5", "band": "low"}],
    "notice": "© Esimerkkiyhdistys 2026", "licence": "CC BY 4.0", "group_only": false
}))]
pub struct MeasureInstrumentCreate {
    /// The programme in which it is used.
    pub programme_id: Uuid,
    /// Its name. One that is there already gets its next version.
    pub instrument: InstrumentName,
    /// What it is called.
    pub title: Text<{ NAME_MAX }>,
    /// Its items, in the order of the answers.
    #[validate(nested)]
    #[schema(min_items = 1, max_items = 50)]
    pub items: Vec<InstrumentItem>,
    /// The lowest answer to an item.
    #[schema(minimum = 0, maximum = 100)]
    pub answer_min: i8,
    /// The highest answer to an item.
    #[schema(minimum = 1, maximum = 100)]
    pub answer_max: i8,
    /// Which way its score points.
    pub direction: ScoreDirection,
    /// How the score is made.
    #[validate(nested)]
    pub scoring: ScoringRule,
    /// What becomes of answers with a gap.
    pub missing_rule: GapRule,
    /// From where on a change of the score is reliable.
    pub reliable_change: Option<Decimal>,
    /// Below what there is no change; the same as `reliable_change` when left out.
    pub no_change_below: Option<Decimal>,
    /// Ranges of scores with names; they do not overlap.
    #[serde(default)]
    #[validate(nested)]
    #[schema(max_items = 50)]
    pub bands: Vec<ScoreRange>,
    /// The notice that must stand on every copy.
    pub notice: Option<Text<{ REASON_MAX }>>,
    /// Under which terms it may be used.
    pub licence: Option<Text<{ REASON_MAX }>>,
    /// How its results are to be cited.
    pub citation: Option<Text<{ REASON_MAX }>>,
    /// Whether it is meant for groups alone.
    #[serde(default)]
    pub group_only: bool,
}

impl MeasureInstrumentCreate {
    /// What the body defines, as a version. Whether it makes sense is asked of the definition.
    ///
    /// # Errors
    /// 422 when the scoring lacks something, or a number is too large.
    pub fn definition(&self, version: u16) -> Result<Definition, AppError> {
        let limit = |value: Option<Decimal>, pointer| value.map(|value| score_of(value, pointer)).transpose();
        let (reliable, none_below) = (limit(self.reliable_change, "/reliable_change")?, limit(self.no_change_below, "/no_change_below")?);
        if reliable.is_none() && none_below.is_some() {
            return Err(AppError::fault(Fault::new("/reliable_change", "incomplete", "One goes with the other.")));
        }
        let band = |(place, range): (usize, &ScoreRange)| {
            Ok(Band {
                item: range.item.as_ref().map(|item| item.0.as_str().to_owned()),
                from: score_of(range.from, &format!("/bands/{place}/from"))?,
                until: score_of(range.until, &format!("/bands/{place}/until"))?,
                code: range.band.0,
            })
        };
        let words = |text: &Option<Text<{ REASON_MAX }>>| text.as_ref().map(|text| text.as_str().to_owned());
        Ok(Definition {
            key: self.instrument.0.clone(),
            version,
            title: Some(self.title.as_str().to_owned()),
            items: self.items.iter().map(|item| Item { key: item.key.0.as_str().to_owned(), reversed: item.reversed }).collect(),
            answer_min: self.answer_min,
            answer_max: self.answer_max,
            direction: self.direction.into(),
            scoring: self.scoring.scoring()?,
            missing: match self.missing_rule {
                GapRule::Refused => MissingRule::Refused,
                GapRule::NoScore => MissingRule::NoScore,
            },
            thresholds: reliable.map(|reliable| Thresholds { reliable, none_below: none_below.unwrap_or(reliable) }),
            bands: self.bands.iter().enumerate().map(band).collect::<Result<_, AppError>>()?,
            notice: words(&self.notice),
            licence: words(&self.licence),
            citation: words(&self.citation),
            group_only: self.group_only,
        })
    }
}

/// A questionnaire that the program can score. Its texts come from whoever holds the licence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "instrument": "who5", "version": 1, "title": "WHO-5 Well-Being Index",
    "items": ["cheerful", "calm", "active", "rested", "interested"], "reversed": [], "answer_min": 0, "answer_max": 5,
    "direction": "higher_is_better", "scoring": {"method": "sum_times", "times": 4}, "missing_rule": "no_score",
    "reliable_change": "10.00", "no_change_below": "10.00", "bands": [],
    "notice": "WHO-5 Well-Being Index © World Health Organization, 1998.", "group_only": false
}))]
pub struct MeasureInstrumentView {
    /// The instrument.
    pub instrument: InstrumentName,
    /// Its version.
    #[schema(minimum = 1)]
    pub version: u16,
    /// What it is called.
    #[schema(max_length = 120)]
    pub title: String,
    /// The keys of its items, in the order of the answers; none for goal attainment, whose items are the goals of the support period.
    #[schema(max_items = 50)]
    pub items: Vec<String>,
    /// The keys of those that point the other way.
    #[schema(max_items = 50)]
    pub reversed: Vec<String>,
    /// The lowest answer to an item.
    pub answer_min: i8,
    /// The highest answer to an item.
    pub answer_max: i8,
    /// Which way its score points.
    pub direction: ScoreDirection,
    /// How the score is made.
    pub scoring: ScoringRule,
    /// What becomes of answers with a gap.
    pub missing_rule: GapRule,
    /// From where on a change of the score is reliable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reliable_change: Option<Decimal>,
    /// Below what there is no change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_change_below: Option<Decimal>,
    /// Ranges of scores with names.
    #[schema(max_items = 50)]
    pub bands: Vec<ScoreRange>,
    /// The notice that must stand on every copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub notice: Option<String>,
    /// Under which terms it may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub licence: Option<String>,
    /// How its results are to be cited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub citation: Option<String>,
    /// Whether it is meant for groups alone, so that a programme has to decide to ask single persons.
    pub group_only: bool,
}

impl MeasureInstrumentView {
    /// The view of a version; what shipped ones are called stands in the code list.
    #[must_use]
    pub fn of(definition: &Definition, language: Language) -> Self {
        let decimal = |value: i32| Decimal::from_hundredths(i64::from(value));
        let title = definition.title.clone();
        Self {
            instrument: definition.key.clone().into(),
            version: definition.version,
            title: title.unwrap_or_else(|| label_in("instruments", definition.key.as_str(), language)),
            items: definition.items.iter().map(|item| item.key.clone()).collect(),
            reversed: definition.items.iter().filter(|item| item.reversed).map(|item| item.key.clone()).collect(),
            answer_min: definition.answer_min,
            answer_max: definition.answer_max,
            direction: definition.direction.into(),
            scoring: (&definition.scoring).into(),
            missing_rule: match definition.missing {
                MissingRule::Refused => GapRule::Refused,
                MissingRule::NoScore => GapRule::NoScore,
            },
            reliable_change: definition.thresholds.map(|limits| decimal(limits.reliable)),
            no_change_below: definition.thresholds.map(|limits| decimal(limits.none_below)),
            bands: definition.bands.iter().map(Into::into).collect(),
            notice: definition.notice.clone(),
            licence: definition.licence.clone(),
            citation: definition.citation.clone(),
            group_only: definition.group_only,
        }
    }
}

/// The words of one item.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"key": "cheerful", "text": "(Väite 1 – lisenssinhaltijan teksti)"}))]
pub struct ItemTextCreate {
    /// The key of the item.
    pub key: InstrumentName,
    /// Its words.
    pub text: LongText<{ NOTE_MAX }>,
}

/// What an answer is called.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"answer": 0, "text": "(Vastaus 0)"}))]
pub struct AnswerLabelCreate {
    /// The answer.
    #[schema(minimum = 0, maximum = 100)]
    pub answer: u8,
    /// What it is called.
    pub text: Text<{ LINE_MAX }>,
}

/// The words of an instrument in one language, to load.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "language": "fi",
    "items": [
        {"key": "cheerful", "text": "(Väite 1 – lisenssinhaltijan teksti)"}, {"key": "calm", "text": "(Väite 2 – lisenssinhaltijan teksti)"},
        {"key": "active", "text": "(Väite 3 – lisenssinhaltijan teksti)"}, {"key": "rested", "text": "(Väite 4 – lisenssinhaltijan teksti)"},
        {"key": "interested", "text": "(Väite 5 – lisenssinhaltijan teksti)"}
    ],
    "answer_labels": [{"answer": 0, "text": "(Vastaus 0)"}, {"answer": 5, "text": "(Vastaus 5)"}],
    "licence_ref": "Lupa 2026-11", "text_source": "Lisenssinhaltijan lomake, versio 1"
}))]
pub struct MeasureTextCreate {
    /// The programme that holds the licence.
    pub programme_id: Uuid,
    /// The version whose words they are; the one in use when left out.
    #[schema(minimum = 1, maximum = 32767)]
    pub instrument_version: Option<u16>,
    /// The language of the words, any.
    pub language: LanguageTag,
    /// One text for each item, in the order of the items.
    #[validate(nested)]
    #[schema(min_items = 1, max_items = 50)]
    pub items: Vec<ItemTextCreate>,
    /// What the answers are called.
    #[serde(default)]
    #[validate(nested)]
    #[schema(max_items = 101)]
    pub answer_labels: Vec<AnswerLabelCreate>,
    /// The licence under which they are shown.
    pub licence_ref: Text<{ LINE_MAX }>,
    /// Where they come from.
    pub text_source: Text<{ LINE_MAX }>,
}

/// The words of one item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({"key": "companionship", "text": "(Kysymys 1 – paikka lisenssinhaltijan tekstille)"}))]
pub struct ItemTextView {
    /// The key of the item.
    #[schema(max_length = 40)]
    pub key: String,
    /// Its words.
    #[schema(max_length = 2000)]
    pub text: String,
}

/// What an answer is called.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({"answer": 1, "text": "(Vastaus 1)"}))]
pub struct AnswerLabelView {
    /// The answer.
    pub answer: u8,
    /// What it is called.
    #[schema(max_length = 200)]
    pub text: String,
}

/// The words of an instrument in one language.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000e0", "programme_id": "01900000-0000-7000-8000-000000000001", "instrument": "ucla3",
    "instrument_version": 1, "language": "fi",
    "items": [{"key": "companionship", "text": "(Kysymys 1 – paikka lisenssinhaltijan tekstille)"}],
    "answer_labels": [{"answer": 1, "text": "(Vastaus 1)"}],
    "licence_ref": "Esimerkkilupa 1/2026", "text_source": "Keksitty esimerkki", "loaded_at": "2026-11-22T10:00:00.000000Z"
}))]
pub struct MeasureTextView {
    /// Their id.
    pub id: Uuid,
    /// The programme that has loaded them.
    pub programme_id: Uuid,
    /// The instrument.
    pub instrument: InstrumentName,
    /// The version whose words they are.
    #[schema(minimum = 1)]
    pub instrument_version: u16,
    /// The language.
    #[schema(max_length = 35)]
    pub language: String,
    /// The words of each item.
    #[schema(max_items = 50)]
    pub items: Vec<ItemTextView>,
    /// What the answers are called.
    #[schema(max_items = 101)]
    pub answer_labels: Vec<AnswerLabelView>,
    /// The licence under which they are shown.
    #[schema(max_length = 200)]
    pub licence_ref: String,
    /// Where they come from.
    #[schema(max_length = 200)]
    pub text_source: String,
    /// When they were loaded.
    pub loaded_at: Timestamp,
}

impl From<&ItemTexts> for MeasureTextView {
    fn from(texts: &ItemTexts) -> Self {
        Self {
            id: texts.id.as_uuid(),
            programme_id: texts.programme.as_uuid(),
            instrument: texts.instrument.clone().into(),
            instrument_version: texts.version,
            language: texts.language.clone(),
            items: texts.items.iter().map(|(key, text)| ItemTextView { key: key.clone(), text: text.clone() }).collect(),
            answer_labels: texts
                .answer_labels
                .iter()
                .map(|(answer, text)| AnswerLabelView { answer: *answer, text: text.clone() })
                .collect(),
            licence_ref: texts.licence_ref.clone(),
            text_source: texts.text_source.clone(),
            loaded_at: texts.loaded_at.into(),
        }
    }
}

impl From<ItemTexts> for MeasureTextView {
    fn from(texts: ItemTexts) -> Self {
        Self::from(&texts)
    }
}

/// An instrument as a programme uses it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "definition": {
        "instrument": "ucla3", "version": 1, "title": "Yksinäisyys, kolme kysymystä (UCLA-3)", "items": ["companionship", "left_out", "isolated"],
        "reversed": [], "answer_min": 1, "answer_max": 3, "direction": "lower_is_better", "scoring": {"method": "sum"}, "missing_rule": "no_score",
        "bands": [], "group_only": false
    },
    "single_persons": true
}))]
pub struct MeasureInstrumentDetail {
    /// The instrument.
    pub definition: MeasureInstrumentView,
    /// Whether single persons may be asked with it in this programme.
    pub single_persons: bool,
    /// The decision to ask them, where the instrument is meant for groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub individual_use: Option<IndividualUseView>,
    /// Its words in the language that was asked for, if the programme has loaded them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts: Option<MeasureTextView>,
}

impl MeasureInstrumentDetail {
    /// The view of an instrument in use.
    #[must_use]
    pub fn of(found: &InUse, language: Language) -> Self {
        Self {
            definition: MeasureInstrumentView::of(&found.definition, language),
            single_persons: !found.definition.group_only || found.individual_use.is_some(),
            individual_use: found.individual_use.as_ref().map(Into::into),
            texts: found.texts.as_ref().map(Into::into),
        }
    }
}

/// The decision to ask single persons.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "reason": "Tutkimus THL:n kanssa, tutkimuslupa 12/2026."
}))]
pub struct IndividualUseBegin {
    /// The programme that decides it.
    pub programme_id: Uuid,
    /// Why.
    pub reason: LongText<{ REASON_MAX }>,
}

/// The decision not to ask single persons any more.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"programme_id": "01900000-0000-7000-8000-000000000001", "reason": "Tutkimus on päättynyt."}))]
pub struct IndividualUseEnd {
    /// The programme that decides it.
    pub programme_id: Uuid,
    /// Why.
    pub reason: LongText<{ REASON_MAX }>,
}

/// The time in which a programme asks single persons with an instrument that is meant for groups.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "instrument": "esis", "reason": "Tutkimus THL:n kanssa, tutkimuslupa 12/2026.",
    "begun_at": "2026-11-22T10:00:00.000000Z", "begun_by": "01900000-0000-7000-8000-000000000026"
}))]
pub struct IndividualUseView {
    /// The programme.
    pub programme_id: Uuid,
    /// The instrument.
    pub instrument: InstrumentName,
    /// Why.
    #[schema(max_length = 500)]
    pub reason: String,
    /// Since when.
    pub begun_at: Timestamp,
    /// Who decided it.
    pub begun_by: Uuid,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Who ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<Uuid>,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub end_reason: Option<String>,
}

impl From<&IndividualUse> for IndividualUseView {
    fn from(decided: &IndividualUse) -> Self {
        let ended = decided.ended.as_ref();
        Self {
            programme_id: decided.programme.as_uuid(),
            instrument: decided.instrument.clone().into(),
            reason: decided.reason.clone(),
            begun_at: decided.begun_at.into(),
            begun_by: decided.begun_by.as_uuid(),
            ended_at: ended.map(|(at, _, _)| (*at).into()),
            ended_by: ended.map(|(_, by, _)| by.as_uuid()),
            end_reason: ended.map(|(_, _, reason)| reason.clone()),
        }
    }
}

/// What a group answered on a day.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "held_on": "2026-11-20",
    "answers": [
        [3, 3, 2, 3, 4, 3, 3, 2, 3, 3], [4, 4, 3, 4, 4, 5, 4, 3, 4, 4], [2, 3, 2, 2, 3, 3, 2, 2, 3, 2], [5, 4, 4, 5, 4, 4, 5, 4, 4, 5],
        [3, 4, 3, 3, 3, 4, 3, 3, 3, 4]
    ]
}))]
pub struct GroupAnswerCreate {
    /// The programme that held the session.
    pub programme_id: Uuid,
    /// The day of the session, today or before.
    pub held_on: Date,
    /// The answers of each person, in the order of the items; in any order of persons.
    #[schema(min_items = 5, max_items = 200)]
    pub answers: Vec<AnswerSet>,
}

/// What a group answered on a day, without persons.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000e1", "programme_id": "01900000-0000-7000-8000-000000000001", "instrument": "esis",
    "instrument_version": 1, "held_on": "2026-11-20", "people": 5, "mean_score": "56.50", "answers": [[3, 3, 2, 3, 4, 3, 3, 2, 3, 3]],
    "recorded_at": "2026-11-20T12:00:00.000000Z"
}))]
pub struct GroupAnswerView {
    /// Its id.
    pub id: Uuid,
    /// The programme.
    pub programme_id: Uuid,
    /// The instrument.
    pub instrument: InstrumentName,
    /// The version that scored the answers.
    #[schema(minimum = 1)]
    pub instrument_version: u16,
    /// The day of the session.
    pub held_on: Date,
    /// How many people answered.
    #[schema(minimum = 5)]
    pub people: usize,
    /// The mean of the scores; null where every item is a score of its own.
    #[schema(required = true, max_length = 12)]
    pub mean_score: Option<String>,
    /// The answers, sorted, so that their order says nothing about who gave them.
    #[schema(max_items = 200)]
    pub answers: Vec<Vec<Option<u8>>>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

impl From<&GroupAnswer> for GroupAnswerView {
    fn from(group: &GroupAnswer) -> Self {
        let (sum, count) = group.total();
        // Scores are hundredths, so the mean of the score itself is over a hundred times as many.
        let mean_score = mean(sum, count.saturating_mul(100), 2);
        Self {
            id: group.id.as_uuid(),
            programme_id: group.programme.as_uuid(),
            instrument: group.instrument.clone().into(),
            instrument_version: group.version,
            held_on: group.held_on,
            people: group.answers.len(),
            mean_score,
            answers: group.answers.clone(),
            recorded_at: group.recorded_at.into(),
        }
    }
}

impl From<GroupAnswer> for GroupAnswerView {
    fn from(group: GroupAnswer) -> Self {
        Self::from(&group)
    }
}
