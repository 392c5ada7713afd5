//! Bodies of data requests.

use lahete_domain::data_request::DataRequest;
use lahete_domain::ids::Id as _;
use lahete_domain::text::{NOTE_MAX, REASON_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::clients::wire::AccessLogEntry;
use crate::http::wire::{
    DataRequestKindCode, DataRequestStateCode, Date, KeptReasonCode, LongText, RecordClassCode, RefusalGroundCode, RetentionActionCode,
    RoleCode, Timestamp,
};

/// What a person asks, as they say it themselves.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "access", "words": "Haluan nähdä kaiken, mitä minusta on kirjattu."}))]
pub struct MyDataRequestCreate {
    /// What is asked.
    pub kind: DataRequestKindCode,
    /// In one's own words, if there is something to say: what is wrong, what shall go.
    pub words: Option<LongText<{ NOTE_MAX }>>,
    /// In which programme, for somebody who is a client of several.
    pub programme_id: Option<Uuid>,
}

/// What a person asks, written down for them.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "client_id": "01900000-0000-7000-8000-000000000050", "kind": "rectification", "words": "Osoite on väärin.", "received_on": "2026-11-20"
}))]
pub struct DataRequestCreate {
    /// Whose data.
    pub client_id: Uuid,
    /// What is asked.
    pub kind: DataRequestKindCode,
    /// In the person's own words.
    pub words: Option<LongText<{ NOTE_MAX }>>,
    /// The day on which it came, when that was before today: the deadline counts from it.
    pub received_on: Option<Date>,
}

/// Why the answer takes longer.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Aineistoa on paljon ja se käydään läpi käsin."}))]
pub struct DataRequestExtend {
    /// The reason, in words that the person can read.
    pub reason: LongText<{ REASON_MAX }>,
}

/// What is decided for the person.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"decision": "Kopio tiedoistasi on valmis."}))]
pub struct DataRequestFulfil {
    /// The decision, in words that the person can read. Of an erasure no words are kept.
    pub decision: Option<LongText<{ NOTE_MAX }>>,
    /// Of an erasure: withdraw the person's open referrals first, in support or not. Without it, open ones are in its way.
    #[serde(default)]
    pub close_open_referrals: bool,
}

/// Why a request is refused.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "ground": "statutory_task", "decision": "Kunnan on lain mukaan säilytettävä tieto siitä, kuka tietojasi on käsitellyt. Voit valittaa tietosuojavaltuutetulle."
}))]
pub struct DataRequestRefuse {
    /// On what ground.
    pub ground: RefusalGroundCode,
    /// The decision, in words that the person can read, with the way to complain about it.
    pub decision: LongText<{ NOTE_MAX }>,
}

/// Which requests are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DataRequestQuery {
    /// Only those of this programme.
    pub programme_id: Option<Uuid>,
    /// Only those about this client.
    pub client_id: Option<Uuid>,
    /// Only those in this state.
    pub state: Option<DataRequestStateCode>,
    /// Only those of this kind.
    pub kind: Option<DataRequestKindCode>,
    /// Only those that are not decided yet, or only those that are.
    pub open: Option<bool>,
    /// Only those that are not decided and whose last day has gone by.
    pub overdue: Option<bool>,
    /// Only those that are not decided and whose last day is no more than so many days ahead; overdue ones, too.
    #[param(minimum = 0, maximum = 366)]
    pub due_within_days: Option<u16>,
}

/// What an erasure did with the records of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"record_class": "message", "action": "delete", "rows": 2}))]
pub struct ErasedClass {
    /// The class.
    pub record_class: RecordClassCode,
    /// What was done with its records.
    pub action: RetentionActionCode,
    /// With how many.
    pub rows: i64,
    /// Why they stay, when they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<KeptReasonCode>,
}

/// A data request.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000c0", "version": 1, "programme_id": "01900000-0000-7000-8000-000000000001",
    "client_id": "01900000-0000-7000-8000-000000000050", "client_name": "Aino Esimerkki", "kind": "access", "state": "received",
    "words": "Haluan nähdä kaiken, mitä minusta on kirjattu.", "received_on": "2026-11-20", "received_at": "2026-11-20T08:00:00.000000Z",
    "due_on": "2026-12-20", "days_left": 28, "overdue": false, "recorded_role": "client", "allowed": ["start", "extend", "refuse", "withdraw"]
}))]
pub struct DataRequestView {
    /// Its id.
    pub id: Uuid,
    /// The version, as in the `ETag`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The controller's programme.
    pub programme_id: Uuid,
    /// Whose data.
    pub client_id: Uuid,
    /// Their name.
    pub client_name: String,
    /// What is asked.
    pub kind: DataRequestKindCode,
    /// Where it stands.
    pub state: DataRequestStateCode,
    /// The person's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// The day from which the deadline counts.
    pub received_on: Date,
    /// When it was recorded.
    pub received_at: Timestamp,
    /// The last day for the answer: a month of the calendar after the receipt, three when it was extended.
    pub due_on: Date,
    /// Days until then; below zero when it has gone by. Left out when it is decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_left: Option<i64>,
    /// Whether the last day has gone by without a decision.
    pub overdue: bool,
    /// In which role it was recorded.
    pub recorded_role: RoleCode,
    /// Who has taken it on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler_id: Option<Uuid>,
    /// When the time was extended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_at: Option<Timestamp>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension_reason: Option<String>,
    /// When it was decided or taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// On what ground it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ground: Option<RefusalGroundCode>,
    /// The decision in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// What an erasure did, and what stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 30)]
    pub erased: Option<Vec<ErasedClass>>,
    /// The steps that are possible now, by their names in paths.
    #[schema(max_items = 4)]
    pub allowed: Vec<String>,
}

impl DataRequestView {
    /// A request as it is shown.
    #[must_use]
    pub fn of(request: &DataRequest, client_name: String, erased: Option<Vec<ErasedClass>>, today: Date) -> Self {
        let decided = request.decided.as_ref();
        let extension = request.extension.as_ref();
        Self {
            id: request.id.as_uuid(),
            version: request.version.get(),
            programme_id: request.programme.as_uuid(),
            client_id: request.client.as_uuid(),
            client_name,
            kind: request.kind.into(),
            state: request.state.into(),
            words: request.words.clone(),
            received_on: request.received_on,
            received_at: request.received_at.into(),
            due_on: request.due_on,
            days_left: request.is_open().then(|| request.due_on.signed_duration_since(today).num_days()),
            overdue: request.is_overdue(today),
            recorded_role: request.recorded_role.into(),
            handler_id: request.handler.map(|id| id.as_uuid()),
            extended_at: extension.map(|extension| extension.at.into()),
            extension_reason: extension.and_then(|extension| extension.reason.clone()),
            decided_at: decided.map(|decided| decided.at.into()),
            ground: decided.and_then(|decided| decided.ground).map(Into::into),
            decision: decided.and_then(|decided| decided.words.clone()),
            erased,
            allowed: DataRequest::allowed(request.state).iter().map(|step| (*step).to_owned()).collect(),
        }
    }
}

/// The records of one class in a package.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "record_class": "goal", "label": "Tavoitteet", "table": "goals",
    "rows": [{"words": "Haluan käydä torstaikerhossa.", "steps": ["Soitetaan kerhoon yhdessä"]}]
}))]
pub struct PackageRecords {
    /// The class.
    pub record_class: RecordClassCode,
    /// Its name in the wanted language.
    pub label: String,
    /// The kind of rows within the class.
    pub table: String,
    /// The rows, each with its members; beside each code stands its label in `<member>_label`.
    #[schema(value_type = Vec<Object>, max_items = 100_000)]
    pub rows: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// The controller in a package.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "programme": "Sodankylän hyvinvointilähete", "controller": "Sodankylän kunta"
}))]
pub struct PackageController {
    /// The programme.
    pub programme_id: Uuid,
    /// Its name.
    pub programme: String,
    /// The controller of its register.
    pub controller: String,
    /// Where the privacy notice can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy_notice_url: Option<String>,
}

/// Everything that is kept about a person, or what of it they may carry elsewhere.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "schema": "lahete-person-package", "schema_version": "1.0", "kind": "access", "made_at": "2026-11-22T10:00:00.000000Z", "language": "fi",
    "controller": {"programme_id": "01900000-0000-7000-8000-000000000001", "programme": "Sodankylän hyvinvointilähete", "controller": "Sodankylän kunta"},
    "client_id": "01900000-0000-7000-8000-000000000050",
    "records": [{"record_class": "client", "label": "Henkilötiedot", "table": "clients", "rows": [{"given_name": "Aino", "family_name": "Esimerkki"}]}],
    "corrections": [], "access_log": []
}))]
pub struct PackageView {
    /// What this is: `lahete-person-package`.
    pub schema: String,
    /// The version of its form. The first number moves on when a reader must be changed.
    pub schema_version: String,
    /// `access` for everything; `portability` for what the person has given, or what rests on their consent.
    pub kind: DataRequestKindCode,
    /// When it was made.
    pub made_at: Timestamp,
    /// The language of the labels.
    pub language: String,
    /// Who keeps the data.
    pub controller: PackageController,
    /// Whose data.
    pub client_id: Uuid,
    /// The records, by class.
    #[schema(max_items = 100)]
    pub records: Vec<PackageRecords>,
    /// What was before corrections; empty for portability.
    #[schema(max_items = 100_000)]
    pub corrections: Vec<crate::clients::wire::ClientChangeView>,
    /// Who has read and changed the data, in plain words, the newest first; empty for portability.
    #[schema(max_items = 1_000_000)]
    pub access_log: Vec<AccessLogEntry>,
}
