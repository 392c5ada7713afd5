//! Typed identifiers. A user id can never be passed where a referral id is wanted.
//!
//! Ids are UUID v7, made outside this crate by an [`IdSource`]: the rules never invent one.

use uuid::Uuid;

/// Where new ids come from. The program uses UUID v7; tests use a counter, so that snapshots are stable.
pub trait IdSource: Send + Sync {
    /// A new id that nobody has seen before.
    fn next_uuid(&self) -> Uuid;
}

impl dyn IdSource + '_ {
    /// A new id of the wanted kind.
    pub fn next<I: Id>(&self) -> I {
        I::from_uuid(self.next_uuid())
    }
}

/// What all typed ids have in common.
pub trait Id: Copy + Eq + Ord + std::fmt::Debug + std::fmt::Display + Send + Sync + 'static {
    /// The resource that it names, as in the problem "no such referral".
    const RESOURCE: &'static str;
    /// Wraps a raw id read from a path, a row or a body.
    fn from_uuid(value: Uuid) -> Self;
    /// The raw id, for a row or a body.
    fn as_uuid(self) -> Uuid;
    /// The id of nothing. Whoever asks for what is not there is led through the same steps with it as for what they may not see.
    #[must_use]
    fn nil() -> Self {
        Self::from_uuid(Uuid::nil())
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $resource:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(Uuid);

        impl Id for $name {
            const RESOURCE: &'static str = $resource;
            fn from_uuid(value: Uuid) -> Self { Self(value) }
            fn as_uuid(self) -> Uuid { self.0 }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }
    )*};
}

ids! {
    /// One controller running the model in a set of municipalities: the tenant.
    ProgrammeId = "programme";
    /// The dated limits and fees of a programme.
    ProgrammeTermsId = "programme_terms";
    /// An employer of referrers or workers, or a provider of activities.
    OrganisationId = "organisation";
    /// A person who signs in.
    UserId = "user";
    /// One role of one user in one programme.
    RoleAssignmentId = "role_assignment";
    /// A machine that signs in: a patient system that pushes referrals.
    ApiClientId = "api_client";
    /// A name by which a user or a machine is known at another issuer.
    IdentityId = "identity";
    /// A name by which a user is known at another issuer, as it stands in paths.
    UserIdentityId = "user_identity";
    /// A name by which a machine is known at another issuer, as it stands in paths.
    ApiClientIdentityId = "api_client_identity";
    /// A public key of a machine.
    ApiClientKeyId = "api_client_key";
    /// The adult whom a referral is about.
    ClientId = "client";
    /// A wellbeing referral.
    ReferralId = "referral";
    /// A consent to a referral.
    ConsentId = "consent";
    /// One version of a programme's consent text in one language.
    ConsentTextId = "consent_text";
    /// A question or an answer about a referral.
    MessageId = "message";
    /// One attempt to reach the client.
    ContactAttemptId = "contact_attempt";
    /// A link worker proposed for a referral.
    AssignmentId = "assignment";
    /// A trained companion.
    LinkWorkerId = "link_worker";
    /// A link worker's contract.
    ContractId = "contract";
    /// A link worker's training.
    TrainingId = "training";
    /// A time in which a link worker is away.
    AbsenceId = "absence";
    /// A meeting of a link worker with a mentor.
    MentoringSessionId = "mentoring_session";
    /// A time in which a programme does not work.
    ProgrammeBreakId = "programme_break";
    /// A worry about a client that has to be, or may be, reported.
    ConcernId = "concern";
    /// Where and to whom a kind of concern is reported.
    ConcernGuidanceId = "concern_guidance";
    /// The fixed-term work of client and link worker.
    SupportPeriodId = "support_period";
    /// The client's own goal.
    GoalId = "goal";
    /// An entry of the activity directory.
    ActivityId = "activity";
    /// One import of activities from another directory.
    ActivityImportId = "activity_import";
    /// An activity that a client was guided to.
    ActivityLinkId = "activity_link";
    /// One contact of client and worker.
    VisitId = "visit";
    /// A coordinator's time on a referral.
    TimeEntryId = "time_entry";
    /// The hour sheet of a link worker and a month.
    HourSheetId = "hour_sheet";
    /// A line of an hour sheet.
    HourSheetLineId = "hour_sheet_line";
    /// What a kilometre is paid.
    MileageRateId = "mileage_rate";
    /// A questionnaire answered at a timepoint, or the reason why not.
    MeasureId = "measure";
    /// A version of an instrument that a programme has added.
    MeasureInstrumentId = "measure_instrument";
    /// The words of an instrument in one language, loaded by whoever holds the licence.
    MeasureTextId = "measure_text";
    /// The time in which a programme asks single persons with an instrument that is meant for groups.
    IndividualUseId = "individual_use";
    /// What a group answered.
    GroupAnswerId = "group_answer";
    /// What client, referrer or link worker said about a referral.
    FeedbackId = "feedback";
    /// A message to a referrer about a milestone.
    MilestoneId = "milestone";
    /// A line of a referral's timeline.
    EventId = "event";
    /// What a person asks about their data.
    DataRequestId = "data_request";
    /// What was before a correction.
    ClientChangeId = "client_change";
    /// A time in which a client's data are only stored.
    RestrictionId = "restriction";
    /// What keeps records from being erased.
    LegalHoldId = "legal_hold";
    /// How long a class of records is kept, from a day on.
    RetentionPolicyId = "retention_policy";
    /// One run of the retention.
    RetentionRunId = "retention_run";
    /// An answer kept under an idempotency key.
    StoredAnswerId = "stored_answer";
    /// A line of the audit trail.
    AuditEventId = "audit_event";
}
