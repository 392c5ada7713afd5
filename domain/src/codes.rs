//! The closed lists of codes. A code never changes its meaning and never depends on the language; its labels are
//! data of the API crate. Sources: the product's life cycle, and the reason, sector, barrier and end-reason lists that
//! the Sodankylä and Linkki projects reported with.

/// A closed set of values that has a name of its own and a stable text for each value.
pub trait Code: Copy + Eq + Ord + std::fmt::Debug + Send + Sync + 'static {
    /// The name of the schema in the API document, `Sector`.
    const SCHEMA: &'static str;
    /// The name of the code list, `sectors`.
    const LIST: &'static str;
    /// All values, in the order in which a list shows them.
    const ALL: &'static [Self];
    /// The stable text.
    fn as_str(self) -> &'static str;
    /// The value behind a text; `None` when there is no such code.
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident in $list:literal { $($(#[$vdoc:meta])* $value:ident = $text:literal,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
            pub enum $name { $($(#[$vdoc])* #[doc = $text] $value,)* }

            impl Code for $name {
                const SCHEMA: &'static str = stringify!($name);
                const LIST: &'static str = $list;
                const ALL: &'static [Self] = &[$(Self::$value,)*];
                fn as_str(self) -> &'static str {
                    match self { $(Self::$value => $text,)* }
                }
            }

            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
            }
        )*

        /// Every code list by name with the codes in it, for the list of code lists and for the test that each has its labels.
        #[must_use]
        pub fn all_lists() -> Vec<(&'static str, Vec<&'static str>)> {
            vec![$(($list, $name::ALL.iter().map(|code| code.as_str()).collect()),)*]
        }
    };
}

codes! {
    /// What a person or machine may do; each role is held in one programme.
    Role in "roles" {
        Referrer = "referrer",
        Coordinator = "coordinator",
        LinkWorker = "link_worker",
        Client = "client",
        ReportReader = "report_reader",
        PrivacyOfficer = "privacy_officer",
        Admin = "admin",
        Integration = "integration",
    }
    /// What kind of organisation.
    OrganisationKind in "organisation-kinds" {
        WellbeingCounty = "wellbeing_county",
        Municipality = "municipality",
        Association = "association",
        Parish = "parish",
        EmploymentService = "employment_service",
        State = "state",
        Company = "company",
    }
    /// Where in society the referrer works.
    Sector in "sectors" {
        Elderly = "elderly",
        MentalHealth = "mental_health",
        SocialServices = "social_services",
        Rehabilitation = "rehabilitation",
        PrimaryCare = "primary_care",
        Hospital = "hospital",
        Employment = "employment",
        EducationCulture = "education_culture",
        LeisureSports = "leisure_sports",
        Parish = "parish",
        Association = "association",
        SelfReferral = "self",
    }
    /// Why a referral is written; several for one referral.
    ReferralReason in "referral-reasons" {
        Loneliness = "loneliness",
        SocialContacts = "social_contacts",
        DailyActivity = "daily_activity",
        GettingStarted = "getting_started",
        LifestyleChange = "lifestyle_change",
        PracticalHelp = "practical_help",
        Outdoors = "outdoors",
        Conversation = "conversation",
        EventsAndGroups = "events_and_groups",
    }
    /// A client's sex by own statement; never derived from the identity code.
    Sex in "sexes" {
        Female = "female",
        Male = "male",
        Other = "other",
    }
    /// How a referral came in.
    Channel in "channels" {
        SignedIn = "signed_in",
        Anonymous = "anonymous",
        Integration = "integration",
        SelfReferral = "self",
    }
    /// Where a referral stands.
    ReferralStateCode in "referral-states" {
        Draft = "draft",
        Submitted = "submitted",
        InReview = "in_review",
        AwaitingInformation = "awaiting_information",
        Waitlisted = "waitlisted",
        Deferred = "deferred",
        Assigned = "assigned",
        InSupport = "in_support",
        DirectlyGuided = "directly_guided",
        Closed = "closed",
        EnteredInError = "entered_in_error",
    }
    /// How a closed referral turned out.
    Outcome in "outcomes" {
        CompletedAsPlanned = "completed_as_planned",
        Discontinued = "discontinued",
        NotStarted = "not_started",
        Redirected = "redirected",
        Declined = "declined",
        Withdrawn = "withdrawn",
    }
    /// Why a referral ended. Which reasons fit which outcome is a rule of [`crate::referral`].
    EndReason in "end-reasons" {
        GoalsReached = "goals_reached",
        MaxPeriodReached = "max_period_reached",
        ContinuesInActivity = "continues_in_activity",
        ContinuesWithSupportPerson = "continues_with_support_person",
        ContinuesAsFriendOrVolunteer = "continues_as_friend_or_volunteer",
        ClientWish = "client_wish",
        HealthDeclined = "health_declined",
        MemoryDisorder = "memory_disorder",
        MovedToIntensiveHousing = "moved_to_intensive_housing",
        MovedAway = "moved_away",
        Deceased = "deceased",
        LinkWorkerLeft = "link_worker_left",
        NotReached = "not_reached",
        ProgrammeBreak = "programme_break",
        ClientDeclined = "client_declined",
        NoSuitableLinkWorker = "no_suitable_link_worker",
        NoCapacity = "no_capacity",
        NoSuitableActivity = "no_suitable_activity",
        Distance = "distance",
        HealthService = "health_service",
        SocialService = "social_service",
        OtherCommunitySupport = "other_community_support",
        OtherArea = "other_area",
        NeedsCareService = "needs_care_service",
        TooDemanding = "too_demanding",
        OutsideArea = "outside_area",
        Duplicate = "duplicate",
        InsufficientInformation = "insufficient_information",
        ConsentWithdrawn = "consent_withdrawn",
        ClientWithdrew = "client_withdrew",
        ReferrerWithdrew = "referrer_withdrew",
        Other = "other",
    }
    /// Which way a referral went.
    Route in "routes" {
        Direct = "direct",
        LinkWorker = "link_worker",
    }
    /// Order on the waiting list.
    Priority in "priorities" {
        Normal = "normal",
        Soon = "soon",
        Urgent = "urgent",
    }
    /// What a consent opens.
    ConsentPurpose in "consent-purposes" {
        ProcessReferral = "process_referral",
        ShareWithLinkWorker = "share_with_link_worker",
        ShareWithActivity = "share_with_activity",
        FeedbackToReferrer = "feedback_to_referrer",
        Evaluation = "evaluation",
    }
    /// How a consent was given.
    ConsentMethod in "consent-methods" {
        Oral = "oral",
        Written = "written",
        Electronic = "electronic",
        AssertedBySender = "asserted_by_sender",
    }
    /// Whom a question is for, or whom an answer comes from.
    MessageParty in "message-parties" {
        Referrer = "referrer",
        Client = "client",
        Coordinator = "coordinator",
    }
    /// A question or its answer.
    MessageKind in "message-kinds" {
        Question = "question",
        Answer = "answer",
    }
    /// How somebody tried to reach the client.
    ContactChannel in "contact-channels" {
        Phone = "phone",
        TextMessage = "text_message",
        Email = "email",
        Letter = "letter",
        HomeVisit = "home_visit",
    }
    /// What came of an attempt to reach the client.
    ContactResult in "contact-results" {
        Reached = "reached",
        NotReached = "not_reached",
        LeftMessage = "left_message",
    }
    /// Where the proposal of a link worker stands.
    AssignmentStateCode in "assignment-states" {
        Proposed = "proposed",
        Accepted = "accepted",
        Declined = "declined",
        Expired = "expired",
        Ended = "ended",
    }
    /// Why a link worker declines a proposal.
    DeclineReason in "decline-reasons" {
        NoTime = "no_time",
        Distance = "distance",
        ConflictOfInterest = "conflict_of_interest",
        Language = "language",
        NotSuitable = "not_suitable",
        Other = "other",
    }
    /// Why an assignment ended.
    AssignmentEndReason in "assignment-end-reasons" {
        ReferralClosed = "referral_closed",
        SupportEnded = "support_ended",
        LinkWorkerChanged = "link_worker_changed",
        LinkWorkerUnavailable = "link_worker_unavailable",
        ClientWish = "client_wish",
        ProposalWithdrawn = "proposal_withdrawn",
        ConsentWithdrawn = "consent_withdrawn",
        Deferred = "deferred",
        Other = "other",
    }
    /// Whether a link worker takes clients.
    LinkWorkerStatus in "link-worker-statuses" {
        Active = "active",
        Paused = "paused",
        Ended = "ended",
    }
    /// On what footing a link worker works.
    ContractKind in "contract-kinds" {
        Fee = "fee",
        Hourly = "hourly",
        Volunteer = "volunteer",
    }
    /// What a training was.
    TrainingKind in "training-kinds" {
        BasicCourse = "basic_course",
        Refresher = "refresher",
        Other = "other",
    }
    /// Where a support period stands.
    SupportPeriodStateCode in "support-period-states" {
        Active = "active",
        Paused = "paused",
        Ended = "ended",
    }
    /// Why a support period pauses.
    PauseReason in "pause-reasons" {
        ClientAway = "client_away",
        ClientIll = "client_ill",
        LinkWorkerAway = "link_worker_away",
        ProgrammeBreak = "programme_break",
        Other = "other",
    }
    /// What became of a goal, by the client's own word.
    GoalOutcome in "goal-outcomes" {
        Achieved = "achieved",
        Partly = "partly",
        Not = "not",
    }
    /// How it is known what became of a goal: from the client's own hand, or as the client said it to somebody who wrote it down.
    OutcomeSource in "outcome-sources" {
        OwnWord = "own_word",
        AsTold = "as_told",
    }
    /// Where a visit stands.
    VisitStateCode in "visit-states" {
        Planned = "planned",
        Held = "held",
        Cancelled = "cancelled",
        NotAttended = "not_attended",
    }
    /// How a visit is made. Only meetings count against the monthly hours: a phone call and a message do not.
    VisitMode in "visit-modes" {
        HomeVisit = "home_visit",
        OtherPlace = "other_place",
        ActivityTogether = "activity_together",
        Phone = "phone",
        RemoteVideo = "remote_video",
        Message = "message",
    }
    /// What a visit is for.
    VisitPurpose in "visit-purposes" {
        FirstVisit = "first_visit",
        Support = "support",
        GoingAlong = "going_along",
        Evaluation = "evaluation",
        LastVisit = "last_visit",
    }
    /// Where an hour sheet stands.
    HourSheetStateCode in "hour-sheet-states" {
        Open = "open",
        Submitted = "submitted",
        Approved = "approved",
        Paid = "paid",
    }
    /// What a line of an hour sheet is.
    HourSheetLineKind in "hour-sheet-line-kinds" {
        Visit = "visit",
        Correction = "correction",
    }
    /// With what a link worker travels, as far as it is paid by the kilometre.
    Vehicle in "vehicles" {
        Car = "car",
    }
    /// What kind of support was given.
    SupportKind in "support-kinds" {
        Emotional = "emotional",
        Informational = "informational",
        Practical = "practical",
        Network = "network",
    }
    /// Who cancelled a visit or stayed away.
    AbsentParty in "absent-parties" {
        Client = "client",
        LinkWorker = "link_worker",
        Logistics = "logistics",
    }
    /// Why somebody did not come to a visit, or called it off.
    VisitAbsenceReason in "visit-absence-reasons" {
        Forgot = "forgot",
        Ill = "ill",
        WeatherOrTransport = "weather_or_transport",
        ChangedMind = "changed_mind",
        Misunderstanding = "misunderstanding",
        Other = "other",
        Unknown = "unknown",
    }
    /// How far the hours of a client in a calendar month are used.
    HoursLevel in "hours-levels" {
        Free = "free",
        NearLimit = "near_limit",
        UsedUp = "used_up",
        OverLimit = "over_limit",
    }
    /// What a coordinator's time on a referral was spent on.
    TimeEntryKind in "time-entry-kinds" {
        Contact = "contact",
        Planning = "planning",
        Matching = "matching",
        Meeting = "meeting",
        Documentation = "documentation",
        Other = "other",
    }
    /// What a client would need and nobody offers: what those who decide about services hear of, as numbers. Sources: the phrases about barriers,
    /// service tray and unmet needs that the pilot reported with.
    UnmetNeed in "unmet-needs" {
        Transport = "transport",
        AffordableActivity = "affordable_activity",
        NearbyGroup = "nearby_group",
        SuitableGroup = "suitable_group",
        Events = "events",
        OwnLanguageGroup = "own_language_group",
        CompanyFriend = "company_friend",
        DigitalHelp = "digital_help",
        HomeHelp = "home_help",
        CareService = "care_service",
        Information = "information",
        Other = "other",
    }
    /// What stands in the way of taking part.
    Barrier in "barriers" {
        Money = "money",
        Transport = "transport",
        Distance = "distance",
        NoEvents = "no_events",
        NoSuitableAssociation = "no_suitable_association",
        Language = "language",
        Health = "health",
        Shyness = "shyness",
        DigitalAccess = "digital_access",
        Other = "other",
    }
    /// The ten themes of the activity directory.
    Theme in "themes" {
        Moving = "moving",
        Eating = "eating",
        Nature = "nature",
        Culture = "culture",
        Participation = "participation",
        MentalWellbeing = "mental_wellbeing",
        WorkStudyAbility = "work_study_ability",
        Sleep = "sleep",
        SubstanceReduction = "substance_reduction",
        EverydaySafety = "everyday_safety",
    }
    /// What an activity costs.
    Price in "prices" {
        Free = "free",
        Fee = "fee",
        Unknown = "unknown",
    }
    /// Whether one can join an activity.
    ActivityStatus in "activity-statuses" {
        Active = "active",
        TemporarilyClosed = "temporarily_closed",
        Inactive = "inactive",
        Withdrawn = "withdrawn",
    }
    /// What an entry of the directory offers.
    ContentKind in "content-kinds" {
        Service = "service",
        SelfCareProgramme = "self_care_programme",
        Information = "information",
    }
    /// Where an entry of the directory is kept.
    ActivitySource in "activity-sources" {
        Own = "own",
        Ptv = "ptv",
    }
    /// A day of the week.
    DayOfWeek in "weekdays" {
        Monday = "monday",
        Tuesday = "tuesday",
        Wednesday = "wednesday",
        Thursday = "thursday",
        Friday = "friday",
        Saturday = "saturday",
        Sunday = "sunday",
    }
    /// How far an import of activities is.
    ActivityImportState in "activity-import-states" {
        Queued = "queued",
        Running = "running",
        Finished = "finished",
        Failed = "failed",
    }
    /// What an import of activities reads now.
    ActivityImportPhase in "activity-import-phases" {
        Organisations = "organisations",
        Channels = "channels",
        Services = "services",
        Archived = "archived",
        Withdrawn = "withdrawn",
    }
    /// Why an item of another directory was not taken over as it stands.
    ActivityImportFault in "activity-import-faults" {
        WrongShape = "wrong_shape",
        NoId = "no_id",
        NoName = "no_name",
        TooLarge = "too_large",
        NotPublished = "not_published",
        NotAnActivity = "not_an_activity",
        DuplicateBusinessId = "duplicate_business_id",
    }
    /// How far a client has come with an activity.
    ActivityLinkStateCode in "activity-link-states" {
        Proposed = "proposed",
        Started = "started",
        Attending = "attending",
        Stopped = "stopped",
    }
    /// A questionnaire that comes with the program; a programme adds others as data. No item text is shipped.
    Instrument in "instruments" {
        Swemwbs = "swemwbs",
        Recommendation = "recommendation",
        Ons4 = "ons4",
        Ucla3 = "ucla3",
        Who5 = "who5",
        Esis = "esis",
        Gas = "gas",
    }
    /// A named range of scores, as an instrument's authors draw it.
    ScoreBand in "score-bands" {
        VeryLow = "very_low",
        Low = "low",
        Medium = "medium",
        High = "high",
        VeryHigh = "very_high",
    }
    /// What a change of a score means.
    ScoreChange in "score-changes" {
        ReliableImprovement = "reliable_improvement",
        NoChange = "no_change",
        ReliableDeterioration = "reliable_deterioration",
        Uncertain = "uncertain",
        NotDefined = "not_defined",
        NotComparable = "not_comparable",
    }
    /// When in the work feedback is given.
    FeedbackStage in "feedback-stages" {
        During = "during",
        End = "end",
    }
    /// Whose words feedback is.
    FeedbackParty in "feedback-parties" {
        Client = "client",
        Referrer = "referrer",
        LinkWorker = "link_worker",
    }
    /// A statement of a feedback form, rated from 1 to 5. Each form has its own.
    FeedbackStatement in "feedback-statements" {
        ClientWasHeard = "client_was_heard",
        ClientSupportFitted = "client_support_fitted",
        ClientGoalsWereMine = "client_goals_were_mine",
        ClientJoinsMore = "client_joins_more",
        ReferrerEasyToRefer = "referrer_easy_to_refer",
        ReferrerKeptInformed = "referrer_kept_informed",
        ReferrerClientBenefited = "referrer_client_benefited",
        ReferrerWouldReferAgain = "referrer_would_refer_again",
        WorkerMatched = "worker_matched",
        WorkerHadTime = "worker_had_time",
        WorkerWasSupported = "worker_was_supported",
        WorkerClientBenefited = "worker_client_benefited",
    }
    /// What a referrer who wants to hear back is told.
    Milestone in "milestones" {
        InReview = "in_review",
        DirectlyGuided = "directly_guided",
        Waitlisted = "waitlisted",
        LinkWorkerFound = "link_worker_found",
        SupportStarted = "support_started",
        SupportEnded = "support_ended",
        Closed = "closed",
    }
    /// When a questionnaire is answered.
    Timepoint in "timepoints" {
        Start = "start",
        End = "end",
        FollowUp = "follow_up",
    }
    /// How a questionnaire is answered. Help may bias the answer upward, so it is kept.
    AnswerMode in "answer-modes" {
        Independently = "self",
        Helped = "helped",
        Interview = "interview",
        Remote = "remote",
    }
    /// Why a questionnaire was not answered.
    MissingReason in "missing-reasons" {
        Declined = "declined",
        NotAsked = "not_asked",
        NotAble = "not_able",
        NotReached = "not_reached",
        Language = "language",
    }
    /// Why nobody knows how an activity went.
    NotFollowedUpReason in "not-followed-up-reasons" {
        NotReached = "not_reached",
        ClientDeclined = "client_declined",
        NoTime = "no_time",
        Other = "other",
    }
    /// How a client who was guided directly fares at the follow-up.
    FollowUpAnswer in "follow-up-answers" {
        Attending = "attending",
        TriedOnce = "tried_once",
        NeverWent = "never_went",
    }
    /// What a concern is about: each kind has its own duty or right to report, and its own authority.
    ConcernKind in "concern-kinds" {
        SocialCare = "social_care",
        OlderPerson = "older_person",
        Child = "child",
        FireOrAccident = "fire_or_accident",
        Guardianship = "guardianship",
        SeriousCrime = "serious_crime",
        ViolenceAtHome = "violence_at_home",
        Other = "other",
    }
    /// Where a concern stands.
    ConcernStateCode in "concern-states" {
        Open = "open",
        Reported = "reported",
        Closed = "closed",
    }
    /// Whether somebody must report a concern or may.
    Obligation in "obligations" {
        Duty = "duty",
        Right = "right",
    }
    /// Why a link worker is away.
    AbsenceReason in "absence-reasons" {
        Holiday = "holiday",
        Illness = "illness",
        Study = "study",
        Family = "family",
        Other = "other",
    }
    /// How a link worker was mentored.
    MentoringKind in "mentoring-kinds" {
        Individual = "individual",
        Group = "group",
    }
    /// Why a programme takes a break.
    BreakReason in "break-reasons" {
        HolidaySeason = "holiday_season",
        Staffing = "staffing",
        Funding = "funding",
        ExceptionalConditions = "exceptional_conditions",
        Other = "other",
    }
    /// Whether an access was let through.
    AuditOutcome in "audit-outcomes" {
        Allowed = "allowed",
        Denied = "denied",
    }
    /// What was done with a client's data.
    AuditAction in "audit-actions" {
        Read = "read",
        Created = "created",
        Changed = "changed",
        Searched = "searched",
    }
    /// Whether a client's data may be used.
    ClientStanding in "client-standings" {
        Open = "open",
        Restricted = "restricted",
        Erased = "erased",
    }
    /// What a person asks about their data (GDPR 15 to 21).
    DataRequestKind in "data-request-kinds" {
        Access = "access",
        Rectification = "rectification",
        Erasure = "erasure",
        Restriction = "restriction",
        Objection = "objection",
        Portability = "portability",
    }
    /// Where a data request stands.
    DataRequestStateCode in "data-request-states" {
        Received = "received",
        InProgress = "in_progress",
        Extended = "extended",
        Fulfilled = "fulfilled",
        Refused = "refused",
        Withdrawn = "withdrawn",
    }
    /// On what ground a data request is refused.
    RefusalGround in "refusal-grounds" {
        StatutoryTask = "statutory_task",
        LegalHold = "legal_hold",
        LegalClaims = "legal_claims",
        NotIdentified = "not_identified",
        ManifestlyUnfounded = "manifestly_unfounded",
        RightsOfOthers = "rights_of_others",
        NothingHeld = "nothing_held",
        Other = "other",
    }
    /// A kind of records, for which one rule says how long it is kept and how it goes.
    RecordClass in "record-classes" {
        Client = "client",
        ClientHistory = "client_history",
        SignIn = "sign_in",
        Referral = "referral",
        Consent = "consent",
        Message = "message",
        ContactAttempt = "contact_attempt",
        Timeline = "timeline",
        Assignment = "assignment",
        SupportPeriod = "support_period",
        Goal = "goal",
        ActivityLink = "activity_link",
        Visit = "visit",
        Measure = "measure",
        DataRequest = "data_request",
        StoredAnswer = "stored_answer",
        AccessLog = "access_log",
        Statistics = "statistics",
        Pay = "pay",
        Staff = "staff",
    }
    /// How a record goes when its time is over.
    RetentionAction in "retention-actions" {
        Pseudonymise = "pseudonymise",
        Delete = "delete",
        Keep = "keep",
    }
    /// From when the time is counted for which a record is kept.
    RetentionStart in "retention-starts" {
        ReferralEnd = "referral_end",
        LastReferralEnd = "last_referral_end",
        Decision = "decision",
        Event = "event",
        Work = "work",
        Never = "never",
    }
    /// Why records stay although they were to be erased.
    KeptReason in "kept-reasons" {
        StatutoryRetention = "statutory_retention",
        Anonymous = "anonymous",
        ProofOfAccess = "proof_of_access",
        ProofOfConsent = "proof_of_consent",
        OtherPersons = "other_persons",
        StaffAccount = "staff_account",
    }
    /// Language of labels and titles.
    Language in "languages" {
        Finnish = "fi",
        Swedish = "sv",
        English = "en",
        NorthernSami = "se",
        InariSami = "smn",
        SkoltSami = "sms",
    }
    /// What happened to a referral: the lines of its timeline.
    EventKind in "event-kinds" {
        Created = "referral_created",
        Updated = "referral_updated",
        Submitted = "referral_submitted",
        ReviewStarted = "review_started",
        InformationRequested = "information_requested",
        InformationAnswered = "information_answered",
        Guided = "directly_guided",
        Waitlisted = "waitlisted",
        Deferred = "deferred",
        Resumed = "resumed",
        AssignmentProposed = "assignment_proposed",
        AssignmentAccepted = "assignment_accepted",
        AssignmentDeclined = "assignment_declined",
        AssignmentExpired = "assignment_expired",
        AssignmentEnded = "assignment_ended",
        ContactAttempted = "contact_attempted",
        ConsentRecorded = "consent_recorded",
        ConsentVerified = "consent_verified",
        ConsentWithdrawn = "consent_withdrawn",
        SupportStarted = "support_started",
        SupportPaused = "support_paused",
        SupportResumed = "support_resumed",
        SupportExtended = "support_extended",
        LinkWorkerChanged = "link_worker_changed",
        CoordinatorChanged = "coordinator_changed",
        EndProposed = "end_proposed",
        SupportEnded = "support_ended",
        GoalRecorded = "goal_recorded",
        ActivityLinked = "activity_linked",
        ActivityLinkChanged = "activity_link_changed",
        VisitPlanned = "visit_planned",
        VisitHeld = "visit_held",
        VisitCancelled = "visit_cancelled",
        VisitNotAttended = "visit_not_attended",
        VisitChanged = "visit_changed",
        MeasureRecorded = "measure_recorded",
        FeedbackGiven = "feedback_given",
        Withdrawn = "referral_withdrawn",
        Closed = "referral_closed",
        Reopened = "referral_reopened",
        MarkedAsError = "marked_as_error",
    }
}

impl Language {
    /// Takes what belongs to it out of six things, one for each language in the order of [`Code::ALL`].
    #[must_use]
    pub fn of<T>(self, [fi, sv, en, se, smn, sms]: [T; 6]) -> T {
        match self {
            Self::Finnish => fi,
            Self::Swedish => sv,
            Self::English => en,
            Self::NorthernSami => se,
            Self::InariSami => smn,
            Self::SkoltSami => sms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_back_and_no_list_is_named_twice() {
        let mut names = Vec::new();
        for (list, codes) in all_lists() {
            assert!(!names.contains(&list), "{list} is named twice");
            names.push(list);
            let mut sorted = codes.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), codes.len(), "{list} repeats a code");
        }
        assert_eq!(Sector::parse("self"), Some(Sector::SelfReferral));
        assert_eq!(Sector::parse("Self"), None);
    }
}
