//! Bodies of absences.

use lahete_domain::actor::Validity;
use lahete_domain::ids::Id as _;
use lahete_domain::link_worker::Absence;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::http::wire::{AbsenceReasonCode, Change, Date, Patch, Timestamp, expect_days_in_order};

/// An absence to enter.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "days_in_order"))]
#[schema(example = json!({"from": "2026-12-21", "until": "2027-01-06", "reason": "holiday"}))]
pub struct AbsenceCreate {
    /// The first day.
    pub from: Date,
    /// The last day; left out while it is not known.
    pub until: Option<Date>,
    /// Why.
    pub reason: AbsenceReasonCode,
}

fn days_in_order(absence: &AbsenceCreate) -> Result<(), ValidationError> {
    expect_days_in_order(Validity { from: absence.from, until: absence.until })
}

/// A change of an absence. Ending it early is setting its last day.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"until": "2026-12-20"}))]
pub struct AbsenceUpdate {
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
    pub reason: Change<AbsenceReasonCode>,
}

/// A time in which a link worker is away.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000e8", "version": 1, "link_worker_id": "01900000-0000-7000-8000-000000000030",
    "from": "2026-12-06", "until": "2026-12-13", "reason": "holiday", "current": false,
    "recorded_by": "01900000-0000-7000-8000-000000000022", "recorded_at": "2026-11-15T08:00:00.000000Z"
}))]
pub struct AbsenceView {
    /// Its id.
    pub id: Uuid,
    /// The version, for `If-Match`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// Who is away.
    pub link_worker_id: Uuid,
    /// The first day.
    pub from: Date,
    /// The last day; left out while it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Why.
    pub reason: AbsenceReasonCode,
    /// Whether today lies in it.
    pub current: bool,
    /// Who entered it.
    pub recorded_by: Uuid,
    /// When.
    pub recorded_at: Timestamp,
}

impl AbsenceView {
    /// An absence as it is on a day.
    #[must_use]
    pub fn of(absence: &Absence, today: Date) -> Self {
        Self {
            id: absence.id.as_uuid(),
            version: absence.version.get(),
            link_worker_id: absence.link_worker.as_uuid(),
            from: absence.days.from,
            until: absence.days.until,
            reason: absence.reason.into(),
            current: absence.days.covers(today),
            recorded_by: absence.recorded_by.as_uuid(),
            recorded_at: absence.recorded_at.into(),
        }
    }
}
