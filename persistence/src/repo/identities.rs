//! The names by which those who sign in are known at other issuers.

use diesel::prelude::*;
use lahete_domain::actor::Caller;
use lahete_domain::ids::{ApiClientId, Id, IdentityId, UserId};
use lahete_domain::user::Identity;

use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::identities;
use crate::sql_types::{IdCol, InstantCol, parse_instant};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = identities, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct IdentityRow {
    id: IdCol<IdentityId>,
    issuer: String,
    subject: String,
    user_id: Option<IdCol<UserId>>,
    api_client_id: Option<IdCol<ApiClientId>>,
    created_by: Option<IdCol<UserId>>,
    created_at: InstantCol,
}

impl IdentityRow {
    fn of(identity: &Identity) -> Self {
        let (user_id, api_client_id) = match identity.of {
            Caller::User(id) => (Some(IdCol(id)), None),
            Caller::ApiClient(id) => (None, Some(IdCol(id))),
            Caller::Anonymous | Caller::Clock => (None, None),
        };
        Self {
            id: IdCol(identity.id),
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            user_id,
            api_client_id,
            created_by: identity.created_by.map(IdCol),
            created_at: InstantCol(identity.created_at),
        }
    }

    fn into_identity(self) -> Result<Identity, StoreError> {
        let of = match (self.user_id, self.api_client_id) {
            (Some(user), None) => Caller::User(user.0),
            (None, Some(machine)) => Caller::ApiClient(machine.0),
            _ => return Err(StoreError::corrupt("identities", "user_id", self.id.0)),
        };
        Ok(Identity {
            id: self.id.0,
            issuer: self.issuer,
            subject: self.subject,
            of,
            created_by: self.created_by.map(|id| id.0),
            created_at: self.created_at.0,
        })
    }
}

impl Db<'_> {
    /// Who is behind a subject of an issuer.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn identity_find(&mut self, issuer: &str, subject: &str) -> Result<Option<Caller>, StoreError> {
        let wanted = identities::table.filter(identities::issuer.eq(issuer)).filter(identities::subject.eq(subject));
        let row: Option<IdentityRow> = on_backend!(self.conn(), |c| wanted.select(IdentityRow::as_select()).first(c)).optional()?;
        row.map(|row| row.into_identity().map(|identity| identity.of)).transpose()
    }

    /// Links a subject of an issuer with an account.
    ///
    /// # Errors
    /// [`crate::Constraint::IdentityTaken`] when it is linked already; whatever else the database says.
    pub fn identity_insert(&mut self, identity: &Identity) -> Result<(), StoreError> {
        diesel::insert_into(identities::table).values(IdentityRow::of(identity)).execute(self.conn())?;
        Ok(())
    }

    /// One link.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn identity_get(&mut self, id: IdentityId) -> Result<Option<Identity>, StoreError> {
        let row = identities::table.find(IdCol(id)).select(IdentityRow::as_select()).first::<IdentityRow>(self.conn()).optional()?;
        row.map(IdentityRow::into_identity).transpose()
    }

    /// Takes a link away.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn identity_delete(&mut self, id: IdentityId) -> Result<(), StoreError> {
        diesel::delete(identities::table.find(IdCol(id))).execute(self.conn())?;
        Ok(())
    }

    /// A page of the links of a user or of a machine, the oldest first.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn identity_list(&mut self, of: Caller, request: &PageRequest) -> Result<Page<Identity>, StoreError> {
        let mut query = identities::table.select(IdentityRow::as_select()).into_boxed::<MultiBackend>();
        query = match of {
            Caller::User(id) => query.filter(identities::user_id.eq(IdCol(id))),
            Caller::ApiClient(id) => query.filter(identities::api_client_id.eq(IdCol(id))),
            Caller::Anonymous | Caller::Clock => return Ok(Page { items: Vec::new(), next: None }),
        };
        if let Some(cursor) = &request.after {
            // A cursor that no list gave out ends the list: there is nothing behind it.
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = identities::created_at.gt(InstantCol(at)).or(identities::id.gt(IdCol(IdentityId::from_uuid(cursor.id))));
            query = query.filter(identities::created_at.ge(InstantCol(at))).filter(behind);
        }
        let rows =
            query.order((identities::created_at.asc(), identities::id.asc())).limit(request.fetch()).load::<IdentityRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.created_at.0.to_string(), id: row.id.0.as_uuid() });
        page.try_map(IdentityRow::into_identity)
    }
}
