//! Sealing of single columns, and blind indexes to find an exact value in a sealed column.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use aes_gcm_siv::aead::{Aead, Payload};
use aes_gcm_siv::{Aes256GcmSiv, KeyInit, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretBox, SecretSlice};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroize;

const NONCE: usize = 12;

/// In front of a sealed value in a text column. No text that comes in through the API holds a control character, so no plain value looks like one.
pub(crate) const SEALED: char = '\u{1}';

/// How often the keys are read anew at most, when values turn up that none of them opens.
const REREAD_PAUSE: Duration = Duration::from_secs(1);

/// Why a column could not be sealed or opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CipherError {
    /// The master key is not 32 bytes long.
    #[error("the master key must be 32 bytes long")]
    KeyLength,
    /// No key, or two of the same id.
    #[error("each data key needs an id of its own from 1 to 255")]
    KeyIds,
    /// The operating system gave no random bytes.
    #[error("no random bytes")]
    NoRandomness,
    /// Sealed under a key that is not configured.
    #[error("sealed with a key that is not configured")]
    UnknownKey,
    /// Not what was sealed for this row and column: another key, a copied or a damaged value.
    #[error("the sealed value does not belong here")]
    Refused,
}

/// A master key with its id.
pub type MasterKey = (u8, SecretSlice<u8>);

/// Reads the keys anew from where they came from; `None` when that fails.
pub type KeySource = Box<dyn Fn() -> Option<Vec<MasterKey>> + Send + Sync>;

struct Derived {
    id: u8,
    sealing: SecretBox<[u8; 32]>,
    index: SecretBox<[u8; 32]>,
}

/// Keys in the order in which they were configured, and what the database says of them.
struct Ring {
    keys: Vec<Arc<Derived>>,
    /// Their values are all sealed anew: nothing is sealed with them any more.
    retired: Vec<u8>,
}

impl Ring {
    fn of(masters: &[MasterKey], retired: Vec<u8>) -> Result<Self, CipherError> {
        let mut keys: Vec<Arc<Derived>> = Vec::with_capacity(masters.len());
        for (id, master) in masters {
            if *id == 0 || keys.iter().any(|key| key.id == *id) {
                return Err(CipherError::KeyIds);
            }
            keys.push(Arc::new(derive(*id, master.expose_secret())?));
        }
        if keys.is_empty() { Err(CipherError::KeyIds) } else { Ok(Self { keys, retired }) }
    }

    fn is_in_use(&self, key: &Derived) -> bool {
        !self.retired.contains(&key.id)
    }

    /// What new values are sealed with: the first that is not retired.
    fn current(&self) -> Result<&Derived, CipherError> {
        let first = self.keys.iter().find(|key| self.is_in_use(key)).or(self.keys.first());
        first.map(Arc::as_ref).ok_or(CipherError::UnknownKey)
    }

    fn find(&self, id: u8) -> Option<Arc<Derived>> {
        self.keys.iter().find(|key| key.id == id).cloned()
    }
}

/// The blind indexes of one value as they are stored. While keys are changed a value has two of them, under a key of each slot, so that two programs
/// that seal with different keys still find that they store the same value twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StoredIndexes {
    /// Under a key with an odd id; when there is none in use, as the other one, for this one is never empty.
    pub odd: Vec<u8>,
    /// Under a key with an even id.
    pub even: Option<Vec<u8>>,
}

/// The keys of the store: the one in use, those that older values were sealed with, and those that others seal with already.
pub struct Keys {
    ring: RwLock<Arc<Ring>>,
    source: Option<KeySource>,
    /// The database holds values of a key that is not here: nothing is sealed or looked up, lest one person be stored twice.
    barred: AtomicBool,
    begun: Instant,
    /// When the keys were read anew, in milliseconds since `begun`.
    reread: AtomicU64,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({:?}, retired {:?})", self.ids(), self.ring().retired)
    }
}

impl Keys {
    /// Derives the keys from a master key of 32 bytes; `key_id` is stored in front of each sealed value.
    ///
    /// # Errors
    /// [`CipherError::KeyLength`].
    pub fn from_bytes(key_id: u8, master: &[u8]) -> Result<Self, CipherError> {
        Self::from_masters(&[(key_id, SecretSlice::from(master.to_vec()))])
    }

    /// Derives the keys from master keys; new values are sealed with the first.
    ///
    /// # Errors
    /// [`CipherError::KeyLength`] and [`CipherError::KeyIds`].
    pub fn from_masters(masters: &[MasterKey]) -> Result<Self, CipherError> {
        Ok(Self {
            ring: RwLock::new(Arc::new(Ring::of(masters, Vec::new())?)),
            source: None,
            barred: AtomicBool::new(false),
            begun: Instant::now(),
            reread: AtomicU64::new(0),
        })
    }

    /// Where the keys can be read anew, when values turn up that none of them opens.
    #[must_use]
    pub fn with_source(mut self, source: KeySource) -> Self {
        self.source = Some(source);
        self
    }

    /// Adds a master key that was in use before: its values can still be opened, new ones are not sealed with it.
    ///
    /// # Errors
    /// [`CipherError::KeyLength`] and [`CipherError::KeyIds`].
    pub fn with_retired(self, key_id: u8, master: &[u8]) -> Result<Self, CipherError> {
        let ring = self.ring();
        if key_id == 0 || ring.find(key_id).is_some() {
            return Err(CipherError::KeyIds);
        }
        let mut keys = ring.keys.clone();
        keys.push(Arc::new(derive(key_id, master)?));
        self.replace(Ring { keys, retired: ring.retired.clone() });
        Ok(self)
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, ring: Ring) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    /// The ids of all keys, in the order in which they were configured.
    #[must_use]
    pub fn ids(&self) -> Vec<u8> {
        self.ring().keys.iter().map(|key| key.id).collect()
    }

    /// The id of the key that new values are sealed with.
    #[must_use]
    pub fn current_id(&self) -> u8 {
        self.ring().current().map_or(0, |key| key.id)
    }

    /// What tells one key from another of the same id, and tells nothing of the key.
    #[must_use]
    pub fn check_value(&self, id: u8) -> Option<[u8; 32]> {
        self.ring().find(id).map(|key| mac(key.index.expose_secret(), b"lahete key check v1"))
    }

    /// Reads the keys anew from where they came from. Keys that cannot be read leave everything as it was.
    pub fn reread(&self) {
        let Some(masters) = self.source.as_ref().and_then(|source| source()) else { return };
        match Ring::of(&masters, self.ring().retired.clone()) {
            Ok(ring) => {
                let before = self.ids();
                self.replace(ring);
                let now = self.ids();
                if before != now {
                    log::warn!("the data keys were read anew: {now:?} in place of {before:?}");
                }
            }
            Err(error) => log::error!("the data keys cannot be read anew: {error}"),
        }
    }

    /// Takes over what the database says: which keys are in use, and which are retired. A key in use that is not here bars all sealing.
    pub(crate) fn observe(&self, in_use: &[u8], retired: &[u8]) {
        let ring = self.ring();
        if ring.retired != retired {
            self.replace(Ring { keys: ring.keys.clone(), retired: retired.to_vec() });
        }
        let missing: Vec<u8> = in_use.iter().copied().filter(|id| ring.find(*id).is_none()).collect();
        if self.barred.swap(!missing.is_empty(), Ordering::SeqCst) == missing.is_empty() {
            if missing.is_empty() {
                log::warn!("all data keys that the database needs are there again");
            } else {
                log::error!(
                    "the database holds values under the data keys {missing:?}, which are not configured: nothing is sealed or opened"
                );
            }
        }
    }

    fn key(&self, id: u8) -> Result<Arc<Derived>, CipherError> {
        if let Some(key) = self.ring().find(id) {
            return Ok(key);
        }
        // Somebody seals with a newer key already: it may be where ours came from.
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        let last = self.reread.load(Ordering::SeqCst);
        let pause = u64::try_from(REREAD_PAUSE.as_millis()).unwrap_or(u64::MAX);
        if last == 0 || now.saturating_sub(last) > pause {
            self.reread.store(now, Ordering::SeqCst);
            self.reread();
        }
        self.ring().find(id).ok_or(CipherError::UnknownKey)
    }

    fn expect_all_keys(&self) -> Result<(), CipherError> {
        if self.barred.load(Ordering::SeqCst) { Err(CipherError::UnknownKey) } else { Ok(()) }
    }

    /// Seals a value for one column of one row: it cannot be opened in another place.
    ///
    /// # Errors
    /// [`CipherError::NoRandomness`]; [`CipherError::UnknownKey`] while a key that the database needs is missing.
    pub fn encrypt(&self, table: &str, column: &str, row: Uuid, plaintext: &[u8]) -> Result<Vec<u8>, CipherError> {
        self.expect_all_keys()?;
        let ring = self.ring();
        let key = ring.current()?;
        let mut nonce = [0_u8; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| CipherError::NoRandomness)?;
        let aad = place(table, column, row, key.id);
        let sealed = key.cipher()?.encrypt(&Nonce::from(nonce), Payload { msg: plaintext, aad: &aad }).map_err(|_| CipherError::Refused)?;
        let mut out = Vec::with_capacity(1 + NONCE + sealed.len());
        out.push(key.id);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens a value that [`Keys::encrypt`] sealed for the same place.
    ///
    /// # Errors
    /// [`CipherError::UnknownKey`] or [`CipherError::Refused`].
    pub fn decrypt(&self, table: &str, column: &str, row: Uuid, sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        let (id, rest) = sealed.split_first().ok_or(CipherError::Refused)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>().ok_or(CipherError::Refused)?;
        let aad = place(table, column, row, *id);
        self.key(*id)?.cipher()?.decrypt(&Nonce::from(*nonce), Payload { msg: ciphertext, aad: &aad }).map_err(|_| CipherError::Refused)
    }

    /// As [`Keys::encrypt`], for a text column: U+0001, the key's id in two digits, the rest in base64.
    ///
    /// # Errors
    /// As [`Keys::encrypt`].
    pub fn seal_text(&self, table: &str, column: &str, row: Uuid, plain: &str) -> Result<String, CipherError> {
        let sealed = self.encrypt(table, column, row, plain.as_bytes())?;
        let (id, rest) = sealed.split_first().ok_or(CipherError::Refused)?;
        Ok(format!("{SEALED}{id:02x}{}", STANDARD_NO_PAD.encode(rest)))
    }

    /// Opens what [`Keys::seal_text`] sealed for the same place. A plain value, from before this column was sealed, is given back as it is.
    ///
    /// # Errors
    /// As [`Keys::decrypt`].
    pub fn open_text(&self, table: &str, column: &str, row: Uuid, stored: String) -> Result<String, CipherError> {
        let Some(rest) = stored.strip_prefix(SEALED) else { return Ok(stored) };
        let (id, rest) = rest.split_at_checked(2).ok_or(CipherError::Refused)?;
        let mut sealed = vec![u8::from_str_radix(id, 16).map_err(|_| CipherError::Refused)?];
        STANDARD_NO_PAD.decode_vec(rest, &mut sealed).map_err(|_| CipherError::Refused)?;
        String::from_utf8(self.decrypt(table, column, row, &sealed)?).map_err(|_| CipherError::Refused)
    }

    /// The id of the key that a value of a text column is sealed with; `None` for a plain value.
    #[must_use]
    pub fn text_key(stored: &str) -> Option<u8> {
        stored.strip_prefix(SEALED)?.get(..2).and_then(|id| u8::from_str_radix(id, 16).ok())
    }

    /// The same bytes for the same value, from which nobody without the key learns the value.
    ///
    /// # Errors
    /// [`CipherError::UnknownKey`] while a key that the database needs is missing.
    pub fn blind_index(&self, value: &[u8]) -> Result<[u8; 32], CipherError> {
        self.expect_all_keys()?;
        Ok(mac(self.ring().current()?.index.expose_secret(), value))
    }

    /// The value's index under every key, with the key's id; the one in use first.
    pub(crate) fn blind_indexes(&self, value: &[u8]) -> Result<Vec<(u8, Vec<u8>)>, CipherError> {
        self.expect_all_keys()?;
        let ring = self.ring();
        let mut keys: Vec<_> = ring.keys.iter().collect();
        keys.sort_by_key(|key| !ring.is_in_use(key));
        Ok(keys.into_iter().map(|key| (key.id, mac(key.index.expose_secret(), value).to_vec())).collect())
    }

    /// The value's indexes as a new row stores them: under the key in use, and under the first one in use of the other slot.
    pub(crate) fn stored_indexes(&self, value: &[u8]) -> Result<StoredIndexes, CipherError> {
        self.expect_all_keys()?;
        let ring = self.ring();
        let current = ring.current()?;
        let other = ring.keys.iter().find(|key| ring.is_in_use(key) && key.id % 2 != current.id % 2);
        let index = |key: &Derived| mac(key.index.expose_secret(), value).to_vec();
        Ok(match (current.id % 2, other) {
            (1, other) => StoredIndexes { odd: index(current), even: other.map(|key| index(key)) },
            (_, Some(other)) => StoredIndexes { odd: index(other), even: Some(index(current)) },
            (_, None) => StoredIndexes { odd: index(current), even: Some(index(current)) },
        })
    }
}

impl Derived {
    fn cipher(&self) -> Result<Aes256GcmSiv, CipherError> {
        Aes256GcmSiv::new_from_slice(self.sealing.expose_secret()).map_err(|_| CipherError::KeyLength)
    }
}

/// The master key itself is never used and not kept; each use has a key of its own.
fn derive(id: u8, master: &[u8]) -> Result<Derived, CipherError> {
    let mut master: [u8; 32] = master.try_into().map_err(|_| CipherError::KeyLength)?;
    let sealing = SecretBox::new(Box::new(mac(&master, b"lahete column sealing v1\x01")));
    let index = SecretBox::new(Box::new(mac(&master, b"lahete blind index v1\x01")));
    master.zeroize();
    Ok(Derived { id, sealing, index })
}

fn mac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // A key shorter than a block is filled up with zeroes by the definition of HMAC.
    let mut block = [0_u8; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    block.zeroize();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// What the value is bound to. Names hold no NUL, so that no two places give the same bytes.
fn place(table: &str, column: &str, row: Uuid, key_id: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(table.len() + column.len() + 19);
    out.extend_from_slice(table.as_bytes());
    out.push(0);
    out.extend_from_slice(column.as_bytes());
    out.push(0);
    out.extend_from_slice(row.as_bytes());
    out.push(key_id);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_only_in_its_place() {
        let keys = Keys::from_bytes(1, &[7; 32]).unwrap();
        let row = Uuid::from_u128(1);
        let sealed = keys.encrypt("clients", "identity_code", row, b"131052-308T").unwrap();
        assert_eq!(sealed.first(), Some(&1));
        assert!(!sealed.windows(6).any(|w| w == b"131052"));
        assert_ne!(sealed, keys.encrypt("clients", "identity_code", row, b"131052-308T").unwrap());
        assert_eq!(keys.decrypt("clients", "identity_code", row, &sealed).unwrap(), b"131052-308T");
        assert_eq!(keys.decrypt("clients", "phone", row, &sealed), Err(CipherError::Refused));
        assert_eq!(keys.decrypt("clients", "identity_code", Uuid::from_u128(2), &sealed), Err(CipherError::Refused));
        let mut bent = sealed.clone();
        *bent.last_mut().unwrap() ^= 1;
        assert_eq!(keys.decrypt("clients", "identity_code", row, &bent), Err(CipherError::Refused));
        assert_eq!(keys.decrypt("clients", "identity_code", row, &[1, 2]), Err(CipherError::Refused));
    }

    #[test]
    fn a_text_column_holds_sealed_and_older_plain_values() {
        let keys = Keys::from_bytes(17, &[7; 32]).unwrap();
        let row = Uuid::from_u128(1);
        let sealed = keys.seal_text("clients", "phone", row, "+358 40 555 0101").unwrap();
        assert!(sealed.starts_with("\u{1}11") && !sealed.contains("555"), "{sealed:?}");
        assert_eq!((Keys::text_key(&sealed), Keys::text_key("+358"), Keys::text_key("\u{1}")), (Some(17), None, None));
        assert_eq!(keys.open_text("clients", "phone", row, sealed.clone()).unwrap(), "+358 40 555 0101");
        assert_eq!(keys.open_text("clients", "phone", row, "+358 40".to_owned()).unwrap(), "+358 40");
        for (column, stored) in
            [("email", sealed.as_str()), ("phone", "\u{1}"), ("phone", "\u{1}1"), ("phone", "\u{1}zzAAAA"), ("phone", "\u{1}11€")]
        {
            assert_eq!(keys.open_text("clients", column, row, stored.to_owned()), Err(CipherError::Refused), "{stored:?}");
        }
    }

    #[test]
    fn a_ring_has_one_key_for_each_id() {
        let key = |id| (id, SecretSlice::from(vec![id; 32]));
        assert_eq!(Keys::from_masters(&[]).unwrap_err(), CipherError::KeyIds);
        assert_eq!(Keys::from_masters(&[key(1), key(1)]).unwrap_err(), CipherError::KeyIds);
        assert_eq!(Keys::from_masters(&[key(0)]).unwrap_err(), CipherError::KeyIds);
        let keys = Keys::from_masters(&[key(2), key(1)]).unwrap();
        assert_eq!((keys.current_id(), keys.ids()), (2, vec![2, 1]));
        assert_ne!(keys.check_value(1), keys.check_value(2));
        assert_eq!(keys.check_value(3), None);
    }

    #[test]
    fn two_programs_in_the_middle_of_a_change_share_an_index() {
        let key = |id| (id, SecretSlice::from(vec![id; 32]));
        let behind = Keys::from_masters(&[key(1)]).unwrap().stored_indexes(b"x").unwrap();
        let ready = Keys::from_masters(&[key(1), key(2)]).unwrap().stored_indexes(b"x").unwrap();
        let ahead = Keys::from_masters(&[key(2), key(1)]).unwrap().stored_indexes(b"x").unwrap();
        let keys = Keys::from_masters(&[key(2), key(1)]).unwrap();
        keys.observe(&[2], &[1]);
        let done = keys.stored_indexes(b"x").unwrap();
        assert_eq!(behind.odd, ready.odd);
        assert_eq!(ready, ahead);
        assert_eq!(ahead.even, done.even);
        assert_eq!(Some(&done.odd), done.even.as_ref());
        let next = Keys::from_masters(&[key(3), key(2)]).unwrap().stored_indexes(b"x").unwrap();
        assert_eq!(next.even, done.even);
        assert_ne!(next.odd, done.odd);
    }

    #[test]
    fn a_key_that_the_database_needs_and_nobody_has_bars_sealing() {
        let key = |id: u8| (id, SecretSlice::from(vec![id; 32]));
        let keys = Keys::from_masters(&[key(1)]).unwrap();
        keys.observe(&[1, 2], &[]);
        assert_eq!(keys.encrypt("t", "c", Uuid::nil(), b"x"), Err(CipherError::UnknownKey));
        assert_eq!(keys.blind_index(b"x"), Err(CipherError::UnknownKey));
        keys.observe(&[1], &[]);
        assert!(keys.encrypt("t", "c", Uuid::nil(), b"x").is_ok());
    }

    #[test]
    fn a_newer_key_is_looked_for_where_the_others_came_from() {
        let key = |id: u8| (id, SecretSlice::from(vec![id; 32]));
        let newer = Keys::from_masters(&[key(2)]).unwrap().encrypt("t", "c", Uuid::nil(), b"x").unwrap();
        let keys = Keys::from_masters(&[key(1)]).unwrap().with_source(Box::new(move || Some(vec![key(2), key(1)])));
        assert_eq!(keys.decrypt("t", "c", Uuid::nil(), &newer).unwrap(), b"x");
        assert_eq!(keys.current_id(), 2);
    }

    #[test]
    fn old_values_outlive_a_change_of_keys() {
        let old = Keys::from_bytes(1, &[7; 32]).unwrap();
        let sealed = old.encrypt("t", "c", Uuid::nil(), b"x").unwrap();
        let new = Keys::from_bytes(2, &[8; 32]).unwrap();
        assert_eq!(new.decrypt("t", "c", Uuid::nil(), &sealed), Err(CipherError::UnknownKey));
        let new = new.with_retired(1, &[7; 32]).unwrap();
        assert_eq!(new.decrypt("t", "c", Uuid::nil(), &sealed).unwrap(), b"x");
        assert_ne!(old.blind_index(b"x"), new.blind_index(b"x"));
        assert_eq!(new.blind_index(b"x"), new.blind_index(b"x"));
        assert_eq!(Keys::from_bytes(1, &[7; 31]).unwrap_err(), CipherError::KeyLength);
    }
}
