//! The one form of every answer from 400 up: `application/problem+json` by RFC 9457.

use std::borrow::Cow;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use lahete_domain::codes::{Code as _, Language};
use lahete_persistence::StoreError;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::facts::RequestFacts;
use super::problem_catalogue;
use crate::error::{AppError, Fault, TokenRefusal, Unauthenticated};

/// The media type of every problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Seconds after which a caller may try again when we are too busy.
const RETRY_SECONDS: u64 = 2;

/// Why a request failed (RFC 9457). Decide by `code`, which never changes; `title` and `detail` are for people.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "http://127.0.0.1:8080/problems/not_found",
    "title": "Ei löydy",
    "status": 404,
    "detail": "There is no such resource, or you may not see it.",
    "instance": "/v1/referrals/01939a5c-7a10-7000-8000-000000000404",
    "code": "not_found",
    "request_id": "01939a5c-7a10-7000-8000-00000000aaaa"
}))]
pub struct ProblemView<'a> {
    /// Address of a page about this kind of problem.
    #[serde(rename = "type")]
    #[schema(format = "uri", max_length = 300)]
    kind: String,
    /// The kind of problem in the language of the caller.
    #[schema(max_length = 200)]
    title: &'a str,
    /// The HTTP status once more.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What went wrong this time, in English.
    #[schema(max_length = 2000)]
    detail: &'a str,
    /// The path that was called.
    #[schema(max_length = 2000)]
    instance: &'a str,
    /// The stable code to decide by.
    #[schema(max_length = 60, pattern = "^[a-z0-9_]+$")]
    code: &'a str,
    /// Names this call in our log.
    #[schema(max_length = 64)]
    request_id: &'a str,
    /// Every fault in the body, with a JSON pointer to its place.
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    #[schema(value_type = Vec<FaultView>, max_items = 1000, required = false)]
    errors: &'a [Fault],
    /// The limit, state or choices behind a rule that said no.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object, required = false)]
    params: &'a Map<String, Value>,
    /// The error word of RFC 6749; at the token endpoint alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60)]
    error: Option<&'static str>,
}

/// One fault in a body.
#[derive(ToSchema)]
#[schema(as = Fault, example = json!({
    "pointer": "/client/given_names", "code": "required", "detail": "This member is required.", "params": {}
}))]
#[expect(dead_code, reason = "describes `Fault` in the API document")]
pub struct FaultView {
    /// JSON pointer (RFC 6901) into the body that was sent.
    #[schema(max_length = 500)]
    pointer: String,
    /// The stable code of the fault.
    #[schema(max_length = 60, pattern = "^[a-z0-9_]+$")]
    code: String,
    /// The fault in words, in English.
    #[schema(max_length = 500)]
    detail: String,
    /// The limit or the choices that were missed.
    #[schema(value_type = Object, required = false)]
    params: Map<String, Value>,
}

/// A failed request, ready to become an answer once the request's facts are known.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    faults: Vec<Fault>,
    params: Map<String, Value>,
    retry_after: Option<u64>,
    allow: Option<String>,
    challenge: Option<&'static str>,
    accept_patch: bool,
    error: Option<&'static str>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            faults: Vec::new(),
            params: Map::new(),
            retry_after: None,
            allow: None,
            challenge: None,
            accept_patch: false,
            error: None,
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The faults in the body, if that is what is wrong.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// A problem for an answer that something other than our handlers made: the framework, a timeout, a panic.
    #[must_use]
    pub fn from_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => AppError::NotFound("path"),
            StatusCode::REQUEST_TIMEOUT => AppError::Timeout,
            StatusCode::NOT_ACCEPTABLE => AppError::NotAcceptable,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => AppError::UnsupportedMediaType { accepted: "application/json" },
            StatusCode::SERVICE_UNAVAILABLE => AppError::Unavailable,
            StatusCode::PAYLOAD_TOO_LARGE => {
                return Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too large.");
            }
            other if other.is_client_error() => AppError::malformed("malformed_request", "The request cannot be read."),
            _ => AppError::internal("an answer of the framework"),
        }
        .into()
    }

    /// The answer for one request.
    #[must_use]
    pub fn render(&self, facts: &RequestFacts) -> HttpResponse<BoxBody> {
        let kind = problem_catalogue::find(self.code);
        if kind.is_none() {
            log::error!("problem code {} is not in the catalogue", self.code);
        }
        let title = kind.map_or(self.code, |kind| kind.title(facts.language));
        let view = ProblemView {
            kind: format!("{}/problems/{}", facts.base_url, self.code),
            title,
            status: self.status.as_u16(),
            detail: &self.detail,
            instance: &facts.path,
            code: self.code,
            request_id: &facts.request_id,
            errors: &self.faults,
            params: &self.params,
            error: self.error,
        };
        let mut response = HttpResponse::build(self.status);
        response
            .insert_header((header::CONTENT_TYPE, PROBLEM_JSON))
            .insert_header((header::CONTENT_LANGUAGE, facts.language.as_str()))
            .insert_header((header::VARY, "Accept-Language"));
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(Ok(allow)) = self.allow.as_deref().map(HeaderValue::from_str) {
            response.insert_header((header::ALLOW, allow));
        }
        if let Some(challenge) = self.challenge {
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        if self.accept_patch {
            response.insert_header(("accept-patch", "application/merge-patch+json"));
        }
        let body = serde_json::to_vec(&view).unwrap_or_else(|_| json!({"status": 500, "code": "internal"}).to_string().into_bytes());
        response.body(body)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.code)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    /// Without the request's facts; the shell renders it again with them.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.render(&RequestFacts::unknown())
    }
}

impl From<AppError> for Problem {
    /// The one place where an error becomes a status.
    fn from(error: AppError) -> Self {
        use StatusCode as S;
        match error {
            AppError::Store(error) => error.into(),
            AppError::ReasonRequired => Self::new(
                S::FORBIDDEN,
                "access_reason_required",
                "The case ended long ago. Say in the header X-Access-Reason why you need it; the reason is kept, and the privacy officer sees it.",
            ),
            AppError::NotFound(_) => Self::new(S::NOT_FOUND, "not_found", "There is no such resource, or you may not see it."),
            AppError::Forbidden { action } => {
                Self { params: one("action", action), ..Self::new(S::FORBIDDEN, "forbidden", "Your roles do not let you do this.") }
            }
            AppError::Restricted => Self::new(
                S::FORBIDDEN,
                "restricted",
                "The client's data are restricted: they are stored, and nothing else is done with them.",
            ),
            AppError::Unauthenticated(Unauthenticated::Missing) => Self {
                challenge: Some("Bearer realm=\"lahete\""),
                ..Self::new(S::UNAUTHORIZED, "unauthenticated", "Send an access token in the Authorization header.")
            },
            AppError::Unauthenticated(Unauthenticated::Invalid(reason)) => {
                log::info!("a token was refused: {reason}");
                Self {
                    challenge: Some("Bearer realm=\"lahete\", error=\"invalid_token\""),
                    ..Self::new(S::UNAUTHORIZED, "invalid_token", "The access token is expired or not valid here.")
                }
            }
            AppError::Unauthenticated(Unauthenticated::NotLinked) => Self {
                challenge: Some("Bearer realm=\"lahete\", error=\"invalid_token\""),
                ..Self::new(S::UNAUTHORIZED, "identity_not_linked", "Nobody has linked this sign-in with an account here.")
            },
            AppError::Rule(rule) => {
                // The catalogue may give a rule another status than 409, as 422 for a value that only the database can judge.
                let status = problem_catalogue::find(rule.code)
                    .and_then(|kind| S::from_u16(kind.status).ok())
                    .filter(S::is_client_error)
                    .unwrap_or(S::CONFLICT);
                Self { params: rule.params, ..Self::new(status, rule.code, rule.detail) }
            }
            AppError::Invalid(faults) => {
                let detail = match faults.len() {
                    1 => Cow::Borrowed("The body has 1 fault."),
                    n => Cow::Owned(format!("The body has {n} faults.")),
                };
                Self { faults, ..Self::new(S::UNPROCESSABLE_ENTITY, "invalid", detail) }
            }
            AppError::Malformed { code, detail } => Self::new(S::BAD_REQUEST, code, detail),
            AppError::Stale => Self::new(S::PRECONDITION_FAILED, "stale_version", "It has changed since you read it. Read it again."),
            AppError::PreconditionRequired => {
                Self::new(S::PRECONDITION_REQUIRED, "precondition_required", "Send If-Match with the ETag of the version that you read.")
            }
            AppError::UnsupportedMediaType { accepted } => Self {
                accept_patch: accepted == "application/merge-patch+json",
                params: one("accepted", accepted),
                ..Self::new(
                    S::UNSUPPORTED_MEDIA_TYPE,
                    "unsupported_media_type",
                    format!("Send the body as {accepted}, without content encoding."),
                )
            },
            AppError::TooLarge { limit } => Self {
                params: one("limit_bytes", limit),
                ..Self::new(S::PAYLOAD_TOO_LARGE, "too_large", format!("The body is larger than {limit} bytes."))
            },
            AppError::NotAcceptable => {
                Self::new(S::NOT_ACCEPTABLE, "not_acceptable", "The answer cannot be given in a type that you accept.")
            }
            AppError::MethodNotAllowed { allow } => Self {
                detail: Cow::Owned(format!("This path takes {allow}.")),
                allow: Some(allow),
                ..Self::new(S::METHOD_NOT_ALLOWED, "method_not_allowed", "")
            },
            AppError::RateLimited { retry_after } => Self {
                retry_after: Some(retry_after),
                ..Self::new(S::TOO_MANY_REQUESTS, "rate_limited", "Too many requests. Wait before you try again.")
            },
            AppError::IdempotencyReused => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "This idempotency key was used before, with another request. Use a new key.",
            ),
            AppError::IdempotencyInProgress => Self {
                retry_after: Some(RETRY_SECONDS),
                ..Self::new(S::CONFLICT, "idempotency_in_progress", "A request with this idempotency key is still running.")
            },
            AppError::Timeout => Self::new(S::REQUEST_TIMEOUT, "request_timeout", "The body did not arrive in time."),
            AppError::Unavailable => Self::unavailable(),
            AppError::Token(refusal) => refusal.into(),
            AppError::Internal(reason) => {
                log::error!("internal error: {reason}");
                Self::new(S::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side.")
            }
        }
    }
}

impl Problem {
    fn unavailable() -> Self {
        Self {
            retry_after: Some(RETRY_SECONDS),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service cannot answer now. Try again.")
        }
    }
}

impl From<TokenRefusal> for Problem {
    fn from(refusal: TokenRefusal) -> Self {
        use StatusCode as S;
        match refusal {
            TokenRefusal::InvalidRequest(detail) => {
                Self { error: Some("invalid_request"), ..Self::new(S::BAD_REQUEST, "malformed_request", detail) }
            }
            TokenRefusal::InvalidClient => Self {
                error: Some("invalid_client"),
                challenge: Some("Basic realm=\"lahete\""),
                ..Self::new(S::UNAUTHORIZED, "invalid_client", "The client id or the secret is wrong, expired or revoked.")
            },
            TokenRefusal::InvalidGrant => Self {
                error: Some("invalid_grant"),
                ..Self::new(S::BAD_REQUEST, "invalid_grant", "The user name or the password is wrong, or the account is closed.")
            },
            TokenRefusal::UnsupportedGrantType => Self {
                error: Some("unsupported_grant_type"),
                ..Self::new(S::BAD_REQUEST, "unsupported_grant_type", "This server does not issue tokens in that way.")
            },
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Unavailable | StoreError::DeadlineExceeded => {
                log::warn!("the store refused: {error}");
                Self::unavailable()
            }
            StoreError::StorageFull => {
                log::error!("{error}");
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full", "Nothing can be written now. Reading still works.")
            }
            StoreError::Stale => AppError::Stale.into(),
            // A constraint that a room expects has become a rule there; here it is a fault of ours.
            StoreError::Constraint(_)
            | StoreError::Corrupt { .. }
            | StoreError::SchemaTooNew { .. }
            | StoreError::WrongDataKey { .. }
            | StoreError::MissingDataKey { .. }
            | StoreError::Panicked
            | StoreError::Database(_) => AppError::internal(error).into(),
        }
    }
}

fn one(name: &str, value: impl Into<Value>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value.into())])
}

/// The title of a problem code in a language, for pages.
#[must_use]
pub fn title(code: &str, language: Language) -> Option<&'static str> {
    problem_catalogue::find(code).map(|kind| kind.title(language))
}
