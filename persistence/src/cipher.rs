//! Sealing of single columns, and blind indexes to find an exact value in a sealed column.

use aes_gcm_siv::aead::{Aead, Payload};
use aes_gcm_siv::{Aes256GcmSiv, KeyInit, Nonce};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroize;

const NONCE: usize = 12;

/// Why a column could not be sealed or opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CipherError {
    /// The master key is not 32 bytes long.
    #[error("the master key must be 32 bytes long")]
    KeyLength,
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

struct Derived {
    id: u8,
    sealing: SecretBox<[u8; 32]>,
    index: SecretBox<[u8; 32]>,
}

/// The keys of the store: the one in use and those that older rows were sealed with.
pub struct Keys {
    current: Derived,
    retired: Vec<Derived>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys(current {}, {} retired)", self.current.id, self.retired.len())
    }
}

impl Keys {
    /// Derives the keys from a master key of 32 bytes; `key_id` is stored in front of each sealed value.
    ///
    /// # Errors
    /// [`CipherError::KeyLength`].
    pub fn from_bytes(key_id: u8, master: &[u8]) -> Result<Self, CipherError> {
        Ok(Self { current: derive(key_id, master)?, retired: Vec::new() })
    }

    /// Adds a master key that was in use before: its values can still be opened, new ones are not sealed with it.
    ///
    /// # Errors
    /// [`CipherError::KeyLength`].
    pub fn with_retired(mut self, key_id: u8, master: &[u8]) -> Result<Self, CipherError> {
        self.retired.push(derive(key_id, master)?);
        Ok(self)
    }

    /// Seals a value for one column of one row: it cannot be opened in another place.
    ///
    /// # Errors
    /// [`CipherError::NoRandomness`].
    pub fn encrypt(&self, table: &str, column: &str, row: Uuid, plaintext: &[u8]) -> Result<Vec<u8>, CipherError> {
        let mut nonce = [0_u8; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| CipherError::NoRandomness)?;
        let aad = place(table, column, row, self.current.id);
        let sealed =
            self.current.cipher()?.encrypt(&Nonce::from(nonce), Payload { msg: plaintext, aad: &aad }).map_err(|_| CipherError::Refused)?;
        let mut out = Vec::with_capacity(1 + NONCE + sealed.len());
        out.push(self.current.id);
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
        let key = std::iter::once(&self.current).chain(&self.retired).find(|key| key.id == *id).ok_or(CipherError::UnknownKey)?;
        let aad = place(table, column, row, *id);
        key.cipher()?.decrypt(&Nonce::from(*nonce), Payload { msg: ciphertext, aad: &aad }).map_err(|_| CipherError::Refused)
    }

    /// The same bytes for the same value, from which nobody without the key learns the value.
    #[must_use]
    pub fn blind_index(&self, value: &[u8]) -> [u8; 32] {
        mac(self.current.index.expose_secret(), value)
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
