//! Role assignments as they stand in bodies and queries.

use lahete_domain::ids::Id as _;
use lahete_domain::user::RoleAssignment;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{Date, RoleCode, Timestamp};

/// One role of one user in one programme.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-00000000002a",
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "user_id": "01900000-0000-7000-8000-000000000020",
    "role": "referrer",
    "organisation_id": "01900000-0000-7000-8000-000000000011",
    "valid_from": "2022-01-01",
    "given_by": "01900000-0000-7000-8000-000000000026",
    "given_at": "2022-01-01T08:00:00.000000Z"
}))]
pub struct RoleAssignmentView {
    /// The assignment's id.
    pub id: Uuid,
    /// Where the role holds.
    pub programme_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// The role.
    pub role: RoleCode,
    /// For which organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<Uuid>,
    /// The first day on which it holds.
    pub valid_from: Date,
    /// The last day on which it holds; open when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
    /// Who gave it; nobody when the programme was set up with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_by: Option<Uuid>,
    /// When it was given.
    pub given_at: Timestamp,
}

impl From<&RoleAssignment> for RoleAssignmentView {
    fn from(assignment: &RoleAssignment) -> Self {
        Self {
            id: assignment.id.as_uuid(),
            programme_id: assignment.programme.as_uuid(),
            user_id: assignment.user.as_uuid(),
            role: assignment.role.into(),
            organisation_id: assignment.organisation.map(|id| id.as_uuid()),
            valid_from: assignment.validity.from,
            valid_until: assignment.validity.until,
            given_by: assignment.given_by.map(|id| id.as_uuid()),
            given_at: assignment.given_at.into(),
        }
    }
}

/// A role for a user.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "user_id": "01900000-0000-7000-8000-000000000024",
    "role": "referrer",
    "organisation_id": "01900000-0000-7000-8000-000000000010",
    "valid_from": "2026-12-01",
    "valid_until": "2027-12-31"
}))]
pub struct RoleAssignmentNew {
    /// Where the role holds.
    pub programme_id: Uuid,
    /// Who gets it.
    pub user_id: Uuid,
    /// The role; not `integration`, which API clients have.
    pub role: RoleCode,
    /// For which organisation of the programme.
    pub organisation_id: Option<Uuid>,
    /// The first day on which it holds; today when left out.
    pub valid_from: Option<Date>,
    /// The last day on which it holds; open when left out.
    pub valid_until: Option<Date>,
}

/// The end of a role.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"last_day": "2026-12-31"}))]
pub struct RoleAssignmentEnd {
    /// The last day on which the role holds. When left out, it ends at once: then yesterday was its last day.
    pub last_day: Option<Date>,
}

/// Which role assignments are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RoleAssignmentQuery {
    /// Only those in this programme.
    pub programme_id: Option<Uuid>,
    /// Only those of this user.
    pub user_id: Option<Uuid>,
    /// Only those of this role.
    pub role: Option<RoleCode>,
    /// Only those in force on this day.
    pub active_on: Option<Date>,
}
