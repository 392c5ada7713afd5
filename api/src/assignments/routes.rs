//! Assignments: paths and answers.

use actix_web::{get, post};
use lahete_domain::ids::{AssignmentId, ReferralId};

use super::cases::{self, Shown};
use super::wire::{AssignmentQuery, AssignmentView, DeclineAssignment, EndAssignment, NewAssignment};
use crate::http::answer::Answer;
use crate::http::content_tag::tagged;
use crate::http::extract::{ListView, Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations of the room.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(assignment_propose)
        .service(referral_assignment_list)
        .service(assignment_list)
        .service(assignment_view)
        .service(assignment_accept)
        .service(assignment_decline)
        .service(assignment_end);
}

fn one(shown: &Shown) -> Answer {
    tagged(Answer::ok(&AssignmentView::from(shown)), shown.found.assignment.version)
}

/// Propose a link worker.
///
/// Needs the client's verified consent to be shared with a link worker. The link worker must be active, trained and under contract, serve the
/// municipality, have room, and not have declared a conflict of interest. They have seven days to answer.
#[utoipa::path(tag = "assignments", params(("referral_id" = Uuid, Path, description = "The referral.")), request_body = NewAssignment, responses((status = 201, description = "The proposal.", body = AssignmentView)))]
#[post("/referrals/{referral_id}/assignments")]
pub async fn assignment_propose(op: Operation, path: PathId<ReferralId>, body: ValidJson<NewAssignment>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let shown = cases::propose(db, ctx, path.0, &body.0)?;
        let assignment = &shown.found.assignment;
        Ok(tagged(Answer::created(format!("/v1/assignments/{}", assignment.id), &AssignmentView::from(&shown)), assignment.version))
    })
    .await
}

/// List a referral's assignments.
///
/// The newest proposal first. A link worker sees only their own, as long as it lasts.
#[utoipa::path(tag = "assignments", params(("referral_id" = Uuid, Path, description = "The referral."), Paging), responses((status = 200, description = "A page of assignments.", body = ListView<AssignmentView>)))]
#[get("/referrals/{referral_id}/assignments")]
pub async fn referral_assignment_list(op: Operation, path: PathId<ReferralId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list_of(db, ctx, path.0, &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |shown| AssignmentView::from(&shown))))
    })
    .await
}

/// List assignments.
///
/// The newest proposal first. A coordinator sees those of the programme; a link worker the proposals that they can answer and the assignments that
/// they have accepted.
#[utoipa::path(tag = "assignments", params(AssignmentQuery, Paging), responses((status = 200, description = "A page of assignments.", body = ListView<AssignmentView>)))]
#[get("/assignments")]
pub async fn assignment_list(op: Operation, query: ValidQuery<AssignmentQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |shown| AssignmentView::from(&shown))))
    })
    .await
}

/// Read one assignment.
///
/// A link worker sees a proposal without the client's name or contact; the referral and the client can be read once it is accepted.
#[utoipa::path(tag = "assignments", params(("assignment_id" = Uuid, Path, description = "The assignment.")), responses((status = 200, description = "The assignment.", body = AssignmentView)))]
#[get("/assignments/{assignment_id}")]
pub async fn assignment_view(op: Operation, path: PathId<AssignmentId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(one(&cases::view(db, ctx, path.0)?))).await
}

/// Accept a proposal.
///
/// By the link worker. Consent, contract, training and room are asked again. The referral becomes `assigned`; during support, the link worker takes
/// over.
#[utoipa::path(tag = "assignments", params(("assignment_id" = Uuid, Path, description = "The assignment.")), responses((status = 200, description = "The accepted assignment, with referral and client.", body = AssignmentView)), extensions(("x-if-match" = json!(true))))]
#[post("/assignments/{assignment_id}/accept")]
pub async fn assignment_accept(op: Operation, path: PathId<AssignmentId>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(one(&cases::accept(db, ctx, path.0)?))).await
}

/// Decline a proposal.
///
/// By the link worker. The coordinator can then propose another one.
#[utoipa::path(tag = "assignments", params(("assignment_id" = Uuid, Path, description = "The assignment.")), request_body = DeclineAssignment, responses((status = 200, description = "The declined assignment.", body = AssignmentView)), extensions(("x-if-match" = json!(true))))]
#[post("/assignments/{assignment_id}/decline")]
pub async fn assignment_decline(op: Operation, path: PathId<AssignmentId>, body: ValidJson<DeclineAssignment>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(one(&cases::decline(db, ctx, path.0, body.0.reason.0)?))).await
}

/// End an assignment.
///
/// By the coordinator, or by the link worker themself. An assigned referral goes back to the waiting list at its old place; during support the
/// period goes on and waits for the next link worker. A proposal is taken back. The link worker's access to the case ends at once.
#[utoipa::path(tag = "assignments", params(("assignment_id" = Uuid, Path, description = "The assignment.")), request_body = EndAssignment, responses((status = 200, description = "The ended assignment.", body = AssignmentView)), extensions(("x-if-match" = json!(true))))]
#[post("/assignments/{assignment_id}/end")]
pub async fn assignment_end(op: Operation, path: PathId<AssignmentId>, body: ValidJson<EndAssignment>) -> Result<Answer, Problem> {
    op.write_and_shut(move |db, ctx| Ok(one(&cases::end(db, ctx, path.0, &body.0)?))).await
}
