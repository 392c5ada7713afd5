//! Paths of data requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::{get, post};
use lahete_domain::ids::DataRequestId;
use lahete_domain::version::Version;

use super::cases;
use super::wire::{
    DataRequestCreate, DataRequestExtend, DataRequestFulfil, DataRequestQuery, DataRequestRefuse, DataRequestView, MyDataRequestCreate,
    PackageView,
};
use crate::error::AppError;
use crate::http::answer::Answer;
use crate::http::content_tag::tagged;
use crate::http::extract::{ListView, Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::me::MyProgrammeQuery;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(me_data_request_list)
        .service(me_data_request_create)
        .service(me_data_copy)
        .service(data_request_list)
        .service(data_request_create)
        .service(data_request_view)
        .service(data_request_start)
        .service(data_request_extend)
        .service(data_request_fulfil)
        .service(data_request_refuse)
        .service(data_request_withdraw)
        .service(data_request_package);
}

fn whole(view: &DataRequestView, answer: Answer) -> Result<Answer, AppError> {
    let version = Version::new(view.version).ok_or_else(|| AppError::internal("a data request without a version"))?;
    Ok(tagged(answer, version))
}

/// List one's own data requests.
///
/// With the last day for each answer, and what was decided.
#[utoipa::path(tag = "me", params(Paging), responses((status = 200, description = "A page of data requests.", body = ListView<DataRequestView>)))]
#[get("/me/data-requests")]
pub async fn me_data_request_list(op: Operation, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list_own(db, ctx, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, DataRequestView>(page)))
    })
    .await
}

/// Ask about one's own data.
///
/// To see it, to have it corrected, erased, restricted or carried elsewhere, or to object. The answer is due within a month.
#[utoipa::path(
    tag = "me",
    request_body = MyDataRequestCreate,
    responses((status = 201, description = "The request.", body = DataRequestView))
)]
#[post("/me/data-requests")]
pub async fn me_data_request_create(op: Operation, body: ValidJson<MyDataRequestCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::create_own(db, ctx, &body.0)?;
        whole(&view, Answer::created(format!("/v1/data-requests/{}", view.id), &view))
    })
    .await
}

/// Read everything that is kept about oneself.
///
/// One package: person, referrals, consents, timeline, questions, support, visits with their notes, measures, own requests, what was before corrections, and
/// who has read it, with labels in the wanted language.
#[utoipa::path(tag = "me", params(MyProgrammeQuery), responses((status = 200, description = "The package.", body = PackageView)))]
#[get("/me/data-copy")]
pub async fn me_data_copy(op: Operation, query: ValidQuery<MyProgrammeQuery>) -> Result<Answer, Problem> {
    op.read_apart(move |db, ctx| Ok(Answer::ok(&cases::own_copy(db, ctx, query.0.programme_id)?).language(ctx.language))).await
}

/// List data requests.
///
/// The one that is due first at the top. For the privacy officer and the coordinator those of the programme, for a client their own.
#[utoipa::path(
    tag = "data-requests",
    params(DataRequestQuery, Paging),
    responses((status = 200, description = "A page of data requests.", body = ListView<DataRequestView>))
)]
#[get("/data-requests")]
pub async fn data_request_list(op: Operation, query: ValidQuery<DataRequestQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, DataRequestView>(page)))
    })
    .await
}

/// Record a data request.
///
/// By the privacy officer or the coordinator, for a client who has asked by letter, by telephone or face to face.
#[utoipa::path(
    tag = "data-requests",
    request_body = DataRequestCreate,
    responses((status = 201, description = "The request.", body = DataRequestView))
)]
#[post("/data-requests")]
pub async fn data_request_create(op: Operation, body: ValidJson<DataRequestCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::create(db, ctx, &body.0)?;
        whole(&view, Answer::created(format!("/v1/data-requests/{}", view.id), &view))
    })
    .await
}

/// Read one data request.
///
/// For the privacy officer, the coordinator and the client, with what an erasure did and what stays.
#[utoipa::path(
    tag = "data-requests",
    params(("data_request_id" = Uuid, Path, description = "The data request.")),
    responses((status = 200, description = "The request.", body = DataRequestView))
)]
#[get("/data-requests/{data_request_id}")]
pub async fn data_request_view(op: Operation, id: PathId<DataRequestId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let view = cases::view(db, ctx, id.0)?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Take a data request on.
///
/// For the privacy officer, who is named as its handler.
#[utoipa::path(
    tag = "data-requests",
    params(("data_request_id" = Uuid, Path, description = "The data request.")),
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The request.", body = DataRequestView))
)]
#[post("/data-requests/{data_request_id}/start")]
pub async fn data_request_start(op: Operation, id: PathId<DataRequestId>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::start(db, ctx, id.0)?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Extend the time for the answer.
///
/// Once, by two months, before the last day has gone by, with a reason that the person can read.
#[utoipa::path(
    tag = "data-requests",
    params(("data_request_id" = Uuid, Path, description = "The data request.")),
    request_body = DataRequestExtend,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The request.", body = DataRequestView))
)]
#[post("/data-requests/{data_request_id}/extend")]
pub async fn data_request_extend(op: Operation, id: PathId<DataRequestId>, body: ValidJson<DataRequestExtend>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::extend(db, ctx, id.0, &body.0)?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Fulfil a data request.
///
/// Access and portability: the package can be fetched. Rectification: once the coordinator has corrected. Restriction and objection: the data are only
/// stored from now on. Erasure: what tells of the person is gone when this is answered; the answer names what stays, and why.
#[utoipa::path(
    tag = "data-requests",
    params(("data_request_id" = Uuid, Path, description = "The data request.")),
    request_body = DataRequestFulfil,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The request.", body = DataRequestView))
)]
#[post("/data-requests/{data_request_id}/fulfil")]
pub async fn data_request_fulfil(op: Operation, id: PathId<DataRequestId>, body: ValidJson<DataRequestFulfil>) -> Result<Answer, Problem> {
    let store = op.state().store.clone();
    let erased = Arc::new(AtomicBool::new(false));
    let note = Arc::clone(&erased);
    let answer = op
        .write(move |db, ctx| {
            let view = cases::fulfil(db, ctx, id.0, &body.0)?;
            note.store(view.erased.is_some(), Ordering::Relaxed);
            whole(&view, Answer::ok(&view))
        })
        .await?;
    if erased.load(Ordering::Relaxed) {
        // What was erased shall not stay in the database's log; nobody needs to wait for that. When somebody reads just now, the next checkpoint does it.
        actix_web::rt::spawn(async move {
            if let Err(error) = store.scrub().await {
                log::warn!("what was erased may stay in the database's log for a while: {error}");
            }
        });
    }
    Ok(answer)
}

/// Refuse a data request.
///
/// On a coded ground, with words that the person can read.
#[utoipa::path(
    tag = "data-requests",
    params(("data_request_id" = Uuid, Path, description = "The data request.")),
    request_body = DataRequestRefuse,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The request.", body = DataRequestView))
)]
#[post("/data-requests/{data_request_id}/refuse")]
pub async fn data_request_refuse(op: Operation, id: PathId<DataRequestId>, body: ValidJson<DataRequestRefuse>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::refuse(db, ctx, id.0, &body.0)?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Take a data request back.
///
/// For the person themself, or for the privacy officer on their behalf, before it is decided.
#[utoipa::path(
    tag = "data-requests",
    params(("data_request_id" = Uuid, Path, description = "The data request.")),
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The request.", body = DataRequestView))
)]
#[post("/data-requests/{data_request_id}/withdraw")]
pub async fn data_request_withdraw(op: Operation, id: PathId<DataRequestId>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let view = cases::withdraw(db, ctx, id.0)?;
        whole(&view, Answer::ok(&view))
    })
    .await
}

/// Read the package that a data request asks for.
///
/// For the person when the request is fulfilled; for the privacy officer while they work on it and for a month after. Access has everything,
/// portability what the person has given or what rests on their consent.
#[utoipa::path(
    tag = "data-requests",
    params(("data_request_id" = Uuid, Path, description = "The data request.")),
    responses((status = 200, description = "The package.", body = PackageView))
)]
#[get("/data-requests/{data_request_id}/package")]
pub async fn data_request_package(op: Operation, id: PathId<DataRequestId>) -> Result<Answer, Problem> {
    op.read_apart(move |db, ctx| Ok(Answer::ok(&cases::package(db, ctx, id.0)?).language(ctx.language))).await
}
