//! Paths of restrictions.

use actix_web::{get, post};
use lahete_domain::ids::ClientId;
use lahete_persistence::repo::restrictions::Restriction;

use super::cases;
use super::wire::{RestrictionCreate, RestrictionRelease, RestrictionView};
use crate::http::answer::Answer;
use crate::http::extract::{PathId, ValidJson};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(client_restriction_create)
        .service(client_restriction_view)
        .service(client_restriction_release)
        .service(client_restriction_lift);
}

fn shown(restriction: Restriction) -> Answer {
    Answer::ok(&RestrictionView::from(&restriction)).version(restriction.version)
}

/// Restrict the use of a client's data.
///
/// For the privacy officer: the data are stored, and nobody of the programme can do anything else with them, as long as it is checked whether they are
/// right or may be used. The client still sees their own.
#[utoipa::path(
    tag = "data-requests",
    params(("client_id" = Uuid, Path, description = "The client.")),
    request_body = RestrictionCreate,
    responses((status = 201, description = "The restriction.", body = RestrictionView))
)]
#[post("/clients/{client_id}/restriction")]
pub async fn client_restriction_create(op: Operation, id: PathId<ClientId>, body: ValidJson<RestrictionCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let restriction = cases::create(db, ctx, id.0, body.0.reason.clone().into())?;
        let path = format!("/v1/clients/{}/restriction", id.0);
        Ok(Answer::created(path, &RestrictionView::from(&restriction)).version(restriction.version))
    })
    .await
}

/// Read the restriction of a client's data.
///
/// For the privacy officer, the coordinator and the client. 404 when there is none.
#[utoipa::path(
    tag = "data-requests",
    params(("client_id" = Uuid, Path, description = "The client.")),
    responses((status = 200, description = "The restriction.", body = RestrictionView))
)]
#[get("/clients/{client_id}/restriction")]
pub async fn client_restriction_view(op: Operation, id: PathId<ClientId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| cases::view(db, ctx, id.0).map(shown)).await
}

/// Decide that a restriction ends.
///
/// For the privacy officer. The person is told, and then the coordinator lifts it.
#[utoipa::path(
    tag = "data-requests",
    params(("client_id" = Uuid, Path, description = "The client.")),
    request_body = RestrictionRelease,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The restriction.", body = RestrictionView))
)]
#[post("/clients/{client_id}/restriction/release")]
pub async fn client_restriction_release(
    op: Operation,
    id: PathId<ClientId>,
    body: ValidJson<RestrictionRelease>,
) -> Result<Answer, Problem> {
    op.write(move |db, ctx| cases::release(db, ctx, id.0, body.0.reason.clone().into()).map(shown)).await
}

/// Lift a restriction.
///
/// For the coordinator, when the privacy officer has decided that it ends: from now on the case can be worked on again.
#[utoipa::path(
    tag = "data-requests",
    params(("client_id" = Uuid, Path, description = "The client.")),
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The restriction.", body = RestrictionView))
)]
#[post("/clients/{client_id}/restriction/lift")]
pub async fn client_restriction_lift(op: Operation, id: PathId<ClientId>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| cases::lift(db, ctx, id.0).map(shown)).await
}
