//! Paths of reports.

use actix_web::get;

use super::cases;
use super::wire::{OutcomesQuery, OutcomesReport};
use crate::http::answer::Answer;
use crate::http::extract::ValidQuery;
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(report_outcomes);
}

/// Read how referrals turned out.
///
/// About the referrals that were submitted in a period and not entered in error, as they stand now: outcomes, people, sectors, reasons,
/// visits, fees and change of wellbeing. A coordinator of the programme reads whole numbers. A report reader reads no number under five,
/// nor one from which it would follow.
#[utoipa::path(
    tag = "reports",
    params(OutcomesQuery),
    responses((status = 200, description = "The report.", body = OutcomesReport))
)]
#[get("/reports/outcomes")]
pub async fn report_outcomes(op: Operation, query: ValidQuery<OutcomesQuery>) -> Result<Answer, Problem> {
    op.read_apart(move |db, ctx| Ok(Answer::ok(&cases::outcomes(db, ctx, &query.0)?))).await
}
