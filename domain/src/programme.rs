//! A programme: one controller running the model in a set of municipalities, with dated limits and fees. The tenant.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::ids::{ProgrammeId, ProgrammeTermsId};
use crate::money::Cents;
use crate::version::Version;

/// A municipality code: three digits with leading zeros, never a number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MunicipalityCode(String);

impl MunicipalityCode {
    /// Reads a code of three digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit())).then(|| Self(text.to_owned()))
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One controller's running of the model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Programme {
    /// Its id.
    pub id: ProgrammeId,
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// The controller of the register (kotipesä).
    pub controller: String,
    /// Where the privacy notice is.
    pub privacy_notice_url: Option<String>,
    /// The municipalities that it serves.
    pub municipalities: BTreeSet<MunicipalityCode>,
    /// Whether it takes referrals.
    pub active: bool,
    /// Months after which a link worker's training is refreshed.
    pub refresher_months: u32,
}

/// Two to four refreshers a year is what the pilot held; twice is asked for until a programme says otherwise.
pub const DEFAULT_REFRESHER_MONTHS: u32 = 6;
/// No programme leaves more months between trainings.
pub const REFRESHER_MONTHS_MAX: u32 = 60;

/// The limits and fees of a programme from a day on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Their id.
    pub id: ProgrammeTermsId,
    /// The programme.
    pub programme: ProgrammeId,
    /// The first day on which they hold, until the next terms.
    pub valid_from: NaiveDate,
    /// Longest support period in months, at most 6.
    pub max_months: u32,
    /// Most minutes with one client in a calendar month.
    pub max_minutes_per_month: i64,
    /// The fee of an hour with a client.
    pub fee_per_hour: Cents,
}

/// The pilot's own limits, which hold until a programme sets others: 6 months, 10 hours a month, 13 € an hour.
pub const DEFAULT_MAX_MONTHS: u32 = 6;
/// See [`DEFAULT_MAX_MONTHS`].
pub const DEFAULT_MAX_MINUTES_PER_MONTH: i64 = 600;
/// See [`DEFAULT_MAX_MONTHS`].
pub const DEFAULT_FEE_PER_HOUR: Cents = Cents(1300);

/// The terms in force on a day: the newest that began by then. Rates may fall as well as rise, so only the date decides.
#[must_use]
pub fn terms_on(all: &[Terms], day: NaiveDate) -> Option<&Terms> {
    all.iter().filter(|terms| terms.valid_from <= day).max_by_key(|terms| terms.valid_from)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_a_municipality_code_is_three_digits(text in "\\PC{0,6}|[0-9]{2,4}") {
            let wanted = text.chars().count() == 3 && text.chars().all(|letter| "0123456789".contains(letter));
            proptest::prop_assert_eq!(MunicipalityCode::parse(&text).map(|code| code.as_str().to_owned()), wanted.then_some(text));
        }
    }
    use crate::ids::Id;

    #[test]
    fn the_date_decides_which_terms_hold() {
        let day = |text: &str| -> NaiveDate { text.parse().expect("a date") };
        let terms = |from: &str, fee: i64| Terms {
            id: ProgrammeTermsId::from_uuid(uuid::Uuid::nil()),
            programme: ProgrammeId::from_uuid(uuid::Uuid::nil()),
            valid_from: day(from),
            max_months: 6,
            max_minutes_per_month: 600,
            fee_per_hour: Cents(fee),
        };
        let all = [terms("2026-01-01", 1250), terms("2022-01-01", 1300)];
        assert_eq!(terms_on(&all, day("2021-12-31")), None);
        assert_eq!(terms_on(&all, day("2025-12-31")).map(|t| t.fee_per_hour), Some(Cents(1300)));
        assert_eq!(terms_on(&all, day("2026-01-01")).map(|t| t.fee_per_hour), Some(Cents(1250)));
        assert_eq!(MunicipalityCode::parse("047").map(|c| c.as_str().to_owned()).as_deref(), Some("047"));
        assert_eq!(MunicipalityCode::parse("47"), None);
    }
}
