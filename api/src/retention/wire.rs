//! Bodies of retention policies and runs.

use lahete_domain::ids::Id as _;
use lahete_domain::retention::{KEEP_MONTHS_MAX, Policy, action, start};
use lahete_domain::text::REASON_MAX;
use lahete_persistence::repo::retention::RetentionRun;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::report::{ClassReport, Report};
use crate::error::AppError;
use crate::http::wire::{Date, LongText, RecordClassCode, RetentionActionCode, RetentionStartCode, Timestamp};

/// How long records of a class are to be kept.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "record_class": "visit", "valid_from": "2027-01-01", "keep_months": 60,
    "legal_basis": "Tiedonohjaussuunnitelma 2027, kohta 3.2."
}))]
pub struct RetentionPolicyCreate {
    /// The controller's programme.
    pub programme_id: Uuid,
    /// Which records.
    pub record_class: RecordClassCode,
    /// The first day on which it holds: today or later.
    pub valid_from: Date,
    /// For how many months from the event that the class counts from; without end when it is left out.
    #[schema(minimum = 1, maximum = 1_200)]
    pub keep_months: Option<u32>,
    /// Whether law says that they stay so long, so that a request for erasure does not reach them.
    #[serde(default)]
    pub statutory: bool,
    /// On what it rests.
    pub legal_basis: LongText<{ REASON_MAX }>,
}

/// Which policies are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RetentionPolicyQuery {
    /// Only those of this programme.
    pub programme_id: Option<Uuid>,
    /// Only those of this class.
    pub record_class: Option<RecordClassCode>,
    /// Those in force on this day; today when it is left out.
    pub on: Option<Date>,
}

/// How long records of a class are kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "record_class": "access_log", "is_default": true, "keep_months": 144,
    "action": "delete", "counted_from": "event", "statutory": true, "legal_basis": "Twelve years, as Act 703/2023 has it for logs of access."
}))]
pub struct RetentionPolicyView {
    /// Its id; left out for a default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The controller's programme.
    pub programme_id: Uuid,
    /// Which records.
    pub record_class: RecordClassCode,
    /// Whether it is the default that holds until the controller gives one.
    pub is_default: bool,
    /// The first day on which it holds; left out for a default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Date>,
    /// For how many months; without end when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_months: Option<u32>,
    /// How the records go then.
    pub action: RetentionActionCode,
    /// From when the months are counted.
    pub counted_from: RetentionStartCode,
    /// Whether law says that they stay so long.
    pub statutory: bool,
    /// On what it rests.
    pub legal_basis: String,
    /// Who gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_by: Option<Uuid>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_at: Option<Timestamp>,
}

impl From<&Policy> for RetentionPolicyView {
    fn from(policy: &Policy) -> Self {
        Self {
            id: policy.id.map(|id| id.as_uuid()),
            programme_id: policy.programme.as_uuid(),
            record_class: policy.class.into(),
            is_default: policy.id.is_none(),
            valid_from: policy.id.map(|_| policy.valid_from),
            keep_months: policy.keep_months,
            action: action(policy.class).into(),
            counted_from: start(policy.class).into(),
            statutory: policy.statutory,
            legal_basis: policy.legal_basis.clone(),
            given_by: policy.given.map(|(_, by)| by.as_uuid()),
            given_at: policy.given.map(|(at, _)| at.into()),
        }
    }
}

/// The policies in force on a day, one for each programme and class, and those that begin later.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": []}))]
pub struct RetentionPoliciesView {
    /// By programme and class; those that begin later after the one in force.
    #[schema(max_items = 100_000)]
    pub items: Vec<RetentionPolicyView>,
}

/// The longest time in months, held against the document.
const _: () = assert!(KEEP_MONTHS_MAX == 1_200);

/// A run of the retention.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000c5", "programme_id": "01900000-0000-7000-8000-000000000001", "on": "2026-11-22", "dry_run": true,
    "started_at": "2026-11-22T01:00:00.000000Z", "finished_at": "2026-11-22T01:00:02.000000Z",
    "classes": [{
        "record_class": "visit", "action": "pseudonymise", "counted_from": "referral_end", "keep_months": 120, "done": 14, "held": 2, "kept": 3120
    }]
}))]
pub struct RetentionRunView {
    /// Its id.
    pub id: Uuid,
    /// The programme.
    pub programme_id: Uuid,
    /// By the policies and the calendar of this day.
    pub on: Date,
    /// Whether it only says what would be done.
    pub dry_run: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was through; left out while it goes on or after it was broken off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// What it has done, by class.
    #[schema(max_items = 30)]
    pub classes: Vec<ClassReport>,
}

impl RetentionRunView {
    /// A run as it is shown.
    ///
    /// # Errors
    /// When the stored report cannot be read.
    pub fn of(run: &RetentionRun) -> Result<Self, AppError> {
        let report: Report = serde_json::from_value(run.report.clone()).map_err(AppError::internal)?;
        Ok(Self {
            id: run.id.as_uuid(),
            programme_id: run.programme.as_uuid(),
            on: run.on,
            dry_run: run.dry_run,
            started_at: run.started_at.into(),
            finished_at: run.finished_at.map(Into::into),
            classes: report.classes,
        })
    }
}
