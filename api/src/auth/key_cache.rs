//! The keys of one issuer, kept for as long as it says.
//!
//! A call never waits for the issuer when its key is known and fresh. Ahead of the end of their time the keys are read anew beside the calls; after it
//! the next call waits for that, so that a key that the issuer has taken away stops working then at the latest. An unknown name makes the keys be
//! read once, for all who wait; when it is not there after that either, nobody is sent again before the cool-down is over. While the issuer cannot
//! be reached, the last good keys go on, for a day at most.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jsonwebtoken::{Algorithm, DecodingKey};
use lahete_domain::user::KeyAlgorithm;

use super::key_set::TrustedKey;
use super::key_source::{Fetched, KEPT_SECONDS_MAX, KeySource};

/// What is known of a key.
#[derive(Clone, Debug)]
pub enum Found {
    /// It is trusted. `ahead` says that it is time to read the keys anew, beside the call.
    Key {
        /// The key.
        key: Arc<TrustedKey>,
        /// Whether the caller should set off a refresh.
        ahead: bool,
    },
    /// The keys must be read first.
    Wait,
    /// There is no such key.
    Unknown,
}

#[derive(Default)]
struct Held {
    keys: Vec<Arc<TrustedKey>>,
    /// When they were last read, in seconds; none before the first time.
    read_at: Option<i64>,
    fresh_until: i64,
    /// When a look for an unknown name, or any look that failed, was last in vain.
    in_vain_at: Option<i64>,
    /// A refresh ahead is under way since.
    ahead_since: Option<i64>,
    /// The last reading failed.
    failing: bool,
}

/// The keys of one issuer.
pub struct KeyCache {
    /// None for keys that never change.
    source: Option<KeySource>,
    algorithms: Vec<KeyAlgorithm>,
    cool_down: i64,
    held: Mutex<Held>,
    flight: tokio::sync::Mutex<()>,
    reads: AtomicU64,
}

impl KeyCache {
    /// Keys that are never read anew: our own.
    #[must_use]
    pub fn fixed(name: &str, key: DecodingKey, digest: [u8; 32]) -> Self {
        let key = TrustedKey { name: Some(name.to_owned()), algorithms: vec![Algorithm::EdDSA], key, digest };
        let held = Held { keys: vec![Arc::new(key)], fresh_until: i64::MAX, ..Held::default() };
        Self {
            source: None,
            algorithms: vec![KeyAlgorithm::EdDsa],
            cool_down: 0,
            held: Mutex::new(held),
            flight: tokio::sync::Mutex::new(()),
            reads: AtomicU64::new(0),
        }
    }

    /// Keys of an issuer. Nothing is read yet.
    #[must_use]
    pub fn new(source: KeySource, algorithms: Vec<KeyAlgorithm>, cool_down: i64) -> Self {
        Self {
            source: Some(source),
            algorithms,
            cool_down,
            held: Mutex::new(Held::default()),
            flight: tokio::sync::Mutex::new(()),
            reads: AtomicU64::new(0),
        }
    }

    /// How often the keys were asked for at their source.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks a key up by its name; `now` in seconds.
    #[must_use]
    pub fn find(&self, name: &str, now: i64) -> Found {
        let mut held = self.lock();
        let key = held.keys.iter().find(|key| key.name.as_deref() == Some(name)).cloned();
        if self.source.is_none() {
            return key.map_or(Found::Unknown, |key| Found::Key { key, ahead: false });
        }
        let in_vain = cooling(held.in_vain_at, now, self.cool_down);
        let usable = held.read_at.is_some_and(|at| now < at.saturating_add(KEPT_SECONDS_MAX));
        match key {
            Some(key) if now < held.fresh_until => {
                let life = held.read_at.map_or(0, |at| held.fresh_until.saturating_sub(at));
                let due = held.fresh_until.saturating_sub(now) <= life / 5;
                let ahead = due && !in_vain && !cooling(held.ahead_since, now, self.cool_down);
                if ahead {
                    held.ahead_since = Some(now);
                }
                Found::Key { key, ahead }
            }
            // The issuer was asked in vain a moment ago.
            Some(key) if in_vain && usable => Found::Key { key, ahead: false },
            // It is down, as far as we know: nobody who has a good key waits to see whether it still is.
            Some(key) if held.failing && usable => {
                let ahead = !cooling(held.ahead_since, now, self.cool_down);
                if ahead {
                    held.ahead_since = Some(now);
                }
                Found::Key { key, ahead }
            }
            _ if in_vain => Found::Unknown,
            _ => Found::Wait,
        }
    }

    /// Reads the keys, unless somebody has done so while we waited. Afterwards [`KeyCache::find`] says what is known.
    ///
    /// It goes on when the call that asked is given up: otherwise whoever hangs up at once could have the issuer asked as often as they like.
    pub async fn refresh(self: &Arc<Self>, name: Option<&str>, now: i64) {
        let (own, name) = (Arc::clone(self), name.map(str::to_owned));
        let reading = tokio::spawn(async move { own.read(name.as_deref(), now).await });
        if let Err(error) = reading.await {
            log::error!("the keys of an issuer were not read: {error}");
        }
    }

    async fn read(&self, name: Option<&str>, now: i64) {
        let Some(source) = self.source.clone() else { return };
        let _flight = self.flight.lock().await;
        if name.is_some_and(|name| !matches!(self.find(name, now), Found::Wait)) {
            return;
        }
        let algorithms = self.algorithms.clone();
        self.reads.fetch_add(1, Ordering::Relaxed);
        let result = tokio::task::spawn_blocking(move || source.fetch(&algorithms)).await;
        let result = result.unwrap_or_else(|error| Err(error.to_string()));
        self.take(result, name, now);
    }

    fn take(&self, result: Result<Fetched, String>, name: Option<&str>, now: i64) {
        let mut held = self.lock();
        held.ahead_since = None;
        match result {
            Ok(Fetched { keys, kept }) => {
                // A key that stays keeps its place in memory: by that a token that was seen before knows it again.
                let same = |key: &TrustedKey| held.keys.iter().find(|old| ***old == *key).cloned();
                let keys: Vec<_> = keys.into_iter().map(|key| same(&key).unwrap_or_else(|| Arc::new(key))).collect();
                held.keys = keys;
                held.read_at = Some(now);
                held.failing = false;
                held.fresh_until = now.saturating_add(kept.max(self.cool_down));
                let missed = name.is_some_and(|name| !held.keys.iter().any(|key| key.name.as_deref() == Some(name)));
                held.in_vain_at = missed.then_some(now);
            }
            Err(reason) => {
                held.in_vain_at = Some(now);
                held.failing = true;
                log::warn!("the keys of an issuer could not be read, {} known ones go on: {reason}", held.keys.len());
            }
        }
    }

    /// Whether a key is trusted still. For a token whose signature was checked before.
    #[must_use]
    pub fn holds(&self, key: &Arc<TrustedKey>, now: i64) -> Found {
        match self.find(key.name.as_deref().unwrap_or_default(), now) {
            Found::Key { key: present, .. } if !Arc::ptr_eq(&present, key) => Found::Unknown,
            found => found,
        }
    }
}

/// A clock that was set back ends every cool-down.
fn cooling(since: Option<i64>, now: i64, seconds: i64) -> bool {
    since.is_some_and(|since| since <= now && now < since.saturating_add(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::keys::SigningKey;
    use serde_json::{Value, json};
    use std::path::PathBuf;

    struct Bench {
        cache: Arc<KeyCache>,
        file: PathBuf,
    }

    fn key(name: &str) -> Value {
        let mut key = serde_json::to_value(SigningKey::generate().expect("a key").public()).expect("JSON");
        key["kid"] = json!(name);
        key
    }

    impl Bench {
        fn new(name: &str) -> Self {
            let file = std::env::temp_dir().join(format!("lahete-key-set-{name}-{}.json", std::process::id()));
            let cache = KeyCache::new(KeySource::File(file.clone()), vec![KeyAlgorithm::EdDsa], 30);
            Self { cache: Arc::new(cache), file }
        }

        fn publish(&self, keys: &[&Value]) {
            std::fs::write(&self.file, json!({"keys": keys}).to_string()).expect("written");
        }

        /// As a call does: look, wait for the keys when one must, look again.
        async fn finds(&self, name: &str, now: i64) -> bool {
            match self.cache.find(name, now) {
                Found::Wait => self.cache.refresh(Some(name), now).await,
                Found::Key { ahead: true, .. } => self.cache.refresh(None, now).await,
                Found::Key { .. } | Found::Unknown => {}
            }
            matches!(self.cache.find(name, now), Found::Key { .. })
        }
    }

    #[actix_web::test]
    async fn an_unknown_name_is_looked_for_once_in_a_cool_down_by_all_who_wait() {
        let bench = Bench::new("unknown");
        let (first, second) = (key("first"), key("second"));
        bench.publish(&[&first]);
        assert!(bench.finds("first", 1000).await);
        let calls = (0..10_000).map(|number| {
            let bench = &bench;
            async move { bench.finds(&format!("random-{number}"), 1001).await }
        });
        assert!(!futures_util::future::join_all(calls).await.contains(&true));
        assert_eq!(bench.cache.reads(), 2, "one for the first key, one for ten thousand that are none");
        bench.publish(&[&first, &second]);
        assert!(!bench.finds("second", 1030).await, "the cool-down is not over");
        assert!(bench.finds("second", 1031).await);
        assert!(bench.finds("first", 1031).await);
        assert_eq!(bench.cache.reads(), 3);
        let calls = (0..100).map(|_| bench.finds("second", 1032));
        assert!(!futures_util::future::join_all(calls).await.contains(&false));
        assert_eq!(bench.cache.reads(), 3, "a name that was found cools nothing down");
    }

    #[actix_web::test]
    async fn a_key_that_was_taken_away_ends_with_its_time_and_one_of_the_same_name_is_another() {
        let bench = Bench::new("removed");
        let (first, second) = (key("first"), key("second"));
        bench.publish(&[&first, &second]);
        assert!(bench.finds("first", 1000).await);
        let Found::Key { key: held, .. } = bench.cache.find("first", 1000) else { panic!("known") };
        bench.publish(&[&second]);
        assert!(bench.finds("first", 1040).await, "within the time that the source gave");
        assert!(!bench.finds("first", 1060).await);
        assert!(bench.finds("second", 1060).await);
        bench.publish(&[&key("first"), &second]);
        assert!(bench.finds("first", 1200).await);
        assert!(matches!(bench.cache.holds(&held, 1200), Found::Unknown), "the same name, but not the same key");
    }

    #[actix_web::test]
    async fn known_keys_go_on_while_the_source_is_down_and_it_is_asked_once_in_a_cool_down() {
        let bench = Bench::new("down");
        let first = key("first");
        bench.publish(&[&first]);
        assert!(bench.finds("first", 1000).await);
        std::fs::remove_file(&bench.file).expect("removed");
        for now in 1060..1060 + 3600 {
            assert!(bench.finds("first", now).await, "{now}");
        }
        assert_eq!(bench.cache.reads(), 1 + 3600 / 30);
        // Whoever hangs up at once does not make it be asked more often.
        bench.publish(&[&first]);
        let _ = futures_util::future::poll_immediate(Box::pin(bench.cache.refresh(Some("other"), 4700))).await;
        while bench.cache.reads() == 1 + 3600 / 30 || matches!(bench.cache.find("other", 4700), Found::Wait) {
            tokio::task::yield_now().await;
        }
        assert!(matches!(bench.cache.find("other", 4700), Found::Unknown), "it was looked for all the same");
        std::fs::remove_file(&bench.file).expect("removed");
        assert!(bench.finds("first", 4760).await);
        assert!(!bench.finds("first", 4700 + KEPT_SECONDS_MAX).await, "but not for ever");
        bench.publish(&[&first]);
        assert!(bench.finds("first", 4700 + KEPT_SECONDS_MAX + 30).await);
    }

    #[actix_web::test]
    async fn keys_are_read_ahead_of_their_end_beside_the_calls() {
        let bench = Bench::new("ahead");
        let first = key("first");
        bench.publish(&[&first]);
        assert!(bench.finds("first", 1000).await);
        assert!(matches!(bench.cache.find("first", 1047), Found::Key { ahead: false, .. }));
        assert!(matches!(bench.cache.find("first", 1048), Found::Key { ahead: true, .. }));
        assert!(matches!(bench.cache.find("first", 1049), Found::Key { ahead: false, .. }), "one is enough");
        bench.cache.refresh(None, 1050).await;
        assert!(matches!(bench.cache.find("first", 1097), Found::Key { ahead: false, .. }));
        assert!(matches!(bench.cache.find("first", 1098), Found::Key { ahead: true, .. }));
    }
}
