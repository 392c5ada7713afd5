//! What is known of a request before any handler runs.

use std::sync::Arc;

use lahete_domain::codes::Language;

use super::route_table::Route;

/// The longest request id that we take over from a caller.
pub const REQUEST_ID_MAX: usize = 64;

/// Put into the request's extensions by the shell; read by extractors, by problems and by the log line.
#[derive(Clone, Debug)]
pub struct RequestFacts {
    /// Ties the answer, the log line and the audit row together.
    pub request_id: String,
    /// The language of titles and labels.
    pub language: Language,
    /// The path without the query.
    pub path: String,
    /// The operation of the API document, if the path and method belong to one.
    pub route: Option<&'static Route>,
    /// The start of each problem `type`.
    pub base_url: Arc<str>,
}

impl RequestFacts {
    /// For an answer that is made outside a request.
    #[must_use]
    pub fn unknown() -> Self {
        Self { request_id: String::new(), language: Language::Finnish, path: String::new(), route: None, base_url: Arc::from("") }
    }
}

/// Whether a caller's request id may be taken over: short, and of characters that are safe in a header, a log line and a row.
#[must_use]
pub fn is_safe_request_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= REQUEST_ID_MAX && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Who called, for the log line: the kind alone, never the name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallerKind {
    /// A person.
    User,
    /// A machine.
    ApiClient,
    /// Nobody signed in.
    Anonymous,
}

impl CallerKind {
    /// The word in the log line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ApiClient => "api_client",
            Self::Anonymous => "anonymous",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_short_and_plain() {
        assert!(is_safe_request_id("0195-ab_C.d"));
        assert!(!is_safe_request_id(""));
        assert!(!is_safe_request_id("a b"));
        assert!(!is_safe_request_id("a\nb"));
        assert!(!is_safe_request_id(&"a".repeat(65)));
    }
}
