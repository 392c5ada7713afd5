//! The closed list of problem codes, with their titles in each language, from `problems.csv`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lahete_domain::codes::Language;
use serde::Deserialize;

use crate::shipped_table;

/// One kind of problem.
#[derive(Clone, Debug, Deserialize)]
pub struct ProblemKind {
    /// The stable code.
    pub code: String,
    /// The status that goes with it.
    pub status: u16,
    title_fi: String,
    title_sv: String,
    title_en: String,
    title_se: String,
    title_smn: String,
    title_sms: String,
    /// What it means, why it comes, what to do.
    pub explanation_en: String,
}

impl ProblemKind {
    /// The title in a language; Finnish when there is no translation yet.
    #[must_use]
    pub fn title(&self, language: Language) -> &str {
        let title = language.of([&self.title_fi, &self.title_sv, &self.title_en, &self.title_se, &self.title_smn, &self.title_sms]);
        if title.is_empty() { &self.title_fi } else { title }
    }
}

static CATALOGUE: LazyLock<BTreeMap<String, ProblemKind>> = LazyLock::new(|| {
    shipped_table::rows("problems.csv", include_bytes!("problems.csv")).map(|kind: ProblemKind| (kind.code.clone(), kind)).collect()
});

/// The kind behind a code.
#[must_use]
pub fn find(code: &str) -> Option<&'static ProblemKind> {
    CATALOGUE.get(code)
}

/// All kinds, sorted by code.
pub fn all() -> impl Iterator<Item = &'static ProblemKind> {
    CATALOGUE.values()
}

/// The codes that the shell itself gives. Those of the rules come from the domain.
pub const SHELL_CODES: &[&str] = &[
    "malformed_json",
    "malformed_request",
    "unknown_parameter",
    "invalid_parameter",
    "invalid_cursor",
    "unauthenticated",
    "invalid_token",
    "forbidden",
    "access_reason_required",
    "not_found",
    "method_not_allowed",
    "not_acceptable",
    "request_timeout",
    "too_large",
    "unsupported_media_type",
    "invalid",
    "idempotency_key_reused",
    "idempotency_in_progress",
    "stale_version",
    "precondition_required",
    "rate_limited",
    "internal",
    "unavailable",
    "storage_full",
    "invalid_grant",
    "invalid_client",
    "unsupported_grant_type",
    "idempotency_key_invalid",
    "if_match_invalid",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_read() {
        let rows = csv::Reader::from_reader(include_bytes!("problems.csv").as_slice()).into_deserialize::<ProblemKind>().count();
        assert_eq!(rows, all().count(), "a row is broken or a code stands twice");
    }

    #[test]
    fn every_code_of_the_shell_has_titles_and_an_explanation() {
        for code in SHELL_CODES {
            let kind = find(code).unwrap_or_else(|| panic!("{code} is missing in problems.csv"));
            assert!((400..600).contains(&kind.status), "{code}");
            for title in [&kind.title_fi, &kind.title_sv, &kind.title_en, &kind.explanation_en] {
                assert!(!title.is_empty(), "{code}");
            }
        }
    }
}
