//! Who may do what: one pure function over the caller's roles, the action and the subject (product §3). Deny is the default.
//!
//! Two questions are kept apart. [`scope`] is the table "role × action" that a reviewer reads and that a golden file holds.
//! [`decide`] applies it to one subject and also says how a refusal looks: what one may not see is *hidden* (404), what one may see but not do
//! is *forbidden* (403).

use crate::actor::{Actor, Caller, Grant};
use crate::codes::{ClientStanding, Code, ReferralStateCode, Role};
use crate::ids::{ApiClientId, OrganisationId, ProgrammeId, UserId};
use crate::referral::REOPEN_DAYS;
use crate::time::{Instant, plus_days};
use chrono::NaiveDate;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal sees $view:ident;)*) => {
        /// Something that a caller may or may not do.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// All of them, in the order of the work.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in the golden matrix.
            #[must_use]
            pub fn as_str(self) -> &'static str { match self { $(Self::$name => $text,)* } }

            /// Whether it changes nothing, by its name.
            #[must_use]
            pub fn reads(self) -> bool { self.as_str().ends_with("_view") }

            /// The action by which one may know that the subject exists at all.
            #[must_use]
            pub fn view(self) -> Self { match self { $(Self::$name => Self::$view,)* } }
        }
    };
}

actions! {
    /// Start a draft.
    ReferralCreate = "referral_create" sees ReferralCreate;
    /// Read a referral and its state.
    ReferralView = "referral_view" sees ReferralView;
    /// Change a draft.
    ReferralUpdate = "referral_update" sees ReferralView;
    /// Send a draft.
    ReferralSubmit = "referral_submit" sees ReferralView;
    /// Take a referral for review.
    ReferralReview = "referral_review" sees ReferralView;
    /// Ask the referrer or the client.
    ReferralRequestInformation = "referral_request_information" sees ReferralView;
    /// Answer a question.
    ReferralAnswer = "referral_answer" sees ReferralView;
    /// Guide directly to an activity, and follow up.
    ReferralGuide = "referral_guide" sees ReferralView;
    /// Put on the waiting list.
    ReferralWaitlist = "referral_waitlist" sees ReferralView;
    /// Defer and resume.
    ReferralDefer = "referral_defer" sees ReferralView;
    /// Close.
    ReferralClose = "referral_close" sees ReferralView;
    /// Open again.
    ReferralReopen = "referral_reopen" sees ReferralView;
    /// Withdraw.
    ReferralWithdraw = "referral_withdraw" sees ReferralView;
    /// Correct what a sent referral says, for the person.
    ReferralRectify = "referral_rectify" sees ReferralView;
    /// Mark as entered in error.
    ReferralMarkAsError = "referral_mark_as_error" sees ReferralView;
    /// Read the timeline.
    TimelineView = "timeline_view" sees ReferralView;
    /// Read questions and answers.
    MessageView = "message_view" sees ReferralView;
    /// Read attempts to reach the client.
    ContactAttemptView = "contact_attempt_view" sees ReferralView;
    /// Record an attempt to reach the client.
    ContactAttemptRecord = "contact_attempt_record" sees ReferralView;
    /// Read consents.
    ConsentView = "consent_view" sees ReferralView;
    /// Record a consent.
    ConsentRecord = "consent_record" sees ReferralView;
    /// Verify an asserted consent with the client.
    ConsentVerify = "consent_verify" sees ReferralView;
    /// Withdraw a consent.
    ConsentWithdraw = "consent_withdraw" sees ReferralView;
    /// Read who was proposed and assigned.
    AssignmentView = "assignment_view" sees AssignmentView;
    /// Propose a link worker.
    AssignmentPropose = "assignment_propose" sees ReferralView;
    /// Accept or decline a proposal.
    AssignmentAnswer = "assignment_answer" sees AssignmentView;
    /// End an assignment.
    AssignmentEnd = "assignment_end" sees AssignmentView;
    /// Start the support period.
    SupportStart = "support_start" sees ReferralView;
    /// Read the support period with its plan.
    SupportView = "support_view" sees SupportView;
    /// Pause and resume the support period.
    SupportPause = "support_pause" sees SupportView;
    /// Change the end date.
    SupportExtend = "support_extend" sees SupportView;
    /// Change the link worker.
    SupportChangeLinkWorker = "support_change_link_worker" sees SupportView;
    /// Propose that the support ends.
    SupportProposeEnd = "support_propose_end" sees SupportView;
    /// End the support period.
    SupportEnd = "support_end" sees SupportView;
    /// Write goals and activity links.
    PlanWrite = "plan_write" sees SupportView;
    /// Say what became of a goal.
    GoalOutcome = "goal_outcome" sees SupportView;
    /// Plan, hold, cancel and correct visits.
    VisitWrite = "visit_write" sees SupportView;
    /// Record a visit over the month's hours.
    VisitOverrideLimit = "visit_override_limit" sees SupportView;
    /// Read visits.
    VisitView = "visit_view" sees SupportView;
    /// Read the time that coordinators have spent on a referral.
    TimeEntryView = "time_entry_view" sees ReferralView;
    /// Write down, correct and strike one's time on a referral.
    TimeEntryWrite = "time_entry_write" sees ReferralView;
    /// Record a measure.
    MeasureWrite = "measure_write" sees SupportView;
    /// Read measures.
    MeasureView = "measure_view" sees SupportView;
    /// Record a concern about the client of a case.
    ConcernRecord = "concern_record" sees ReferralView;
    /// Read the concerns of a case, as far as they are one's own to see.
    ConcernListView = "concern_list_view" sees ReferralView;
    /// Read a concern.
    ConcernView = "concern_view" sees ConcernView;
    /// Say where a concern was reported, and what followed.
    ConcernUpdate = "concern_update" sees ConcernView;
    /// Release a concern to the client's view, and close it.
    ConcernRelease = "concern_release" sees ConcernView;
    /// Read the released concerns about oneself.
    OwnConcernView = "own_concern_view" sees OwnConcernView;
    /// Read where concerns are reported.
    ConcernGuidanceView = "concern_guidance_view" sees ConcernGuidanceView;
    /// Say where concerns are reported.
    ConcernGuidanceManage = "concern_guidance_manage" sees ConcernGuidanceView;
    /// Hand over all open cases of a coordinator or a link worker.
    HandoverMake = "handover_make" sees HandoverMake;
    /// Read what was said about a referral.
    FeedbackView = "feedback_view" sees ReferralView;
    /// Say how a referral went.
    FeedbackGive = "feedback_give" sees FeedbackView;
    /// Read and acknowledge the messages about the milestones of a referral.
    MilestoneView = "milestone_view" sees ReferralView;
    /// Add instruments, load their words, decide about asking single persons.
    MeasureInstrumentManage = "measure_instrument_manage" sees ProgrammeView;
    /// Record and read what groups answered.
    MeasureGroupManage = "measure_group_manage" sees ProgrammeView;
    /// Read a client with contact data.
    ClientView = "client_view" sees ClientView;
    /// Change a client's data.
    ClientUpdate = "client_update" sees ClientView;
    /// Find a client by identity code.
    ClientSearch = "client_search" sees ClientSearch;
    /// Read who has read about a client.
    AccessLogView = "access_log_view" sees AccessLogView;
    /// Read what was before corrections of a client's data.
    ClientHistoryView = "client_history_view" sees ClientHistoryView;
    /// Restrict the use of a client's data, and decide that the restriction ends.
    ClientRestrict = "client_restrict" sees DataRequestView;
    /// Lift a restriction whose end was decided.
    ClientRestrictionLift = "client_restriction_lift" sees DataRequestView;
    /// Ask about one's data, or record what a client asks.
    DataRequestCreate = "data_request_create" sees DataRequestView;
    /// Read data requests.
    DataRequestView = "data_request_view" sees DataRequestView;
    /// Take a data request on, extend, fulfil and refuse it.
    DataRequestHandle = "data_request_handle" sees DataRequestView;
    /// Take a data request back.
    DataRequestWithdraw = "data_request_withdraw" sees DataRequestView;
    /// Read everything about oneself.
    DataCopyView = "data_copy_view" sees DataCopyView;
    /// Read the package that a data request asks for.
    DataPackageView = "data_package_view" sees DataRequestView;
    /// Read, place and end legal holds.
    LegalHoldManage = "legal_hold_manage" sees LegalHoldManage;
    /// Read how long records are kept, and what retention has done.
    RetentionView = "retention_view" sees RetentionView;
    /// Say how long records are kept.
    RetentionManage = "retention_manage" sees RetentionView;
    /// Read link workers.
    LinkWorkerView = "link_worker_view" sees LinkWorkerView;
    /// Add and change link workers, contracts and trainings.
    LinkWorkerManage = "link_worker_manage" sees LinkWorkerView;
    /// Change a link worker's languages and interests, and enter absences.
    LinkWorkerOwnUpdate = "link_worker_own_update" sees LinkWorkerView;
    /// Read hour sheets, and take their CSV.
    HourSheetView = "hour_sheet_view" sees HourSheetView;
    /// Hand an hour sheet in.
    HourSheetSubmit = "hour_sheet_submit" sees HourSheetView;
    /// Give an hour sheet back, approve it, note its payment.
    HourSheetApprove = "hour_sheet_approve" sees HourSheetView;
    /// Take the CSV of all hour sheets of a month.
    HourSheetExport = "hour_sheet_export" sees HourSheetExport;
    /// Read mileage rates.
    RateView = "rate_view" sees RateView;
    /// Add mileage rates.
    RateManage = "rate_manage" sees RateView;
    /// Add and change activities.
    ActivityManage = "activity_manage" sees ActivityManage;
    /// Start imports of activities, and see how far they are.
    ActivityImport = "activity_import" sees ActivityImport;
    /// Say which classes of another directory belong to which themes.
    ThemeMappingManage = "theme_mapping_manage" sees ThemeMappingManage;
    /// Read statistics, small cells hidden.
    ReportView = "report_view" sees ReportView;
    /// Read statistics whole.
    ReportViewWhole = "report_view_whole" sees ReportView;
    /// Read the audit trail.
    AuditView = "audit_view" sees AuditView;
    /// Read a programme with its terms.
    ProgrammeView = "programme_view" sees ProgrammeView;
    /// Change a programme and its terms.
    ProgrammeManage = "programme_manage" sees ProgrammeView;
    /// Add and change breaks of a programme.
    ProgrammeBreakManage = "programme_break_manage" sees ProgrammeView;
    /// Publish the texts that clients consent to.
    ConsentTextManage = "consent_text_manage" sees ConsentTextManage;
    /// Read organisations.
    OrganisationView = "organisation_view" sees OrganisationView;
    /// Add and change organisations.
    OrganisationManage = "organisation_manage" sees OrganisationView;
    /// Read, add and change users.
    UserManage = "user_manage" sees UserManage;
    /// Read, give and end role assignments.
    RoleAssignmentManage = "role_assignment_manage" sees RoleAssignmentManage;
    /// Read, add and revoke API clients.
    ApiClientManage = "api_client_manage" sees ApiClientManage;
}

/// How far a role reaches with an action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Not at all.
    None,
    /// Only cases of their own: written, assigned, about themself.
    Own,
    /// Everything in the programme of the role.
    Programme,
}

/// The table of product §3.
#[must_use]
pub fn scope(role: Role, action: Action) -> Scope {
    use Action as A;
    match role {
        Role::Referrer => match action {
            A::ReferralCreate => Scope::Programme,
            A::ReferralView
            | A::ReferralUpdate
            | A::ReferralSubmit
            | A::ReferralAnswer
            | A::ReferralWithdraw
            | A::TimelineView
            | A::ConcernRecord
            | A::ConcernListView
            | A::ConcernView
            | A::ConcernUpdate
            | A::MessageView
            | A::FeedbackView
            | A::FeedbackGive
            | A::MilestoneView => Scope::Own,
            A::ProgrammeView | A::OrganisationView | A::ConcernGuidanceView => Scope::Programme,
            _ => Scope::None,
        },
        Role::Integration => match action {
            A::ReferralCreate => Scope::Programme,
            A::ReferralView | A::ReferralUpdate | A::ReferralSubmit | A::ReferralAnswer | A::ReferralWithdraw | A::MessageView => {
                Scope::Own
            }
            A::ProgrammeView | A::OrganisationView => Scope::Programme,
            _ => Scope::None,
        },
        Role::Coordinator => match action {
            A::ReferralCreate | A::ReferralUpdate | A::ReferralSubmit | A::AssignmentAnswer => Scope::None,
            A::MilestoneView | A::MeasureInstrumentManage => Scope::None,
            A::AuditView
            | A::ProgrammeManage
            | A::ConsentTextManage
            | A::OrganisationManage
            | A::UserManage
            | A::RoleAssignmentManage
            | A::ApiClientManage
            | A::ClientRestrict
            | A::DataRequestHandle
            | A::DataRequestWithdraw
            | A::DataCopyView
            | A::DataPackageView
            | A::LegalHoldManage
            | A::RetentionView
            | A::RetentionManage
            | A::OwnConcernView
            | A::AccessLogView => Scope::None,
            _ => Scope::Programme,
        },
        Role::LinkWorker => match action {
            A::AssignmentView
            | A::AssignmentAnswer
            | A::AssignmentEnd
            | A::ReferralView
            | A::TimelineView
            | A::SupportStart
            | A::SupportView
            | A::SupportPause
            | A::SupportProposeEnd
            | A::PlanWrite
            | A::GoalOutcome
            | A::VisitWrite
            | A::VisitView
            | A::MeasureWrite
            | A::MeasureView
            | A::ConcernRecord
            | A::ConcernListView
            | A::ConcernView
            | A::ConcernUpdate
            | A::FeedbackView
            | A::FeedbackGive
            | A::ClientView
            | A::HourSheetView
            | A::HourSheetSubmit
            | A::LinkWorkerView
            | A::LinkWorkerOwnUpdate => Scope::Own,
            A::RateView => Scope::Programme,
            A::ProgrammeView | A::OrganisationView | A::ConcernGuidanceView => Scope::Programme,
            _ => Scope::None,
        },
        Role::Client => match action {
            A::ReferralCreate => Scope::Programme,
            A::ReferralView
            | A::ReferralUpdate
            | A::ReferralSubmit
            | A::ReferralAnswer
            | A::ReferralWithdraw
            | A::TimelineView
            | A::MessageView
            | A::ConsentView
            | A::ConsentWithdraw
            | A::SupportView
            | A::VisitView
            | A::MeasureWrite
            | A::MeasureView
            | A::FeedbackView
            | A::FeedbackGive
            | A::GoalOutcome
            | A::ClientView
            | A::ClientHistoryView
            | A::DataRequestCreate
            | A::DataRequestView
            | A::DataRequestWithdraw
            | A::DataCopyView
            | A::DataPackageView
            | A::OwnConcernView
            | A::AccessLogView => Scope::Own,
            A::ProgrammeView => Scope::Programme,
            _ => Scope::None,
        },
        Role::ReportReader => match action {
            A::ReportView | A::ProgrammeView | A::OrganisationView => Scope::Programme,
            _ => Scope::None,
        },
        Role::PrivacyOfficer => match action {
            A::AuditView
            | A::AccessLogView
            | A::ClientHistoryView
            | A::ClientRestrict
            | A::DataRequestCreate
            | A::DataRequestView
            | A::DataRequestHandle
            | A::DataRequestWithdraw
            | A::DataPackageView
            | A::LegalHoldManage
            | A::RetentionView
            | A::RetentionManage
            | A::ConcernListView
            | A::ConcernView
            | A::ConcernGuidanceView
            | A::ProgrammeView
            | A::OrganisationView => Scope::Programme,
            _ => Scope::None,
        },
        Role::Admin => match action {
            A::ReferralMarkAsError
            | A::ProgrammeView
            | A::ProgrammeManage
            | A::ConsentTextManage
            | A::OrganisationView
            | A::OrganisationManage
            | A::UserManage
            | A::RoleAssignmentManage
            | A::RetentionView
            | A::RetentionManage
            | A::ConcernGuidanceView
            | A::ConcernGuidanceManage
            | A::ProgrammeBreakManage
            | A::ActivityImport
            | A::ThemeMappingManage
            | A::RateView
            | A::RateManage
            | A::MeasureInstrumentManage
            | A::ApiClientManage => Scope::Programme,
            _ => Scope::None,
        },
    }
}

/// Whether a grant reaches data whose use is restricted: those of the client themself, those of the privacy officer for the client's requests, and the
/// step that lifts the restriction. Everybody else has to leave them where they are (GDPR 18).
fn reaches_restricted(role: Role, action: Action) -> bool {
    use Action as A;
    match role {
        Role::Client | Role::PrivacyOfficer => true,
        Role::Coordinator => matches!(action, A::DataRequestCreate | A::DataRequestView | A::ClientRestrictionLift),
        _ => false,
    }
}

/// The relations of a thing to people, as far as they decide who may touch it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Where it lies.
    pub programme: ProgrammeId,
    /// The signed-in person who wrote the referral.
    pub referrer: Option<UserId>,
    /// The machine that pushed it.
    pub api_client: Option<ApiClientId>,
    /// The organisation that it was pushed for.
    pub organisation: Option<OrganisationId>,
    /// The link worker assigned now.
    pub link_worker: Option<UserId>,
    /// The link worker to whom it is proposed now.
    pub proposed_to: Option<UserId>,
    /// The client's own sign-in.
    pub client: Option<UserId>,
    /// Who recorded a concern.
    pub reporter: Option<UserId>,
    /// Whether a verified consent shares it with a link worker today.
    pub shared_with_link_worker: bool,
    /// A draft is nobody's business but its writer's.
    pub draft: bool,
    /// Whether the client's data may be used.
    pub standing: ClientStanding,
    /// Nobody works on it any more: see [`is_past`].
    pub past: bool,
}

/// Days for which the coordinators of a programme stay in relation to a case that has ended: as long as it can be opened again (product §4 row 15).
pub const RELATION_DAYS: i64 = REOPEN_DAYS;

/// Whether a case lies behind those who worked on it. Coordinators share the cases of their programme, so that one of them can be on holiday; but that
/// ends with the work. Who wants to read about a client later says why (api-security S-14; product §3, last sentence).
#[must_use]
pub fn is_past(state: ReferralStateCode, since: Instant, today: NaiveDate) -> bool {
    matches!(state, ReferralStateCode::Closed | ReferralStateCode::EnteredInError)
        && today > plus_days(since.helsinki_date(), RELATION_DAYS.unsigned_abs())
}

/// Whether somebody who is allowed in by this role must state a reason all the same. The others see only what is their own now: what they have
/// written, whom they work with, themselves; or, as an administrator, no content.
#[must_use]
pub fn needs_reason(role: Role, past: bool) -> bool {
    past && role == Role::Coordinator
}

/// Whether a role sees where a client under non-disclosure (turvakielto) lives and how to reach them: the coordinator, the link worker who has
/// accepted, and the client (product §3; finnish-facts §7.2, Openness Act 24 § 1 mom. 31).
#[must_use]
pub fn sees_protected(role: Role) -> bool {
    matches!(role, Role::Coordinator | Role::LinkWorker | Role::Client)
}

impl Subject {
    /// A thing of a programme that belongs to no case.
    #[must_use]
    pub fn of_programme(programme: ProgrammeId) -> Self {
        Self {
            programme,
            referrer: None,
            api_client: None,
            organisation: None,
            link_worker: None,
            proposed_to: None,
            client: None,
            reporter: None,
            shared_with_link_worker: false,
            draft: false,
            standing: ClientStanding::Open,
            past: false,
        }
    }

    fn is_own(&self, actor: &Actor, grant: &Grant, action: Action) -> bool {
        let user = actor.user();
        let is = |person: Option<UserId>| person.is_some() && person == user;
        // A concern is its reporter's, whoever works with the client now and whatever the client shares: it is they who must or may report it.
        if matches!(action, Action::ConcernView | Action::ConcernUpdate) {
            return is(self.reporter);
        }
        match grant.role {
            Role::Referrer => is(self.referrer),
            Role::Integration => {
                self.api_client.is_some() && self.api_client == actor.api_client() && self.organisation == grant.organisation
            }
            Role::LinkWorker => match action {
                // Their own record and their own hour sheets are no case, and need nobody's consent.
                Action::LinkWorkerView | Action::LinkWorkerOwnUpdate | Action::HourSheetView | Action::HourSheetSubmit => {
                    is(self.link_worker)
                }
                // A proposal is answered and seen without the client's name; everything else needs the accepted assignment.
                Action::AssignmentView | Action::AssignmentAnswer => {
                    (is(self.proposed_to) || is(self.link_worker)) && self.shared_with_link_worker
                }
                _ => is(self.link_worker) && self.shared_with_link_worker,
            },
            Role::Client => is(self.client) || (self.draft && is(self.referrer)),
            Role::Coordinator | Role::ReportReader | Role::PrivacyOfficer | Role::Admin => false,
        }
    }
}

/// What the policy says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Yes, and by which of the caller's roles.
    Allowed(Grant),
    /// No, and the caller may not even know that it exists: 404.
    Hidden,
    /// No, though the caller may see it: 403.
    Forbidden,
    /// It would be allowed, but the client's data are restricted (403) or erased (409).
    Closed(ClientStanding),
}

fn granting<'a>(actor: &'a Actor, action: Action, subject: &'a Subject) -> Option<&'a Grant> {
    // Somebody with several roles acts in the one that has nothing to explain.
    let mut allowing = grants(actor, action, subject);
    let first = allowing.next()?;
    if needs_reason(first.role, subject.past) {
        return allowing.find(|grant| !needs_reason(grant.role, subject.past)).or(Some(first));
    }
    Some(first)
}

fn grants<'a>(actor: &'a Actor, action: Action, subject: &'a Subject) -> impl Iterator<Item = &'a Grant> {
    actor.grants.iter().filter(move |grant| {
        grant.programme == subject.programme
            && match scope(grant.role, action) {
                Scope::None => false,
                Scope::Own => subject.is_own(actor, grant, action),
                Scope::Programme => !subject.draft || action == Action::ReferralCreate,
            }
    })
}

/// Decides one access.
#[must_use]
pub fn decide(actor: &Actor, action: Action, subject: &Subject) -> Decision {
    if let Some(grant) = granting(actor, action, subject) {
        // One role may reach what another one does not.
        let reaches = |grant: &&Grant| reaches_restricted(grant.role, action);
        return match subject.standing {
            ClientStanding::Open => Decision::Allowed(grant.clone()),
            ClientStanding::Restricted => match grants(actor, action, subject).find(reaches) {
                Some(grant) => Decision::Allowed(grant.clone()),
                None => Decision::Closed(ClientStanding::Restricted),
            },
            // There is nothing left to change, and what is left to see says nothing about anybody.
            ClientStanding::Erased if action.reads() => Decision::Allowed(grant.clone()),
            ClientStanding::Erased => Decision::Closed(ClientStanding::Erased),
        };
    }
    if action != action.view() && granting(actor, action.view(), subject).is_some() {
        return Decision::Forbidden;
    }
    Decision::Hidden
}

/// Which rows of a list a caller may see: the union of what each of their roles opens. A store turns it into a condition.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Visibility {
    /// All rows of these programmes.
    pub programmes: Vec<ProgrammeId>,
    /// Rows of these programmes that this person wrote.
    pub written_by: Option<(UserId, Vec<ProgrammeId>)>,
    /// Rows that this machine pushed for one of these organisations, each in its programme.
    pub pushed_by: Option<(ApiClientId, Vec<(ProgrammeId, OrganisationId)>)>,
    /// Rows of these programmes assigned to this person now, under a consent that shares them.
    pub assigned_to: Option<(UserId, Vec<ProgrammeId>)>,
    /// Rows of these programmes about this person.
    pub about: Option<(UserId, Vec<ProgrammeId>)>,
}

impl Visibility {
    /// The programmes in which the caller sees what is not about themself, sorted.
    #[must_use]
    pub fn known_programmes(&self) -> Vec<ProgrammeId> {
        let pushed = self.pushed_by.iter().flat_map(|(_, served)| served.iter().map(|(programme, _)| *programme));
        let own = [&self.written_by, &self.assigned_to].into_iter().flatten().flat_map(|(_, programmes)| programmes.iter().copied());
        let mut all: Vec<_> = self.programmes.iter().copied().chain(pushed).chain(own).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether nothing at all can be seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same rows as several sets, each by one relation in one programme: what a store finds in an index, in the order of a list. A row may be in
    /// more than one of them.
    #[must_use]
    pub fn branches(&self) -> Vec<Self> {
        let none = Self::default;
        let one_each = |of: &Option<(UserId, Vec<ProgrammeId>)>, make: &dyn Fn(Option<(UserId, Vec<ProgrammeId>)>) -> Self| {
            let (user, programmes) = of.as_ref().map_or((None, [].as_slice()), |(user, programmes)| (Some(*user), programmes.as_slice()));
            programmes.iter().map(|programme| make(user.map(|user| (user, vec![*programme])))).collect::<Vec<_>>()
        };
        let mut all: Vec<Self> = self.programmes.iter().map(|programme| Self { programmes: vec![*programme], ..none() }).collect();
        all.extend(one_each(&self.written_by, &|written_by| Self { written_by, ..none() }));
        if let Some((machine, served)) = &self.pushed_by {
            all.extend(served.iter().map(|pair| Self { pushed_by: Some((*machine, vec![*pair])), ..none() }));
        }
        all.extend(one_each(&self.assigned_to, &|assigned_to| Self { assigned_to, ..none() }));
        all.extend(one_each(&self.about, &|about| Self { about, ..none() }));
        all
    }
}

/// The visibility of a list under a view action.
#[must_use]
pub fn visibility(actor: &Actor, action: Action) -> Visibility {
    let reach = |role: Role, wanted: Scope| {
        if scope(role, action) == wanted { actor.programmes(role) } else { Vec::new() }
    };
    let mut programmes: Vec<_> = Role::ALL.iter().flat_map(|role| reach(*role, Scope::Programme)).collect();
    programmes.sort_unstable();
    programmes.dedup();
    let own = |role: Role| {
        let own = reach(role, Scope::Own);
        actor.user().filter(|_| !own.is_empty()).map(|user| (user, own))
    };
    let pushed_by = match actor.caller {
        Caller::ApiClient(id) if scope(Role::Integration, action) == Scope::Own => {
            let served: Vec<_> = actor
                .grants
                .iter()
                .filter(|grant| grant.role == Role::Integration)
                .filter_map(|grant| grant.organisation.map(|organisation| (grant.programme, organisation)))
                .collect();
            (!served.is_empty()).then_some((id, served))
        }
        _ => None,
    };
    // Whoever sees a whole programme sees there what is assigned to them, too. Not so with what they write: only its writer sees a draft.
    let assigned_to = own(Role::LinkWorker).map(|(user, mut among)| {
        among.retain(|programme| !programmes.contains(programme));
        (user, among)
    });
    Visibility {
        written_by: own(Role::Referrer),
        pushed_by,
        assigned_to: assigned_to.filter(|(_, among)| !among.is_empty()),
        about: own(Role::Client),
        programmes,
    }
}

#[cfg(test)]
mod visibility_tests {
    use super::*;
    use crate::ids::Id as _;
    use uuid::Uuid;

    fn programme(number: u128) -> ProgrammeId {
        ProgrammeId::from_uuid(Uuid::from_u128(number))
    }

    fn user() -> UserId {
        UserId::from_uuid(Uuid::from_u128(9))
    }

    fn actor(roles: &[(Role, u128)]) -> Actor {
        let grants =
            roles.iter().map(|(role, number)| Grant { role: *role, programme: programme(*number), organisation: None, sector: None });
        Actor { caller: Caller::User(user()), grants: grants.collect() }
    }

    #[test]
    fn what_is_seen_as_a_whole_is_not_looked_for_again() {
        let seen = visibility(
            &actor(&[(Role::Coordinator, 1), (Role::LinkWorker, 1), (Role::LinkWorker, 2), (Role::Referrer, 1)]),
            Action::ReferralView,
        );
        assert_eq!(seen.programmes, [programme(1)]);
        assert_eq!(seen.assigned_to, Some((user(), vec![programme(2)])));
        assert_eq!(seen.written_by, Some((user(), vec![programme(1)])), "drafts are their writer's alone");
        let seen = visibility(&actor(&[(Role::Coordinator, 1), (Role::LinkWorker, 1)]), Action::SupportView);
        assert_eq!(seen.assigned_to, None);
    }

    #[test]
    fn each_branch_is_one_relation_in_one_programme_and_none_is_lost() {
        let roles = [
            (Role::Coordinator, 1),
            (Role::Coordinator, 2),
            (Role::LinkWorker, 3),
            (Role::LinkWorker, 4),
            (Role::Client, 3),
            (Role::Referrer, 2),
        ];
        let seen = visibility(&actor(&roles), Action::ReferralView);
        let branches = seen.branches();
        assert_eq!(branches.len(), 6);
        for branch in &branches {
            let relations = [&branch.written_by, &branch.assigned_to, &branch.about];
            let people: usize = relations.iter().filter_map(|relation| relation.as_ref()).map(|(_, programmes)| programmes.len()).sum();
            assert_eq!(branch.programmes.len() + people, 1, "{branch:?}");
        }
        assert!(Visibility::default().branches().is_empty());
    }
}

#[cfg(test)]
mod standing_tests {
    use super::*;
    use crate::ids::Id as _;
    use uuid::Uuid;

    fn actor(role: Role, programme: ProgrammeId) -> Actor {
        Actor {
            caller: Caller::User(UserId::from_uuid(Uuid::from_u128(9))),
            grants: vec![Grant { role, programme, organisation: None, sector: None }],
        }
    }

    #[test]
    fn restricted_data_are_out_of_reach_for_all_but_the_client_and_the_officer() {
        let programme = ProgrammeId::from_uuid(Uuid::from_u128(1));
        let me = Some(UserId::from_uuid(Uuid::from_u128(9)));
        let subject = |standing| Subject {
            referrer: me,
            link_worker: me,
            client: me,
            shared_with_link_worker: true,
            standing,
            ..Subject::of_programme(programme)
        };
        for role in Role::ALL {
            for action in Action::ALL {
                let actor = actor(*role, programme);
                let open = decide(&actor, *action, &subject(ClientStanding::Open));
                let restricted = decide(&actor, *action, &subject(ClientStanding::Restricted));
                let erased = decide(&actor, *action, &subject(ClientStanding::Erased));
                match open {
                    Decision::Allowed(_) => {
                        let let_through = matches!(role, Role::Client | Role::PrivacyOfficer)
                            || (*role == Role::Coordinator
                                && matches!(action, Action::DataRequestCreate | Action::DataRequestView | Action::ClientRestrictionLift));
                        let expected = if let_through { open.clone() } else { Decision::Closed(ClientStanding::Restricted) };
                        assert_eq!(restricted, expected, "{role} {}", action.as_str());
                        let expected = if action.reads() { open } else { Decision::Closed(ClientStanding::Erased) };
                        assert_eq!(erased, expected, "{role} {}", action.as_str());
                    }
                    // A restriction opens nothing, and tells nobody of what they may not know.
                    other => assert_eq!((&restricted, &erased), (&other, &other), "{role} {}", action.as_str()),
                }
            }
        }
    }
}

#[cfg(test)]
mod relation_tests {
    use super::*;
    use crate::actor::Caller;
    use crate::ids::Id;
    use uuid::Uuid;

    fn at(text: &str) -> Instant {
        Instant::new(text.parse().expect("an instant"))
    }

    fn someone(roles: &[Role]) -> Actor {
        let programme = ProgrammeId::from_uuid(Uuid::from_u128(1));
        let grants = roles.iter().map(|role| Grant { role: *role, programme, organisation: None, sector: None }).collect();
        Actor { caller: Caller::User(UserId::from_uuid(Uuid::from_u128(2))), grants }
    }

    #[test]
    fn a_case_lies_behind_when_it_can_no_longer_be_opened_again() {
        let ended = at("2026-11-01T21:30:00Z");
        let last = NaiveDate::from_ymd_opt(2026, 12, 1).expect("a date");
        for state in ReferralStateCode::ALL {
            let over = matches!(state, ReferralStateCode::Closed | ReferralStateCode::EnteredInError);
            assert!(!is_past(*state, ended, last), "{state:?}");
            assert_eq!(is_past(*state, ended, last.succ_opt().expect("a date")), over, "{state:?}");
        }
    }

    #[test]
    fn only_a_coordinator_has_something_to_explain_and_acts_in_another_role_if_there_is_one() {
        for role in Role::ALL {
            assert!(!needs_reason(*role, false));
            assert_eq!(needs_reason(*role, true), *role == Role::Coordinator);
        }
        let subject = Subject {
            client: Some(UserId::from_uuid(Uuid::from_u128(2))),
            past: true,
            ..Subject::of_programme(ProgrammeId::from_uuid(Uuid::from_u128(1)))
        };
        let role = |actor: &Actor| match decide(actor, Action::ReferralView, &subject) {
            Decision::Allowed(grant) => Some(grant.role),
            Decision::Hidden | Decision::Forbidden | Decision::Closed(_) => None,
        };
        assert_eq!(role(&someone(&[Role::Coordinator, Role::Client])), Some(Role::Client));
        assert_eq!(role(&someone(&[Role::Coordinator])), Some(Role::Coordinator));
    }

    #[test]
    fn protected_places_are_for_those_who_go_there() {
        let seen: Vec<Role> = Role::ALL.iter().copied().filter(|role| sees_protected(*role)).collect();
        assert_eq!(seen, [Role::Coordinator, Role::LinkWorker, Role::Client]);
    }
}
