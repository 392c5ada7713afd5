//! Tokens that were ended before their time. They stand in the database; each server keeps a copy in memory, which is never older than half a minute
//! when a call is let in, so that an ended token is dead everywhere in less than a minute. Nothing is asked of the database for a single call.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use lahete_domain::actor::Caller;
use lahete_domain::time::Instant;
use lahete_persistence::repo::revocations::Revocation;
use lahete_persistence::{Db, Store, StoreError};
use sha2::{Digest as _, Sha256};

use super::token::{caller_of, subject_of};

/// When the copy is this old, in seconds, it is read anew before the next call is let in.
pub const FRESH_SECONDS: i64 = 30;

/// While the database cannot be asked, a copy this old still counts. Beyond it nobody is let in.
pub const USABLE_SECONDS: i64 = 55;

/// The part of a subject that stands for one token.
const TOKEN: &str = "token:";

/// By what one token can be ended: a digest, since `jti` is whatever its issuer likes.
#[must_use]
pub fn token_mark(issuer: &str, jti: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update((issuer.len() as u64).to_be_bytes());
    digest.update(issuer.as_bytes());
    digest.update(jti.as_bytes());
    digest.finalize().into()
}

/// The end of one token, which would have ended by itself at `exp` seconds.
#[must_use]
pub fn of_token(mark: &[u8; 32], exp: i64, leeway: i64, now: Instant) -> Revocation {
    let hex: String = mark.iter().map(|byte| format!("{byte:02x}")).collect();
    let left = exp.saturating_sub(now.utc().timestamp()).saturating_add(leeway).max(0);
    Revocation { subject: format!("{TOKEN}{hex}"), not_before: now, until: now.plus_minutes(left / 60 + 1) }
}

/// The end of every token that a caller holds; `life_max` is the longest life of any, in seconds.
#[must_use]
pub fn of_caller(caller: Caller, life_max: i64, now: Instant) -> Revocation {
    // Beyond the longest life by more than clocks may differ.
    Revocation { subject: subject_of(caller), not_before: now, until: now.plus_minutes(life_max / 60 + 5) }
}

fn read_mark(hex: &str) -> Option<[u8; 32]> {
    let mut mark = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (byte, place) in mark.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(hex.get(place..place + 2)?, 16).ok()?;
    }
    Some(mark)
}

#[derive(Default)]
struct Held {
    read_at: Option<i64>,
    /// Raised when this server ended something: a copy that was read before is out of date.
    round: u64,
    tokens: HashSet<[u8; 32]>,
    callers: HashMap<Caller, i64>,
}

/// What is ended, as this server knows it.
#[derive(Default)]
pub struct Revocations {
    held: RwLock<Held>,
    reading: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Revocations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Revocations")
    }
}

impl Revocations {
    fn age(&self, now: Instant) -> Option<i64> {
        let read_at = self.held.read().unwrap_or_else(PoisonError::into_inner).read_at?;
        // A clock that was set back makes the copy worth nothing.
        Some(now.utc().timestamp() - read_at).filter(|age| *age >= 0)
    }

    /// Whether the copy is young enough to decide by.
    #[must_use]
    pub fn is_fresh(&self, now: Instant) -> bool {
        self.age(now).is_some_and(|age| age < FRESH_SECONDS)
    }

    /// Whether a token is ended. `grace` seconds are how far the clock of its issuer may be ahead of ours.
    #[must_use]
    pub fn refuses(&self, caller: Caller, mark: &[u8; 32], issued: i64, grace: i64) -> bool {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.tokens.contains(mark) || held.callers.get(&caller).is_some_and(|ended| issued <= ended.saturating_add(grace))
    }

    /// This server has ended something: the next call reads it first.
    pub fn expire(&self) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.read_at = None;
        held.round += 1;
    }

    /// Reads the copy anew when it is too old; whoever comes meanwhile waits.
    ///
    /// # Errors
    /// When the database cannot be asked and the copy is too old to go on with.
    pub async fn ensure(&self, store: &Store, now: Instant) -> Result<(), StoreError> {
        let _turn = self.reading.lock().await;
        if self.is_fresh(now) {
            return Ok(());
        }
        let round = self.held.read().unwrap_or_else(PoisonError::into_inner).round;
        match store.read(move |db: &mut Db<'_>| db.revocations_in_force(now)).await {
            Ok(all) => {
                self.take(all, round, now);
                Ok(())
            }
            Err(error) if self.age(now).is_some_and(|age| age < USABLE_SECONDS) => {
                log::warn!("the ended tokens could not be read, those known count on: {error}");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn take(&self, all: Vec<Revocation>, round: u64, now: Instant) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.tokens.clear();
        held.callers.clear();
        for one in all {
            if let Some(mark) = one.subject.strip_prefix(TOKEN).and_then(read_mark) {
                held.tokens.insert(mark);
            } else if let Some(caller) = caller_of(&one.subject) {
                held.callers.insert(caller, one.not_before.utc().timestamp());
            } else {
                log::error!("a revocation without meaning in the database");
            }
        }
        held.read_at = (held.round == round).then(|| now.utc().timestamp());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lahete_domain::ids::{Id as _, UserId};
    use uuid::Uuid;

    fn at(seconds: i64) -> Instant {
        Instant::new(chrono::DateTime::from_timestamp(seconds, 0).expect("an instant"))
    }

    #[test]
    fn what_is_ended_is_refused_and_nothing_else() {
        let all = Revocations::default();
        let user = |number: u128| Caller::User(UserId::from_uuid(Uuid::from_u128(number)));
        let (dead, alive) = (token_mark("https://a.example", "1"), token_mark("https://a.example", "2"));
        assert_ne!(token_mark("ab", "c"), token_mark("a", "bc"));
        assert!(!all.is_fresh(at(0)), "nothing is known before the first reading");
        all.take(vec![of_token(&dead, 1300, 5, at(1000)), of_caller(user(1), 900, at(1000))], 0, at(1000));
        assert!(all.is_fresh(at(1029)) && !all.is_fresh(at(1030)) && !all.is_fresh(at(999)));
        assert!(all.refuses(user(2), &dead, 2000, 0));
        assert!(!all.refuses(user(2), &alive, 2000, 0));
        assert!(all.refuses(user(1), &alive, 1000, 0) && all.refuses(user(1), &alive, 1005, 5));
        assert!(!all.refuses(user(1), &alive, 1001, 0) && !all.refuses(user(1), &alive, 1006, 5));
        all.expire();
        assert!(!all.is_fresh(at(1001)));
        all.take(Vec::new(), 0, at(1001));
        assert!(!all.is_fresh(at(1001)), "read before something was ended");
        all.take(Vec::new(), 1, at(1001));
        assert!(all.is_fresh(at(1001)) && !all.refuses(user(1), &alive, 1000, 0));
    }

    #[test]
    fn a_revocation_outlives_every_token_that_it_ends() {
        assert_eq!(of_token(&[0; 32], 1300, 5, at(1000)).until, at(1000 + 6 * 60));
        assert!(of_token(&[0; 32], 900, 5, at(1000)).until > at(1000));
        assert!(of_caller(Caller::Clock, 3600, at(1000)).until >= at(1000 + 3600 + 60));
        let subject = of_token(&[0xab; 32], 1300, 5, at(1000)).subject;
        assert_eq!(subject.strip_prefix(TOKEN).and_then(read_mark), Some([0xab; 32]));
        assert_eq!(read_mark(&"g".repeat(64)), None);
    }
}
