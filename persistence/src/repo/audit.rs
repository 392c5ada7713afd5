//! The audit trail: who saw or changed whose data, in chains of hashes in which no event can be changed or left out unnoticed.
//!
//! Each thread that writes has a chain of its own, because a common one would make all writers of all servers wait for each other.

use diesel::prelude::*;
use lahete_domain::actor::Caller;
use lahete_domain::audit::AuditEvent;
use lahete_domain::codes::{AuditAction, AuditOutcome, Code, Role};
use lahete_domain::ids::{ApiClientId, AuditEventId, ClientId, Id, IdSource, OrganisationId, ProgrammeId, ReferralId, UserId};
use lahete_domain::time::Instant;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::connection::{AnyConnection, MultiBackend};
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::audit_events;
use crate::sql_types::{CodeCol, IdCol, InstantCol, UuidCol, parse_instant};

const TABLE: &str = "audit_events";
const HASH: usize = 32;
/// PostgreSQL takes 65 535 values in one statement; an event has 19.
const ROWS_PER_INSERT: usize = 1000;
const ROWS_PER_CHECK: i64 = 1000;
const FAULTS_SHOWN: usize = 100;

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
    /// The stated reason.
    pub reason: Option<String>,
    /// The request.
    pub request_id: String,
}

impl StoredAuditEvent {
    /// The bytes that the hash is taken over: every member in a fixed order, each with its length in front, so that no two events give the same
    /// bytes.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut out = Canonical(b"lahete audit event v1".to_vec());
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
        out.member(self.reason.as_deref().map(str::as_bytes));
        out.member(Some(self.request_id.as_bytes()));
        out.0
    }

    /// The hash that the event must have behind the one before it.
    #[must_use]
    pub fn expected_hash(&self) -> [u8; HASH] {
        Sha256::new().chain_update(self.prev_hash).chain_update(self.canonical_bytes()).finalize().into()
    }
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
    writer: Uuid,
    seq: i64,
    hash: [u8; HASH],
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
            reason: event.reason.map(without_nul),
            request_id: without_nul(event.request_id),
        };
        stored.hash = stored.expected_hash();
        self.hash = stored.hash;
        stored
    }
}

/// PostgreSQL refuses NUL in text, and one refused event would fail all that are written with it.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_events, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct AuditRow {
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
    request_id: String,
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
}

/// What is wrong at one place of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChainFaultKind {
    /// One or more events before it are missing.
    Gap,
    /// It is not tied to the event before it.
    WrongPrevious,
    /// It is not what it was when it was written.
    WrongHash,
}

/// One place at which a chain is broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChainFault {
    /// The event.
    pub id: AuditEventId,
    /// Its chain.
    pub writer_id: Uuid,
    /// Its place.
    pub seq: i64,
    /// What is wrong.
    pub kind: ChainFaultKind,
}

/// The result of checking the whole trail.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VerifyReport {
    /// How many events were checked.
    pub events: u64,
    /// In how many chains.
    pub chains: u64,
    /// How many faults there are.
    pub faults_found: u64,
    /// The first of them.
    pub faults: Vec<ChainFault>,
}

impl VerifyReport {
    /// Whether every event is where and what it was.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults_found == 0
    }

    fn fault(&mut self, event: &StoredAuditEvent, kind: ChainFaultKind) {
        self.faults_found += 1;
        if self.faults.len() < FAULTS_SHOWN {
            self.faults.push(ChainFault { id: event.id, writer_id: event.writer_id, seq: event.seq, kind });
        }
    }

    /// Checks the next event in the order of chains and places; `before` is the one checked last.
    fn check(&mut self, before: Option<&StoredAuditEvent>, event: &StoredAuditEvent) {
        self.events += 1;
        let before = before.filter(|before| before.writer_id == event.writer_id);
        if before.is_none() {
            self.chains += 1;
        }
        let (seq, hash) = before.map_or((0, [0; HASH]), |before| (before.seq, before.hash));
        if event.seq != seq + 1 {
            self.fault(event, ChainFaultKind::Gap);
        } else if event.prev_hash != hash {
            self.fault(event, ChainFaultKind::WrongPrevious);
        }
        if event.hash != event.expected_hash() {
            self.fault(event, ChainFaultKind::WrongHash);
        }
    }
}

/// Checks events that are sorted by chain and place.
#[must_use]
pub fn verify<'e>(events: impl IntoIterator<Item = &'e StoredAuditEvent>) -> VerifyReport {
    let mut report = VerifyReport::default();
    let mut before = None;
    for event in events {
        report.check(before, event);
        before = Some(event);
    }
    report
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

    /// Checks the whole trail, chain by chain, without ever holding more than a part of it. The end of a chain that was cut off cannot be seen.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn audit_verify(&mut self) -> Result<VerifyReport, StoreError> {
        self.audit_verify_from(Uuid::nil(), &mut |_| {})
    }

    /// As [`Db::audit_verify`], for the chains from one on: names of chains grow with time. `progress` hears after each part how many events were
    /// checked.
    ///
    /// # Errors
    /// As [`Db::audit_verify`].
    pub fn audit_verify_from(&mut self, first: Uuid, progress: &mut dyn FnMut(u64)) -> Result<VerifyReport, StoreError> {
        let mut report = VerifyReport::default();
        let mut last: Option<StoredAuditEvent> = None;
        loop {
            let writer = UuidCol(last.as_ref().map_or(first, |last| last.writer_id));
            let mut query =
                audit_events::table.select(AuditRow::as_select()).filter(audit_events::writer_id.ge(writer)).into_boxed::<MultiBackend>();
            if let Some(last) = &last {
                query = query.filter(audit_events::writer_id.gt(writer).or(audit_events::seq.gt(last.seq)));
            }
            let rows = query
                .order((audit_events::writer_id.asc(), audit_events::seq.asc()))
                .limit(ROWS_PER_CHECK)
                .load::<AuditRow>(self.conn())?;
            if rows.is_empty() {
                return Ok(report);
            }
            for row in rows {
                let event = StoredAuditEvent::try_from(row)?;
                report.check(last.as_ref(), &event);
                last = Some(event);
            }
            progress(report.events);
        }
    }
}
