//! The operations on the audit trail.

use actix_web::get;
use utoipa_actix_web::service_config::ServiceConfig;

use super::cases;
use super::wire::{AuditEventQuery, AuditEventView};
use crate::http::answer::Answer;
use crate::http::extract::paging::{ListView, Paging};
use crate::http::extract::query::ValidQuery;
use crate::http::problem::Problem;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(cfg: &mut ServiceConfig) {
    cfg.service(audit_event_list);
}

/// List audit events.
///
/// For privacy officers: who has read, changed or tried to read what about whom in their programmes, the newest first. Each look at the trail is an event
/// of its own.
#[utoipa::path(
    tag = "audit",
    params(AuditEventQuery, Paging),
    responses((status = 200, description = "Audit events.", body = ListView<AuditEventView>))
)]
#[get("/audit-events")]
pub async fn audit_event_list(op: Operation, query: ValidQuery<AuditEventQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, AuditEventView>(page)))
    })
    .await
}
