//! Answers kept under the caller's idempotency key, so that a repeated request gets the first answer and does nothing.
//!
//! An answer says what the caller was told of a client. So it is kept sealed, and tied to the client whom the audit events of its transaction name: an
//! erasure takes it along. What was asked for is kept as a hash alone.

use diesel::prelude::*;
use lahete_domain::ids::{ClientId, Id, StoredAnswerId};
use lahete_domain::time::Instant;

use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::repo::sealed::{self, Resealed};
use crate::schema::idempotency_keys;
use crate::sql_types::{IdCol, InstantCol};

/// The first answer to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredAnswer {
    /// A hash of the request, by which another request under the same key is told apart.
    pub fingerprint: Vec<u8>,
    /// The HTTP status.
    pub status: u16,
    /// The headers that belong to the answer, and its body; none when the answer is no longer kept, though what was asked for was done.
    pub told: Option<Told>,
    /// When it was given.
    pub created_at: Instant,
}

/// What an answer says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = idempotency_keys, check_for_backend(MultiBackend))]
struct AnswerRow {
    id: IdCol<StoredAnswerId>,
    fingerprint: Vec<u8>,
    status: i16,
    answer: Option<Vec<u8>>,
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
    created_at: InstantCol,
    id: IdCol<StoredAnswerId>,
    client_id: Option<IdCol<ClientId>>,
    answer: Option<Vec<u8>>,
}

const TABLE: &str = "idempotency_keys";

/// The column that is sealed; the row is named by `id`. No row is older than [`Db::idempotency_purge`] lets it become.
const ANSWER: &str = "answer";

type AnswerKey = (String, String, String);

impl Db<'_> {
    /// Seals with the key in use what of some stored answers is sealed with another one; a part of a walk over all of them. The place is that of the
    /// primary key, since nothing else about them is sorted.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn stored_answers_reseal(&mut self, after: Option<&str>, limit: i64) -> Result<Resealed, StoreError> {
        use idempotency_keys::{answer, caller, id, key, operation};
        let columns = ((caller, operation, key), id, answer);
        let mut query = idempotency_keys::table.select(columns).order((caller, operation, key)).limit(limit).into_boxed::<MultiBackend>();
        if let Some((at, of, behind)) = after.and_then(|place| serde_json::from_str::<AnswerKey>(place).ok()) {
            let rest = operation.gt(of.clone()).or(operation.eq(of).and(key.gt(behind)));
            query = query.filter(caller.ge(at.clone())).filter(caller.gt(at).or(rest));
        }
        let rows: Vec<(AnswerKey, IdCol<StoredAnswerId>, Option<Vec<u8>>)> = query.load(self.conn())?;
        let last = rows.last().and_then(|(place, ..)| serde_json::to_string(place).ok());
        let mut done = Resealed::of(rows.len(), limit, last);
        for (place, row, old) in rows {
            let Some(old) = old else { continue };
            match sealed::reseal_bytes(self.keys(), TABLE, ANSWER, row.0.as_uuid(), &old) {
                Ok(None) => {}
                Ok(Some(new)) => {
                    done.resealed += 1;
                    diesel::update(idempotency_keys::table.find(place)).set(answer.eq(new)).execute(self.conn())?;
                }
                Err(_) => done.refused.push(row.0.to_string()),
            }
        }
        Ok(done)
    }

    /// The answer that this caller got to this operation under this key, if any.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn idempotency_find(&mut self, caller: &str, operation: &str, key: &str) -> Result<Option<StoredAnswer>, StoreError> {
        let known = idempotency_keys::table.find((caller, operation, key));
        let row: Option<AnswerRow> = on_backend!(self.conn(), |c| known.select(AnswerRow::as_select()).first(c)).optional()?;
        let Some(row) = row else { return Ok(None) };
        let id = row.id.0;
        let opened = row.answer.map(|sealed| self.keys().decrypt(TABLE, ANSWER, id.as_uuid(), &sealed)).transpose();
        let opened = opened.map_err(|error| sealed::error(error, TABLE, ANSWER, id))?;
        let told = opened
            .map(|plain| serde_json::from_slice(&plain).map(|(headers, body)| Told { headers, body }))
            .transpose()
            .map_err(|_| StoreError::corrupt(TABLE, ANSWER, id))?;
        Ok(Some(StoredAnswer {
            fingerprint: row.fingerprint,
            status: u16::try_from(row.status).map_err(|_| StoreError::corrupt(TABLE, "status", id))?,
            told,
            created_at: row.created_at.0,
        }))
    }

    /// Keeps an answer, in the transaction that did what it tells of. It belongs to the client whom the audit events of the transaction name. One that
    /// tells of several is not kept, but for that it was given: an erasure of one of them could not take it along.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] with [`crate::Constraint::IdempotencyKeyTaken`] when the key was used meanwhile; whatever else the database says.
    pub fn idempotency_insert(&mut self, caller: &str, operation: &str, key: &str, answer: &StoredAnswer) -> Result<(), StoreError> {
        let id: StoredAnswerId = self.ids().next();
        let client = self.noted_client();
        let told = answer.told.as_ref().filter(|_| client.is_ok());
        let plain = told
            .map(|told| serde_json::to_vec(&(&told.headers, &told.body)))
            .transpose()
            .map_err(|_| StoreError::corrupt(TABLE, ANSWER, id))?;
        let sealed = plain.map(|plain| self.keys().encrypt(TABLE, ANSWER, id.as_uuid(), &plain)).transpose();
        let row = NewAnswerRow {
            caller,
            operation,
            key,
            fingerprint: &answer.fingerprint,
            status: i16::try_from(answer.status).map_err(|_| StoreError::corrupt(TABLE, "status", id))?,
            created_at: InstantCol(answer.created_at),
            id: IdCol(id),
            client_id: client.ok().flatten().map(IdCol),
            answer: sealed.map_err(|error| sealed::error(error, TABLE, ANSWER, id))?,
        };
        on_backend!(self.conn(), |c| diesel::insert_into(idempotency_keys::table).values(row).execute(c))?;
        Ok(())
    }

    /// The client of a draft turned out to be one who is known: the answers about the draft are about them from now on.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn idempotency_move_client(&mut self, from: ClientId, to: ClientId) -> Result<(), StoreError> {
        diesel::update(idempotency_keys::table.filter(idempotency_keys::client_id.eq(IdCol(from))))
            .set(idempotency_keys::client_id.eq(Some(IdCol(to))))
            .execute(self.conn())?;
        Ok(())
    }

    /// Forgets the answers about a client who is gone.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn idempotency_forget_client(&mut self, client: ClientId) -> Result<(), StoreError> {
        diesel::delete(idempotency_keys::table.filter(idempotency_keys::client_id.eq(IdCol(client)))).execute(self.conn())?;
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
