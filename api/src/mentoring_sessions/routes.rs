//! Paths of mentoring sessions.

use actix_web::{get, post};
use lahete_domain::ids::LinkWorkerId;

use super::cases;
use super::wire::{MentoringSessionCreate, MentoringSessionView};
use crate::http::answer::Answer;
use crate::http::extract::{ListView, Paging, PathId, ValidJson};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(mentoring_session_list).service(mentoring_session_create);
}

/// List a link worker's mentoring sessions.
///
/// The newest first.
#[utoipa::path(
    tag = "link-workers",
    params(("link_worker_id" = Uuid, Path, description = "The link worker."), Paging),
    responses((status = 200, description = "A page of sessions.", body = ListView<MentoringSessionView>))
)]
#[get("/link-workers/{link_worker_id}/mentoring-sessions")]
pub async fn mentoring_session_list(op: Operation, path: PathId<LinkWorkerId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, path.0, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, MentoringSessionView>(page)))
    })
    .await
}

/// Record a mentoring session.
///
/// For the coordinator. That there was one, when, how long and with whom: nothing of any client.
#[utoipa::path(
    tag = "link-workers",
    params(("link_worker_id" = Uuid, Path, description = "The link worker.")),
    request_body = MentoringSessionCreate,
    responses((status = 201, description = "The session.", body = MentoringSessionView))
)]
#[post("/link-workers/{link_worker_id}/mentoring-sessions")]
pub async fn mentoring_session_create(
    op: Operation,
    path: PathId<LinkWorkerId>,
    body: ValidJson<MentoringSessionCreate>,
) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let session = cases::create(db, ctx, path.0, body.0.clone())?;
        Ok(Answer::created(format!("/v1/link-workers/{}/mentoring-sessions", path.0), &MentoringSessionView::from(session)))
    })
    .await
}
