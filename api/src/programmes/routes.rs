//! The operations on programmes.

use actix_web::{get, patch, post};
use lahete_domain::ids::ProgrammeId;
use lahete_domain::version::Version;

use super::cases;
use super::wire::{ProgrammeNew, ProgrammeUpdate, ProgrammeView, TermsNew, TermsView};
use crate::http::answer::Answer;
use crate::http::extract::paging::{ListView, Paging};
use crate::http::extract::path_id::PathId;
use crate::http::extract::valid_json::{MergePatch, ValidJson};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(programme_list)
        .service(programme_create)
        .service(programme_view)
        .service(programme_update)
        .service(programme_terms_list)
        .service(programme_terms_create);
}

/// List programmes.
///
/// The programmes in which the caller holds a role, in the order in which they were added.
#[utoipa::path(tag = "programmes", params(Paging), responses((status = 200, description = "Programmes.", body = ListView<ProgrammeView>)))]
#[get("/programmes")]
pub async fn programme_list(op: Operation, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |programme| ProgrammeView::from(&programme))))
    })
    .await
}

/// Add a programme.
///
/// For administrators of any programme. The caller becomes the first administrator of the new one. Until it has terms of its own, the usual limits hold:
/// 6 months, 600 minutes a month, 13.00 euros an hour.
#[utoipa::path(
    tag = "programmes",
    request_body = ProgrammeNew,
    responses((status = 201, description = "The programme was added.", body = ProgrammeView))
)]
#[post("/programmes")]
pub async fn programme_create(op: Operation, body: ValidJson<ProgrammeNew>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let programme = cases::create(db, ctx, &body.0)?;
        Ok(Answer::created(format!("/v1/programmes/{}", programme.id), &ProgrammeView::from(&programme)).version(programme.version))
    })
    .await
}

/// Read a programme.
///
/// For everybody who holds a role in it.
#[utoipa::path(
    tag = "programmes",
    params(("programme_id" = Uuid, Path, description = "The programme.")),
    responses((status = 200, description = "The programme.", body = ProgrammeView))
)]
#[get("/programmes/{programme_id}")]
pub async fn programme_view(op: Operation, path: PathId<ProgrammeId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let programme = cases::view(db, ctx, path.0)?;
        Ok(Answer::ok(&ProgrammeView::from(&programme)).version(programme.version))
    })
    .await
}

/// Change a programme.
///
/// For its administrators. A programme that is not active takes no new referrals; those under way go on.
#[utoipa::path(
    tag = "programmes",
    request_body = ProgrammeUpdate,
    params(("programme_id" = Uuid, Path, description = "The programme.")),
    responses((status = 200, description = "The programme as it is now.", body = ProgrammeView))
)]
#[patch("/programmes/{programme_id}")]
pub async fn programme_update(op: Operation, path: PathId<ProgrammeId>, body: MergePatch<ProgrammeUpdate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let programme = cases::update(db, ctx, path.0, body.0.clone())?;
        Ok(Answer::ok(&ProgrammeView::from(&programme)).version(programme.version))
    })
    .await
}

/// List the terms of a programme.
///
/// Its dated limits and fees, the newest first. On each day the newest that began by then hold.
#[utoipa::path(
    tag = "programmes",
    params(("programme_id" = Uuid, Path, description = "The programme."), Paging),
    responses((status = 200, description = "The terms.", body = ListView<TermsView>))
)]
#[get("/programmes/{programme_id}/terms")]
pub async fn programme_terms_list(op: Operation, path: PathId<ProgrammeId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list_terms(db, ctx, path.0, &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |terms| TermsView::from(&terms))))
    })
    .await
}

/// Add terms to a programme.
///
/// For its administrators. They hold from their first day on until the next ones begin, and are never changed: new terms replace them. Visits that were
/// held already keep the fee that was in force then.
#[utoipa::path(
    tag = "programmes",
    request_body = TermsNew,
    params(("programme_id" = Uuid, Path, description = "The programme.")),
    responses((status = 201, description = "The terms were added.", body = TermsView))
)]
#[post("/programmes/{programme_id}/terms")]
pub async fn programme_terms_create(op: Operation, path: PathId<ProgrammeId>, body: ValidJson<TermsNew>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let terms = cases::create_terms(db, ctx, path.0, &body.0)?;
        Ok(Answer::created(format!("/v1/programmes/{}/terms", terms.programme), &TermsView::from(&terms)).version(Version::FIRST))
    })
    .await
}
