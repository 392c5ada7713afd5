//! Link workers: paths and answers.

use actix_web::{get, patch, post};
use lahete_domain::ids::{Id, LinkWorkerId};

use super::cases::{self, LinkWorkerCard};
use super::wire::{ContractView, LinkWorkerQuery, LinkWorkerUpdate, LinkWorkerView, NewContract, NewLinkWorker, NewTraining, TrainingView};
use crate::http::answer::Answer;
use crate::http::content_tag::tagged;
use crate::http::extract::{ListView, MergePatch, Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::{OpContext, Operation};

/// Registers the operations of the room.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(link_worker_list)
        .service(link_worker_create)
        .service(link_worker_view)
        .service(link_worker_update)
        .service(contract_list)
        .service(contract_create)
        .service(training_list)
        .service(training_create);
}

fn one(card: &LinkWorkerCard, ctx: &OpContext) -> Answer {
    tagged(Answer::ok(&LinkWorkerView::new(card, ctx.now)), card.link_worker.version)
}

/// List link workers.
///
/// By name. A coordinator sees all link workers of the programme, a link worker their own record.
#[utoipa::path(tag = "link-workers", params(LinkWorkerQuery, Paging), responses((status = 200, description = "A page of link workers.", body = ListView<LinkWorkerView>)))]
#[get("/link-workers")]
pub async fn link_worker_list(op: Operation, query: ValidQuery<LinkWorkerQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |card| LinkWorkerView::new(&card, ctx.now))))
    })
    .await
}

/// Add a link worker.
///
/// The person must have a sign-in in the programme. Before they can be proposed for a referral, they need a contract and the basic course.
#[utoipa::path(tag = "link-workers", request_body = NewLinkWorker, responses((status = 201, description = "The link worker.", body = LinkWorkerView)))]
#[post("/link-workers")]
pub async fn link_worker_create(op: Operation, body: ValidJson<NewLinkWorker>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let card = cases::create(db, ctx, &body.0)?;
        let path = format!("/v1/link-workers/{}", card.link_worker.id);
        Ok(tagged(Answer::created(path, &LinkWorkerView::new(&card, ctx.now)), card.link_worker.version))
    })
    .await
}

/// Read one link worker.
///
/// With the clients and minutes of today, and whether training and contract allow a proposal.
#[utoipa::path(tag = "link-workers", params(("link_worker_id" = Uuid, Path, description = "The link worker.")), responses((status = 200, description = "The link worker.", body = LinkWorkerView)))]
#[get("/link-workers/{link_worker_id}")]
pub async fn link_worker_view(op: Operation, path: PathId<LinkWorkerId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(one(&cases::view(db, ctx, path.0)?, ctx))).await
}

/// Change a link worker.
///
/// A merge patch. Languages and interests may be changed by the link worker themself, the rest by a coordinator. With the status `paused` or `ended` nobody can propose them any more; the clients that they have stay with them.
#[utoipa::path(tag = "link-workers", params(("link_worker_id" = Uuid, Path, description = "The link worker.")), request_body = LinkWorkerUpdate, responses((status = 200, description = "The link worker as it is now.", body = LinkWorkerView)))]
#[patch("/link-workers/{link_worker_id}")]
pub async fn link_worker_update(op: Operation, path: PathId<LinkWorkerId>, body: MergePatch<LinkWorkerUpdate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(one(&cases::update(db, ctx, path.0, &body.0)?, ctx))).await
}

/// List a link worker's contracts.
///
/// The newest first.
#[utoipa::path(tag = "link-workers", params(("link_worker_id" = Uuid, Path, description = "The link worker."), Paging), responses((status = 200, description = "A page of contracts.", body = ListView<ContractView>)))]
#[get("/link-workers/{link_worker_id}/contracts")]
pub async fn contract_list(op: Operation, path: PathId<LinkWorkerId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(Answer::list(&paging.view::<_, ContractView>(cases::contracts(db, ctx, path.0, &paging.request())?)))).await
}

/// Add a contract.
///
/// A contract is never changed: a new one is added, and the newest that is in force decides.
#[utoipa::path(tag = "link-workers", params(("link_worker_id" = Uuid, Path, description = "The link worker.")), request_body = NewContract, responses((status = 201, description = "The contract.", body = ContractView)))]
#[post("/link-workers/{link_worker_id}/contracts")]
pub async fn contract_create(op: Operation, path: PathId<LinkWorkerId>, body: ValidJson<NewContract>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let contract = cases::add_contract(db, ctx, path.0, &body.0)?;
        Ok(Answer::created(format!("/v1/link-workers/{}/contracts", path.0.as_uuid()), &ContractView::from(contract)))
    })
    .await
}

/// List a link worker's trainings.
///
/// The newest first.
#[utoipa::path(tag = "link-workers", params(("link_worker_id" = Uuid, Path, description = "The link worker."), Paging), responses((status = 200, description = "A page of trainings.", body = ListView<TrainingView>)))]
#[get("/link-workers/{link_worker_id}/trainings")]
pub async fn training_list(op: Operation, path: PathId<LinkWorkerId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(Answer::list(&paging.view::<_, TrainingView>(cases::trainings(db, ctx, path.0, &paging.request())?)))).await
}

/// Add a training.
///
/// Once it has been completed. The basic course opens the way to clients.
#[utoipa::path(tag = "link-workers", params(("link_worker_id" = Uuid, Path, description = "The link worker.")), request_body = NewTraining, responses((status = 201, description = "The training.", body = TrainingView)))]
#[post("/link-workers/{link_worker_id}/trainings")]
pub async fn training_create(op: Operation, path: PathId<LinkWorkerId>, body: ValidJson<NewTraining>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let training = cases::add_training(db, ctx, path.0, &body.0)?;
        Ok(Answer::created(format!("/v1/link-workers/{}/trainings", path.0.as_uuid()), &TrainingView::from(training)))
    })
    .await
}
