//! Whose tokens are trusted. One issuer is built in; others stand beside it in the same list, each with its own keys and its own reading of `sub`.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey};
use lahete_domain::actor::Caller;
use lahete_domain::time::Instant;

use super::keys::SigningKey;
use super::seen_tokens::{Seen, SeenTokens, TokenDigest};
use super::token::{Expectation, caller_of, expect_claims, key_name, signed_claims};

/// How an issuer names the callers that we know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SubjectRule {
    /// `user:<id>` or `client:<id>`: our own.
    BuiltIn,
}

impl SubjectRule {
    fn caller(self, subject: &str) -> Option<Caller> {
        match self {
            Self::BuiltIn => caller_of(subject),
        }
    }
}

/// An issuer whose tokens are trusted.
#[derive(Clone)]
pub struct TrustedIssuer {
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// Algorithms of one family, by configuration; never taken from a token.
    pub algorithms: Vec<Algorithm>,
    /// Keys by name.
    pub keys: Vec<(String, DecodingKey)>,
    /// The reading of `sub`.
    pub subjects: SubjectRule,
    /// The longest life of a token in seconds.
    pub life_max: i64,
}

/// All trusted issuers.
#[derive(Clone)]
pub struct Issuers {
    trusted: Vec<TrustedIssuer>,
    leeway: i64,
    seen: SeenTokens,
}

impl std::fmt::Debug for Issuers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.trusted.iter().map(|one| &one.issuer)).finish()
    }
}

impl Issuers {
    /// Our own issuer alone.
    #[must_use]
    pub fn built_in(issuer: &str, audience: &str, key: &SigningKey, leeway: i64, life_max: i64) -> Self {
        let own = TrustedIssuer {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            algorithms: vec![Algorithm::EdDSA],
            keys: vec![(key.kid().to_owned(), DecodingKey::from_ed_der(key.public_bytes()))],
            subjects: SubjectRule::BuiltIn,
            life_max,
        };
        Self { trusted: vec![own], leeway, seen: SeenTokens::default() }
    }

    /// Adds a trusted issuer.
    #[must_use]
    pub fn with(mut self, issuer: TrustedIssuer) -> Self {
        self.trusted.push(issuer);
        self.seen = SeenTokens::default();
        self
    }

    /// The caller behind a token.
    ///
    /// # Errors
    /// The reason, for the log; a caller only learns that the token is not valid.
    pub fn verify(&self, token: &str, now: Instant) -> Result<Caller, &'static str> {
        let digest = TokenDigest::of(token);
        let (seen, known) = match self.seen.get(digest) {
            Some(seen) => (seen, true),
            None => (self.signed(token)?, false),
        };
        let issuer = self.trusted.get(seen.issuer).ok_or("an unknown issuer")?;
        expect_claims(&seen.claims, &self.expectation(issuer), now)?;
        if !known {
            self.seen.keep(digest, seen.clone(), now.utc().timestamp());
        }
        issuer.subjects.caller(&seen.claims.sub).ok_or("an unknown kind of subject")
    }

    fn expectation<'a>(&self, issuer: &'a TrustedIssuer) -> Expectation<'a> {
        Expectation {
            issuer: &issuer.issuer,
            audience: &issuer.audience,
            algorithms: &issuer.algorithms,
            leeway: self.leeway,
            life_max: issuer.life_max,
        }
    }

    fn signed(&self, token: &str) -> Result<Seen, &'static str> {
        let (kid, algorithm) = key_name(token)?;
        let named = |issuer: &TrustedIssuer| issuer.keys.iter().find(|(name, _)| *name == kid).map(|(_, key)| key.clone());
        let (place, issuer, key) = self
            .trusted
            .iter()
            .enumerate()
            .find_map(|(place, issuer)| named(issuer).map(|key| (place, issuer, key)))
            .ok_or("an unknown key")?;
        if !issuer.algorithms.contains(&algorithm) {
            return Err("an algorithm that the issuer does not use");
        }
        let claims = signed_claims(token, &key, &issuer.algorithms)?;
        Ok(Seen { issuer: place, claims: Arc::new(claims) })
    }
}
