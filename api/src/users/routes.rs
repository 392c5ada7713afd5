//! The operations on users.

use actix_web::{get, patch, post};
use lahete_domain::ids::UserId;

use super::cases;
use super::wire::{UserNew, UserQuery, UserUpdate, UserView};
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
    registry.service(user_list).service(user_create).service(user_view).service(user_update).service(user_end_sessions);
}

/// List users.
///
/// Of the programmes that the caller administers, by name.
#[utoipa::path(tag = "users", params(UserQuery, Paging), responses((status = 200, description = "Users.", body = ListView<UserView>)))]
#[get("/users")]
pub async fn user_list(op: Operation, query: ValidQuery<UserQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |user| UserView::from(&user))))
    })
    .await
}

/// Add a user.
///
/// For administrators of the programme. The user can do nothing until they are given a role.
#[utoipa::path(
    tag = "users",
    request_body = UserNew,
    responses((status = 201, description = "The user was added.", body = UserView))
)]
#[post("/users")]
pub async fn user_create(op: Operation, body: ValidJson<UserNew>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let user = cases::create(db, ctx, &body.0)?;
        Ok(Answer::created(format!("/v1/users/{}", user.id), &UserView::from(&user)).version(user.version))
    })
    .await
}

/// Read a user.
///
/// For administrators of the programme that looks after the account.
#[utoipa::path(
    tag = "users",
    params(("user_id" = Uuid, Path, description = "The user.")),
    responses((status = 200, description = "The user.", body = UserView))
)]
#[get("/users/{user_id}")]
pub async fn user_view(op: Operation, path: PathId<UserId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let user = cases::view(db, ctx, path.0)?;
        Ok(Answer::ok(&UserView::from(&user)).version(user.version))
    })
    .await
}

/// Change a user.
///
/// For administrators of the programme that looks after the account. A user that is not active loses all rights with the next call; the last administrator
/// of a programme stays active.
#[utoipa::path(
    tag = "users",
    request_body = UserUpdate,
    params(("user_id" = Uuid, Path, description = "The user.")),
    responses((status = 200, description = "The user as they are now.", body = UserView))
)]
#[patch("/users/{user_id}")]
pub async fn user_update(op: Operation, path: PathId<UserId>, body: MergePatch<UserUpdate>) -> Result<Answer, Problem> {
    op.write_and_shut(move |db, ctx| {
        let user = cases::update(db, ctx, path.0, body.0.clone())?;
        Ok(Answer::ok(&UserView::from(&user)).version(user.version))
    })
    .await
}

/// End the sessions of a user.
///
/// For administrators of the programme. Every access token that a user holds, of whichever issuer, ends within a minute on all servers, and at once on
/// the one that is called. A token that is got afterwards works.
#[utoipa::path(
    tag = "users",
    params(("user_id" = Uuid, Path, description = "The user.")),
    responses((status = 200, description = "The user, whose tokens are ended.", body = UserView))
)]
#[post("/users/{user_id}/end-sessions")]
pub async fn user_end_sessions(op: Operation, path: PathId<UserId>) -> Result<Answer, Problem> {
    let (state, life_max) = (op.shared(), op.state().issuers.life_max());
    let answer = op
        .write(move |db, ctx| {
            let present = cases::end_sessions(db, ctx, path.0, life_max)?;
            Ok(Answer::ok(&UserView::from(&present)).version(present.version))
        })
        .await?;
    state.revocations.expire();
    Ok(answer)
}
