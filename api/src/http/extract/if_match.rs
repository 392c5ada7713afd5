//! Entity tags: `If-Match` on changes, `If-None-Match` on reads.
//!
//! A tag of ours is the version in quotes, `"3"`, or the version and a language where the body has labels in it, `"3;sv"`.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use lahete_domain::version::Version;

use crate::error::AppError;

/// The version that a change is meant for; `None` when the header is missing.
///
/// # Errors
/// [`AppError::Malformed`] for a star, a list, a weak tag, or what is no tag of ours.
pub fn if_match(request: &HttpRequest) -> Result<Option<Version>, AppError> {
    let invalid = || AppError::malformed("if_match_invalid", "If-Match must hold one ETag as it was received, as \"3\".");
    let mut values = request.headers().get_all(IF_MATCH);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(invalid());
    }
    value.to_str().ok().and_then(parse_tag).map(Some).ok_or_else(invalid)
}

/// The text of `If-None-Match`, all lines of it.
#[must_use]
pub fn if_none_match(request: &HttpRequest) -> Option<String> {
    joined(request, &IF_NONE_MATCH)
}

fn joined(request: &HttpRequest, name: &HeaderName) -> Option<String> {
    let values: Vec<_> = request.headers().get_all(name).filter_map(|value| value.to_str().ok()).collect();
    if values.is_empty() { None } else { Some(values.join(",")) }
}

/// Reads one strong tag of ours.
#[must_use]
pub fn parse_tag(text: &str) -> Option<Version> {
    let tag = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    let number = tag.split_once(';').map_or(tag, |(number, _)| number);
    if number.is_empty() || number.starts_with('0') || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse().ok().and_then(Version::new)
}

/// Whether `If-None-Match` names a tag. The comparison is the weak one of RFC 9110: a `W/` in front does not matter.
#[must_use]
pub fn matches_any(list: &str, etag: &str) -> bool {
    list.trim() == "*" || list.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_strong_tags_are_read() {
        assert_eq!(parse_tag("\"3\"").map(Version::get), Some(3));
        assert_eq!(parse_tag(" \"12;sv\" ").map(Version::get), Some(12));
        for bad in
            ["3", "*", "W/\"3\"", "\"0\"", "\"-1\"", "\"\"", "\"03\"", "\"3\",\"4\"", "\"abc\"", "\"99999999999999999999\"", "\"+3\""]
        {
            assert_eq!(parse_tag(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_any_header_is_answered(header in "\\PC{0,24}|(W/)?\"[0-9;a-z+-]{0,21}\"|[ \"0-9;,*W/]{0,16}") {
            let _ = matches_any(&header, "\"1\"");
            // Plainly: quotes around a number from 1, perhaps with a language behind it.
            let inner = header.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
            let number = inner.split(';').next().unwrap_or_default();
            let plain = number.parse::<i64>().ok().filter(|wanted| *wanted > 0 && wanted.to_string() == number);
            proptest::prop_assert_eq!(parse_tag(&header).map(Version::get), plain);
        }

        #[test]
        fn property_a_tag_comes_back(number in 1_i64..=i64::MAX, language in "(;[a-z]{2,3})?") {
            let tag = format!("\"{number}{language}\"");
            proptest::prop_assert_eq!(parse_tag(&tag).map(Version::get), Some(number));
            proptest::prop_assert_eq!(parse_tag(&format!("W/{tag}")), None);
        }

        #[test]
        fn property_a_list_names_its_tags_and_no_others(numbers in proptest::collection::vec(1_u16..40, 0..6), wanted in 1_u16..40, weak: bool) {
            let mark = if weak { "W/" } else { "" };
            let list = numbers.iter().map(|number| format!("{mark}\"{number}\"")).collect::<Vec<_>>().join(" , ");
            proptest::prop_assert_eq!(matches_any(&list, &format!("\"{wanted}\"")), numbers.contains(&wanted));
        }
    }
}
