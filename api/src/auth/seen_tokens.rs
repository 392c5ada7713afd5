//! Tokens whose signature was found good: a signature costs more to check than everything else about a call.
//!
//! What depends on the time is checked at every call all the same, and what the caller may do is read from the database at every call: only the
//! signature is remembered, under the digest of the whole token, for as long as its key is trusted. Beside it stands whom a token of another issuer
//! was found to belong to, for half a minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lahete_domain::actor::Caller;
use sha2::{Digest as _, Sha256};

use super::key_set::TrustedKey;
use super::token::Claims;

/// A token is remembered for its life at most, a few minutes; more than these at once are callers that can wait for a signature.
const SEEN_MAX: usize = 4096;

/// The digest of a token: the token itself is a secret that is not kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Of a token as it was sent.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

/// What was read from a token with a good signature.
#[derive(Clone)]
pub struct Seen {
    /// The place of its issuer among the trusted ones.
    pub issuer: usize,
    /// Its claims.
    pub claims: Arc<Claims>,
    /// The key that it was signed with.
    pub key: Arc<TrustedKey>,
    /// By what it can be ended.
    pub mark: [u8; 32],
    /// Whom it was found to belong to, and when, in seconds.
    pub caller: Option<(Caller, i64)>,
}

/// The tokens seen lately. Clones share them.
#[derive(Clone, Default)]
pub struct SeenTokens(Arc<Mutex<HashMap<TokenDigest, Seen>>>);

impl SeenTokens {
    /// What is known of a token.
    #[must_use]
    pub fn get(&self, digest: TokenDigest) -> Option<Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned()
    }

    /// Remembers a token; `now` in seconds lets go of those that have ended when there are too many.
    pub fn keep(&self, digest: TokenDigest, seen: Seen, now: i64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= SEEN_MAX {
            all.retain(|_, seen| seen.claims.exp > now);
            if all.len() >= SEEN_MAX {
                all.clear();
            }
        }
        all.insert(digest, seen);
    }

    /// Notes whom a token belongs to; `now` in seconds.
    pub fn settle(&self, digest: TokenDigest, caller: Caller, now: i64) {
        if let Some(seen) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&digest) {
            seen.caller = Some((caller, now));
        }
    }

    /// Forgets whom tokens belong to, but for those that say so themselves.
    pub fn unsettle(&self) {
        for seen in self.0.lock().unwrap_or_else(PoisonError::into_inner).values_mut() {
            if seen.caller.is_some_and(|(_, at)| at != i64::MAX) {
                seen.caller = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::key_set::parse_key;
    use crate::auth::keys::SigningKey;
    use crate::auth::token::Audience;
    use lahete_domain::user::KeyAlgorithm;

    #[test]
    fn an_owner_is_forgotten_unless_the_token_says_it() {
        let tokens = SeenTokens::default();
        let digest = TokenDigest::of("a");
        let of = || tokens.get(digest).and_then(|seen| seen.caller);
        tokens.keep(digest, seen(50), 10);
        tokens.settle(digest, Caller::Clock, 10);
        assert_eq!(of(), Some((Caller::Clock, 10)));
        tokens.unsettle();
        assert_eq!(of(), None);
        tokens.settle(digest, Caller::Clock, i64::MAX);
        tokens.unsettle();
        assert!(of().is_some());
    }

    fn seen(exp: i64) -> Seen {
        let text = String::new;
        let claims =
            Claims { iss: text(), sub: text(), aud: Audience::One(text()), client_id: text(), iat: 0, exp, nbf: None, jti: text() };
        let key = SigningKey::generate().expect("a key").public();
        let key = parse_key(&serde_json::to_value(key).expect("JSON"), KeyAlgorithm::ALL).expect("a key");
        Seen { issuer: 0, claims: Arc::new(claims), key: Arc::new(key), mark: [0; 32], caller: None }
    }

    #[test]
    fn it_never_grows_beyond_its_bound_and_lets_go_of_the_ended_first() {
        let tokens = SeenTokens::default();
        let digest = |number: usize| TokenDigest::of(&number.to_string());
        for number in 0..SEEN_MAX {
            tokens.keep(digest(number), seen(if number == 7 { 200 } else { 50 }), 10);
        }
        assert!(tokens.get(digest(0)).is_some());
        tokens.keep(digest(SEEN_MAX), seen(200), 100);
        assert!(tokens.get(digest(0)).is_none() && tokens.get(digest(7)).is_some());
        for number in 0..2 * SEEN_MAX {
            tokens.keep(digest(number), seen(200), 100);
        }
        assert!(tokens.0.lock().unwrap().len() <= SEEN_MAX);
    }
}
