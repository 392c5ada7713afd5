//! The register of municipalities, from `municipalities.csv`: code, names, wellbeing county, sorted by code.

use std::sync::LazyLock;

use lahete_domain::codes::Language;
use serde::Deserialize;

use crate::shipped_table;

/// A municipality.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Municipality {
    /// Three digits, of Statistics Finland.
    pub code: String,
    fi: String,
    sv: String,
    se: String,
    smn: String,
    sms: String,
    /// The code of its wellbeing county.
    pub wellbeing_county: String,
}

impl Municipality {
    /// Its name in a language; the Finnish one where it has no name of its own.
    #[must_use]
    pub fn name(&self, language: Language) -> &str {
        let name = language.of([&self.fi, &self.sv, &self.fi, &self.se, &self.smn, &self.sms]);
        if name.is_empty() { &self.fi } else { name }
    }
}

static REGISTER: LazyLock<Vec<Municipality>> = LazyLock::new(|| {
    let mut rows: Vec<Municipality> = shipped_table::rows("municipalities.csv", include_bytes!("municipalities.csv")).collect();
    rows.sort_by(|a, b| a.code.cmp(&b.code));
    rows
});

/// All municipalities, sorted by code.
#[must_use]
pub fn all() -> &'static [Municipality] {
    &REGISTER
}

/// The municipality with a code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Municipality> {
    REGISTER.binary_search_by(|row| row.code.as_str().cmp(code)).ok().and_then(|index| REGISTER.get(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_read_and_codes_are_unique() {
        let rows = csv::Reader::from_reader(include_bytes!("municipalities.csv").as_slice()).into_records().count();
        assert_eq!(all().len(), rows);
        assert!(all().windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(all().iter().all(|row| row.code.len() == 3 && !row.fi.is_empty() && !row.wellbeing_county.is_empty()));
    }

    #[test]
    fn names_fall_back_to_finnish() {
        let inari = find("148").expect("Inari");
        assert_eq!(inari.name(Language::InariSami), "Aanaar");
        assert_eq!(inari.name(Language::SkoltSami), "Aanar");
        let enontekio = find("047").expect("Enontekiö");
        assert_eq!(enontekio.name(Language::NorthernSami), "Eanodat");
        assert_eq!(enontekio.name(Language::InariSami), "Enontekiö");
        assert!(find("000").is_none());
    }
}
