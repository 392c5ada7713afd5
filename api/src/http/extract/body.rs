//! The bytes of a body: of the right type, within the limit, and in time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{HttpMessage as _, HttpRequest};
use futures_util::StreamExt as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::error::AppError;
use crate::state::AppState;

/// The digest of a request body in canonical form, left in the request's extensions for the idempotency check.
#[derive(Clone, Copy, Debug)]
pub struct BodyFingerprint(pub [u8; 32]);

impl BodyFingerprint {
    /// The digest of a JSON value, whatever the order of its members and the blanks between them.
    #[must_use]
    pub fn of_json(value: &Value) -> Self {
        let mut text = String::new();
        canonical(value, &mut text);
        Self::of_bytes(text.as_bytes())
    }

    /// The digest of other bytes; of none, for a request without a body.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            out.push('{');
            for (name, member) in members.iter().collect::<BTreeMap<_, _>>() {
                let _ = write!(out, "{}:", Value::from(name.as_str()));
                canonical(member, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

/// Whether a `Content-Type` is the wanted one, with no parameter but a UTF-8 charset.
#[must_use]
pub fn is_media_type(header: &str, wanted: &str) -> bool {
    let mut parts = header.split(';').map(str::trim);
    parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(wanted))
        && parts.all(|parameter| {
            parameter
                .split_once('=')
                .is_some_and(|(name, value)| name.eq_ignore_ascii_case("charset") && value.trim_matches('"').eq_ignore_ascii_case("utf-8"))
        })
}

/// Reads a body of one media type.
///
/// # Errors
/// 415 for another type or any content encoding (a compressed body could grow without bound), 413 over the limit, 408 when it comes too slowly,
/// 400 when it breaks off.
pub async fn read_body(request: HttpRequest, payload: Payload, accepted: &'static str) -> Result<Bytes, AppError> {
    let state = request.app_data::<Data<AppState>>().cloned().ok_or_else(|| AppError::internal("no application state"))?;
    let wrong_type = || AppError::UnsupportedMediaType { accepted };
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"));
    if header(CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(wrong_type());
    }
    if !header(CONTENT_TYPE).is_some_and(|kind| is_media_type(kind, accepted)) {
        return Err(wrong_type());
    }
    let limit = state.config.body_limit;
    if header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > limit as u64) {
        return Err(AppError::TooLarge { limit });
    }
    match tokio::time::timeout(state.config.body_timeout, collect(payload, limit)).await {
        Ok(body) => body,
        Err(_) => Err(AppError::Timeout),
    }
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes, AppError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| AppError::malformed("malformed_request", "The body broke off."))?;
        if body.len() + chunk.len() > limit {
            return Err(AppError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Leaves the digest of the body where [`crate::operation::Operation`] finds it.
pub fn leave_fingerprint(request: &HttpRequest, fingerprint: BodyFingerprint) {
    request.extensions_mut().insert(fingerprint);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn order_and_blanks_do_not_change_the_fingerprint() {
        let a: Value = serde_json::from_str(r#"{"a":1,"b":[{"c":null,"d":"x"}]}"#).expect("JSON");
        let b: Value = serde_json::from_str(r#" { "b" : [ { "d":"x", "c":null } ], "a": 1 }"#).expect("JSON");
        assert_eq!(BodyFingerprint::of_json(&a).0, BodyFingerprint::of_json(&b).0);
        for other in [json!({"a": 1, "b": [{"c": null, "d": "y"}]}), json!({"a": "1", "b": [{"c": null, "d": "x"}]}), json!([1, [2]])] {
            assert_ne!(BodyFingerprint::of_json(&a).0, BodyFingerprint::of_json(&other).0);
        }
        assert_ne!(BodyFingerprint::of_json(&json!([[1], 2])).0, BodyFingerprint::of_json(&json!([1, [2]])).0);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_any_content_type_is_answered(header in "\\PC{0,30}|application/json *;? *(charset)? *=? *\"?(utf-8|UTF-8|latin1)?\"?") {
            let taken = is_media_type(&header, "application/json");
            let plain: String = header.to_lowercase().chars().filter(|letter| !letter.is_whitespace() && *letter != '"').collect();
            proptest::prop_assert!(!taken || plain == "application/json" || plain.starts_with("application/json;charset=utf-8"), "{}", header);
        }
    }

    #[test]
    fn media_types_are_compared_whole() {
        assert!(is_media_type("application/json", "application/json"));
        assert!(is_media_type("Application/JSON; charset=\"UTF-8\"", "application/json"));
        assert!(!is_media_type("application/foo+json", "application/json"));
        assert!(!is_media_type("application/json; charset=latin1", "application/json"));
        assert!(!is_media_type("application/json-patch", "application/json"));
        assert!(!is_media_type("", "application/json"));
    }
}
