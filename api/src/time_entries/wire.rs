//! Bodies of time entries.

use lahete_domain::ids::Id as _;
use lahete_domain::text::REASON_MAX;
use lahete_domain::time_entry::{MINUTES_MAX, TimeEntry, TimeEntryContent};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::http::extract::ListView;
use crate::http::wire::{Change, Date, LongText, Patch, TimeEntryKindCode, Timestamp};
use crate::visits::wire::Minutes;

// The two kinds of minutes share one form on the wire.
const _: () = assert!(MINUTES_MAX == lahete_domain::visit::MINUTES_MAX);

/// Time to write down.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"on": "2026-11-22", "minutes": 45, "kind": "matching", "note": "Soitin kahdelle linkkihenkilölle."}))]
pub struct TimeEntryCreate {
    /// The day of the work: today or before, and not before the referral was sent.
    #[schema(value_type = Date)]
    pub on: Date,
    /// Whole minutes.
    pub minutes: Minutes,
    /// What they were spent on.
    pub kind: TimeEntryKindCode,
    /// A short note, for the coordinators of the programme.
    pub note: Option<LongText<{ REASON_MAX }>>,
}

impl TimeEntryCreate {
    /// What was done.
    #[must_use]
    pub fn content(&self) -> TimeEntryContent {
        TimeEntryContent { on: self.on, minutes: self.minutes.0, kind: self.kind.0, note: self.note.clone().map(LongText::into_string) }
    }
}

/// A correction. What is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"minutes": 60}))]
pub struct TimeEntryUpdate {
    /// The day of the work.
    #[serde(default)]
    #[schema(value_type = Date)]
    pub on: Change<Date>,
    /// Whole minutes.
    #[serde(default)]
    pub minutes: Change<Minutes>,
    /// What they were spent on.
    #[serde(default)]
    pub kind: Change<TimeEntryKindCode>,
    /// A short note.
    #[serde(default)]
    pub note: Patch<LongText<{ REASON_MAX }>>,
}

impl TimeEntryUpdate {
    /// What was done, after the correction.
    #[must_use]
    pub fn content(&self, present: TimeEntryContent) -> TimeEntryContent {
        let patch = self.clone();
        TimeEntryContent {
            on: patch.on.apply(present.on),
            minutes: patch.minutes.map(|minutes| minutes.0).apply(present.minutes),
            kind: patch.kind.map(|kind| kind.0).apply(present.kind),
            note: patch.note.map(LongText::into_string).apply(present.note),
        }
    }
}

/// Time that a coordinator has spent on a referral.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000a00", "version": 1, "referral_id": "01900000-0000-7000-8000-000000000060",
    "coordinator_id": "01900000-0000-7000-8000-000000000021", "on": "2026-11-20", "minutes": 45, "kind": "matching",
    "note": "Soitin kahdelle linkkihenkilölle.", "recorded_at": "2026-11-20T13:00:00.000000Z", "struck": false
}))]
pub struct TimeEntryView {
    /// Its id.
    pub id: Uuid,
    /// The version, as in the `ETag`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The referral.
    pub referral_id: Uuid,
    /// Whose time it is.
    pub coordinator_id: Uuid,
    /// The day of the work.
    pub on: Date,
    /// Whole minutes.
    #[schema(minimum = 1, maximum = 1440)]
    pub minutes: u32,
    /// What they were spent on.
    pub kind: TimeEntryKindCode,
    /// A short note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// Whether it was struck as entered in error: then it counts no more.
    pub struck: bool,
    /// When it was struck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub struck_at: Option<Timestamp>,
}

impl From<&TimeEntry> for TimeEntryView {
    fn from(entry: &TimeEntry) -> Self {
        Self {
            id: entry.id.as_uuid(),
            version: entry.version.get(),
            referral_id: entry.referral.as_uuid(),
            coordinator_id: entry.coordinator.as_uuid(),
            on: entry.content.on,
            minutes: entry.content.minutes,
            kind: entry.content.kind.into(),
            note: entry.content.note.clone(),
            recorded_at: entry.recorded_at.into(),
            struck: entry.struck.is_some(),
            struck_at: entry.struck.map(|struck| struck.at.into()),
        }
    }
}

impl From<TimeEntry> for TimeEntryView {
    fn from(entry: TimeEntry) -> Self {
        Self::from(&entry)
    }
}

/// A page of time entries with what all of them come to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [], "page": {"next": null, "limit": 50}, "total_minutes": 0}))]
pub struct TimeEntryListView {
    /// The page.
    #[serde(flatten)]
    pub list: ListView<TimeEntryView>,
    /// The minutes of all entries of the referral that were not struck, on whatever page they are.
    #[schema(minimum = 0)]
    pub total_minutes: i64,
}
