//! Everything that can go wrong in a request, as one closed enum. It becomes a [`crate::http::problem::Problem`] in one exhaustive match.

use std::borrow::Cow;

use lahete_domain::assignment::{AssignmentError, NotEligible};
use lahete_domain::codes::Code;
use lahete_domain::consent::AlreadyWithdrawn;
use lahete_domain::referral::error::ReferralError;
use lahete_persistence::StoreError;
use serde::Serialize;
use serde_json::{Map, Value};

/// One fault in a body, at the place that a JSON pointer names.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Fault {
    /// JSON pointer into the body that was sent; empty for the body as a whole.
    pub pointer: String,
    /// Stable code of the fault.
    pub code: Cow<'static, str>,
    /// The fault in words.
    pub detail: String,
    /// The limit or the choices that were missed.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Value>,
}

impl Fault {
    /// A fault without parameters.
    pub fn new(pointer: impl Into<String>, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.into(), detail: detail.into(), params: Map::new() }
    }

    /// Adds one parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }
}

/// A rule of the domain that says no.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleProblem {
    /// A code of the catalogue.
    pub code: &'static str,
    /// The reason in words, in English; never personal data.
    pub detail: String,
    /// What the caller may want to show: the limit, the present state, the allowed states.
    pub params: Map<String, Value>,
}

impl RuleProblem {
    /// A rule without parameters.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), params: Map::new() }
    }

    /// Adds one parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }
}

/// Why a request has no caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unauthenticated {
    /// There is no token.
    Missing,
    /// There is one, but it does not count. The reason goes to the log, not to the caller.
    Invalid(&'static str),
    /// There is a good one, from an issuer that names somebody whom nobody has linked with an account here.
    NotLinked,
}

/// Why the token endpoint refuses, in the words of RFC 6749.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenRefusal {
    /// The form cannot be read or lacks something.
    InvalidRequest(&'static str),
    /// Unknown client, wrong secret.
    InvalidClient,
    /// Unknown user, wrong password.
    InvalidGrant,
    /// A way of signing in that is not offered here.
    UnsupportedGrantType,
}

/// Everything that can go wrong in a request.
#[derive(Debug)]
pub enum AppError {
    /// The store failed.
    Store(StoreError),
    /// No such thing, or the caller may not know of it. The resource is for the log: the answer is the same for all.
    NotFound(&'static str),
    /// The caller may see it, but not do that.
    Forbidden {
        /// The action of the policy.
        action: &'static str,
    },
    /// The client's data are restricted: they are stored, and nothing else is done with them.
    Restricted,
    /// The caller stands in no relation to the case any more and has not said why they want to see it.
    ReasonRequired,
    /// No valid token.
    Unauthenticated(Unauthenticated),
    /// A rule says no.
    Rule(RuleProblem),
    /// Faults in the body.
    Invalid(Vec<Fault>),
    /// The request cannot be read.
    Malformed {
        /// A code of the catalogue with status 400.
        code: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// The resource has changed since the caller read it.
    Stale,
    /// A change without `If-Match`.
    PreconditionRequired,
    /// Wrong `Content-Type` or `Content-Encoding`.
    UnsupportedMediaType {
        /// What would have been right.
        accepted: &'static str,
    },
    /// The body is over the limit.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// `Accept` leaves nothing.
    NotAcceptable,
    /// Known path, unknown method.
    MethodNotAllowed {
        /// The methods that there are.
        allow: String,
    },
    /// Too many requests.
    RateLimited {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// The idempotency key was used with another request.
    IdempotencyReused,
    /// A request with the same key is still running.
    IdempotencyInProgress,
    /// The body did not arrive in time.
    Timeout,
    /// No answer in time, or too busy to take the request on.
    Unavailable,
    /// The token endpoint refuses.
    Token(TokenRefusal),
    /// A fault of ours. The text is for the log.
    Internal(String),
}

impl AppError {
    /// A request that cannot be read.
    pub fn malformed(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Malformed { code, detail: detail.into() }
    }

    /// One fault in the body.
    #[must_use]
    pub fn fault(fault: Fault) -> Self {
        Self::Invalid(vec![fault])
    }

    /// A fault of ours.
    pub fn internal(reason: impl std::fmt::Display) -> Self {
        Self::Internal(reason.to_string())
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<RuleProblem> for AppError {
    fn from(problem: RuleProblem) -> Self {
        Self::Rule(problem)
    }
}

/// Codes as a JSON list, for the parameters of a problem.
pub fn code_list<C: Code>(codes: &[C]) -> Value {
    codes.iter().map(|code| Value::from(code.as_str())).collect()
}

impl From<ReferralError> for AppError {
    fn from(error: ReferralError) -> Self {
        use ReferralError as E;
        let rule = |code: &'static str| RuleProblem::new(code, error.to_string());
        match &error {
            E::WrongState { state, allowed } => rule("wrong_state")
                .with("state", state.as_str())
                .with("allowed", allowed.iter().map(|transition| Value::from(transition.as_str())).collect::<Value>()),
            E::ClientIsMinor => rule("client_is_minor"),
            E::ConsentMissing(purpose) => rule("consent_missing").with("purpose", purpose.as_str()),
            E::ConsentNotVerified(purpose) => rule("consent_not_verified").with("purpose", purpose.as_str()),
            E::NoReasons => rule("no_reasons"),
            E::MunicipalityNotServed => rule("municipality_not_served"),
            E::ProgrammeInactive => rule("programme_inactive"),
            E::NotAcknowledged => rule("not_acknowledged"),
            E::NoActivityLink => rule("no_activity_link"),
            E::ContactAttemptsMissing { recorded } => rule("contact_attempts_missing").with("recorded", *recorded),
            E::EndReasonDoesNotFit { fitting, .. } => rule("end_reason_does_not_fit").with("fitting", code_list(fitting)),
            E::OutcomeNotPossible { state, possible } => {
                rule("outcome_not_possible").with("state", state.as_str()).with("possible", code_list(possible))
            }
            E::FollowUpMissing => rule("follow_up_missing"),
            E::BarrierMissing => rule("barrier_missing"),
            E::CannotReopen { outcome } => rule("cannot_reopen").with("outcome", outcome.as_str()),
            E::ReopenTooLate => rule("reopen_too_late"),
            E::ResumeDateInPast => rule("resume_date_in_past"),
            E::FollowUpDateInPast => rule("follow_up_date_in_past"),
            E::NotYoursToWithdraw => rule("referral_not_yours_to_withdraw"),
            E::NoOpenQuestion => rule("no_open_question"),
        }
        .into()
    }
}

impl From<lahete_domain::user::RoleError> for AppError {
    fn from(error: lahete_domain::user::RoleError) -> Self {
        use lahete_domain::user::RoleError as E;
        let code = match error {
            E::EndsBeforeItBegins => return Self::fault(Fault::new("/valid_until", "out_of_range", error.to_string())),
            E::NotForPeople => "role_for_machines",
            E::UserInactive => "user_inactive",
            E::OrganisationNotInProgramme => "organisation_not_in_programme",
            E::AlreadyGiven => "role_already_given",
            E::AlreadyEnded => "role_already_ended",
            E::LastDayOutOfRange => "last_day_out_of_range",
            E::LastAdmin => "last_admin",
        };
        RuleProblem::new(code, error.to_string()).into()
    }
}

impl From<lahete_domain::user::ApiClientError> for AppError {
    fn from(error: lahete_domain::user::ApiClientError) -> Self {
        use lahete_domain::user::ApiClientError as E;
        let code = match error {
            E::KeyExpired => return Self::fault(Fault::new("/expires_at", "out_of_range", error.to_string())),
            E::TooManyKeys => "api_client_keys_full",
            E::SecretExpiryOutOfRange => return Self::fault(Fault::new("/secret_expires_at", "out_of_range", error.to_string())),
            E::OrganisationNotInProgramme => "organisation_not_in_programme",
            E::Revoked => "api_client_revoked",
        };
        RuleProblem::new(code, error.to_string()).into()
    }
}

impl From<lahete_domain::data_request::DataRequestError> for AppError {
    fn from(error: lahete_domain::data_request::DataRequestError) -> Self {
        use lahete_domain::data_request::DataRequestError as E;
        let rule = |code: &'static str| RuleProblem::new(code, error.to_string());
        match &error {
            E::WrongState { state, allowed } => {
                rule("data_request_wrong_state").with("state", state.as_str()).with("allowed", allowed.to_vec())
            }
            E::ReceivedOutOfRange => return Self::fault(Fault::new("/received_on", "out_of_range", error.to_string())),
            E::TooLateToExtend { due_on } => rule("data_request_overdue").with("due_on", due_on.to_string()),
        }
        .into()
    }
}

impl From<AssignmentError> for AppError {
    fn from(error: AssignmentError) -> Self {
        match error {
            AssignmentError::WrongState { state } => {
                RuleProblem::new("assignment_wrong_state", error.to_string()).with("state", state.as_str())
            }
            AssignmentError::ProposalExpired => RuleProblem::new("proposal_expired", error.to_string()),
        }
        .into()
    }
}

impl From<NotEligible> for AppError {
    fn from(error: NotEligible) -> Self {
        let rule = |code: &'static str| RuleProblem::new(code, error.to_string());
        match error {
            NotEligible::NotActive => rule("link_worker_not_active"),
            NotEligible::NotTrained => rule("link_worker_not_trained"),
            NotEligible::WithoutContract => rule("link_worker_without_contract"),
            NotEligible::OutsideArea => rule("link_worker_outside_area"),
            NotEligible::Full { open, max } => rule("link_worker_full").with("open", open).with("max", max),
            NotEligible::HoursFull { hours } => rule("link_worker_hours_full").with("hours", hours),
            NotEligible::Conflict => rule("link_worker_conflict"),
            NotEligible::Absent { until } => match until {
                Some(until) => rule("link_worker_absent").with("until", until.to_string()),
                None => rule("link_worker_absent"),
            },
        }
        .into()
    }
}

impl From<lahete_domain::concern::ConcernError> for AppError {
    fn from(error: lahete_domain::concern::ConcernError) -> Self {
        use lahete_domain::concern::ConcernError as E;
        match error {
            E::NotInformedReasonMissing => Self::fault(Fault::new("/not_informed_reason", "reason_needed", error.to_string())),
            E::ReportedInFuture => Self::fault(Fault::new("/reported_to/at", "in_the_future", error.to_string())),
            E::Closed => RuleProblem::new("concern_closed", error.to_string()).into(),
            E::Released => RuleProblem::new("concern_released", error.to_string()).into(),
        }
    }
}

impl From<AlreadyWithdrawn> for AppError {
    fn from(error: AlreadyWithdrawn) -> Self {
        RuleProblem::new("consent_already_withdrawn", error.to_string()).into()
    }
}

impl From<lahete_domain::support_period::SupportPeriodError> for AppError {
    fn from(error: lahete_domain::support_period::SupportPeriodError) -> Self {
        use lahete_domain::support_period::SupportPeriodError as E;
        let rule = |code: &'static str| RuleProblem::new(code, error.to_string());
        match &error {
            E::WrongState { state } => rule("support_period_wrong_state").with("state", state.as_str()),
            E::PlannedEndOutOfRange { earliest, latest } => {
                rule("planned_end_out_of_range").with("earliest", earliest.to_string()).with("latest", latest.to_string())
            }
            E::StartsInFuture => rule("support_starts_in_future"),
            E::StartsBeforeReferral { submitted_on } => {
                rule("support_starts_before_referral").with("submitted_on", submitted_on.to_string())
            }
            E::EndOutOfRange { earliest, latest } => {
                rule("support_end_out_of_range").with("earliest", earliest.to_string()).with("latest", latest.to_string())
            }
            E::StartMeasureMissing => rule("start_measure_missing"),
            E::EndMeasureMissing => rule("end_measure_missing"),
            E::RecommendationMissing => rule("recommendation_missing"),
            E::VisitsStillPlanned { planned } => rule("visits_still_planned").with("planned", *planned),
        }
        .into()
    }
}

impl From<lahete_domain::visit::VisitError> for AppError {
    fn from(error: lahete_domain::visit::VisitError) -> Self {
        use lahete_domain::visit::VisitError as E;
        let rule = |code: &'static str| RuleProblem::new(code, error.to_string());
        match &error {
            E::WrongState { state } => rule("visit_wrong_state").with("state", state.as_str()),
            E::InFuture => rule("visit_in_future"),
            E::OutsidePeriod { from, until } => {
                rule("visit_outside_period").with("from", from.to_string()).with("until", until.to_string())
            }
            E::MonthlyHoursExceeded { left, limit } => {
                rule("monthly_hours_exceeded").with("minutes_left", *left).with("limit_minutes", *limit)
            }
        }
        .into()
    }
}

impl From<lahete_domain::activity::ActivityError> for AppError {
    fn from(error: lahete_domain::activity::ActivityError) -> Self {
        use lahete_domain::activity::ActivityError as E;
        let code = match &error {
            E::Ended => "activity_ended",
            E::KeptElsewhere => "activity_kept_elsewhere",
        };
        RuleProblem::new(code, error.to_string()).into()
    }
}

impl From<lahete_domain::measure::registry::IndividualUseError> for AppError {
    fn from(error: lahete_domain::measure::registry::IndividualUseError) -> Self {
        use lahete_domain::measure::registry::IndividualUseError as E;
        let code = match &error {
            E::Free => "individual_use_free",
            E::Begun => "individual_use_begun",
            E::NotBegun => "individual_use_not_begun",
        };
        RuleProblem::new(code, error.to_string()).into()
    }
}

impl From<lahete_domain::goal::GoalError> for AppError {
    fn from(error: lahete_domain::goal::GoalError) -> Self {
        use lahete_domain::goal::GoalError as E;
        match &error {
            E::ClientsOwnWord => RuleProblem::new("goal_outcome_is_the_clients", error.to_string()).into(),
            E::NoSuchStep { steps } => Self::fault(Fault::new("/step", "out_of_range", error.to_string()).with("maximum", *steps)),
        }
    }
}

impl From<lahete_domain::time_entry::TimeEntryError> for AppError {
    fn from(error: lahete_domain::time_entry::TimeEntryError) -> Self {
        use lahete_domain::time_entry::TimeEntryError as E;
        match &error {
            E::DayOutOfRange { earliest, latest } => RuleProblem::new("time_entry_day_out_of_range", error.to_string())
                .with("earliest", earliest.to_string())
                .with("latest", latest.to_string()),
            E::Struck => RuleProblem::new("time_entry_struck", error.to_string()),
        }
        .into()
    }
}

impl From<lahete_domain::hour_sheet::HourSheetError> for AppError {
    fn from(error: lahete_domain::hour_sheet::HourSheetError) -> Self {
        use lahete_domain::hour_sheet::HourSheetError as E;
        let rule = |code: &'static str| RuleProblem::new(code, error.to_string());
        match &error {
            E::WrongState { state, allowed } => {
                rule("hour_sheet_wrong_state").with("state", state.as_str()).with("allowed", allowed.to_vec())
            }
            E::MonthNotOver { month } => rule("hour_sheet_month_not_over").with("month", month.to_string()),
            E::Empty => rule("hour_sheet_empty"),
            E::RateMissing { days } => {
                rule("mileage_rate_missing").with("days", days.iter().map(|day| Value::from(day.to_string())).collect::<Value>())
            }
            E::Own => rule("hour_sheet_own"),
            E::PaidOnOutOfRange => return Self::fault(Fault::new("/paid_on", "out_of_range", error.to_string())),
        }
        .into()
    }
}
