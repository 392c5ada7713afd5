//! The paths of one's own matters.

use actix_web::{get, post};
use lahete_domain::ids::ConsentId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::cases;
use super::wire::{MeView, MyConsentsView, MySupportPeriodView};
use crate::clients::wire::AccessLogEntry;
use crate::consents::wire::{ConsentView, ConsentWithdraw};
use crate::http::answer::Answer;
use crate::http::extract::paging::{ListView, Paging};
use crate::http::extract::path_id::PathId;
use crate::http::extract::query::ValidQuery;
use crate::http::extract::valid_json::ValidJson;
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;
use crate::referrals::wire::ReferralListItem;
use crate::visits::wire::{VisitQuery, VisitView};

/// Registers the operations of the room.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(me_view)
        .service(me_referrals)
        .service(me_support_periods)
        .service(me_visits)
        .service(me_consents)
        .service(me_consent_withdraw)
        .service(me_access_log);
}

/// Which of one's own.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MyProgrammeQuery {
    /// In this programme, for somebody who is a client of several.
    pub programme_id: Option<uuid::Uuid>,
    /// Also what is older than two years. That needs a special reason, stated in `X-Access-Reason`.
    pub older: Option<bool>,
}

/// Read who one is.
///
/// With the roles of today, by which a front end decides what to show.
#[utoipa::path(tag = "me", responses((status = 200, description = "The caller.", body = MeView)))]
#[get("/me")]
pub async fn me_view(op: Operation) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(Answer::ok(&cases::view(db, ctx)?))).await
}

/// List one's own referrals.
///
/// As a client: what was sent about oneself, and one's own drafts.
#[utoipa::path(tag = "me", params(Paging), responses((status = 200, description = "A page of referrals.", body = ListView<ReferralListItem>)))]
#[get("/me/referrals")]
pub async fn me_referrals(op: Operation, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::referrals(db, ctx, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, ReferralListItem>(page)))
    })
    .await
}

/// List one's own support periods.
///
/// Each with the plan: one's goals, the activities, the hours of the month that are used and left.
#[utoipa::path(
    tag = "me",
    params(Paging),
    responses((status = 200, description = "A page of support periods.", body = ListView<MySupportPeriodView>))
)]
#[get("/me/support-periods")]
pub async fn me_support_periods(op: Operation, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::support_periods(db, ctx, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, MySupportPeriodView>(page)))
    })
    .await
}

/// List one's own visits.
///
/// The newest first, planned ones too, each with what the link worker has written about it.
#[utoipa::path(
    tag = "me",
    params(VisitQuery, Paging),
    responses((status = 200, description = "A page of visits.", body = ListView<VisitView>))
)]
#[get("/me/visits")]
pub async fn me_visits(op: Operation, query: ValidQuery<VisitQuery>, paging: Paging) -> Result<Answer, Problem> {
    let filter = query.0.into();
    op.read(move |db, ctx| {
        let page = cases::visits(db, ctx, filter, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, VisitView>(page)))
    })
    .await
}

/// List one's own consents.
///
/// Of all own referrals, with what each of them opens today.
#[utoipa::path(tag = "me", responses((status = 200, description = "The consents.", body = MyConsentsView)))]
#[get("/me/consents")]
pub async fn me_consents(op: Operation) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(Answer::ok(&MyConsentsView { items: cases::consents(db, ctx)? }))).await
}

/// Withdraw a consent of one's own.
///
/// All of it, or some purposes, at any time and without a reason. Without `process_referral` the referral is closed, sharing stops and the link worker's
/// access ends at once. `If-Match` takes the version of the referral.
#[utoipa::path(
    tag = "me",
    params(("consent_id" = Uuid, Path, description = "The consent.", example = "01900000-0000-7000-8000-000000000061")),
    request_body = ConsentWithdraw,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The consent.", body = ConsentView))
)]
#[post("/me/consents/{consent_id}/withdraw")]
pub async fn me_consent_withdraw(op: Operation, id: PathId<ConsentId>, body: ValidJson<ConsentWithdraw>) -> Result<Answer, Problem> {
    op.write_and_shut(move |db, ctx| Ok(Answer::ok(&cases::withdraw_consent(db, ctx, id.0, body.0.clone())?))).await
}

/// Read who has read about oneself.
///
/// In whole sentences of the wanted language, the newest first: who, in which role, for which organisation, did what, and for what purpose. What is older
/// than two years is shown only with `older=true` and a special reason in `X-Access-Reason`.
#[utoipa::path(
    tag = "me",
    params(MyProgrammeQuery, Paging),
    extensions(("x-access-reason" = json!(true))),
    responses((status = 200, description = "A page of accesses.", body = ListView<AccessLogEntry>))
)]
#[get("/me/access-log")]
pub async fn me_access_log(op: Operation, query: ValidQuery<MyProgrammeQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::access_log(db, ctx, query.0.programme_id, query.0.older.unwrap_or(false), &paging.request())?;
        Ok(Answer::list(&paging.view::<_, AccessLogEntry>(page)).language(ctx.language))
    })
    .await
}
