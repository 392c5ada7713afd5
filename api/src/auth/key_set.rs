//! The public keys of others (RFC 7517): read strictly, one by one, so that a key of a kind that we do not know spoils none beside it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use lahete_domain::user::KeyAlgorithm;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Most keys of one set.
const KEYS_MAX: usize = 100;

/// The longest name of a key.
pub const KEY_NAME_MAX: usize = 200;

/// The smallest and the largest modulus of RSA, in bytes.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// The algorithm in the words of the library.
#[must_use]
pub fn library_algorithm(algorithm: KeyAlgorithm) -> Algorithm {
    match algorithm {
        KeyAlgorithm::Es256 => Algorithm::ES256,
        KeyAlgorithm::EdDsa => Algorithm::EdDSA,
        KeyAlgorithm::Rs256 => Algorithm::RS256,
        KeyAlgorithm::Ps256 => Algorithm::PS256,
    }
}

/// A public key that signatures are checked with.
#[derive(Clone)]
pub struct TrustedKey {
    /// Its name; a set may hold one without, which then nobody can ask for.
    pub name: Option<String>,
    /// What it may be used with, among the allowed ones.
    pub algorithms: Vec<Algorithm>,
    /// The key.
    pub key: DecodingKey,
    /// Digest of the key itself: two keys of one name are two keys.
    pub digest: [u8; 32],
}

impl std::fmt::Debug for TrustedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TrustedKey({:?})", self.name)
    }
}

impl PartialEq for TrustedKey {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.digest == other.digest && self.algorithms == other.algorithms
    }
}

/// Reads one key for some algorithms.
///
/// # Errors
/// Why it cannot be used; nothing of the key itself.
pub fn parse_key(jwk: &Value, allowed: &[KeyAlgorithm]) -> Result<TrustedKey, &'static str> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        if jwk.get(private).is_some() {
            return Err("it holds a secret");
        }
    }
    if jwk.get("use").is_some_and(|usage| usage != "sig") {
        return Err("it is not for signatures");
    }
    if jwk.get("key_ops").is_some_and(|uses| !uses.as_array().is_some_and(|uses| uses.iter().any(|one| one == "verify"))) {
        return Err("it is not for checking signatures");
    }
    let name = match jwk.get("kid") {
        None => None,
        Some(Value::String(name)) if !name.is_empty() && name.len() <= KEY_NAME_MAX => Some(name.clone()),
        Some(_) => return Err("its name is empty, too long or no text"),
    };
    let bytes = |name: &str| text(name).and_then(|value| URL_SAFE_NO_PAD.decode(value).ok()).ok_or("a member is missing or no base64url");
    let wrong = |_| "the key cannot be read";
    let (fitting, key, material): (&[KeyAlgorithm], DecodingKey, Vec<u8>) = match (text("kty"), text("crv")) {
        (Some("RSA"), _) => {
            let (n, e) = (bytes("n")?, bytes("e")?);
            let start = n.iter().position(|byte| *byte != 0).unwrap_or(n.len());
            let modulus = n.get(start..).unwrap_or_default();
            if !RSA_BYTES.contains(&modulus.len())
                || modulus.first().is_some_and(|first| modulus.len() == *RSA_BYTES.start() && *first < 0x80)
            {
                return Err("an RSA key has 2048 to 8192 bits");
            }
            (&[KeyAlgorithm::Rs256, KeyAlgorithm::Ps256], DecodingKey::from_rsa_raw_components(modulus, &e), [modulus, &e].concat())
        }
        (Some("EC"), Some("P-256")) => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            if x.len() != 32 || y.len() != 32 {
                return Err("a coordinate has not 32 bytes");
            }
            let key = DecodingKey::from_ec_components(text("x").unwrap_or_default(), text("y").unwrap_or_default()).map_err(wrong)?;
            (&[KeyAlgorithm::Es256], key, [x, y].concat())
        }
        (Some("OKP"), Some("Ed25519")) => {
            let x = bytes("x")?;
            if x.len() != 32 {
                return Err("the key has not 32 bytes");
            }
            (&[KeyAlgorithm::EdDsa], DecodingKey::from_ed_der(&x), x)
        }
        _ => return Err("a kind of key that is not taken"),
    };
    let said = match jwk.get("alg") {
        None => None,
        // RFC 9864 gives the one curve that we take a name of its own.
        Some(Value::String(name)) if name == "Ed25519" => Some(KeyAlgorithm::EdDsa),
        Some(Value::String(name)) => Some(KeyAlgorithm::parse(name).ok_or("an algorithm that is not taken")?),
        Some(_) => return Err("its algorithm is no text"),
    };
    let algorithms: Vec<_> = fitting
        .iter()
        .filter(|one| allowed.contains(one) && said.is_none_or(|said| said == **one))
        .map(|one| library_algorithm(*one))
        .collect();
    if algorithms.is_empty() {
        return Err("not for an algorithm of this issuer");
    }
    Ok(TrustedKey { name, algorithms, key, digest: Sha256::digest(&material).into() })
}

/// Reads a set. What cannot be used is left out; of two keys of one name the first counts.
///
/// # Errors
/// When it is no set, or holds no key that can be used.
pub fn parse_set(set: &Value, allowed: &[KeyAlgorithm]) -> Result<Vec<TrustedKey>, &'static str> {
    let listed = set.get("keys").and_then(Value::as_array).ok_or("no key set")?;
    if listed.len() > KEYS_MAX {
        return Err("too many keys");
    }
    let mut keys: Vec<TrustedKey> = Vec::new();
    for jwk in listed {
        match parse_key(jwk, allowed) {
            Ok(key) if keys.iter().any(|other| other.name == key.name) => {
                log::warn!("a key set names two keys alike: the first one counts")
            }
            Ok(key) => keys.push(key),
            Err(reason) => log::debug!("a key was left out: {reason}"),
        }
    }
    if keys.is_empty() { Err("no key that can be used") } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::keys::SigningKey;
    use serde_json::json;

    fn ed() -> Value {
        serde_json::to_value(SigningKey::generate().expect("a key").public()).expect("JSON")
    }

    #[test]
    fn a_key_of_another_kind_spoils_none_beside_it() {
        let mut encryption = ed();
        encryption["use"] = json!("enc");
        let set = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}, {"kty": "EC", "crv": "P-521"}, 7, encryption, ed()]});
        assert_eq!(parse_set(&set, &[KeyAlgorithm::EdDsa]).map(|keys| keys.len()), Ok(1));
        assert!(parse_set(&set, &[KeyAlgorithm::Es256]).is_err());
        assert!(parse_set(&json!({"keys": []}), &[KeyAlgorithm::EdDsa]).is_err());
        assert!(parse_set(&json!([]), &[KeyAlgorithm::EdDsa]).is_err());
    }

    #[test]
    fn a_key_is_read_strictly() {
        let with = |name: &str, value: Value| {
            let mut key = ed();
            key[name] = value;
            parse_key(&key, KeyAlgorithm::ALL)
        };
        assert!(with("kid", json!("k")).is_ok() && with("alg", json!("Ed25519")).is_ok() && with("key_ops", json!(["verify"])).is_ok());
        for (name, bad) in [
            ("d", json!("AAAA")),
            ("kid", json!("")),
            ("kid", json!(1)),
            ("kid", json!("x".repeat(KEY_NAME_MAX + 1))),
            ("use", json!("enc")),
            ("key_ops", json!(["sign"])),
            ("alg", json!("HS256")),
            ("alg", json!("ES256")),
            ("alg", json!(1)),
            ("x", json!("AAAA")),
            ("x", json!("A+/=")),
            ("crv", json!("X25519")),
            ("kty", json!("oct")),
        ] {
            assert!(with(name, bad.clone()).is_err(), "{name} = {bad}");
        }
        let rsa = |bytes: usize, first: u8| {
            let mut n = vec![0xa5; bytes];
            n[0] = first;
            parse_key(&json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(n), "e": "AQAB"}), KeyAlgorithm::ALL)
                .map(|key| key.algorithms.len())
        };
        assert_eq!(rsa(256, 0x80), Ok(2));
        assert!(rsa(256, 0x7f).is_err() && rsa(128, 0xff).is_err() && rsa(1025, 0xff).is_err(), "too small or too large");
        assert!(rsa(257, 0).is_ok(), "a zero in front does not count");
    }
}
