//! Bodies of goals.

use lahete_domain::goal::Goal;
use lahete_domain::ids::Id as _;
use lahete_domain::text::{NOTE_MAX, REASON_MAX};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{Change, GoalOutcomeCode, LongText, Patch, Text, Timestamp};

/// A goal to write down.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "words": "I want to go to the Thursday club without being afraid of coming in alone.",
    "steps": ["Call the club together", "Go there together twice", "Go there alone"]
}))]
pub struct GoalCreate {
    /// The goal in the client's words, in any language.
    pub words: LongText<{ NOTE_MAX }>,
    /// Steps towards it, in the order in which they are taken.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub steps: Vec<Text<{ REASON_MAX }>>,
}

/// A change of a goal.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "partly"}))]
pub struct GoalUpdate {
    /// The goal in the client's words. For those who write the plan: coordinator and link worker.
    #[serde(default)]
    pub words: Change<LongText<{ NOTE_MAX }>>,
    /// All steps. For those who write the plan.
    #[schema(max_items = 20)]
    pub steps: Option<Vec<Text<{ REASON_MAX }>>>,
    /// What became of it, by the client's word; null takes it back.
    #[serde(default)]
    pub outcome: Patch<GoalOutcomeCode>,
}

/// A goal.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000064", "support_period_id": "01900000-0000-7000-8000-000000000063", "version": 2,
    "words": "I want to go to the Thursday club without being afraid of coming in alone.",
    "steps": ["Call the club together", "Go there together twice", "Go there alone"], "outcome": "partly",
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
    pub steps: Vec<String>,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<GoalOutcomeCode>,
    /// When it was written down.
    pub recorded_at: Timestamp,
}

impl From<&Goal> for GoalView {
    fn from(goal: &Goal) -> Self {
        Self {
            id: goal.id.as_uuid(),
            support_period_id: goal.support_period.as_uuid(),
            version: goal.version.get(),
            words: goal.words.clone(),
            steps: goal.steps.clone(),
            outcome: goal.outcome.map(Into::into),
            recorded_at: goal.recorded_at.into(),
        }
    }
}

impl From<Goal> for GoalView {
    fn from(goal: Goal) -> Self {
        Self::from(&goal)
    }
}
