//! Activity links: paths and answers.

use actix_web::{get, patch, post};
use lahete_domain::ids::{ActivityLinkId, ReferralId};
use lahete_persistence::repo::activity_links::NamedActivityLink;

use super::cases;
use super::wire::{ActivityLinkUpdate, ActivityLinkView, NewActivityLink};
use crate::http::answer::Answer;
use crate::http::content_tag::tagged;
use crate::http::extract::{ListView, MergePatch, Paging, PathId, ValidJson};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations of the room.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(activity_link_list).service(activity_link_create).service(activity_link_update);
}

fn with_tag(answer: Answer, named: &NamedActivityLink) -> Answer {
    tagged(answer, named.link.version)
}

/// List a referral's activity links.
///
/// In the order in which they were proposed, after direct guidance and during support alike.
#[utoipa::path(tag = "support-periods", params(("referral_id" = Uuid, Path, description = "The referral."), Paging), responses((status = 200, description = "A page of activity links.", body = ListView<ActivityLinkView>)))]
#[get("/referrals/{referral_id}/activity-links")]
pub async fn activity_link_list(op: Operation, path: PathId<ReferralId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(Answer::list(&paging.view::<_, ActivityLinkView>(cases::list(db, ctx, path.0, &paging.request())?)))).await
}

/// Link a referral with an activity.
///
/// By the coordinator while the referral is open, by the link worker during support. Nothing of the client is sent to whoever holds the activity.
#[utoipa::path(tag = "support-periods", params(("referral_id" = Uuid, Path, description = "The referral.")), request_body = NewActivityLink, responses((status = 201, description = "The activity link.", body = ActivityLinkView)))]
#[post("/referrals/{referral_id}/activity-links")]
pub async fn activity_link_create(op: Operation, path: PathId<ReferralId>, body: ValidJson<NewActivityLink>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let named = cases::create(db, ctx, path.0, &body.0)?;
        let location = format!("/v1/referrals/{}/activity-links", path.0);
        Ok(with_tag(Answer::created(location, &ActivityLinkView::from(&named)), &named.named))
    })
    .await
}

/// Note how far the client has come with an activity.
///
/// A merge patch. `stopped` needs the barrier that stood in the way; while attending, `continues` says whether the client goes on after the support. `unmet_needs` says what nobody offers.
#[utoipa::path(tag = "support-periods", params(("activity_link_id" = Uuid, Path, description = "The activity link.")), request_body = ActivityLinkUpdate, responses((status = 200, description = "The activity link as it is now.", body = ActivityLinkView)))]
#[patch("/activity-links/{activity_link_id}")]
pub async fn activity_link_update(
    op: Operation,
    path: PathId<ActivityLinkId>,
    body: MergePatch<ActivityLinkUpdate>,
) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let named = cases::update(db, ctx, path.0, &body.0)?;
        Ok(with_tag(Answer::ok(&ActivityLinkView::from(&named)), &named.named))
    })
    .await
}
