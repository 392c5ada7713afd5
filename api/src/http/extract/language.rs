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

    proptest::proptest! {
        #[test]
        fn no_header_breaks_it(header in ".{0,200}") {
            let _ = lookup(&header);
        }
    }
}
