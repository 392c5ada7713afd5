//! A good answer as plain data, so that it can be stored with its idempotency key and given again to the byte.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use lahete_domain::codes::{Code as _, Language};
use lahete_domain::version::Version;
use serde::Serialize;

use super::extract::if_match::matches_any;
use super::extract::paging::ListView;
use crate::error::AppError;

/// Status, headers and body of an answer, as they are kept.
pub type StoredParts = (u16, Vec<(String, String)>, String);

/// Status, headers and body of an answer below 400.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(Cow<'static, str>, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn json<T: Serialize>(status: StatusCode, view: &T) -> Result<Self, AppError> {
        let body = serde_json::to_vec(view).map_err(AppError::internal)?;
        Ok(Self { status: status.as_u16(), headers: Vec::new(), body }.header("content-type", "application/json"))
    }

    /// 200 with a body. A view that cannot be written becomes an answer 500: the views are plain data, so that is a fault of ours.
    pub fn ok<T: Serialize>(view: &T) -> Self {
        Self::json(StatusCode::OK, view).unwrap_or_else(Self::failed)
    }

    /// 201 with the path of what was made, `/v1/referrals/…`.
    pub fn created<T: Serialize>(location: impl Into<String>, view: &T) -> Self {
        Self::json(StatusCode::CREATED, view).unwrap_or_else(Self::failed).header("location", location)
    }

    /// 202: taken on, done later.
    pub fn accepted<T: Serialize>(view: &T) -> Self {
        Self::json(StatusCode::ACCEPTED, view).unwrap_or_else(Self::failed)
    }

    /// 200 with a page of a list; the `Link` header is a copy of the body's link.
    pub fn list<T: Serialize>(view: &ListView<T>) -> Self {
        Self::ok(view).next_page(view)
    }

    /// Says in the `Link` header where the next page is, for a list with more in it than its page.
    #[must_use]
    pub fn next_page<T>(self, view: &ListView<T>) -> Self {
        match &view.page.next {
            Some(next) => self.header("link", format!("<{next}>; rel=\"next\"")),
            None => self,
        }
    }

    /// 200 with a body that is not JSON.
    pub fn raw(media_type: &'static str, body: Vec<u8>) -> Self {
        Self { status: StatusCode::OK.as_u16(), headers: Vec::new(), body }.header("content-type", media_type)
    }

    fn failed(error: AppError) -> Self {
        log::error!("an answer could not be written: {error:?}");
        Self { status: StatusCode::INTERNAL_SERVER_ERROR.as_u16(), headers: Vec::new(), body: Vec::new() }
    }

    /// Sets a header, in place of one of the same name. The name is in small letters.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((Cow::Borrowed(name), value.into()));
        self
    }

    /// The `ETag` of a single resource.
    #[must_use]
    pub fn version(self, version: Version) -> Self {
        self.header("etag", format!("\"{version}\""))
    }

    /// Says in which language labels stand in the body, and that another language would give another body.
    #[must_use]
    pub fn language(self, language: Language) -> Self {
        self.header("content-language", language.as_str()).header("vary", "Accept-Language")
    }

    /// Lets anybody keep the answer for a while. Only for what is no personal data: without this, nothing may be kept.
    #[must_use]
    pub fn public_for(self, seconds: u32) -> Self {
        self.header("cache-control", format!("public, max-age={seconds}"))
    }

    /// Marks an answer that was given before.
    #[must_use]
    pub fn replayed(self) -> Self {
        self.header("idempotent-replayed", "true")
    }

    /// An answer that was kept.
    #[must_use]
    pub fn stored(status: u16, headers: Vec<(String, String)>, body: String) -> Self {
        Self { status, headers: headers.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect(), body: body.into_bytes() }
    }

    /// Status, headers and body, to be kept.
    ///
    /// # Errors
    /// [`AppError::Internal`] when the body is no text: such an answer is no answer to a `POST`.
    pub fn to_stored(&self) -> Result<StoredParts, AppError> {
        let body = String::from_utf8(self.body.clone()).map_err(AppError::internal)?;
        let headers = self.headers.iter().map(|(name, value)| (name.clone().into_owned(), value.clone())).collect();
        Ok((self.status, headers, body))
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// A header by its name in small letters.
    #[must_use]
    pub fn header_value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// 304 in place of the body when the caller has this version already.
    #[must_use]
    pub fn unless_known(mut self, if_none_match: Option<&str>) -> Self {
        let known = match (if_none_match, self.header_value("etag")) {
            (Some(list), Some(etag)) => self.status == StatusCode::OK.as_u16() && matches_any(list, etag),
            _ => false,
        };
        if known {
            self.status = StatusCode::NOT_MODIFIED.as_u16();
            self.body = Vec::new();
            self.headers.retain(|(name, _)| name != "content-type");
        }
        self
    }
}

impl Responder for Answer {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                response.insert_header((name, value));
            }
        }
        if self.body.is_empty() { response.finish() } else { response.body(self.body) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_known_version_is_not_sent_again() {
        let version = Version::new(3).expect("a version");
        let answer = Answer::ok(&json!({"a": 1})).version(version);
        assert_eq!(answer.clone().unless_known(Some("\"2\", W/\"3\"")).status(), 304);
        assert!(answer.clone().unless_known(Some("*")).body().is_empty());
        assert_eq!(answer.clone().unless_known(Some("\"2\"")).status(), 200);
        assert_eq!(answer.unless_known(None).status(), 200);
    }

    #[test]
    fn an_answer_survives_being_stored() {
        let answer = Answer::created("/v1/x/1", &json!({"a": 1})).version(Version::FIRST);
        let (status, headers, body) = answer.to_stored().expect("text");
        assert_eq!(Answer::stored(status, headers, body), answer);
    }
}
