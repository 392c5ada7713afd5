//! A machine proves who it is by a short token that it signs itself (`private_key_jwt`, RFC 7523).

use lahete_domain::ids::ApiClientId;
use lahete_domain::time::Instant;
use lahete_domain::user::{ApiClientKey, KeyAlgorithm};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::key_set::{library_algorithm, parse_key};
use super::token::{Audience, Head, head_of, signed_claims};

/// The one `client_assertion_type` that is taken.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The longest life of an assertion, in seconds.
pub const LIFE_MAX: i64 = 60;

/// The longest `jti`.
const JTI_MAX: usize = 255;

/// What an assertion says.
#[derive(Clone, Deserialize)]
struct AssertionClaims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    jti: String,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    nbf: Option<i64>,
}

/// An assertion with a good signature, which opens once.
#[derive(Debug)]
pub struct Assertion {
    /// By what it is known again.
    pub jti_sha256: [u8; 32],
    /// When it has ended by itself, with the leeway, in seconds.
    pub until: i64,
}

/// The machine that an assertion says it is from, before anything of it is to be believed.
///
/// # Errors
/// The reason, for the log.
pub fn issuer_of(assertion: &str) -> Result<(Head, String), &'static str> {
    let head = head_of(assertion)?;
    let fits = head.kind.as_deref().is_none_or(|kind| {
        ["jwt", "client-authentication+jwt", "application/client-authentication+jwt"].iter().any(|one| kind.eq_ignore_ascii_case(one))
    });
    if !fits {
        return Err("a token of another type");
    }
    let issuer = head.issuer.clone();
    Ok((head, issuer))
}

/// Checks an assertion against the keys of its machine. `audiences` are the addresses by which this server is meant.
///
/// # Errors
/// The reason, for the log.
pub fn check(
    assertion: &str,
    head: &Head,
    machine: ApiClientId,
    keys: &[ApiClientKey],
    audiences: &[String],
    leeway: i64,
    now: Instant,
) -> Result<Assertion, &'static str> {
    let usable = keys.iter().filter(|key| {
        key.expires_at.is_none_or(|end| now < end)
            && library_algorithm(key.algorithm) == head.algorithm
            && head.key.as_ref().is_none_or(|name| *name == key.name)
    });
    let mut claims: Option<AssertionClaims> = None;
    for key in usable {
        let jwk: Value = serde_json::from_str(&key.jwk).map_err(|_| "a stored key that is none")?;
        let trusted = parse_key(&jwk, &[key.algorithm])?;
        if let Ok(read) = signed_claims::<AssertionClaims>(assertion, &trusted.key, head.algorithm) {
            claims = Some(read);
            break;
        }
    }
    let claims = claims.ok_or("no key that it is signed with")?;
    let own = machine.to_string();
    if claims.iss != own || claims.sub != own {
        return Err("not about the machine itself");
    }
    if !audiences.iter().any(|audience| claims.aud.names(audience)) || matches!(&claims.aud, Audience::Many(all) if all.len() != 1) {
        return Err("meant for another");
    }
    if claims.jti.is_empty() || claims.jti.len() > JTI_MAX {
        return Err("no jti, or too long a one");
    }
    let seconds = now.utc().timestamp();
    let latest = seconds.saturating_add(leeway);
    if claims.exp <= seconds.saturating_sub(leeway) {
        return Err("expired");
    }
    if claims.exp > latest.saturating_add(LIFE_MAX) || claims.iat.is_some_and(|iat| claims.exp.saturating_sub(iat) > LIFE_MAX) {
        return Err("a life that is too long");
    }
    if claims.iat.is_some_and(|iat| iat > latest) || claims.nbf.is_some_and(|nbf| nbf > latest) {
        return Err("not valid yet");
    }
    Ok(Assertion { jti_sha256: Sha256::digest(claims.jti.as_bytes()).into(), until: claims.exp.saturating_add(leeway) })
}

/// The algorithm that a new key is for: what its `alg` says, or the only one that its kind allows.
#[must_use]
pub fn algorithm_of(jwk: &Value) -> Option<KeyAlgorithm> {
    match jwk.get("alg").and_then(Value::as_str) {
        Some("Ed25519") => Some(KeyAlgorithm::EdDsa),
        Some(name) => KeyAlgorithm::parse(name),
        None => match jwk.get("kty").and_then(Value::as_str) {
            Some("EC") => Some(KeyAlgorithm::Es256),
            Some("OKP") => Some(KeyAlgorithm::EdDsa),
            Some("RSA") => Some(KeyAlgorithm::Ps256),
            _ => None,
        },
    }
}
