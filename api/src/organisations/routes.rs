//! The operations on organisations.

use actix_web::{get, patch, post};
use lahete_domain::ids::OrganisationId;

use super::cases;
use super::wire::{OrganisationNew, OrganisationQuery, OrganisationUpdate, OrganisationView};
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
    registry.service(organisation_list).service(organisation_create).service(organisation_view).service(organisation_update);
}

/// List organisations.
///
/// Of the programmes in which the caller works, by name.
#[utoipa::path(
    tag = "organisations",
    params(OrganisationQuery, Paging),
    responses((status = 200, description = "Organisations.", body = ListView<OrganisationView>))
)]
#[get("/organisations")]
pub async fn organisation_list(op: Operation, query: ValidQuery<OrganisationQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |organisation| OrganisationView::from(&organisation))))
    })
    .await
}

/// Add an organisation.
///
/// For administrators of the programme.
#[utoipa::path(
    tag = "organisations",
    request_body = OrganisationNew,
    responses((status = 201, description = "The organisation was added.", body = OrganisationView))
)]
#[post("/organisations")]
pub async fn organisation_create(op: Operation, body: ValidJson<OrganisationNew>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let organisation = cases::create(db, ctx, &body.0)?;
        let location = format!("/v1/organisations/{}", organisation.id);
        Ok(Answer::created(location, &OrganisationView::from(&organisation)).version(organisation.version))
    })
    .await
}

/// Read an organisation.
///
/// For everybody who works in its programme.
#[utoipa::path(
    tag = "organisations",
    params(("organisation_id" = Uuid, Path, description = "The organisation.")),
    responses((status = 200, description = "The organisation.", body = OrganisationView))
)]
#[get("/organisations/{organisation_id}")]
pub async fn organisation_view(op: Operation, path: PathId<OrganisationId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let organisation = cases::view(db, ctx, path.0)?;
        Ok(Answer::ok(&OrganisationView::from(&organisation)).version(organisation.version))
    })
    .await
}

/// Change an organisation.
///
/// For administrators of the programme. One that is not active gets no new roles and no new API clients; what it has goes on.
#[utoipa::path(
    tag = "organisations",
    request_body = OrganisationUpdate,
    params(("organisation_id" = Uuid, Path, description = "The organisation.")),
    responses((status = 200, description = "The organisation as it is now.", body = OrganisationView))
)]
#[patch("/organisations/{organisation_id}")]
pub async fn organisation_update(
    op: Operation,
    path: PathId<OrganisationId>,
    body: MergePatch<OrganisationUpdate>,
) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let organisation = cases::update(db, ctx, path.0, body.0.clone())?;
        Ok(Answer::ok(&OrganisationView::from(&organisation)).version(organisation.version))
    })
    .await
}
