//! The Finnish personal identity code (henkilötunnus): `DDMMYY`, separator, three digits, check character.
//!
//! Rules of the Digital and Population Data Services Agency with the separators in force since 1 January 2023. Two people may differ by the
//! separator alone, so it is never guessed or dropped. Sex is never derived from the code.

use chrono::NaiveDate;

const CHECK: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";

/// What is shown of a code to whoever may not see even the date of birth.
pub const MASKED: &str = "******-****";

/// A well-formed code. Shown masked: only [`IdentityCode::reveal`] gives it out.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityCode {
    text: String,
    born: NaiveDate,
}

impl std::fmt::Debug for IdentityCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IdentityCode({MASKED})")
    }
}

/// What is wrong with a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdentityCodeError {
    /// Not eleven characters of the right kinds.
    #[error("a personal identity code has the form DDMMYY, separator, three digits, check character")]
    Form,
    /// No such separator.
    #[error("the separator is none of + - Y X W V U A B C D E F")]
    Separator,
    /// No such day, or one that lies ahead.
    #[error("the first six digits and the separator give no date of birth in the past")]
    Date,
    /// 000 and 001 are given to nobody.
    #[error("the individual number is 002 to 999")]
    Number,
    /// The check character belongs to other digits.
    #[error("the check character does not fit")]
    Check,
}

impl IdentityCode {
    /// Reads a code. Spaces around it, small letters and typographic hyphens are accepted; nothing else is repaired.
    ///
    /// # Errors
    /// Says which part is wrong, never the code.
    pub fn parse(text: &str, today: NaiveDate) -> Result<Self, IdentityCodeError> {
        let canonical: String = text
            .trim()
            .chars()
            .map(|c| if matches!(c, '\u{2212}' | '\u{2010}' | '\u{2011}' | '\u{2013}') { '-' } else { c.to_ascii_uppercase() })
            .collect();
        let Ok([d1, d2, m1, m2, y1, y2, separator, n1, n2, n3, check]) = <[u8; 11]>::try_from(canonical.as_bytes()) else {
            return Err(IdentityCodeError::Form);
        };
        let digits = [d1, d2, m1, m2, y1, y2, n1, n2, n3];
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(IdentityCodeError::Form);
        }
        let century = match separator {
            b'+' => 1800,
            b'-' | b'U'..=b'Y' => 1900,
            b'A'..=b'F' => 2000,
            _ => return Err(IdentityCodeError::Separator),
        };
        let number = |part: &[u8]| part.iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        let year = century + i32::try_from(number(&[y1, y2])).unwrap_or_default();
        let born = NaiveDate::from_ymd_opt(year, number(&[m1, m2]), number(&[d1, d2]))
            .filter(|born| *born <= today)
            .ok_or(IdentityCodeError::Date)?;
        if number(&[n1, n2, n3]) < 2 {
            return Err(IdentityCodeError::Number);
        }
        let remainder = usize::try_from(number(&digits) % 31).unwrap_or_default();
        if CHECK.get(remainder) != Some(&check) {
            return Err(IdentityCodeError::Check);
        }
        Ok(Self { text: canonical, born })
    }

    /// The whole code, for encryption and for the blind index, for nothing else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The date of birth.
    #[must_use]
    pub fn birth_date(&self) -> NaiveDate {
        self.born
    }

    /// Whether it is of the 900 series, which is never issued to a person: test codes and temporary codes of one organisation.
    #[must_use]
    pub fn is_artificial(&self) -> bool {
        self.text.as_bytes().get(7) == Some(&b'9')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date")
    }

    const VALID: &str = include_str!("identity_code/valid.txt");
    const INVALID: &str = include_str!("identity_code/invalid.csv");

    #[test]
    fn the_valid_table_is_valid() {
        let codes: Vec<_> = VALID.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).collect();
        assert!(codes.len() > 60);
        for code in codes {
            let parsed = IdentityCode::parse(code, NaiveDate::from_ymd_opt(2026, 12, 1).expect("a date"));
            assert!(parsed.is_ok(), "{code}: {parsed:?}");
            assert!(parsed.expect("valid").is_artificial(), "{code}");
        }
    }

    #[test]
    fn the_invalid_table_is_invalid() {
        for line in INVALID.lines().skip(1) {
            let (code, why) = line.split_once(',').expect("two columns");
            assert!(IdentityCode::parse(code, today()).is_err(), "{code} ({why})");
        }
    }

    #[test]
    fn the_separator_is_part_of_the_identity() {
        let a = IdentityCode::parse("150360-905S", today()).expect("valid");
        let b = IdentityCode::parse("150360Y905S", today()).expect("valid");
        assert_ne!(a, b);
        assert_eq!(a.birth_date(), b.birth_date());
        assert_eq!(IdentityCode::parse("150360A905S", today()), Err(IdentityCodeError::Date));
        assert_eq!(
            IdentityCode::parse("150360+905S", today()).expect("valid").birth_date(),
            NaiveDate::from_ymd_opt(1860, 3, 15).expect("a date")
        );
    }

    #[test]
    fn every_code_of_the_table_is_another_person() {
        let mut seen = std::collections::BTreeSet::new();
        for code in VALID.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            assert!(seen.insert(IdentityCode::parse(code, NaiveDate::MAX).expect("valid").reveal().to_owned()), "{code}");
        }
        // The same digits with each separator of their century: as many people as separators.
        let people: std::collections::BTreeSet<String> = "-YXWVU"
            .chars()
            .map(|separator| IdentityCode::parse(&format!("150360{separator}905S"), today()).expect("valid").reveal().to_owned())
            .collect();
        assert_eq!(people.len(), 6);
    }

    #[test]
    fn typed_in_many_ways_it_is_one_code() {
        for hyphen in ['-', '\u{2212}', '\u{2010}', '\u{2011}', '\u{2013}'] {
            let typed = format!("\t 150360{hyphen}905s \n");
            assert_eq!(IdentityCode::parse(&typed, today()).expect("valid").reveal(), "150360-905S", "{hyphen:?}");
        }
        for text in ["150360\u{2014}905S", "150360_905S", "150360 905S", "150360--905S", "150360-905 S", "１50360-905S"] {
            assert!(IdentityCode::parse(text, today()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_birth_that_lies_ahead_is_none() {
        let (eve, day) = (NaiveDate::from_ymd_opt(2023, 11, 20).expect("a date"), NaiveDate::from_ymd_opt(2023, 11, 21).expect("a date"));
        let check = CHECK[usize::try_from(211_123_900_u64 % 31).expect("small")];
        let code = format!("211123A900{}", char::from(check));
        assert_eq!(IdentityCode::parse(&code, eve), Err(IdentityCodeError::Date));
        assert_eq!(IdentityCode::parse(&code, day).expect("born today").birth_date(), day);
    }

    #[test]
    fn it_never_shows_itself() {
        let code = IdentityCode::parse(" 150360\u{2212}905s ", today()).expect("valid");
        assert_eq!(code.reveal(), "150360-905S");
        assert!(!format!("{code:?}").contains("1503"));
        assert!(!IdentityCodeError::Check.to_string().contains("1503"));
    }

    /// What the rules say, written down a second time and as plainly as can be.
    fn oracle(text: &str) -> bool {
        let Some(captured) = text.chars().collect::<Vec<char>>().try_into().ok().map(|letters: [char; 11]| letters) else { return false };
        let digits: String = captured[..6].iter().chain(&captured[7..10]).collect();
        let Some(number) = digits.chars().all(|c| c.is_ascii_digit()).then(|| digits.parse::<u64>().expect("digits")) else { return false };
        let century = match captured[6] {
            '+' => "18",
            '-' | 'Y' | 'X' | 'W' | 'V' | 'U' => "19",
            'A' | 'B' | 'C' | 'D' | 'E' | 'F' => "20",
            _ => return false,
        };
        let date = format!("{century}{}-{}-{}", &digits[4..6], &digits[2..4], &digits[..2]);
        let born = date.parse::<NaiveDate>().ok().filter(|born| *born <= today());
        born.is_some() && number % 1000 >= 2 && "0123456789ABCDEFHJKLMNPRSTUVWXY".chars().nth((number % 31) as usize) == Some(captured[10])
    }

    /// A code that fits, of any century.
    fn any_code() -> impl Strategy<Value = String> {
        (0_i64..82_000, 2_u32..1000, proptest::sample::select(b"+-YXWVUABCDEF".to_vec())).prop_filter_map(
            "the century of another separator",
            |(days, number, separator)| {
                let (first, separator) = (NaiveDate::from_ymd_opt(1800, 1, 1)?, char::from(separator));
                let born = first + chrono::TimeDelta::days(days);
                let digits = format!("{}{number:03}", born.format("%d%m%y"));
                let check = CHECK[usize::try_from(digits.parse::<u64>().ok()? % 31).ok()?];
                let code = format!("{}{separator}{}{}", &digits[..6], &digits[6..], char::from(check));
                let century = born.format("%C").to_string();
                let fits = match separator {
                    '+' => century == "18",
                    '-' | 'U'..='Y' => century == "19",
                    _ => century == "20",
                };
                (fits && born <= today()).then_some(code)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, max_local_rejects: 1_000_000, max_global_rejects: 100_000, ..ProptestConfig::default() })]
        #[test]
        fn property_any_text_is_answered(text in "\\PC{0,14}") {
            let canonical = text.trim().replace(['\u{2212}', '\u{2010}', '\u{2011}', '\u{2013}'], "-").to_ascii_uppercase();
            prop_assert_eq!(IdentityCode::parse(&text, today()).is_ok(), oracle(&canonical));
        }

        #[test]
        fn property_near_misses_are_judged_as_the_rules_say(text in "[0-3][0-9][01][0-9][0-9]{2}[-+U-YA-GZ][0-9]{3}[0-9A-Y]") {
            prop_assert_eq!(IdentityCode::parse(&text, today()).is_ok(), oracle(&text));
        }

        #[test]
        fn property_a_code_that_fits_comes_back(code in any_code()) {
            prop_assert!(oracle(&code));
            let read = IdentityCode::parse(&code, today());
            prop_assert_eq!(read.as_ref().map(IdentityCode::reveal), Ok(code.as_str()));
            let small = format!(" {} ", code.to_ascii_lowercase());
            prop_assert_eq!(IdentityCode::parse(&small, today()), read);
        }

        #[test]
        fn property_one_mistyped_character_never_passes(code in any_code(), at in 0_usize..11, other in proptest::sample::select(CHECK.to_vec())) {
            let mut letters = code.into_bytes();
            // Between two separators of one century the check character cannot choose: they are two different people.
            prop_assume!(at != 6 && letters[at] != other);
            letters[at] = other;
            prop_assert!(IdentityCode::parse(std::str::from_utf8(&letters).expect("ASCII"), today()).is_err());
        }

        #[test]
        fn property_two_swapped_digits_never_pass(code in any_code(), at in 0_usize..9) {
            let mut letters = code.into_bytes();
            prop_assume!(letters[at].is_ascii_digit() && letters[at + 1].is_ascii_digit() && letters[at] != letters[at + 1]);
            letters.swap(at, at + 1);
            prop_assert!(IdentityCode::parse(std::str::from_utf8(&letters).expect("ASCII"), today()).is_err());
        }
    }
}
