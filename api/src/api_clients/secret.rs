//! The secrets of API clients.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::error::AppError;
use crate::http::answer::Answer;

/// By this, scanners of source code and of logs find a secret that was left lying about.
pub const PREFIX: &str = "lahete_";

const BYTES: usize = 32;

/// A secret that was just made. Only its hash is ever stored.
pub struct Secret(String);

impl Secret {
    /// Makes one of 256 random bits.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn random() -> Result<Self, AppError> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(AppError::internal)?;
        Ok(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// What is stored of it.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.0)
    }

    /// Shows it in a first answer. It is put in after the answer was kept under its idempotency key, so that it is stored nowhere; a repeated answer lacks
    /// it.
    ///
    /// # Errors
    /// When the answer is no JSON object, which it is.
    pub fn shown_in(&self, answer: Answer) -> Result<Answer, AppError> {
        if answer.header_value("idempotent-replayed").is_some() {
            return Ok(answer);
        }
        let (status, headers, body) = answer.to_stored()?;
        let mut body: Value = serde_json::from_str(&body).map_err(AppError::internal)?;
        if let Some(members) = body.as_object_mut() {
            members.insert("client_secret".to_owned(), Value::from(self.0.as_str()));
        }
        Ok(Answer::stored(status, headers, body.to_string()))
    }
}

/// What is stored of a secret.
#[must_use]
pub fn sha256(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_is_shown_once() {
        let secret = Secret::random().expect("randomness");
        assert_eq!(secret.0.len(), PREFIX.len() + 43);
        assert_ne!(secret.sha256(), Secret::random().expect("randomness").sha256());
        let answer = Answer::ok(&json!({"id": 1}));
        let shown = secret.shown_in(answer.clone()).expect("an object");
        assert!(String::from_utf8_lossy(shown.body()).contains(&secret.0));
        let again = secret.shown_in(answer.replayed()).expect("an object");
        assert!(!String::from_utf8_lossy(again.body()).contains(&secret.0));
    }
}
