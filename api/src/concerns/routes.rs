//! Paths of concerns.

use actix_web::{get, patch, post};
use lahete_domain::concern::Concern;
use lahete_domain::ids::{ConcernId, ReferralId};

use super::cases;
use super::wire::{ConcernClose, ConcernCreate, ConcernListItem, ConcernQuery, ConcernRelease, ConcernUpdate, ConcernView, MyConcernQuery};
use crate::http::answer::Answer;
use crate::http::extract::{ListView, MergePatch, Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(concern_list)
        .service(concern_view)
        .service(concern_update)
        .service(concern_close)
        .service(concern_release)
        .service(referral_concern_list)
        .service(concern_create)
        .service(me_concerns);
}

fn one(concern: Concern) -> Answer {
    let version = concern.version;
    Answer::ok(&ConcernView::from(concern)).version(version)
}

/// List concerns.
///
/// The newest first. For coordinators and the privacy officer those of the programme, for link workers and referrers those that they have recorded
/// themselves, also when they no longer work with the client. What was written in them is read one by one.
#[utoipa::path(
    tag = "concerns",
    params(ConcernQuery, Paging),
    responses((status = 200, description = "A page of concerns.", body = ListView<ConcernListItem>))
)]
#[get("/concerns")]
pub async fn concern_list(op: Operation, query: ValidQuery<ConcernQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, ConcernListItem>(page)))
    })
    .await
}

/// Read one concern.
///
/// For whoever recorded it, the coordinators and the privacy officer; for nobody else, the client included, who sees it in their own view once it was released.
#[utoipa::path(
    tag = "concerns",
    params(("concern_id" = Uuid, Path, description = "The concern.")),
    responses((status = 200, description = "The concern.", body = ConcernView))
)]
#[get("/concerns/{concern_id}")]
pub async fn concern_view(op: Operation, id: PathId<ConcernId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(one(cases::view(db, ctx, id.0)?))).await
}

/// Add to a concern.
///
/// For whoever recorded it and the coordinators: where and when it was reported, who was asked, what followed. The facts stay as they were recorded.
#[utoipa::path(
    tag = "concerns",
    params(("concern_id" = Uuid, Path, description = "The concern.")),
    request_body = ConcernUpdate,
    responses((status = 200, description = "The concern as it is now.", body = ConcernView))
)]
#[patch("/concerns/{concern_id}")]
pub async fn concern_update(op: Operation, id: PathId<ConcernId>, body: MergePatch<ConcernUpdate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(one(cases::update(db, ctx, id.0, body.0.clone())?))).await
}

/// Close a concern.
///
/// For the coordinator, when nothing more is to be done.
#[utoipa::path(
    tag = "concerns",
    params(("concern_id" = Uuid, Path, description = "The concern.")),
    request_body = ConcernClose,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The concern.", body = ConcernView))
)]
#[post("/concerns/{concern_id}/close")]
pub async fn concern_close(op: Operation, id: PathId<ConcernId>, body: ValidJson<ConcernClose>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(one(cases::close(db, ctx, id.0, body.0.clone())?))).await
}

/// Release a concern to the client's view.
///
/// For the coordinator. Until then the client sees nothing of it: neither the concern, nor who has read or written it, nor that there is one. From now on it
/// stands in their view and in the copy of their data.
#[utoipa::path(
    tag = "concerns",
    params(("concern_id" = Uuid, Path, description = "The concern.")),
    request_body = ConcernRelease,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The concern.", body = ConcernView))
)]
#[post("/concerns/{concern_id}/release")]
pub async fn concern_release(op: Operation, id: PathId<ConcernId>, body: ValidJson<ConcernRelease>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(one(cases::release(db, ctx, id.0, body.0.clone())?))).await
}

/// List the concerns of a referral.
///
/// All of them for coordinators and the privacy officer, their own for the others.
#[utoipa::path(
    tag = "concerns",
    params(("referral_id" = Uuid, Path, description = "The referral."), Paging),
    responses((status = 200, description = "A page of concerns.", body = ListView<ConcernListItem>))
)]
#[get("/referrals/{referral_id}/concerns")]
pub async fn referral_concern_list(op: Operation, id: PathId<ReferralId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list_of(db, ctx, id.0, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, ConcernListItem>(page)))
    })
    .await
}

/// Record a concern.
///
/// For whoever works with the client, and for whoever sent the referral. Where it must be reported says the guidance; reporting it is done there and noted here.
#[utoipa::path(
    tag = "concerns",
    params(("referral_id" = Uuid, Path, description = "The referral.")),
    request_body = ConcernCreate,
    responses((status = 201, description = "The concern.", body = ConcernView))
)]
#[post("/referrals/{referral_id}/concerns")]
pub async fn concern_create(op: Operation, id: PathId<ReferralId>, body: ValidJson<ConcernCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let concern = cases::create(db, ctx, id.0, body.0.clone())?;
        let (path, version) = (format!("/v1/concerns/{}", concern.id), concern.version);
        Ok(Answer::created(path, &ConcernView::from(concern)).version(version))
    })
    .await
}

/// List the concerns about oneself.
///
/// Those that a coordinator has released, the newest first.
#[utoipa::path(
    tag = "me",
    params(MyConcernQuery, Paging),
    responses((status = 200, description = "A page of concerns.", body = ListView<ConcernView>))
)]
#[get("/me/concerns")]
pub async fn me_concerns(op: Operation, query: ValidQuery<MyConcernQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::own(db, ctx, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, ConcernView::for_client)))
    })
    .await
}
