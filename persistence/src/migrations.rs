//! The schema's versions, embedded in the program: one set for each database, under the same names.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::connection::{AnyConnection, on_backend};
use crate::error::{DatabaseFault, StoreError};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRESQL: EmbeddedMigrations = embed_migrations!("../migrations/postgresql");

/// Any number that no other program would lock in the same database.
const LOCK: &str = "SELECT pg_advisory_lock(7710432016220261122)";

/// How the schema of the database stands to this program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SchemaState {
    /// Just what the program was written for.
    Current,
    /// Migrations are waiting.
    Behind,
    /// Made by a newer program; the first unknown migration.
    TooNew(String),
}

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    log::error!("a migration failed: {}", DatabaseFault::new(&error.to_string()));
    match error.downcast::<diesel::result::Error>() {
        Ok(error) => StoreError::of(&error),
        Err(error) => StoreError::Database(DatabaseFault::new(&error.to_string())),
    }
}

fn all<C, DB>(_: &C, source: &EmbeddedMigrations) -> Outcome<Vec<String>>
where
    C: Connection<Backend = DB>,
    DB: diesel::backend::Backend,
{
    let migrations = diesel::migration::MigrationSource::<DB>::migrations(source)?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// Brings the schema up to this program; gives the versions that were run.
pub(crate) fn run(conn: &mut AnyConnection) -> Result<Vec<String>, StoreError> {
    fn go<C, DB>(conn: &mut C, source: EmbeddedMigrations) -> Outcome<Result<Vec<String>, StoreError>>
    where
        C: MigrationHarness<DB> + Connection<Backend = DB>,
        DB: diesel::backend::Backend,
    {
        let applied = conn.applied_migrations()?.iter().map(ToString::to_string).collect();
        if let SchemaState::TooNew(version) = compare(applied, &all(conn, &source)?) {
            return Ok(Err(StoreError::SchemaTooNew { version }));
        }
        Ok(Ok(conn.run_pending_migrations(source)?.iter().map(ToString::to_string).collect()))
    }
    match conn {
        AnyConnection::Sqlite(c) => go(c, SQLITE).map_err(failed)?,
        AnyConnection::Postgresql(c) => {
            // Two servers that start together must not both migrate; the lock ends with the connection.
            c.batch_execute(LOCK)?;
            go(c, POSTGRESQL).map_err(failed)?
        }
    }
}

/// Takes all migrations back, newest first; all data is lost.
pub(crate) fn revert(conn: &mut AnyConnection) -> Result<Vec<String>, StoreError> {
    let reverted = match conn {
        AnyConnection::Sqlite(c) => c.revert_all_migrations(SQLITE),
        AnyConnection::Postgresql(c) => {
            c.batch_execute(LOCK)?;
            c.revert_all_migrations(POSTGRESQL)
        }
    };
    reverted.map(|versions| versions.iter().map(ToString::to_string).collect()).map_err(failed)
}

/// Takes the newest migration back, with the data that came with it; gives its version.
pub(crate) fn revert_newest(conn: &mut AnyConnection) -> Result<String, StoreError> {
    let reverted = match conn {
        AnyConnection::Sqlite(c) => c.revert_last_migration(SQLITE),
        AnyConnection::Postgresql(c) => c.revert_last_migration(POSTGRESQL),
    };
    reverted.map(|version| version.to_string()).map_err(failed)
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

/// Compares the schema with the program, without changing anything.
pub(crate) fn state(conn: &mut AnyConnection) -> Result<SchemaState, StoreError> {
    let source = match conn {
        AnyConnection::Sqlite(_) => &SQLITE,
        AnyConnection::Postgresql(_) => &POSTGRESQL,
    };
    // The trait of migrations is implemented for each database, not for the common connection.
    let known = on_backend!(conn, |c| all(c, source)).map_err(failed)?;
    if !has_table(conn)? {
        return Ok(SchemaState::Behind);
    }
    let applied = __diesel_schema_migrations::table.select(__diesel_schema_migrations::version).load::<String>(conn)?;
    Ok(compare(applied, &known))
}

/// Notes a version as if its migration had been run.
pub(crate) fn pretend(conn: &mut AnyConnection, version: &str) -> Result<(), StoreError> {
    diesel::insert_into(__diesel_schema_migrations::table).values(__diesel_schema_migrations::version.eq(version)).execute(conn)?;
    Ok(())
}

fn has_table(conn: &mut AnyConnection) -> QueryResult<bool> {
    // Each database keeps its list of tables elsewhere.
    let query = match conn {
        AnyConnection::Sqlite(_) => "SELECT count(*) FROM sqlite_master WHERE name = '__diesel_schema_migrations'",
        AnyConnection::Postgresql(_) => "SELECT count(to_regclass('__diesel_schema_migrations'))",
    };
    let count: i64 = diesel::dsl::sql::<diesel::sql_types::BigInt>(query).get_result::<i64>(conn)?;
    Ok(count > 0)
}

fn compare(mut applied: Vec<String>, known: &[String]) -> SchemaState {
    applied.sort_unstable();
    if let Some(version) = applied.iter().find(|version| !known.contains(version)) {
        return SchemaState::TooNew(version.clone());
    }
    if known.iter().all(|version| applied.contains(version)) { SchemaState::Current } else { SchemaState::Behind }
}
