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
    use std::sync::LazyLock;

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
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_any_header_is_answered_as_the_document_says(header in "\\PC{0,24}|[ -~]{0,24}|\"([ -~]|\\\\[\"\\\\]){0,12}\"|[!-~]{250,260}") {
            static PATTERN: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
                jsonschema::validator_for(&serde_json::json!({"pattern": KEY_PATTERN, "maxLength": KEY_MAX})).expect("a schema")
            });
            let sent = header.trim_matches(' ');
            let key = parse_key(&header);
            proptest::prop_assert_eq!(key.is_some(), PATTERN.is_valid(&serde_json::Value::from(sent)), "{:?}", header);
            proptest::prop_assert!(key.is_none_or(|key| !key.is_empty() && key.len() <= KEY_MAX));
        }

        #[test]
        fn property_a_key_comes_back_from_its_quoted_form(key in "[ -~]{1,100}") {
            let quoted = format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
            proptest::prop_assert_eq!(parse_key(&quoted), Some(key.clone()));
            if !key.contains([' ', '"', '\\']) {
                proptest::prop_assert_eq!(parse_key(&key), Some(key));
            }
        }
    }
}
