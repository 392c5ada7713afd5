//! The activity directory: paths and answers.

use actix_web::{get, patch, post};
use lahete_domain::activity::Activity;
use lahete_domain::ids::ActivityId;
use utoipa_actix_web::service_config::ServiceConfig;

use super::cases;
use super::wire::{ActivityQuery, ActivityUpdate, ActivityView, NewActivity};
use crate::http::answer::Answer;
use crate::http::extract::{ListView, MergePatch, Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::operation::{OpenOperation, Operation};

/// Seconds for which anybody may keep an answer of the directory.
const KEEP_SECONDS: u32 = 60;

/// Registers the operations of the room.
pub fn configure(cfg: &mut ServiceConfig<'_>) {
    cfg.service(activity_list).service(activity_create).service(activity_view).service(activity_update);
}

fn one(activity: &Activity) -> Answer {
    Answer::ok(&ActivityView::from(activity)).version(activity.version)
}

/// Search the activity directory.
///
/// Public: no token is needed. By name, only what one can still join unless `active=false`.
#[utoipa::path(tag = "activities", security(()), params(ActivityQuery, Paging), responses((status = 200, description = "A page of activities.", body = ListView<ActivityView>)))]
#[get("/activities")]
pub async fn activity_list(op: OpenOperation, query: ValidQuery<ActivityQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, _| {
        let page = cases::list(db, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, ActivityView>(page)).public_for(KEEP_SECONDS))
    })
    .await
}

/// Add an activity.
///
/// For what no directory of others offers: the clubs of parishes and associations.
#[utoipa::path(tag = "activities", request_body = NewActivity, responses((status = 201, description = "The activity.", body = ActivityView)))]
#[post("/activities")]
pub async fn activity_create(op: Operation, body: ValidJson<NewActivity>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let activity = cases::create(db, ctx, &body.0)?;
        Ok(Answer::created(format!("/v1/activities/{}", activity.id), &ActivityView::from(&activity)).version(activity.version))
    })
    .await
}

/// Read one activity.
///
/// Public: no token is needed. Also an activity that one can no longer join, because clients may still be linked with it.
#[utoipa::path(tag = "activities", security(()), params(("activity_id" = Uuid, Path, description = "The activity.")), responses((status = 200, description = "The activity.", body = ActivityView)))]
#[get("/activities/{activity_id}")]
pub async fn activity_view(op: OpenOperation, path: PathId<ActivityId>) -> Result<Answer, Problem> {
    op.read(move |db, _| Ok(one(&cases::view(db, path.0)?).public_for(KEEP_SECONDS))).await
}

/// Change an activity.
///
/// A merge patch. An activity that is over is set to `active: false`; it is never deleted.
#[utoipa::path(tag = "activities", params(("activity_id" = Uuid, Path, description = "The activity.")), request_body = ActivityUpdate, responses((status = 200, description = "The activity as it is now.", body = ActivityView)))]
#[patch("/activities/{activity_id}")]
pub async fn activity_update(op: Operation, path: PathId<ActivityId>, body: MergePatch<ActivityUpdate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(one(&cases::update(db, ctx, path.0, &body.0)?))).await
}
