//! Times in which a client's data are only stored.

use diesel::prelude::*;
use lahete_domain::codes::ClientStanding;
use lahete_domain::ids::{ClientId, ProgrammeId, RestrictionId, UserId};
use lahete_domain::time::Instant;
use lahete_domain::version::Version;

use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::schema::{client_restrictions, clients};
use crate::sql_types::{CodeCol, IdCol, InstantCol, VersionCol};

/// A restriction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restriction {
    /// Its id.
    pub id: RestrictionId,
    /// Version of the row.
    pub version: Version,
    /// The programme.
    pub programme: ProgrammeId,
    /// Whose data.
    pub client: ClientId,
    /// Why.
    pub reason: String,
    /// Since when.
    pub restricted_at: Instant,
    /// By whom.
    pub restricted_by: UserId,
    /// Why it shall end, when that was decided.
    pub release_reason: Option<String>,
    /// When that was decided, and by whom.
    pub released: Option<(Instant, UserId)>,
    /// When it ended, and who ended it.
    pub lifted: Option<(Instant, UserId)>,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = client_restrictions, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct RestrictionRow {
    id: IdCol<RestrictionId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    client_id: IdCol<ClientId>,
    reason: String,
    restricted_at: InstantCol,
    restricted_by: IdCol<UserId>,
    release_reason: Option<String>,
    released_at: Option<InstantCol>,
    released_by: Option<IdCol<UserId>>,
    lifted_at: Option<InstantCol>,
    lifted_by: Option<IdCol<UserId>>,
}

fn split(step: Option<(Instant, UserId)>) -> (Option<InstantCol>, Option<IdCol<UserId>>) {
    (step.map(|(at, _)| InstantCol(at)), step.map(|(_, by)| IdCol(by)))
}

fn joined(at: Option<InstantCol>, by: Option<IdCol<UserId>>) -> Option<(Instant, UserId)> {
    at.zip(by).map(|(at, by)| (at.0, by.0))
}

impl RestrictionRow {
    fn of(restriction: &Restriction, version: Version) -> Self {
        let (released_at, released_by) = split(restriction.released);
        let (lifted_at, lifted_by) = split(restriction.lifted);
        Self {
            id: IdCol(restriction.id),
            version: VersionCol(version),
            programme_id: IdCol(restriction.programme),
            client_id: IdCol(restriction.client),
            reason: restriction.reason.clone(),
            restricted_at: InstantCol(restriction.restricted_at),
            restricted_by: IdCol(restriction.restricted_by),
            release_reason: restriction.release_reason.clone(),
            released_at,
            released_by,
            lifted_at,
            lifted_by,
        }
    }
}

impl From<RestrictionRow> for Restriction {
    fn from(row: RestrictionRow) -> Self {
        Self {
            id: row.id.0,
            version: row.version.0,
            programme: row.programme_id.0,
            client: row.client_id.0,
            reason: row.reason,
            restricted_at: row.restricted_at.0,
            restricted_by: row.restricted_by.0,
            release_reason: row.release_reason,
            released: joined(row.released_at, row.released_by),
            lifted: joined(row.lifted_at, row.lifted_by),
        }
    }
}

impl Db<'_> {
    /// Begins a restriction. [`Db::client_set_standing`] makes it count.
    ///
    /// # Errors
    /// Whatever the database says, as when there is one already.
    pub fn restriction_insert(&mut self, restriction: &Restriction) -> Result<(), StoreError> {
        let row = RestrictionRow::of(restriction, restriction.version);
        diesel::insert_into(client_restrictions::table).values(row).execute(self.conn())?;
        Ok(())
    }

    /// The restriction that a client's data are under.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn restriction_open(&mut self, client: ClientId) -> Result<Option<Restriction>, StoreError> {
        let row = client_restrictions::table
            .filter(client_restrictions::client_id.eq(IdCol(client)))
            .filter(client_restrictions::lifted_at.is_null())
            .select(RestrictionRow::as_select())
            .first(self.conn())
            .optional()?;
        Ok(row.map(Restriction::from))
    }

    /// Writes a changed restriction over the version that it was made from.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn restriction_update(&mut self, restriction: &Restriction, expected: Version) -> Result<(), StoreError> {
        let stored = client_restrictions::table.find(IdCol(restriction.id)).filter(client_restrictions::version.eq(VersionCol(expected)));
        match diesel::update(stored).set(RestrictionRow::of(restriction, expected.next())).execute(self.conn())? {
            0 => Err(StoreError::Stale),
            _ => Ok(()),
        }
    }

    /// Says whether a client's data may be used; their version moves on.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn client_set_standing(&mut self, client: ClientId, standing: ClientStanding) -> Result<(), StoreError> {
        diesel::update(clients::table.find(IdCol(client)))
            .set((clients::standing.eq(CodeCol(standing)), clients::version.eq(clients::version + 1)))
            .execute(self.conn())?;
        Ok(())
    }
}
