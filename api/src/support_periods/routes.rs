//! Paths of support periods.

use actix_web::{get, post};
use lahete_domain::ids::{ReferralId, SupportPeriodId};
use lahete_domain::support_period::SupportPeriod;

use super::cases;
use super::wire::{
    SupportPeriodChangeLinkWorker, SupportPeriodEnd, SupportPeriodExtend, SupportPeriodPause, SupportPeriodProposeEnd, SupportPeriodQuery,
    SupportPeriodStart, SupportPeriodView,
};
use crate::http::answer::Answer;
use crate::http::extract::{ListView, Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(support_period_start)
        .service(support_period_list)
        .service(support_period_view)
        .service(support_period_pause)
        .service(support_period_resume)
        .service(support_period_extend)
        .service(support_period_change_link_worker)
        .service(support_period_propose_end)
        .service(support_period_end);
}

fn shown((view, period): (SupportPeriodView, SupportPeriod)) -> Answer {
    Answer::ok(&view).version(period.version)
}

/// Start the support.
///
/// After the first visit was held: writes the support period, the visit, and the measure of the start or the reason why there is none.
/// The referral moves on to `in_support`; `If-Match` names its version.
#[utoipa::path(
    tag = "support-periods",
    params(("referral_id" = Uuid, Path, description = "The referral.")),
    request_body = SupportPeriodStart,
    responses((status = 201, description = "The support period.", body = SupportPeriodView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/referrals/{referral_id}/support-period")]
pub async fn support_period_start(op: Operation, path: PathId<ReferralId>, body: ValidJson<SupportPeriodStart>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let (view, period) = cases::start(db, ctx, path.0, &body.0)?;
        Ok(Answer::created(format!("/v1/support-periods/{}", view.id), &view).version(period.version))
    })
    .await
}

/// List support periods.
///
/// A coordinator sees those of the programme, a link worker those of the clients assigned to them, a client their own. Those that are
/// planned to end soonest come first. `no_visit_for_days` and `ends_within_days` are the coordinator's work lists, and the link worker's own: each item says
/// when the last visit was and how many days are left.
#[utoipa::path(
    tag = "support-periods",
    params(SupportPeriodQuery, Paging),
    responses((status = 200, description = "A page of support periods.", body = ListView<SupportPeriodView>))
)]
#[get("/support-periods")]
pub async fn support_period_list(op: Operation, query: ValidQuery<SupportPeriodQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let filter = query.0.filter(ctx.now.helsinki_date());
        let page = cases::list(db, ctx, filter, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, SupportPeriodView>(page)))
    })
    .await
}

/// Read one support period.
///
/// With the hours used and left this month, and the sums of its visits month by month.
#[utoipa::path(
    tag = "support-periods",
    params(("support_period_id" = Uuid, Path, description = "The support period.")),
    responses((status = 200, description = "The support period.", body = SupportPeriodView))
)]
#[get("/support-periods/{support_period_id}")]
pub async fn support_period_view(op: Operation, path: PathId<SupportPeriodId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| cases::view(db, ctx, path.0).map(shown)).await
}

/// Pause the support.
///
/// The planned end does not move.
#[utoipa::path(
    tag = "support-periods",
    params(("support_period_id" = Uuid, Path, description = "The support period.")),
    request_body = SupportPeriodPause,
    responses((status = 200, description = "The paused support period.", body = SupportPeriodView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/support-periods/{support_period_id}/pause")]
pub async fn support_period_pause(
    op: Operation,
    path: PathId<SupportPeriodId>,
    body: ValidJson<SupportPeriodPause>,
) -> Result<Answer, Problem> {
    op.write(move |db, ctx| cases::pause(db, ctx, path.0, &body.0).map(shown)).await
}

/// Go on after a pause.
#[utoipa::path(
    tag = "support-periods",
    params(("support_period_id" = Uuid, Path, description = "The support period.")),
    responses((status = 200, description = "The support period, active again.", body = SupportPeriodView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/support-periods/{support_period_id}/resume")]
pub async fn support_period_resume(op: Operation, path: PathId<SupportPeriodId>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| cases::resume(db, ctx, path.0).map(shown)).await
}

/// Move the planned end.
///
/// Inside the months that the programme allows, counted from the start. Beyond them, write a new referral that names this one.
#[utoipa::path(
    tag = "support-periods",
    params(("support_period_id" = Uuid, Path, description = "The support period.")),
    request_body = SupportPeriodExtend,
    responses((status = 200, description = "The support period with its new planned end.", body = SupportPeriodView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/support-periods/{support_period_id}/extend")]
pub async fn support_period_extend(
    op: Operation,
    path: PathId<SupportPeriodId>,
    body: ValidJson<SupportPeriodExtend>,
) -> Result<Answer, Problem> {
    op.write(move |db, ctx| cases::extend(db, ctx, path.0, &body.0).map(shown)).await
}

/// Change the link worker.
///
/// Releases the present link worker, whose access ends at once, and proposes another one, who accepts or declines as before. The planned
/// end stays.
#[utoipa::path(
    tag = "support-periods",
    params(("support_period_id" = Uuid, Path, description = "The support period.")),
    request_body = SupportPeriodChangeLinkWorker,
    responses((status = 200, description = "The support period, waiting for the new link worker's answer.", body = SupportPeriodView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/support-periods/{support_period_id}/change-link-worker")]
pub async fn support_period_change_link_worker(
    op: Operation,
    path: PathId<SupportPeriodId>,
    body: ValidJson<SupportPeriodChangeLinkWorker>,
) -> Result<Answer, Problem> {
    op.write_and_shut(move |db, ctx| cases::change_link_worker(db, ctx, path.0, &body.0).map(shown)).await
}

/// Propose to end the support.
///
/// The coordinator decides.
#[utoipa::path(
    tag = "support-periods",
    params(("support_period_id" = Uuid, Path, description = "The support period.")),
    request_body = SupportPeriodProposeEnd,
    responses((status = 200, description = "The support period with the proposal.", body = SupportPeriodView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/support-periods/{support_period_id}/propose-end")]
pub async fn support_period_propose_end(
    op: Operation,
    path: PathId<SupportPeriodId>,
    body: ValidJson<SupportPeriodProposeEnd>,
) -> Result<Answer, Problem> {
    op.write(move |db, ctx| cases::propose_end(db, ctx, path.0, &body.0).map(shown)).await
}

/// End the support.
///
/// As planned, or before. No visit may be left planned; the measure of the end and the recommendation are recorded now or before, with
/// answers or with the reason why there are none. `activity_links` says of each activity of the plan whether the client goes on, `barriers` and
/// `unmet_needs` what those who decide about services should know. The referral is closed with it, and the link worker's access ends.
#[utoipa::path(
    tag = "support-periods",
    params(("support_period_id" = Uuid, Path, description = "The support period.")),
    request_body = SupportPeriodEnd,
    responses((status = 200, description = "The ended support period.", body = SupportPeriodView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/support-periods/{support_period_id}/end")]
pub async fn support_period_end(
    op: Operation,
    path: PathId<SupportPeriodId>,
    body: ValidJson<SupportPeriodEnd>,
) -> Result<Answer, Problem> {
    op.write_and_shut(move |db, ctx| cases::end(db, ctx, path.0, &body.0).map(shown)).await
}
