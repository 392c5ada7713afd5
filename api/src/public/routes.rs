//! The paths of the open door.

use actix_web::post;

use super::cases;
use super::wire::{PublicReferralCreate, PublicReferralReceipt, PublicStatusQuery, PublicStatusView};
use crate::http::answer::Answer;
use crate::http::extract::valid_json::ValidJson;
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::OpenOperation;

/// Registers the operations of the room.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(public_referral_create).service(public_referral_status);
}

/// Send a referral without signing in.
///
/// The answer is a receipt with a tracking code; nothing can be read back but the state. Only the coordinator sees the referral until they have asked
/// the client whether the consent is true.
#[utoipa::path(
    tag = "public",
    request_body = PublicReferralCreate,
    responses((status = 201, description = "The receipt.", body = PublicReferralReceipt)),
    security(())
)]
#[post("/public/referrals")]
pub async fn public_referral_create(op: OpenOperation, body: ValidJson<PublicReferralCreate>) -> Result<Answer, Problem> {
    op.add(move |db, ctx| {
        let receipt = cases::submit(db, ctx, body.0.clone())?;
        Ok(Answer::created("/v1/public/referrals/status", &receipt))
    })
    .await
}

/// Ask for the state behind a tracking code.
///
/// The state, since when, and nothing else.
#[utoipa::path(
    tag = "public",
    request_body = PublicStatusQuery,
    responses((status = 200, description = "The state.", body = PublicStatusView)),
    security(())
)]
#[post("/public/referrals/status")]
pub async fn public_referral_status(op: OpenOperation, body: ValidJson<PublicStatusQuery>) -> Result<Answer, Problem> {
    op.read(move |db, _| Ok(Answer::ok(&cases::status(db, body.0.tracking_code.as_str())?))).await
}
