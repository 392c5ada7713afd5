//! Paths of imports of activities.

use actix_web::{get, post};
use lahete_domain::ids::{ActivityImportId, Id as _};
use serde_json::Value;
use uuid::Uuid;

use super::wire::{ActivityImportCreate, ActivityImportQuery, ActivityImportView};
use super::{cases, run};
use crate::http::answer::Answer;
use crate::http::extract::{ListView, Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(activity_import_list).service(activity_import_create).service(activity_import_view);
}

/// List imports of activities.
///
/// For coordinators and administrators, the newest first.
#[utoipa::path(
    tag = "activities",
    params(ActivityImportQuery, Paging),
    responses((status = 200, description = "A page of imports.", body = ListView<ActivityImportView>))
)]
#[get("/activity-imports")]
pub async fn activity_import_list(op: Operation, query: ValidQuery<ActivityImportQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(Answer::list(&paging.view::<_, ActivityImportView>(cases::list(db, ctx, &query.0, &paging.request())?))))
        .await
}

/// Import activities from the national service directory.
///
/// In the background, from the address of the setting `ptv_url`: the services of the programme's municipalities or of those that are named, with their
/// places, hours and providers. What is there already is changed where it has changed there; what has ended there is marked `withdrawn` and stays. Persons'
/// contact data are not taken over. One import of a programme at a time.
#[utoipa::path(
    tag = "activities",
    request_body = ActivityImportCreate,
    responses((status = 201, description = "The import, queued.", body = ActivityImportView))
)]
#[post("/activity-imports")]
pub async fn activity_import_create(op: Operation, body: ValidJson<ActivityImportCreate>) -> Result<Answer, Problem> {
    let state = op.shared();
    let answer = op
        .write(move |db, ctx| {
            let import = cases::create(db, ctx, &body.0)?;
            let view = ActivityImportView::from(&import);
            Ok(Answer::created(format!("/v1/activity-imports/{}", import.id), &view).version(import.version))
        })
        .await?;
    // When it is durable; an answer that is given again finds the import taken on already.
    let made = serde_json::from_slice::<Value>(answer.body()).ok().and_then(|view| Uuid::parse_str(view.get("id")?.as_str()?).ok());
    if let Some(id) = made {
        run::begin(state, ActivityImportId::from_uuid(id));
    }
    Ok(answer)
}

/// Read one import of activities.
///
/// How far it is, what it has done, and what it had to leave out.
#[utoipa::path(
    tag = "activities",
    params(("activity_import_id" = Uuid, Path, description = "The import.")),
    responses((status = 200, description = "The import.", body = ActivityImportView))
)]
#[get("/activity-imports/{activity_import_id}")]
pub async fn activity_import_view(op: Operation, path: PathId<ActivityImportId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let import = cases::view(db, ctx, path.0)?;
        Ok(Answer::ok(&ActivityImportView::from(&import)).version(import.version))
    })
    .await
}
