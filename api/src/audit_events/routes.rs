//! The operations on the audit trail.

use std::sync::Arc;

use actix_web::get;

use super::cases;
use super::wire::{AuditCheckpointsView, AuditEventQuery, AuditEventView};
use crate::http::answer::Answer;
use crate::http::extract::paging::{ListView, Paging};
use crate::http::extract::query::ValidQuery;
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(audit_event_list).service(audit_checkpoint_list);
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

/// List checkpoints of the audit trail.
///
/// For privacy officers of any programme, since the trail is one for all. A checkpoint says where each chain of the trail stood, signed by the program. Whoever
/// keeps a copy of the lines outside the reach of those who run the server can show later that nothing was cut off or written anew before them:
/// `lahete audit verify --checkpoints FILE`.
#[utoipa::path(tag = "audit", responses((status = 200, description = "The newest checkpoints of this server.", body = AuditCheckpointsView)))]
#[get("/audit-events/checkpoints")]
pub async fn audit_checkpoint_list(op: Operation) -> Result<Answer, Problem> {
    let file = Arc::clone(&op.state().checkpoints);
    op.read(move |db, ctx| Ok(Answer::ok(&cases::checkpoints(db, ctx, &file)?))).await
}
