//! Imports of activities on the wire.

use lahete_domain::activity_import::{ASKED_MAX, ActivityImport, FAULTS_MAX};
use lahete_domain::codes::ActivitySource;
use lahete_domain::ids::Id as _;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{
    ActivityImportFaultCode, ActivityImportPhaseCode, ActivityImportStateCode, ActivitySourceCode, Choice, Choices, Timestamp,
};
use crate::http::wire_sets::{Municipality, SetOf};

/// The directories from which activities can be imported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Importable;

impl Choices for Importable {
    type Code = ActivitySource;
    const CHOICES: &'static [ActivitySource] = &[ActivitySource::Ptv];
}

/// A directory from which activities can be imported.
pub type ImportableCode = Choice<Importable>;

/// An import to make.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "source": "ptv", "municipalities": ["758"], "since": "2026-01-15T00:00:00Z"
}))]
pub struct ActivityImportCreate {
    /// For which programme.
    pub programme_id: Uuid,
    /// From which directory. Its address is a setting of the server.
    pub source: ImportableCode,
    /// For the people of these municipalities; of all that the programme serves when none are named.
    #[serde(default)]
    pub municipalities: SetOf<Municipality, { ASKED_MAX }>,
    /// Only what has changed since then; everything when left out.
    pub since: Option<Timestamp>,
}

/// Which imports are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ActivityImportQuery {
    /// Only those of this programme.
    pub programme_id: Option<Uuid>,
    /// Only those in this state.
    pub state: Option<ActivityImportStateCode>,
}

/// An item that was not taken over as it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({ "phase": "services", "source_id": "0f3a8c70-6a8f-4f43-9c2b-6a4a2c7d1e55", "reason": "no_name" }))]
pub struct ActivityImportFaultView {
    /// In which phase.
    pub phase: ActivityImportPhaseCode,
    /// Its id in the other directory, when it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<Uuid>,
    /// Why.
    pub reason: ActivityImportFaultCode,
}

/// An import of activities.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000e0", "version": 4, "programme_id": "01900000-0000-7000-8000-000000000001", "source": "ptv",
    "municipalities": ["758"], "state": "finished", "phase": "withdrawn", "pages_done": 5, "seen": 12, "added": 8, "changed": 0, "unchanged": 0,
    "tombstoned": 0, "skipped": 1,
    "faults": [{ "phase": "services", "source_id": "0f3a8c70-6a8f-4f43-9c2b-6a4a2c7d1e55", "reason": "no_name" }],
    "created_at": "2026-11-20T06:00:00.000000Z", "finished_at": "2026-11-20T06:00:09.000000Z"
}))]
pub struct ActivityImportView {
    /// Its id.
    pub id: Uuid,
    /// The version, as in the `ETag`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// For which programme.
    pub programme_id: Uuid,
    /// From which directory.
    pub source: ActivitySourceCode,
    /// For the people of which municipalities; all of the files when it is empty.
    pub municipalities: Vec<Municipality>,
    /// Only what has changed since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// How far it is.
    pub state: ActivityImportStateCode,
    /// What it reads now, or has read last.
    pub phase: ActivityImportPhaseCode,
    /// The page of the present list that comes next, while it is under way and known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub next_page: Option<u32>,
    /// How many pages the present list has, while it is under way and known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub pages_of_list: Option<u32>,
    /// Pages read.
    #[schema(minimum = 0)]
    pub pages_done: i64,
    /// Items seen.
    #[schema(minimum = 0)]
    pub seen: i64,
    /// Activities added.
    #[schema(minimum = 0)]
    pub added: i64,
    /// Activities changed.
    #[schema(minimum = 0)]
    pub changed: i64,
    /// Activities that were the same.
    #[schema(minimum = 0)]
    pub unchanged: i64,
    /// Activities that have ended.
    #[schema(minimum = 0)]
    pub tombstoned: i64,
    /// Items left out.
    #[schema(minimum = 0)]
    pub skipped: i64,
    /// What was left out or odd, the first hundred.
    #[schema(max_items = 100)]
    pub faults: Vec<ActivityImportFaultView>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub problem: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// By whom; left out for one from the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Uuid>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

// The document names the limit as a number: it is that of the domain.
const _: () = assert!(FAULTS_MAX == 100);

impl From<&ActivityImport> for ActivityImportView {
    fn from(import: &ActivityImport) -> Self {
        let under_way = import.finished_at.is_none();
        Self {
            id: import.id.as_uuid(),
            version: import.version.get(),
            programme_id: import.programme.as_uuid(),
            source: ActivitySource::Ptv.into(),
            municipalities: import.municipalities.iter().map(Municipality::from).collect(),
            since: import.since.map(Into::into),
            state: import.state.into(),
            phase: import.phase.into(),
            next_page: import.pages_of_step.filter(|_| under_way).map(|_| import.place.page),
            pages_of_list: import.pages_of_step.filter(|_| under_way),
            pages_done: import.counts.pages,
            seen: import.counts.seen,
            added: import.counts.added,
            changed: import.counts.changed,
            unchanged: import.counts.unchanged,
            tombstoned: import.counts.tombstoned,
            skipped: import.counts.skipped,
            faults: import
                .faults
                .iter()
                .map(|fault| ActivityImportFaultView { phase: fault.phase.into(), source_id: fault.source_id, reason: fault.reason.into() })
                .collect(),
            problem: import.problem.clone(),
            created_at: import.created_at.into(),
            created_by: import.created_by.map(|id| id.as_uuid()),
            finished_at: import.finished_at.map(Into::into),
        }
    }
}

impl From<ActivityImport> for ActivityImportView {
    fn from(import: ActivityImport) -> Self {
        Self::from(&import)
    }
}
