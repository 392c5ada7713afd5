//! Paths of legal holds.

use actix_web::{get, post};
use lahete_domain::ids::LegalHoldId;

use super::cases;
use super::wire::{LegalHoldCreate, LegalHoldEnd, LegalHoldQuery, LegalHoldView};
use crate::http::answer::Answer;
use crate::http::content_tag::tagged;
use crate::http::extract::{ListView, Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(legal_hold_list).service(legal_hold_create).service(legal_hold_view).service(legal_hold_end);
}

/// List legal holds.
///
/// For the privacy officer, the newest first.
#[utoipa::path(
    tag = "data-requests",
    params(LegalHoldQuery, Paging),
    responses((status = 200, description = "A page of holds.", body = ListView<LegalHoldView>))
)]
#[get("/legal-holds")]
pub async fn legal_hold_list(op: Operation, query: ValidQuery<LegalHoldQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, &query.0, &paging.request())?;
        let today = ctx.now.helsinki_date();
        Ok(Answer::list(&paging.view_with(page, |hold| LegalHoldView::of(&hold, today))))
    })
    .await
}

/// Place a legal hold.
///
/// On everything of a client, or on one referral. Neither a request nor the end of a time for keeping erases what is held.
#[utoipa::path(
    tag = "data-requests",
    request_body = LegalHoldCreate,
    responses((status = 201, description = "The hold.", body = LegalHoldView))
)]
#[post("/legal-holds")]
pub async fn legal_hold_create(op: Operation, body: ValidJson<LegalHoldCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let hold = cases::create(db, ctx, &body.0)?;
        let view = LegalHoldView::of(&hold, ctx.now.helsinki_date());
        Ok(tagged(Answer::created(format!("/v1/legal-holds/{}", hold.id), &view), hold.version))
    })
    .await
}

/// Read one legal hold.
///
/// For the privacy officer.
#[utoipa::path(
    tag = "data-requests",
    params(("legal_hold_id" = Uuid, Path, description = "The hold.")),
    responses((status = 200, description = "The hold.", body = LegalHoldView))
)]
#[get("/legal-holds/{legal_hold_id}")]
pub async fn legal_hold_view(op: Operation, id: PathId<LegalHoldId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let hold = cases::view(db, ctx, id.0)?;
        Ok(tagged(Answer::ok(&LegalHoldView::of(&hold, ctx.now.helsinki_date())), hold.version))
    })
    .await
}

/// End a legal hold.
///
/// From now on policies and requests reach the records again.
#[utoipa::path(
    tag = "data-requests",
    params(("legal_hold_id" = Uuid, Path, description = "The hold.")),
    request_body = LegalHoldEnd,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The hold.", body = LegalHoldView))
)]
#[post("/legal-holds/{legal_hold_id}/end")]
pub async fn legal_hold_end(op: Operation, id: PathId<LegalHoldId>, body: ValidJson<LegalHoldEnd>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let hold = cases::end(db, ctx, id.0, &body.0)?;
        Ok(tagged(Answer::ok(&LegalHoldView::of(&hold, ctx.now.helsinki_date())), hold.version))
    })
    .await
}
