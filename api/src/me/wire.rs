//! Bodies of one's own matters.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::activity_links::wire::ActivityLinkView;
use crate::consents::wire::ConsentView;
use crate::goals::wire::GoalView;
use crate::http::wire::{RoleCode, SectorCode};
use crate::support_periods::wire::SupportPeriodView;

/// A role that the caller holds today.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "role": "referrer", "programme_id": "01900000-0000-7000-8000-000000000001", "programme": "Sodankylän hyvinvointilähete",
    "organisation_id": "01900000-0000-7000-8000-000000000011", "sector": "elderly"
}))]
pub struct MyRole {
    /// The role.
    pub role: RoleCode,
    /// In which programme.
    pub programme_id: Uuid,
    /// Its name.
    pub programme: String,
    /// For which organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<Uuid>,
    /// The sector of that organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector: Option<SectorCode>,
}

/// Who the caller is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"kind": "user", "id": "01900000-0000-7000-8000-000000000020", "name": "Riikka Lähettäjä", "roles": []}))]
pub struct MeView {
    /// `user` for a person, `api_client` for a machine.
    pub kind: String,
    /// The id of the user or of the machine.
    pub id: Uuid,
    /// The name.
    pub name: String,
    /// The roles of today; rights that were taken away are not here any more.
    #[schema(max_items = 200)]
    pub roles: Vec<MyRole>,
}

/// The caller's own consents.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": []}))]
pub struct MyConsentsView {
    /// Those of all own referrals, the newest referral first.
    #[schema(max_items = 1000)]
    pub items: Vec<ConsentView>,
}

/// One's own support period with the plan.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000063", "programme_id": "01900000-0000-7000-8000-000000000001",
    "referral_id": "01900000-0000-7000-8000-000000000060", "client_id": "01900000-0000-7000-8000-000000000050", "version": 12,
    "state": "active", "starts_on": "2026-09-01", "planned_end_on": "2026-12-01", "first_planned_end_on": "2026-12-01",
    "days_to_planned_end": 9, "last_visit_on": "2026-11-18", "days_without_visit": 4, "unanswered_activity_links": 1,
    "link_worker": {"id": "01900000-0000-7000-8000-000000000030", "name": "Liisa Linkki", "current": true},
    "month_hours": {"month": "2026-11", "limit_minutes": 600, "used_minutes": 245, "left_minutes": 355, "level": "free", "warning": false},
    "totals": {"visits": 3, "counted_minutes": 245, "phone_minutes": 10, "travel_metres": 24600, "travel_minutes": 60, "over_limit_visits": 0},
    "months": [
        {"month": "2026-11", "totals": {"visits": 3, "counted_minutes": 245, "phone_minutes": 10, "travel_metres": 24600, "travel_minutes": 60, "over_limit_visits": 0}}
    ],
    "goals": [{
        "id": "01900000-0000-7000-8000-000000000064", "support_period_id": "01900000-0000-7000-8000-000000000063", "version": 1,
        "words": "I want to go to the Thursday club without being afraid of coming in alone.", "steps": [{"words": "Call the club together", "done": true}],
        "recorded_at": "2026-09-07T09:30:00.000000Z"
    }],
    "activity_links": [{
        "id": "01900000-0000-7000-8000-000000000067", "referral_id": "01900000-0000-7000-8000-000000000060",
        "activity_id": "01900000-0000-7000-8000-000000000040", "activity_name": "Torstaikerho", "activity_status": "active", "state": "attending",
        "continues": true, "unmet_needs": [], "answered": true,
        "proposed_at": "2026-09-07T09:30:00.000000Z"
    }]
}))]
pub struct MySupportPeriodView {
    /// The support period.
    #[serde(flatten)]
    pub period: SupportPeriodView,
    /// One's goals, in one's own words.
    #[schema(max_items = 200)]
    pub goals: Vec<GoalView>,
    /// The activities of the plan, and how far one has come with each.
    #[schema(max_items = 200)]
    pub activity_links: Vec<ActivityLinkView>,
}
