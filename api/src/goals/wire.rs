//! Bodies of goals.

use lahete_domain::goal::{Goal, GoalStep, STEPS_MAX, Teller};
use lahete_domain::ids::Id as _;
use lahete_domain::text::{NOTE_MAX, REASON_MAX};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{Change, GoalOutcomeCode, LongText, OutcomeSourceCode, Patch, RoleCode, Text, Timestamp};

/// A step towards a goal, as it is written down.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"words": "Call the club together", "done": true}))]
pub struct GoalStepWrite {
    /// What is to be done, in words.
    pub words: Text<{ REASON_MAX }>,
    /// Whether it was done; not yet when left out.
    pub done: Option<bool>,
}

impl From<GoalStepWrite> for GoalStep {
    fn from(step: GoalStepWrite) -> Self {
        Self { words: step.words.into_string(), done: step.done.unwrap_or(false) }
    }
}

/// A goal to write down.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "words": "I want to go to the Thursday club without being afraid of coming in alone.",
    "steps": [{"words": "Call the club together"}, {"words": "Go there together twice"}, {"words": "Go there alone"}]
}))]
pub struct GoalCreate {
    /// The goal in the client's words, in any language.
    pub words: LongText<{ NOTE_MAX }>,
    /// Steps towards it, in the order in which they are taken.
    #[serde(default)]
    #[validate(nested)]
    #[schema(max_items = 20)]
    pub steps: Vec<GoalStepWrite>,
}

/// A change of a goal.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "partly"}))]
pub struct GoalUpdate {
    /// The goal in the client's words. For those who write the plan: coordinator and link worker.
    #[serde(default)]
    pub words: Change<LongText<{ NOTE_MAX }>>,
    /// All steps, in place of the present ones. For those who write the plan; one of them is marked as done by `mark-step`.
    #[validate(nested)]
    #[schema(max_items = 20)]
    pub steps: Option<Vec<GoalStepWrite>>,
    /// What became of it, by the client's word; null takes it back. What the client has said themself, nobody else can change.
    #[serde(default)]
    pub outcome: Patch<GoalOutcomeCode>,
}

/// One step that was done.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"step": 1, "done": true}))]
pub struct GoalStepMark {
    /// Which step, counted from one.
    #[schema(minimum = 1, maximum = 20)]
    pub step: u8,
    /// Whether it was done; false when it was not after all.
    pub done: bool,
}

/// A step towards a goal.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"words": "Call the club together", "done": true}))]
pub struct GoalStepView {
    /// What is to be done.
    pub words: String,
    /// Whether it was done.
    pub done: bool,
}

/// Whose word the outcome is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "source": "as_told", "role": "link_worker", "user_id": "01900000-0000-7000-8000-000000000022", "at": "2026-11-20T12:00:00.000000Z"
}))]
pub struct OutcomeByView {
    /// `own_word`: the client has written it down themself. `as_told`: somebody has, as the client said it.
    pub source: OutcomeSourceCode,
    /// In which role it was written down.
    pub role: RoleCode,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
    /// When.
    pub at: Timestamp,
}

impl From<Teller> for OutcomeByView {
    fn from(teller: Teller) -> Self {
        Self {
            source: teller.source().into(),
            role: teller.role.into(),
            user_id: teller.user.map(|user| user.as_uuid()),
            at: teller.at.into(),
        }
    }
}

/// A goal.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000064", "support_period_id": "01900000-0000-7000-8000-000000000063", "version": 2,
    "words": "I want to go to the Thursday club without being afraid of coming in alone.",
    "steps": [
        {"words": "Call the club together", "done": true}, {"words": "Go there together twice", "done": true},
        {"words": "Go there alone", "done": false}
    ],
    "outcome": "partly",
    "outcome_by": {
        "source": "own_word", "role": "client", "user_id": "01900000-0000-7000-8000-000000000023", "at": "2026-11-20T12:00:00.000000Z"
    },
    "recorded_at": "2026-09-07T09:30:00.000000Z"
}))]
pub struct GoalView {
    /// Its id.
    pub id: Uuid,
    /// The support period.
    pub support_period_id: Uuid,
    /// The version, as in the `ETag`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The goal in the client's words.
    pub words: String,
    /// Steps towards it.
    #[schema(max_items = 20)]
    pub steps: Vec<GoalStepView>,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<GoalOutcomeCode>,
    /// Whose word that is. Left out where it was written down before that was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome_by: Option<OutcomeByView>,
    /// When it was written down.
    pub recorded_at: Timestamp,
}

// The document says the limit as a number.
const _: () = assert!(STEPS_MAX == 20);

impl From<&Goal> for GoalView {
    fn from(goal: &Goal) -> Self {
        let step = |step: &GoalStep| GoalStepView { words: step.words.clone(), done: step.done };
        Self {
            id: goal.id.as_uuid(),
            support_period_id: goal.support_period.as_uuid(),
            version: goal.version.get(),
            words: goal.words.clone(),
            steps: goal.steps.iter().map(step).collect(),
            outcome: goal.outcome.map(|told| told.outcome.into()),
            outcome_by: goal.outcome.and_then(|told| told.by).map(OutcomeByView::from),
            recorded_at: goal.recorded_at.into(),
        }
    }
}

impl From<Goal> for GoalView {
    fn from(goal: Goal) -> Self {
        Self::from(&goal)
    }
}
