//! The operations on keys of API clients.

use actix_web::{get, post};
use lahete_domain::ids::{ApiClientId, ApiClientKeyId};
use lahete_domain::version::Version;

use super::cases;
use super::wire::{ApiClientKeyNew, ApiClientKeyView};
use crate::http::answer::Answer;
use crate::http::extract::paging::{ListView, Paging};
use crate::http::extract::path_id::PathId;
use crate::http::extract::valid_json::ValidJson;
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(api_client_key_list).service(api_client_key_create).service(api_client_key_remove);
}

/// List the keys of an API client.
///
/// For administrators of the programme, the oldest first.
#[utoipa::path(
    tag = "api-clients",
    params(("api_client_id" = Uuid, Path, description = "The API client."), Paging),
    responses((status = 200, description = "Keys.", body = ListView<ApiClientKeyView>))
)]
#[get("/api-clients/{api_client_id}/keys")]
pub async fn api_client_key_list(op: Operation, path: PathId<ApiClientId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, path.0, &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |key| ApiClientKeyView::from(&key))))
    })
    .await
}

/// Add a key of an API client.
///
/// For administrators of the programme. With the private half the API client signs a short assertion for the token endpoint (`private_key_jwt`), so that no
/// secret is shared. To change keys, add the new one, let the API client move over, and remove the old one; ten can be there at once.
#[utoipa::path(
    tag = "api-clients",
    request_body = ApiClientKeyNew,
    params(("api_client_id" = Uuid, Path, description = "The API client.")),
    responses((status = 201, description = "The key was added.", body = ApiClientKeyView))
)]
#[post("/api-clients/{api_client_id}/keys")]
pub async fn api_client_key_create(op: Operation, path: PathId<ApiClientId>, body: ValidJson<ApiClientKeyNew>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let key = cases::create(db, ctx, path.0, &body.0)?;
        Ok(Answer::created(format!("/v1/api-clients/{}/keys", path.0), &ApiClientKeyView::from(&key)).version(Version::FIRST))
    })
    .await
}

/// Remove a key of an API client.
///
/// For administrators of the programme. It opens nothing from then on; tokens that it has opened go on until they end.
#[utoipa::path(
    tag = "api-clients",
    params(
        ("api_client_id" = Uuid, Path, description = "The API client."),
        ("api_client_key_id" = Uuid, Path, description = "The key.")
    ),
    responses((status = 200, description = "The key that was removed.", body = ApiClientKeyView))
)]
#[post("/api-clients/{api_client_id}/keys/{api_client_key_id}/remove")]
pub async fn api_client_key_remove(op: Operation, path: PathId<ApiClientId>, key: PathId<ApiClientKeyId>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let key = cases::remove(db, ctx, path.0, key.0)?;
        Ok(Answer::ok(&ApiClientKeyView::from(&key)).version(Version::FIRST))
    })
    .await
}
