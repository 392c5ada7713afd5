//! Machines that sign in, and the organisations that they push referrals for.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use lahete_domain::ids::{ApiClientId, Id, OrganisationId, ProgrammeId};
use lahete_domain::time::Instant;
use lahete_domain::user::ApiClient;
use lahete_domain::version::Version;

use crate::among::among;
use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::repo::users::ApiClientSecret;
use crate::schema::{api_client_organisations, api_clients};
use crate::sql_types::{IdCol, InstantCol, VersionCol};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = api_clients, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct ApiClientRow {
    id: IdCol<ApiClientId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    name: String,
    source_system: String,
    secret_expires_at: Option<InstantCol>,
    old_secret_until: Option<InstantCol>,
    secret_used_at: Option<InstantCol>,
    active: bool,
    created_at: InstantCol,
}

impl From<&ApiClient> for ApiClientRow {
    fn from(client: &ApiClient) -> Self {
        Self {
            id: IdCol(client.id),
            version: VersionCol(client.version),
            programme_id: IdCol(client.programme),
            name: client.name.clone(),
            source_system: client.source_system.clone(),
            secret_expires_at: client.secret_expires_at.map(InstantCol),
            old_secret_until: client.old_secret_until.map(InstantCol),
            secret_used_at: client.secret_used_at.map(InstantCol),
            active: client.active,
            created_at: InstantCol(client.created_at),
        }
    }
}

impl ApiClientRow {
    fn with(self, organisations: BTreeSet<OrganisationId>) -> ApiClient {
        ApiClient {
            id: self.id.0,
            version: self.version.0,
            programme: self.programme_id.0,
            name: self.name,
            source_system: self.source_system,
            secret_expires_at: self.secret_expires_at.map(|at| at.0),
            old_secret_until: self.old_secret_until.map(|at| at.0),
            secret_used_at: self.secret_used_at.map(|at| at.0),
            active: self.active,
            created_at: self.created_at.0,
            organisations,
        }
    }
}

type SecretColumns = (Vec<u8>, bool, Option<InstantCol>, Option<Vec<u8>>, Option<InstantCol>, Option<InstantCol>);

impl Db<'_> {
    /// What the sign-in of a machine is checked against.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn api_client_secret(&mut self, id: ApiClientId) -> Result<Option<ApiClientSecret>, StoreError> {
        let row = api_clients::table
            .find(IdCol(id))
            .select((
                api_clients::secret_sha256,
                api_clients::active,
                api_clients::secret_expires_at,
                api_clients::old_secret_sha256,
                api_clients::old_secret_until,
                api_clients::secret_used_at,
            ))
            .first::<SecretColumns>(self.conn())
            .optional()?;
        Ok(row.map(|(secret_sha256, active, expires_at, old, old_until, used_at)| ApiClientSecret {
            id,
            secret_sha256,
            active,
            expires_at: expires_at.map(|at| at.0),
            old: old.zip(old_until.map(|at| at.0)),
            used_at: used_at.map(|at| at.0),
        }))
    }

    /// Notes that a machine has signed in with a secret.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn api_client_secret_used(&mut self, id: ApiClientId, at: Instant) -> Result<(), StoreError> {
        diesel::update(api_clients::table.find(IdCol(id))).set(api_clients::secret_used_at.eq(InstantCol(at))).execute(self.conn())?;
        Ok(())
    }

    /// Adds a machine with the hash of its secret.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn api_client_insert(&mut self, client: &ApiClient, secret_sha256: &[u8]) -> Result<(), StoreError> {
        diesel::insert_into(api_clients::table)
            .values((ApiClientRow::from(client), api_clients::secret_sha256.eq(secret_sha256)))
            .execute(self.conn())?;
        self.write_served(client)
    }

    /// One machine.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn api_client_get(&mut self, id: ApiClientId) -> Result<Option<ApiClient>, StoreError> {
        let row = api_clients::table.find(IdCol(id)).select(ApiClientRow::as_select()).first::<ApiClientRow>(self.conn()).optional()?;
        // Asked also for a machine that is not there: to find nothing takes as long as to find what one may not see.
        let served = self.served(&[id])?.remove(&id).unwrap_or_default();
        Ok(row.map(|row| row.with(served)))
    }

    /// Changes a machine; with a new secret if one is given. Its predecessor works until `old_secret_until`, or no more when that is none.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the stored version is another one; whatever else the database says.
    pub fn api_client_update(&mut self, client: &ApiClient, expected: Version, secret_sha256: Option<&[u8]>) -> Result<(), StoreError> {
        let present = api_clients::table.filter(api_clients::id.eq(IdCol(client.id))).filter(api_clients::version.eq(VersionCol(expected)));
        let changed = diesel::update(present)
            .set((
                api_clients::version.eq(VersionCol(expected.next())),
                api_clients::name.eq(&client.name),
                api_clients::secret_expires_at.eq(client.secret_expires_at.map(InstantCol)),
                api_clients::old_secret_until.eq(client.old_secret_until.map(InstantCol)),
                api_clients::active.eq(client.active),
            ))
            .execute(self.conn())?;
        if changed != 1 {
            return Err(StoreError::Stale);
        }
        if let Some(hash) = secret_sha256 {
            let own = api_clients::table.find(IdCol(client.id));
            if client.old_secret_until.is_some() {
                diesel::update(own).set(api_clients::old_secret_sha256.eq(api_clients::secret_sha256.nullable())).execute(self.conn())?;
            } else {
                diesel::update(own).set(api_clients::old_secret_sha256.eq(None::<Vec<u8>>)).execute(self.conn())?;
            }
            diesel::update(own).set(api_clients::secret_sha256.eq(hash)).execute(self.conn())?;
        }
        let old = api_client_organisations::table.filter(api_client_organisations::api_client_id.eq(IdCol(client.id)));
        diesel::delete(old).execute(self.conn())?;
        self.write_served(client)
    }

    /// A page of machines by name.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn api_client_list(&mut self, programmes: &[ProgrammeId], request: &PageRequest) -> Result<Page<ApiClient>, StoreError> {
        let programmes: Vec<_> = programmes.iter().copied().map(IdCol).collect();
        let mut query = of_programmes!(
            api_clients::table.select(ApiClientRow::as_select()).into_boxed::<MultiBackend>(),
            api_clients::programme_id,
            programmes
        );
        if let Some(cursor) = request.after.clone() {
            let behind = api_clients::name.gt(cursor.sort.clone()).or(api_clients::id.gt(IdCol(ApiClientId::from_uuid(cursor.id))));
            query = query.filter(api_clients::name.ge(cursor.sort)).filter(behind);
        }
        let rows =
            query.order((api_clients::name.asc(), api_clients::id.asc())).limit(request.fetch()).load::<ApiClientRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.name.clone(), id: row.id.0.as_uuid() });
        let ids: Vec<_> = page.items.iter().map(|row| row.id.0).collect();
        let mut served = self.served(&ids)?;
        page.try_map(|row| {
            let served = served.remove(&row.id.0).unwrap_or_default();
            Ok(row.with(served))
        })
    }

    fn served(&mut self, ids: &[ApiClientId]) -> Result<BTreeMap<ApiClientId, BTreeSet<OrganisationId>>, StoreError> {
        let rows = api_client_organisations::table
            .filter(among(api_client_organisations::api_client_id, ids.iter().copied()))
            .select((api_client_organisations::api_client_id, api_client_organisations::organisation_id))
            .load::<(IdCol<ApiClientId>, IdCol<OrganisationId>)>(self.conn())?;
        let mut served: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (client, organisation) in rows {
            served.entry(client.0).or_default().insert(organisation.0);
        }
        Ok(served)
    }

    fn write_served(&mut self, client: &ApiClient) -> Result<(), StoreError> {
        for organisation in &client.organisations {
            diesel::insert_into(api_client_organisations::table)
                .values((
                    api_client_organisations::api_client_id.eq(IdCol(client.id)),
                    api_client_organisations::organisation_id.eq(IdCol(*organisation)),
                ))
                .execute(self.conn())?;
        }
        Ok(())
    }
}
