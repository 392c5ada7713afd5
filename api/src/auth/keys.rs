//! Keys from files: the one that signs tokens and the master key of the data.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use secrecy::{ExposeSecret as _, SecretSlice};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// Length of the master key.
pub const DATA_KEY_LENGTH: usize = 32;

/// Why a key cannot be used. The key itself is never named.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no such file, and outside demo mode none is made.
    #[error("the key file {0} does not exist; keys are made by themselves in demo mode alone")]
    Missing(String),
    /// The file cannot be read or written.
    #[error("the key file {path}: {reason}")]
    File {
        /// Which file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Everybody on the machine can read it.
    #[error("the key file {0} can be read by every user of this machine: take that right away (chmod 600)")]
    Exposed(String),
    /// The content is no such key.
    #[error("the key file {path} does not hold {wanted}")]
    Content {
        /// Which file.
        path: String,
        /// What should be in it.
        wanted: &'static str,
    },
    /// The system gave no randomness, or the library refused to make a key.
    #[error("a key could not be made")]
    Making,
}

/// The key that signs our tokens.
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    encoding: EncodingKey,
    public: Vec<u8>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

/// The public half of a signing key (RFC 8037).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PublicKey {
    /// Key type, `OKP`.
    pub kty: &'static str,
    /// Curve, `Ed25519`.
    pub crv: &'static str,
    /// The key, base64url.
    pub x: String,
    /// Its name: the thumbprint of RFC 7638.
    pub kid: String,
    /// What it is for, `sig`.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// The algorithm, `EdDSA`.
    pub alg: &'static str,
}

impl SigningKey {
    fn from_pair(pair: &Ed25519KeyPair) -> Result<Self, KeyError> {
        let public = pair.public_key().as_ref().to_vec();
        let x = URL_SAFE_NO_PAD.encode(&public);
        // The members in the order that RFC 7638 asks for.
        let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
        let der = pair.to_pkcs8().map_err(|_| KeyError::Making)?;
        Ok(Self { kid: URL_SAFE_NO_PAD.encode(thumbprint), encoding: EncodingKey::from_ed_der(der.as_ref()), public })
    }

    /// A new key that is kept nowhere.
    ///
    /// # Errors
    /// [`KeyError::Making`].
    pub fn generate() -> Result<Self, KeyError> {
        Self::from_pair(&Ed25519KeyPair::generate().map_err(|_| KeyError::Making)?)
    }

    /// Reads a PKCS #8 key in PEM; makes one when there is none and that is allowed.
    ///
    /// # Errors
    /// As [`KeyError`] says.
    pub fn load(path: &Path, may_make: bool) -> Result<Self, KeyError> {
        let make = || {
            let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::Making)?;
            let der = pair.to_pkcs8v1().map_err(|_| KeyError::Making)?;
            Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref())))
        };
        let pem = load_or_make(path, may_make, make)?;
        let wrong = || KeyError::Content { path: path.display().to_string(), wanted: "an Ed25519 key (PKCS #8, PEM)" };
        let text = std::str::from_utf8(pem.expose_secret()).map_err(|_| wrong())?;
        let base64: String = text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
        let der = SecretSlice::from(STANDARD.decode(base64).map_err(|_| wrong())?);
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.expose_secret()).map_err(|_| wrong())?;
        Self::from_pair(&pair)
    }

    /// Its name in token headers.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// For signing.
    #[must_use]
    pub fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    /// The raw public key.
    #[must_use]
    pub fn public_bytes(&self) -> &[u8] {
        &self.public
    }

    /// The public half, as others read it.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey { kty: "OKP", crv: "Ed25519", x: URL_SAFE_NO_PAD.encode(&self.public), kid: self.kid.clone(), usage: "sig", alg: "EdDSA" }
    }

    /// The key set with this one key.
    #[must_use]
    pub fn key_set(&self) -> serde_json::Value {
        json!({ "keys": [self.public()] })
    }
}

/// Reads the 32-byte master key of the data, in base64; makes one when there is none and that is allowed.
///
/// # Errors
/// As [`KeyError`] says.
pub fn load_data_key(path: &Path, may_make: bool) -> Result<SecretSlice<u8>, KeyError> {
    let make = || {
        let mut key = [0_u8; DATA_KEY_LENGTH];
        getrandom::fill(&mut key).map_err(|_| KeyError::Making)?;
        Ok(STANDARD.encode(key) + "\n")
    };
    let text = load_or_make(path, may_make, make)?;
    let wrong = || KeyError::Content { path: path.display().to_string(), wanted: "32 bytes in base64" };
    let text = std::str::from_utf8(text.expose_secret()).map_err(|_| wrong())?;
    let key = STANDARD.decode(text.trim()).map_err(|_| wrong())?;
    if key.len() == DATA_KEY_LENGTH { Ok(SecretSlice::from(key)) } else { Err(wrong()) }
}

fn load_or_make(path: &Path, may_make: bool, make: impl FnOnce() -> Result<String, KeyError>) -> Result<SecretSlice<u8>, KeyError> {
    let name = || path.display().to_string();
    let fault = |error: std::io::Error| KeyError::File { path: name(), reason: error.to_string() };
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.permissions().mode() & 0o007 != 0 => return Err(KeyError::Exposed(name())),
        Ok(_) => return std::fs::read(path).map(SecretSlice::from).map_err(fault),
        Err(error) if error.kind() == ErrorKind::NotFound && may_make => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(KeyError::Missing(name())),
        Err(error) => return Err(fault(error)),
    }
    let content = make()?;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::os::unix::fs::DirBuilderExt::mode(std::fs::DirBuilder::new().recursive(true), 0o700).create(parent).map_err(fault)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(fault)?;
    file.write_all(content.as_bytes()).and_then(|()| file.sync_all()).map_err(fault)?;
    log::warn!("made a new key: {}", name());
    Ok(SecretSlice::from(content.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_only_when_allowed() {
        let folder = std::env::temp_dir().join(format!("lahete-keys-{}", std::process::id()));
        let (signing, data) = (folder.join("signing-key.pem"), folder.join("data-key"));
        assert!(matches!(SigningKey::load(&signing, false), Err(KeyError::Missing(_))));
        let first = SigningKey::load(&signing, true).expect("made");
        let second = SigningKey::load(&signing, false).expect("read");
        assert_eq!(first.public(), second.public());
        let key = load_data_key(&data, true).expect("made");
        assert_eq!(key.expose_secret(), load_data_key(&data, false).expect("read").expose_secret());
        assert_eq!(std::fs::metadata(&data).expect("there").permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o644)).expect("changed");
        assert!(matches!(load_data_key(&data, true), Err(KeyError::Exposed(_))));
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
