//! What can go wrong in the store, as a closed set; no SQL and no value of a row is in any of it.

use std::fmt;
use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error};

use crate::constraint::Constraint;

/// Why the store did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The queue is full or a lock was not to be had: come again shortly.
    #[error("the store is busy")]
    Busy,
    /// The database cannot be reached, or the store is being closed.
    #[error("the database is unavailable")]
    Unavailable,
    /// No answer in time. Whether a write was done is unknown.
    #[error("the database did not answer in time")]
    DeadlineExceeded,
    /// No room left on the database's disk.
    #[error("the database has no room left")]
    StorageFull,
    /// A guarded update found another version than expected, or no row.
    #[error("the stored version is another one")]
    Stale,
    /// A rule of the schema refused the write.
    #[error("the database refused the write: {0}")]
    Constraint(Constraint),
    /// A stored row does not mean anything.
    #[error("{table}.{column} of row {id} holds a value that has no meaning")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row.
        id: String,
    },
    /// The database was migrated by a newer program.
    #[error("the schema is at version {version}, which this program does not know")]
    SchemaTooNew {
        /// The unknown migration.
        version: String,
    },
    /// The database was sealed with another data key of the same id.
    #[error("the data key {id} is not the one that the database was sealed with")]
    WrongDataKey {
        /// The id of both.
        id: u8,
    },
    /// The database holds values under a data key that is not configured.
    #[error("the database holds values under the data key {id}, which is not configured")]
    MissingDataKey {
        /// The id of the key.
        id: u8,
    },
    /// The closure panicked; nothing was written.
    #[error("the operation was given up after a fault in the program")]
    Panicked,
    /// Anything else that the database said.
    #[error("the database failed: {0}")]
    Database(DatabaseFault),
}

/// An error of the database without the values that were in it.
#[derive(Clone)]
pub struct DatabaseFault(Arc<str>);

impl DatabaseFault {
    pub(crate) fn new(text: &str) -> Self {
        Self(Arc::from(without_values(text)))
    }
}

impl fmt::Display for DatabaseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DatabaseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// PostgreSQL quotes names and values alike, and only in the first line; what lies between the first and the last quote is left out.
fn without_values(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match (line.find('"'), line.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            let (before, after) = (line.get(..first).unwrap_or_default(), line.get(last + 1..).unwrap_or_default());
            format!("{before}…{after}")
        }
        _ => line.to_owned(),
    }
}

/// What an error means for the transaction that it happened in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// Two transactions got in each other's way: the same closure may well succeed now.
    Collision,
    /// The connection is gone.
    Lost,
    /// Another try would end the same way.
    Final,
}

impl Trouble {
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Self::Collision,
            // Two have written down the same person at the same moment: the second one finds the first one's client when it looks again.
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information)
                if matches!(
                    information.constraint_name(),
                    Some("clients_programme_id_identity_code_key" | "clients_programme_id_identity_code_2_key")
                ) =>
            {
                Self::Collision
            }
            Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _) | Error::BrokenTransactionManager => Self::Lost,
            Error::DatabaseError(_, information) => match information.message() {
                "deadlock detected" => Self::Collision,
                text if LOST.iter().any(|sign| text.contains(sign)) => Self::Lost,
                _ => Self::Final,
            },
            Error::RollbackErrorOnCommit { commit_error, .. } => Self::of(commit_error),
            _ => Self::Final,
        }
    }
}

/// libpq has no code for most of these, only words.
const LOST: [&str; 8] = [
    "terminating connection",
    "server closed the connection",
    "no connection to the server",
    "could not receive data from server",
    "could not send data to server",
    "connection not open",
    "the database system is",
    "SSL connection has been closed",
];

impl StoreError {
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::DatabaseError(kind, information) => {
                if let Some(constraint) = Constraint::of(*kind, information.as_ref()) {
                    return Self::Constraint(constraint);
                }
                let text = information.message();
                match Trouble::of(error) {
                    Trouble::Collision => return Self::Busy,
                    Trouble::Lost => return Self::Unavailable,
                    Trouble::Final => {}
                }
                let has = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
                if has(&["database or disk is full", "No space left on device"]) {
                    Self::StorageFull
                } else if has(&["database is locked", "database table is locked", "due to lock timeout"]) {
                    Self::Busy
                } else if has(&["due to statement timeout"]) {
                    Self::DeadlineExceeded
                } else if has(&["unable to open database file", "disk I/O error"]) {
                    Self::Unavailable
                } else {
                    Self::Database(DatabaseFault::new(text))
                }
            }
            Error::BrokenTransactionManager => Self::Unavailable,
            Error::RollbackErrorOnCommit { commit_error, .. } => Self::of(commit_error),
            // Only the reason behind it tells what is wrong with the column; ours name the type and never the value.
            Error::DeserializationError(outer) => {
                let inner = outer.source().map_or_else(String::new, |inner| format!(": {inner}"));
                Self::Database(DatabaseFault::new(&format!("{outer}{inner}")))
            }
            other => Self::Database(DatabaseFault::new(&other.to_string())),
        }
    }

    /// Builds [`StoreError::Corrupt`] for a row that does not turn into a value of the domain.
    pub fn corrupt(table: &'static str, column: &'static str, id: impl fmt::Display) -> Self {
        Self::Corrupt { table, column, id: id.to_string() }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self::of(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_never_reach_a_message() {
        let fault = DatabaseFault::new("invalid input syntax for type uuid: \"010190-123X\" at \"x\"!\nDETAIL: 010190-123X");
        assert_eq!(fault.to_string(), "invalid input syntax for type uuid: …!");
        assert_eq!(format!("{fault:?}"), fault.to_string());
    }
}
