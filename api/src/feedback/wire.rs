//! Bodies of feedback and milestones.

use lahete_domain::codes::{Language, Milestone};
use lahete_domain::feedback::Feedback;
use lahete_domain::ids::Id as _;
use lahete_domain::text::NOTE_MAX;
use lahete_persistence::repo::milestones::ToldMilestone;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::code_lists::labels::label;
use crate::http::wire::{
    FeedbackPartyCode, FeedbackStageCode, FeedbackStatementCode, LongText, MilestoneCode, OutcomeCode, Patch, RoleCode, Timestamp,
};

/// How far somebody agrees with a statement of their form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"statement": "client_was_heard", "rating": 5}))]
pub struct RatingView {
    /// The statement; its words stand in the code list `feedback-statements`.
    pub statement: FeedbackStatementCode,
    /// From 1, not at all, to 5, fully.
    #[schema(minimum = 1, maximum = 5)]
    pub rating: u8,
}

/// Feedback to give: ratings, words, or both.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "stage": "end", "ratings": [{"statement": "client_was_heard", "rating": 5}, {"statement": "client_joins_more", "rating": 4}],
    "words": "Uskallan taas lähteä yksin ulos."
}))]
pub struct FeedbackCreate {
    /// When in the work.
    pub stage: FeedbackStageCode,
    /// Whose words they are. By the caller's role; a coordinator writes down those of the client.
    pub party: Option<FeedbackPartyCode>,
    /// Statements of one's own form, each at most once.
    #[serde(default)]
    #[validate(nested)]
    #[schema(max_items = 20)]
    pub ratings: Vec<RatingView>,
    /// In words.
    pub words: Option<LongText<{ NOTE_MAX }>>,
}

/// A change of feedback.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"words": "Uskallan taas lähteä yksin ulos, ja kerhoonkin."}))]
pub struct FeedbackUpdate {
    /// All ratings.
    #[validate(nested)]
    #[schema(max_items = 20)]
    pub ratings: Option<Vec<RatingView>>,
    /// In words; null takes them away.
    #[serde(default)]
    pub words: Patch<LongText<{ NOTE_MAX }>>,
}

/// Feedback on a referral.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000e2", "version": 1, "referral_id": "01900000-0000-7000-8000-000000000060",
    "client_id": "01900000-0000-7000-8000-000000000050", "stage": "during", "party": "client", "author_role": "client",
    "ratings": [{"statement": "client_was_heard", "rating": 5}], "words": "Liisa kuuntelee.", "given_at": "2026-11-20T10:00:00.000000Z"
}))]
pub struct FeedbackView {
    /// Its id.
    pub id: Uuid,
    /// Its version, as in the `ETag`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The referral.
    pub referral_id: Uuid,
    /// The client of the referral.
    pub client_id: Uuid,
    /// When in the work.
    pub stage: FeedbackStageCode,
    /// Whose words they are.
    pub party: FeedbackPartyCode,
    /// In which role it was written down.
    pub author_role: RoleCode,
    /// The statements.
    #[schema(max_items = 20)]
    pub ratings: Vec<RatingView>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub words: Option<String>,
    /// When it was given.
    pub given_at: Timestamp,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
}

impl From<&Feedback> for FeedbackView {
    fn from(said: &Feedback) -> Self {
        Self {
            id: said.id.as_uuid(),
            version: said.version.get(),
            referral_id: said.referral.as_uuid(),
            client_id: said.client.as_uuid(),
            stage: said.stage.into(),
            party: said.party.into(),
            author_role: said.author_role.into(),
            ratings: said.ratings.iter().map(|rating| RatingView { statement: rating.statement.into(), rating: rating.rating }).collect(),
            words: said.words.clone(),
            given_at: said.given_at.into(),
            changed_at: said.changed_at.map(Into::into),
        }
    }
}

impl From<Feedback> for FeedbackView {
    fn from(said: Feedback) -> Self {
        Self::from(&said)
    }
}

/// Which milestones are wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MilestoneQuery {
    /// Reached at this time or later.
    #[param(inline)]
    pub since: Option<Timestamp>,
    /// With true those that were not acknowledged, with false those that were.
    pub unread: Option<bool>,
}

/// What a referrer is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000e5", "referral_id": "01900000-0000-7000-8000-000000000060",
    "client_id": "01900000-0000-7000-8000-000000000050", "milestone": "support_started",
    "text": "Tuki on alkanut: linkkihenkilö ja asiakas tapaavat.", "at": "2026-10-08T09:00:00.000000Z"
}))]
pub struct MilestoneView {
    /// Its id.
    pub id: Uuid,
    /// The referral.
    pub referral_id: Uuid,
    /// Whom it is about.
    pub client_id: Uuid,
    /// Which milestone.
    pub milestone: MilestoneCode,
    /// In a plain sentence.
    #[schema(max_length = 300)]
    pub text: String,
    /// How the referral ended, when it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeCode>,
    /// When it was reached.
    pub at: Timestamp,
    /// When the referrer acknowledged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
}

impl MilestoneView {
    /// The view of a message, its sentence in a language.
    #[must_use]
    pub fn of(told: &ToldMilestone, language: Language) -> Self {
        let message = &told.message;
        let outcome = told.outcome.filter(|_| message.milestone == Milestone::Closed);
        let sentence = label(message.milestone, language);
        Self {
            id: message.id.as_uuid(),
            referral_id: message.referral.as_uuid(),
            client_id: message.client.as_uuid(),
            milestone: message.milestone.into(),
            text: outcome.map_or_else(|| sentence.clone(), |outcome| format!("{sentence} ({})", label(outcome, language))),
            outcome: outcome.map(Into::into),
            at: message.at.into(),
            acknowledged_at: message.acknowledged_at.map(Into::into),
        }
    }
}
