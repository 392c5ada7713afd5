//! Bodies of mentoring sessions. They have no member for words: nothing of a case is told here.

use lahete_domain::ids::Id as _;
use lahete_domain::link_worker::{MENTORING_MINUTES_MAX, MentoringSession};
use lahete_domain::text::NAME_MAX;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{Date, MentoringKindCode, Text, Timestamp};

/// A session to record.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"on": "2026-11-12", "minutes": 90, "mentor": "Kaisa Koordinaattori", "kind": "group"}))]
pub struct MentoringSessionCreate {
    /// The day; not in the future.
    pub on: Date,
    /// How long it took, in minutes.
    #[schema(minimum = 1, maximum = 600)]
    #[validate(range(min = 1, max = "MENTORING_MINUTES_MAX"))]
    pub minutes: u32,
    /// Who mentored.
    pub mentor: Text<{ NAME_MAX }>,
    /// Alone or in a group.
    pub kind: MentoringKindCode,
}

/// A meeting of a link worker with a mentor.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000ea", "link_worker_id": "01900000-0000-7000-8000-000000000030", "on": "2026-11-12",
    "minutes": 90, "mentor": "Kaisa Koordinaattori", "kind": "group", "recorded_by": "01900000-0000-7000-8000-000000000021",
    "recorded_at": "2026-11-12T14:00:00.000000Z"
}))]
pub struct MentoringSessionView {
    /// Its id.
    pub id: Uuid,
    /// Who was mentored.
    pub link_worker_id: Uuid,
    /// The day.
    pub on: Date,
    /// How long it took, in minutes.
    #[schema(minimum = 1, maximum = 600)]
    pub minutes: u32,
    /// Who mentored.
    #[schema(max_length = 120)]
    pub mentor: String,
    /// Alone or in a group.
    pub kind: MentoringKindCode,
    /// Who recorded it.
    pub recorded_by: Uuid,
    /// When.
    pub recorded_at: Timestamp,
}

impl From<MentoringSession> for MentoringSessionView {
    fn from(session: MentoringSession) -> Self {
        Self {
            id: session.id.as_uuid(),
            link_worker_id: session.link_worker.as_uuid(),
            on: session.on,
            minutes: session.minutes,
            mentor: session.mentor,
            kind: session.kind.into(),
            recorded_by: session.recorded_by.as_uuid(),
            recorded_at: session.recorded_at.into(),
        }
    }
}
