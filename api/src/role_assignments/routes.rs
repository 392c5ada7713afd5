//! The operations on role assignments.

use actix_web::{get, post};
use lahete_domain::ids::RoleAssignmentId;

use super::cases;
use super::wire::{RoleAssignmentEnd, RoleAssignmentNew, RoleAssignmentQuery, RoleAssignmentView};
use crate::http::answer::Answer;
use crate::http::extract::paging::{ListView, Paging};
use crate::http::extract::path_id::PathId;
use crate::http::extract::query::ValidQuery;
use crate::http::extract::valid_json::ValidJson;
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(role_assignment_list).service(role_assignment_create).service(role_assignment_view).service(role_assignment_end);
}

/// List role assignments.
///
/// In the programmes that the caller administers, past ones too, the newest first.
#[utoipa::path(
    tag = "role-assignments",
    params(RoleAssignmentQuery, Paging),
    responses((status = 200, description = "Role assignments.", body = ListView<RoleAssignmentView>))
)]
#[get("/role-assignments")]
pub async fn role_assignment_list(op: Operation, query: ValidQuery<RoleAssignmentQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |assignment| RoleAssignmentView::from(&assignment))))
    })
    .await
}

/// Give a role.
///
/// For administrators of the programme. The role counts from the user's next call on, on the days on which it holds.
#[utoipa::path(
    tag = "role-assignments",
    request_body = RoleAssignmentNew,
    responses((status = 201, description = "The role was given.", body = RoleAssignmentView))
)]
#[post("/role-assignments")]
pub async fn role_assignment_create(op: Operation, body: ValidJson<RoleAssignmentNew>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let assignment = cases::create(db, ctx, &body.0)?;
        let location = format!("/v1/role-assignments/{}", assignment.id);
        Ok(Answer::created(location, &RoleAssignmentView::from(&assignment)).version(assignment.version))
    })
    .await
}

/// Read a role assignment.
///
/// For administrators of the programme.
#[utoipa::path(
    tag = "role-assignments",
    params(("role_assignment_id" = Uuid, Path, description = "The role assignment.")),
    responses((status = 200, description = "The role assignment.", body = RoleAssignmentView))
)]
#[get("/role-assignments/{role_assignment_id}")]
pub async fn role_assignment_view(op: Operation, path: PathId<RoleAssignmentId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let assignment = cases::view(db, ctx, path.0)?;
        Ok(Answer::ok(&RoleAssignmentView::from(&assignment)).version(assignment.version))
    })
    .await
}

/// End a role.
///
/// For administrators of the programme. At once, or on a later day. A programme keeps at least one administrator.
#[utoipa::path(
    tag = "role-assignments",
    request_body = RoleAssignmentEnd,
    params(("role_assignment_id" = Uuid, Path, description = "The role assignment.")),
    responses((status = 200, description = "The role assignment as it is now.", body = RoleAssignmentView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/role-assignments/{role_assignment_id}/end")]
pub async fn role_assignment_end(
    op: Operation,
    path: PathId<RoleAssignmentId>,
    body: ValidJson<RoleAssignmentEnd>,
) -> Result<Answer, Problem> {
    op.write_and_shut(move |db, ctx| {
        let assignment = cases::end(db, ctx, path.0, &body.0)?;
        Ok(Answer::ok(&RoleAssignmentView::from(&assignment)).version(assignment.version))
    })
    .await
}
