//! The paths of feedback and milestones.

use actix_web::{get, patch, post};
use lahete_domain::feedback::Feedback;
use lahete_domain::ids::{FeedbackId, MilestoneId, ReferralId};

use super::wire::{FeedbackCreate, FeedbackUpdate, FeedbackView, MilestoneQuery, MilestoneView};
use super::{cases, milestones};
use crate::http::answer::Answer;
use crate::http::extract::{ListView, MergePatch, Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(feedback_create)
        .service(feedback_list)
        .service(me_feedback_create)
        .service(me_feedback)
        .service(feedback_view)
        .service(feedback_update)
        .service(referral_milestones)
        .service(milestone_list)
        .service(milestone_acknowledge);
}

fn created(said: &Feedback) -> Answer {
    Answer::created(format!("/v1/feedback/{}", said.id), &FeedbackView::from(said)).version(said.version)
}

fn shown(said: &Feedback) -> Answer {
    Answer::ok(&FeedbackView::from(said)).version(said.version)
}

/// Give feedback on a referral.
///
/// Client, referrer and link worker each have a form of their own: statements of the list `feedback-statements` that begin with their name, rated from 1
/// (not at all) to 5 (fully), and words. Once at each stage. A link worker speaks before the support ends, because their access ends with it. A coordinator
/// writes down what a client has said who does not sign in.
#[utoipa::path(
    tag = "feedback",
    params(("referral_id" = Uuid, Path, description = "The referral.")),
    request_body = FeedbackCreate,
    responses((status = 201, description = "The feedback.", body = FeedbackView))
)]
#[post("/referrals/{referral_id}/feedback")]
pub async fn feedback_create(op: Operation, path: PathId<ReferralId>, body: ValidJson<FeedbackCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(created(&cases::give(db, ctx, path.0, &body.0)?))).await
}

/// List feedback on a referral.
///
/// In the order in which it was given. A coordinator reads all of it, everybody else what they gave; a referrer also what the client said, as long as the
/// client's consent to `feedback_to_referrer` holds.
#[utoipa::path(
    tag = "feedback",
    params(("referral_id" = Uuid, Path, description = "The referral."), Paging),
    responses((status = 200, description = "A page of feedback.", body = ListView<FeedbackView>))
)]
#[get("/referrals/{referral_id}/feedback")]
pub async fn feedback_list(op: Operation, path: PathId<ReferralId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, path.0, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, FeedbackView>(page)))
    })
    .await
}

/// Read feedback.
#[utoipa::path(
    tag = "feedback",
    params(("feedback_id" = Uuid, Path, description = "The feedback.")),
    responses((status = 200, description = "The feedback.", body = FeedbackView))
)]
#[get("/feedback/{feedback_id}")]
pub async fn feedback_view(op: Operation, path: PathId<FeedbackId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(shown(&cases::view(db, ctx, path.0)?))).await
}

/// Change feedback.
///
/// For whoever gave it, for 30 days.
#[utoipa::path(
    tag = "feedback",
    params(("feedback_id" = Uuid, Path, description = "The feedback.")),
    request_body = FeedbackUpdate,
    responses((status = 200, description = "The feedback after the change.", body = FeedbackView))
)]
#[patch("/feedback/{feedback_id}")]
pub async fn feedback_update(op: Operation, path: PathId<FeedbackId>, body: MergePatch<FeedbackUpdate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(shown(&cases::change(db, ctx, path.0, &body.0)?))).await
}

/// Give feedback as a client.
///
/// On a referral about oneself: as `feedback_create`.
#[utoipa::path(
    tag = "me",
    params(("referral_id" = Uuid, Path, description = "The referral.")),
    request_body = FeedbackCreate,
    responses((status = 201, description = "The feedback.", body = FeedbackView))
)]
#[post("/me/referrals/{referral_id}/feedback")]
pub async fn me_feedback_create(op: Operation, path: PathId<ReferralId>, body: ValidJson<FeedbackCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(created(&cases::give_as_client(db, ctx, path.0, &body.0)?))).await
}

/// List feedback that one has given as a client.
///
/// On all referrals about oneself, also what a coordinator has written down.
#[utoipa::path(tag = "me", params(Paging), responses((status = 200, description = "A page of feedback.", body = ListView<FeedbackView>)))]
#[get("/me/feedback")]
pub async fn me_feedback(op: Operation, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::of_client(db, ctx, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, FeedbackView>(page)))
    })
    .await
}

/// List the milestones of a referral.
///
/// For the referrer who wants to hear back (`feedback_wanted`), in a plain sentence of the language that is asked for, the oldest first: where the referral
/// stands and since when, never what the work is like. Nothing without the client's consent to `feedback_to_referrer`, which is asked at each access.
#[utoipa::path(
    tag = "feedback",
    params(("referral_id" = Uuid, Path, description = "The referral."), Paging),
    responses((status = 200, description = "A page of milestones.", body = ListView<MilestoneView>))
)]
#[get("/referrals/{referral_id}/milestones")]
pub async fn referral_milestones(op: Operation, path: PathId<ReferralId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = milestones::of_referral(db, ctx, path.0, &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |told| MilestoneView::of(&told, ctx.language))).language(ctx.language))
    })
    .await
}

/// List the milestones of one's referrals.
///
/// For referrers, of all referrals that they wrote: as `referral_milestones`. With `unread=true` those that they have not acknowledged.
#[utoipa::path(
    tag = "feedback",
    params(MilestoneQuery, Paging),
    responses((status = 200, description = "A page of milestones.", body = ListView<MilestoneView>))
)]
#[get("/milestones")]
pub async fn milestone_list(op: Operation, query: ValidQuery<MilestoneQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = milestones::list(db, ctx, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |told| MilestoneView::of(&told, ctx.language))).language(ctx.language))
    })
    .await
}

/// Acknowledge a milestone.
///
/// The referrer has seen it. To say so again changes nothing, so no version is asked for.
#[utoipa::path(
    tag = "feedback",
    params(("milestone_id" = Uuid, Path, description = "The milestone.")),
    responses((status = 200, description = "The milestone.", body = MilestoneView))
)]
#[post("/milestones/{milestone_id}/acknowledge")]
pub async fn milestone_acknowledge(op: Operation, path: PathId<MilestoneId>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let told = milestones::acknowledge(db, ctx, path.0)?;
        Ok(Answer::ok(&MilestoneView::of(&told, ctx.language)).language(ctx.language))
    })
    .await
}
