//! Visits: one contact of client and worker, of any mode, with the hours that count against the month and those that are paid.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::codes::{AbsentParty, Barrier, HoursLevel, SupportKind, UnmetNeed, VisitAbsenceReason, VisitMode, VisitPurpose, VisitStateCode};
use crate::ids::{ClientId, LinkWorkerId, ProgrammeId, ReferralId, SupportPeriodId, VisitId};
use crate::money::Cents;
use crate::support_period::{SupportPeriod, SupportPeriodState};
use crate::time::{Instant, Month};
use crate::version::Version;

/// Longest single contact, in minutes.
pub const MINUTES_MAX: u32 = 24 * 60;
/// Farthest single trip, in metres.
pub const METRES_MAX: u32 = 2_000_000;

/// From how many hundredths of the month's hours on they are said to run out.
pub const WARNING_PERCENT: i128 = 80;

/// Where a visit stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VisitState {
    /// Still to come.
    Planned,
    /// It took place.
    Held {
        /// When it was recorded.
        recorded_at: Instant,
        /// Why it was recorded over the month's hours, if it was.
        over_limit_reason: Option<String>,
    },
    /// Called off beforehand.
    Cancelled {
        /// By whom.
        by: AbsentParty,
        /// Why, when that was told.
        reason: Option<VisitAbsenceReason>,
    },
    /// Somebody did not come.
    NotAttended {
        /// Who.
        by: AbsentParty,
        /// Why; `unknown` is an answer, too.
        reason: VisitAbsenceReason,
    },
}

impl VisitState {
    /// When it was recorded as held, and why over the month's hours, if it was.
    #[must_use]
    pub fn held(&self) -> Option<(Instant, Option<&str>)> {
        match self {
            Self::Held { recorded_at, over_limit_reason } => Some((*recorded_at, over_limit_reason.as_deref())),
            Self::Planned | Self::Cancelled { .. } | Self::NotAttended { .. } => None,
        }
    }

    /// Who did not come or called it off, and why as far as it is known.
    #[must_use]
    pub fn absence(&self) -> Option<(AbsentParty, Option<VisitAbsenceReason>)> {
        match *self {
            Self::Planned | Self::Held { .. } => None,
            Self::Cancelled { by, reason } => Some((by, reason)),
            Self::NotAttended { by, reason } => Some((by, Some(reason))),
        }
    }
}

/// What a visit was or shall be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VisitContent {
    /// The day.
    pub on: NaiveDate,
    /// Minutes with the client.
    pub minutes: u32,
    /// How it is made.
    pub mode: VisitMode,
    /// What for.
    pub purpose: VisitPurpose,
    /// What kind of support.
    pub support_kinds: BTreeSet<SupportKind>,
    /// Metres travelled by own car.
    pub travel_metres: u32,
    /// Minutes travelled.
    pub travel_minutes: u32,
    /// Passengers on the way; the client counts as one while riding.
    pub travel_passengers: u32,
    /// A note that the client can read.
    pub note: Option<String>,
    /// Barriers met.
    pub barriers: BTreeSet<Barrier>,
    /// What the client would need and nobody offers.
    pub unmet_needs: BTreeSet<UnmetNeed>,
}

/// A link worker on a visit, with the fee of an hour on that day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VisitWorker {
    /// Who.
    pub link_worker: LinkWorkerId,
    /// What an hour with the client is paid.
    pub fee_per_hour: Cents,
    /// Whether they drove: the kilometres of a visit are paid once, to whoever did.
    pub drives: bool,
}

/// A visit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visit {
    /// Its id.
    pub id: VisitId,
    /// Its version.
    pub version: Version,
    /// The programme.
    pub programme: ProgrammeId,
    /// The referral.
    pub referral: ReferralId,
    /// The client.
    pub client: ClientId,
    /// The support period.
    pub support_period: SupportPeriodId,
    /// The link workers who make it; none when the coordinator goes alone.
    pub workers: Vec<VisitWorker>,
    /// What it is.
    pub content: VisitContent,
    /// Where it stands.
    pub state: VisitState,
}

/// Why a visit is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum VisitError {
    /// Not in this state.
    #[error("a visit in the state {state} cannot be changed this way")]
    WrongState {
        /// The present state.
        state: VisitStateCode,
    },
    /// Tomorrow or later.
    #[error("a visit that was held lies today or before")]
    InFuture,
    /// Before the start or after the planned end.
    #[error("the visit lies between {from} and {until}")]
    OutsidePeriod {
        /// First day.
        from: NaiveDate,
        /// Last day.
        until: NaiveDate,
    },
    /// Over the month's hours.
    #[error("the visit passes the month's hours; {left} minutes are left")]
    MonthlyHoursExceeded {
        /// Minutes left in the month.
        left: i64,
        /// Minutes allowed in the month.
        limit: i64,
    },
}

/// Whether a mode of contact counts against the month's hours. Phone and messages are recorded and counted apart (product §5).
#[must_use]
pub fn counts_against_limit(mode: VisitMode) -> bool {
    match mode {
        VisitMode::HomeVisit | VisitMode::OtherPlace | VisitMode::ActivityTogether | VisitMode::RemoteVideo => true,
        VisitMode::Phone | VisitMode::Message => false,
    }
}

/// Whether the minutes of a mode of contact are paid: those with the client, as long as neither the programme's terms nor a contract say otherwise.
/// Telephone and messages are recorded and counted apart (product §5; `finnish-facts` L1).
#[must_use]
pub fn is_paid(mode: VisitMode) -> bool {
    counts_against_limit(mode)
}

/// Who drove to a visit: whoever is named, otherwise the first of the likely ones who is there, otherwise the first of all.
///
/// # Errors
/// When somebody is named who is not there.
pub fn driver(
    workers: &[LinkWorkerId],
    named: Option<LinkWorkerId>,
    likely: &[LinkWorkerId],
) -> Result<Option<LinkWorkerId>, DriverNotThere> {
    match named {
        Some(named) if workers.contains(&named) => Ok(Some(named)),
        Some(_) => Err(DriverNotThere),
        None => Ok(likely.iter().find(|one| workers.contains(one)).or_else(|| workers.first()).copied()),
    }
}

/// The driver is none of the link workers of the visit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("whoever drove is one of the link workers of the visit")]
pub struct DriverNotThere;

/// Whether a day lies in a support period, from its start to its planned or real end.
///
/// # Errors
/// Names the days between which it may lie.
pub fn expect_in_period(on: NaiveDate, period: &SupportPeriod) -> Result<(), VisitError> {
    let until = match period.state {
        SupportPeriodState::Ended { on } => on,
        SupportPeriodState::Active | SupportPeriodState::Paused { .. } => period.planned_end_on,
    };
    if (period.starts_on..=until).contains(&on) {
        return Ok(());
    }
    Err(VisitError::OutsidePeriod { from: period.starts_on, until })
}

/// The hours of one client in one calendar month.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MonthHours {
    /// Minutes of other held visits that count.
    pub used: i64,
    /// Minutes allowed.
    pub limit: i64,
}

impl MonthHours {
    /// Minutes left, never negative.
    #[must_use]
    pub fn left(self) -> i64 {
        (self.limit - self.used).max(0)
    }

    /// How far they are used. From [`WARNING_PERCENT`] of what is allowed on it is said, so that nobody finds out by being refused.
    #[must_use]
    pub fn level(self) -> HoursLevel {
        let (used, limit) = (i128::from(self.used), i128::from(self.limit));
        if used > limit {
            HoursLevel::OverLimit
        } else if used == limit {
            HoursLevel::UsedUp
        } else if used * 100 >= limit * WARNING_PERCENT {
            HoursLevel::NearLimit
        } else {
            HoursLevel::Free
        }
    }

    /// Whether somebody who plans visits shall be warned.
    #[must_use]
    pub fn warns(self) -> bool {
        self.level() != HoursLevel::Free
    }

    /// Whether a held visit fits. A coordinator may record it all the same, with a reason.
    ///
    /// # Errors
    /// When it does not fit and no reason is given; names the minutes left.
    pub fn expect_room(self, content: &VisitContent, over_limit_reason: Option<&str>) -> Result<(), VisitError> {
        if !counts_against_limit(content.mode) || i64::from(content.minutes) <= self.left() || over_limit_reason.is_some() {
            return Ok(());
        }
        Err(VisitError::MonthlyHoursExceeded { left: self.left(), limit: self.limit })
    }
}

impl Visit {
    /// The code of its state.
    #[must_use]
    pub fn state_code(&self) -> VisitStateCode {
        match self.state {
            VisitState::Planned => VisitStateCode::Planned,
            VisitState::Held { .. } => VisitStateCode::Held,
            VisitState::Cancelled { .. } => VisitStateCode::Cancelled,
            VisitState::NotAttended { .. } => VisitStateCode::NotAttended,
        }
    }

    /// Who drove, and is paid the kilometres.
    #[must_use]
    pub fn driver(&self) -> Option<LinkWorkerId> {
        self.workers.iter().find(|worker| worker.drives).map(|worker| worker.link_worker)
    }

    fn expect_planned(&self) -> Result<(), VisitError> {
        if self.state == VisitState::Planned { Ok(()) } else { Err(VisitError::WrongState { state: self.state_code() }) }
    }

    /// Records that it took place.
    ///
    /// # Errors
    /// When it is not planned any more, lies in the future, or does not fit into the month.
    pub fn hold(
        mut self,
        content: VisitContent,
        hours: MonthHours,
        over_limit_reason: Option<String>,
        now: Instant,
    ) -> Result<Self, VisitError> {
        self.expect_planned()?;
        if content.on > now.helsinki_date() {
            return Err(VisitError::InFuture);
        }
        hours.expect_room(&content, over_limit_reason.as_deref())?;
        self.content = content;
        self.state = VisitState::Held { recorded_at: now, over_limit_reason };
        Ok(self)
    }

    /// Corrects a planned or held visit.
    ///
    /// # Errors
    /// When it was cancelled or not attended, when a held one would lie in the future, or would not fit into the month.
    pub fn correct(
        mut self,
        content: VisitContent,
        hours: MonthHours,
        over_limit_reason: Option<String>,
        today: NaiveDate,
    ) -> Result<Self, VisitError> {
        match &mut self.state {
            VisitState::Planned => {}
            VisitState::Held { over_limit_reason: kept, .. } => {
                if content.on > today {
                    return Err(VisitError::InFuture);
                }
                // A reason that was given before covers what it was given for, and not a minute more.
                let covered = content.minutes <= self.content.minutes && Month::of(content.on) == Month::of(self.content.on);
                let reason = over_limit_reason.or_else(|| kept.clone().filter(|_| covered));
                hours.expect_room(&content, reason.as_deref())?;
                *kept = reason;
            }
            VisitState::Cancelled { .. } | VisitState::NotAttended { .. } => {
                return Err(VisitError::WrongState { state: self.state_code() });
            }
        }
        self.content = content;
        Ok(self)
    }

    /// Calls it off.
    ///
    /// # Errors
    /// When it is not planned any more.
    pub fn cancel(mut self, by: AbsentParty, reason: Option<VisitAbsenceReason>) -> Result<Self, VisitError> {
        self.expect_planned()?;
        self.state = VisitState::Cancelled { by, reason };
        Ok(self)
    }

    /// Records that somebody did not come.
    ///
    /// # Errors
    /// When it is not planned any more, or lies in the future.
    pub fn not_attended(mut self, by: AbsentParty, reason: VisitAbsenceReason, today: NaiveDate) -> Result<Self, VisitError> {
        self.expect_planned()?;
        if self.content.on > today {
            return Err(VisitError::InFuture);
        }
        self.state = VisitState::NotAttended { by, reason };
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;

    fn id<I: Id>(n: u128) -> I {
        I::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn now() -> Instant {
        Instant::new("2026-11-22T10:00:00Z".parse().expect("an instant"))
    }

    fn content(on: &str, minutes: u32, mode: VisitMode) -> VisitContent {
        VisitContent {
            on: on.parse().expect("a date"),
            minutes,
            mode,
            purpose: VisitPurpose::Support,
            support_kinds: BTreeSet::new(),
            travel_metres: 0,
            travel_minutes: 0,
            travel_passengers: 0,
            note: None,
            barriers: BTreeSet::new(),
            unmet_needs: BTreeSet::new(),
        }
    }

    fn planned() -> Visit {
        Visit {
            id: id(1),
            version: Version::FIRST,
            programme: id(2),
            referral: id(3),
            client: id(4),
            support_period: id(5),
            workers: Vec::new(),
            content: content("2026-11-22", 60, VisitMode::HomeVisit),
            state: VisitState::Planned,
        }
    }

    #[test]
    fn ten_hours_and_one_minute_are_too_many() {
        let hours = MonthHours { used: 540, limit: 600 };
        let visit = |minutes, reason: Option<&str>| {
            planned().hold(content("2026-11-22", minutes, VisitMode::HomeVisit), hours, reason.map(str::to_owned), now())
        };
        assert!(visit(60, None).is_ok());
        assert_eq!(visit(61, None), Err(VisitError::MonthlyHoursExceeded { left: 60, limit: 600 }));
        assert!(visit(61, Some("the client moved house")).is_ok());
        let phone = planned().hold(content("2026-11-22", 61, VisitMode::Phone), hours, None, now());
        assert!(phone.is_ok(), "phone time is counted apart");
    }

    #[test]
    fn it_is_said_from_eighty_hundredths_on_that_the_hours_run_out() {
        for (used, level) in [
            (0, HoursLevel::Free),
            (479, HoursLevel::Free),
            (480, HoursLevel::NearLimit),
            (599, HoursLevel::NearLimit),
            (600, HoursLevel::UsedUp),
            (601, HoursLevel::OverLimit),
        ] {
            let hours = MonthHours { used, limit: 600 };
            assert_eq!((hours.level(), hours.warns()), (level, level != HoursLevel::Free), "{used}");
        }
        // Exactly four fifths of a limit that has no whole minute there is never reached early.
        assert_eq!(MonthHours { used: 480, limit: 601 }.level(), HoursLevel::Free);
        assert_eq!(MonthHours { used: 481, limit: 601 }.level(), HoursLevel::NearLimit);
    }

    #[test]
    fn the_kilometres_are_those_of_one_driver() {
        let (one, two, three) = (id(1), id(2), id(3));
        assert_eq!(driver(&[one, two], Some(two), &[one]), Ok(Some(two)));
        assert_eq!(driver(&[one, two], Some(three), &[one]), Err(DriverNotThere));
        assert_eq!(driver(&[one, two], None, &[three, two]), Ok(Some(two)));
        assert_eq!(driver(&[one, two], None, &[]), Ok(Some(one)));
        assert_eq!(driver(&[], None, &[one]), Ok(None));
    }

    #[test]
    fn nothing_is_held_in_the_future_and_nothing_twice() {
        let hours = MonthHours { used: 0, limit: 600 };
        let tomorrow = content("2026-11-23", 60, VisitMode::HomeVisit);
        assert_eq!(planned().hold(tomorrow.clone(), hours, None, now()), Err(VisitError::InFuture));
        let held = planned().hold(content("2026-11-22", 60, VisitMode::HomeVisit), hours, None, now()).expect("today");
        assert!(held.clone().hold(content("2026-11-22", 60, VisitMode::HomeVisit), hours, None, now()).is_err());
        assert!(held.clone().cancel(AbsentParty::Client, None).is_err());
        assert_eq!(held.clone().correct(tomorrow, hours, None, now().helsinki_date()), Err(VisitError::InFuture));
        assert!(held.correct(content("2026-11-21", 90, VisitMode::HomeVisit), hours, None, now().helsinki_date()).is_ok());
        let cancelled = planned().cancel(AbsentParty::LinkWorker, Some(VisitAbsenceReason::Ill)).expect("planned");
        assert!(cancelled.not_attended(AbsentParty::Client, VisitAbsenceReason::Forgot, now().helsinki_date()).is_err());
    }
}
