//! What national law says of each kind of concern, in six languages, from `national.csv`. The texts paraphrase the laws of finnish-facts §7.5; the controller's
//! own words, where there are some, come before them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lahete_domain::codes::{Code as _, ConcernKind, Language};
use serde::Deserialize;

use crate::shipped_table;

/// The number to call when somebody is in danger now.
pub const EMERGENCY_NUMBER: &str = "112";

#[derive(Debug, Deserialize)]
struct Row {
    kind: String,
    part: String,
    fi: String,
    sv: String,
    en: String,
    se: String,
    smn: String,
    sms: String,
}

static ROWS: LazyLock<BTreeMap<(String, String), Row>> = LazyLock::new(|| {
    shipped_table::rows("national.csv", include_bytes!("national.csv"))
        .map(|row: Row| ((row.kind.clone(), row.part.clone()), row))
        .collect()
});

/// A part of the guidance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// To which office.
    Place,
    /// What the law says.
    Law,
}

/// The national text.
#[must_use]
pub fn text(kind: ConcernKind, part: Part, language: Language) -> &'static str {
    let part = match part {
        Part::Place => "place",
        Part::Law => "law",
    };
    ROWS.get(&(kind.as_str().to_owned(), part.to_owned()))
        .map_or("", |row| language.of([&row.fi, &row.sv, &row.en, &row.se, &row.smn, &row.sms]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_an_answer() {
        for kind in ConcernKind::ALL {
            for language in Language::ALL {
                for part in [Part::Place, Part::Law] {
                    assert!(text(*kind, part, *language).chars().count() > 10, "{kind} {part:?} {language}");
                }
            }
        }
        assert_eq!(ROWS.len(), ConcernKind::ALL.len() * 2);
    }
}
