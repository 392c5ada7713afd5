//! The path of handovers.

use actix_web::post;

use super::cases;
use super::wire::{HandoverCreate, HandoverView};
use crate::http::answer::Answer;
use crate::http::extract::ValidJson;
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operation.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(handover_make);
}

/// Hand over all open cases.
///
/// Of a coordinator: all referrals that they have taken, and the proposals that they wait for, pass to another coordinator at once. Of a link worker: the new
/// one is proposed for each client, by the same rules as always, and answers each proposal; the former one's access ends at once. What cannot move stays
/// where it was, and the answer says why. With `validate_only` nothing is changed.
#[utoipa::path(
    tag = "handovers",
    request_body = HandoverCreate,
    responses((status = 200, description = "What has moved, and what has not.", body = HandoverView))
)]
#[post("/handovers")]
pub async fn handover_make(op: Operation, body: ValidJson<HandoverCreate>) -> Result<Answer, Problem> {
    op.write_and_shut(move |db, ctx| Ok(Answer::ok(&cases::make(db, ctx, &body.0)?))).await
}
