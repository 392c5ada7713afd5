//! A change of data keys while servers are at work.
//!
//! 1. The key that is first in the settings is noted in the database. All servers look there now and then, and read their key file anew.
//! 2. After the time that they need for that, all rows are walked over in small parts, each a transaction of its own: what lies under another key is
//!    sealed with the new one. Identity codes have an index under both keys meanwhile, so that a server that still seals with the old one finds them.
//! 3. The other keys are noted as retired; after the same time no server seals with them any more.
//! 4. The rows are walked over until nothing is found under them, the indexes under them included.
//!
//! It may be ended anywhere and begun again: what is done is found done.

use std::time::Duration;

use lahete_domain::time::{Clock, Instant};

use super::{Store, Writing};
use crate::db::Db;
use crate::error::StoreError;
use crate::repo::data_keys::{SeenKey, expect_all};
use crate::repo::sealed::{KeyUse, Resealed, SEALED_TABLES};

/// How often servers look which keys the database has seen.
pub const KEYS_LOOK_EVERY: Duration = Duration::from_secs(15);

/// How often a part is tried again while the database is busy with others.
const TRIES: u32 = 60;

/// How a change of keys is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RotationOptions {
    /// Rows in one transaction: the database is shared with everybody who waits for an answer.
    pub part: u16,
    /// How long servers need to take notice; more than [`KEYS_LOOK_EVERY`].
    pub settle: Duration,
    /// How long to leave the database alone after each part.
    pub pause: Duration,
}

impl Default for RotationOptions {
    fn default() -> Self {
        Self { part: 100, settle: KEYS_LOOK_EVERY + Duration::from_secs(5), pause: Duration::from_millis(10) }
    }
}

/// How far a change of keys is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RotationStep {
    /// Waiting until all servers know.
    Settling(Duration),
    /// In the `walk`th walk over all rows.
    Walking {
        /// Which walk, from 1.
        walk: u32,
        /// Rows looked at in it.
        looked_at: u64,
        /// Rows that there are.
        of: u64,
        /// Rows sealed anew in it.
        resealed: u64,
    },
}

/// What a change of keys has done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RotationReport {
    /// The key that all is under now.
    pub current: u8,
    /// Rows looked at.
    pub looked_at: u64,
    /// Rows sealed anew.
    pub resealed: u64,
    /// Rows that could not be opened, each with its table.
    pub refused: Vec<(&'static str, String)>,
    /// What lies under which key now.
    pub uses: Vec<KeyUse>,
}

impl RotationReport {
    /// The keys besides the one in use that are still needed.
    #[must_use]
    pub fn still_needed(&self) -> Vec<u8> {
        still_needed(&self.uses, self.current)
    }
}

/// The keys besides the current one under which there are values.
#[must_use]
pub fn still_needed(uses: &[KeyUse], current: u8) -> Vec<u8> {
    let mut ids: Vec<u8> = uses.iter().filter_map(|usage| usage.key).filter(|id| *id != current).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

impl Store {
    /// Notes the key in use in the database, and takes over what is noted there; reads the keys anew before, where that is possible. Servers do it at
    /// start and every [`KEYS_LOOK_EVERY`].
    ///
    /// # Errors
    /// [`StoreError::WrongDataKey`] when the database was sealed with another key of the same id, [`StoreError::MissingDataKey`] when it needs one that
    /// is not here; whatever the database says.
    pub async fn look_at_keys(&self, now: Instant) -> Result<Vec<SeenKey>, StoreError> {
        self.keys().reread();
        // Most looks find nothing to note.
        let seen = self.read_at_any_rate(|db: &mut Db<'_>| db.data_keys_observe()).await?;
        expect_all(self.keys(), &seen)?;
        let current = self.keys().current_id();
        let own = self.keys().check_value(current);
        if seen.iter().any(|key| key.id == current && own.is_some_and(|own| own.as_slice() == key.check_value.as_slice())) {
            return Ok(seen);
        }
        self.write(move |db: &mut Db<'_>| db.data_key_enrol(now, false)).await
    }

    /// What lies under which key; reads whole tables, however long it takes.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        let context = self.context();
        self.with_own_connection(move |session| Db::new(&mut session.conn, &context).key_uses()).await
    }

    /// Seals everything with the key that is first in the settings.
    ///
    /// # Errors
    /// [`StoreError::WrongDataKey`] when the database was sealed with another key of the same id; whatever the database says. What was done before
    /// stays done.
    pub async fn rotate_keys(
        &self,
        options: RotationOptions,
        clock: &dyn Clock,
        mut progress: impl FnMut(RotationStep),
    ) -> Result<RotationReport, StoreError> {
        let now = clock.now();
        self.write(move |db: &mut Db<'_>| db.data_key_enrol(now, true)).await?;
        let mut report = RotationReport { current: self.keys().current_id(), ..RotationReport::default() };
        let context = self.context();
        let of = self.with_own_connection(move |session| Db::new(&mut session.conn, &context).sealed_rows()).await?;
        settle(options, &mut progress).await;
        self.walk(options, 1, of, &mut report, &mut progress).await?;
        let (current, now) = (report.current, clock.now());
        let retired = self.write(move |db: &mut Db<'_>| db.data_keys_retire_others(current, now)).await?;
        self.write(|db: &mut Db<'_>| db.data_keys_observe()).await?;
        if retired > 0 {
            settle(options, &mut progress).await;
        }
        let mut walk = 2;
        // The first of these takes away the indexes under the old keys; another one is needed only if somebody was slow to take notice.
        while self.walk(options, walk, of, &mut report, &mut progress).await? > 0 && walk < 10 {
            walk += 1;
        }
        report.uses = self.key_uses().await?;
        Ok(report)
    }

    /// Walks over all rows once; gives how many were sealed anew.
    async fn walk(
        &self,
        options: RotationOptions,
        walk: u32,
        of: u64,
        report: &mut RotationReport,
        progress: &mut impl FnMut(RotationStep),
    ) -> Result<u64, StoreError> {
        let (mut looked_at, mut resealed) = (0, 0);
        report.refused.clear();
        for sealed in SEALED_TABLES {
            let mut after: Option<String> = None;
            loop {
                let (from, part) = (after.clone(), i64::from(options.part));
                let done = self.insist(move |db: &mut Db<'_>| (sealed.reseal)(db, from.as_deref(), part)).await?;
                looked_at += done.looked_at;
                resealed += done.resealed;
                report.refused.extend(done.refused.into_iter().map(|id| (sealed.table, id)));
                progress(RotationStep::Walking { walk, looked_at, of: of.max(looked_at), resealed });
                let Some(next) = done.next else { break };
                after = Some(next);
                if done.resealed > 0 {
                    tokio::time::sleep(options.pause).await;
                }
            }
        }
        report.looked_at += looked_at;
        report.resealed += resealed;
        Ok(resealed)
    }

    /// A part waits for as long as others keep the database busy: it is nobody's answer.
    async fn insist(
        &self,
        part: impl FnMut(&mut Db<'_>) -> Result<Resealed, StoreError> + Send + Clone + 'static,
    ) -> Result<Resealed, StoreError> {
        let mut tries = 0;
        loop {
            match self.write_as(Writing::Add, part.clone()).await {
                Err(StoreError::Busy | StoreError::DeadlineExceeded | StoreError::Unavailable) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                other => return other,
            }
        }
    }
}

async fn settle(options: RotationOptions, progress: &mut impl FnMut(RotationStep)) {
    if !options.settle.is_zero() {
        progress(RotationStep::Settling(options.settle));
        tokio::time::sleep(options.settle).await;
    }
}
