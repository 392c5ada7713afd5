//! The store's front: admission, deadlines and answers. What runs where is in [`sqlite`] and [`postgresql`].

mod job;
mod journal;
mod postgresql;
mod queue;
mod reserve;
mod rotation;
mod sqlite;
mod stats;
mod verification;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::prelude::*;
use lahete_domain::ids::IdSource;

use crate::cipher::Keys;
use crate::connection::{AnyConnection, Opener, Purpose, Session};
use crate::db::{Context, Db};
use crate::error::StoreError;
use crate::inspection::Statements;
use crate::migrations::{self, SchemaState};
use crate::repo::records::{Fate, TABLES};
use crate::repo::trail::{Anchor, TrailKey, VerifyReport};
use crate::url::DbUrl;

pub(crate) use journal::Heads;
pub use rotation::{KEYS_LOOK_EVERY, RotationOptions, RotationReport, RotationStep, still_needed};
use stats::Counters;
pub use stats::StoreStats;

/// How long [`Store::close`] waits for work under way, if the database does not answer.
const CLOSE_LIMIT: Duration = Duration::from_secs(20);

/// Which database is behind the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backend {
    /// A file of SQLite.
    Sqlite,
    /// A PostgreSQL server.
    Postgresql,
}

/// What a write does to what is there, which decides how far PostgreSQL must keep it apart from others. SQLite has one writer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Writing {
    /// It changes, or decides by what others may change: SERIALIZABLE.
    Change,
    /// It adds something new, and what must not be there twice is kept so by unique indexes: REPEATABLE READ. New rows go to the same end of the
    /// same indexes, so that SERIALIZABLE would hold almost any two of these to be in each other's way.
    Add,
}

/// How the store works.
#[derive(Clone)]
pub struct StoreOptions {
    /// The keys for sealed columns.
    pub keys: Arc<Keys>,
    /// Where new ids come from.
    pub ids: Arc<dyn IdSource>,
    /// How long a caller waits before the answer is [`StoreError::DeadlineExceeded`].
    pub deadline: Duration,
    /// SQLite: threads for long reads, each with a connection; and as many connections for short reads on the callers' threads.
    pub readers: usize,
    /// PostgreSQL: threads that read and write, each with a connection.
    pub connections: usize,
    /// How many reads may wait; on PostgreSQL how many calls of both kinds. Beyond it, the answer is [`StoreError::Busy`] at once.
    pub read_queue: usize,
    /// How many writes and journal entries may wait.
    pub write_queue: usize,
    /// How many calls may be under way, waiting ones included. Beyond it, the answer is [`StoreError::Busy`] at once: whoever waits behind more than
    /// that waits longer than it is worth, and makes all others wait, too.
    pub in_flight: usize,
    /// SQLite: bytes kept free beside the database, so that reads can still be put on record when the disk is full; 0 keeps none.
    pub reserve: u64,
    /// How many waiting writes one commit may make durable.
    pub group_limit: usize,
    /// How long a thread waits for a connection from the pool.
    pub pool_timeout: Duration,
    /// SQLite: how long a lock of another process is waited for.
    pub busy_timeout: Duration,
    /// PostgreSQL: how often a closure is run again after a collision or a lost connection.
    pub retries: u32,
    /// Where the text of every statement is kept: for tests that look at the plans of the database.
    #[doc(hidden)]
    pub statements: Option<Statements>,
}

impl StoreOptions {
    /// The values that suit a small server.
    #[must_use]
    pub fn new(keys: Arc<Keys>, ids: Arc<dyn IdSource>) -> Self {
        Self {
            keys,
            ids,
            // An answer is due in five seconds, whatever the database does; one of them is for the way.
            deadline: Duration::from_secs(4),
            readers: std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8),
            connections: 10,
            read_queue: 256,
            write_queue: 256,
            in_flight: 64,
            reserve: 0,
            group_limit: 128,
            pool_timeout: Duration::from_secs(2),
            busy_timeout: Duration::from_secs(2),
            // With three, one of eight calls that came at the same moment was sent away now and then.
            retries: 8,
            statements: None,
        }
    }

    fn opener(&self, url: &DbUrl, purpose: Purpose) -> Opener {
        Opener {
            url: url.clone(),
            purpose,
            statement_timeout: self.deadline,
            busy_timeout: self.busy_timeout,
            statements: self.statements.clone(),
        }
    }
}

/// The store. Clones share the same threads and connections; the last one to go stops them.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    url: DbUrl,
    options: StoreOptions,
    counters: Arc<Counters>,
    in_flight: AtomicUsize,
    heads: Arc<Heads>,
    engine: Engine,
}

/// A call's place among those under way.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(inner: &'a Inner) -> Option<Self> {
        let place = Self(&inner.in_flight);
        (place.0.fetch_add(1, Ordering::Relaxed) < inner.options.in_flight).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

enum Engine {
    Sqlite(sqlite::Engine),
    Postgresql(postgresql::Engine),
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.inner.url)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        match &self.engine {
            Engine::Sqlite(engine) => engine.stop(),
            Engine::Postgresql(engine) => engine.stop(),
        }
    }
}

impl Store {
    /// Starts the store's threads. A PostgreSQL server need not be up yet; a SQLite file is created when there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when a SQLite file cannot be opened or a thread cannot be started; the reason is in the log.
    pub fn open(url: &DbUrl, options: StoreOptions) -> Result<Self, StoreError> {
        let counters = Arc::new(Counters::default());
        let heads = Arc::new(Heads::default());
        let context = Context { keys: options.keys.clone(), ids: options.ids.clone(), heads: heads.clone() };
        let engine = match url {
            DbUrl::Sqlite(_) => Engine::Sqlite(sqlite::Engine::start(url, &options, context, &counters)?),
            DbUrl::Postgres(_) => Engine::Postgresql(postgresql::Engine::start(url, &options, context, &counters)?),
        };
        Ok(Self { inner: Arc::new(Inner { url: url.clone(), options, counters, in_flight: AtomicUsize::new(0), heads, engine }) })
    }

    /// Runs a closure that only reads, in a transaction in which every query sees the same state. The answer waits until the events that it noted
    /// with [`Db::audit`] are durable.
    ///
    /// On SQLite the closure runs on the caller's thread, so it must be short: rows found by an index, one page of a list. For anything longer
    /// there is [`Store::read_apart`].
    ///
    /// # Errors
    /// The closure's own, or a [`StoreError`] turned into it.
    pub async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Db<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let Some(_place) = Place::take(&self.inner) else { return self.refuse(StoreError::Busy) };
        self.read_at_any_rate(f).await
    }

    /// As [`Store::read`], however many calls are under way: for those who ask how the store is.
    async fn read_at_any_rate<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Db<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, answer) = job::task(f, self.inner.counters.clone());
        Counters::add(&self.inner.counters.reads, 1);
        let admitted = match &self.inner.engine {
            Engine::Sqlite(engine) => engine.read(job),
            Engine::Postgresql(engine) => engine.read(job),
        };
        self.answer(admitted, answer).await
    }

    /// As [`Store::read`], on one of the store's own threads: for reports, and whatever else takes its time.
    ///
    /// # Errors
    /// The closure's own, or a [`StoreError`] turned into it.
    pub async fn read_apart<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Db<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let Some(_place) = Place::take(&self.inner) else { return self.refuse(StoreError::Busy) };
        let (job, answer) = job::task(f, self.inner.counters.clone());
        Counters::add(&self.inner.counters.reads, 1);
        let admitted = match &self.inner.engine {
            Engine::Sqlite(engine) => engine.read_apart(job),
            Engine::Postgresql(engine) => engine.read(job),
        };
        self.answer(admitted, answer).await
    }

    /// Runs a closure that writes, in a transaction of its own, and answers when it is durable. The closure may be run more than once before one
    /// run is committed, so it must have no effect but on the database.
    ///
    /// # Errors
    /// The closure's own, after which nothing is written, or a [`StoreError`] turned into it.
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Db<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write_as(Writing::Change, f).await
    }

    /// As [`Store::write`], with a word on what is written.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_as<T, E, F>(&self, writing: Writing, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Db<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let Some(_place) = Place::take(&self.inner) else { return self.refuse(StoreError::Busy) };
        let (job, answer) = job::task(f, self.inner.counters.clone());
        Counters::add(&self.inner.counters.writes, 1);
        let admitted = match &self.inner.engine {
            Engine::Sqlite(engine) => engine.write(job),
            Engine::Postgresql(engine) => engine.write(writing, job),
        };
        self.answer(admitted, answer).await
    }

    fn refuse<T, E: From<StoreError>>(&self, error: StoreError) -> Result<T, E> {
        Counters::add(&self.inner.counters.refused, 1);
        Err(E::from(error))
    }

    /// Whether so many calls are under way that another one would be refused. By the time of the call it may be otherwise: this is for whoever wants
    /// to spare the work before it.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.inner.in_flight.load(Ordering::Relaxed) >= self.inner.options.in_flight
    }

    /// Whether there is room for writes on the disk of a SQLite database; after a full disk, looks at it again. A PostgreSQL server looks after its
    /// disk itself.
    pub async fn has_room(&self) -> bool {
        match &self.inner.engine {
            Engine::Sqlite(engine) if engine.is_full() => {
                let probe = |_: &mut Db<'_>| -> Result<(), StoreError> { Ok(()) };
                !matches!(self.write(probe).await, Err(StoreError::StorageFull))
            }
            _ => true,
        }
    }

    /// The deadline lies here and not in the database: a frozen server sends no timeout. The thread that runs the closure stays taken until it
    /// really comes back.
    async fn answer<T, E>(&self, admitted: Result<(), StoreError>, answer: job::Answer<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        if let Err(error) = admitted {
            return self.refuse(error);
        }
        match tokio::time::timeout(self.inner.options.deadline, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(E::from(StoreError::Unavailable)),
            Err(_) => {
                Counters::add(&self.inner.counters.expired, 1);
                Err(E::from(StoreError::DeadlineExceeded))
            }
        }
    }

    /// Asks the database for a sign of life, through the same queue as any read.
    ///
    /// # Errors
    /// [`StoreError::Busy`], [`StoreError::Unavailable`] or [`StoreError::DeadlineExceeded`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read_at_any_rate(|db: &mut Db<'_>| {
            diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("1")).get_result::<i32>(db.conn())?;
            Ok(())
        })
        .await
    }

    /// Compares the database's schema with this program.
    ///
    /// # Errors
    /// As [`Store::ping`].
    pub async fn schema_state(&self) -> Result<SchemaState, StoreError> {
        self.read_at_any_rate(|db: &mut Db<'_>| migrations::state(db.conn())).await
    }

    /// Brings the schema up to date, however long it takes; gives the versions that were run.
    ///
    /// # Errors
    /// [`StoreError::SchemaTooNew`] when a newer program was here; whatever the database says, after which the failed migration has left no trace.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        self.with_own_connection(|session| migrations::run(&mut session.conn)).await
    }

    /// Takes all migrations back. All data is lost.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn revert_migrations(&self) -> Result<Vec<String>, StoreError> {
        self.with_own_connection(|session| migrations::revert(&mut session.conn)).await
    }

    /// Takes the newest migration back, with the data that came with it; gives its version.
    ///
    /// # Errors
    /// Whatever the database says.
    #[doc(hidden)]
    pub async fn revert_newest_migration(&self) -> Result<String, StoreError> {
        self.with_own_connection(|session| migrations::revert_newest(&mut session.conn)).await
    }

    /// Checks the whole audit trail against itself, however long it takes. `progress` hears now and then how many events were read.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn verify_audit_trail(&self, progress: impl FnMut(u64) + Send + 'static) -> Result<VerifyReport, StoreError> {
        self.verify_audit_trail_against(Vec::new(), None, progress).await
    }

    /// Checks the whole audit trail against itself and against what was signed outside the database.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn verify_audit_trail_against(
        &self,
        anchors: Vec<Anchor>,
        key: Option<Arc<dyn TrailKey>>,
        mut progress: impl FnMut(u64) + Send + 'static,
    ) -> Result<VerifyReport, StoreError> {
        let context = self.context();
        // No transaction around it: a long one would keep SQLite's log from being emptied, and what is behind in a chain never changes.
        self.with_own_connection(move |session| {
            verification::verify(&mut Db::new(&mut session.conn, &context), &anchors, key.as_deref(), &mut progress)
        })
        .await
    }

    /// Where the chains of this program stand: the last event of each that is durable.
    #[must_use]
    pub fn trail_heads(&self) -> Vec<Anchor> {
        self.inner.heads.all()
    }

    /// How many events this program has made durable.
    #[must_use]
    pub fn trail_events(&self) -> u64 {
        self.inner.heads.events()
    }

    /// Runs a closure that only reads on a connection of its own, however long it takes and in no transaction: for what counts through whole tables.
    ///
    /// # Errors
    /// The closure's, or [`StoreError::Unavailable`].
    pub async fn count_apart<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Db<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let context = self.context();
        self.with_own_connection(move |session| f(&mut Db::new(&mut session.conn, &context))).await
    }

    /// Takes what was erased out of what the database keeps beside its tables. On SQLite that is the log, which is moved into the file and emptied;
    /// the file itself is overwritten at once. On PostgreSQL the tables are vacuumed, after which the old rows can be read by no statement any more;
    /// their bytes go when a page is used again, or with `VACUUM FULL`, which locks the table.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Busy`] when somebody reads so long that SQLite's log cannot be emptied now.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        self.with_own_connection(|session| match &mut session.conn {
            AnyConnection::Sqlite(c) => {
                let busy = diesel::dsl::sql::<diesel::sql_types::Integer>("PRAGMA wal_checkpoint(TRUNCATE)").get_result::<i32>(c)?;
                if busy == 0 { Ok(()) } else { Err(StoreError::Busy) }
            }
            AnyConnection::Postgresql(c) => {
                let changed = TABLES.iter().filter(|table| table.fate != Fate::Keep);
                let tables: Vec<&str> = changed.map(|table| table.name).collect();
                Ok(diesel::connection::SimpleConnection::batch_execute(c, &format!("VACUUM {}", tables.join(", ")))?)
            }
        })
        .await
    }

    async fn with_own_connection<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let opener = self.inner.options.opener(&self.inner.url, Purpose::Migrate);
        let (send, receive) = tokio::sync::oneshot::channel();
        job::spawn("store-schema", move || {
            let result = opener.open().map_err(job::unavailable).and_then(|mut session| f(&mut session));
            // Nobody waits any more: there is no one to tell.
            let _ = send.send(result);
        })?;
        receive.await.unwrap_or(Err(StoreError::Unavailable))
    }

    /// The keys for sealed columns.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.inner.options.keys
    }

    fn context(&self) -> Context {
        Context { keys: self.inner.options.keys.clone(), ids: self.inner.options.ids.clone(), heads: self.inner.heads.clone() }
    }

    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match self.inner.engine {
            Engine::Sqlite(_) => Backend::Sqlite,
            Engine::Postgresql(_) => Backend::Postgresql,
        }
    }

    /// The database, as it may be shown.
    #[must_use]
    pub fn url(&self) -> &DbUrl {
        &self.inner.url
    }

    /// What the store has done since it was opened.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        self.inner.counters.snapshot()
    }

    /// Takes no more work, finishes what was accepted, moves SQLite's log into its file and stops the threads.
    pub async fn close(&self) {
        let threads = match &self.inner.engine {
            Engine::Sqlite(engine) => engine.threads(),
            Engine::Postgresql(engine) => engine.threads(),
        };
        let (send, receive) = tokio::sync::oneshot::channel::<()>();
        let closer = job::spawn("store-close", move || {
            for part in threads {
                part.finish();
            }
            let _ = send.send(());
        });
        if closer.is_err() || tokio::time::timeout(CLOSE_LIMIT, receive).await.is_err() {
            log::error!("the store was closed while the database still owed answers");
        }
    }
}

#[cfg(test)]
mod tests;
