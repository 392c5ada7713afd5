//! Every table of the database, and what the rights of a person mean for each of its columns: the one list from which a copy of somebody's data is made,
//! and by which they are erased, on request or when their time is over. A test holds it against the schema: a table or a column that is not here fails
//! it.
//!
//! Statements are put together from this list alone; ids and instants are the only values in them, and are written as text of a known form.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use lahete_domain::codes::{Code as _, RecordClass};
use lahete_domain::ids::{ClientId, Id as _, ReferralId};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::cipher::Keys;
use crate::connection::AnyConnection;
use crate::db::Db;
use crate::error::StoreError;
use crate::repo::sealed;

/// How a value is shown in a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A text, a number, an id, a day: as it is.
    Plain,
    /// Yes or no.
    Bool,
    /// An instant.
    Instant,
    /// JSON.
    Json,
    /// A code of the list of this name; its label is shown beside it.
    Code(&'static str),
    /// Codes of the list of this name, separated by commas.
    Codes(&'static str),
    /// Nothing that would tell the person anything: versions, hashes, sealed bytes.
    Hidden,
}

/// What becomes of a value when its row is pseudonymised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Blank {
    /// It stays: it tells nothing of the person that the statistics do not tell.
    Keep,
    /// NULL.
    Null,
    /// This expression; the same text for both databases.
    To(&'static str),
}

/// One column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// How it is shown.
    pub kind: Kind,
    /// What becomes of it.
    pub blank: Blank,
    /// Whether the person has given it, or it rests on their consent: what they may carry elsewhere (GDPR 20).
    pub given: bool,
}

/// How the rows of a client are found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The row is the client.
    Client,
    /// `client_id`.
    ByClient,
    /// The row is the referral.
    Referral,
    /// `referral_id`.
    ByReferral,
    /// `support_period_id`.
    ByPeriod,
    /// `visit_id`.
    ByVisit,
    /// The sign-in that is the client's and nobody else's.
    SignIn,
    /// The names of that sign-in at other issuers.
    SignInElsewhere,
    /// The roles of the client's sign-in.
    SignInRoles,
}

/// What an erasure does with the rows of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// They are deleted.
    Delete,
    /// They stay without what tells of the person.
    Pseudonymise,
    /// They stay as they are.
    Keep,
}

/// A table with data about clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The class that it belongs to.
    pub class: RecordClass,
    /// How a client's rows are found.
    pub scope: Scope,
    /// What an erasure does.
    pub fate: Fate,
    /// Whether it is shown in a copy.
    pub copied: bool,
    /// Which of its rows are shown in a copy: all when there is no condition.
    pub shown: Option<&'static str>,
    /// Its columns.
    pub columns: &'static [Column],
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, blank: Blank::Keep, given: false }
}

/// As it is.
const fn plain(name: &'static str) -> Column {
    column(name, Kind::Plain)
}

/// Not shown.
const fn hidden(name: &'static str) -> Column {
    column(name, Kind::Hidden)
}

const fn code(name: &'static str, list: &'static str) -> Column {
    column(name, Kind::Code(list))
}

const fn codes(name: &'static str, list: &'static str) -> Column {
    column(name, Kind::Codes(list))
}

const fn yes_no(name: &'static str) -> Column {
    column(name, Kind::Bool)
}

const fn at(name: &'static str) -> Column {
    column(name, Kind::Instant)
}

impl Column {
    /// Becomes NULL.
    const fn gone(self) -> Self {
        Self { blank: Blank::Null, ..self }
    }

    /// Becomes something else.
    const fn becomes(self, expression: &'static str) -> Self {
        Self { blank: Blank::To(expression), ..self }
    }

    /// Given by the person.
    const fn given(self) -> Self {
        Self { given: true, ..self }
    }
}

const fn table(name: &'static str, class: RecordClass, scope: Scope, fate: Fate, columns: &'static [Column]) -> Table {
    Table { name, class, scope, fate, copied: true, shown: None, columns }
}

const fn silent(name: &'static str, class: RecordClass, scope: Scope, fate: Fate, columns: &'static [Column]) -> Table {
    Table { name, class, scope, fate, copied: false, shown: None, columns }
}

impl Table {
    /// Shows only the rows that a condition holds for.
    const fn shown_when(self, condition: &'static str) -> Self {
        Self { shown: Some(condition), ..self }
    }
}

/// Every table with data about clients, in the order in which they are erased: what is found by another table goes before it.
pub const TABLES: &[Table] = &[
    silent(
        "idempotency_keys",
        RecordClass::StoredAnswer,
        Scope::ByClient,
        Fate::Delete,
        &[
            hidden("caller"),
            hidden("operation"),
            hidden("key"),
            hidden("fingerprint"),
            hidden("status"),
            hidden("created_at"),
            hidden("id"),
            hidden("client_id"),
            hidden("answer"),
        ],
    ),
    table(
        "client_changes",
        RecordClass::ClientHistory,
        Scope::ByClient,
        Fate::Delete,
        &[
            plain("id"),
            hidden("programme_id"),
            hidden("client_id"),
            plain("referral_id"),
            at("at"),
            hidden("user_id"),
            code("role", "roles"),
            plain("members"),
            // Opened and shown by whoever makes the copy.
            hidden("details"),
        ],
    ),
    table(
        "messages",
        RecordClass::Message,
        Scope::ByReferral,
        Fate::Delete,
        &[
            plain("id"),
            plain("referral_id"),
            code("kind", "message-kinds"),
            code("sender", "message-parties"),
            code("recipient", "message-parties"),
            hidden("user_id"),
            plain("words"),
            at("sent_at"),
        ],
    ),
    // Counted with the messages: a class of its own would tell by its count that there is a concern which the person may not know of yet.
    table(
        "concerns",
        RecordClass::Message,
        Scope::ByReferral,
        Fate::Delete,
        &[
            plain("id"),
            hidden("version"),
            hidden("programme_id"),
            plain("referral_id"),
            hidden("client_id"),
            code("kind", "concern-kinds"),
            plain("facts"),
            yes_no("person_informed"),
            plain("not_informed_reason"),
            plain("consulted"),
            plain("reported_place"),
            at("reported_at"),
            plain("follow_up"),
            hidden("reporter_id"),
            code("reporter_role", "roles"),
            at("recorded_at"),
            at("closed_at"),
            at("released_at"),
            hidden("released_by"),
            plain("release_words"),
        ],
    )
    .shown_when("released_at IS NOT NULL"),
    table(
        "contact_attempts",
        RecordClass::ContactAttempt,
        Scope::ByReferral,
        Fate::Delete,
        &[
            plain("id"),
            plain("referral_id"),
            code("channel", "contact-channels"),
            code("result", "contact-results"),
            at("attempted_at"),
            hidden("recorded_by"),
            plain("note"),
        ],
    ),
    table(
        "events",
        RecordClass::Timeline,
        Scope::ByReferral,
        Fate::Pseudonymise,
        &[
            plain("id"),
            plain("referral_id"),
            hidden("programme_id"),
            code("kind", "event-kinds"),
            at("at"),
            plain("caller_kind"),
            hidden("user_id"),
            hidden("api_client_id"),
            code("role", "roles"),
            code("from_state", "referral-states"),
            code("to_state", "referral-states"),
            plain("reason"),
            plain("comment").gone(),
        ],
    ),
    table(
        "visit_workers",
        RecordClass::Pay,
        Scope::ByVisit,
        Fate::Keep,
        &[plain("visit_id"), plain("link_worker_id"), hidden("fee_cents_per_hour"), hidden("drives")],
    ),
    // What a link worker is paid. It names the client by the visit alone: when the visit tells of nobody any more, the amounts stay.
    silent(
        "hour_sheet_lines",
        RecordClass::Pay,
        Scope::ByVisit,
        Fate::Keep,
        &[
            hidden("id"),
            hidden("hour_sheet_id"),
            hidden("link_worker_id"),
            hidden("visit_id"),
            hidden("kind"),
            hidden("corrects_sheet_id"),
            hidden("corrects_line_id"),
            hidden("visit_on"),
            hidden("fee_cents_per_hour"),
            hidden("contract_kind"),
            hidden("payer_id"),
            hidden("vehicle"),
            hidden("minutes"),
            hidden("phone_minutes"),
            hidden("travel_minutes"),
            hidden("fee_cents"),
            hidden("metres"),
            hidden("passengers"),
            hidden("rate_id"),
            hidden("metres_before"),
            hidden("metres_above"),
            hidden("mileage_cents"),
        ],
    ),
    table(
        "visits",
        RecordClass::Visit,
        Scope::ByReferral,
        Fate::Pseudonymise,
        &[
            plain("id"),
            hidden("version"),
            hidden("programme_id"),
            plain("referral_id"),
            hidden("client_id"),
            plain("support_period_id"),
            plain("visit_on"),
            plain("minutes"),
            code("mode", "visit-modes"),
            code("purpose", "visit-purposes"),
            codes("support_kinds", "support-kinds"),
            plain("travel_metres"),
            plain("travel_minutes"),
            plain("note").gone(),
            codes("barriers", "barriers"),
            code("state", "visit-states"),
            at("recorded_at"),
            plain("over_limit_reason").gone(),
            code("absent_party", "absent-parties"),
            hidden("worker_cents_per_hour"),
            code("absence_reason", "visit-absence-reasons"),
            codes("unmet_needs", "unmet-needs"),
            plain("travel_passengers"),
        ],
    ),
    table(
        "time_entries",
        RecordClass::Visit,
        Scope::ByReferral,
        Fate::Pseudonymise,
        &[
            plain("id"),
            hidden("version"),
            hidden("programme_id"),
            plain("referral_id"),
            hidden("coordinator_id"),
            plain("worked_on"),
            plain("minutes"),
            code("kind", "time-entry-kinds"),
            plain("note").gone(),
            at("recorded_at"),
            at("struck_at"),
            hidden("struck_by"),
        ],
    ),
    table(
        "referral_closings",
        RecordClass::Referral,
        Scope::ByReferral,
        Fate::Keep,
        &[plain("referral_id"), codes("barriers", "barriers"), codes("unmet_needs", "unmet-needs")],
    ),
    table(
        "measures",
        RecordClass::Measure,
        Scope::ByPeriod,
        Fate::Pseudonymise,
        &[
            plain("id"),
            plain("support_period_id"),
            code("instrument", "instruments"),
            code("timepoint", "timepoints"),
            code("mode", "answer-modes"),
            // The sums that the statistics count stay.
            column("answers", Kind::Json).becomes("CASE WHEN answers IS NULL THEN answers ELSE '[]' END").given(),
            plain("raw").given(),
            plain("hundredths"),
            code("missing_reason", "missing-reasons"),
            at("recorded_at"),
            plain("instrument_version"),
        ],
    ),
    table(
        "feedback",
        RecordClass::Message,
        Scope::ByReferral,
        Fate::Delete,
        &[
            plain("id"),
            hidden("version"),
            hidden("programme_id"),
            plain("referral_id"),
            hidden("client_id"),
            code("stage", "feedback-stages"),
            code("party", "feedback-parties"),
            hidden("author_id"),
            code("author_role", "roles"),
            column("ratings", Kind::Json),
            plain("words"),
            at("given_at"),
            at("changed_at"),
        ],
    ),
    table(
        "milestones",
        RecordClass::Message,
        Scope::ByReferral,
        Fate::Delete,
        &[
            plain("id"),
            hidden("programme_id"),
            plain("referral_id"),
            hidden("client_id"),
            hidden("referrer_user_id"),
            code("milestone", "milestones"),
            at("at"),
            hidden("told_until"),
            at("acknowledged_at"),
        ],
    ),
    table(
        "goals",
        RecordClass::Goal,
        Scope::ByPeriod,
        Fate::Delete,
        &[
            plain("id"),
            hidden("version"),
            plain("support_period_id"),
            plain("words").given(),
            column("steps", Kind::Json).given(),
            code("outcome", "goal-outcomes").given(),
            at("recorded_at"),
            code("outcome_role", "roles"),
            hidden("outcome_by"),
            at("outcome_at"),
        ],
    ),
    table(
        "support_periods",
        RecordClass::SupportPeriod,
        Scope::ByReferral,
        Fate::Pseudonymise,
        &[
            plain("id"),
            hidden("version"),
            hidden("programme_id"),
            plain("referral_id"),
            hidden("client_id"),
            plain("starts_on"),
            plain("planned_end_on"),
            plain("first_planned_end_on"),
            code("state", "support-period-states"),
            at("paused_since"),
            code("pause_reason", "pause-reasons"),
            plain("ended_on"),
            hidden("end_proposed_by"),
            at("end_proposed_at"),
            plain("end_proposal_reason").becomes("CASE WHEN end_proposal_reason IS NULL THEN NULL ELSE '–' END"),
            plain("quiet_since"),
        ],
    ),
    table(
        "activity_links",
        RecordClass::ActivityLink,
        Scope::ByReferral,
        Fate::Keep,
        &[
            plain("id"),
            hidden("version"),
            plain("referral_id"),
            plain("activity_id"),
            code("state", "activity-link-states"),
            yes_no("continues"),
            code("barrier", "barriers"),
            at("proposed_at"),
            codes("unmet_needs", "unmet-needs"),
        ],
    ),
    table(
        "assignments",
        RecordClass::Assignment,
        Scope::ByReferral,
        Fate::Pseudonymise,
        &[
            plain("id"),
            hidden("version"),
            hidden("programme_id"),
            plain("referral_id"),
            plain("link_worker_id"),
            hidden("link_worker_user_id"),
            hidden("proposed_by"),
            at("proposed_at"),
            at("expires_at"),
            plain("message").gone(),
            code("state", "assignment-states"),
            at("answered_at"),
            code("decline_reason", "decline-reasons"),
            at("ended_at"),
            code("end_reason", "assignment-end-reasons"),
        ],
    ),
    table(
        "consents",
        RecordClass::Consent,
        Scope::ByReferral,
        Fate::Pseudonymise,
        &[
            plain("id"),
            plain("referral_id"),
            codes("purposes", "consent-purposes").given(),
            codes("withdrawn_purposes", "consent-purposes").given(),
            plain("text_version"),
            code("language", "languages"),
            code("method", "consent-methods"),
            plain("given_with").gone(),
            at("given_at"),
            plain("valid_until").given(),
            hidden("recorded_by"),
            at("verified_at"),
            hidden("verified_by"),
            at("withdrawn_at"),
        ],
    ),
    table(
        "referral_reasons",
        RecordClass::Statistics,
        Scope::ByReferral,
        Fate::Keep,
        &[plain("referral_id"), code("reason", "referral-reasons")],
    ),
    table(
        "referral_snapshots",
        RecordClass::Statistics,
        Scope::ByReferral,
        Fate::Keep,
        &[
            plain("referral_id"),
            hidden("programme_id"),
            plain("submitted_on"),
            plain("age"),
            code("sex", "sexes"),
            plain("municipality"),
            yes_no("evaluation"),
            plain("evaluation_until"),
            code("state", "referral-states"),
            code("outcome", "outcomes"),
            code("route", "routes"),
            code("sector", "sectors"),
            codes("reasons", "referral-reasons"),
            yes_no("assigned"),
        ],
    ),
    table(
        "referral_details",
        RecordClass::Referral,
        Scope::ByReferral,
        Fate::Pseudonymise,
        &[
            plain("referral_id"),
            plain("referrer_name").gone(),
            plain("referrer_contact").gone(),
            yes_no("feedback_wanted"),
            plain("wish").gone().given(),
            plain("background").gone(),
            yes_no("written_together"),
            yes_no("joint_meeting_wished"),
            yes_no("not_a_service_acknowledged"),
            plain("source_system").gone(),
            plain("source_id").gone(),
            plain("previous_referral_id"),
            hidden("tracking_code_sha256").gone(),
        ],
    ),
    table(
        "referrals",
        RecordClass::Referral,
        Scope::Referral,
        Fate::Pseudonymise,
        &[
            plain("id"),
            hidden("version"),
            hidden("programme_id"),
            hidden("client_id"),
            code("channel", "channels"),
            // Of a client who wrote or closed it themself.
            hidden("referrer_user_id").becomes(
                "CASE WHEN referrer_user_id = (SELECT c.user_id FROM clients c WHERE c.id = referrals.client_id) THEN NULL ELSE referrer_user_id END",
            ),
            hidden("api_client_id"),
            plain("organisation_id"),
            code("sector", "sectors"),
            plain("municipality"),
            code("state", "referral-states"),
            at("state_since"),
            hidden("coordinator_id"),
            code("asked", "message-parties"),
            at("queue_accepted_at"),
            code("queue_priority", "priorities"),
            plain("resume_on"),
            hidden("back_to"),
            hidden("assignment_id"),
            hidden("support_period_id"),
            plain("follow_up_on"),
            code("outcome", "outcomes"),
            code("end_reason", "end-reasons"),
            code("route", "routes"),
            at("closed_at"),
            hidden("closed_by_user").becomes(
                "CASE WHEN closed_by_user = (SELECT c.user_id FROM clients c WHERE c.id = referrals.client_id) THEN NULL ELSE closed_by_user END",
            ),
            code("closed_by_role", "roles"),
            at("created_at"),
            at("submitted_at"),
            hidden("link_worker_user_id"),
            plain("shared_until"),
        ],
    ),
    table(
        "data_requests",
        RecordClass::DataRequest,
        Scope::ByClient,
        Fate::Pseudonymise,
        &[
            plain("id"),
            hidden("version"),
            hidden("programme_id"),
            hidden("client_id"),
            code("kind", "data-request-kinds"),
            code("state", "data-request-states"),
            plain("words").gone().given(),
            at("received_at"),
            plain("received_on"),
            plain("due_on"),
            hidden("recorded_by"),
            code("recorded_role", "roles"),
            hidden("handler_id"),
            at("extended_at"),
            plain("extension_reason").gone(),
            at("decided_at"),
            hidden("decided_by"),
            code("ground", "refusal-grounds"),
            plain("decision").gone(),
            column("outcome", Kind::Json),
        ],
    ),
    table(
        "client_restrictions",
        RecordClass::DataRequest,
        Scope::ByClient,
        Fate::Pseudonymise,
        &[
            plain("id"),
            hidden("version"),
            hidden("programme_id"),
            hidden("client_id"),
            plain("reason").becomes("'–'"),
            at("restricted_at"),
            hidden("restricted_by"),
            plain("release_reason").gone(),
            at("released_at"),
            hidden("released_by"),
            at("lifted_at"),
            hidden("lifted_by"),
        ],
    ),
    table(
        "legal_holds",
        RecordClass::DataRequest,
        Scope::ByClient,
        Fate::Pseudonymise,
        &[
            plain("id"),
            hidden("version"),
            hidden("programme_id"),
            hidden("client_id"),
            plain("referral_id"),
            plain("reason").becomes("'–'"),
            at("placed_at"),
            hidden("placed_by"),
            plain("hold_until"),
            at("ended_at"),
            hidden("ended_by"),
            plain("end_reason").gone(),
        ],
    ),
    silent(
        "audit_events",
        RecordClass::AccessLog,
        Scope::ByClient,
        Fate::Keep,
        &[
            hidden("id"),
            hidden("writer_id"),
            hidden("seq"),
            hidden("prev_hash"),
            hidden("hash"),
            hidden("at"),
            hidden("caller_kind"),
            hidden("user_id"),
            hidden("api_client_id"),
            hidden("role"),
            hidden("organisation_id"),
            hidden("programme_id"),
            hidden("client_id"),
            hidden("referral_id"),
            hidden("operation"),
            hidden("action"),
            hidden("outcome"),
            hidden("reason"),
            hidden("reason_salt"),
            hidden("reason_hash"),
            hidden("request_id"),
        ],
    ),
    silent(
        "role_assignments",
        RecordClass::SignIn,
        Scope::SignInRoles,
        Fate::Keep,
        &[
            hidden("id"),
            hidden("version"),
            hidden("programme_id"),
            hidden("user_id"),
            hidden("role"),
            hidden("organisation_id"),
            hidden("valid_from"),
            hidden("valid_until"),
            hidden("given_by"),
            hidden("given_at"),
        ],
    ),
    table(
        "identities",
        RecordClass::SignIn,
        Scope::SignInElsewhere,
        Fate::Pseudonymise,
        &[
            plain("id"),
            plain("issuer"),
            plain("subject").becomes("'erased-' || CAST(id AS TEXT)").given(),
            hidden("user_id"),
            hidden("api_client_id"),
            hidden("created_by"),
            at("created_at"),
        ],
    ),
    table(
        "users",
        RecordClass::SignIn,
        Scope::SignIn,
        Fate::Pseudonymise,
        &[
            plain("id"),
            hidden("version"),
            hidden("programme_id"),
            plain("login").becomes("'erased-' || CAST(id AS TEXT)").given(),
            plain("name").becomes("'–'").given(),
            hidden("password_hash").gone(),
            yes_no("active").becomes("FALSE"),
        ],
    ),
    table(
        "clients",
        RecordClass::Client,
        Scope::Client,
        Fate::Pseudonymise,
        &[
            plain("id"),
            hidden("version").becomes("version + 1"),
            plain("programme_id"),
            hidden("user_id").gone(),
            hidden("provisional"),
            plain("given_name").becomes("'–'").given(),
            plain("family_name").becomes("'–'").given(),
            plain("phone").gone().given(),
            plain("email").gone().given(),
            plain("address").gone().given(),
            yes_no("client_will_contact").becomes("FALSE").given(),
            plain("birth_date").gone().given(),
            plain("birth_year").becomes("1900").given(),
            // The code itself is shown nowhere: the person knows it.
            hidden("identity_code_cipher").gone(),
            hidden("identity_code_index").gone(),
            hidden("identity_code_index_2").gone(),
            code("sex", "sexes").gone().given(),
            plain("municipality").given(),
            plain("language").becomes("'und'").given(),
            yes_no("interpreter_needed").becomes("FALSE").given(),
            yes_no("non_disclosure").becomes("FALSE").given(),
            yes_no("lives_at_home").gone().given(),
            at("created_at"),
            code("standing", "client-standings").becomes("'erased'"),
        ],
    ),
];

/// Tables without data about clients, each with what it is. Those of staff hold personal data, too: of people whose working relation decides how long
/// they are kept, by the administrator's hand.
pub const OTHER_TABLES: &[(&str, &str)] = &[
    ("programmes", "settings"),
    ("programme_municipalities", "settings"),
    ("programme_terms", "settings"),
    ("organisations", "settings"),
    ("api_clients", "machines"),
    ("api_client_organisations", "machines"),
    ("api_client_keys", "machines"),
    ("used_assertions", "machines"),
    ("revocations", "tokens that were ended, for as long as they would have lived"),
    ("data_keys", "check values of keys"),
    ("audit_beginnings", "where chains of the trail begin"),
    ("consent_texts", "settings"),
    ("activities", "the directory of activities"),
    ("activity_sources", "the directory of activities"),
    ("activity_import_records", "organisations and places of the national service directory, without persons"),
    ("activity_imports", "imports of the directory; who of the staff asked for them"),
    ("theme_mappings", "settings"),
    ("link_workers", "staff"),
    ("link_worker_municipalities", "staff"),
    ("contracts", "staff"),
    ("trainings", "staff"),
    ("absences", "staff"),
    ("mentoring_sessions", "staff"),
    ("programme_breaks", "settings"),
    ("concern_guidance", "settings"),
    ("hour_sheets", "pay of staff"),
    ("mileage_rates", "settings"),
    ("measure_instruments", "settings"),
    ("measure_texts", "settings"),
    ("individual_uses", "settings"),
    ("group_answers", "answers without persons"),
    ("retention_policies", "settings"),
    ("retention_runs", "counts without persons"),
];

/// Whose rows: of one client, or of many referrals or clients that a query finds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Whose {
    /// All of a client.
    Client(ClientId),
    /// Of these referrals.
    Referrals(Vec<ReferralId>),
    /// Of these clients, what hangs on the client and not on a referral.
    Clients(Vec<ClientId>),
    /// Of the referrals that a query finds.
    ReferralsThat(String),
    /// Of the clients that a query finds.
    ClientsThat(String),
}

fn quoted<I: lahete_domain::ids::Id>(ids: &[I]) -> String {
    ids.iter().map(|id| format!("'{}'", id.as_uuid().hyphenated())).collect::<Vec<_>>().join(", ")
}

impl Scope {
    /// The condition that finds rows; `None` when nothing of such a table is found from there.
    fn condition(self, whose: &Whose) -> Option<String> {
        let referrals = match whose {
            Whose::Client(id) => format!("SELECT id FROM referrals WHERE client_id = '{}'", id.as_uuid().hyphenated()),
            Whose::Referrals(ids) => quoted(ids),
            Whose::ReferralsThat(query) => query.clone(),
            Whose::Clients(_) | Whose::ClientsThat(_) => String::new(),
        };
        let clients = match whose {
            Whose::Client(id) => quoted(&[*id]),
            Whose::Clients(ids) => quoted(ids),
            Whose::ClientsThat(query) => query.clone(),
            Whose::Referrals(_) | Whose::ReferralsThat(_) => String::new(),
        };
        let by_referral = !referrals.is_empty();
        let by_client = !clients.is_empty();
        match self {
            Self::Client => by_client.then(|| format!("id IN ({clients})")),
            Self::ByClient => by_client.then(|| format!("client_id IN ({clients})")),
            Self::Referral => by_referral.then(|| format!("id IN ({referrals})")),
            Self::ByReferral => by_referral.then(|| format!("referral_id IN ({referrals})")),
            Self::ByPeriod => by_referral
                .then(|| format!("support_period_id IN (SELECT p.id FROM support_periods p WHERE p.referral_id IN ({referrals}))")),
            Self::ByVisit => by_referral.then(|| format!("visit_id IN (SELECT v.id FROM visits v WHERE v.referral_id IN ({referrals}))")),
            // A sign-in with another role, or that is a client elsewhere, is not the client's alone.
            Self::SignIn | Self::SignInElsewhere => by_client.then(|| {
                let column = if self == Self::SignIn { "id" } else { "user_id" };
                format!(
                    "{column} IN (SELECT c.user_id FROM clients c WHERE c.id IN ({clients}) AND c.user_id IS NOT NULL
                        AND NOT EXISTS (SELECT 1 FROM clients o WHERE o.user_id = c.user_id AND o.id NOT IN ({clients}))
                        AND NOT EXISTS (SELECT 1 FROM role_assignments g WHERE g.user_id = c.user_id AND g.role <> 'client'))"
                )
            }),
            Self::SignInRoles => by_client.then(|| format!("user_id IN (SELECT c.user_id FROM clients c WHERE c.id IN ({clients}))")),
        }
    }
}

impl Table {
    /// Whether a row still holds what would be taken out of it: so that a second run does nothing.
    fn full(&self) -> String {
        if self.name == "clients" {
            return "standing <> 'erased'".to_owned();
        }
        let parts: Vec<String> = self
            .columns
            .iter()
            .filter_map(|column| match (column.blank, column.kind) {
                (Blank::Keep, _) => None,
                (Blank::Null, _) => Some(format!("{} IS NOT NULL", column.name)),
                (Blank::To(_), Kind::Json) => Some(format!("CAST({} AS TEXT) <> '[]'", column.name)),
                (Blank::To(expression), _) => Some(format!("{} IS DISTINCT FROM {expression}", column.name)),
            })
            .collect();
        if parts.is_empty() { "(1=1)".to_owned() } else { format!("({})", parts.join(" OR ")) }
    }

    /// The condition for rows on which the fate of the table is still to be done.
    fn todo(&self, whose: &Whose) -> Option<String> {
        let found = self.scope.condition(whose)?;
        match self.fate {
            Fate::Keep => None,
            Fate::Delete => Some(found),
            Fate::Pseudonymise => Some(format!("{found} AND {}", self.full())),
        }
    }

    fn blanked(&self) -> String {
        let set = |column: &Column| match column.blank {
            Blank::Keep => None,
            Blank::Null => Some(format!("{} = NULL", column.name)),
            Blank::To(expression) => Some(format!("{} = {expression}", column.name)),
        };
        self.columns.iter().filter_map(set).collect::<Vec<_>>().join(", ")
    }

    /// The columns of a copy, as a JSON object for each row.
    fn object(&self, given_only: bool, postgresql: bool) -> String {
        let shown = |column: &&Column| column.kind != Kind::Hidden && (!given_only || column.given);
        let pairs: Vec<String> = self
            .columns
            .iter()
            .filter(shown)
            .map(|column| {
                let name = column.name;
                let value = match (column.kind, postgresql) {
                    (Kind::Bool, false) => format!("json(CASE {name} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)"),
                    (Kind::Json, false) => format!("json({name})"),
                    (Kind::Instant, true) => {
                        format!("to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
                    }
                    _ => name.to_owned(),
                };
                format!("'{name}', {value}")
            })
            .collect();
        if postgresql {
            format!("CAST(json_build_object({}) AS TEXT)", pairs.join(", "))
        } else {
            format!("json_object({})", pairs.join(", "))
        }
    }

    /// Whether it has anything that the person may carry elsewhere.
    #[must_use]
    pub fn has_given(&self) -> bool {
        self.copied && self.columns.iter().any(|column| column.given)
    }
}

/// What is kept about a client in one table: its rows as JSON objects.
pub type Copied = (&'static Table, Vec<Map<String, Value>>);

/// How many rows of each class something was done with.
pub type Counts = BTreeMap<RecordClass, i64>;

impl Db<'_> {
    /// Everything that is kept about a client, by table: rows as JSON objects, as the registry shows them. `given_only` leaves out what is not the
    /// person's to carry elsewhere.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] when it gives no JSON.
    pub fn record_copy(&mut self, client: ClientId, given_only: bool) -> Result<Vec<Copied>, StoreError> {
        let whose = Whose::Client(client);
        let mut all = Vec::new();
        for table in TABLES.iter().filter(|table| if given_only { table.has_given() } else { table.copied }) {
            let Some(mut condition) = table.scope.condition(&whose) else { continue };
            if let Some(shown) = table.shown {
                condition = format!("{condition} AND {shown}");
            }
            let postgresql = matches!(self.conn(), AnyConnection::Postgresql(_));
            let query = format!("SELECT {} FROM {} WHERE {condition}", table.object(given_only, postgresql), table.name);
            let lines = diesel::dsl::sql::<Text>(&query).load::<String>(self.conn())?;
            let parsed = lines.iter().map(|line| serde_json::from_str(line)).collect::<Result<Vec<Map<String, Value>>, _>>();
            let mut rows = parsed.map_err(|_| StoreError::corrupt(table.name, "a row", client))?;
            for row in &mut rows {
                row.retain(|_, value| !value.is_null());
                self.open_sealed(table, client, row)?;
            }
            // Ids are in the order in which they were made.
            rows.sort_by_key(|row| row.get("id").or_else(|| row.get("referral_id")).map(ToString::to_string));
            all.push((table, rows));
        }
        Ok(all)
    }

    /// Opens what is sealed in a row of a copy.
    fn open_sealed(&mut self, table: &'static Table, client: ClientId, row: &mut Map<String, Value>) -> Result<(), StoreError> {
        // A row that has no id of its own goes by that of its referral.
        let named = row.get("id").or_else(|| row.get("referral_id")).and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok());
        let id = if table.scope == Scope::Client { client.as_uuid() } else { named.unwrap_or_default() };
        for column in table.columns {
            if let Some(Value::String(stored)) = row.get_mut(column.name)
                && Keys::text_key(stored).is_some()
            {
                let opened = self.keys().open_text(table.name, column.name, id, std::mem::take(stored));
                *stored = opened.map_err(|error| sealed::error(error, table.name, column.name, client))?;
            }
        }
        Ok(())
    }

    /// How many rows of each class are to be erased.
    ///
    /// # Errors
    /// Whatever the database says.
    pub(crate) fn record_count(&mut self, classes: &[RecordClass], whose: &Whose) -> Result<Counts, StoreError> {
        let mut counts = Counts::new();
        for table in TABLES.iter().filter(|table| classes.contains(&table.class)) {
            let Some(condition) = table.todo(whose) else { continue };
            let query = format!("SELECT CAST(count(*) AS BIGINT) FROM {} WHERE {condition}", table.name);
            let rows = diesel::dsl::sql::<BigInt>(&query).get_result::<i64>(self.conn())?;
            *counts.entry(table.class).or_default() += rows;
        }
        Ok(counts)
    }

    /// Erases rows of some classes: deletes them, or takes out what tells of the person, as the registry has it. Done twice, it does nothing the
    /// second time. Gives how many rows of each class it was.
    ///
    /// # Errors
    /// Whatever the database says.
    pub(crate) fn record_erase(&mut self, classes: &[RecordClass], whose: &Whose) -> Result<Counts, StoreError> {
        let mut counts = Counts::new();
        for table in TABLES.iter().filter(|table| classes.contains(&table.class)) {
            let Some(condition) = table.todo(whose) else { continue };
            let statement = match table.fate {
                Fate::Delete => format!("DELETE FROM {} WHERE {condition}", table.name),
                Fate::Pseudonymise | Fate::Keep => format!("UPDATE {} SET {} WHERE {condition}", table.name, table.blanked()),
            };
            let rows = diesel::sql_query(statement).execute(self.conn())?;
            *counts.entry(table.class).or_default() += i64::try_from(rows).unwrap_or(i64::MAX);
        }
        Ok(counts)
    }
}

impl Db<'_> {
    /// Erases a client but for some classes, as [`Db::record_erase`] does; gives how many rows of each class it was.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn client_erase(&mut self, client: ClientId, kept: &[RecordClass]) -> Result<Counts, StoreError> {
        let classes: Vec<_> = RecordClass::ALL.iter().copied().filter(|class| !kept.contains(class)).collect();
        self.record_erase(&classes, &Whose::Client(client))
    }

    /// How many rows of each class there are of a client, whatever is in them.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn client_rows(&mut self, client: ClientId) -> Result<Counts, StoreError> {
        let whose = Whose::Client(client);
        let mut counts = Counts::new();
        for table in TABLES {
            let Some(condition) = table.scope.condition(&whose) else { continue };
            let query = format!("SELECT CAST(count(*) AS BIGINT) FROM {} WHERE {condition}", table.name);
            *counts.entry(table.class).or_default() += diesel::dsl::sql::<BigInt>(&query).get_result::<i64>(self.conn())?;
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fate_of_a_table_is_that_of_its_class() {
        use lahete_domain::codes::RetentionAction as A;
        for table in TABLES {
            let fitting = match lahete_domain::retention::action(table.class) {
                A::Delete => table.fate == Fate::Delete || table.class == RecordClass::AccessLog,
                // Of a class some tables may have nothing in them that tells of the person.
                A::Pseudonymise => table.fate != Fate::Delete,
                A::Keep => table.fate == Fate::Keep,
            };
            assert!(fitting, "{}: {} {:?}", table.name, table.class.as_str(), table.fate);
            assert!(table.fate != Fate::Pseudonymise || !table.blanked().is_empty(), "{}", table.name);
        }
    }
}
