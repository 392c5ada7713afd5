//! `Accept-Language` by the lookup of RFC 4647.

use actix_web::http::header::ACCEPT_LANGUAGE;
use actix_web::{HttpMessage as _, HttpRequest};
use lahete_domain::codes::{Code as _, Language};

use crate::http::facts::RequestFacts;

/// The language when nothing fits.
pub const FALLBACK: Language = Language::Finnish;

/// More ranges than this are noise, or an attack.
const RANGES_MAX: usize = 32;

/// The language that the shell found for a request.
#[must_use]
pub fn language_of(request: &HttpRequest) -> Language {
    request.extensions().get::<RequestFacts>().map_or_else(
        || lookup(request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default()),
        |facts| facts.language,
    )
}

/// The best language for a header value.
#[must_use]
pub fn lookup(header: &str) -> Language {
    let mut ranges: Vec<(&str, u16)> = header.split(',').take(RANGES_MAX).filter_map(range).filter(|(_, quality)| *quality > 0).collect();
    // Stable: of two ranges with the same weight, the first one wins.
    ranges.sort_by_key(|(_, quality)| std::cmp::Reverse(*quality));
    ranges.iter().find_map(|(tag, _)| if *tag == "*" { Some(FALLBACK) } else { known(tag) }).unwrap_or(FALLBACK)
}

/// One range with its weight in thousandths.
fn range(item: &str) -> Option<(&str, u16)> {
    let (tag, quality) = match item.split_once(';') {
        Some((tag, parameters)) => (tag, parameters.trim().strip_prefix("q=").map_or(Some(1000), thousandths)?),
        None => (item, 1000),
    };
    let tag = tag.trim();
    if tag.is_empty() { None } else { Some((tag, quality)) }
}

fn thousandths(text: &str) -> Option<u16> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

/// Cuts a tag from the end until it names a language of ours: `sv-FI` → `sv`.
fn known(tag: &str) -> Option<Language> {
    let mut tag = tag.to_ascii_lowercase();
    loop {
        // ISO 639-3 has a code of its own for Northern Sámi, which some systems send in place of the two-letter one.
        if let Some(language) = Language::parse(if tag == "sme" { "se" } else { &tag }) {
            return Some(language);
        }
        tag.truncate(tag.rfind('-')?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_known_range_wins() {
        for (header, wanted) in [
            ("", Language::Finnish),
            ("sv", Language::Swedish),
            ("sv-FI", Language::Swedish),
            ("SV-fi", Language::Swedish),
            ("de, en;q=0.5", Language::English),
            ("en;q=0.5, sv;q=0.8", Language::Swedish),
            ("en;q=0.8, sv;q=0.8", Language::English),
            ("en;q=0, *;q=0.1", Language::Finnish),
            ("sme-FI", Language::NorthernSami),
            ("se", Language::NorthernSami),
            ("smn", Language::InariSami),
            ("sms-Latn-FI", Language::SkoltSami),
            ("*", Language::Finnish),
            ("en;q=nonsense, sv;q=0.1", Language::Swedish),
            ("en;q=1.5,sv", Language::Swedish),
            (";;;,,,", Language::Finnish),
        ] {
            assert_eq!(lookup(header), wanted, "{header}");
        }
    }

    /// One range with its weight in thousandths, and how it is written.
    fn any_range() -> impl proptest::strategy::Strategy<Value = (String, u32, String)> {
        use proptest::prelude::*;
        const TAGS: &[&str] = &["fi", "sv", "en", "se", "smn", "sms", "sme", "de", "sv-FI", "SMS-Latn-FI", "en-x-a", "*", "x"];
        (proptest::sample::select(TAGS), 0_u32..=1000, 0_u8..3).prop_map(|(tag, weight, form)| match form {
            0 => (tag.to_owned(), 1000, tag.to_owned()),
            1 => (tag.to_owned(), weight, format!("{tag};q={}.{:03}", weight / 1000, weight % 1000)),
            _ => (tag.to_owned(), weight / 100 * 100, format!(" {tag} ; q={}.{}", weight / 1000, weight / 100 % 10)),
        })
    }

    /// The lookup written down plainly: from the heaviest weight down, the first range that means a language of ours.
    fn plain(ranges: &[(String, u32, String)]) -> Language {
        for weight in (1..=1000).rev() {
            for (tag, _, _) in ranges.iter().filter(|(_, own, _)| *own == weight) {
                let language = tag.split('-').next().unwrap_or_default().to_lowercase();
                let found = Language::ALL.iter().find(|known| known.as_str() == if language == "sme" { "se" } else { &language });
                if tag == "*" {
                    return FALLBACK;
                }
                if let Some(found) = found {
                    return *found;
                }
            }
        }
        FALLBACK
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_any_header_is_answered(header in "\\PC{0,30}|[a-z*;=q0-9., -]{0,40}") {
            let _ = lookup(&header);
        }

        #[test]
        fn property_the_heaviest_range_wins(ranges in proptest::collection::vec(any_range(), 0..7)) {
            let header = ranges.iter().map(|(_, _, text)| text.as_str()).collect::<Vec<_>>().join(",");
            proptest::prop_assert_eq!(lookup(&header), plain(&ranges), "{}", header);
        }
    }
}
