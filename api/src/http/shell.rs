//! What is wrapped around all handlers.
//!
//! Three layers, from the outside: [`outer`] knows the request (id, language, route), puts the headers on every answer and writes the log line; then
//! CORS; then [`inner`] refuses what no handler should see, keeps the time, survives panics, and turns every answer from 400 up into a problem.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, HttpResponse, ResponseError};
use futures_util::FutureExt as _;

use super::extract::language;
use super::extract::query::check_names;
use super::facts::{CallerKind, RequestFacts, is_safe_request_id};
use super::problem::{PROBLEM_JSON, Problem};
use super::route_table::{FreeHeader, Route};
use crate::auth::rate_limit::Seeker;
use crate::config::Config;
use crate::error::AppError;
use crate::state::AppState;

/// The header that carries the request id.
pub const REQUEST_ID: &str = "x-request-id";

/// Pages for people, which stand outside the API document. Those that show the document may be switched off.
fn is_page(path: &str, docs: bool) -> bool {
    let of_docs =
        matches!(path, "/docs" | "/openapi.json" | "/openapi.yaml") || path.strip_prefix("/docs/").is_some_and(|rest| !rest.contains('/'));
    (docs && of_docs) || path == "/problems" || path.strip_prefix("/problems/").is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
}

/// The outermost layer.
///
/// # Errors
/// Only when the request was lost on the way in a timeout or a panic; the error then holds the whole answer.
pub async fn outer<B: MessageBody + 'static>(mut request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let Some(state) = request.app_data::<Data<AppState>>().cloned() else {
        return Err(Problem::from(AppError::internal("no application state")).into());
    };
    let method = request.method().clone();
    if method == Method::HEAD {
        // The codec leaves the body of an answer to HEAD out by itself.
        request.head_mut().method = Method::GET;
    }
    let facts = facts_of(&request, &state);
    request.extensions_mut().insert(facts.clone());

    let mut caller = CallerKind::Anonymous;
    let result = match next.call(request).await {
        Ok(response) => {
            if let Some(kind) = response.request().extensions().get::<CallerKind>() {
                caller = *kind;
            }
            if response.status() == StatusCode::NOT_FOUND
                && let Some(seeker) = response.request().extensions().get::<Seeker>()
            {
                state.limits.misses.note(*seeker);
            }
            let mut response = match as_problem(&response, &facts) {
                Some(problem) => response.into_response(problem),
                None => response.map_into_boxed_body(),
            };
            put_headers(response.headers_mut(), &facts, &state.config);
            if state.is_draining() {
                // Each connection ends with an answer, and never with a request that nobody reads any more.
                response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            }
            Ok(response)
        }
        Err(error) => {
            let problem = error.as_error::<Problem>();
            let mut response =
                problem.map_or_else(|| Problem::from_status(error.error_response().status()).render(&facts), |p| p.render(&facts));
            put_headers(response.headers_mut(), &facts, &state.config);
            Err(Finished::new(response))
        }
    };
    let status = match &result {
        Ok(response) => response.status(),
        Err(finished) => finished.status,
    };
    // The pattern, never the path: a path may hold what the log must not.
    log::info!(
        target: "access",
        "method={method} route={} status={} ms={} request_id={} caller={}",
        facts.route.map_or("-", |route| route.pattern.as_str()),
        status.as_u16(),
        started.elapsed().as_millis(),
        facts.request_id,
        caller.as_str()
    );
    result.map_err(Error::from)
}

fn facts_of(request: &ServiceRequest, state: &AppState) -> RequestFacts {
    // A list may be spread over several lines of the same name.
    let languages: Vec<_> = request.headers().get_all(header::ACCEPT_LANGUAGE).filter_map(|value| value.to_str().ok()).collect();
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|id| is_safe_request_id(id));
    let path = request.path().to_owned();
    RequestFacts {
        request_id: given.map_or_else(|| state.ids.next_uuid().to_string(), str::to_owned),
        language: language::lookup(&languages.join(",")),
        route: state.routes.find(request.method().as_str(), &path),
        path,
        base_url: Arc::clone(&state.base_url),
    }
}

/// The layer around the handlers.
///
/// # Errors
/// A [`Problem`] when the handler did not answer in time or panicked.
pub async fn inner<B: MessageBody + 'static>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(facts) = request.extensions().get::<RequestFacts>().cloned() else {
        return Err(Problem::from(AppError::internal("no facts of the request")).into());
    };
    let Some(state) = request.app_data::<Data<AppState>>().cloned() else {
        return Err(Problem::from(AppError::internal("no application state")).into());
    };
    let admitted = admit(&request, &facts, &state).and_then(|()| {
        // The store would refuse it anyway. Said before the body is read, it costs next to nothing.
        if needs_the_store(&facts.path) && state.store.is_busy() { Err(AppError::Unavailable) } else { Ok(()) }
    });
    if let Err(refusal) = admitted {
        let answer = Problem::from(refusal).render(&facts);
        return Ok(request.into_response(answer));
    }
    let handler = AssertUnwindSafe(next.call(request)).catch_unwind();
    let response = match tokio::time::timeout(state.config.handler_timeout, handler).await {
        Ok(Ok(result)) => result?,
        Ok(Err(_)) => return Err(Problem::from(AppError::internal("a handler panicked")).into()),
        Err(_) => {
            log::error!("no answer in time: {}", facts.route.map_or("-", |route| route.operation.as_str()));
            return Err(Problem::from(AppError::Unavailable).into());
        }
    };
    Ok(match as_problem(&response, &facts) {
        Some(problem) => response.into_response(problem),
        None => response.map_into_boxed_body(),
    })
}

/// Whether an operation works with the store, and bears a refusal: probes do not, they are what tells how it stands.
fn needs_the_store(path: &str) -> bool {
    path.starts_with("/v1/") || path.starts_with("/oauth/")
}

/// What can be refused from the document alone.
fn admit(request: &ServiceRequest, facts: &RequestFacts, state: &AppState) -> Result<(), AppError> {
    let Some(route) = facts.route else {
        let page = is_page(&facts.path, state.config.docs);
        let allow = state.routes.allow(&facts.path).or_else(|| page.then(|| "GET, HEAD".to_owned()));
        return match allow {
            Some(_) if page && request.method() == Method::GET => Ok(()),
            Some(allow) => Err(AppError::MethodNotAllowed { allow }),
            None => Err(AppError::NotFound("path")),
        };
    };
    check_names(route, request.query_string())?;
    check_lengths(route, request.headers())?;
    let accept: Vec<_> = request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok()).collect();
    if accept.is_empty() || route.produces.is_empty() || accepts(&accept.join(","), &route.produces) {
        Ok(())
    } else {
        Err(AppError::NotAcceptable)
    }
}

/// Headers have limits as everything has. One that is spread over several lines counts as a whole.
fn check_lengths(route: &Route, headers: &HeaderMap) -> Result<(), AppError> {
    for FreeHeader { name, max_length } in &route.headers {
        let lines = headers.get_all(name.as_str());
        let length: usize = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).chars().count()).sum();
        if length > *max_length {
            return Err(AppError::malformed("malformed_request", format!("{name} must have at most {max_length} characters.")));
        }
    }
    Ok(())
}

/// Whether `Accept` leaves one of the media types.
fn accepts(header: &str, produces: &[String]) -> bool {
    let ranges: Vec<(String, bool)> = header
        .split(',')
        .map(|item| {
            let mut parts = item.split(';').map(str::trim);
            let range = parts.next().unwrap_or_default().to_ascii_lowercase();
            let refused = parts.any(|parameter| {
                parameter.strip_prefix("q=").is_some_and(|q| !q.is_empty() && q.bytes().all(|b| matches!(b, b'0' | b'.')))
            });
            (range, !refused)
        })
        .filter(|(range, _)| !range.is_empty())
        .collect();
    produces.iter().any(|kind| {
        let family = kind.split_once('/').map(|(family, _)| format!("{family}/*")).unwrap_or_default();
        [kind.as_str(), family.as_str(), "*/*"]
            .iter()
            .find_map(|wanted| ranges.iter().find(|(range, _)| range == wanted).map(|(_, wanted)| *wanted))
            .unwrap_or(false)
    })
}

/// The problem in place of an answer from 400 up that is none yet, or that was made without knowing the request.
fn as_problem<B>(response: &ServiceResponse<B>, facts: &RequestFacts) -> Option<HttpResponse<BoxBody>> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    if let Some(problem) = response.response().error().and_then(|error| error.as_error::<Problem>()) {
        return Some(problem.render(facts));
    }
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON);
    if is_problem { None } else { Some(Problem::from_status(status).render(facts)) }
}

fn put_headers(headers: &mut HeaderMap, facts: &RequestFacts, config: &Config) {
    if let Ok(id) = HeaderValue::from_str(&facts.request_id) {
        headers.insert(HeaderName::from_static(REQUEST_ID), id);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if config.base_url.starts_with("https://") {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    if config.demo {
        headers.insert(HeaderName::from_static("x-environment"), HeaderValue::from_static("demo"));
    }
    headers.remove(header::SERVER);
}

/// A whole answer in the form of an error: the only way out when the request itself is gone.
struct Finished {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Finished {
    fn new(response: HttpResponse<BoxBody>) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.into_body().try_into_bytes().map(|bytes| bytes.to_vec()).unwrap_or_default();
        Self { status, headers, body }
    }
}

impl std::fmt::Debug for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Finished({})", self.status.as_u16())
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status)
    }
}

impl ResponseError for Finished {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::new(self.status);
        for (name, value) in &self.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response.set_body(BoxBody::new(self.body.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::dev::Service as _;
    use actix_web::middleware::from_fn;
    use actix_web::{App, test as call, web};

    #[test]
    fn accept_is_held_against_what_there_is() {
        let json = ["application/json".to_owned()];
        for good in [
            "*/*",
            "application/json",
            "text/html, application/*;q=0.1",
            "application/json;q=0.5",
            "Application/JSON",
            "text/html,*/*;q=0.8",
        ] {
            assert!(accepts(good, &json), "{good}");
        }
        for bad in [
            "text/html",
            "application/json;q=0",
            "application/json;q=0.0, */*;q=0",
            "application/problem+json",
            "application/json;q=0, */*",
        ] {
            assert!(!accepts(bad, &json), "{bad}");
        }
    }

    async fn panics() -> HttpResponse {
        panic!("a name that must not get out")
    }

    async fn sleeps() -> HttpResponse {
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        HttpResponse::Ok().finish()
    }

    async fn fails() -> HttpResponse {
        HttpResponse::BadGateway().content_type("text/plain").body("diesel says no")
    }

    /// The shell around handlers that misbehave, at paths that the document knows.
    #[actix_web::test]
    async fn whoever_made_an_error_it_becomes_a_problem() {
        let state = crate::state::tests::state(&[("handler_timeout_seconds", "1")]).await;
        let app = call::init_service(
            App::new()
                .app_data(state)
                .route("/livez", web::get().to(panics))
                .route("/readyz", web::get().to(sleeps))
                .route("/startupz", web::get().to(fails))
                .wrap(from_fn(inner))
                .wrap(from_fn(outer)),
        )
        .await;
        for (path, status, code) in [
            ("/livez", 500, "internal"),
            ("/readyz", 503, "unavailable"),
            ("/startupz", 502, "internal"),
            ("/livez/", 404, "not_found"),
            ("/%00", 404, "not_found"),
            ("/livez?x=1", 400, "unknown_parameter"),
            ("/livez", 500, "internal"),
        ] {
            let request = call::TestRequest::get().uri(path).insert_header((REQUEST_ID, "call-1")).to_request();
            let response = match app.call(request).await {
                Ok(response) => response.into_parts().1.map_into_boxed_body(),
                Err(error) => error.error_response(),
            };
            assert_eq!(response.headers().get(header::CONTENT_TYPE).expect(path), PROBLEM_JSON, "{path}");
            assert_eq!(response.headers().get(REQUEST_ID).expect(path), "call-1", "{path}");
            assert!(response.headers().contains_key(header::CONTENT_SECURITY_POLICY), "{path}");
            assert_eq!(response.headers().get(header::CACHE_CONTROL).expect(path), "no-store", "{path}");
            let line = response.status().as_u16();
            let body = response.into_body().try_into_bytes().expect("a whole body");
            let problem: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
            assert_eq!(problem["code"], code, "{path}");
            assert_eq!(problem["request_id"], "call-1", "{path}");
            assert_eq!(problem["status"], line, "{path}");
            assert!(line == status || (status == 502 && line == 500), "{path}: {line}");
            let text = problem.to_string();
            assert!(!text.contains("diesel") && !text.contains("a name"), "{text}");
        }
    }
}
