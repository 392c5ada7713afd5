//! The operations on API clients.

use actix_web::{get, patch, post};
use lahete_domain::ids::ApiClientId;

use super::cases;
use super::secret::Secret;
use super::wire::{ApiClientNew, ApiClientQuery, ApiClientSecretView, ApiClientUpdate, ApiClientView, SecretRotation};
use crate::http::answer::Answer;
use crate::http::extract::paging::{ListView, Paging};
use crate::http::extract::path_id::PathId;
use crate::http::extract::query::ValidQuery;
use crate::http::extract::valid_json::{MergePatch, ValidJson};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(api_client_list)
        .service(api_client_create)
        .service(api_client_view)
        .service(api_client_update)
        .service(api_client_rotate_secret)
        .service(api_client_revoke)
        .service(api_client_end_sessions);
}

/// List API clients.
///
/// Of the programmes that the caller administers, revoked ones too, by name.
#[utoipa::path(
    tag = "api-clients",
    params(ApiClientQuery, Paging),
    responses((status = 200, description = "API clients.", body = ListView<ApiClientView>))
)]
#[get("/api-clients")]
pub async fn api_client_list(op: Operation, query: ValidQuery<ApiClientQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |client| ApiClientView::from(&client))))
    })
    .await
}

/// Add an API client.
///
/// For administrators of the programme. The answer shows the secret, once: it is stored as a hash alone.
#[utoipa::path(
    tag = "api-clients",
    request_body = ApiClientNew,
    responses((status = 201, description = "The API client was added.", body = ApiClientSecretView))
)]
#[post("/api-clients")]
pub async fn api_client_create(op: Operation, body: ValidJson<ApiClientNew>) -> Result<Answer, Problem> {
    let secret = if body.0.with_secret { Some(Secret::random()?) } else { None };
    let hash = secret.as_ref().map(Secret::sha256);
    let answer = op
        .write(move |db, ctx| {
            let client = cases::create(db, ctx, &body.0, hash.as_ref().map(<[u8; 32]>::as_slice))?;
            Ok(Answer::created(format!("/v1/api-clients/{}", client.id), &ApiClientView::from(&client)).version(client.version))
        })
        .await?;
    match secret {
        Some(secret) => Ok(secret.shown_in(answer)?),
        None => Ok(answer),
    }
}

/// Read an API client.
///
/// For administrators of the programme. The secret cannot be read.
#[utoipa::path(
    tag = "api-clients",
    params(("api_client_id" = Uuid, Path, description = "The API client.")),
    responses((status = 200, description = "The API client.", body = ApiClientView))
)]
#[get("/api-clients/{api_client_id}")]
pub async fn api_client_view(op: Operation, path: PathId<ApiClientId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let client = cases::view(db, ctx, path.0)?;
        Ok(Answer::ok(&ApiClientView::from(&client)).version(client.version))
    })
    .await
}

/// Change an API client.
///
/// For administrators of the programme: its name, and the organisations that it pushes referrals for. A revoked one is not changed any more.
#[utoipa::path(
    tag = "api-clients",
    request_body = ApiClientUpdate,
    params(("api_client_id" = Uuid, Path, description = "The API client.")),
    responses((status = 200, description = "The API client as it is now.", body = ApiClientView))
)]
#[patch("/api-clients/{api_client_id}")]
pub async fn api_client_update(op: Operation, path: PathId<ApiClientId>, body: MergePatch<ApiClientUpdate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let client = cases::update(db, ctx, path.0, body.0.clone())?;
        Ok(Answer::ok(&ApiClientView::from(&client)).version(client.version))
    })
    .await
}

/// Give an API client a new secret.
///
/// For administrators of the programme. The old secret goes on for as many hours as `overlap_hours` says, so that the API client can move over, and
/// otherwise stops at once; tokens that it got go on until they end. The answer shows the new one, once.
#[utoipa::path(
    tag = "api-clients",
    request_body = SecretRotation,
    params(("api_client_id" = Uuid, Path, description = "The API client.")),
    responses((status = 200, description = "The API client with its new secret.", body = ApiClientSecretView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/api-clients/{api_client_id}/rotate-secret")]
pub async fn api_client_rotate_secret(
    op: Operation,
    path: PathId<ApiClientId>,
    body: ValidJson<SecretRotation>,
) -> Result<Answer, Problem> {
    let secret = Secret::random()?;
    let hash = secret.sha256();
    let answer = op
        .write(move |db, ctx| {
            let client = cases::rotate_secret(db, ctx, path.0, &body.0, &hash)?;
            Ok(Answer::ok(&ApiClientView::from(&client)).version(client.version))
        })
        .await?;
    Ok(secret.shown_in(answer)?)
}

/// Revoke an API client.
///
/// For administrators of the programme. It loses all rights with its next call, and never gets them back.
#[utoipa::path(
    tag = "api-clients",
    params(("api_client_id" = Uuid, Path, description = "The API client.")),
    responses((status = 200, description = "The API client as it is now.", body = ApiClientView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/api-clients/{api_client_id}/revoke")]
pub async fn api_client_revoke(op: Operation, path: PathId<ApiClientId>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let client = cases::revoke(db, ctx, path.0)?;
        Ok(Answer::ok(&ApiClientView::from(&client)).version(client.version))
    })
    .await
}

/// End the sessions of an API client.
///
/// For administrators of the programme. Every access token that an API client holds, of whichever issuer, ends within a minute on all servers, and at once on
/// the one that is called. A token that is got afterwards works.
#[utoipa::path(
    tag = "api-clients",
    params(("api_client_id" = Uuid, Path, description = "The API client.")),
    responses((status = 200, description = "The API client, whose tokens are ended.", body = ApiClientView))
)]
#[post("/api-clients/{api_client_id}/end-sessions")]
pub async fn api_client_end_sessions(op: Operation, path: PathId<ApiClientId>) -> Result<Answer, Problem> {
    let (state, life_max) = (op.shared(), op.state().issuers.life_max());
    let answer = op
        .write(move |db, ctx| {
            let present = cases::end_sessions(db, ctx, path.0, life_max)?;
            Ok(Answer::ok(&ApiClientView::from(&present)).version(present.version))
        })
        .await?;
    state.revocations.expire();
    Ok(answer)
}
