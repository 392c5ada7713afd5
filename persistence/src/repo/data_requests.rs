//! What people ask about their data.

use chrono::NaiveDate;
use diesel::prelude::*;
use lahete_domain::codes::{DataRequestKind, DataRequestStateCode, RefusalGround, Role};
use lahete_domain::data_request::{DataRequest, Decided, Extension};
use lahete_domain::ids::{ClientId, DataRequestId, Id, ProgrammeId, UserId};
use lahete_domain::version::Version;
use serde_json::Value;

use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::{clients, data_requests};
use crate::sql_types::{CodeCol, IdCol, InstantCol, JsonCol, VersionCol};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = data_requests, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct RequestRow {
    id: IdCol<DataRequestId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    client_id: IdCol<ClientId>,
    kind: CodeCol<DataRequestKind>,
    state: CodeCol<DataRequestStateCode>,
    words: Option<String>,
    received_at: InstantCol,
    received_on: NaiveDate,
    due_on: NaiveDate,
    recorded_by: Option<IdCol<UserId>>,
    recorded_role: CodeCol<Role>,
    handler_id: Option<IdCol<UserId>>,
    extended_at: Option<InstantCol>,
    extension_reason: Option<String>,
    decided_at: Option<InstantCol>,
    decided_by: Option<IdCol<UserId>>,
    ground: Option<CodeCol<RefusalGround>>,
    decision: Option<String>,
}

impl RequestRow {
    fn of(request: &DataRequest, version: Version) -> Self {
        let (extension, decided) = (request.extension.as_ref(), request.decided.as_ref());
        Self {
            id: IdCol(request.id),
            version: VersionCol(version),
            programme_id: IdCol(request.programme),
            client_id: IdCol(request.client),
            kind: CodeCol(request.kind),
            state: CodeCol(request.state),
            words: request.words.clone(),
            received_at: InstantCol(request.received_at),
            received_on: request.received_on,
            due_on: request.due_on,
            recorded_by: request.recorded_by.map(IdCol),
            recorded_role: CodeCol(request.recorded_role),
            handler_id: request.handler.map(IdCol),
            extended_at: extension.map(|extension| InstantCol(extension.at)),
            extension_reason: extension.and_then(|extension| extension.reason.clone()),
            decided_at: decided.map(|decided| InstantCol(decided.at)),
            decided_by: decided.and_then(|decided| decided.by).map(IdCol),
            ground: decided.and_then(|decided| decided.ground).map(CodeCol),
            decision: decided.and_then(|decided| decided.words.clone()),
        }
    }
}

impl From<RequestRow> for DataRequest {
    fn from(row: RequestRow) -> Self {
        let (extension_reason, decision) = (row.extension_reason, row.decision);
        Self {
            id: row.id.0,
            version: row.version.0,
            programme: row.programme_id.0,
            client: row.client_id.0,
            kind: row.kind.0,
            state: row.state.0,
            words: row.words,
            received_at: row.received_at.0,
            received_on: row.received_on,
            due_on: row.due_on,
            recorded_by: row.recorded_by.map(|id| id.0),
            recorded_role: row.recorded_role.0,
            handler: row.handler_id.map(|id| id.0),
            extension: row.extended_at.map(|at| Extension { at: at.0, reason: extension_reason }),
            decided: row.decided_at.map(|at| Decided {
                at: at.0,
                by: row.decided_by.map(|id| id.0),
                ground: row.ground.map(|ground| ground.0),
                words: decision,
            }),
        }
    }
}

/// Whose requests are seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RequestSight {
    /// All of these programmes.
    pub programmes: Vec<ProgrammeId>,
    /// Those of clients who are this person.
    pub about: Option<UserId>,
}

/// Which requests are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RequestFilter {
    /// In this state.
    pub state: Option<DataRequestStateCode>,
    /// Of this kind.
    pub kind: Option<DataRequestKind>,
    /// Of this client.
    pub client: Option<ClientId>,
    /// Not decided yet, or decided.
    pub open: Option<bool>,
    /// Due on this day or before.
    pub due_until: Option<NaiveDate>,
}

impl Db<'_> {
    /// Records a request.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn data_request_insert(&mut self, request: &DataRequest) -> Result<(), StoreError> {
        diesel::insert_into(data_requests::table).values(RequestRow::of(request, request.version)).execute(self.conn())?;
        Ok(())
    }

    /// One request.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn data_request_get(&mut self, id: DataRequestId) -> Result<Option<DataRequest>, StoreError> {
        let row = data_requests::table.find(IdCol(id)).select(RequestRow::as_select()).first(self.conn()).optional()?;
        Ok(row.map(DataRequest::from))
    }

    /// What was done for a request: counts by class of records, without anything of the person.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn data_request_outcome(&mut self, id: DataRequestId) -> Result<Option<Value>, StoreError> {
        let row: Option<Option<JsonCol>> =
            data_requests::table.find(IdCol(id)).select(data_requests::outcome).first(self.conn()).optional()?;
        Ok(row.flatten().map(|outcome| outcome.0))
    }

    /// Keeps what was done for a request.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn data_request_set_outcome(&mut self, id: DataRequestId, outcome: Value) -> Result<(), StoreError> {
        diesel::update(data_requests::table.find(IdCol(id))).set(data_requests::outcome.eq(Some(JsonCol(outcome)))).execute(self.conn())?;
        Ok(())
    }

    /// Writes a changed request over the version that it was made from.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn data_request_update(&mut self, request: &DataRequest, expected: Version) -> Result<(), StoreError> {
        let stored = data_requests::table.find(IdCol(request.id)).filter(data_requests::version.eq(VersionCol(expected)));
        match diesel::update(stored).set(RequestRow::of(request, expected.next())).execute(self.conn())? {
            0 => Err(StoreError::Stale),
            _ => Ok(()),
        }
    }

    /// A page of requests, the one that is due first at the top.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn data_request_list(
        &mut self,
        sight: &RequestSight,
        filter: RequestFilter,
        request: &PageRequest,
    ) -> Result<Page<DataRequest>, StoreError> {
        let mut query = data_requests::table.select(RequestRow::as_select()).into_boxed::<MultiBackend>();
        let programmes: Vec<_> = sight.programmes.iter().copied().map(IdCol).collect();
        query = match sight.about {
            None => of_programmes!(query, data_requests::programme_id, programmes),
            Some(user) => {
                // One client is the rule, and is asked for by equality, so that the order of the list can come from an index.
                let own = clients::table.filter(clients::user_id.eq(IdCol(user))).select(clients::id);
                let own: Vec<IdCol<ClientId>> = own.load(self.conn())?;
                of_programmes!(query, data_requests::client_id, own)
            }
        };
        if let Some(state) = filter.state {
            query = query.filter(data_requests::state.eq(CodeCol(state)));
        }
        if let Some(kind) = filter.kind {
            query = query.filter(data_requests::kind.eq(CodeCol(kind)));
        }
        if let Some(client) = filter.client {
            query = query.filter(data_requests::client_id.eq(IdCol(client)));
        }
        match filter.open {
            Some(true) => query = query.filter(data_requests::decided_at.is_null()),
            Some(false) => query = query.filter(data_requests::decided_at.is_not_null()),
            None => {}
        }
        if let Some(day) = filter.due_until {
            query = query.filter(data_requests::due_on.le(day));
        }
        if let Some(cursor) = &request.after {
            let Ok(day) = cursor.sort.parse::<NaiveDate>() else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = data_requests::due_on.gt(day).or(data_requests::id.gt(IdCol(DataRequestId::from_uuid(cursor.id))));
            query = query.filter(data_requests::due_on.ge(day)).filter(behind);
        }
        let rows =
            query.order((data_requests::due_on.asc(), data_requests::id.asc())).limit(request.fetch()).load::<RequestRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.due_on.to_string(), id: row.id.0.as_uuid() });
        page.try_map(|row| Ok(row.into()))
    }
}
