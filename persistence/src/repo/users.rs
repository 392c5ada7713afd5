//! People who sign in, and what everybody who signs in may do today.

use chrono::NaiveDate;
use diesel::prelude::*;
use lahete_domain::actor::{Actor, Caller, Grant};
use lahete_domain::codes::{Role, Sector};
use lahete_domain::ids::{ApiClientId, Id, OrganisationId, ProgrammeId, UserId};
use lahete_domain::time::Instant;
use lahete_domain::user::User;
use lahete_domain::version::Version;

use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest, merged};
use crate::schema::{api_client_organisations, api_clients, organisations, role_assignments, users};
use crate::sql_types::{CodeCol, IdCol, VersionCol};

/// What the sign-in of a person is checked against.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginUser {
    /// The account.
    pub id: UserId,
    /// The hash of the password, in the form that says how it was made; none for an account that signs in elsewhere.
    pub password_hash: Option<String>,
    /// Whether the account is open.
    pub active: bool,
}

/// What the sign-in of a machine is checked against.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiClientSecret {
    /// The machine.
    pub id: ApiClientId,
    /// The hash of its secret. The secret has 256 random bits, so that a plain hash cannot be turned back.
    pub secret_sha256: Vec<u8>,
    /// Whether it was not revoked.
    pub active: bool,
    /// When the secret stops working.
    pub expires_at: Option<Instant>,
    /// The hash of the secret before it, and until when that one works as well.
    pub old: Option<(Vec<u8>, Instant)>,
    /// When one of them was last used, to the hour.
    pub used_at: Option<Instant>,
}

/// Which users are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UserFilter {
    /// Of these programmes.
    pub programmes: Vec<ProgrammeId>,
    /// Only open or only closed accounts.
    pub active: Option<bool>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = users, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct UserRow {
    id: IdCol<UserId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    login: String,
    name: String,
    active: bool,
}

impl From<&User> for UserRow {
    fn from(user: &User) -> Self {
        Self {
            id: IdCol(user.id),
            version: VersionCol(user.version),
            programme_id: IdCol(user.programme),
            login: user.login.clone(),
            name: user.name.clone(),
            active: user.active,
        }
    }
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self { id: row.id.0, version: row.version.0, programme: row.programme_id.0, login: row.login, name: row.name, active: row.active }
    }
}

type RoleColumns = (CodeCol<Role>, IdCol<ProgrammeId>, Option<IdCol<OrganisationId>>, Option<CodeCol<Sector>>);
type ServedColumns = (IdCol<ProgrammeId>, IdCol<OrganisationId>, Option<CodeCol<Sector>>);

impl Db<'_> {
    /// A caller with the roles that are in force on a day. A closed account, a revoked machine and nobody have none.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn actor(&mut self, caller: Caller, today: NaiveDate) -> Result<Actor, StoreError> {
        let grants = match caller {
            Caller::User(id) => self.grants_of_user(id, today)?,
            Caller::ApiClient(id) => self.grants_of_api_client(id)?,
            Caller::Anonymous | Caller::Clock => Vec::new(),
        };
        Ok(Actor { caller, grants })
    }

    /// Whether the account of a person, or of a machine, was closed. Of somebody who has none here this says nothing.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn account_is_closed(&mut self, caller: Caller) -> Result<bool, StoreError> {
        let active: Option<bool> = match caller {
            Caller::User(id) => users::table.find(IdCol(id)).select(users::active).first(self.conn()).optional()?,
            Caller::ApiClient(id) => api_clients::table.find(IdCol(id)).select(api_clients::active).first(self.conn()).optional()?,
            Caller::Anonymous | Caller::Clock => None,
        };
        Ok(active == Some(false))
    }

    fn grants_of_user(&mut self, user: UserId, today: NaiveDate) -> Result<Vec<Grant>, StoreError> {
        let held = role_assignments::table
            .inner_join(users::table.on(users::id.eq(role_assignments::user_id)))
            .left_join(organisations::table.on(organisations::id.nullable().eq(role_assignments::organisation_id)))
            .filter(role_assignments::user_id.eq(IdCol(user)))
            .filter(users::active.eq(true))
            .filter(role_assignments::valid_from.le(today))
            .filter(role_assignments::valid_until.is_null().or(role_assignments::valid_until.ge(today)))
            .order((role_assignments::valid_from.asc(), role_assignments::id.asc()))
            .select((
                role_assignments::role,
                role_assignments::programme_id,
                role_assignments::organisation_id,
                organisations::sector.nullable(),
            ));
        let rows = on_backend!(self.conn(), |c| held.load::<RoleColumns>(c))?;
        let grant = |(role, programme, organisation, sector): RoleColumns| Grant {
            role: role.0,
            programme: programme.0,
            organisation: organisation.map(|id| id.0),
            sector: sector.map(|code| code.0),
        };
        Ok(rows.into_iter().map(grant).collect())
    }

    fn grants_of_api_client(&mut self, api_client: ApiClientId) -> Result<Vec<Grant>, StoreError> {
        let rows = api_client_organisations::table
            .inner_join(api_clients::table.on(api_clients::id.eq(api_client_organisations::api_client_id)))
            .inner_join(organisations::table.on(organisations::id.eq(api_client_organisations::organisation_id)))
            .filter(api_client_organisations::api_client_id.eq(IdCol(api_client)))
            .filter(api_clients::active.eq(true))
            .order(api_client_organisations::organisation_id.asc())
            .select((api_clients::programme_id, organisations::id, organisations::sector))
            .load::<ServedColumns>(self.conn())?;
        let grant = |(programme, organisation, sector): ServedColumns| Grant {
            role: Role::Integration,
            programme: programme.0,
            organisation: Some(organisation.0),
            sector: sector.map(|code| code.0),
        };
        Ok(rows.into_iter().map(grant).collect())
    }

    /// The account behind a sign-in name.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn user_by_login(&mut self, login: &str) -> Result<Option<LoginUser>, StoreError> {
        let row = users::table
            .filter(users::login.eq(login))
            .select((users::id, users::password_hash, users::active))
            .first::<(IdCol<UserId>, Option<String>, bool)>(self.conn())
            .optional()?;
        Ok(row.map(|(id, password_hash, active)| LoginUser { id: id.0, password_hash, active }))
    }

    /// Adds a user. Only the demo gives a password.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn user_insert(&mut self, user: &User, password_hash: Option<&str>) -> Result<(), StoreError> {
        diesel::insert_into(users::table).values((UserRow::from(user), users::password_hash.eq(password_hash))).execute(self.conn())?;
        Ok(())
    }

    /// One user.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn user_get(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        let row = users::table.find(IdCol(id)).select(UserRow::as_select()).first::<UserRow>(self.conn()).optional()?;
        Ok(row.map(User::from))
    }

    /// Changes name and standing of a user.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the stored version is another one; whatever else the database says.
    pub fn user_update(&mut self, user: &User, expected: Version) -> Result<(), StoreError> {
        let present = users::table.filter(users::id.eq(IdCol(user.id))).filter(users::version.eq(VersionCol(expected)));
        let changed = diesel::update(present)
            .set((users::version.eq(VersionCol(expected.next())), users::name.eq(&user.name), users::active.eq(user.active)))
            .execute(self.conn())?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// A page of users by name.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn user_list(&mut self, filter: &UserFilter, request: &PageRequest) -> Result<Page<User>, StoreError> {
        let order = |one: &UserRow, other: &UserRow| (&one.name, one.id).cmp(&(&other.name, other.id));
        let rows = merged(filter.programmes.iter().copied(), request, |programme| self.user_rows(programme, filter, request), order)?;
        Ok(map(Page::from_rows(rows, request, |row| Cursor { sort: row.name.clone(), id: row.id.0.as_uuid() })))
    }

    fn user_rows(&mut self, programme: ProgrammeId, filter: &UserFilter, request: &PageRequest) -> Result<Vec<UserRow>, StoreError> {
        let of_programme = users::table.filter(users::programme_id.eq(IdCol(programme)));
        let mut query = of_programme.select(UserRow::as_select()).into_boxed::<MultiBackend>();
        if let Some(active) = filter.active {
            query = query.filter(users::active.eq(active));
        }
        if let Some(cursor) = request.after.clone() {
            let behind = users::name.gt(cursor.sort.clone()).or(users::id.gt(IdCol(UserId::from_uuid(cursor.id))));
            query = query.filter(users::name.ge(cursor.sort)).filter(behind);
        }
        Ok(query.order((users::name.asc(), users::id.asc())).limit(request.fetch()).load(self.conn())?)
    }
}

fn map(page: Page<UserRow>) -> Page<User> {
    Page { items: page.items.into_iter().map(User::from).collect(), next: page.next }
}
