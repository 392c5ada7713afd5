//! Bodies of measures.

use lahete_domain::codes::AnswerMode;
use lahete_domain::ids::{GoalId, Id as _};
use lahete_domain::measure::change::Change;
use lahete_domain::measure::definition::{ANSWER_MAX, Definition, ITEMS_MAX, Scoring};
use lahete_domain::measure::goal_attainment::GoalAnswer;
use lahete_domain::measure::{Answer, Answered, AnswersError};
use lahete_domain::money::hundredths;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::cases::Scored;
use crate::error::{AppError, Fault};
use crate::http::wire::{AnswerModeCode, MissingReasonCode, ScoreBandCode, ScoreChangeCode, TimepointCode, Timestamp};
use crate::http::wire_sets::InstrumentName;

/// The answers to a questionnaire, or why there are none: `mode` with `answers`, or `missing_reason`.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "answered_or_not"))]
#[schema(example = json!({"mode": "helped", "answers": [3, 3, 2, 3, 3, 2, 3]}))]
pub struct MeasureAnswer {
    /// How it was answered.
    pub mode: Option<AnswerModeCode>,
    /// One answer for each item, in the order of the items; null where the client gave none. SWEMWBS: seven of 1 to 5; recommendation: one of 0 to 10.
    #[schema(min_items = 1, max_items = 50)]
    pub answers: Option<Vec<AnswerValue>>,
    /// Why it was not answered.
    pub missing_reason: Option<MissingReasonCode>,
}

/// One answer, or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(transparent)]
pub struct AnswerValue(pub Option<u8>);

impl utoipa::__dev::ComposeSchema for AnswerValue {
    fn compose(_: Vec<utoipa::openapi::RefOr<utoipa::openapi::Schema>>) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
        let kinds = SchemaType::Array(vec![Type::Integer, Type::Null]);
        ObjectBuilder::new().schema_type(kinds).minimum(Some(0)).maximum(Some(i64::from(ANSWER_MAX))).into()
    }
}

impl ToSchema for AnswerValue {
    fn name() -> std::borrow::Cow<'static, str> {
        std::borrow::Cow::Borrowed("InlineAnswerValue")
    }
}

/// The answers of one person, one for each item.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(transparent)]
pub struct AnswerSet(pub Vec<AnswerValue>);

impl utoipa::__dev::ComposeSchema for AnswerSet {
    fn compose(_: Vec<utoipa::openapi::RefOr<utoipa::openapi::Schema>>) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::ArrayBuilder;
        ArrayBuilder::new().items(<AnswerValue as utoipa::PartialSchema>::schema()).min_items(Some(1)).max_items(Some(ITEMS_MAX)).into()
    }
}

impl ToSchema for AnswerSet {
    fn name() -> std::borrow::Cow<'static, str> {
        std::borrow::Cow::Borrowed("InlineAnswerSet")
    }
}

fn check(mode: bool, answers: bool, missing: bool) -> Result<(), ValidationError> {
    if mode == answers && answers != missing {
        return Ok(());
    }
    Err(ValidationError::new("answered_or_not").with_message("Give mode and answers, or the missing_reason alone.".into()))
}

fn answered_or_not(answer: &MeasureAnswer) -> Result<(), ValidationError> {
    check(answer.mode.is_some(), answer.answers.is_some(), answer.missing_reason.is_some())
}

impl MeasureAnswer {
    /// The answer with its score.
    ///
    /// # Errors
    /// 422 below `pointer` when the answers do not fit the instrument.
    pub fn scored(&self, instrument: &Definition, pointer: &str) -> Result<Answer, AppError> {
        match (self.mode, &self.answers, self.missing_reason) {
            (Some(mode), Some(answers), None) => {
                given(instrument, mode.0, Answered::Items(answers.iter().map(|answer| answer.0).collect()), pointer)
            }
            (None, None, Some(reason)) => Ok(Answer::Missing(reason.0)),
            _ => Err(AppError::fault(Fault::new(pointer, "answered_or_not", "Give mode and answers, or the missing_reason alone."))),
        }
    }
}

/// What is wrong with answers, below `pointer`.
pub fn answers_fault(error: AnswersError, pointer: &str) -> Fault {
    let fault = |member: &str, code: &'static str| Fault::new(format!("{pointer}/{member}"), code, format!("{error}."));
    match error {
        AnswersError::Count { wanted } => fault("answers", "wrong_number_of_answers").with("items", wanted),
        AnswersError::Range { min, max } => fault("answers", "out_of_range").with("minimum", min).with("maximum", max),
        AnswersError::Gap => fault("answers", "answer_missing"),
        AnswersError::Form(_) => fault("answers", "wrong_form"),
        AnswersError::Goals => fault("goals", "wrong_goals"),
    }
}

fn given(instrument: &Definition, mode: AnswerMode, answered: Answered, pointer: &str) -> Result<Answer, AppError> {
    Answer::given(instrument, mode, answered).map_err(|error| AppError::fault(answers_fault(error, pointer)))
}

/// How far one goal of the support period was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"goal_id": "01900000-0000-7000-8000-000000000064", "weight": 1, "attained": 1}))]
pub struct GoalAttained {
    /// The goal.
    pub goal_id: Uuid,
    /// How much it weighs among the goals.
    #[schema(minimum = 1, maximum = 100)]
    pub weight: u8,
    /// From −2, much less than expected, over 0, as expected, to 2, much more.
    #[schema(minimum = -2, maximum = 2)]
    pub attained: i8,
}

/// A questionnaire to record.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "recorded_or_not"))]
#[schema(example = json!({"instrument": "swemwbs", "timepoint": "end", "mode": "helped", "answers": [4, 3, 3, 4, 3, 3, 4]}))]
pub struct MeasureCreate {
    /// Which questionnaire; the version that the programme uses now.
    pub instrument: InstrumentName,
    /// When in the work.
    pub timepoint: TimepointCode,
    /// How it was answered. A client answers by themself.
    pub mode: Option<AnswerModeCode>,
    /// One answer for each item, in the order of the items; null where the client gave none. SWEMWBS: seven of 1 to 5; recommendation: one of 0 to 10.
    #[schema(min_items = 1, max_items = 50)]
    pub answers: Option<Vec<AnswerValue>>,
    /// For goal attainment, in place of `answers`: how far each goal was reached.
    #[validate(nested)]
    #[schema(min_items = 1, max_items = 20)]
    pub goals: Option<Vec<GoalAttained>>,
    /// Why it was not answered.
    pub missing_reason: Option<MissingReasonCode>,
}

fn recorded_or_not(measure: &MeasureCreate) -> Result<(), ValidationError> {
    let both = measure.answers.is_some() && measure.goals.is_some();
    check(measure.mode.is_some(), (measure.answers.is_some() || measure.goals.is_some()) && !both, measure.missing_reason.is_some())
}

impl MeasureCreate {
    /// The answer with its score.
    ///
    /// # Errors
    /// 422 when the answers do not fit the instrument.
    pub fn scored(&self, instrument: &Definition) -> Result<Answer, AppError> {
        if let (Some(mode), Some(goals)) = (self.mode, &self.goals) {
            let goal =
                |goal: &GoalAttained| GoalAnswer { goal: GoalId::from_uuid(goal.goal_id), weight: goal.weight, attained: goal.attained };
            return given(instrument, mode.0, Answered::Goals(goals.iter().map(goal).collect()), "");
        }
        MeasureAnswer { mode: self.mode, answers: self.answers.clone(), missing_reason: self.missing_reason }.scored(instrument, "")
    }
}

/// The score of one item, where every item is a score of its own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({"item": "satisfaction", "score": "7.00", "band": "high"}))]
pub struct ItemScoreView {
    /// The key of the item.
    #[schema(max_length = 40)]
    pub item: String,
    /// Its score; null where the client gave no answer.
    #[schema(required = true, max_length = 12)]
    pub score: Option<String>,
    /// The range that the score lies in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<ScoreBandCode>,
}

/// A recorded questionnaire.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000066", "support_period_id": "01900000-0000-7000-8000-000000000063", "instrument": "swemwbs",
    "instrument_version": 1, "timepoint": "start", "mode": "helped", "answers": [3, 3, 2, 3, 3, 2, 3], "raw_score": "19", "score": "17.98",
    "recorded_at": "2026-09-01T09:30:00.000000Z"
}))]
pub struct MeasureView {
    /// Its id.
    pub id: Uuid,
    /// The support period.
    pub support_period_id: Uuid,
    /// Which questionnaire.
    pub instrument: InstrumentName,
    /// The version of it that scored the answers.
    #[schema(minimum = 1)]
    pub instrument_version: u16,
    /// When in the work.
    pub timepoint: TimepointCode,
    /// How it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<AnswerModeCode>,
    /// The answers, one for each item; null where the client gave none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 50)]
    pub answers: Option<Vec<Option<u8>>>,
    /// For goal attainment: how far each goal was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 20)]
    pub goals: Option<Vec<GoalAttained>>,
    /// The plain sum of the answers; none where there is no score of the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_score: Option<String>,
    /// The score to compare by; for SWEMWBS the metric score. None where an answer is missing that it needs, or every item is a score of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<String>,
    /// The range that the score lies in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<ScoreBandCode>,
    /// The scores of the items, where every item is one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 50)]
    pub scores: Option<Vec<ItemScoreView>>,
    /// Why it was not answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_reason: Option<MissingReasonCode>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

fn decimal(score: i32) -> String {
    hundredths(i64::from(score))
}

/// The scores of the items, where every item is one of its own.
fn item_scores(definition: &Definition, answer: &Answer) -> Option<Vec<ItemScoreView>> {
    let scores = answer.item_scores();
    if definition.scoring != Scoring::Separate || scores.is_empty() {
        return None;
    }
    let item = |(item, score): (&lahete_domain::measure::definition::Item, Option<i32>)| ItemScoreView {
        item: item.key.clone(),
        score: score.map(decimal),
        band: score.and_then(|score| definition.band(Some(&item.key), score)).map(Into::into),
    };
    Some(definition.items.iter().zip(scores).map(item).collect())
}

impl From<&Scored> for MeasureView {
    fn from(Scored { measure, definition }: &Scored) -> Self {
        let score = measure.answer.score();
        let (mode, answered, missing_reason) = match &measure.answer {
            Answer::Given { mode, answered, .. } => (Some(*mode), Some(answered), None),
            Answer::Missing(reason) => (None, None, Some(*reason)),
        };
        let (answers, goals) = match answered {
            Some(Answered::Items(answers)) => (Some(answers.clone()), None),
            Some(Answered::Goals(goals)) => {
                let goal = |goal: &GoalAnswer| GoalAttained { goal_id: goal.goal.as_uuid(), weight: goal.weight, attained: goal.attained };
                (None, Some(goals.iter().map(goal).collect()))
            }
            None => (None, None),
        };
        let band = definition.as_ref().zip(score).and_then(|(definition, score)| definition.band(None, score.hundredths));
        Self {
            id: measure.id.as_uuid(),
            support_period_id: measure.support_period.as_uuid(),
            instrument: measure.instrument.clone().into(),
            instrument_version: measure.version,
            timepoint: measure.timepoint.into(),
            mode: mode.map(Into::into),
            answers,
            goals,
            raw_score: score.map(|score| score.raw.to_string()),
            score: score.map(|score| decimal(score.hundredths)),
            band: band.map(Into::into),
            scores: definition.as_ref().and_then(|definition| item_scores(definition, &measure.answer)),
            missing_reason: missing_reason.map(Into::into),
            recorded_at: measure.recorded_at.into(),
        }
    }
}

impl From<Scored> for MeasureView {
    fn from(scored: Scored) -> Self {
        Self::from(&scored)
    }
}

/// What has changed in one score since the start.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "instrument": "swemwbs", "instrument_version": 1, "timepoint": "end", "start": "17.43", "end": "20.73", "change": "3.30",
    "meaning": "reliable_improvement"
}))]
pub struct ScoreChangeView {
    /// Which questionnaire.
    pub instrument: InstrumentName,
    /// The version of the first answer.
    #[schema(minimum = 1)]
    pub instrument_version: u16,
    /// The key of the item, where every item is a score of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40)]
    pub item: Option<String>,
    /// When the later answer was given.
    pub timepoint: TimepointCode,
    /// The score at the start.
    #[schema(max_length = 12)]
    pub start: String,
    /// The later score.
    #[schema(max_length = 12)]
    pub end: String,
    /// The later score less the first one; null when they were made by different versions, which are not compared.
    #[schema(required = true, max_length = 12)]
    pub change: Option<String>,
    /// What the change means for the client, by the thresholds of the instrument and the way its score points.
    pub meaning: ScoreChangeCode,
}

impl From<&Change> for ScoreChangeView {
    fn from(change: &Change) -> Self {
        Self {
            instrument: change.instrument.clone().into(),
            instrument_version: change.from_version,
            item: change.item.clone(),
            timepoint: change.to.into(),
            start: decimal(change.start),
            end: decimal(change.end),
            change: change.difference().map(decimal),
            meaning: change.judgement.into(),
        }
    }
}
