//! The activity directory: paths and answers.

use actix_web::{get, patch, post};
use lahete_domain::activity::Activity;
use lahete_domain::ids::ActivityId;
use lahete_persistence::Db;

use super::cases;
use super::wire::{ActivityQuery, ActivityUpdate, ActivityView, NewActivity};
use crate::http::answer::Answer;
use crate::http::content_tag::tagged;
use crate::http::extract::{ListView, MergePatch, Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::{OpContext, OpenOperation, Operation};

/// Seconds for which anybody may keep an answer of the directory.
const KEEP_SECONDS: u32 = 60;

/// Registers the operations of the room.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(activity_list).service(activity_create).service(activity_view).service(activity_update).service(activity_check);
}

/// The age of the last check grows by itself: the version alone would not tell that the answer is another.
fn one(activity: &Activity, ctx: &OpContext) -> Answer {
    tagged(Answer::ok(&ActivityView::of(activity, ctx.now.helsinki_date())), activity.version)
}

/// Search the activity directory.
///
/// Public: no token is needed. By name, or the best finds first when `q` says what is looked for; only what one can join unless `status` says otherwise.
#[utoipa::path(tag = "activities", security(()), params(ActivityQuery, Paging), responses((status = 200, description = "A page of activities.", body = ListView<ActivityView>)))]
#[get("/activities")]
pub async fn activity_list(op: OpenOperation, query: ValidQuery<ActivityQuery>, paging: Paging) -> Result<Answer, Problem> {
    let searches = query.0.q.is_some();
    let list = move |db: &mut Db<'_>, ctx: &OpContext| {
        let page = cases::list(db, &query.0, &paging.request())?;
        let today = ctx.now.helsinki_date();
        Ok(Answer::list(&paging.view_with(page, |activity| ActivityView::of(&activity, today))).public_for(KEEP_SECONDS))
    };
    // A question looks at many entries before the best of them are known.
    if searches { op.read_apart(list).await } else { op.read(list).await }
}

/// Add an activity.
///
/// For what no directory of others offers: the clubs of parishes and associations.
#[utoipa::path(tag = "activities", request_body = NewActivity, responses((status = 201, description = "The activity.", body = ActivityView)))]
#[post("/activities")]
pub async fn activity_create(op: Operation, body: ValidJson<NewActivity>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let activity = cases::create(db, ctx, &body.0)?;
        let view = ActivityView::of(&activity, ctx.now.helsinki_date());
        Ok(tagged(Answer::created(format!("/v1/activities/{}", activity.id), &view), activity.version))
    })
    .await
}

/// Read one activity.
///
/// Public: no token is needed. Also an activity that one can no longer join, because clients may still be linked with it.
#[utoipa::path(tag = "activities", security(()), params(("activity_id" = Uuid, Path, description = "The activity.")), responses((status = 200, description = "The activity.", body = ActivityView)))]
#[get("/activities/{activity_id}")]
pub async fn activity_view(op: OpenOperation, path: PathId<ActivityId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(one(&cases::view(db, path.0)?, ctx).public_for(KEEP_SECONDS))).await
}

/// Change an activity.
///
/// A merge patch. An activity that is over is set to another `status`; it is never deleted. Of one that is kept in the national service directory only
/// `kaikukortti`, `remote`, `accessibility_note`, `status` and `checked_on` are changed here.
#[utoipa::path(tag = "activities", params(("activity_id" = Uuid, Path, description = "The activity.")), request_body = ActivityUpdate, responses((status = 200, description = "The activity as it is now.", body = ActivityView)))]
#[patch("/activities/{activity_id}")]
pub async fn activity_update(op: Operation, path: PathId<ActivityId>, body: MergePatch<ActivityUpdate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(one(&cases::update(db, ctx, path.0, &body.0)?, ctx))).await
}

/// Note that an activity was checked.
///
/// Somebody has made sure today that what the entry says is true.
#[utoipa::path(
    tag = "activities",
    params(("activity_id" = Uuid, Path, description = "The activity.")),
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The activity as it is now.", body = ActivityView))
)]
#[post("/activities/{activity_id}/check")]
pub async fn activity_check(op: Operation, path: PathId<ActivityId>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(one(&cases::check(db, ctx, path.0)?, ctx))).await
}
