//! Keys from files or from the environment: the one that signs tokens and the master keys of the data.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use lahete_persistence::MasterKey;
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
    #[error("{path} does not hold {wanted}")]
    Content {
        /// Which file or variable.
        path: String,
        /// What should be in it.
        wanted: &'static str,
    },
    /// Ids of data keys go up to 255.
    #[error("there is no id left for another data key")]
    NoIdLeft,
    /// The key that seals new values cannot be taken away.
    #[error("new values are sealed with the data key {0}: it stays")]
    LastKey(u8),
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
    pair: Arc<Ed25519KeyPair>,
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

/// The name of a public key: its thumbprint by RFC 7638, with the members in the order that it asks for.
pub(crate) fn key_name(public: &[u8]) -> String {
    let x = URL_SAFE_NO_PAD.encode(public);
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)))
}

impl SigningKey {
    fn from_pair(pair: Ed25519KeyPair) -> Result<Self, KeyError> {
        let public = pair.public_key().as_ref().to_vec();
        let der = pair.to_pkcs8().map_err(|_| KeyError::Making)?;
        Ok(Self { kid: key_name(&public), encoding: EncodingKey::from_ed_der(der.as_ref()), public, pair: Arc::new(pair) })
    }

    /// Signs bytes.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.pair.sign(bytes).as_ref().to_vec()
    }

    /// A new key that is kept nowhere.
    ///
    /// # Errors
    /// [`KeyError::Making`].
    pub fn generate() -> Result<Self, KeyError> {
        Self::from_pair(Ed25519KeyPair::generate().map_err(|_| KeyError::Making)?)
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
        Self::from_pair(pair)
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

/// Master keys of the data by their ids; the first one seals new values.
#[derive(Clone)]
pub struct DataKeys(Vec<MasterKey>);

impl std::fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DataKeys({:?})", self.ids())
    }
}

impl DataKeys {
    /// One key with the id 1, as there is at the beginning.
    #[must_use]
    pub fn single(master: &[u8]) -> Self {
        Self(vec![(1, SecretSlice::from(master.to_vec()))])
    }

    /// Reads keys from a text: `<id>:<32 bytes in base64>`, one a line or separated by commas, the one that seals first. A key without an id has
    /// the id 1. What follows a `#` is a comment.
    ///
    /// # Errors
    /// [`KeyError::Content`], which names `place` and no key.
    pub fn parse(text: &str, place: &str) -> Result<Self, KeyError> {
        let wrong =
            || KeyError::Content { path: place.to_owned(), wanted: "data keys, each an id from 1 to 255, a colon, and 32 bytes in base64" };
        let mut keys: Vec<MasterKey> = Vec::new();
        let entries = text.lines().map(|line| line.split('#').next().unwrap_or_default()).flat_map(|line| line.split(','));
        for entry in entries.map(str::trim).filter(|entry| !entry.is_empty()) {
            let (id, key) = entry.split_once(':').unwrap_or(("1", entry));
            let id: u8 = id.trim().parse().map_err(|_| wrong())?;
            let key = SecretSlice::from(STANDARD.decode(key.trim()).map_err(|_| wrong())?);
            if id == 0 || key.expose_secret().len() != DATA_KEY_LENGTH || keys.iter().any(|(known, _)| *known == id) {
                return Err(wrong());
            }
            keys.push((id, key));
        }
        if keys.is_empty() { Err(wrong()) } else { Ok(Self(keys)) }
    }

    /// Reads the key file; makes one with a new key when there is none and that is allowed.
    ///
    /// # Errors
    /// As [`KeyError`] says.
    pub fn load(path: &Path, may_make: bool) -> Result<Self, KeyError> {
        let text = load_or_make(path, may_make, || Ok(format!("{}\n", entry_of(1, &new_master()?))))?;
        let wrong = || KeyError::Content { path: path.display().to_string(), wanted: "text" };
        Self::parse(std::str::from_utf8(text.expose_secret()).map_err(|_| wrong())?, &path.display().to_string())
    }

    /// The keys, for the store.
    #[must_use]
    pub fn masters(&self) -> &[MasterKey] {
        &self.0
    }

    /// Their ids, the one that seals first.
    #[must_use]
    pub fn ids(&self) -> Vec<u8> {
        self.0.iter().map(|(id, _)| *id).collect()
    }

    /// The master key of the lowest id: what is derived from it outlives a change of keys for as long as that key is kept.
    pub(crate) fn eldest(&self) -> &[u8] {
        self.0.iter().min_by_key(|(id, _)| *id).map_or(&[], |(_, key)| key.expose_secret())
    }

    /// The id for another key: odd and even ones take turns, because a client's index has a place for each.
    fn next_id(&self) -> Option<u8> {
        let highest = self.0.iter().map(|(id, _)| *id).max().unwrap_or(0);
        highest.checked_add(1)
    }
}

fn new_master() -> Result<[u8; DATA_KEY_LENGTH], KeyError> {
    let mut key = [0_u8; DATA_KEY_LENGTH];
    getrandom::fill(&mut key).map_err(|_| KeyError::Making)?;
    Ok(key)
}

fn entry_of(id: u8, key: &[u8]) -> String {
    format!("{id}:{}", STANDARD.encode(key))
}

/// Adds a new key to a key file, in front of the others or, as a standby, behind them; the file is replaced as a whole. Gives the id.
///
/// # Errors
/// As [`KeyError`] says; the file is then as it was.
pub fn add_data_key(path: &Path, standby: bool) -> Result<u8, KeyError> {
    let known = DataKeys::load(path, false)?;
    let id = known.next_id().ok_or(KeyError::NoIdLeft)?;
    let mut entries: Vec<String> = known.0.iter().map(|(id, key)| entry_of(*id, key.expose_secret())).collect();
    entries.insert(if standby { entries.len() } else { 0 }, entry_of(id, &new_master()?));
    replace_key_file(path, &entries)?;
    Ok(id)
}

/// Takes a key out of a key file.
///
/// # Errors
/// As [`KeyError`] says, [`KeyError::LastKey`] for the one that seals; the file is then as it was.
pub fn remove_data_key(path: &Path, id: u8) -> Result<(), KeyError> {
    let known = DataKeys::load(path, false)?;
    if known.ids().first() == Some(&id) {
        return Err(KeyError::LastKey(id));
    }
    let entries: Vec<String> =
        known.0.iter().filter(|(other, _)| *other != id).map(|(id, key)| entry_of(*id, key.expose_secret())).collect();
    replace_key_file(path, &entries)
}

/// Whoever reads the file meanwhile finds the old one or the new one, never a part.
fn replace_key_file(path: &Path, entries: &[String]) -> Result<(), KeyError> {
    let fault = |error: std::io::Error| KeyError::File { path: path.display().to_string(), reason: error.to_string() };
    let metadata = std::fs::metadata(path).map_err(fault)?;
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let beside = std::path::PathBuf::from(name);
    let written = (|| {
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.set_permissions(metadata.permissions())?;
        file.write_all((entries.join("\n") + "\n").as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        std::fs::File::open(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
    })();
    written.map_err(|error| {
        // What was begun holds keys: it does not stay.
        let _ = std::fs::remove_file(&beside);
        fault(error)
    })
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
        let bytes = |keys: &DataKeys| keys.masters().iter().map(|(id, key)| (*id, key.expose_secret().to_vec())).collect::<Vec<_>>();
        let made = DataKeys::load(&data, true).expect("made");
        assert_eq!((made.ids(), bytes(&made)), (vec![1], bytes(&DataKeys::load(&data, false).expect("read"))));
        assert_eq!(std::fs::metadata(&data).expect("there").permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o644)).expect("changed");
        assert!(matches!(DataKeys::load(&data, true), Err(KeyError::Exposed(_))));
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn a_key_file_grows_and_shrinks() {
        let folder = std::env::temp_dir().join(format!("lahete-key-file-{}", std::process::id()));
        let file = folder.join("data-key");
        let bytes =
            |keys: &DataKeys, id: u8| keys.masters().iter().find(|(other, _)| *other == id).map(|(_, key)| key.expose_secret().to_vec());
        let first = DataKeys::load(&file, true).expect("made");
        assert_eq!(add_data_key(&file, false).expect("added"), 2);
        assert_eq!(add_data_key(&file, true).expect("added"), 3);
        let all = DataKeys::load(&file, false).expect("read");
        assert_eq!((all.ids(), all.eldest().to_vec()), (vec![2, 1, 3], bytes(&first, 1).expect("there")));
        assert_eq!(bytes(&first, 1), bytes(&all, 1));
        assert!(matches!(remove_data_key(&file, 2), Err(KeyError::LastKey(2))));
        remove_data_key(&file, 1).expect("removed");
        assert_eq!(DataKeys::load(&file, false).expect("read").ids(), [2, 3]);
        assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn keys_are_read_from_lines_and_from_one_line() {
        let key = |byte: u8| STANDARD.encode([byte; 32]);
        let ids = |text: &str| DataKeys::parse(text, "here").map(|keys| keys.ids()).map_err(|error| error.to_string());
        assert_eq!(ids(&format!("{}\n", key(1))), Ok(vec![1]), "as it was when there was one key");
        assert_eq!(ids(&format!("# ours\n2:{} # the new one\n\n 1 : {}\n", key(2), key(1))), Ok(vec![2, 1]));
        assert_eq!(ids(&format!("7:{},1:{}", key(7), key(1))), Ok(vec![7, 1]));
        for text in
            [String::new(), "1:AAAA".to_owned(), format!("0:{}", key(1)), format!("256:{}", key(1)), format!("1:{},{}", key(1), key(2))]
        {
            let refused = ids(&text).expect_err("no key");
            assert!(refused.starts_with("here does not hold data keys") && !refused.contains("AAAA"), "{refused}");
        }
    }
}
