//! Which classes and subjects of another directory belong to which of the ten themes. Kept by coordinators for their programme; until then the one that the
//! program ships holds.

use std::collections::BTreeSet;

use crate::codes::Theme;
use crate::ids::ProgrammeId;
use crate::search::{Word, words};
use crate::version::Version;

/// Most entries of a mapping.
pub const ENTRIES_MAX: usize = 500;
/// The longest term: an address of a concept.
pub const TERM_MAX: usize = 200;

/// What belongs to some themes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ThemeEntry {
    /// One of three: the address (`http…`) of a class or concept; the code of a service class (`P27`), which stands for the classes below it as well; or the
    /// beginning of a word by which an activity is filed (`liikun`).
    pub term: String,
    /// The themes.
    pub themes: BTreeSet<Theme>,
}

/// The mapping of a programme.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ThemeMapping {
    /// Whose.
    pub programme: ProgrammeId,
    /// Its version; [`Version::FIRST`] is the one that the program ships.
    pub version: Version,
    /// What belongs where.
    pub entries: Vec<ThemeEntry>,
    /// Whether entries of the directory are still to be looked at with it.
    pub applying: bool,
}

/// Whether a term is the code of a service class: `P27`, `P27.1`.
#[must_use]
pub fn is_class_code(term: &str) -> bool {
    let Some(rest) = term.strip_prefix('P') else { return false };
    let digits = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    match rest.split_once('.') {
        Some((class, below)) => digits(class) && digits(below),
        None => digits(rest),
    }
}

/// A mapping made ready for many activities.
#[derive(Clone, Debug, Default)]
pub struct Themer {
    addresses: Vec<(String, BTreeSet<Theme>)>,
    codes: Vec<(String, BTreeSet<Theme>)>,
    beginnings: Vec<(String, BTreeSet<Theme>)>,
}

impl Themer {
    /// Makes a mapping ready.
    #[must_use]
    pub fn of(entries: &[ThemeEntry]) -> Self {
        let mut themer = Self::default();
        for entry in entries {
            if entry.term.starts_with("http") {
                themer.addresses.push((entry.term.clone(), entry.themes.clone()));
            } else if is_class_code(&entry.term) {
                themer.codes.push((entry.term.clone(), entry.themes.clone()));
            } else if let [word] = words(&entry.term).as_slice() {
                themer.beginnings.push((word.plain.clone(), entry.themes.clone()));
            }
        }
        themer
    }

    /// The themes of what is filed under some classes (addresses and codes) and words.
    #[must_use]
    pub fn themes<'a>(&self, classes: impl IntoIterator<Item = &'a str>, keywords: &str) -> BTreeSet<Theme> {
        let mut all = BTreeSet::new();
        for class in classes {
            if class.starts_with("http") {
                all.extend(self.addresses.iter().filter(|(address, _)| address == class).flat_map(|(_, themes)| themes));
            } else {
                let belongs = |code: &str| class == code || class.strip_prefix(code).is_some_and(|rest| rest.starts_with('.'));
                all.extend(self.codes.iter().filter(|(code, _)| belongs(code)).flat_map(|(_, themes)| themes));
            }
        }
        let filed: Vec<Word> = words(keywords);
        for (beginning, themes) in &self.beginnings {
            if filed.iter().any(|word| word.plain.starts_with(beginning.as_str())) {
                all.extend(themes);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(term: &str, themes: &[Theme]) -> ThemeEntry {
        ThemeEntry { term: term.to_owned(), themes: themes.iter().copied().collect() }
    }

    #[test]
    fn classes_addresses_and_words_lead_to_themes() {
        let koko = "http://www.yso.fi/onto/koko/p10416";
        let themer = Themer::of(&[
            entry("P27", &[Theme::Moving]),
            entry("P27.2", &[Theme::Nature]),
            entry(koko, &[Theme::Culture]),
            entry("ravitsem", &[Theme::Eating]),
            entry("två ord", &[Theme::Sleep]),
        ]);
        let of = |classes: &[&str], words: &str| themer.themes(classes.iter().copied(), words).into_iter().collect::<Vec<_>>();
        assert_eq!(of(&["P27.1"], ""), [Theme::Moving]);
        assert_eq!(of(&["P27.2"], ""), [Theme::Moving, Theme::Nature]);
        assert_eq!(of(&["P2", "P270"], ""), []);
        assert_eq!(of(&[koko], ""), [Theme::Culture]);
        assert_eq!(of(&[], "Ruoka, ravitsemusneuvonta"), [Theme::Eating]);
        assert_eq!(of(&[], "två ord"), []);
        assert_eq!(["P1", "P27.1", "P27.12"].map(is_class_code), [true; 3]);
        assert_eq!(["p1", "P", "P123", "P1.", "P1.2.3", "liikunta"].map(is_class_code), [false; 6]);
    }
}
