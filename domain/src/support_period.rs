//! The support period (tukijakso): fixed-term work of client and link worker, one to six months.

use chrono::NaiveDate;

use crate::codes::{PauseReason, SupportPeriodStateCode, Timepoint};
use crate::ids::{ClientId, ProgrammeId, ReferralId, SupportPeriodId, UserId};
use crate::measure::Measure;
use crate::programme::Terms;
use crate::time::{Instant, plus_months};
use crate::version::Version;

/// No support period is longer, whatever a programme's terms say.
pub const MONTHS_LIMIT: u32 = 6;
/// No support period is planned shorter.
pub const MONTHS_MIN: u32 = 1;

/// Where a support period stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SupportPeriodState {
    /// The work goes on.
    Active,
    /// A temporary stop; the end date does not move.
    Paused {
        /// Since when.
        since: Instant,
        /// Why.
        reason: PauseReason,
    },
    /// Over.
    Ended {
        /// The last day.
        on: NaiveDate,
    },
}

/// A link worker's proposal to end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndProposal {
    /// Who proposed it.
    pub by: UserId,
    /// When.
    pub at: Instant,
    /// Why, in words.
    pub reason: String,
}

/// A support period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SupportPeriod {
    /// Its id.
    pub id: SupportPeriodId,
    /// Its version: visits, goals, links and measures move it on too.
    pub version: Version,
    /// The programme.
    pub programme: ProgrammeId,
    /// The referral.
    pub referral: ReferralId,
    /// The client.
    pub client: ClientId,
    /// The first day.
    pub starts_on: NaiveDate,
    /// The planned last day.
    pub planned_end_on: NaiveDate,
    /// The last day that was planned at the start.
    pub first_planned_end_on: NaiveDate,
    /// Where it stands.
    pub state: SupportPeriodState,
    /// The link worker's proposal to end, if there is one.
    pub end_proposal: Option<EndProposal>,
}

/// Why a change of a support period is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SupportPeriodError {
    /// Not in this state.
    #[error("a support period in the state {state} cannot be changed this way")]
    WrongState {
        /// The present state.
        state: SupportPeriodStateCode,
    },
    /// Shorter than a month or longer than allowed.
    #[error("the planned end lies between {earliest} and {latest}")]
    PlannedEndOutOfRange {
        /// First possible day.
        earliest: NaiveDate,
        /// Last possible day.
        latest: NaiveDate,
    },
    /// Starts tomorrow or later.
    #[error("a support period starts when its first visit has been held: today or before")]
    StartsInFuture,
    /// Starts before the referral was sent.
    #[error("a support period starts when its referral has been sent: on {submitted_on} or later")]
    StartsBeforeReferral {
        /// The day on which the referral was sent.
        submitted_on: NaiveDate,
    },
    /// Ends before it started or before its last visit, or tomorrow or later.
    #[error("the last day lies between {earliest} and {latest}")]
    EndOutOfRange {
        /// The start, or the day of the last visit that was held.
        earliest: NaiveDate,
        /// Today.
        latest: NaiveDate,
    },
    /// Neither start measure nor reason.
    #[error("the start measure, or the coded reason why there is none, is missing")]
    StartMeasureMissing,
    /// Neither end measure nor reason.
    #[error("the end measure, or the coded reason why there is none, is missing")]
    EndMeasureMissing,
    /// Neither recommendation answer nor reason.
    #[error("the recommendation answer, or the coded reason why there is none, is missing")]
    RecommendationMissing,
    /// A visit is still planned.
    #[error("{planned} visits are still planned; hold, cancel or mark them first")]
    VisitsStillPlanned {
        /// How many.
        planned: u32,
    },
}

/// From when to when somebody wants to work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Start {
    /// The first day.
    pub starts_on: NaiveDate,
    /// The planned last day.
    pub planned_end_on: NaiveDate,
    /// The day on which the referral was sent.
    pub submitted_on: Option<NaiveDate>,
}

/// What must be known when a period ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EndFacts<'a> {
    /// The measures on record.
    pub measures: &'a [Measure],
    /// How many visits are still planned.
    pub planned_visits: u32,
    /// The day of the last visit that was held.
    pub last_visit_on: Option<NaiveDate>,
}

/// The last day that a period starting on a day may be planned to.
#[must_use]
pub fn latest_end(starts_on: NaiveDate, terms: &Terms) -> NaiveDate {
    plus_months(starts_on, terms.max_months.min(MONTHS_LIMIT))
}

fn expect_end_in_range(starts_on: NaiveDate, planned_end_on: NaiveDate, terms: &Terms) -> Result<(), SupportPeriodError> {
    let (earliest, latest) = (plus_months(starts_on, MONTHS_MIN), latest_end(starts_on, terms));
    if (earliest..=latest).contains(&planned_end_on) {
        return Ok(());
    }
    Err(SupportPeriodError::PlannedEndOutOfRange { earliest, latest })
}

impl SupportPeriod {
    /// Starts one (product §4 row 10). The first visit itself is recorded with it, under the rules of [`crate::visit`].
    ///
    /// # Errors
    /// When it starts in the future or before the referral was sent, or the planned end is out of range.
    pub fn start(
        id: SupportPeriodId,
        programme: ProgrammeId,
        referral: ReferralId,
        client: ClientId,
        start: Start,
        terms: &Terms,
        today: NaiveDate,
    ) -> Result<Self, SupportPeriodError> {
        let Start { starts_on, planned_end_on, submitted_on } = start;
        if starts_on > today {
            return Err(SupportPeriodError::StartsInFuture);
        }
        if let Some(submitted_on) = submitted_on.filter(|submitted_on| starts_on < *submitted_on) {
            return Err(SupportPeriodError::StartsBeforeReferral { submitted_on });
        }
        expect_end_in_range(starts_on, planned_end_on, terms)?;
        Ok(Self {
            id,
            version: Version::FIRST,
            programme,
            referral,
            client,
            starts_on,
            planned_end_on,
            first_planned_end_on: planned_end_on,
            state: SupportPeriodState::Active,
            end_proposal: None,
        })
    }

    /// The code of its state.
    #[must_use]
    pub fn state_code(&self) -> SupportPeriodStateCode {
        match self.state {
            SupportPeriodState::Active => SupportPeriodStateCode::Active,
            SupportPeriodState::Paused { .. } => SupportPeriodStateCode::Paused,
            SupportPeriodState::Ended { .. } => SupportPeriodStateCode::Ended,
        }
    }

    /// Whether plan, visits and measures may still be written.
    ///
    /// # Errors
    /// When it has ended.
    pub fn expect_running(&self) -> Result<(), SupportPeriodError> {
        match self.state {
            SupportPeriodState::Active | SupportPeriodState::Paused { .. } => Ok(()),
            SupportPeriodState::Ended { .. } => Err(SupportPeriodError::WrongState { state: self.state_code() }),
        }
    }

    /// Stops for a while. The end date stays.
    ///
    /// # Errors
    /// When it is not active.
    pub fn pause(mut self, reason: PauseReason, now: Instant) -> Result<Self, SupportPeriodError> {
        if self.state != SupportPeriodState::Active {
            return Err(SupportPeriodError::WrongState { state: self.state_code() });
        }
        self.state = SupportPeriodState::Paused { since: now, reason };
        Ok(self)
    }

    /// Goes on.
    ///
    /// # Errors
    /// When it is not paused.
    pub fn resume(mut self) -> Result<Self, SupportPeriodError> {
        if !matches!(self.state, SupportPeriodState::Paused { .. }) {
            return Err(SupportPeriodError::WrongState { state: self.state_code() });
        }
        self.state = SupportPeriodState::Active;
        Ok(self)
    }

    /// Moves the planned end, inside the limit counted from the start; beyond it a new referral is written.
    ///
    /// # Errors
    /// When it has ended, or the new end is out of range or lies in the past.
    pub fn extend(mut self, planned_end_on: NaiveDate, terms: &Terms, today: NaiveDate) -> Result<Self, SupportPeriodError> {
        self.expect_running()?;
        expect_end_in_range(self.starts_on, planned_end_on, terms)?;
        if planned_end_on < today {
            return Err(SupportPeriodError::PlannedEndOutOfRange { earliest: today, latest: latest_end(self.starts_on, terms) });
        }
        self.planned_end_on = planned_end_on;
        Ok(self)
    }

    /// The link worker proposes to end.
    ///
    /// # Errors
    /// When it has ended.
    pub fn propose_end(mut self, proposal: EndProposal) -> Result<Self, SupportPeriodError> {
        self.expect_running()?;
        self.end_proposal = Some(proposal);
        Ok(self)
    }

    /// Ends it after everything that must be known is known (product §4 row 12).
    ///
    /// # Errors
    /// The first thing that is missing.
    pub fn end(mut self, on: NaiveDate, facts: EndFacts<'_>, today: NaiveDate) -> Result<Self, SupportPeriodError> {
        self.expect_running()?;
        let earliest = facts.last_visit_on.map_or(self.starts_on, |last| last.max(self.starts_on));
        if on < earliest || on > today {
            return Err(SupportPeriodError::EndOutOfRange { earliest, latest: today });
        }
        if facts.planned_visits > 0 {
            return Err(SupportPeriodError::VisitsStillPlanned { planned: facts.planned_visits });
        }
        let recorded = |instrument, timepoint| facts.measures.iter().any(|m| m.instrument.is(instrument) && m.timepoint == timepoint);
        if !recorded(crate::codes::Instrument::Swemwbs, Timepoint::End) {
            return Err(SupportPeriodError::EndMeasureMissing);
        }
        if !recorded(crate::codes::Instrument::Recommendation, Timepoint::End) {
            return Err(SupportPeriodError::RecommendationMissing);
        }
        self.state = SupportPeriodState::Ended { on };
        Ok(self)
    }

    /// Ends it at once because the referral was withdrawn or entered in error: nothing more is asked of the client.
    #[must_use]
    pub fn cut_short(mut self, today: NaiveDate) -> Self {
        self.state = SupportPeriodState::Ended { on: today };
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::{Instrument, MissingReason};
    use crate::ids::{Id, MeasureId, ProgrammeTermsId};
    use crate::measure::Answer;
    use crate::money::Cents;

    fn id<I: Id>(n: u128) -> I {
        I::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn terms() -> Terms {
        Terms {
            id: id::<ProgrammeTermsId>(1),
            programme: id(2),
            valid_from: day("2022-01-01"),
            max_months: 6,
            max_minutes_per_month: 600,
            fee_per_hour: Cents(1300),
        }
    }

    fn start(starts_on: &str, ends_on: &str) -> Result<SupportPeriod, SupportPeriodError> {
        let start = Start { starts_on: day(starts_on), planned_end_on: day(ends_on), submitted_on: Some(day("2026-08-01")) };
        SupportPeriod::start(id(3), id(2), id(4), id(5), start, &terms(), day("2026-11-22"))
    }

    fn missing(instrument: Instrument, timepoint: Timepoint) -> Measure {
        Measure {
            id: id::<MeasureId>(9),
            support_period: id(3),
            instrument: instrument.into(),
            version: 1,
            timepoint,
            answer: Answer::Missing(MissingReason::Declined),
            recorded_at: Instant::new("2026-11-22T10:00:00Z".parse().expect("an instant")),
        }
    }

    #[test]
    fn one_to_six_months_to_the_day() {
        assert!(start("2026-08-31", "2027-02-28").is_ok());
        assert!(start("2026-08-31", "2027-03-01").is_err());
        assert!(start("2026-08-31", "2026-09-30").is_ok());
        assert!(start("2026-08-31", "2026-09-29").is_err());
        assert!(start("2026-11-22", "2027-06-22").is_err(), "seven months ahead");
        assert_eq!(start("2026-11-23", "2027-01-23"), Err(SupportPeriodError::StartsInFuture));
        let sent = day("2026-08-01");
        assert!(start("2026-08-01", "2026-10-01").is_ok());
        assert_eq!(start("2026-07-31", "2026-10-01"), Err(SupportPeriodError::StartsBeforeReferral { submitted_on: sent }));
    }

    #[test]
    fn a_pause_does_not_move_the_end_and_an_extension_stays_inside_six_months() {
        let now = Instant::new("2026-10-01T10:00:00Z".parse().expect("an instant"));
        let period = start("2026-09-01", "2026-12-01").expect("in range");
        let paused = period.pause(PauseReason::ClientIll, now).expect("active");
        assert_eq!(paused.planned_end_on, day("2026-12-01"));
        assert!(paused.clone().pause(PauseReason::Other, now).is_err());
        let resumed = paused.resume().expect("paused");
        assert!(resumed.clone().resume().is_err());
        assert!(resumed.clone().extend(day("2027-03-02"), &terms(), now.helsinki_date()).is_err());
        assert!(resumed.clone().extend(day("2026-10-01"), &terms(), now.helsinki_date()).is_ok(), "sooner, from today on");
        assert!(resumed.clone().extend(day("2026-10-01"), &terms(), day("2026-10-02")).is_err(), "not in the past");
        let extended = resumed.extend(day("2027-03-01"), &terms(), now.helsinki_date()).expect("inside");
        assert_eq!(extended.first_planned_end_on, day("2026-12-01"));
    }

    #[test]
    fn it_ends_only_when_everything_is_known() {
        let today = day("2026-11-22");
        let period = start("2026-09-01", "2026-12-01").expect("in range");
        let swemwbs = missing(Instrument::Swemwbs, Timepoint::End);
        let recommendation = missing(Instrument::Recommendation, Timepoint::End);
        fn facts(measures: &[Measure], planned_visits: u32) -> EndFacts<'_> {
            EndFacts { measures, planned_visits, last_visit_on: Some(day("2026-11-20")) }
        }
        let end = |measures: &[Measure], planned| period.clone().end(today, facts(measures, planned), today);
        assert_eq!(end(&[], 1), Err(SupportPeriodError::VisitsStillPlanned { planned: 1 }));
        assert_eq!(end(&[missing(Instrument::Swemwbs, Timepoint::Start)], 0), Err(SupportPeriodError::EndMeasureMissing));
        assert_eq!(end(std::slice::from_ref(&swemwbs), 0), Err(SupportPeriodError::RecommendationMissing));
        let ended = end(&[swemwbs.clone(), recommendation.clone()], 0).expect("complete");
        assert_eq!(ended.state_code(), SupportPeriodStateCode::Ended);
        assert!(ended.expect_running().is_err());
        let all = [swemwbs, recommendation];
        let out_of_range = Err(SupportPeriodError::EndOutOfRange { earliest: day("2026-11-20"), latest: today });
        assert_eq!(period.clone().end(day("2026-11-23"), facts(&all, 0), today), out_of_range);
        assert_eq!(period.clone().end(day("2026-11-19"), facts(&all, 0), today), out_of_range, "a visit was held after it");
    }
}
