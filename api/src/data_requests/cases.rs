//! What is done with data requests.

use lahete_domain::access::{Action, Subject, visibility};
use lahete_domain::actor::Grant;
use lahete_domain::client::Client;
use lahete_domain::codes::{AuditAction, ClientStanding, DataRequestKind, DataRequestStateCode, Role};
use lahete_domain::data_request::{DataRequest, NewDataRequest};
use lahete_domain::ids::{ClientId, DataRequestId, Id as _, ProgrammeId};
use lahete_domain::time::plus_days;
use lahete_persistence::repo::data_requests::{RequestFilter, RequestSight};
use lahete_persistence::{Db, Page, PageRequest};

use super::erasure;
use super::package;
use super::wire::{
    DataRequestCreate, DataRequestExtend, DataRequestFulfil, DataRequestQuery, DataRequestRefuse, DataRequestView, ErasedClass,
    MyDataRequestCreate, PackageView,
};
use crate::clients::cases::{name_of, open_client};
use crate::error::{AppError, RuleProblem};
use crate::operation::OpContext;
use crate::programmes::reachable;
use crate::restrictions;

/// For how many days after the decision the privacy officer can still read the package: then it was handed over.
const PACKAGE_DAYS: i64 = 30;

/// A request that the caller may work on, and whose it is.
struct Open {
    request: DataRequest,
    client: Client,
    grant: Grant,
}

fn find(db: &mut Db<'_>, ctx: &OpContext, action: Action, id: DataRequestId) -> Result<Open, AppError> {
    // All is asked before anything is decided: whether there is no such request or another's cannot be told by how much is asked.
    let found = db.data_request_get(id)?;
    let client = db.client_get(found.as_ref().map_or(ClientId::nil(), |request| request.client))?;
    let Some(request) = found else { return Err(ctx.absent(db, action)) };
    let client = client.ok_or_else(|| AppError::internal("the client of a data request is missing"))?;
    // A request has its own life: it is worked on while the data are restricted, and shown after they are erased.
    let subject = Subject { client: client.user, ..Subject::of_programme(client.programme) };
    let grant = ctx.require(db, action, &subject, Some(client.id), None)?;
    Ok(Open { request, client, grant })
}

fn shown(db: &mut Db<'_>, ctx: &OpContext, request: &DataRequest, client: &Client) -> Result<DataRequestView, AppError> {
    let erased = match db.data_request_outcome(request.id)? {
        Some(outcome) => Some(serde_json::from_value::<Vec<ErasedClass>>(outcome).map_err(AppError::internal)?),
        None => None,
    };
    Ok(DataRequestView::of(request, name_of(client), erased, ctx.now.helsinki_date()))
}

/// One request.
///
/// # Errors
/// 404 when the caller may not see it.
pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: DataRequestId) -> Result<DataRequestView, AppError> {
    let open = find(db, ctx, Action::DataRequestView, id)?;
    ctx.audit(db, &open.grant, AuditAction::Read, Some(open.client.id), None);
    shown(db, ctx, &open.request, &open.client)
}

fn page_of(
    db: &mut Db<'_>,
    ctx: &OpContext,
    sight: &RequestSight,
    filter: RequestFilter,
    page: &PageRequest,
) -> Result<Page<DataRequestView>, AppError> {
    let found = db.data_request_list(sight, filter, page)?;
    let ids: Vec<ClientId> = found.items.iter().map(|request| request.client).collect();
    let clients = db.clients_get(&ids)?;
    for client in &clients {
        let subject = Subject { client: client.user, ..Subject::of_programme(client.programme) };
        let grant = ctx.require(db, Action::DataRequestView, &subject, Some(client.id), None)?;
        ctx.audit(db, &grant, AuditAction::Read, Some(client.id), None);
    }
    let today = ctx.now.helsinki_date();
    found.try_map(|request| {
        let client = clients.iter().find(|client| client.id == request.client);
        let client = client.ok_or_else(|| AppError::internal("the client of a data request is missing"))?;
        Ok(DataRequestView::of(&request, name_of(client), None, today))
    })
}

/// The requests of the caller's programmes, or the caller's own.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &DataRequestQuery, page: &PageRequest) -> Result<Page<DataRequestView>, AppError> {
    let programmes = reachable(ctx, Action::DataRequestView, query.programme_id.map(ProgrammeId::from_uuid));
    let own = visibility(&ctx.actor, Action::DataRequestView).about.map(|(user, _)| user);
    let sight = RequestSight { about: own.filter(|_| programmes.is_empty() && query.programme_id.is_none()), programmes };
    let today = ctx.now.helsinki_date();
    let due = match (query.overdue, query.due_within_days) {
        (Some(true), _) => today.pred_opt(),
        (_, Some(days)) => Some(plus_days(today, u64::from(days))),
        _ => None,
    };
    let filter = RequestFilter {
        state: query.state.map(|code| code.0),
        kind: query.kind.map(|code| code.0),
        client: query.client_id.map(ClientId::from_uuid),
        open: if due.is_some() { Some(true) } else { query.open },
        due_until: due,
    };
    page_of(db, ctx, &sight, filter, page)
}

/// The caller's own requests.
///
/// # Errors
/// When the database fails.
pub fn list_own(db: &mut Db<'_>, ctx: &OpContext, page: &PageRequest) -> Result<Page<DataRequestView>, AppError> {
    let Some((user, _)) = visibility(&ctx.actor, Action::DataRequestView).about else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let sight = RequestSight { programmes: Vec::new(), about: Some(user) };
    page_of(db, ctx, &sight, RequestFilter::default(), page)
}

fn receive(db: &mut Db<'_>, ctx: &OpContext, client: &Client, grant: &Grant, new: NewDataRequest) -> Result<DataRequestView, AppError> {
    if client.standing == ClientStanding::Erased {
        return Err(RuleProblem::new("client_erased", "What was known of the client is erased.").into());
    }
    let request = DataRequest::receive(new, ctx.now)?;
    db.data_request_insert(&request)?;
    ctx.audit(db, grant, AuditAction::Created, Some(client.id), None);
    shown(db, ctx, &request, client)
}

/// Records what a client asks, on their behalf.
///
/// # Errors
/// 404 for a client who is none, 422 for a day of receipt that is not possible.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, body: &DataRequestCreate) -> Result<DataRequestView, AppError> {
    let (client, grant) = open_client(db, ctx, Action::DataRequestCreate, ClientId::from_uuid(body.client_id))?;
    let new = NewDataRequest {
        id: ctx.ids.next(),
        programme: client.programme,
        client: client.id,
        kind: body.kind.0,
        words: body.words.as_ref().map(|words| words.as_str().to_owned()),
        received_on: body.received_on,
        recorded_by: ctx.actor.user(),
        recorded_role: grant.role,
    };
    receive(db, ctx, &client, &grant, new)
}

/// What the caller asks about their own data.
///
/// # Errors
/// 404 for somebody who is no client.
pub fn create_own(db: &mut Db<'_>, ctx: &OpContext, body: &MyDataRequestCreate) -> Result<DataRequestView, AppError> {
    let client = own_client(db, ctx, Action::DataRequestCreate, body.programme_id)?;
    let subject = Subject { client: client.user, ..Subject::of_programme(client.programme) };
    let grant = ctx.require(db, Action::DataRequestCreate, &subject, Some(client.id), None)?;
    let new = NewDataRequest {
        id: ctx.ids.next(),
        programme: client.programme,
        client: client.id,
        kind: body.kind.0,
        words: body.words.as_ref().map(|words| words.as_str().to_owned()),
        received_on: None,
        recorded_by: ctx.actor.user(),
        recorded_role: grant.role,
    };
    receive(db, ctx, &client, &grant, new)
}

fn own_client(db: &mut Db<'_>, ctx: &OpContext, action: Action, programme: Option<uuid::Uuid>) -> Result<Client, AppError> {
    let own = visibility(&ctx.actor, action).about;
    let Some((user, programmes)) = own else { return Err(ctx.absent(db, action)) };
    let found = db
        .clients_of_user(user)?
        .into_iter()
        .find(|client| programmes.contains(&client.programme) && programme.is_none_or(|wanted| client.programme.as_uuid() == wanted));
    found.ok_or_else(|| ctx.absent(db, action))
}

/// Everything about the caller.
///
/// # Errors
/// 404 for somebody who is no client.
pub fn own_copy(db: &mut Db<'_>, ctx: &OpContext, programme: Option<uuid::Uuid>) -> Result<PackageView, AppError> {
    let client = own_client(db, ctx, Action::DataCopyView, programme)?;
    let subject = Subject { client: client.user, ..Subject::of_programme(client.programme) };
    let grant = ctx.require(db, Action::DataCopyView, &subject, Some(client.id), None)?;
    ctx.audit(db, &grant, AuditAction::Read, Some(client.id), None);
    package::make(db, ctx, &client, DataRequestKind::Access)
}

/// The package that a request asks for. The person gets it when the request is fulfilled; the privacy officer sees it while they work on it, and for a
/// month after.
///
/// # Errors
/// 409 when the request is of another kind, or there is no package of it now.
pub fn package(db: &mut Db<'_>, ctx: &OpContext, id: DataRequestId) -> Result<PackageView, AppError> {
    use DataRequestStateCode as S;
    let Open { request, client, grant } = find(db, ctx, Action::DataPackageView, id)?;
    if !matches!(request.kind, DataRequestKind::Access | DataRequestKind::Portability) {
        return Err(RuleProblem::new("no_package", "Only a request for access or portability has a package.").into());
    }
    let there = match (request.state, grant.role) {
        (S::Fulfilled, Role::Client) => true,
        (S::InProgress | S::Extended, role) => role != Role::Client,
        (S::Fulfilled, _) => request.decided.as_ref().is_some_and(|decided| ctx.now <= decided.at.plus_days(PACKAGE_DAYS)),
        (S::Received | S::Refused | S::Withdrawn, _) => false,
    };
    if !there {
        return Err(RuleProblem::new("no_package", "There is no package of the request now.").into());
    }
    ctx.audit(db, &grant, AuditAction::Read, Some(client.id), None);
    package::make(db, ctx, &client, request.kind)
}

fn store(db: &mut Db<'_>, ctx: &OpContext, open: &Open, after: DataRequest) -> Result<DataRequestView, AppError> {
    let expected = open.request.version;
    db.data_request_update(&after, expected)?;
    ctx.audit(db, &open.grant, AuditAction::Changed, Some(open.client.id), None);
    shown(db, ctx, &DataRequest { version: expected.next(), ..after }, &open.client)
}

/// Takes a request on.
///
/// # Errors
/// 409 in another state, 412 for another version.
pub fn start(db: &mut Db<'_>, ctx: &OpContext, id: DataRequestId) -> Result<DataRequestView, AppError> {
    let open = find(db, ctx, Action::DataRequestHandle, id)?;
    ctx.expect_version(open.request.version)?;
    let after = open.request.clone().start(ctx.actor.user())?;
    store(db, ctx, &open, after)
}

/// Extends the time for the answer.
///
/// # Errors
/// 409 in another state or after the last day, 412 for another version.
pub fn extend(db: &mut Db<'_>, ctx: &OpContext, id: DataRequestId, body: &DataRequestExtend) -> Result<DataRequestView, AppError> {
    let open = find(db, ctx, Action::DataRequestHandle, id)?;
    ctx.expect_version(open.request.version)?;
    let after = open.request.clone().extend(ctx.actor.user(), body.reason.as_str().to_owned(), ctx.now)?;
    store(db, ctx, &open, after)
}

/// Refuses a request.
///
/// # Errors
/// 409 in another state, 412 for another version.
pub fn refuse(db: &mut Db<'_>, ctx: &OpContext, id: DataRequestId, body: &DataRequestRefuse) -> Result<DataRequestView, AppError> {
    let open = find(db, ctx, Action::DataRequestHandle, id)?;
    ctx.expect_version(open.request.version)?;
    let after = open.request.clone().refuse(ctx.actor.user(), body.ground.0, body.decision.as_str().to_owned(), ctx.now)?;
    store(db, ctx, &open, after)
}

/// Takes a request back: the person themself, or the officer on their behalf.
///
/// # Errors
/// 409 when it is decided, 412 for another version.
pub fn withdraw(db: &mut Db<'_>, ctx: &OpContext, id: DataRequestId) -> Result<DataRequestView, AppError> {
    let open = find(db, ctx, Action::DataRequestWithdraw, id)?;
    ctx.expect_version(open.request.version)?;
    let after = open.request.clone().withdraw(ctx.actor.user(), ctx.now)?;
    store(db, ctx, &open, after)
}

/// Fulfils a request, and does what that means: a copy can be fetched from now on, a correction must have been made, a restriction begins, or the
/// person is erased.
///
/// # Errors
/// 409 in another state, and when what is asked cannot be done; 412 for another version.
pub fn fulfil(db: &mut Db<'_>, ctx: &OpContext, id: DataRequestId, body: &DataRequestFulfil) -> Result<DataRequestView, AppError> {
    let open = find(db, ctx, Action::DataRequestHandle, id)?;
    ctx.expect_version(open.request.version)?;
    let words = body.decision.as_ref().map(|words| words.as_str().to_owned());
    let after = open.request.clone().fulfil(ctx.actor.user(), words.clone(), ctx.now)?;
    match after.kind {
        DataRequestKind::Access | DataRequestKind::Portability => store(db, ctx, &open, after),
        DataRequestKind::Rectification => {
            // The coordinator corrects; the officer sees that it was done.
            if !db.client_changed_since(open.client.id, open.request.received_at)? {
                let text = "Nothing was corrected since the request came. The coordinator corrects, then it can be fulfilled.";
                return Err(RuleProblem::new("rectification_missing", text).into());
            }
            store(db, ctx, &open, after)
        }
        DataRequestKind::Restriction | DataRequestKind::Objection => {
            let reason = words.or_else(|| open.request.words.clone()).unwrap_or_else(|| "–".to_owned());
            restrictions::cases::begin(db, ctx, &open.client, reason)?;
            store(db, ctx, &open, after)
        }
        DataRequestKind::Erasure => {
            let expected = open.request.version;
            db.data_request_update(&after, expected)?;
            let erased = erasure::erase(db, ctx, &open.grant, &open.client, body.close_open_referrals)?;
            db.data_request_set_outcome(id, serde_json::to_value(&erased).map_err(AppError::internal)?)?;
            let client = db.client_get(open.client.id)?.ok_or_else(|| AppError::internal("an erased client is missing"))?;
            let request = db.data_request_get(id)?.ok_or(AppError::NotFound(DataRequestId::RESOURCE))?;
            shown(db, ctx, &request, &client)
        }
    }
}
