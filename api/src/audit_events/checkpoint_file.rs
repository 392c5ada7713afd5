//! Signed checkpoints of the audit trail, outside the database: a file to which lines are only added.
//!
//! A line says where each chain stood that had moved: place and hash of its last event. It is signed, and names the hash of the line before it.
//! Whoever can write into the database can cut off the end of a chain, or write all of it anew; what the line says then fits no more. A copy of
//! a line that is kept elsewhere does the same for the file itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lahete_domain::time::Instant;
use lahete_persistence::repo::trail::{Anchor, TrailKey, TrailSignature};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::auth::keys::{SigningKey, key_name};

/// The form of a line.
const VERSION: u8 = 1;

/// How much of the end of the file is read to find its newest lines.
const TAIL: u64 = 256 * 1024;

/// Where one chain stood.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainHead {
    /// The chain.
    pub chain: Uuid,
    /// The place of its last event.
    pub seq: i64,
    /// The hash of that event, in hexadecimal.
    pub hash: String,
    /// Whether the chain ended there.
    pub closed: bool,
}

/// What is signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The form of the line.
    pub version: u8,
    /// When, by the server's clock.
    pub at: String,
    /// SHA-256 of the line before, in hexadecimal; zeroes in the first line.
    pub previous: String,
    /// The chains that have moved since the server's last checkpoint.
    pub chains: Vec<ChainHead>,
}

/// A line of the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedCheckpoint {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// The name of the key.
    pub key_id: String,
    /// The signature of [`Checkpoint::signed_bytes`], base64url.
    pub signature: String,
}

impl Checkpoint {
    /// The bytes that the signature is taken over: a title, a line break, and the JSON of the checkpoint as it stands in the line.
    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"lahete audit checkpoint v1\n".to_vec();
        // It is made of texts and numbers alone, which always have a JSON.
        bytes.extend(serde_json::to_vec(self).unwrap_or_default());
        bytes
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    // In the letters in which it is written, and in no others.
    (hex(&bytes) == text).then_some(bytes)
}

/// The keys that sign the trail: ours, and those that signed it before or on other servers.
#[derive(Clone, Debug)]
pub struct TrailKeys {
    own: SigningKey,
    trusted: BTreeMap<String, Vec<u8>>,
}

impl TrailKeys {
    /// Our key alone.
    #[must_use]
    pub fn of(own: &SigningKey) -> Self {
        let trusted = BTreeMap::from([(own.kid().to_owned(), own.public_bytes().to_vec())]);
        Self { own: own.clone(), trusted }
    }

    /// Another key whose signatures count: the member `x` of a public key. `None` when it is none.
    #[must_use]
    pub fn trusting(mut self, x: &str) -> Option<Self> {
        let public = URL_SAFE_NO_PAD.decode(x).ok().filter(|bytes| bytes.len() == 32)?;
        self.trusted.insert(key_name(&public), public);
        Some(self)
    }
}

impl TrailKey for TrailKeys {
    fn sign(&self, bytes: &[u8]) -> TrailSignature {
        TrailSignature { key_id: self.own.kid().to_owned(), signature: self.own.sign(bytes) }
    }

    fn verify(&self, bytes: &[u8], signature: &TrailSignature) -> bool {
        let key = self.trusted.get(&signature.key_id);
        key.is_some_and(|key| UnparsedPublicKey::new(&ED25519, key).verify(bytes, &signature.signature).is_ok())
    }
}

/// The file of one server, or of several on one machine.
#[derive(Debug)]
pub struct CheckpointFile {
    path: PathBuf,
    keys: TrailKeys,
    /// What was written last of each chain.
    written: Mutex<BTreeMap<Uuid, Anchor>>,
}

impl CheckpointFile {
    /// The file at a path, which need not be there yet.
    #[must_use]
    pub fn new(path: PathBuf, keys: TrailKeys) -> Self {
        Self { path, keys, written: Mutex::default() }
    }

    /// Who signs.
    #[must_use]
    pub fn keys(&self) -> &TrailKeys {
        &self.keys
    }

    /// Adds a line about the chains that have moved, durably. Says whether there were any and the line was written; a failure is logged, and the next
    /// line tells of these chains, too.
    pub fn write(&self, heads: &[Anchor], now: Instant) -> bool {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let moved: Vec<Anchor> = heads.iter().filter(|head| written.get(&head.chain) != Some(*head)).cloned().collect();
        if moved.is_empty() {
            return false;
        }
        match self.append(&moved, now) {
            Ok(()) => {
                written.extend(moved.into_iter().map(|head| (head.chain, head)));
                true
            }
            Err(error) => {
                log::error!("the audit trail could not be signed in {}: {error}", self.path.display());
                false
            }
        }
    }

    fn append(&self, moved: &[Anchor], now: Instant) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::os::unix::fs::DirBuilderExt::mode(std::fs::DirBuilder::new().recursive(true), 0o700).create(folder)?;
        }
        let mut file = File::options().read(true).append(true).create(true).mode(0o600).open(&self.path)?;
        // Another server may have the same file; the lock ends with the file's handle.
        file.lock()?;
        let (last, end) = last_line(&mut file)?;
        // What a power cut has left of a line was never whole.
        file.set_len(end)?;
        let previous = last.map_or([0; 32], |line| Sha256::digest(line).into());
        let chains = moved.iter().map(|head| ChainHead { chain: head.chain, seq: head.seq, hash: hex(&head.hash), closed: head.closed });
        let checkpoint = Checkpoint { version: VERSION, at: now.to_string(), previous: hex(&previous), chains: chains.collect() };
        let signature = self.keys.sign(&checkpoint.signed_bytes());
        let signed = SignedCheckpoint { checkpoint, key_id: signature.key_id, signature: URL_SAFE_NO_PAD.encode(signature.signature) };
        let mut line = serde_json::to_vec(&signed)?;
        line.push(b'\n');
        file.write_all(&line)?;
        file.sync_all()
    }

    /// The newest lines, the newest first, each with what it says.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn newest(&self, most: usize) -> std::io::Result<Vec<(String, SignedCheckpoint)>> {
        let text = match File::open(&self.path) {
            Ok(mut file) => tail(&mut file)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let text = String::from_utf8_lossy(&text);
        let whole = text.lines().rev().filter_map(|line| Some((line.to_owned(), serde_json::from_str(line).ok()?)));
        Ok(whole.take(most).collect())
    }
}

fn tail(file: &mut File) -> std::io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The last whole line without its end, and where it ends in the file.
fn last_line(file: &mut File) -> std::io::Result<(Option<Vec<u8>>, u64)> {
    let length = file.metadata()?.len();
    let mut bytes = tail(file)?;
    let torn = bytes.iter().rev().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    bytes.truncate(bytes.len() - torn);
    let end = length - torn as u64;
    if bytes.pop().is_none() {
        return Ok((None, end));
    }
    let begin = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Ok((Some(bytes.split_off(begin)), end))
}

/// What is wrong with a line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CheckpointFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, for programs.
    pub kind: &'static str,
    /// The same in words.
    pub text: &'static str,
}

/// What a file of checkpoints says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checkpoints {
    /// How many lines were read.
    pub lines: usize,
    /// What the trail must still hold.
    pub anchors: Vec<Anchor>,
    /// What is wrong with lines.
    pub faults: Vec<CheckpointFault>,
}

/// Reads a file and checks it: each line signed by a key that is trusted, each tied to the one before. What is not signed counts for nothing. Of lines that were
/// signed after `until` nothing is asked of the trail: a copy from then cannot know of them.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path, keys: &dyn TrailKey, until: Option<Instant>) -> std::io::Result<Checkpoints> {
    let mut file = File::open(path)?;
    file.lock_shared()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    drop(file);
    let mut found = Checkpoints::default();
    let (mut previous, mut anchors) = ([0; 32], BTreeSet::new());
    // Instants are written so that their texts sort as they do.
    let until = until.map(|until| until.to_string());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        // Without its end a line is one that was being written.
        let Some(line) = line.strip_suffix(b"\n") else { break };
        found.lines += 1;
        let mut fault = |kind, text| found.faults.push(CheckpointFault { line: found.lines, kind, text });
        let signed: Option<SignedCheckpoint> = serde_json::from_slice(line).ok();
        match signed.as_ref().and_then(|signed| heads(signed, keys)) {
            Some(_) if signed.as_ref().zip(until.as_ref()).is_some_and(|(signed, until)| signed.checkpoint.at > *until) => {}
            Some(heads) => anchors.extend(heads),
            None => fault("not_signed", "the line was not signed by this program"),
        }
        if signed.is_some_and(|signed| from_hex(&signed.checkpoint.previous) != Some(previous)) {
            fault("not_tied", "a line before it is missing or was changed");
        }
        previous = Sha256::digest(line).into();
    }
    found.anchors = anchors.into_iter().collect();
    Ok(found)
}

/// What a line says, if it was signed.
fn heads(signed: &SignedCheckpoint, keys: &dyn TrailKey) -> Option<Vec<Anchor>> {
    let signature = TrailSignature { key_id: signed.key_id.clone(), signature: URL_SAFE_NO_PAD.decode(&signed.signature).ok()? };
    if signed.checkpoint.version != VERSION || !keys.verify(&signed.checkpoint.signed_bytes(), &signature) {
        return None;
    }
    let head = |head: &ChainHead| Some(Anchor { chain: head.chain, seq: head.seq, hash: from_hex(&head.hash)?, closed: head.closed });
    signed.checkpoint.chains.iter().map(head).collect()
}

/// A key for whoever signs the trail with it.
#[must_use]
pub fn shared(keys: &TrailKeys) -> Arc<dyn TrailKey> {
    Arc::new(keys.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Instant {
        Instant::new("2026-11-25T10:00:00Z".parse().expect("an instant"))
    }

    fn head(chain: u128, seq: i64) -> Anchor {
        Anchor { chain: Uuid::from_u128(chain), seq, hash: [seq.to_be_bytes()[7]; 32], closed: false }
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("lahete-checkpoints-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn each_line_tells_what_has_moved() {
        let folder = folder("moved");
        let path = folder.join("deep/checkpoints.jsonl");
        let keys = TrailKeys::of(&SigningKey::generate().expect("a key"));
        let file = CheckpointFile::new(path.clone(), keys.clone());
        assert_eq!(file.newest(5).expect("nothing"), []);
        assert!(!file.write(&[], now()));
        assert!(file.write(&[head(1, 5), head(2, 1)], now()));
        assert!(!file.write(&[head(1, 5), head(2, 1)], now()), "nothing has moved");
        assert!(file.write(&[head(1, 9), head(2, 1)], now()));
        // A server that has just begun, on the same file, behind the rest of a line that a power cut has left.
        File::options().append(true).open(&path).and_then(|mut file| file.write_all(b"{\"checkp")).expect("torn");
        assert_eq!(read(&path, &keys, None).expect("read").lines, 2);
        assert!(CheckpointFile::new(path.clone(), keys.clone()).write(&[Anchor { closed: true, ..head(1, 9) }], now()));
        let found = read(&path, &keys, None).expect("read");
        assert_eq!((found.lines, found.faults.len()), (3, 0), "{found:?}");
        assert_eq!(found.anchors, [head(1, 5), head(1, 9), Anchor { closed: true, ..head(1, 9) }, head(2, 1)]);
        assert_eq!(read(&path, &keys, Some(now())).expect("read").anchors, found.anchors);
        let before = read(&path, &keys, Some(now().plus_minutes(-1))).expect("read");
        assert_eq!((before.lines, before.anchors, before.faults), (3, Vec::new(), Vec::new()), "signed, but later");
        let newest = file.newest(2).expect("lines");
        assert_eq!(newest.iter().map(|(_, line)| line.checkpoint.chains.len()).collect::<Vec<_>>(), [1, 1]);
        assert!(newest.first().is_some_and(|(_, line)| line.checkpoint.chains.iter().all(|chain| chain.closed)));
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn every_change_of_the_file_is_found() {
        let folder = folder("changed");
        let path = folder.join("checkpoints.jsonl");
        let own = SigningKey::generate().expect("a key");
        let keys = TrailKeys::of(&own);
        let file = CheckpointFile::new(path.clone(), keys.clone());
        (1..=4).for_each(|seq| assert!(file.write(&[head(1, seq)], now())));
        let sound = std::fs::read(&path).expect("lines");
        let faults = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("written");
            read(&path, &keys, None).expect("read").faults
        };
        assert_eq!(faults(&sound), []);
        // Any bit of any line but the last, whose end may be torn.
        for at in (0..sound.len() - 1).step_by(7) {
            let mut bent = sound.clone();
            bent[at] ^= 1 << (at % 7);
            let line = sound[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            let found = faults(&bent);
            assert!(found.first().is_some_and(|fault| (line..=line + 1).contains(&fault.line)), "byte {at} of line {line}: {found:?}");
        }
        let lines: Vec<&[u8]> = sound.split_inclusive(|byte| *byte == b'\n').collect();
        assert_eq!(faults(&[lines[0], lines[2], lines[3]].concat())[0].kind, "not_tied");
        assert_eq!(faults(&[lines[1], lines[2], lines[3]].concat())[0].line, 1);
        assert_eq!(faults(&[lines[1], lines[0], lines[2], lines[3]].concat())[0].line, 1);
        std::fs::write(&path, &sound).expect("written");
        let other = TrailKeys::of(&SigningKey::generate().expect("a key"));
        let strangers = read(&path, &other, None).expect("read");
        assert_eq!((strangers.anchors.len(), strangers.faults.len()), (0, 4), "another's signatures count for nothing");
        let trusting = other.trusting(&own.public().x).expect("a key");
        assert_eq!(read(&path, &trusting, None).expect("read").faults, []);
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
