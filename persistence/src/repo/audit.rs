//! The audit trail: who saw or changed whose data, in chains of hashes in which no event can be changed or left out unnoticed.
//!
//! Each thread that writes has a chain of its own, because a common one would make all writers of all servers wait for each other.

use std::collections::BTreeMap;

use diesel::prelude::*;
use lahete_domain::actor::Caller;
use lahete_domain::audit::AuditEvent;
use lahete_domain::codes::{AuditAction, AuditOutcome, Code, Role};
use lahete_domain::ids::{ApiClientId, AuditEventId, ClientId, Id, IdSource, OrganisationId, ProgrammeId, ReferralId, UserId};
use lahete_domain::time::Instant;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::among::among;
use crate::connection::{AnyConnection, MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::{api_clients, audit_events, organisations, users};
use crate::sql_types::{CodeCol, IdCol, InstantCol, UuidCol, parse_instant};

const TABLE: &str = "audit_events";
pub(crate) const HASH: usize = 32;
const SALT: usize = 16;
/// PostgreSQL takes 65 535 values in one statement; an event has 21.
const ROWS_PER_INSERT: usize = 1000;

/// An event with its place in the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredAuditEvent {
    /// The event's own id.
    pub id: AuditEventId,
    /// The chain, one for each writing thread since its start.
    pub writer_id: Uuid,
    /// The place in the chain, from 1.
    pub seq: i64,
    /// The hash of the event before it; zeroes before the first one.
    pub prev_hash: [u8; HASH],
    /// The hash over [`StoredAuditEvent::prev_hash`] and [`StoredAuditEvent::canonical_bytes`].
    pub hash: [u8; HASH],
    /// When.
    pub at: Instant,
    /// Who.
    pub caller: Caller,
    /// In which role, when it was allowed.
    pub role: Option<Role>,
    /// For which organisation.
    pub organisation: Option<OrganisationId>,
    /// In which programme.
    pub programme: Option<ProgrammeId>,
    /// Whose data.
    pub client: Option<ClientId>,
    /// In which referral.
    pub referral: Option<ReferralId>,
    /// By which operation of the API.
    pub operation: String,
    /// What was done.
    pub action: AuditAction,
    /// Whether it was let through.
    pub outcome: AuditOutcome,
    /// The stated reason; none, too, when it was erased.
    pub reason: Option<String>,
    /// What the reason was hashed with, so that nobody guesses it from the hash.
    pub reason_salt: Option<Vec<u8>>,
    /// The hash over salt and reason, which the chain is made with in place of the reason. Events from before have none.
    pub reason_hash: Option<Vec<u8>>,
    /// The request.
    pub request_id: String,
}

impl StoredAuditEvent {
    /// The bytes that the hash is taken over: every member in a fixed order, each with its length in front, so that no two events give the same
    /// bytes.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut out = Canonical(Vec::with_capacity(640));
        out.0.extend_from_slice(if self.reason_hash.is_some() { b"lahete audit event v2" } else { b"lahete audit event v1" });
        let (kind, user, api_client) = split(self.caller);
        out.member(Some(self.id.as_uuid().as_bytes()));
        out.member(Some(self.writer_id.as_bytes()));
        out.member(Some(&self.seq.to_be_bytes()));
        out.member(Some(self.at.to_string().as_bytes()));
        out.member(Some(kind.as_bytes()));
        out.id(user);
        out.id(api_client);
        out.member(self.role.map(|role| role.as_str().as_bytes()));
        out.id(self.organisation);
        out.id(self.programme);
        out.id(self.client);
        out.id(self.referral);
        out.member(Some(self.operation.as_bytes()));
        out.member(Some(self.action.as_str().as_bytes()));
        out.member(Some(self.outcome.as_str().as_bytes()));
        out.member(self.reason_hash.as_deref().or(self.reason.as_deref().map(str::as_bytes)));
        out.member(Some(self.request_id.as_bytes()));
        out.0
    }

    /// Whether the reason is the one that was stated, or was erased as a whole.
    #[must_use]
    pub fn reason_is_sound(&self) -> bool {
        match (&self.reason, &self.reason_salt, &self.reason_hash) {
            (Some(reason), Some(salt), Some(hash)) => reason_hash(salt, reason).as_slice() == hash.as_slice(),
            (_, None, None) => true,
            (None, None, Some(_)) => true,
            _ => false,
        }
    }

    /// The hash that the event must have behind the one before it.
    #[must_use]
    pub fn expected_hash(&self) -> [u8; HASH] {
        Sha256::new().chain_update(self.prev_hash).chain_update(self.canonical_bytes()).finalize().into()
    }
}

fn reason_hash(salt: &[u8], reason: &str) -> [u8; HASH] {
    Sha256::new().chain_update(salt).chain_update(reason.as_bytes()).finalize().into()
}

struct Canonical(Vec<u8>);

impl Canonical {
    fn member(&mut self, value: Option<&[u8]>) {
        match value {
            None => self.0.push(0),
            Some(bytes) => {
                self.0.push(1);
                self.0.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
                self.0.extend_from_slice(bytes);
            }
        }
    }

    fn id<I: Id>(&mut self, id: Option<I>) {
        let id = id.map(Id::as_uuid);
        self.member(id.as_ref().map(|id| id.as_bytes().as_slice()));
    }
}

fn split(caller: Caller) -> (&'static str, Option<UserId>, Option<ApiClientId>) {
    match caller {
        Caller::User(id) => ("user", Some(id), None),
        Caller::ApiClient(id) => ("api_client", None, Some(id)),
        Caller::Anonymous => ("anonymous", None, None),
        Caller::Clock => ("clock", None, None),
    }
}

/// Where a chain stands: what the next event is tied to.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) writer: Uuid,
    pub(crate) seq: i64,
    pub(crate) hash: [u8; HASH],
}

impl Chain {
    pub(crate) fn begin(ids: &dyn IdSource) -> Self {
        Self { writer: ids.next_uuid(), seq: 0, hash: [0; HASH] }
    }

    /// Gives each event its place and moves on. The caller keeps the old state until the events are committed.
    fn extend(&mut self, ids: &dyn IdSource, events: Vec<AuditEvent>) -> Vec<AuditRow> {
        events.into_iter().map(|event| AuditRow::from(self.link(ids, event))).collect()
    }

    fn link(&mut self, ids: &dyn IdSource, event: AuditEvent) -> StoredAuditEvent {
        self.seq += 1;
        let reason = event.reason.map(without_nul);
        let reason_salt = reason.as_ref().map(|_| salt(ids).to_vec());
        let hash = reason.as_ref().zip(reason_salt.as_ref()).map(|(reason, salt)| reason_hash(salt, reason).to_vec());
        let mut stored = StoredAuditEvent {
            id: ids.next(),
            writer_id: self.writer,
            seq: self.seq,
            prev_hash: self.hash,
            hash: self.hash,
            at: event.at,
            caller: event.caller,
            role: event.role,
            organisation: event.organisation,
            programme: event.programme,
            client: event.client,
            referral: event.referral,
            operation: event.operation.to_owned(),
            action: event.action,
            outcome: event.outcome,
            reason,
            reason_salt,
            reason_hash: hash,
            request_id: without_nul(event.request_id),
        };
        stored.hash = stored.expected_hash();
        self.hash = stored.hash;
        stored
    }
}

fn salt(ids: &dyn IdSource) -> [u8; SALT] {
    let mut salt = [0; SALT];
    // Without randomness an id is the next best: no two reasons share one.
    if getrandom::fill(&mut salt).is_err() {
        salt = *ids.next_uuid().as_bytes();
    }
    salt
}

/// PostgreSQL refuses NUL in text, and one refused event would fail all that are written with it.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_events, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
pub(crate) struct AuditRow {
    id: IdCol<AuditEventId>,
    writer_id: UuidCol,
    seq: i64,
    prev_hash: Vec<u8>,
    hash: Vec<u8>,
    at: InstantCol,
    caller_kind: String,
    user_id: Option<IdCol<UserId>>,
    api_client_id: Option<IdCol<ApiClientId>>,
    role: Option<CodeCol<Role>>,
    organisation_id: Option<IdCol<OrganisationId>>,
    programme_id: Option<IdCol<ProgrammeId>>,
    client_id: Option<IdCol<ClientId>>,
    referral_id: Option<IdCol<ReferralId>>,
    operation: String,
    action: CodeCol<AuditAction>,
    outcome: CodeCol<AuditOutcome>,
    reason: Option<String>,
    reason_salt: Option<Vec<u8>>,
    reason_hash: Option<Vec<u8>>,
    request_id: String,
}

impl AuditRow {
    pub(crate) fn place(&self) -> i64 {
        self.seq
    }
}

impl From<StoredAuditEvent> for AuditRow {
    fn from(event: StoredAuditEvent) -> Self {
        let (kind, user, api_client) = split(event.caller);
        Self {
            id: IdCol(event.id),
            writer_id: UuidCol(event.writer_id),
            seq: event.seq,
            prev_hash: event.prev_hash.to_vec(),
            hash: event.hash.to_vec(),
            at: InstantCol(event.at),
            caller_kind: kind.to_owned(),
            user_id: user.map(IdCol),
            api_client_id: api_client.map(IdCol),
            role: event.role.map(CodeCol),
            organisation_id: event.organisation.map(IdCol),
            programme_id: event.programme.map(IdCol),
            client_id: event.client.map(IdCol),
            referral_id: event.referral.map(IdCol),
            operation: event.operation,
            action: CodeCol(event.action),
            outcome: CodeCol(event.outcome),
            reason: event.reason,
            reason_salt: event.reason_salt,
            reason_hash: event.reason_hash,
            request_id: event.request_id,
        }
    }
}

impl TryFrom<AuditRow> for StoredAuditEvent {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::corrupt(TABLE, column, row.id.0);
        let caller = match (row.caller_kind.as_str(), row.user_id, row.api_client_id) {
            ("user", Some(id), None) => Caller::User(id.0),
            ("api_client", None, Some(id)) => Caller::ApiClient(id.0),
            ("anonymous", None, None) => Caller::Anonymous,
            ("clock", None, None) => Caller::Clock,
            _ => return Err(corrupt("caller_kind")),
        };
        Ok(Self {
            id: row.id.0,
            writer_id: row.writer_id.0,
            seq: row.seq,
            prev_hash: row.prev_hash.as_slice().try_into().map_err(|_| corrupt("prev_hash"))?,
            hash: row.hash.as_slice().try_into().map_err(|_| corrupt("hash"))?,
            at: row.at.0,
            caller,
            role: row.role.map(|code| code.0),
            organisation: row.organisation_id.map(|id| id.0),
            programme: row.programme_id.map(|id| id.0),
            client: row.client_id.map(|id| id.0),
            referral: row.referral_id.map(|id| id.0),
            operation: row.operation,
            action: row.action.0,
            outcome: row.outcome.0,
            reason: row.reason,
            reason_salt: row.reason_salt,
            reason_hash: row.reason_hash,
            request_id: row.request_id,
        })
    }
}

/// Adds events to the trail inside the transaction under way; gives the state of the chain that holds once it is committed.
pub(crate) fn append(
    conn: &mut AnyConnection,
    chain: &Chain,
    ids: &dyn IdSource,
    events: Vec<AuditEvent>,
) -> Result<Chain, diesel::result::Error> {
    let mut next = chain.clone();
    let rows = next.extend(ids, events);
    match conn {
        // A round trip costs more than the rows, and only this database takes several rows in one prepared shape.
        AnyConnection::Postgresql(c) => {
            for rows in rows.chunks(ROWS_PER_INSERT) {
                diesel::insert_into(audit_events::table).values(rows).execute(c)?;
            }
        }
        // There is no round trip: the same prepared statement for each row is quicker than a new one for each number of rows.
        AnyConnection::Sqlite(c) => {
            for row in &rows {
                diesel::insert_into(audit_events::table).values(row).execute(c)?;
            }
        }
    }
    Ok(next)
}

/// Which part of the trail is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AuditFilter {
    /// Events in this programme.
    pub programme: Option<ProgrammeId>,
    /// Events about this client.
    pub client: Option<ClientId>,
    /// Events of this person's doing.
    pub user: Option<UserId>,
    /// Events that were let through, or those that were not.
    pub outcome: Option<AuditOutcome>,
    /// Events with a stated reason, or those without.
    pub with_reason: Option<bool>,
    /// Events from this instant on.
    pub from: Option<Instant>,
    /// Events before this instant.
    pub until: Option<Instant>,
    /// Without the events of operations whose names begin like this: what the reader may not know of.
    pub without: &'static [&'static str],
}

/// The names of those who stand in events.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditNames {
    /// People.
    pub users: BTreeMap<UserId, String>,
    /// Machines.
    pub api_clients: BTreeMap<ApiClientId, String>,
    /// Organisations.
    pub organisations: BTreeMap<OrganisationId, String>,
}

impl Db<'_> {
    /// A page of the trail, newest first.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn audit_list(&mut self, filter: AuditFilter, request: &PageRequest) -> Result<Page<StoredAuditEvent>, StoreError> {
        self.audit_page(None, filter, request)
    }

    /// A page of what the trail holds of some programmes, newest first.
    ///
    /// # Errors
    /// As [`Db::audit_list`].
    pub fn audit_list_of(
        &mut self,
        programmes: &[ProgrammeId],
        filter: AuditFilter,
        request: &PageRequest,
    ) -> Result<Page<StoredAuditEvent>, StoreError> {
        self.audit_page(Some(programmes), filter, request)
    }

    fn audit_page(
        &mut self,
        programmes: Option<&[ProgrammeId]>,
        filter: AuditFilter,
        request: &PageRequest,
    ) -> Result<Page<StoredAuditEvent>, StoreError> {
        let mut query = audit_events::table.select(AuditRow::as_select()).into_boxed::<MultiBackend>();
        if let Some(programmes) = programmes {
            let programmes: Vec<_> = programmes.iter().copied().map(IdCol).collect();
            query = of_programmes!(query, audit_events::programme_id, programmes);
        }
        if let Some(programme) = filter.programme {
            query = query.filter(audit_events::programme_id.eq(IdCol(programme)));
        }
        if let Some(user) = filter.user {
            query = query.filter(audit_events::user_id.eq(IdCol(user)));
        }
        if let Some(outcome) = filter.outcome {
            query = query.filter(audit_events::outcome.eq(CodeCol(outcome)));
        }
        match filter.with_reason {
            Some(true) => query = query.filter(audit_events::reason.is_not_null()),
            Some(false) => query = query.filter(audit_events::reason.is_null()),
            None => {}
        }
        if let Some(from) = filter.from {
            query = query.filter(audit_events::at.ge(InstantCol(from)));
        }
        if let Some(until) = filter.until {
            query = query.filter(audit_events::at.lt(InstantCol(until)));
        }
        if let Some(client) = filter.client {
            query = query.filter(audit_events::client_id.eq(IdCol(client)));
        }
        for begin in filter.without {
            query = query.filter(audit_events::operation.not_like(format!("{begin}%")));
        }
        if let Some(cursor) = &request.after {
            // A cursor that no list gave out ends the list: there is nothing behind it.
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let before = audit_events::at.lt(InstantCol(at)).or(audit_events::id.lt(IdCol(AuditEventId::from_uuid(cursor.id))));
            query = query.filter(audit_events::at.le(InstantCol(at))).filter(before);
        }
        let rows = query.order((audit_events::at.desc(), audit_events::id.desc())).limit(request.fetch()).load::<AuditRow>(self.conn())?;
        let cursor = |row: &AuditRow| Cursor { sort: row.at.0.to_string(), id: row.id.0.as_uuid() };
        Page::from_rows(rows, request, cursor).try_map(StoredAuditEvent::try_from)
    }

    /// The names of those who stand in some events, in three statements for any number of them.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn audit_names(&mut self, events: &[StoredAuditEvent]) -> Result<AuditNames, StoreError> {
        let callers: Vec<_> = events.iter().map(|event| split(event.caller)).collect();
        let of_users = among(users::id, callers.iter().filter_map(|(_, user, _)| *user));
        let found: Vec<(IdCol<UserId>, String)> =
            on_backend!(self.conn(), |c| users::table.filter(of_users).select((users::id, users::name)).load(c))?;
        let users = found.into_iter().map(|(id, name)| (id.0, name)).collect();
        let of_clients = among(api_clients::id, callers.iter().filter_map(|(_, _, client)| *client));
        let found: Vec<(IdCol<ApiClientId>, String)> =
            on_backend!(self.conn(), |c| api_clients::table.filter(of_clients).select((api_clients::id, api_clients::name)).load(c))?;
        let api_clients = found.into_iter().map(|(id, name)| (id.0, name)).collect();
        let of_organisations = among(organisations::id, events.iter().filter_map(|event| event.organisation));
        let found: Vec<(IdCol<OrganisationId>, String)> = on_backend!(self.conn(), |c| organisations::table
            .filter(of_organisations)
            .select((organisations::id, organisations::name))
            .load(c))?;
        let organisations = found.into_iter().map(|(id, name)| (id.0, name)).collect();
        Ok(AuditNames { users, api_clients, organisations })
    }

    /// Takes the stated reasons out of the events about a client, as an erasure may have to. What was stated is gone; the chains hold, for they hold only
    /// a salted hash of it. Reasons from before there was such a hash stay.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn audit_reasons_erase(&mut self, client: ClientId) -> Result<usize, StoreError> {
        let stated = audit_events::table
            .filter(audit_events::client_id.eq(IdCol(client)))
            .filter(audit_events::reason.is_not_null())
            .filter(audit_events::reason_hash.is_not_null());
        let (nothing, no_salt): (Option<String>, Option<Vec<u8>>) = (None, None);
        let erased = (audit_events::reason.eq(nothing), audit_events::reason_salt.eq(no_salt));
        Ok(diesel::update(stated).set(erased).execute(self.conn())?)
    }
}
