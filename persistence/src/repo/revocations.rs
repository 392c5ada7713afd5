//! Tokens that were ended before their time, and assertions that have opened once.

use diesel::prelude::*;
use diesel::upsert::excluded;
use lahete_domain::ids::ApiClientId;
use lahete_domain::time::Instant;

use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::schema::{revocations, used_assertions};
use crate::sql_types::{IdCol, InstantCol};

/// What was ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revocation {
    /// The subject of a caller (`user:<id>`, `client:<id>`), or `token:<digest>` for one token.
    pub subject: String,
    /// Tokens issued at this instant or before it count no more.
    pub not_before: Instant,
    /// When the last token that it concerns has ended by itself.
    pub until: Instant,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = revocations, check_for_backend(MultiBackend))]
struct RevocationRow {
    subject: String,
    not_before: InstantCol,
    until: InstantCol,
}

impl Db<'_> {
    /// Ends tokens. What was ended before stays so: of two instants for one subject the later one counts.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn revocation_put(&mut self, revocation: &Revocation) -> Result<(), StoreError> {
        let row = RevocationRow {
            subject: revocation.subject.clone(),
            not_before: InstantCol(revocation.not_before),
            until: InstantCol(revocation.until),
        };
        let present = revocations::table.find(&revocation.subject).select(revocations::not_before);
        if present.first::<InstantCol>(self.conn()).optional()?.is_some_and(|present| present.0 > revocation.not_before) {
            return Ok(());
        }
        on_backend!(self.conn(), |c| diesel::insert_into(revocations::table)
            .values(row)
            .on_conflict(revocations::subject)
            .do_update()
            .set((revocations::not_before.eq(excluded(revocations::not_before)), revocations::until.eq(excluded(revocations::until))))
            .execute(c))?;
        Ok(())
    }

    /// Everything that is ended and would otherwise still count.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn revocations_in_force(&mut self, now: Instant) -> Result<Vec<Revocation>, StoreError> {
        let wanted = revocations::table.filter(revocations::until.gt(InstantCol(now)));
        let rows: Vec<RevocationRow> = on_backend!(self.conn(), |c| wanted.select(RevocationRow::as_select()).load(c))?;
        let revocation = |row: RevocationRow| Revocation { subject: row.subject, not_before: row.not_before.0, until: row.until.0 };
        Ok(rows.into_iter().map(revocation).collect())
    }

    /// Forgets what has ended by itself; says how many rows.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn sign_in_purge(&mut self, now: Instant) -> Result<usize, StoreError> {
        let tokens = diesel::delete(revocations::table.filter(revocations::until.lt(InstantCol(now)))).execute(self.conn())?;
        let assertions = diesel::delete(used_assertions::table.filter(used_assertions::until.lt(InstantCol(now)))).execute(self.conn())?;
        Ok(tokens + assertions)
    }

    /// Notes that an assertion has opened, until it has ended by itself.
    ///
    /// # Errors
    /// [`crate::Constraint::AssertionUsed`] when it has opened before; whatever else the database says.
    pub fn assertion_use(&mut self, api_client: ApiClientId, jti_sha256: &[u8], until: Instant) -> Result<(), StoreError> {
        diesel::insert_into(used_assertions::table)
            .values((
                used_assertions::api_client_id.eq(IdCol(api_client)),
                used_assertions::jti_sha256.eq(jti_sha256),
                used_assertions::until.eq(InstantCol(until)),
            ))
            .execute(self.conn())?;
        Ok(())
    }
}
