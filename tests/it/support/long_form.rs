//! Tests that run in a short form with all the others, and in a long one when an environment variable asks for it.

/// The variable that asks for the long form of some tests.
#[derive(Clone, Copy)]
pub struct LongForm(pub &'static str);

impl LongForm {
    /// Whether the long form is asked for.
    pub fn is_asked_for(self) -> bool {
        std::env::var(self.0).is_ok_and(|form| form == "long")
    }

    /// How often something is tried; `LAHETE_TEST_ROUNDS` says another number.
    pub fn rounds(self, short: usize, long: usize) -> usize {
        let named = std::env::var("LAHETE_TEST_ROUNDS").ok().and_then(|text| text.parse().ok());
        named.unwrap_or(if self.is_asked_for() { long } else { short })
    }

    /// One line on how far a long test is.
    pub fn progress(self, line: &str) {
        if self.is_asked_for() {
            eprintln!("{line}");
        }
    }
}
