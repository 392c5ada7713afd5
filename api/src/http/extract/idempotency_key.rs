//! `Idempotency-Key`: a structured-field string, or the same bare.

use actix_web::HttpRequest;

use crate::error::AppError;

/// The header.
pub const HEADER: &str = "idempotency-key";

/// The longest key, as it is sent.
pub const KEY_MAX: usize = 255;

/// The key of a request; `None` when there is none.
///
/// # Errors
/// [`AppError::Malformed`] when the header stands twice, is empty, too long, or holds other than visible ASCII characters.
pub fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, AppError> {
    let invalid = || AppError::malformed("idempotency_key_invalid", "Idempotency-Key must be 1 to 255 visible ASCII characters.");
    let mut values = request.headers().get_all(HEADER);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(invalid());
    }
    value.to_str().ok().and_then(parse_key).map(Some).ok_or_else(invalid)
}

/// How a key is written: bare without quotes, blanks and backslashes, or as a string of RFC 9651.
pub const KEY_PATTERN: &str = r#"^([!#-\[\]-~]+|"([ !#-\[\]-~]|\\["\\])+")$"#;

/// Reads a key, `"abc"` or `abc`.
#[must_use]
pub fn parse_key(text: &str) -> Option<String> {
    let text = text.trim_matches([' ', '\t']);
    if text.len() > KEY_MAX {
        return None;
    }
    let key = match text.strip_prefix('"') {
        Some(rest) => unescape(rest.strip_suffix('"')?)?,
        None if text.contains([' ', '"', '\\']) => return None,
        None => text.to_owned(),
    };
    let fits = !key.is_empty() && key.bytes().all(|b| (0x20..0x7f).contains(&b));
    if fits { Some(key) } else { None }
}

fn unescape(text: &str) -> Option<String> {
    let mut key = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => key.push(letters.next().filter(|next| matches!(next, '"' | '\\'))?),
            '"' => return None,
            other => key.push(other),
        }
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_the_same_key() {
        assert_eq!(parse_key("abc-1").as_deref(), Some("abc-1"));
        assert_eq!(parse_key("\"abc-1\"").as_deref(), Some("abc-1"));
        assert_eq!(parse_key("\"a\\\"b\\\\\"").as_deref(), Some("a\"b\\"));
        for bad in ["", "  ", "\"\"", "\"abc", "\"a\"b\"", "\"a\\n\"", "ä", &"x".repeat(256)] {
            assert_eq!(parse_key(bad), None, "{bad}");
        }
        assert_eq!(parse_key(&"x".repeat(255)).map(|key| key.len()), Some(255));
    }

    proptest::proptest! {
        #[test]
        fn no_header_breaks_it(header in ".{0,300}") {
            if let Some(key) = parse_key(&header) {
                proptest::prop_assert!(!key.is_empty() && key.len() <= KEY_MAX);
            }
        }
    }
}
