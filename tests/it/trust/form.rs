//! How long these tests take: `LAHETE_TEST_TRUST=long` asks for the long form.

/// Whether the long form is asked for.
pub fn is_long() -> bool {
    std::env::var("LAHETE_TEST_TRUST").is_ok_and(|form| form == "long")
}
