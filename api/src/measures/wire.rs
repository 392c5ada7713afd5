//! Bodies of measures.

use lahete_domain::codes::Instrument;
use lahete_domain::ids::Id as _;
use lahete_domain::measure::{Answer, AnswersError, Measure};
use lahete_domain::money::hundredths;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::error::{AppError, Fault};
use crate::http::wire::{AnswerModeCode, InstrumentCode, MissingReasonCode, TimepointCode, Timestamp};

/// The answers to a questionnaire, or why there are none: `mode` with `answers`, or `missing_reason`.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "answered_or_not"))]
#[schema(example = json!({"mode": "helped", "answers": [3, 3, 2, 3, 3, 2, 3]}))]
pub struct MeasureAnswer {
    /// How it was answered.
    pub mode: Option<AnswerModeCode>,
    /// One answer for each item, in the order of the items. SWEMWBS: seven of 1 to 5; recommendation: one of 0 to 10.
    #[schema(min_items = 1, max_items = 20)]
    pub answers: Option<Vec<AnswerValue>>,
    /// Why it was not answered.
    pub missing_reason: Option<MissingReasonCode>,
}

/// One answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(transparent)]
pub struct AnswerValue(pub u8);

impl utoipa::__dev::ComposeSchema for AnswerValue {
    fn compose(_: Vec<utoipa::openapi::RefOr<utoipa::openapi::Schema>>) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(10)).into()
    }
}

impl ToSchema for AnswerValue {
    fn name() -> std::borrow::Cow<'static, str> {
        std::borrow::Cow::Borrowed("InlineAnswerValue")
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
    pub fn scored(&self, instrument: Instrument, pointer: &str) -> Result<Answer, AppError> {
        match (self.mode, &self.answers, self.missing_reason) {
            (Some(mode), Some(answers), None) => {
                let answers = answers.iter().map(|answer| answer.0).collect();
                Answer::given(instrument, mode.0, answers).map_err(|error| {
                    let fault = |code: &'static str| Fault::new(format!("{pointer}/answers"), code, format!("{error}."));
                    AppError::fault(match error {
                        AnswersError::Count { wanted } => fault("wrong_number_of_answers").with("items", wanted),
                        AnswersError::Range { min, max } => fault("out_of_range").with("minimum", min).with("maximum", max),
                    })
                })
            }
            (None, None, Some(reason)) => Ok(Answer::Missing(reason.0)),
            _ => Err(AppError::fault(Fault::new(pointer, "answered_or_not", "Give mode and answers, or the missing_reason alone."))),
        }
    }
}

/// A questionnaire to record.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "recorded_or_not"))]
#[schema(example = json!({"instrument": "swemwbs", "timepoint": "end", "mode": "helped", "answers": [4, 3, 3, 4, 3, 3, 4]}))]
pub struct MeasureCreate {
    /// Which questionnaire.
    pub instrument: InstrumentCode,
    /// When in the work.
    pub timepoint: TimepointCode,
    /// How it was answered.
    pub mode: Option<AnswerModeCode>,
    /// One answer for each item, in the order of the items. SWEMWBS: seven of 1 to 5; recommendation: one of 0 to 10.
    #[schema(min_items = 1, max_items = 20)]
    pub answers: Option<Vec<AnswerValue>>,
    /// Why it was not answered.
    pub missing_reason: Option<MissingReasonCode>,
}

fn recorded_or_not(measure: &MeasureCreate) -> Result<(), ValidationError> {
    check(measure.mode.is_some(), measure.answers.is_some(), measure.missing_reason.is_some())
}

impl MeasureCreate {
    /// The part that is the answer.
    #[must_use]
    pub fn answer(&self) -> MeasureAnswer {
        MeasureAnswer { mode: self.mode, answers: self.answers.clone(), missing_reason: self.missing_reason }
    }
}

/// A recorded questionnaire.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000066", "support_period_id": "01900000-0000-7000-8000-000000000063", "instrument": "swemwbs",
    "timepoint": "start", "mode": "helped", "answers": [3, 3, 2, 3, 3, 2, 3], "raw_score": "19", "score": "17.98",
    "recorded_at": "2026-09-01T09:30:00.000000Z"
}))]
pub struct MeasureView {
    /// Its id.
    pub id: Uuid,
    /// The support period.
    pub support_period_id: Uuid,
    /// Which questionnaire.
    pub instrument: InstrumentCode,
    /// When in the work.
    pub timepoint: TimepointCode,
    /// How it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<AnswerModeCode>,
    /// The answers, one for each item.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 20)]
    pub answers: Option<Vec<u8>>,
    /// The plain sum of the answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_score: Option<String>,
    /// The score to compare by; for SWEMWBS the metric score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<String>,
    /// Why it was not answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_reason: Option<MissingReasonCode>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

impl From<&Measure> for MeasureView {
    fn from(measure: &Measure) -> Self {
        let score = measure.answer.score();
        let (mode, answers, missing_reason) = match &measure.answer {
            Answer::Given { mode, answers, .. } => (Some(*mode), Some(answers.clone()), None),
            Answer::Missing(reason) => (None, None, Some(*reason)),
        };
        Self {
            id: measure.id.as_uuid(),
            support_period_id: measure.support_period.as_uuid(),
            instrument: measure.instrument.into(),
            timepoint: measure.timepoint.into(),
            mode: mode.map(Into::into),
            answers,
            raw_score: score.map(|score| score.raw.to_string()),
            score: score.map(|score| hundredths(i64::from(score.hundredths))),
            missing_reason: missing_reason.map(Into::into),
            recorded_at: measure.recorded_at.into(),
        }
    }
}

impl From<Measure> for MeasureView {
    fn from(measure: Measure) -> Self {
        Self::from(&measure)
    }
}
