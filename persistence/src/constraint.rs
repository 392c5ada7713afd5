//! Which rule of the schema a write broke. The only place where the names of constraints are read.

use std::fmt;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};

/// A rule of the schema that a caller may have to answer for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Constraint {
    /// This caller has used this idempotency key for this operation already.
    IdempotencyKeyTaken,
    /// The audit trail already has an event at this place of this chain.
    AuditPlaceTaken,
    /// The audit trail can only grow.
    AuditAppendOnly,
    /// This source system has sent this referral already.
    SourceTaken,
    /// A known client of the programme has this identity code.
    IdentityCodeTaken,
    /// The referral has a proposed or accepted link worker already.
    AssignmentOpen,
    /// The questionnaire was recorded for this timepoint already.
    MeasureTaken,
    /// The programme has this version of the instrument already.
    MeasureInstrumentTaken,
    /// The programme has words for this version of the instrument in this language already.
    MeasureTextTaken,
    /// The programme asks single persons with this instrument already.
    IndividualUseOpen,
    /// This party has said this about the referral at this stage already.
    FeedbackTaken,
    /// Somebody has this sign-in name.
    LoginTaken,
    /// The client is linked to this activity already.
    ActivityLinkTaken,
    /// The programme has terms from that day already.
    TermsDayTaken,
    /// The programme has a policy for this class of records from that day already.
    RetentionPolicyDayTaken,
    /// A run of the retention for this programme has begun and not ended.
    RetentionRunOpen,
    /// The person is a link worker of the programme already.
    LinkWorkerTaken,
    /// The subject of the issuer is linked with an account already.
    IdentityTaken,
    /// The machine has a key of this name already.
    KeyNameTaken,
    /// The assertion has opened before.
    AssertionUsed,
    /// The programme has this version of its consent text in this language already.
    ConsentTextTaken,
    /// The place has a guidance for this kind of concern already.
    GuidanceTaken,
    /// An import of activities for this programme has begun and not ended.
    ActivityImportOpen,
    /// The programme has this entry of another directory already.
    ActivitySourceTaken,
    /// A row refers to another one that does not exist, or is referred to. SQLite does not say which.
    ForeignKey,
    /// Any other rule.
    Other,
}

/// One row for each constraint: PostgreSQL's name, and what SQLite says instead of it (columns of a unique index, the name of a CHECK).
const KNOWN: &[(Constraint, &str, &str)] = &[
    (Constraint::IdempotencyKeyTaken, "idempotency_keys_pkey", "idempotency_keys.caller, idempotency_keys.operation, idempotency_keys.key"),
    (Constraint::AuditPlaceTaken, "audit_events_place", "audit_events.writer_id, audit_events.seq"),
    (Constraint::SourceTaken, "referral_details_source_key", "referral_details.source_system, referral_details.source_id"),
    (Constraint::IdentityCodeTaken, "clients_programme_id_identity_code_key", "clients.programme_id, clients.identity_code_index"),
    (Constraint::IdentityCodeTaken, "clients_programme_id_identity_code_2_key", "clients.programme_id, clients.identity_code_index_2"),
    (Constraint::AssignmentOpen, "assignments_one_open_key", "assignments.referral_id"),
    (
        Constraint::MeasureTaken,
        "measures_support_period_id_instrument_timepoint_key",
        "measures.support_period_id, measures.instrument, measures.timepoint",
    ),
    (
        Constraint::GuidanceTaken,
        "concern_guidance_place_key",
        "concern_guidance.programme_id, concern_guidance.municipality, concern_guidance.kind",
    ),
    (Constraint::GuidanceTaken, "concern_guidance_programme_key", "concern_guidance.programme_id, concern_guidance.kind"),
    (
        Constraint::MeasureInstrumentTaken,
        "measure_instruments_programme_id_code_version_key",
        "measure_instruments.programme_id, measure_instruments.code, measure_instruments.version",
    ),
    (
        Constraint::MeasureTextTaken,
        "measure_texts_programme_id_code_version_language_key",
        "measure_texts.programme_id, measure_texts.code, measure_texts.version, measure_texts.language",
    ),
    (Constraint::IndividualUseOpen, "individual_uses_one_open_key", "individual_uses.programme_id, individual_uses.code"),
    (Constraint::FeedbackTaken, "feedback_one_each_key", "feedback.referral_id, feedback.stage, feedback.party"),
    (Constraint::FeedbackTaken, "feedback_one_worker_key", "feedback.referral_id, feedback.stage, feedback.author_id"),
    (Constraint::LoginTaken, "users_login_key", "users.login"),
    (Constraint::ActivityLinkTaken, "activity_links_referral_id_activity_id_key", "activity_links.referral_id, activity_links.activity_id"),
    (Constraint::TermsDayTaken, "programme_terms_programme_id_valid_from_key", "programme_terms.programme_id, programme_terms.valid_from"),
    (
        Constraint::RetentionPolicyDayTaken,
        "retention_policies_day_key",
        "retention_policies.programme_id, retention_policies.record_class, retention_policies.valid_from",
    ),
    (Constraint::RetentionRunOpen, "retention_runs_unfinished_key", "retention_runs.programme_id"),
    (Constraint::LinkWorkerTaken, "link_workers_programme_id_user_id_key", "link_workers.programme_id, link_workers.user_id"),
    (Constraint::IdentityTaken, "identities_issuer_subject_key", "identities.issuer, identities.subject"),
    (Constraint::KeyNameTaken, "api_client_keys_api_client_id_key_name_key", "api_client_keys.api_client_id, api_client_keys.key_name"),
    (Constraint::AssertionUsed, "used_assertions_pkey", "used_assertions.api_client_id, used_assertions.jti_sha256"),
    (
        Constraint::ConsentTextTaken,
        "consent_texts_programme_id_version_language_key",
        "consent_texts.programme_id, consent_texts.version, consent_texts.language",
    ),
    (Constraint::ActivityImportOpen, "activity_imports_unfinished_key", "activity_imports.programme_id"),
    (Constraint::ActivitySourceTaken, "activities_programme_id_source_id_key", "activities.programme_id, activities.source_id"),
];

/// What the triggers of both databases say.
const APPEND_ONLY: &str = "audit_events is append-only";

impl Constraint {
    /// Translates an error of either database; `None` when no rule was broken.
    pub(crate) fn of(kind: DatabaseErrorKind, information: &dyn DatabaseErrorInformation) -> Option<Self> {
        let message = information.message();
        match kind {
            DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => Some(Self::ForeignKey),
            DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::CheckViolation | DatabaseErrorKind::ExclusionViolation => {
                Some(Self::named(information.constraint_name(), message))
            }
            DatabaseErrorKind::NotNullViolation => Some(Self::Other),
            _ if message.contains(APPEND_ONLY) => Some(Self::AuditAppendOnly),
            _ => None,
        }
    }

    fn named(name: Option<&str>, message: &str) -> Self {
        // `UNIQUE constraint failed: t.a, t.b`, `UNIQUE constraint failed: index 'name'`, `CHECK constraint failed: name`
        let said = message.split_once("constraint failed: ").map_or(message, |(_, rest)| rest);
        let index = said.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\''));
        KNOWN
            .iter()
            .find(|(_, postgresql, sqlite)| match name.or(index) {
                Some(name) => name == *postgresql,
                None => said == *sqlite || said == *postgresql,
            })
            .map_or(Self::Other, |(constraint, _, _)| *constraint)
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IdempotencyKeyTaken => "the idempotency key is taken",
            Self::AuditPlaceTaken => "the place in the audit chain is taken",
            Self::AuditAppendOnly => "the audit trail can only grow",
            Self::SourceTaken => "the source system has sent this referral already",
            Self::IdentityCodeTaken => "a known client has this identity code",
            Self::AssignmentOpen => "the referral has an open assignment",
            Self::MeasureTaken => "the questionnaire is recorded for this timepoint",
            Self::MeasureInstrumentTaken => "the programme has this version of the instrument",
            Self::MeasureTextTaken => "the programme has words for this version in this language",
            Self::IndividualUseOpen => "the programme asks single persons already",
            Self::FeedbackTaken => "feedback was given at this stage",
            Self::LoginTaken => "the sign-in name is taken",
            Self::GuidanceTaken => "the place has a guidance for this kind of concern",
            Self::ActivityLinkTaken => "the client is linked to this activity",
            Self::TermsDayTaken => "there are terms from that day already",
            Self::RetentionPolicyDayTaken => "there is a policy from that day already",
            Self::RetentionRunOpen => "a run of the retention is not through",
            Self::LinkWorkerTaken => "the person is a link worker of the programme",
            Self::IdentityTaken => "the subject of the issuer is linked with an account",
            Self::KeyNameTaken => "the machine has a key of this name",
            Self::AssertionUsed => "the assertion has opened before",
            Self::ConsentTextTaken => "the programme has this version of its consent text in this language",
            Self::ActivityImportOpen => "an import of activities is not through",
            Self::ActivitySourceTaken => "the entry of the other directory is there already",
            Self::ForeignKey => "a row refers to one that does not exist",
            Self::Other => "a rule of the schema",
        })
    }
}
