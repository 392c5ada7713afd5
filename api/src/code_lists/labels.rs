//! Labels of codes in six languages, from `labels.csv`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lahete_domain::codes::{Code, Language, all_lists};
use serde::Deserialize;

use crate::shipped_table;

#[derive(Debug, Deserialize)]
struct LabelRow {
    list: String,
    code: String,
    fi: String,
    sv: String,
    en: String,
    se: String,
    smn: String,
    sms: String,
}

impl LabelRow {
    fn label(&self, language: Language) -> &str {
        let wanted = language.of([&self.fi, &self.sv, &self.en, &self.se, &self.smn, &self.sms]);
        [wanted, &self.fi, &self.code].into_iter().find(|text| !text.is_empty()).map_or("", String::as_str)
    }
}

static LABELS: LazyLock<BTreeMap<(String, String), LabelRow>> = LazyLock::new(|| {
    shipped_table::rows("labels.csv", include_bytes!("labels.csv"))
        .map(|row: LabelRow| ((row.list.clone(), row.code.clone()), row))
        .collect()
});

/// The label of a code by the name of its list; Finnish when there is no translation yet, the code itself when there is no label.
#[must_use]
pub fn label_in(list: &str, code: &str, language: Language) -> String {
    LABELS.get(&(list.to_owned(), code.to_owned())).map_or(code, |row| row.label(language)).to_owned()
}

/// The label of a code.
#[must_use]
pub fn label<T: Code>(code: T, language: Language) -> String {
    label_in(T::LIST, code.as_str(), language)
}

/// The row of a list's own title.
const TITLE: &str = "*";

/// The title of a list.
#[must_use]
pub fn title(list: &str, language: Language) -> String {
    LABELS.get(&(list.to_owned(), TITLE.to_owned())).map_or(list, |row| row.label(language)).to_owned()
}

/// The names of all lists, sorted.
#[must_use]
pub fn lists() -> Vec<&'static str> {
    let mut names: Vec<_> = all_lists().into_iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names
}

/// The codes of a list in their order, with labels; `None` when there is no such list.
#[must_use]
pub fn list(name: &str, language: Language) -> Option<(&'static str, Vec<(&'static str, String)>)> {
    let (name, codes) = all_lists().into_iter().find(|(other, _)| *other == name)?;
    Some((name, codes.into_iter().map(|code| (code, label_in(name, code, language))).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_and_every_list_has_labels_in_six_languages() {
        for (list, codes) in all_lists() {
            for code in codes.into_iter().chain([TITLE]) {
                let row = LABELS.get(&(list.to_owned(), code.to_owned())).unwrap_or_else(|| panic!("{list}: {code} has no label"));
                let labels = [&row.fi, &row.sv, &row.en, &row.se, &row.smn, &row.sms];
                assert!(!labels.iter().any(|label| label.trim().is_empty()), "{list}: {code}");
            }
        }
    }

    #[test]
    fn no_label_is_left_over() {
        let known: Vec<_> = all_lists();
        for (list, code) in LABELS.keys() {
            assert!(
                known.iter().any(|(name, codes)| name == list && (code == TITLE || codes.contains(&code.as_str()))),
                "{list}: {code} is no code"
            );
        }
    }
}
