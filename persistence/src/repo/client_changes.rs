//! What was before a correction of a client's data, and why it was corrected. What was and why is sealed; who, when and which members are not.

use std::collections::BTreeMap;

use diesel::prelude::*;
use lahete_domain::codes::Role;
use lahete_domain::ids::{ClientChangeId, ClientId, Id, ProgrammeId, ReferralId, UserId};
use lahete_domain::time::Instant;
use serde_json::Value;

use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::repo::sealed::{self, Resealed};
use crate::schema::client_changes;
use crate::sql_types::{CodeCol, IdCol, InstantCol, parse_instant};

const TABLE: &str = "client_changes";
/// The column that is sealed; the row is named by `id`.
const DETAILS: &str = "details";

/// A correction.
#[derive(Clone, PartialEq, Debug)]
pub struct ClientChange {
    /// Its id.
    pub id: ClientChangeId,
    /// The programme.
    pub programme: ProgrammeId,
    /// Whose data.
    pub client: ClientId,
    /// The referral whose words were corrected; none when it was the client's own data.
    pub referral: Option<ReferralId>,
    /// When.
    pub at: Instant,
    /// By whom.
    pub user: Option<UserId>,
    /// In which role.
    pub role: Role,
    /// What was, and why.
    pub details: ChangeDetails,
}

/// What a correction was about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ChangeDetails {
    /// Why.
    pub reason: Option<String>,
    /// Each changed member with its value before; null when there was none.
    pub before: BTreeMap<String, Value>,
    /// Each changed member with its value after.
    pub after: BTreeMap<String, Value>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = client_changes, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct ChangeRow {
    id: IdCol<ClientChangeId>,
    programme_id: IdCol<ProgrammeId>,
    client_id: IdCol<ClientId>,
    referral_id: Option<IdCol<ReferralId>>,
    at: InstantCol,
    user_id: Option<IdCol<UserId>>,
    role: CodeCol<Role>,
    members: String,
    details: Vec<u8>,
}

impl Db<'_> {
    /// Seals with the key in use what of some corrections is sealed with another one; a part of a walk over all of them.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn client_changes_reseal(&mut self, after: Option<&str>, limit: i64) -> Result<Resealed, StoreError> {
        let columns = (client_changes::id, client_changes::details);
        let mut query = client_changes::table.select(columns).order(client_changes::id.asc()).limit(limit).into_boxed::<MultiBackend>();
        if let Some(after) = after.and_then(|id| uuid::Uuid::parse_str(id).ok()) {
            query = query.filter(client_changes::id.gt(IdCol(ClientChangeId::from_uuid(after))));
        }
        let rows: Vec<(IdCol<ClientChangeId>, Vec<u8>)> = query.load(self.conn())?;
        let mut done = Resealed::of(rows.len(), limit, rows.last().map(|(id, _)| id.0.to_string()));
        for (id, old) in rows {
            match sealed::reseal_bytes(self.keys(), TABLE, DETAILS, id.0.as_uuid(), &old) {
                Ok(None) => {}
                Ok(Some(new)) => {
                    done.resealed += 1;
                    diesel::update(client_changes::table.find(id)).set(client_changes::details.eq(new)).execute(self.conn())?;
                }
                Err(_) => done.refused.push(id.0.to_string()),
            }
        }
        Ok(done)
    }

    /// Keeps what was before a correction.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn client_change_insert(&mut self, change: &ClientChange) -> Result<(), StoreError> {
        let corrupt = || StoreError::corrupt(TABLE, DETAILS, change.id);
        let ChangeDetails { reason, before, after } = &change.details;
        let plain = serde_json::to_vec(&(reason, before, after)).map_err(|_| corrupt())?;
        let details = self
            .keys()
            .encrypt(TABLE, DETAILS, change.id.as_uuid(), &plain)
            .map_err(|error| sealed::error(error, TABLE, DETAILS, change.id))?;
        let row = ChangeRow {
            id: IdCol(change.id),
            programme_id: IdCol(change.programme),
            client_id: IdCol(change.client),
            referral_id: change.referral.map(IdCol),
            at: InstantCol(change.at),
            user_id: change.user.map(IdCol),
            role: CodeCol(change.role),
            members: change.details.before.keys().map(String::as_str).collect::<Vec<_>>().join(","),
            details,
        };
        on_backend!(self.conn(), |c| diesel::insert_into(client_changes::table).values(row).execute(c))?;
        Ok(())
    }

    /// A page of the corrections of a client's data, the newest first.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn client_change_list(&mut self, client: ClientId, request: &PageRequest) -> Result<Page<ClientChange>, StoreError> {
        let mut query = client_changes::table
            .select(ChangeRow::as_select())
            .filter(client_changes::client_id.eq(IdCol(client)))
            .into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = client_changes::at.lt(InstantCol(at)).or(client_changes::id.lt(IdCol(ClientChangeId::from_uuid(cursor.id))));
            query = query.filter(client_changes::at.le(InstantCol(at))).filter(behind);
        }
        let rows =
            query.order((client_changes::at.desc(), client_changes::id.desc())).limit(request.fetch()).load::<ChangeRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.at.0.to_string(), id: row.id.0.as_uuid() });
        page.try_map(|row| {
            let id = row.id.0;
            let corrupt = || StoreError::corrupt(TABLE, DETAILS, id);
            let plain = self.keys().decrypt(TABLE, DETAILS, id.as_uuid(), &row.details).map_err(|_| corrupt())?;
            let (reason, before, after) = serde_json::from_slice(&plain).map_err(|_| corrupt())?;
            Ok(ClientChange {
                id,
                programme: row.programme_id.0,
                client: row.client_id.0,
                referral: row.referral_id.map(|id| id.0),
                at: row.at.0,
                user: row.user_id.map(|id| id.0),
                role: row.role.0,
                details: ChangeDetails { reason, before, after },
            })
        })
    }

    /// Whether something of a client was corrected since an instant.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn client_changed_since(&mut self, client: ClientId, since: Instant) -> Result<bool, StoreError> {
        let found: Option<IdCol<ClientChangeId>> = client_changes::table
            .filter(client_changes::client_id.eq(IdCol(client)))
            .filter(client_changes::at.ge(InstantCol(since)))
            .select(client_changes::id)
            .first(self.conn())
            .optional()?;
        Ok(found.is_some())
    }
}
