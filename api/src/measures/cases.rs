//! What can be done with measures.

use lahete_domain::access::Action;
use lahete_domain::codes::{AuditAction, Code as _, EventKind, Instrument, Timepoint};
use lahete_domain::ids::{Id as _, MeasureId, SupportPeriodId};
use lahete_domain::measure::{Answer, Measure};
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::MeasureCreate;
use crate::error::{AppError, RuleProblem};
use crate::operation::OpContext;
use crate::referrals::case;
use crate::support_periods::cases::{OpenPeriod, open_period};

/// Writes a measure down, once for each instrument and timepoint. The line of the timeline and the audit event are the caller's.
///
/// # Errors
/// 409 when it was recorded before.
pub(crate) fn record(
    db: &mut Db<'_>,
    ctx: &OpContext,
    period: SupportPeriodId,
    instrument: Instrument,
    timepoint: Timepoint,
    answer: Answer,
) -> Result<Measure, AppError> {
    if db.measures_of(period)?.iter().any(|known| known.instrument == instrument && known.timepoint == timepoint) {
        let problem = RuleProblem::new("measure_already_recorded", "this instrument was recorded at this timepoint before");
        return Err(problem.with("instrument", instrument.as_str()).with("timepoint", timepoint.as_str()).into());
    }
    let measure = Measure { id: ctx.ids.next(), support_period: period, instrument, timepoint, answer, recorded_at: ctx.now };
    db.measure_insert(&measure)?;
    Ok(measure)
}

/// Records a questionnaire.
///
/// # Errors
/// 404 and 403 by the policy, 409 when it was recorded before or the support period has ended, 422 when the answers do not fit.
pub(crate) fn create(db: &mut Db<'_>, ctx: &OpContext, id: SupportPeriodId, body: &MeasureCreate) -> Result<Measure, AppError> {
    let OpenPeriod { open, period } = open_period(db, ctx, Action::MeasureWrite, id)?;
    // A follow-up is asked after the end; everything else belongs into the work.
    if body.timepoint.0 != Timepoint::FollowUp {
        period.expect_running()?;
    }
    let answer = body.answer().scored(body.instrument.0, "")?;
    let measure = record(db, ctx, id, body.instrument.0, body.timepoint.0, answer)?;
    db.support_period_moved_on(id)?;
    case::note(db, ctx, &open, EventKind::MeasureRecorded, Some(body.timepoint.0.as_str()), None)?;
    Ok(measure)
}

/// Reads a measure.
///
/// # Errors
/// 404 when there is none or the caller may not see it.
pub(crate) fn view(db: &mut Db<'_>, ctx: &OpContext, id: MeasureId) -> Result<Measure, AppError> {
    let found = db.measure_get(id)?;
    let period = found.as_ref().map_or_else(SupportPeriodId::nil, |measure| measure.support_period);
    let OpenPeriod { open, .. } = open_period(db, ctx, Action::MeasureView, period)?;
    let measure = found.ok_or(AppError::NotFound(MeasureId::RESOURCE))?;
    case::audit(db, ctx, &open, AuditAction::Read);
    Ok(measure)
}

/// Lists the measures of a support period.
///
/// # Errors
/// 404 when there is no such support period or the caller may not see it.
pub(crate) fn list(db: &mut Db<'_>, ctx: &OpContext, id: SupportPeriodId, request: &PageRequest) -> Result<Page<Measure>, AppError> {
    let OpenPeriod { open, .. } = open_period(db, ctx, Action::MeasureView, id)?;
    let page = db.measure_list(id, request)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    Ok(page)
}
