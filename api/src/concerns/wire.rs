//! Bodies of concerns.

use lahete_domain::concern::{Concern, ConcernReport};
use lahete_domain::ids::Id as _;
use lahete_domain::text::{LINE_MAX, NOTE_MAX, REASON_MAX};
use lahete_persistence::repo::concerns::ConcernFace;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{Change, ConcernKindCode, ConcernStateCode, LongText, Patch, RoleCode, Text, Timestamp};

/// Where and when a concern was reported.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"where": "Lapin hyvinvointialueen sosiaalipäivystys", "at": "2026-11-20T09:15:00.000000Z"}))]
pub struct ReportedTo {
    /// To which authority.
    #[serde(rename = "where")]
    pub place: Text<{ LINE_MAX }>,
    /// When; not in the future.
    pub at: Timestamp,
}

impl From<ReportedTo> for ConcernReport {
    fn from(reported: ReportedTo) -> Self {
        Self { place: reported.place.into_string(), at: reported.at.0 }
    }
}

/// A concern to take on record.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "older_person", "facts": "Jääkaappi on tyhjä toista viikkoa, eikä lääkkeitä ole haettu.", "person_informed": false,
    "not_informed_reason": "Ei jaksanut puhua asiasta.", "consulted": "Koordinaattori"
}))]
pub struct ConcernCreate {
    /// What it is about.
    pub kind: ConcernKindCode,
    /// What was seen or heard. It is kept sealed.
    pub facts: LongText<{ NOTE_MAX }>,
    /// Whether the client knows of the concern.
    pub person_informed: bool,
    /// Why they do not. Needed when they do not.
    pub not_informed_reason: Option<LongText<{ REASON_MAX }>>,
    /// Who was asked for advice.
    pub consulted: Option<LongText<{ REASON_MAX }>>,
    /// Where it was reported; left out while it was not.
    #[validate(nested)]
    pub reported_to: Option<ReportedTo>,
}

/// What is added to a concern. What is left out stays; the facts stay as they were recorded.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"follow_up": "Kotihoito käy huomenna."}))]
pub struct ConcernUpdate {
    /// Whether the client knows of the concern.
    #[serde(default)]
    pub person_informed: Change<bool>,
    /// Why they do not.
    #[serde(default)]
    pub not_informed_reason: Patch<LongText<{ REASON_MAX }>>,
    /// Who was asked for advice.
    #[serde(default)]
    pub consulted: Patch<LongText<{ REASON_MAX }>>,
    /// Where it was reported, and when.
    #[serde(default)]
    pub reported_to: Change<ReportedTo>,
    /// What followed.
    #[serde(default)]
    pub follow_up: Patch<LongText<{ REASON_MAX }>>,
}

/// How a concern ends.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"follow_up": "Kotihoito käy nyt päivittäin."}))]
pub struct ConcernClose {
    /// What followed.
    pub follow_up: LongText<{ REASON_MAX }>,
}

/// The release of a concern to the client's view.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"words": "Puhuimme tästä yhdessä 21.11."}))]
pub struct ConcernRelease {
    /// What is said to the client with it.
    pub words: Option<LongText<{ REASON_MAX }>>,
}

/// Which concerns are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConcernQuery {
    /// Only those of this programme.
    pub programme_id: Option<Uuid>,
    /// Only those in this state.
    pub state: Option<ConcernStateCode>,
    /// Only those of this kind.
    pub kind: Option<ConcernKindCode>,
    /// Only those that were released to the client's view, or those that were not.
    pub released: Option<bool>,
}

/// In which programme.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MyConcernQuery {
    /// In this programme, for somebody who is a client of several.
    pub programme_id: Option<Uuid>,
}

/// A concern in a list: without anything that was written in it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000e0", "version": 1, "programme_id": "01900000-0000-7000-8000-000000000001",
    "referral_id": "01900000-0000-7000-8000-000000000060", "client_id": "01900000-0000-7000-8000-000000000050", "kind": "older_person",
    "state": "open", "person_informed": false, "reporter_id": "01900000-0000-7000-8000-000000000022", "reporter_role": "link_worker",
    "recorded_at": "2026-11-19T12:00:00.000000Z"
}))]
pub struct ConcernListItem {
    /// Its id.
    pub id: Uuid,
    /// Its version.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The programme.
    pub programme_id: Uuid,
    /// The case in which it came up.
    pub referral_id: Uuid,
    /// About whom.
    pub client_id: Uuid,
    /// What it is about.
    pub kind: ConcernKindCode,
    /// Where it stands.
    pub state: ConcernStateCode,
    /// Whether the client knows of it.
    pub person_informed: bool,
    /// Who recorded it.
    pub reporter_id: Uuid,
    /// In which role.
    pub reporter_role: RoleCode,
    /// When.
    pub recorded_at: Timestamp,
    /// When it was reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
    /// Since when the client can see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
}

impl From<ConcernFace> for ConcernListItem {
    fn from(face: ConcernFace) -> Self {
        Self {
            id: face.id.as_uuid(),
            version: face.version.get(),
            programme_id: face.programme.as_uuid(),
            referral_id: face.referral.as_uuid(),
            client_id: face.client.as_uuid(),
            kind: face.kind.into(),
            state: face.state.into(),
            person_informed: face.person_informed,
            reporter_id: face.reporter.as_uuid(),
            reporter_role: face.reporter_role.into(),
            recorded_at: face.recorded_at.into(),
            reported_at: face.reported_at.map(Timestamp),
            released_at: face.released_at.map(Timestamp),
        }
    }
}

/// A concern.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000e0", "version": 1, "programme_id": "01900000-0000-7000-8000-000000000001",
    "referral_id": "01900000-0000-7000-8000-000000000060", "client_id": "01900000-0000-7000-8000-000000000050", "kind": "older_person",
    "state": "open", "facts": "Jääkaappi on tyhjä toista viikkoa, eikä lääkkeitä ole haettu.", "person_informed": false,
    "not_informed_reason": "Ei jaksanut puhua asiasta.", "reporter_id": "01900000-0000-7000-8000-000000000022",
    "reporter_role": "link_worker", "recorded_at": "2026-11-19T12:00:00.000000Z"
}))]
pub struct ConcernView {
    /// Its id.
    pub id: Uuid,
    /// The version, as in the `ETag`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The programme.
    pub programme_id: Uuid,
    /// The case in which it came up.
    pub referral_id: Uuid,
    /// About whom.
    pub client_id: Uuid,
    /// What it is about.
    pub kind: ConcernKindCode,
    /// Where it stands.
    pub state: ConcernStateCode,
    /// What was seen or heard.
    pub facts: String,
    /// Whether the client knows of it.
    pub person_informed: bool,
    /// Why they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_informed_reason: Option<String>,
    /// Who was asked for advice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consulted: Option<String>,
    /// Where it was reported, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_to: Option<ReportedTo>,
    /// What followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<String>,
    /// Who recorded it. Not told to the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reporter_id: Option<Uuid>,
    /// In which role.
    pub reporter_role: RoleCode,
    /// When.
    pub recorded_at: Timestamp,
    /// When nothing more was to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Since when the client can see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
    /// What was said to the client with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_words: Option<String>,
}

impl From<Concern> for ConcernView {
    fn from(concern: Concern) -> Self {
        let state = concern.state();
        let reported_to =
            concern.reported.and_then(|report| Some(ReportedTo { place: Text::new(report.place)?, at: Timestamp(report.at) }));
        let released = concern.released;
        Self {
            id: concern.id.as_uuid(),
            version: concern.version.get(),
            programme_id: concern.programme.as_uuid(),
            referral_id: concern.referral.as_uuid(),
            client_id: concern.client.as_uuid(),
            kind: concern.kind.into(),
            state: state.into(),
            facts: concern.facts,
            person_informed: concern.person_informed,
            not_informed_reason: concern.not_informed_reason,
            consulted: concern.consulted,
            reported_to,
            follow_up: concern.follow_up,
            reporter_id: Some(concern.reporter.as_uuid()),
            reporter_role: concern.reporter_role.into(),
            recorded_at: concern.recorded_at.into(),
            closed_at: concern.closed_at.map(Timestamp),
            released_at: released.as_ref().map(|release| Timestamp(release.at)),
            release_words: released.and_then(|release| release.words),
        }
    }
}

impl ConcernView {
    /// The concern as the client sees it: who wrote it is not told.
    #[must_use]
    pub fn for_client(concern: Concern) -> Self {
        Self { reporter_id: None, ..concern.into() }
    }
}
