//! Paths of the guidance for concerns.

use actix_web::{get, patch, post};
use lahete_domain::ids::ConcernGuidanceId;
use lahete_domain::version::Version;

use super::cases;
use super::wire::{GuidanceCreate, GuidanceListView, GuidanceQuery, GuidanceUpdate, GuidanceView};
use crate::http::answer::Answer;
use crate::http::extract::{MergePatch, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(concern_guidance_list).service(concern_guidance_create).service(concern_guidance_update);
}

/// Read where concerns are reported.
///
/// For each kind, or the one that is asked for: what the programme says for the municipality, else for all of itself, else what national law says. It tells
/// also whether the caller must report or may, by the contract that they work under today.
#[utoipa::path(
    tag = "concerns",
    params(GuidanceQuery),
    responses((status = 200, description = "The guidance.", body = GuidanceListView))
)]
#[get("/concern-guidance")]
pub async fn concern_guidance_list(op: Operation, query: ValidQuery<GuidanceQuery>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(Answer::ok(&GuidanceListView { items: cases::list(db, ctx, &query.0)? }).language(ctx.language))).await
}

/// Say where a kind of concern is reported.
///
/// For coordinators and administrators: in one municipality, or in the whole programme. It comes before the national text.
#[utoipa::path(
    tag = "concerns",
    request_body = GuidanceCreate,
    responses((status = 201, description = "The guidance.", body = GuidanceView))
)]
#[post("/concern-guidance")]
pub async fn concern_guidance_create(op: Operation, body: ValidJson<GuidanceCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::create(db, ctx, body.0.clone())?;
        Ok(Answer::created("/v1/concern-guidance", &view).version(Version::FIRST).language(ctx.language))
    })
    .await
}

/// Change where a kind of concern is reported.
///
/// A merge patch. The version stands in the list.
#[utoipa::path(
    tag = "concerns",
    params(("concern_guidance_id" = Uuid, Path, description = "The guidance.")),
    request_body = GuidanceUpdate,
    responses((status = 200, description = "The guidance as it is now.", body = GuidanceView))
)]
#[patch("/concern-guidance/{concern_guidance_id}")]
pub async fn concern_guidance_update(
    op: Operation,
    id: PathId<ConcernGuidanceId>,
    body: MergePatch<GuidanceUpdate>,
) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let (view, version) = cases::update(db, ctx, id.0, body.0.clone())?;
        Ok(Answer::ok(&view).version(version).language(ctx.language))
    })
    .await
}
