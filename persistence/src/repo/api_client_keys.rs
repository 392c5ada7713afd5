//! The public keys by which machines prove who they are.

use diesel::prelude::*;
use lahete_domain::ids::{ApiClientId, ApiClientKeyId, Id};
use lahete_domain::user::{ApiClientKey, KeyAlgorithm};

use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::api_client_keys;
use crate::sql_types::{IdCol, InstantCol, parse_instant};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = api_client_keys, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct KeyRow {
    id: IdCol<ApiClientKeyId>,
    api_client_id: IdCol<ApiClientId>,
    key_name: String,
    algorithm: String,
    jwk: String,
    expires_at: Option<InstantCol>,
    created_at: InstantCol,
}

impl KeyRow {
    fn of(key: &ApiClientKey) -> Self {
        Self {
            id: IdCol(key.id),
            api_client_id: IdCol(key.api_client),
            key_name: key.name.clone(),
            algorithm: key.algorithm.as_str().to_owned(),
            jwk: key.jwk.clone(),
            expires_at: key.expires_at.map(InstantCol),
            created_at: InstantCol(key.created_at),
        }
    }

    fn into_key(self) -> Result<ApiClientKey, StoreError> {
        Ok(ApiClientKey {
            id: self.id.0,
            api_client: self.api_client_id.0,
            name: self.key_name,
            algorithm: KeyAlgorithm::parse(&self.algorithm)
                .ok_or_else(|| StoreError::corrupt("api_client_keys", "algorithm", self.id.0))?,
            jwk: self.jwk,
            expires_at: self.expires_at.map(|at| at.0),
            created_at: self.created_at.0,
        })
    }
}

impl Db<'_> {
    /// Adds a key.
    ///
    /// # Errors
    /// [`crate::Constraint::KeyNameTaken`] when the machine has one of that name; whatever else the database says.
    pub fn api_client_key_insert(&mut self, key: &ApiClientKey) -> Result<(), StoreError> {
        diesel::insert_into(api_client_keys::table).values(KeyRow::of(key)).execute(self.conn())?;
        Ok(())
    }

    /// One key.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn api_client_key_get(&mut self, id: ApiClientKeyId) -> Result<Option<ApiClientKey>, StoreError> {
        let row = api_client_keys::table.find(IdCol(id)).select(KeyRow::as_select()).first::<KeyRow>(self.conn()).optional()?;
        row.map(KeyRow::into_key).transpose()
    }

    /// Takes a key away.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn api_client_key_delete(&mut self, id: ApiClientKeyId) -> Result<(), StoreError> {
        diesel::delete(api_client_keys::table.find(IdCol(id))).execute(self.conn())?;
        Ok(())
    }

    /// A page of the keys of a machine, the oldest first.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn api_client_key_list(&mut self, of: ApiClientId, request: &PageRequest) -> Result<Page<ApiClientKey>, StoreError> {
        let mut query = api_client_keys::table
            .filter(api_client_keys::api_client_id.eq(IdCol(of)))
            .select(KeyRow::as_select())
            .into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            // A cursor that no list gave out ends the list: there is nothing behind it.
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind =
                api_client_keys::created_at.gt(InstantCol(at)).or(api_client_keys::id.gt(IdCol(ApiClientKeyId::from_uuid(cursor.id))));
            query = query.filter(api_client_keys::created_at.ge(InstantCol(at))).filter(behind);
        }
        let rows = query
            .order((api_client_keys::created_at.asc(), api_client_keys::id.asc()))
            .limit(request.fetch())
            .load::<KeyRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.created_at.0.to_string(), id: row.id.0.as_uuid() });
        page.try_map(KeyRow::into_key)
    }
}
