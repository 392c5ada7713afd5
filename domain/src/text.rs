//! Lengths of received texts. Each limit is one constant: the document, the validation and the tables read it from here.

/// A person's given or family name, an organisation's or an activity's name.
pub const NAME_MAX: usize = 120;
/// A telephone number, an e-mail address, a street address: one line.
pub const LINE_MAX: usize = 200;
/// A stated reason or a short comment.
pub const REASON_MAX: usize = 500;
/// A note, a question, a wish: some paragraphs.
pub const NOTE_MAX: usize = 2_000;
/// What an activity is, in a sentence.
pub const SUMMARY_MAX: usize = 200;
/// What an activity is, as long as the national service directory allows.
pub const DESCRIPTION_MAX: usize = 2_500;
/// A text that somebody consents to: a page or two.
pub const CONSENT_TEXT_MAX: usize = 8_000;
/// A code, a version, an identifier of another system.
pub const TOKEN_MAX: usize = 80;
/// A language tag.
pub const LANGUAGE_TAG_MAX: usize = 35;
/// A sign-in name.
pub const LOGIN_MAX: usize = 80;

/// Whether a text may be stored: something in it, no more than `max` characters, no control character except line breaks and tabs.
#[must_use]
pub fn is_storable(text: &str, max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= max && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_and_emptiness_are_refused_and_sami_letters_count_as_one() {
        assert!(is_storable("Áŋŋel č đ ž ǩ ʹ", 15));
        assert!(!is_storable("a\0b", 10));
        assert!(!is_storable(" \n", 10));
        assert!(!is_storable("abc", 2));
        assert!(is_storable("two\nlines", 20));
    }
}
