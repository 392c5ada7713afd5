//! The paths of clients.

use actix_web::{get, patch, post};
use lahete_domain::ids::{ClientId, Id as _, UserId};

use super::cases;
use super::wire::{
    AccessLogEntry, AccessLogQuery, ClientChangeView, ClientLinkUser, ClientSearch, ClientSearchResult, ClientUpdate, ClientView,
};
use crate::http::answer::Answer;
use crate::http::extract::paging::{ListView, Paging};
use crate::http::extract::path_id::PathId;
use crate::http::extract::query::ValidQuery;
use crate::http::extract::valid_json::{MergePatch, ValidJson};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations of the room.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(client_search)
        .service(client_view)
        .service(client_update)
        .service(client_link_user)
        .service(client_access_log)
        .service(client_history);
}

/// Find a client by personal identity code.
///
/// The code goes in the body, because addresses end up in logs. At most one client is found; a search leaves an audit event.
#[utoipa::path(
    tag = "clients",
    request_body = ClientSearch,
    responses((status = 200, description = "The client, or nobody.", body = ClientSearchResult))
)]
#[post("/clients/search")]
pub async fn client_search(op: Operation, body: ValidJson<ClientSearch>) -> Result<Answer, Problem> {
    // Guessing codes must not pay, not even for somebody who may search.
    op.state().limits.search.check(op.caller())?;
    op.read(move |db, ctx| {
        let found = cases::search(db, ctx, &body.0)?;
        Ok(Answer::ok(&ClientSearchResult { items: found.iter().map(ClientView::from).collect() }))
    })
    .await
}

/// Read one client.
///
/// With contact data: for the coordinator, the assigned link worker, and the client.
#[utoipa::path(
    tag = "clients",
    params(("client_id" = Uuid, Path, description = "The client.", example = "01900000-0000-7000-8000-000000000050")),
    responses((status = 200, description = "The client.", body = ClientView))
)]
#[get("/clients/{client_id}")]
pub async fn client_view(op: Operation, id: PathId<ClientId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let client = cases::view(db, ctx, id.0)?;
        Ok(Answer::ok(&ClientView::from(&client)).version(client.version))
    })
    .await
}

/// Correct a client's data.
///
/// For the coordinator. What the statistics counted at the sending of a referral stays as it was.
#[utoipa::path(
    tag = "clients",
    params(("client_id" = Uuid, Path, description = "The client.", example = "01900000-0000-7000-8000-000000000050")),
    request_body(content = ClientUpdate, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The client.", body = ClientView))
)]
#[patch("/clients/{client_id}")]
pub async fn client_update(op: Operation, id: PathId<ClientId>, body: MergePatch<ClientUpdate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let client = cases::update(db, ctx, id.0, body.0.clone())?;
        Ok(Answer::ok(&ClientView::from(&client)).version(client.version))
    })
    .await
}

/// Say whose sign-in a client is.
///
/// Then they see their own referrals, plan, visits and consents below `/v1/me`.
#[utoipa::path(
    tag = "clients",
    params(("client_id" = Uuid, Path, description = "The client.", example = "01900000-0000-7000-8000-000000000050")),
    request_body = ClientLinkUser,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The client.", body = ClientView))
)]
#[post("/clients/{client_id}/link-user")]
pub async fn client_link_user(op: Operation, id: PathId<ClientId>, body: ValidJson<ClientLinkUser>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let client = cases::link_user(db, ctx, id.0, UserId::from_uuid(body.0.user_id))?;
        Ok(Answer::ok(&ClientView::from(&client)).version(client.version))
    })
    .await
}

/// Read who has read about a client.
///
/// For the client and the privacy officer, in whole sentences of the wanted language, the newest first: who, in which role, for which organisation, did what,
/// and for what purpose. What is older than two years is shown only with `older=true` and a special reason in `X-Access-Reason`.
#[utoipa::path(
    tag = "clients",
    params(("client_id" = Uuid, Path, description = "The client.", example = "01900000-0000-7000-8000-000000000050"), AccessLogQuery, Paging),
    extensions(("x-access-reason" = json!(true))),
    responses((status = 200, description = "A page of accesses.", body = ListView<AccessLogEntry>))
)]
#[get("/clients/{client_id}/access-log")]
pub async fn client_access_log(
    op: Operation,
    id: PathId<ClientId>,
    query: ValidQuery<AccessLogQuery>,
    paging: Paging,
) -> Result<Answer, Problem> {
    let older = query.0.older.unwrap_or(false);
    op.read(move |db, ctx| {
        let page = cases::access_log(db, ctx, id.0, older, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, AccessLogEntry>(page)).language(ctx.language))
    })
    .await
}

/// Read what was before corrections.
///
/// For the client, the coordinator and the privacy officer: what was corrected, by whom and why, the newest first.
#[utoipa::path(
    tag = "clients",
    params(("client_id" = Uuid, Path, description = "The client.", example = "01900000-0000-7000-8000-000000000050"), Paging),
    responses((status = 200, description = "A page of corrections.", body = ListView<ClientChangeView>))
)]
#[get("/clients/{client_id}/history")]
pub async fn client_history(op: Operation, id: PathId<ClientId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::history(db, ctx, id.0, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, ClientChangeView>(page)))
    })
    .await
}
