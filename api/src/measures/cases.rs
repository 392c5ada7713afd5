//! What can be done with measures.

use std::collections::BTreeMap;

use lahete_domain::access::Action;
use lahete_domain::codes::{AnswerMode, AuditAction, Code as _, EventKind, Instrument, MissingReason, Role, Timepoint};
use lahete_domain::ids::{Id as _, MeasureId, ProgrammeId, SupportPeriodId};
use lahete_domain::measure::change::{self, Change};
use lahete_domain::measure::definition::{Definition, InstrumentKey};
use lahete_domain::measure::{Answer, Answered, Measure};
use lahete_domain::support_period::SupportPeriod;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::MeasureCreate;
use crate::error::{AppError, Fault, RuleProblem};
use crate::operation::OpContext;
use crate::referrals::case;
use crate::support_periods::cases::{OpenPeriod, open_period};

/// A measure with the version of the instrument that scored it, where it is known.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The measure.
    pub measure: Measure,
    /// What its score means.
    pub definition: Option<Definition>,
}

/// The version of a shipped instrument that a programme uses now.
///
/// # Errors
/// When the database fails.
pub(crate) fn in_use(db: &mut Db<'_>, programme: ProgrammeId, instrument: Instrument) -> Result<Definition, AppError> {
    let found = db.measure_instrument(programme, instrument.as_str(), None)?;
    found.ok_or_else(|| AppError::internal("a shipped instrument is missing"))
}

/// Writes a measure down, once for each instrument and timepoint. The line of the timeline and the audit event are the caller's.
///
/// # Errors
/// 409 when it was recorded before, or single persons are not asked with this instrument.
pub(crate) fn record(
    db: &mut Db<'_>,
    ctx: &OpContext,
    period: &SupportPeriod,
    instrument: &Definition,
    timepoint: Timepoint,
    answer: Answer,
) -> Result<Measure, AppError> {
    let answered = matches!(answer, Answer::Given { .. });
    if instrument.group_only && answered && db.individual_use_open(period.programme, &instrument.key)?.is_none() {
        let problem = RuleProblem::new(
            "instrument_for_groups",
            "single persons are asked with this instrument only where a programme has decided so",
        );
        return Err(problem.with("instrument", instrument.key.as_str()).into());
    }
    if db.measures_of(period.id)?.iter().any(|known| known.instrument == instrument.key && known.timepoint == timepoint) {
        let problem = RuleProblem::new("measure_already_recorded", "this instrument was recorded at this timepoint before");
        return Err(problem.with("instrument", instrument.key.as_str()).with("timepoint", timepoint.as_str()).into());
    }
    let measure = Measure {
        id: ctx.ids.next(),
        support_period: period.id,
        instrument: instrument.key.clone(),
        version: instrument.version,
        timepoint,
        answer,
        recorded_at: ctx.now,
    };
    db.measure_insert(&measure)?;
    Ok(measure)
}

/// A client speaks for themself: what they answer, they answer by themself, and they may decline.
fn expect_own_word(answer: &Answer) -> Result<(), AppError> {
    let fault = |pointer, detail| Err(AppError::fault(Fault::new(pointer, "own_answers_only", detail)));
    match answer {
        Answer::Given { mode, .. } if *mode != AnswerMode::Independently => fault("/mode", "A client answers by themself: self."),
        Answer::Missing(reason) if *reason != MissingReason::Declined => fault("/missing_reason", "A client may decline: declined."),
        _ => Ok(()),
    }
}

/// Goals that are answered for belong to the support period.
fn expect_own_goals(db: &mut Db<'_>, period: SupportPeriodId, answer: &Answer) -> Result<(), AppError> {
    let Answer::Given { answered: Answered::Goals(goals), .. } = answer else { return Ok(()) };
    for (place, answered) in goals.iter().enumerate() {
        if db.goal_get(answered.goal)?.is_none_or(|goal| goal.support_period != period) {
            let detail = "The support period has no such goal.";
            return Err(AppError::fault(Fault::new(format!("/goals/{place}/goal_id"), "not_found", detail)));
        }
    }
    Ok(())
}

/// Records a questionnaire.
///
/// # Errors
/// 404 and 403 by the policy, 409 when it was recorded before, the support period has ended, or the instrument is for groups; 422 when the answers do not
/// fit or there is no such instrument.
pub(crate) fn create(db: &mut Db<'_>, ctx: &OpContext, id: SupportPeriodId, body: &MeasureCreate) -> Result<Scored, AppError> {
    let OpenPeriod { open, period } = open_period(db, ctx, Action::MeasureWrite, id)?;
    // A follow-up is asked after the end; everything else belongs into the work.
    if body.timepoint.0 != Timepoint::FollowUp {
        period.expect_running()?;
    }
    let Some(instrument) = db.measure_instrument(period.programme, body.instrument.0.as_str(), None)? else {
        return Err(AppError::fault(Fault::new("/instrument", "not_found", "The programme has no such instrument.")));
    };
    let answer = body.scored(&instrument)?;
    if open.is(Role::Client) {
        expect_own_word(&answer)?;
    }
    expect_own_goals(db, id, &answer)?;
    let measure = record(db, ctx, &period, &instrument, body.timepoint.0, answer)?;
    db.support_period_moved_on(id)?;
    case::note(db, ctx, &open, EventKind::MeasureRecorded, Some(body.timepoint.0.as_str()), None)?;
    Ok(Scored { measure, definition: Some(instrument) })
}

/// Every version that answers of a programme may have been scored with.
fn known_versions(db: &mut Db<'_>, programme: ProgrammeId) -> Result<BTreeMap<(InstrumentKey, u16), Definition>, AppError> {
    let all = db.measure_instrument_versions(programme)?;
    Ok(all.into_iter().map(|definition| ((definition.key.clone(), definition.version), definition)).collect())
}

/// Reads a measure.
///
/// # Errors
/// 404 when there is none or the caller may not see it.
pub(crate) fn view(db: &mut Db<'_>, ctx: &OpContext, id: MeasureId) -> Result<Scored, AppError> {
    let found = db.measure_get(id)?;
    let of = found.as_ref().map_or_else(SupportPeriodId::nil, |measure| measure.support_period);
    let OpenPeriod { open, period } = open_period(db, ctx, Action::MeasureView, of)?;
    let measure = found.ok_or(AppError::NotFound(MeasureId::RESOURCE))?;
    case::audit(db, ctx, &open, AuditAction::Read);
    let definition = db.measure_instrument(period.programme, measure.instrument.as_str(), Some(measure.version))?;
    Ok(Scored { measure, definition })
}

/// Lists the measures of a support period.
///
/// # Errors
/// 404 when there is no such support period or the caller may not see it.
pub(crate) fn list(db: &mut Db<'_>, ctx: &OpContext, id: SupportPeriodId, request: &PageRequest) -> Result<Page<Scored>, AppError> {
    let OpenPeriod { open, period } = open_period(db, ctx, Action::MeasureView, id)?;
    let page = db.measure_list(id, request)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    let known = known_versions(db, period.programme)?;
    page.try_map(|measure| {
        let definition = known.get(&(measure.instrument.clone(), measure.version)).cloned();
        Ok(Scored { measure, definition })
    })
}

/// What has changed between the start and the end, and the follow-up.
///
/// # Errors
/// 404 when there is no such support period or the caller may not see it.
pub(crate) fn changes(db: &mut Db<'_>, ctx: &OpContext, id: SupportPeriodId) -> Result<Vec<Change>, AppError> {
    let OpenPeriod { open, period } = open_period(db, ctx, Action::MeasureView, id)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    let (measures, known) = (db.measures_of(id)?, known_versions(db, period.programme)?);
    Ok(change::changes(&measures, |key, version| known.get(&(key.clone(), version))))
}
