//! Tokens of issuers that a test makes up, good ones and every kind of bad one: header, claims and signature are whatever the test says.

use std::path::PathBuf;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

enum Pair {
    Es(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// A key with which anything can be signed.
pub struct Forge {
    pub kid: String,
    pair: Pair,
}

pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Forge {
    pub fn es(kid: &str) -> Self {
        Self { kid: kid.to_owned(), pair: Pair::Es(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()) }
    }

    pub fn rsa(kid: &str) -> Self {
        Self { kid: kid.to_owned(), pair: Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()) }
    }

    /// The public key as bytes: an uncompressed point, or a `RSAPublicKey`.
    pub fn public(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Es(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Rsa(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// The public key as a JWK.
    pub fn jwk(&self) -> Value {
        let public = self.public();
        match &self.pair {
            Pair::Es(_) => json!({
                "kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig", "x": encoded(&public[1..33]), "y": encoded(&public[33..65])
            }),
            // SEQUENCE, INTEGER of 257 bytes with a zero in front, INTEGER 65537.
            Pair::Rsa(_) => {
                assert_eq!((public[0], public.len()), (0x30, 270));
                json!({"kty": "RSA", "kid": self.kid, "use": "sig", "n": encoded(&public[9..265]), "e": "AQAB"})
            }
        }
    }

    /// A signature by the key's own algorithm; `PS256` asks for the other one of RSA.
    pub fn signature(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Es(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let padding: &'static dyn aws_lc_rs::signature::RsaEncoding =
                    if algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// Signs two texts, whatever they are.
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let algorithm = serde_json::from_str::<Value>(header).ok().and_then(|header| Some(header["alg"].as_str()?.to_owned()));
        let message = format!("{}.{}", encoded(header), encoded(claims));
        let signature = self.signature(&algorithm.unwrap_or_default(), message.as_bytes());
        format!("{message}.{}", encoded(signature))
    }

    /// A token with a header and claims.
    pub fn token(&self, header: &Value, claims: &Value) -> String {
        self.sign(&header.to_string(), &claims.to_string())
    }
}

/// A key-set file, which goes away with its test.
pub struct KeyFile(PathBuf);

impl KeyFile {
    pub fn of(name: &str, keys: &[&Forge]) -> Self {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let file = Self(std::env::temp_dir().join(format!("lahete-keys-{name}-{}-{number}.json", std::process::id())));
        file.publish(keys);
        file
    }

    pub fn publish(&self, keys: &[&Forge]) {
        let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        std::fs::write(&self.0, json!({"keys": keys}).to_string()).unwrap();
    }

    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
