//! The paths of referrals.

use actix_web::{get, patch, post};
use lahete_domain::ids::ReferralId;

use super::cases;
use super::wire::{
    ContactAttemptCreate, ContactAttemptListView, ContactAttemptView, MessageListView, ReferralAnswer, ReferralClose, ReferralComment,
    ReferralCreate, ReferralDefer, ReferralGuide, ReferralListItem, ReferralListQuery, ReferralReasonGiven, ReferralRectify,
    ReferralRequestInformation, ReferralReview, ReferralStateView, ReferralUpdate, ReferralView, ReferralWaitlist, TimelineView,
};
use crate::error::AppError;
use crate::http::answer::Answer;
use crate::http::extract::paging::{ListView, Paging};
use crate::http::extract::path_id::PathId;
use crate::http::extract::query::ValidQuery;
use crate::http::extract::valid_json::{MergePatch, ValidJson};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations of the room.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(referral_create)
        .service(referral_list)
        .service(referral_view)
        .service(referral_update)
        .service(referral_submit)
        .service(referral_review)
        .service(referral_request_information)
        .service(referral_answer)
        .service(referral_guide)
        .service(referral_waitlist)
        .service(referral_defer)
        .service(referral_resume)
        .service(referral_close)
        .service(referral_reopen)
        .service(referral_withdraw)
        .service(referral_mark_as_error)
        .service(referral_rectify)
        .service(referral_timeline)
        .service(message_list)
        .service(contact_attempt_list)
        .service(contact_attempt_create);
}

fn whole(view: &ReferralView, answer: Answer) -> Result<Answer, AppError> {
    let version = lahete_domain::version::Version::new(view.version).ok_or_else(|| AppError::internal("a referral without a version"))?;
    Ok(answer.version(version))
}

/// Write a referral.
///
/// A professional writes it together with the client and with their consent; a client can write their own; a patient system pushes it. With
/// `submit` it is sent at once. A machine must send an `Idempotency-Key`, and can name its own id of the referral in `source`: the same one never makes two.
#[utoipa::path(
    tag = "referrals",
    request_body = ReferralCreate,
    responses((status = 201, description = "The draft, or the sent referral.", body = ReferralView))
)]
#[post("/referrals")]
pub async fn referral_create(op: Operation, body: ValidJson<ReferralCreate>) -> Result<Answer, Problem> {
    if cases::is_machine(op.caller()) && op.idempotency_key().is_none() {
        let text = "A system that pushes referrals sends an Idempotency-Key, so that a repeated call makes no second referral.";
        return Err(AppError::malformed("idempotency_key_required", text).into());
    }
    op.add(move |db, ctx| {
        let view = cases::create_signed_in(db, ctx, body.0.clone()).map_err(cases::as_duplicate)?;
        let location = format!("/v1/referrals/{}", view.id);
        whole(&view, Answer::created(location, &view))
    })
    .await
}

/// List referrals.
///
/// Those that the caller may see: all sent ones of the programme for a coordinator, one's own for a referrer, those of today's clients for a link worker.
/// Filters and orders are those of a coordinator's day: by state and age in it, by reason, mine, waiting longest.
#[utoipa::path(
    tag = "referrals",
    params(ReferralListQuery, Paging),
    responses((status = 200, description = "A page of referrals.", body = ListView<ReferralListItem>))
)]
#[get("/referrals")]
pub async fn referral_list(op: Operation, query: ValidQuery<ReferralListQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, ReferralListItem>(page)))
    })
    .await
}

/// Read one referral.
///
/// What is in it depends on who reads: see the members.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    responses((status = 200, description = "The referral.", body = ReferralView))
)]
#[get("/referrals/{referral_id}")]
pub async fn referral_view(op: Operation, id: PathId<ReferralId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let view = cases::view(db, ctx, id.0)?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Change a draft.
///
/// A sent referral is not changed any more; the coordinator corrects contact data at the client.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body(content = ReferralUpdate, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The draft.", body = ReferralView))
)]
#[patch("/referrals/{referral_id}")]
pub async fn referral_update(op: Operation, id: PathId<ReferralId>, body: MergePatch<ReferralUpdate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::update(db, ctx, id.0, body.0.clone())?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Send a draft.
///
/// Checks that the client is an adult, that consent and a reason are there and that the programme serves the municipality; takes the snapshot for the statistics.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The referral after it.", body = ReferralView))
)]
#[post("/referrals/{referral_id}/submit")]
pub async fn referral_submit(op: Operation, id: PathId<ReferralId>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::submit_draft(db, ctx, id.0)?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Take a referral for review.
///
/// A coordinator takes a sent referral, or takes one back from direct guidance with the barrier that stood in the way.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body = ReferralReview,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The referral after it.", body = ReferralView))
)]
#[post("/referrals/{referral_id}/review")]
pub async fn referral_review(op: Operation, id: PathId<ReferralId>, body: ValidJson<ReferralReview>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::review(db, ctx, id.0, body.0.clone())?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Ask the referrer or the client.
///
/// The referral waits for the answer; question and answer are kept.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body = ReferralRequestInformation,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The referral after it.", body = ReferralView))
)]
#[post("/referrals/{referral_id}/request-information")]
pub async fn referral_request_information(
    op: Operation,
    id: PathId<ReferralId>,
    body: ValidJson<ReferralRequestInformation>,
) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::request_information(db, ctx, id.0, body.0.clone())?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Answer a question.
///
/// The one who was asked answers, or the coordinator writes down what they were told. The referral goes back to review.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body = ReferralAnswer,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The referral after it.", body = ReferralView))
)]
#[post("/referrals/{referral_id}/answer")]
pub async fn referral_answer(op: Operation, id: PathId<ReferralId>, body: ValidJson<ReferralAnswer>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::answer(db, ctx, id.0, body.0.clone())?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Guide the client directly to activities.
///
/// For clients who need no link worker. The follow-up date says when somebody asks how it went.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body = ReferralGuide,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The referral after it.", body = ReferralView))
)]
#[post("/referrals/{referral_id}/guide")]
pub async fn referral_guide(op: Operation, id: PathId<ReferralId>, body: ValidJson<ReferralGuide>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::guide(db, ctx, id.0, body.0.clone())?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Put a referral on the waiting list.
///
/// Accepted; a link worker is still to be found. The place on the list is kept when the referral comes back to it.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body = ReferralWaitlist,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The referral after it.", body = ReferralView))
)]
#[post("/referrals/{referral_id}/waitlist")]
pub async fn referral_waitlist(op: Operation, id: PathId<ReferralId>, body: ValidJson<ReferralWaitlist>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::waitlist(db, ctx, id.0, body.0.clone())?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Start later.
///
/// Agreed with the client. A link worker who had accepted is released.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body = ReferralDefer,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The referral after it.", body = ReferralView))
)]
#[post("/referrals/{referral_id}/defer")]
pub async fn referral_defer(op: Operation, id: PathId<ReferralId>, body: ValidJson<ReferralDefer>) -> Result<Answer, Problem> {
    op.write_and_shut(move |db, ctx| {
        let view = cases::defer(db, ctx, id.0, body.0.clone())?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Take a deferred referral up again.
///
/// It goes back to where it was: to review or to the waiting list.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body = ReferralComment,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The referral after it.", body = ReferralView))
)]
#[post("/referrals/{referral_id}/resume")]
pub async fn referral_resume(op: Operation, id: PathId<ReferralId>, body: ValidJson<ReferralComment>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::resume(db, ctx, id.0, body.0.clone().comment.map(Into::into))?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Close a referral without support, or after direct guidance.
///
/// Each outcome has its own end reasons. `not_reached` needs three attempts to reach the client.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body = ReferralClose,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The referral after it.", body = ReferralView))
)]
#[post("/referrals/{referral_id}/close")]
pub async fn referral_close(op: Operation, id: PathId<ReferralId>, body: ValidJson<ReferralClose>) -> Result<Answer, Problem> {
    op.write_and_shut(move |db, ctx| {
        let view = cases::close(db, ctx, id.0, body.0.clone())?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Open a closed referral again.
///
/// Within 30 days, and only when it was not started, redirected or declined. Otherwise a new referral names the earlier one.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body = ReferralReasonGiven,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The referral after it.", body = ReferralView))
)]
#[post("/referrals/{referral_id}/reopen")]
pub async fn referral_reopen(op: Operation, id: PathId<ReferralId>, body: ValidJson<ReferralReasonGiven>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::reopen(db, ctx, id.0, body.0.clone().reason.into_string())?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Withdraw a referral.
///
/// The client can always do this, the referrer until the support starts, the coordinator on their behalf. Sharing stops at once.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body = ReferralComment,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The referral after it.", body = ReferralView))
)]
#[post("/referrals/{referral_id}/withdraw")]
pub async fn referral_withdraw(op: Operation, id: PathId<ReferralId>, body: ValidJson<ReferralComment>) -> Result<Answer, Problem> {
    op.write_and_shut(move |db, ctx| {
        let view = cases::withdraw(db, ctx, id.0, body.0.clone().comment.map(Into::into))?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Mark a referral as entered in error.
///
/// It should never have existed: it leaves the statistics, and whatever ran on it ends. The answer holds no content, because an admin sees none.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body = ReferralReasonGiven,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The state after it.", body = ReferralStateView))
)]
#[post("/referrals/{referral_id}/mark-as-error")]
pub async fn referral_mark_as_error(
    op: Operation,
    id: PathId<ReferralId>,
    body: ValidJson<ReferralReasonGiven>,
) -> Result<Answer, Problem> {
    op.write_and_shut(move |db, ctx| {
        let view = cases::mark_as_error(db, ctx, id.0, body.0.clone().reason.into_string())?;
        let version =
            lahete_domain::version::Version::new(view.version).ok_or_else(|| AppError::internal("a referral without a version"))?;
        Ok(Answer::ok(&view).version(version))
    })
    .await
}

/// Read the timeline of a referral.
///
/// Every change with who, when, from and to, in plain words of the wanted language. A referrer sees what happened, not what was said about it.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    responses((status = 200, description = "The timeline.", body = TimelineView))
)]
#[get("/referrals/{referral_id}/timeline")]
pub async fn referral_timeline(op: Operation, id: PathId<ReferralId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let items = cases::timeline(db, ctx, id.0)?;
        Ok(Answer::ok(&TimelineView { items }).language(ctx.language))
    })
    .await
}

/// List questions and answers.
///
/// The coordinator sees all of them, the referrer and the client their own.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    responses((status = 200, description = "The oldest first.", body = MessageListView))
)]
#[get("/referrals/{referral_id}/messages")]
pub async fn message_list(op: Operation, id: PathId<ReferralId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let items = cases::messages(db, ctx, id.0)?;
        Ok(Answer::ok(&MessageListView { items }))
    })
    .await
}

/// List attempts to reach the client.
///
/// For the coordinator.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    responses((status = 200, description = "The oldest first.", body = ContactAttemptListView))
)]
#[get("/referrals/{referral_id}/contact-attempts")]
pub async fn contact_attempt_list(op: Operation, id: PathId<ReferralId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let items = cases::contact_attempts(db, ctx, id.0)?;
        Ok(Answer::ok(&ContactAttemptListView { items }))
    })
    .await
}

/// Record an attempt to reach the client.
///
/// Three of them allow closing as `not_reached`.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body = ContactAttemptCreate,
    responses((status = 201, description = "The attempt.", body = ContactAttemptView))
)]
#[post("/referrals/{referral_id}/contact-attempts")]
pub async fn contact_attempt_create(
    op: Operation,
    id: PathId<ReferralId>,
    body: ValidJson<ContactAttemptCreate>,
) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::record_contact_attempt(db, ctx, id.0, body.0.clone())?;
        Ok(Answer::created(format!("/v1/referrals/{}/contact-attempts", id.0), &view))
    })
    .await
}

/// Correct the words of a sent referral.
///
/// For the coordinator, when the client says that something is wrong in it. What was there before is kept in the client's history with the reason.
#[utoipa::path(
    tag = "referrals",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body = ReferralRectify,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The referral.", body = ReferralView))
)]
#[post("/referrals/{referral_id}/rectify")]
pub async fn referral_rectify(op: Operation, id: PathId<ReferralId>, body: ValidJson<ReferralRectify>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::rectify(db, ctx, id.0, body.0.clone())?;
        whole(&view, Answer::ok(&view))
    })
    .await
}
