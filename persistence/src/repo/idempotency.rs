//! Answers kept under the caller's idempotency key, so that a repeated request gets the first answer and does nothing.

use diesel::prelude::*;
use lahete_domain::time::Instant;

use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::schema::idempotency_keys;
use crate::sql_types::InstantCol;

/// The first answer to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredAnswer {
    /// A hash of the request, by which another request under the same key is told apart.
    pub fingerprint: Vec<u8>,
    /// The HTTP status.
    pub status: u16,
    /// The headers that belong to the answer.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// When it was given.
    pub created_at: Instant,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = idempotency_keys, check_for_backend(MultiBackend))]
struct AnswerRow {
    fingerprint: Vec<u8>,
    status: i16,
    headers: String,
    body: String,
    created_at: InstantCol,
}

#[derive(Insertable)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
struct NewAnswerRow<'a> {
    caller: &'a str,
    operation: &'a str,
    key: &'a str,
    fingerprint: &'a [u8],
    status: i16,
    headers: String,
    body: &'a str,
    created_at: InstantCol,
}

const TABLE: &str = "idempotency_keys";

impl Db<'_> {
    /// The answer that this caller got to this operation under this key, if any.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn idempotency_find(&mut self, caller: &str, operation: &str, key: &str) -> Result<Option<StoredAnswer>, StoreError> {
        let known = idempotency_keys::table.find((caller, operation, key));
        let row: Option<AnswerRow> = on_backend!(self.conn(), |c| known.select(AnswerRow::as_select()).first(c)).optional()?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(StoredAnswer {
            fingerprint: row.fingerprint,
            status: u16::try_from(row.status).map_err(|_| StoreError::corrupt(TABLE, "status", key))?,
            headers: serde_json::from_str(&row.headers).map_err(|_| StoreError::corrupt(TABLE, "headers", key))?,
            body: row.body,
            created_at: row.created_at.0,
        }))
    }

    /// Keeps an answer, in the transaction that did what it tells of.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] with [`crate::Constraint::IdempotencyKeyTaken`] when the key was used meanwhile; whatever else the database says.
    pub fn idempotency_insert(&mut self, caller: &str, operation: &str, key: &str, answer: &StoredAnswer) -> Result<(), StoreError> {
        let headers = serde_json::to_string(&answer.headers).map_err(|_| StoreError::corrupt(TABLE, "headers", key))?;
        let status = i16::try_from(answer.status).map_err(|_| StoreError::corrupt(TABLE, "status", key))?;
        let row = NewAnswerRow {
            caller,
            operation,
            key,
            fingerprint: &answer.fingerprint,
            status,
            headers,
            body: &answer.body,
            created_at: InstantCol(answer.created_at),
        };
        on_backend!(self.conn(), |c| diesel::insert_into(idempotency_keys::table).values(row).execute(c))?;
        Ok(())
    }

    /// Forgets the answers given before an instant; says how many.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn idempotency_purge(&mut self, before: Instant) -> Result<usize, StoreError> {
        let old = idempotency_keys::table.filter(idempotency_keys::created_at.lt(InstantCol(before)));
        Ok(diesel::delete(old).execute(self.conn())?)
    }
}
