//! Access tokens (RFC 9068): what is in ours, and the strict reading of any.
//!
//! The library checks the signature alone. Its own claim checks let a token through that lacks the claim, and look at the machine's clock; so every
//! claim is checked here, against the clock that the program is given.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use lahete_domain::actor::Caller;
use lahete_domain::ids::{ApiClientId, Id as _, UserId};
use lahete_domain::time::Instant;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::keys::SigningKey;
use crate::http::extract::valid_json::unambiguous;

/// The `typ` of an access token.
pub const TOKEN_TYPE: &str = "at+jwt";

/// Longer ones are refused unread.
const TOKEN_MAX: usize = 4096;

/// The claims of an access token. All are required.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// Who is calling: `user:<id>` or `client:<id>`.
    pub sub: String,
    /// For whom it is meant.
    pub aud: Audience,
    /// The program that asked for it.
    pub client_id: String,
    /// When it was issued, in seconds.
    pub iat: i64,
    /// When it ends, in seconds.
    pub exp: i64,
    /// Not before, in seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nbf: Option<i64>,
    /// Its own id.
    pub jti: String,
}

/// One audience or several.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Audience {
    /// Whether it names somebody, letter by letter.
    #[must_use]
    pub fn names(&self, wanted: &str) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::Many(many) => many.iter().any(|one| one == wanted),
        }
    }
}

/// What a token of one issuer must be like.
#[derive(Clone, Debug)]
pub struct Expectation<'a> {
    /// `iss`, letter by letter.
    pub issuer: &'a str,
    /// `aud` must name it.
    pub audience: &'a str,
    /// How far the clocks may differ, in seconds.
    pub leeway: i64,
    /// The longest life, in seconds.
    pub life_max: i64,
}

/// Signs a token.
///
/// # Errors
/// When the library refuses the key.
pub fn sign(key: &SigningKey, claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
    let header = Header { typ: Some(TOKEN_TYPE.to_owned()), kid: Some(key.kid().to_owned()), ..Header::new(Algorithm::EdDSA) };
    jsonwebtoken::encode(&header, claims, key.encoding())
}

/// What a token says of itself before anything of it is to be believed: which issuer and which key to check it with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// `kid`.
    pub key: Option<String>,
    /// `alg`.
    pub algorithm: Algorithm,
    /// `typ`.
    pub kind: Option<String>,
    /// `iss`.
    pub issuer: String,
}

impl Head {
    /// Whether the token is of one of some types, with or without `application/` in front (RFC 7515, 4.1.9).
    #[must_use]
    pub fn is_one_of(&self, types: &[String]) -> bool {
        let Some(kind) = self.kind.as_deref() else { return false };
        let (prefix, rest) = kind.split_at_checked("application/".len()).unwrap_or(("", kind));
        let short = if prefix.eq_ignore_ascii_case("application/") { rest } else { kind };
        types.iter().any(|one| one.eq_ignore_ascii_case(kind) || one.eq_ignore_ascii_case(short))
    }
}

/// One part of a token, read as JSON in which nothing stands twice.
fn part(token: &str, place: usize) -> Result<Value, &'static str> {
    let text = token.split('.').nth(place).ok_or("not three parts")?;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| "not base64url")?;
    unambiguous(&bytes)
}

/// A claim of a token whose signature was found good.
#[must_use]
pub fn claim_of(token: &str, name: &str) -> Option<Value> {
    part(token, 1).ok()?.as_object_mut()?.remove(name)
}

/// Reads a token's header and refuses what no token has that is taken here, before any signature is looked at.
///
/// # Errors
/// The reason, for the log.
pub fn head_of(token: &str) -> Result<Head, &'static str> {
    if token.len() > TOKEN_MAX {
        return Err("too long");
    }
    if token.split('.').count() != 3 {
        return Err("not three parts");
    }
    if part(token, 0)?.as_object().is_none_or(|members| members.contains_key("b64")) {
        return Err("a header that is not taken");
    }
    let issuer = match part(token, 1)?.get("iss") {
        Some(Value::String(issuer)) => issuer.clone(),
        _ => return Err("no issuer"),
    };
    let header = jsonwebtoken::decode_header(token).map_err(|_| "unreadable header")?;
    // Headers that bring a key along, or that change how the token is to be read.
    let foreign = header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some()
        || header.x5t.is_some()
        || header.x5t_s256.is_some()
        || header.crit.is_some()
        || header.enc.is_some()
        || header.zip.is_some();
    if foreign {
        return Err("a header that is not taken");
    }
    Ok(Head { key: header.kid, algorithm: header.alg, kind: header.typ, issuer })
}

/// Checks the signature and reads the claims, none of which is to be believed before [`expect_claims`].
///
/// # Errors
/// The reason, for the log.
pub fn signed_claims<T: DeserializeOwned + Clone>(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Result<T, &'static str> {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    Ok(jsonwebtoken::decode::<T>(token, key, &validation).map_err(|_| "wrong signature or claims")?.claims)
}

/// Checks every claim.
///
/// # Errors
/// The reason, for the log.
pub fn expect_claims(claims: &Claims, expected: &Expectation<'_>, now: Instant) -> Result<(), &'static str> {
    let now = now.utc().timestamp();
    if claims.iss != expected.issuer {
        return Err("another issuer");
    }
    if !claims.aud.names(expected.audience) {
        return Err("another audience");
    }
    if claims.sub.is_empty() || claims.client_id.is_empty() || claims.jti.is_empty() {
        return Err("an empty claim");
    }
    if claims.exp <= now.saturating_sub(expected.leeway) {
        return Err("expired");
    }
    let earliest = now.saturating_add(expected.leeway);
    if claims.iat > earliest || claims.nbf.is_some_and(|nbf| nbf > earliest) {
        return Err("not valid yet");
    }
    if claims.exp <= claims.iat || claims.exp.saturating_sub(claims.iat) > expected.life_max {
        return Err("a life that is too long");
    }
    Ok(())
}

/// The subject of a caller in our own tokens, and their name in the table of idempotency keys.
#[must_use]
pub fn subject_of(caller: Caller) -> String {
    match caller {
        Caller::User(id) => format!("user:{id}"),
        Caller::ApiClient(id) => format!("client:{id}"),
        Caller::Anonymous => "anonymous".to_owned(),
        Caller::Clock => "clock".to_owned(),
    }
}

/// The caller behind a subject of our own tokens.
#[must_use]
pub fn caller_of(subject: &str) -> Option<Caller> {
    let (kind, id) = subject.split_once(':')?;
    let id = if id.len() == 36 { Uuid::try_parse(id).ok()? } else { return None };
    match kind {
        "user" => Some(Caller::User(UserId::from_uuid(id))),
        "client" => Some(Caller::ApiClient(ApiClientId::from_uuid(id))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::issuers::Issuers;
    use jsonwebtoken::EncodingKey;
    use serde_json::json;
    use std::sync::LazyLock;

    const ISSUER: &str = "https://lahete.example";
    const AUDIENCE: &str = "lahete-api";
    const NOW: i64 = 1_800_000_000;
    const USER: &str = "user:01939a5c-7a10-7000-8000-000000000001";

    struct Bench {
        key: SigningKey,
        issuers: Issuers,
    }

    impl Bench {
        fn new() -> Self {
            let key = SigningKey::generate().expect("a key");
            Self { issuers: Issuers::built_in(ISSUER, AUDIENCE, &key, 5, 900), key }
        }

        fn verify(&self, token: &str) -> Result<Caller, &'static str> {
            self.issuers.verify_own(token, Instant::new(chrono::DateTime::from_timestamp(NOW, 0).expect("an instant")))
        }

        fn claims(&self) -> Value {
            json!({
                "iss": ISSUER, "sub": USER, "aud": AUDIENCE, "client_id": "demo", "iat": NOW, "exp": NOW + 900, "jti": "1"
            })
        }

        fn header(&self) -> Value {
            json!({"typ": "at+jwt", "alg": "EdDSA", "kid": self.key.kid()})
        }

        /// Signs whatever it is given, as an attacker who stole the key could not do better.
        fn token(&self, header: &str, claims: &str) -> String {
            let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
            let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), self.key.encoding(), Algorithm::EdDSA).expect("signed");
            format!("{signed}.{signature}")
        }

        fn with_claim(&self, name: &str, value: Value) -> String {
            let mut claims = self.claims();
            claims[name] = value;
            self.token(&self.header().to_string(), &claims.to_string())
        }

        fn with_header(&self, name: &str, value: Value) -> String {
            let mut header = self.header();
            header[name] = value;
            self.token(&header.to_string(), &self.claims().to_string())
        }
    }

    #[test]
    fn a_good_token_names_its_caller() {
        let bench = Bench::new();
        let claims: Claims = serde_json::from_value(bench.claims()).expect("claims");
        let token = sign(&bench.key, &claims).expect("signed");
        assert_eq!(bench.verify(&token).map(subject_of).as_deref(), Ok(USER));
        assert!(bench.verify(&bench.with_claim("aud", json!(["x", AUDIENCE]))).is_ok());
        assert!(bench.verify(&bench.with_claim("iat", json!(NOW + 5))).is_ok(), "within the leeway");
        assert!(bench.verify(&bench.with_header("typ", json!("application/at+jwt"))).is_ok());
    }

    #[test]
    fn every_claim_is_required_and_of_its_type() {
        let bench = Bench::new();
        for name in ["iss", "sub", "aud", "client_id", "iat", "exp", "jti"] {
            let mut claims = bench.claims();
            claims.as_object_mut().expect("claims").remove(name);
            assert!(bench.verify(&bench.token(&bench.header().to_string(), &claims.to_string())).is_err(), "{name} left out");
            for bad in [json!(""), json!(null), json!({}), json!([]), json!(true)] {
                assert!(bench.verify(&bench.with_claim(name, bad.clone())).is_err(), "{name} = {bad}");
            }
        }
        for (name, bad) in [
            ("iss", json!("https://lahete.example/")),
            ("iss", json!("https://LAHETE.example")),
            ("iss", json!(1)),
            ("aud", json!("lahete")),
            ("aud", json!(["other"])),
            ("aud", json!(1)),
            ("sub", json!("01939a5c-7a10-7000-8000-000000000001")),
            ("sub", json!("clock:01939a5c-7a10-7000-8000-000000000001")),
            ("sub", json!("user:1")),
            ("sub", json!("user:{01939a5c-7a10-7000-8000-000000000001}")),
            ("sub", json!("anonymous")),
            ("iat", json!("1800000000")),
            ("iat", json!(NOW + 6)),
            ("exp", json!("1900000000")),
            ("exp", json!(1e300)),
            ("exp", json!(NOW - 5)),
            ("exp", json!(NOW - 3600)),
            ("exp", json!(NOW + 901)),
            ("exp", json!(i64::MAX)),
            ("exp", json!(-1)),
            ("nbf", json!(NOW + 6)),
            ("nbf", json!("0")),
        ] {
            assert!(bench.verify(&bench.with_claim(name, bad.clone())).is_err(), "{name} = {bad}");
        }
    }

    #[test]
    fn headers_that_bring_keys_along_are_refused() {
        let bench = Bench::new();
        let jwk = serde_json::to_value(bench.key.public()).expect("a key");
        for (name, bad) in [
            ("typ", json!("JWT")),
            ("typ", json!("dpop+jwt")),
            ("typ", json!("id+jwt")),
            ("typ", json!(null)),
            ("alg", json!("none")),
            ("alg", json!("NONE")),
            ("alg", json!("HS256")),
            ("alg", json!("ES256")),
            ("alg", json!("RS256")),
            ("alg", json!("")),
            ("alg", json!(null)),
            ("kid", json!("")),
            ("kid", json!("other")),
            ("kid", json!("../../../../dev/null")),
            ("kid", json!("' OR 1=1 --")),
            ("kid", json!(1)),
            ("kid", json!(null)),
            ("jku", json!("https://evil.example/jwks.json")),
            ("x5u", json!("https://evil.example/cert.pem")),
            ("x5c", json!(["MIIB"])),
            ("x5t", json!("abc")),
            ("x5t#S256", json!("abc")),
            ("jwk", jwk),
            ("crit", json!(["exp"])),
            ("zip", json!("DEF")),
            ("enc", json!("A256GCM")),
        ] {
            assert!(bench.verify(&bench.with_header(name, bad.clone())).is_err(), "{name} = {bad}");
        }
    }

    #[test]
    fn forged_signatures_are_refused() {
        let bench = Bench::new();
        let good = bench.token(&bench.header().to_string(), &bench.claims().to_string());
        let (signed, signature) = good.rsplit_once('.').expect("three parts");
        let other = SigningKey::generate().expect("a key");
        let foreign = jsonwebtoken::crypto::sign(signed.as_bytes(), other.encoding(), Algorithm::EdDSA).expect("signed");
        // The public key as a secret: the classic confusion of algorithms.
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(bench.key.kid().to_owned());
        let confused = jsonwebtoken::encode(&header, &bench.claims(), &EncodingKey::from_secret(bench.key.public_bytes())).expect("signed");
        let none = format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(json!({"typ": "at+jwt", "alg": "none", "kid": bench.key.kid()}).to_string()),
            URL_SAFE_NO_PAD.encode(bench.claims().to_string())
        );
        let admin = bench.claims().to_string().replace("000000000001", "000000000002");
        let swapped = format!("{}.{}.{signature}", signed.split('.').next().expect("a header"), URL_SAFE_NO_PAD.encode(admin));
        let doubled = bench.token(&bench.header().to_string(), &bench.claims().to_string().replacen('{', r#"{"sub":"user:x","#, 1));
        let doubled_elsewhere = bench.token(&bench.header().to_string(), &bench.claims().to_string().replacen('{', r#"{"x":1,"x":2,"#, 1));
        let doubled_header =
            bench.token(&bench.header().to_string().replacen('{', r#"{"cty":"a","cty":"b","#, 1), &bench.claims().to_string());
        for (what, token) in [
            ("empty", String::new()),
            ("dots", "..".to_owned()),
            ("no signature", format!("{signed}.")),
            ("two parts", signed.to_owned()),
            ("four parts", format!("{good}.x")),
            ("another key", format!("{signed}.{foreign}")),
            ("zeros", format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 64]))),
            ("cut", good.get(..good.len() - 4).expect("ASCII").to_owned()),
            ("padded", format!("{good}=")),
            ("blank in front", format!(" {good}")),
            ("confused", confused),
            ("none", none),
            ("claims swapped", swapped),
            ("a claim twice", doubled),
            ("a claim twice that we do not read", doubled_elsewhere),
            ("a header twice", doubled_header),
            ("8 kB", bench.with_claim("jti", json!("x".repeat(8000)))),
        ] {
            assert!(bench.verify(&token).is_err(), "{what}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_no_made_up_token_passes(text in "[A-Za-z0-9_-]{0,40}[.]?[A-Za-z0-9_-]{0,40}[.]?[A-Za-z0-9_-]{0,40}|\\PC{0,40}") {
            static BENCH: LazyLock<Bench> = LazyLock::new(Bench::new);
            proptest::prop_assert!(BENCH.verify(&text).is_err());
        }

        #[test]
        fn property_no_changed_character_passes(place: usize, letter in proptest::char::ranges(vec!['a'..='z', 'A'..='Z', '0'..='9', '-'..='.', '_'..='_'].into())) {
            static BENCH: LazyLock<(Bench, String)> = LazyLock::new(|| {
                let bench = Bench::new();
                let token = bench.token(&bench.header().to_string(), &bench.claims().to_string());
                (bench, token)
            });
            let (bench, token) = &*BENCH;
            let mut letters: Vec<char> = token.chars().collect();
            let place = place % letters.len();
            let changed = letters[place] != letter;
            letters[place] = letter;
            let taken = bench.verify(&letters.iter().collect::<String>()).is_ok();
            proptest::prop_assert!(taken != changed, "place {}", place);
        }

        #[test]
        fn property_a_subject_comes_back(id: u128, machine: bool, other in "(user:|client:)?\\PC{0,40}") {
            let id = Uuid::from_u128(id);
            let caller = if machine { Caller::ApiClient(ApiClientId::from_uuid(id)) } else { Caller::User(UserId::from_uuid(id)) };
            proptest::prop_assert_eq!(caller_of(&subject_of(caller)), Some(caller));
            if let Some(caller) = caller_of(&other) {
                proptest::prop_assert_eq!(subject_of(caller), other.to_ascii_lowercase());
            }
        }
    }
}
