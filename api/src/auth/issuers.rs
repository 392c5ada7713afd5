//! Whose tokens are trusted. One issuer is built in; others stand beside it in the same list, each with its own keys and its own reading of `sub`.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey};
use lahete_domain::actor::Caller;
use lahete_domain::time::Instant;
use sha2::{Digest as _, Sha256};

use super::issuer_settings::{CallerKind, IssuerSettings};
use super::key_cache::{Found, KeyCache};
use super::key_set::library_algorithm;
use super::key_source::KeySource;
use super::keys::SigningKey;
use super::revocations::token_mark;
use super::seen_tokens::{Seen, SeenTokens, TokenDigest};
use super::token::{Claims, Expectation, TOKEN_TYPE, caller_of, claim_of, expect_claims, head_of, signed_claims};

/// How an issuer names the callers that we know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SubjectRule {
    /// `user:<id>` or `client:<id>`: our own.
    BuiltIn,
    /// A name of its own, linked with an account here.
    Linked(Linked),
}

/// How the names of another issuer are read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linked {
    /// Who may call.
    pub callers: Vec<CallerKind>,
    /// The claim with the personal identity code of a client.
    pub identity_code_claim: Option<String>,
    /// Where a person who is nobody's client yet may write for themself.
    pub home_programme: Option<uuid::Uuid>,
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
    /// The `typ` of its access tokens.
    pub token_types: Vec<String>,
    /// Its keys.
    pub keys: Arc<KeyCache>,
    /// The reading of `sub`.
    pub subjects: SubjectRule,
    /// One of these must stand in `acr`; anything may when there are none.
    pub acr: Vec<String>,
    /// The longest life of a token in seconds.
    pub life_max: i64,
}

impl TrustedIssuer {
    /// The issuer that the settings name.
    ///
    /// # Errors
    /// When its source of keys cannot be set up.
    pub fn of(settings: &IssuerSettings, audience: &str, demo: bool) -> Result<Self, String> {
        let algorithms = settings.algorithms();
        Ok(Self {
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone().unwrap_or_else(|| audience.to_owned()),
            algorithms: algorithms.iter().map(|one| library_algorithm(*one)).collect(),
            token_types: settings.token_types.clone(),
            keys: Arc::new(KeyCache::new(KeySource::of(settings, demo)?, algorithms, settings.cool_down_seconds)),
            subjects: SubjectRule::Linked(Linked {
                callers: settings.callers.clone(),
                identity_code_claim: settings.identity_code_claim.clone(),
                home_programme: settings.home_programme,
            }),
            acr: settings.acr.clone(),
            life_max: settings.token_minutes * 60,
        })
    }
}

/// A token that was found good.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The place of its issuer among the trusted ones.
    pub issuer: usize,
    /// Its claims.
    pub claims: Arc<Claims>,
    /// By what the token can be ended.
    pub mark: [u8; 32],
    /// Whom it was found to belong to, and when, in seconds.
    pub caller: Option<(Caller, i64)>,
    /// Whether it is time to read the issuer's keys anew, beside the call.
    pub ahead: bool,
    digest: TokenDigest,
}

/// What can be said of a token at once.
#[derive(Debug)]
pub enum Checked {
    /// It is good.
    Good(Verified),
    /// The keys of its issuer must be read first.
    Wait {
        /// The place of the issuer.
        issuer: usize,
        /// The name of the key.
        key: String,
    },
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

/// The place of our own issuer.
pub const OWN: usize = 0;

impl Issuers {
    /// Our own issuer alone.
    #[must_use]
    pub fn built_in(issuer: &str, audience: &str, key: &SigningKey, leeway: i64, life_max: i64) -> Self {
        let digest = Sha256::digest(key.public_bytes()).into();
        let own = TrustedIssuer {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            algorithms: vec![Algorithm::EdDSA],
            token_types: vec![TOKEN_TYPE.to_owned()],
            keys: Arc::new(KeyCache::fixed(key.kid(), DecodingKey::from_ed_der(key.public_bytes()), digest)),
            subjects: SubjectRule::BuiltIn,
            acr: Vec::new(),
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

    /// One of them.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&TrustedIssuer> {
        self.trusted.get(place)
    }

    /// How far the clocks may differ, in seconds.
    #[must_use]
    pub fn leeway(&self) -> i64 {
        self.leeway
    }

    /// The longest life of a token of any of them, in seconds.
    #[must_use]
    pub fn life_max(&self) -> i64 {
        self.trusted.iter().map(|issuer| issuer.life_max).max().unwrap_or_default()
    }

    /// Checks a token with what is known now.
    ///
    /// # Errors
    /// The reason, for the log; a caller only learns that the token is not valid.
    pub fn check(&self, token: &str, now: Instant) -> Result<Checked, &'static str> {
        let digest = TokenDigest::of(token);
        let seconds = now.utc().timestamp();
        let (seen, known, ahead) = match self.seen.get(digest) {
            Some(seen) => {
                let issuer = self.trusted.get(seen.issuer).ok_or("an unknown issuer")?;
                match issuer.keys.holds(&seen.key, seconds) {
                    Found::Key { ahead, .. } => (seen, true, ahead),
                    Found::Unknown => return Err("a key that is trusted no more"),
                    Found::Wait => {
                        return Ok(Checked::Wait { issuer: seen.issuer, key: seen.key.name.clone().unwrap_or_default() });
                    }
                }
            }
            None => match self.signed(token, seconds)? {
                Signed::Good { seen, ahead } => (seen, false, ahead),
                Signed::Wait { issuer, key } => return Ok(Checked::Wait { issuer, key }),
            },
        };
        let issuer = self.trusted.get(seen.issuer).ok_or("an unknown issuer")?;
        expect_claims(&seen.claims, &self.expectation(issuer), now)?;
        if !known {
            self.seen.keep(digest, seen.clone(), seconds);
        }
        Ok(Checked::Good(Verified { issuer: seen.issuer, claims: seen.claims, mark: seen.mark, caller: seen.caller, ahead, digest }))
    }

    /// Checks a token, waiting for the keys of its issuer when need be.
    ///
    /// # Errors
    /// As [`Issuers::check`].
    pub async fn verify(&self, token: &str, now: Instant) -> Result<Verified, &'static str> {
        // Twice: a key may be replaced by another of its name while we wait.
        for _ in 0..2 {
            match self.check(token, now)? {
                Checked::Good(verified) => return Ok(verified),
                Checked::Wait { issuer, key } => {
                    let keys = &self.trusted.get(issuer).ok_or("an unknown issuer")?.keys;
                    keys.refresh(Some(&key), now.utc().timestamp()).await;
                }
            }
        }
        Err("the keys of the issuer cannot be read")
    }

    /// The caller behind a token of our own.
    ///
    /// # Errors
    /// The reason, for the log.
    pub fn verify_own(&self, token: &str, now: Instant) -> Result<Caller, &'static str> {
        match self.check(token, now)? {
            Checked::Good(verified) if verified.issuer == OWN => caller_of(&verified.claims.sub).ok_or("an unknown kind of subject"),
            _ => Err("another issuer's token"),
        }
    }

    /// Remembers whom a token belongs to; `now` in seconds.
    pub fn remember(&self, verified: &Verified, caller: Caller, now: i64) {
        self.seen.settle(verified.digest, caller, now);
    }

    /// Forgets whom the tokens of other issuers belong to: a link has changed.
    pub fn forget_callers(&self) {
        self.seen.unsettle();
    }

    fn expectation<'a>(&self, issuer: &'a TrustedIssuer) -> Expectation<'a> {
        Expectation { issuer: &issuer.issuer, audience: &issuer.audience, leeway: self.leeway, life_max: issuer.life_max }
    }

    /// The issuer is the one that the token names, and its key is looked for among the keys of that one alone: no issuer can sign for another.
    fn signed(&self, token: &str, now: i64) -> Result<Signed, &'static str> {
        let head = head_of(token)?;
        let (place, issuer) =
            self.trusted.iter().enumerate().find(|(_, issuer)| issuer.issuer == head.issuer).ok_or("an unknown issuer")?;
        if !head.is_one_of(&issuer.token_types) {
            return Err("not an access token");
        }
        if !issuer.algorithms.contains(&head.algorithm) {
            return Err("an algorithm that the issuer does not use");
        }
        let name = head.key.filter(|name| !name.is_empty()).ok_or("no key name")?;
        let (key, ahead) = match issuer.keys.find(&name, now) {
            Found::Key { key, ahead } => (key, ahead),
            Found::Wait => return Ok(Signed::Wait { issuer: place, key: name }),
            Found::Unknown => return Err("an unknown key"),
        };
        if !key.algorithms.contains(&head.algorithm) {
            return Err("an algorithm that the key is not for");
        }
        let claims: Claims = signed_claims(token, &key.key, head.algorithm)?;
        if !issuer.acr.is_empty() && !claim_of(token, "acr").is_some_and(|acr| issuer.acr.iter().any(|one| acr == one.as_str())) {
            return Err("a sign-in that is not strong enough");
        }
        let mark = token_mark(&claims.iss, &claims.jti);
        // Our own names need no look into the database.
        let caller = match issuer.subjects {
            SubjectRule::BuiltIn => Some((caller_of(&claims.sub).ok_or("an unknown kind of subject")?, i64::MAX)),
            SubjectRule::Linked(_) => None,
        };
        Ok(Signed::Good { seen: Seen { issuer: place, claims: Arc::new(claims), key, mark, caller }, ahead })
    }
}

enum Signed {
    Good { seen: Seen, ahead: bool },
    Wait { issuer: usize, key: String },
}
