//! The paths of consents.

use actix_web::{get, post};
use lahete_domain::ids::{ConsentId, ReferralId};

use super::cases;
use super::wire::{ConsentCreate, ConsentListView, ConsentView, ConsentWithdraw};
use crate::http::answer::Answer;
use crate::http::extract::path_id::PathId;
use crate::http::extract::valid_json::ValidJson;
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations of the room.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(consent_list).service(consent_create).service(consent_verify).service(consent_withdraw);
}

/// List the consents of a referral.
///
/// With what each of them opens today.
#[utoipa::path(
    tag = "consents",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    responses((status = 200, description = "The oldest first.", body = ConsentListView))
)]
#[get("/referrals/{referral_id}/consents")]
pub async fn consent_list(op: Operation, id: PathId<ReferralId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let items = cases::list(db, ctx, id.0)?;
        Ok(Answer::ok(&ConsentListView { items }))
    })
    .await
}

/// Record a consent.
///
/// The coordinator writes down what the client has agreed to since. It moves the referral's version on.
#[utoipa::path(
    tag = "consents",
    params(("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060")),
    request_body = ConsentCreate,
    responses((status = 201, description = "The consent.", body = ConsentView))
)]
#[post("/referrals/{referral_id}/consents")]
pub async fn consent_create(op: Operation, id: PathId<ReferralId>, body: ValidJson<ConsentCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::record(db, ctx, id.0, body.0.clone())?;
        Ok(Answer::created(format!("/v1/referrals/{}/consents", id.0), &view))
    })
    .await
}

/// Verify an asserted consent.
///
/// The coordinator has asked the client. Until then nobody else is let in. `If-Match` takes the version of the referral.
#[utoipa::path(
    tag = "consents",
    params(
        ("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060"),
        ("consent_id" = Uuid, Path, description = "The consent.", example = "01900000-0000-7000-8000-000000000061")
    ),
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The consent.", body = ConsentView))
)]
#[post("/referrals/{referral_id}/consents/{consent_id}/verify")]
pub async fn consent_verify(op: Operation, id: PathId<ReferralId>, consent: PathId<ConsentId>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(Answer::ok(&cases::verify(db, ctx, id.0, consent.0)?))).await
}

/// Withdraw a consent.
///
/// All of it, or some purposes. Without `process_referral` the referral is closed at once. `If-Match` takes the version of the referral.
#[utoipa::path(
    tag = "consents",
    params(
        ("referral_id" = Uuid, Path, description = "The referral.", example = "01900000-0000-7000-8000-000000000060"),
        ("consent_id" = Uuid, Path, description = "The consent.", example = "01900000-0000-7000-8000-000000000061")
    ),
    request_body = ConsentWithdraw,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The consent.", body = ConsentView))
)]
#[post("/referrals/{referral_id}/consents/{consent_id}/withdraw")]
pub async fn consent_withdraw(
    op: Operation,
    id: PathId<ReferralId>,
    consent: PathId<ConsentId>,
    body: ValidJson<ConsentWithdraw>,
) -> Result<Answer, Problem> {
    op.write_and_shut(move |db, ctx| Ok(Answer::ok(&cases::withdraw(db, ctx, id.0, consent.0, body.0.clone())?))).await
}
