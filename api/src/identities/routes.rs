//! The operations on links with other issuers.

use actix_web::{get, post};
use lahete_domain::actor::Caller;
use lahete_domain::ids::{ApiClientId, ApiClientIdentityId, Id as _, IdentityId, UserId, UserIdentityId};
use lahete_domain::version::Version;

use super::cases;
use super::wire::{IdentityNew, IdentityView};
use crate::http::answer::Answer;
use crate::http::extract::paging::{ListView, Paging};
use crate::http::extract::path_id::PathId;
use crate::http::extract::valid_json::ValidJson;
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(user_identity_list)
        .service(user_identity_create)
        .service(user_identity_remove)
        .service(api_client_identity_list)
        .service(api_client_identity_create)
        .service(api_client_identity_remove);
}

/// List the identities of a user.
///
/// For administrators of the programme: the names by which a user is known at other issuers, the oldest first.
#[utoipa::path(
    tag = "users",
    params(("user_id" = Uuid, Path, description = "The user."), Paging),
    responses((status = 200, description = "Identities.", body = ListView<IdentityView>))
)]
#[get("/users/{user_id}/identities")]
pub async fn user_identity_list(op: Operation, path: PathId<UserId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, Caller::User(path.0), &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |identity| IdentityView::from(&identity))))
    })
    .await
}

/// Link a user with an identity.
///
/// For administrators of the programme, and of every other one in which the account holds a role. From then on a token of that issuer with that
/// subject is a user's. It brings no rights along: those are the roles that the account has here.
#[utoipa::path(
    tag = "users",
    request_body = IdentityNew,
    params(("user_id" = Uuid, Path, description = "The user.")),
    responses((status = 201, description = "The identity was linked.", body = IdentityView))
)]
#[post("/users/{user_id}/identities")]
pub async fn user_identity_create(op: Operation, path: PathId<UserId>, body: ValidJson<IdentityNew>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let identity = cases::create(db, ctx, Caller::User(path.0), &body.0)?;
        Ok(Answer::created(format!("/v1/users/{}/identities", path.0), &IdentityView::from(&identity)).version(Version::FIRST))
    })
    .await
}

/// Take an identity of a user away.
///
/// For administrators of the programme. Every token that a user holds ends within a minute on all servers.
#[utoipa::path(
    tag = "users",
    params(
        ("user_id" = Uuid, Path, description = "The user."),
        ("user_identity_id" = Uuid, Path, description = "The identity.")
    ),
    responses((status = 200, description = "The identity that was taken away.", body = IdentityView))
)]
#[post("/users/{user_id}/identities/{user_identity_id}/remove")]
pub async fn user_identity_remove(op: Operation, path: PathId<UserId>, identity: PathId<UserIdentityId>) -> Result<Answer, Problem> {
    let (state, life_max) = (op.shared(), op.state().issuers.life_max());
    let answer = op
        .write(move |db, ctx| {
            let identity = cases::remove(db, ctx, Caller::User(path.0), IdentityId::from_uuid(identity.0.as_uuid()), life_max)?;
            Ok(Answer::ok(&IdentityView::from(&identity)).version(Version::FIRST))
        })
        .await?;
    state.issuers.forget_callers();
    state.revocations.expire();
    Ok(answer)
}

/// List the identities of an API client.
///
/// For administrators of the programme: the names by which an API client is known at other issuers, the oldest first.
#[utoipa::path(
    tag = "api-clients",
    params(("api_client_id" = Uuid, Path, description = "The API client."), Paging),
    responses((status = 200, description = "Identities.", body = ListView<IdentityView>))
)]
#[get("/api-clients/{api_client_id}/identities")]
pub async fn api_client_identity_list(op: Operation, path: PathId<ApiClientId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, Caller::ApiClient(path.0), &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |identity| IdentityView::from(&identity))))
    })
    .await
}

/// Link an API client with an identity.
///
/// For administrators of the programme, and of every other one in which the account holds a role. From then on a token of that issuer with that
/// subject is an API client's. It brings no rights along: those are the roles that the account has here.
#[utoipa::path(
    tag = "api-clients",
    request_body = IdentityNew,
    params(("api_client_id" = Uuid, Path, description = "The API client.")),
    responses((status = 201, description = "The identity was linked.", body = IdentityView))
)]
#[post("/api-clients/{api_client_id}/identities")]
pub async fn api_client_identity_create(op: Operation, path: PathId<ApiClientId>, body: ValidJson<IdentityNew>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let identity = cases::create(db, ctx, Caller::ApiClient(path.0), &body.0)?;
        Ok(Answer::created(format!("/v1/api-clients/{}/identities", path.0), &IdentityView::from(&identity)).version(Version::FIRST))
    })
    .await
}

/// Take an identity of an API client away.
///
/// For administrators of the programme. Every token that an API client holds ends within a minute on all servers.
#[utoipa::path(
    tag = "api-clients",
    params(
        ("api_client_id" = Uuid, Path, description = "The API client."),
        ("api_client_identity_id" = Uuid, Path, description = "The identity.")
    ),
    responses((status = 200, description = "The identity that was taken away.", body = IdentityView))
)]
#[post("/api-clients/{api_client_id}/identities/{api_client_identity_id}/remove")]
pub async fn api_client_identity_remove(
    op: Operation,
    path: PathId<ApiClientId>,
    identity: PathId<ApiClientIdentityId>,
) -> Result<Answer, Problem> {
    let (state, life_max) = (op.shared(), op.state().issuers.life_max());
    let answer = op
        .write(move |db, ctx| {
            let identity = cases::remove(db, ctx, Caller::ApiClient(path.0), IdentityId::from_uuid(identity.0.as_uuid()), life_max)?;
            Ok(Answer::ok(&IdentityView::from(&identity)).version(Version::FIRST))
        })
        .await?;
    state.issuers.forget_callers();
    state.revocations.expire();
    Ok(answer)
}
