//! Passwords of the demo accounts: argon2id with 7 MiB and five rounds, which OWASP holds to be as strong as 19 MiB and two. A server that is signed
//! in to from many sides at once has only so much memory.

use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};

/// A hash to check against when there is no account, so that the answer takes as long as for a wrong password.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash("nobody has this password").unwrap_or_default());

const MEMORY_KIB: u32 = 7 * 1024;
const ROUNDS: u32 = 5;

/// Hashes a password with a new salt, in the PHC form that is stored.
///
/// # Errors
/// When the system gives no randomness.
pub fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    let params = Params::new(MEMORY_KIB, ROUNDS, 1, None)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password(password.as_bytes()).map(|hash| hash.to_string())
}

/// Whether a password belongs to a stored hash. Without a stored hash the work is the same and the answer no. Takes some 20 ms: call it where it may
/// block.
#[must_use]
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    let right = Argon2::default().verify_password(password.as_bytes(), stored.unwrap_or(&NOBODY)).is_ok();
    right && stored.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_opens() {
        let stored = hash("a long demo password").expect("hashed");
        assert!(stored.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"), "{stored}");
        assert!(verify("a long demo password", Some(&stored)));
        assert!(!verify("a long demo passwort", Some(&stored)));
        assert!(!verify("nobody has this password", None));
        assert!(!verify("", Some("no hash")));
    }
}
