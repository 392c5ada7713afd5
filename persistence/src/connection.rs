//! One connection to either database, how it is opened, and how its transactions begin and end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, InstrumentationEvent, SimpleConnection, TransactionManager};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use secrecy::ExposeSecret;

use crate::error::{StoreError, Trouble};
use crate::inspection::Statements;
use crate::url::DbUrl;

/// A connection to either database; queries are written once for both.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// To a server.
    Postgresql(PgConnection),
    /// To a file.
    Sqlite(SqliteConnection),
}

/// Writes one expression for both databases: where the query builder has no common form (upserts, inserts of several rows), and where a statement is
/// run for every call. The common connection puts the text of a statement together three times each time that it is run; a connection to one
/// database knows a statement by its type.
macro_rules! on_backend {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::connection::AnyConnection::Postgresql($c) => $body,
            $crate::connection::AnyConnection::Sqlite($c) => $body,
        }
    };
}
pub(crate) use on_backend;

/// What a connection is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Reads and writes.
    Write,
    /// Reads alone: SQLite refuses anything else on it.
    Read,
    /// Changes the schema: no time limit on its statements.
    Migrate,
}

/// The first thing that went wrong in the transaction under way.
///
/// A closure turns errors into its own type, and may even drop them. The store must still know of a serialization failure, to try again, and of
/// any failed statement, because PostgreSQL answers the COMMIT of a failed transaction with a silent ROLLBACK, and SQLite may have rolled back
/// everything.
#[derive(Clone, Default)]
pub struct Fate(Arc<Mutex<Option<(Trouble, StoreError)>>>);

impl Fate {
    fn note(&self, error: &diesel::result::Error) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some((Trouble::of(error), StoreError::of(error)));
        }
    }

    /// What went wrong first, if anything; clears it.
    pub fn take(&self) -> Option<(Trouble, StoreError)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The most statements that a connection keeps prepared. A list has one for each choice of filters that somebody has made, and the query builder never
/// lets go of any: beyond this the connection itself is let go, and its successor begins with none.
pub const KEPT_MAX: usize = 500;

/// A connection with what the store knows of its state.
pub struct Session {
    /// The connection.
    pub conn: AnyConnection,
    /// What went wrong in the transaction under way.
    pub fate: Fate,
    /// Never to be used again.
    pub doomed: bool,
    kept: Arc<AtomicUsize>,
}

impl Session {
    fn begin(&mut self, sqlite: &str, postgresql: &str) -> QueryResult<()> {
        self.fate.take();
        match &mut self.conn {
            AnyConnection::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, sqlite),
            AnyConnection::Postgresql(c) => AnsiTransactionManager::begin_transaction_sql(c, postgresql),
        }
    }

    /// Begins a transaction that writes. On SQLite it takes the write lock at once: a reading transaction can never be raised to a writing one safely.
    pub fn begin_write(&mut self) -> QueryResult<()> {
        self.begin("BEGIN IMMEDIATE", "BEGIN ISOLATION LEVEL SERIALIZABLE")
    }

    /// Begins a transaction that adds something new and changes nothing that others decide by.
    pub fn begin_add(&mut self) -> QueryResult<()> {
        self.begin("BEGIN IMMEDIATE", "BEGIN ISOLATION LEVEL REPEATABLE READ")
    }

    /// Begins a transaction that only adds to the journal: nothing is read, so nothing can be out of date.
    pub fn begin_append(&mut self) -> QueryResult<()> {
        self.begin("BEGIN IMMEDIATE", "BEGIN ISOLATION LEVEL READ COMMITTED")
    }

    /// Begins a transaction that reads: every query in it sees the same state.
    pub fn begin_read(&mut self) -> QueryResult<()> {
        self.begin("BEGIN DEFERRED", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    /// Begins a savepoint in the transaction under way.
    pub fn savepoint(&mut self) -> QueryResult<()> {
        AnyConnection::begin_transaction(&mut self.conn)
    }

    /// Commits the transaction, or releases the savepoint.
    pub fn commit(&mut self) -> QueryResult<()> {
        AnyConnection::commit_transaction(&mut self.conn)
    }

    /// Rolls the transaction or the savepoint back.
    pub fn rollback(&mut self) -> QueryResult<()> {
        AnyConnection::rollback_transaction(&mut self.conn)
    }

    /// Ends the transaction, if one is open, without its effects, and says what went wrong in it first. A connection that cannot even do that is
    /// given up.
    pub fn end(&mut self) -> Option<(Trouble, StoreError)> {
        let fate = self.fate.take();
        while self.is_open() && self.rollback().is_ok() {}
        if AnyConnection::is_broken_transaction_manager(&mut self.conn) || matches!(fate, Some((Trouble::Lost, _))) {
            self.doomed = true;
        }
        fate
    }

    /// Whether it is not to be used again: it is broken, or keeps too much.
    pub fn is_spent(&mut self) -> bool {
        self.doomed || self.kept.load(Ordering::Relaxed) > KEPT_MAX || AnyConnection::is_broken_transaction_manager(&mut self.conn)
    }

    fn is_open(&mut self) -> bool {
        matches!(AnyConnection::transaction_manager_status_mut(&mut self.conn).transaction_depth(), Ok(Some(_)))
    }
}

/// Opens connections for r2d2.
#[derive(Clone, Debug)]
pub struct Opener {
    /// To which database.
    pub url: DbUrl,
    /// What for.
    pub purpose: Purpose,
    /// How long one statement may run, on PostgreSQL.
    pub statement_timeout: Duration,
    /// How long SQLite waits for another process's lock.
    pub busy_timeout: Duration,
    /// Where the text of every statement is kept, when a test wants to see it.
    pub statements: Option<Statements>,
}

impl Opener {
    /// Opens one connection and sets it up.
    ///
    /// # Errors
    /// Whatever the database says, without a password in it.
    pub fn open(&self) -> Result<Session, OpenError> {
        let fate = Fate::default();
        let witness = fate.clone();
        let statements = self.statements.clone();
        let kept = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&kept);
        let note = move |event: InstrumentationEvent<'_>| match event {
            InstrumentationEvent::FinishQuery { error: Some(error), .. } => witness.note(error),
            InstrumentationEvent::StartQuery { query, .. } => {
                if let Some(statements) = &statements {
                    statements.note_run(&query.to_string());
                }
            }
            InstrumentationEvent::CacheQuery { sql, .. } => {
                counted.fetch_add(1, Ordering::Relaxed);
                if let Some(statements) = &statements {
                    statements.note_kept(sql);
                }
            }
            _ => {}
        };
        let mut conn = match &self.url {
            DbUrl::Sqlite(path) => {
                let path = path.to_str().ok_or_else(|| OpenError("the path of the database is not UTF-8".into()))?;
                let mut conn = SqliteConnection::establish(path).map_err(OpenError::of)?;
                self.set_up_sqlite(&mut conn).map_err(OpenError::of)?;
                AnyConnection::Sqlite(conn)
            }
            DbUrl::Postgres(url) => {
                let mut conn = PgConnection::establish(url.expose_secret()).map_err(OpenError::of)?;
                conn.batch_execute(&self.postgresql_settings()).map_err(OpenError::of)?;
                expect_english(&mut conn)?;
                AnyConnection::Postgresql(conn)
            }
        };
        conn.set_instrumentation(note);
        Ok(Session { conn, fate, doomed: false, kept })
    }

    fn set_up_sqlite(&self, conn: &mut SqliteConnection) -> QueryResult<()> {
        // First of all: the next line may have to wait for a lock.
        conn.batch_execute(&format!("PRAGMA busy_timeout = {}", self.busy_timeout.as_millis()))?;
        let mode: String = diesel::dsl::sql::<Text>("PRAGMA journal_mode = WAL").get_result(conn)?;
        if mode != "wal" {
            return Err(diesel::result::Error::QueryBuilderError("this file system offers no write-ahead log to SQLite".into()));
        }
        conn.batch_execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;")?;
        // What is erased or sealed anew is overwritten, and not only forgotten. Every commit empties the cache of every reader: more than a megabyte
        // for each of them is never used.
        conn.batch_execute(if self.purpose == Purpose::Read {
            "PRAGMA query_only = ON; PRAGMA cache_size = -1024"
        } else {
            "PRAGMA secure_delete = ON"
        })?;
        Ok(())
    }

    fn postgresql_settings(&self) -> String {
        let limits = match self.purpose {
            Purpose::Migrate => "SET statement_timeout = 0; SET lock_timeout = '10s';".to_owned(),
            // A scan of a whole table locks all of it against the writes of others, and a table that is small today would be scanned: there is an
            // index for every statement, which a test looks after. None of them runs so long that compiling it would pay. Left alone, the planner thinks
            // that a page far down the list is cheaper with a plan for that very page, and plans it anew at each call: the common plan is the one
            // that the test looks at. The common plan does not know how short a page is, and would start other processes to look for it.
            Purpose::Read | Purpose::Write => {
                format!(
                    "SET statement_timeout = {}; SET lock_timeout = '2s'; SET enable_seqscan = off; SET jit = off; \
                     SET plan_cache_mode = force_generic_plan; SET max_parallel_workers_per_gather = 0;",
                    self.statement_timeout.as_millis()
                )
            }
        };
        format!(
            "{limits} SET idle_in_transaction_session_timeout = '10s'; SET TimeZone = 'UTC'; SET client_encoding = 'UTF8'; \
             SET client_min_messages = warning;"
        )
    }
}

/// What went wrong is told apart by the server's words (a deadlock, a full disk), since the driver passes no codes on: they must be English. Only a
/// superuser may set that for a session; for others the server's own setting counts.
fn expect_english(conn: &mut PgConnection) -> Result<(), OpenError> {
    static TOLD: std::sync::Once = std::sync::Once::new();
    let is_english = |language: &str| matches!(language, "C" | "POSIX") || language.starts_with("en") || language.starts_with("C.");
    let now = |conn: &mut PgConnection| diesel::dsl::sql::<Text>("SHOW lc_messages").get_result::<String>(conn).map_err(OpenError::of);
    if is_english(&now(conn)?) {
        return Ok(());
    }
    if conn.batch_execute("SET lc_messages = 'C'").is_err() {
        TOLD.call_once(|| log::warn!("the PostgreSQL server speaks another language than English: set lc_messages = 'C' for the database"));
    }
    Ok(())
}

/// Why a connection could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(String);

impl OpenError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl r2d2::ManageConnection for Opener {
    type Connection = Session;
    type Error = OpenError;

    fn connect(&self) -> Result<Session, OpenError> {
        self.open()
    }

    fn is_valid(&self, session: &mut Session) -> Result<(), OpenError> {
        session.conn.batch_execute("SELECT 1").map_err(OpenError::of)
    }

    fn has_broken(&self, session: &mut Session) -> bool {
        session.is_spent()
    }
}

/// Connections that could not be opened are a warning with the reason; the callers get their answer through the pool's time limit.
#[derive(Debug)]
struct Warn;

impl<E: std::error::Error> r2d2::HandleError<E> for Warn {
    fn handle_error(&self, error: E) {
        log::warn!("no connection to the database: {error}");
    }
}

/// The connections that the store's threads share.
pub type Pool = r2d2::Pool<Opener>;

/// Makes a pool that begins without a database, too, and fills itself when there is one: up to `size` when so many are asked for, `ready` of them
/// ahead of need.
pub fn pool(opener: Opener, size: u32, ready: u32, wait: Duration) -> Pool {
    r2d2::Pool::builder()
        .max_size(size.max(1))
        .min_idle(Some(ready.min(size)))
        .connection_timeout(wait)
        .test_on_check_out(false)
        .error_handler(Box::new(Warn))
        .build_unchecked(opener)
}
