//! Breaks of a programme: times in which nobody works, so that no clock runs against anybody (finnish-facts §1.5 P9).
//!
//! Days are civil days in Finland. A break freezes waiting days and the time to answer a proposal; it does not pause or close anything by itself.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};

use crate::actor::Validity;
use crate::codes::{BreakReason, Language};
use crate::ids::{ProgrammeBreakId, ProgrammeId};
use crate::referral::Referral;
use crate::referral::state::ReferralState;
use crate::time::Instant;
use crate::version::Version;

/// How long a break that has no end yet holds up a time to answer. It is counted anew as soon as the end is known.
const OPEN_BREAK_DAYS: i64 = 366;

/// A break.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProgrammeBreak {
    /// Its id.
    pub id: ProgrammeBreakId,
    /// Its version.
    pub version: Version,
    /// The programme.
    pub programme: ProgrammeId,
    /// Its days; both ends belong to it.
    pub days: Validity,
    /// Why.
    pub reason: BreakReason,
    /// What is said about it, in the languages in which somebody has said it.
    pub words: BTreeMap<Language, String>,
}

/// The break in which a day lies; the one that lasts longest when there are several.
#[must_use]
pub fn break_on(breaks: &[ProgrammeBreak], day: NaiveDate) -> Option<&ProgrammeBreak> {
    breaks.iter().filter(|found| found.days.covers(day)).max_by_key(|found| found.days.until.unwrap_or(NaiveDate::MAX))
}

/// The days of some breaks.
#[must_use]
pub fn days_of(breaks: &[ProgrammeBreak]) -> Vec<Validity> {
    breaks.iter().map(|found| found.days).collect()
}

/// Breaks as half-open ranges of days, in order, none of which touches the next.
fn ranges(breaks: &[Validity]) -> Vec<(NaiveDate, NaiveDate)> {
    let end = |days: &Validity| days.until.and_then(|until| until.succ_opt()).unwrap_or(NaiveDate::MAX);
    let mut all: Vec<_> = breaks.iter().map(|days| (days.from, end(days))).filter(|(from, until)| from < until).collect();
    all.sort_unstable();
    let mut merged: Vec<(NaiveDate, NaiveDate)> = Vec::with_capacity(all.len());
    for (from, until) in all {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => merged.push((from, until)),
        }
    }
    merged
}

/// How many days have passed from one day to another, without those of breaks: the day itself counts, the other does not, so that there is none from today
/// to today. 0 when the other lies before.
#[must_use]
pub fn days_without_breaks(from: NaiveDate, until: NaiveDate, breaks: &[Validity]) -> i64 {
    let all = (until - from).num_days().max(0);
    let frozen: i64 = ranges(breaks).into_iter().map(|(begin, end)| (end.min(until) - begin.max(from)).num_days().max(0)).sum();
    (all - frozen).max(0)
}

/// [`days_without_breaks`] between the Finnish days of two instants.
#[must_use]
pub fn days_since_without_breaks(since: Instant, now: Instant, breaks: &[Validity]) -> i64 {
    days_without_breaks(since.helsinki_date(), now.helsinki_date(), breaks)
}

/// The instant at which some days of 24 hours have passed outside breaks. A break without an end holds it up for a year.
#[must_use]
pub fn after_days(from: Instant, days: i64, breaks: &[Validity]) -> Instant {
    let mut at = from.utc();
    let mut left = Duration::try_days(days.max(0)).unwrap_or_default();
    for (begin, end) in ranges(breaks) {
        let begin = Instant::start_of_helsinki_day(begin).utc().max(at);
        let end = if end == NaiveDate::MAX {
            begin + Duration::try_days(OPEN_BREAK_DAYS).unwrap_or_default()
        } else {
            Instant::start_of_helsinki_day(end).utc()
        };
        if end <= at {
            continue;
        }
        if at + left <= begin {
            break;
        }
        left -= begin - at;
        at = end;
    }
    Instant::new(at + left)
}

/// What breaks mean for one referral.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Clocks {
    /// Days on the waiting list, without those of breaks.
    pub waiting_days: Option<i64>,
    /// Whether it was closed in a break.
    pub closed_in_break: bool,
}

impl Clocks {
    /// Whether breaks mean anything for a referral as it stands.
    #[must_use]
    pub fn concern(referral: &Referral) -> bool {
        matches!(referral.state, ReferralState::Waitlisted | ReferralState::Closed(_))
    }

    /// What they mean.
    #[must_use]
    pub fn of(referral: &Referral, breaks: &[ProgrammeBreak], now: Instant) -> Self {
        match (&referral.state, referral.queue) {
            (ReferralState::Waitlisted, Some(queue)) => {
                let waiting_days = Some(days_since_without_breaks(queue.accepted_at, now, &days_of(breaks)));
                Self { waiting_days, closed_in_break: false }
            }
            (ReferralState::Closed(closure), _) => {
                Self { waiting_days: None, closed_in_break: break_on(breaks, closure.at.helsinki_date()).is_some() }
            }
            _ => Self::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn at(text: &str) -> Instant {
        Instant::new(text.parse().expect("an instant"))
    }

    fn days(from: &str, until: Option<&str>) -> Validity {
        Validity { from: day(from), until: until.map(day) }
    }

    #[track_caller]
    fn counted(from: &str, until: &str, breaks: &[Validity], wanted: i64) {
        assert_eq!(days_without_breaks(day(from), day(until), breaks), wanted, "{from} to {until}");
    }

    #[test]
    fn without_breaks_days_are_days() {
        counted("2026-11-22", "2026-11-22", &[], 0);
        counted("2026-11-22", "2026-11-23", &[], 1);
        counted("2026-11-22", "2026-11-21", &[], 0);
        counted("2026-12-31", "2027-01-01", &[], 1);
        counted("2028-02-28", "2028-03-01", &[], 2);
        counted("2027-02-28", "2027-03-01", &[], 1);
    }

    #[test]
    fn both_ends_of_a_break_are_frozen() {
        let july = [days("2026-07-01", Some("2026-07-31"))];
        counted("2026-06-30", "2026-07-01", &july, 1);
        counted("2026-06-30", "2026-07-02", &july, 1);
        counted("2026-06-30", "2026-08-01", &july, 1);
        counted("2026-06-30", "2026-08-02", &july, 2);
        counted("2026-07-01", "2026-08-01", &july, 0);
        counted("2026-07-15", "2026-07-20", &july, 0);
        counted("2026-07-31", "2026-08-01", &july, 0);
        counted("2026-08-01", "2026-08-03", &july, 2);
        counted("2026-05-01", "2026-06-01", &july, 31);
        let one_day = [days("2026-07-01", Some("2026-07-01"))];
        counted("2026-06-30", "2026-07-03", &one_day, 2);
    }

    #[test]
    fn no_day_is_frozen_twice() {
        let over = [days("2026-07-01", Some("2026-07-20")), days("2026-07-10", Some("2026-07-31")), days("2026-07-05", Some("2026-07-06"))];
        counted("2026-06-30", "2026-08-02", &over, 2);
        let meeting = [days("2026-07-16", Some("2026-07-31")), days("2026-07-01", Some("2026-07-15"))];
        counted("2026-06-30", "2026-08-02", &meeting, 2);
        let apart = [days("2026-07-01", Some("2026-07-10")), days("2026-07-12", Some("2026-07-31"))];
        counted("2026-06-30", "2026-08-02", &apart, 3);
        counted("2026-06-30", "2026-08-02", &[days("2026-07-10", Some("2026-07-01"))], 33);
    }

    #[test]
    fn leap_days_years_and_open_ends() {
        counted("2028-02-01", "2028-03-02", &[days("2028-02-10", Some("2028-02-29"))], 10);
        counted("2027-02-01", "2027-03-02", &[days("2027-02-10", Some("2027-02-28"))], 10);
        counted("2026-12-20", "2027-01-10", &[days("2026-12-24", Some("2027-01-06"))], 7);
        let open = [days("2026-11-01", None)];
        counted("2026-10-30", "2026-11-22", &open, 2);
        counted("2026-10-30", "2030-01-01", &open, 2);
        counted("2026-11-05", "2026-11-22", &open, 0);
        counted("2026-10-30", "2026-11-22", &[open[0], days("2026-10-31", Some("2026-11-05"))], 1);
    }

    #[test]
    fn the_finnish_day_decides() {
        let one = [days("2026-11-23", Some("2026-11-23"))];
        // Half past ten in the evening UTC is the next day in Finland.
        assert_eq!(days_since_without_breaks(at("2026-11-22T22:30:00Z"), at("2026-11-24T10:00:00Z"), &one), 0);
        assert_eq!(days_since_without_breaks(at("2026-11-22T21:30:00Z"), at("2026-11-24T10:00:00Z"), &one), 1);
    }

    #[test]
    fn a_time_to_answer_waits_for_the_end_of_the_break() {
        let from = at("2026-11-22T10:00:00Z");
        let after = |breaks: &[Validity]| after_days(from, 7, breaks).to_string();
        assert_eq!(after(&[]), "2026-11-29T10:00:00.000000Z");
        assert_eq!(after(&[days("2026-11-01", Some("2026-11-21"))]), "2026-11-29T10:00:00.000000Z", "a break that is over");
        assert_eq!(after(&[days("2026-11-30", Some("2026-12-06"))]), "2026-11-29T10:00:00.000000Z", "a break that comes later");
        assert_eq!(after(&[days("2026-11-24", Some("2026-11-26"))]), "2026-12-02T10:00:00.000000Z", "three days in between");
        let overlapping = [days("2026-11-24", Some("2026-11-26")), days("2026-11-25", Some("2026-11-27"))];
        assert_eq!(after(&overlapping), "2026-12-03T10:00:00.000000Z");
        // Proposed inside a break: the seven days begin with the first day after it.
        assert_eq!(after(&[days("2026-11-20", Some("2026-11-24"))]), "2026-12-01T22:00:00.000000Z");
        // The whole day before a break is there to answer.
        let eve = after_days(at("2026-11-22T22:00:00Z"), 7, &[days("2026-11-30", Some("2026-12-06"))]);
        assert_eq!(eve.to_string(), "2026-11-29T22:00:00.000000Z");
        assert_eq!(after(&[days("2026-11-24", None)]), "2027-11-30T10:00:00.000000Z");
        // The clock is put back an hour in the break.
        let autumn = after_days(at("2026-10-24T10:00:00Z"), 7, &[days("2026-10-25", Some("2026-10-25"))]);
        assert_eq!(autumn.to_string(), "2026-11-01T11:00:00.000000Z");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_counting_the_days_one_by_one_gives_the_same(
            start in 0_u64..400, length in 0_u64..120, breaks in proptest::collection::vec((0_u64..500, proptest::option::of(0_u64..60)), 0..5),
        ) {
            let zero = day("2027-11-01");
            let plus = |days| crate::time::plus_days(zero, days);
            let breaks: Vec<Validity> =
                breaks.into_iter().map(|(from, length)| Validity { from: plus(from), until: length.map(|length| plus(from + length)) }).collect();
            let (from, until) = (plus(start), plus(start + length));
            let by_hand = from.iter_days().take_while(|day| *day < until).filter(|day| !breaks.iter().any(|days| days.covers(*day))).count();
            proptest::prop_assert_eq!(usize::try_from(days_without_breaks(from, until, &breaks)).ok(), Some(by_hand));
        }
    }

    #[test]
    fn the_break_of_a_day_is_the_one_that_lasts_longest() {
        let found = |from: &str, until: Option<&str>, number: u128| ProgrammeBreak {
            id: crate::ids::Id::from_uuid(uuid::Uuid::from_u128(number)),
            version: Version::FIRST,
            programme: crate::ids::Id::nil(),
            days: days(from, until),
            reason: BreakReason::HolidaySeason,
            words: BTreeMap::new(),
        };
        let all = [found("2026-07-01", Some("2026-07-31"), 1), found("2026-07-10", Some("2026-08-05"), 2), found("2026-12-01", None, 3)];
        let number = |text: &str| break_on(&all, day(text)).map(|found| crate::ids::Id::as_uuid(found.id).as_u128());
        assert_eq!(number("2026-07-01"), Some(1));
        assert_eq!(number("2026-07-10"), Some(2));
        assert_eq!(number("2026-08-06"), None);
        assert_eq!(number("2029-01-01"), Some(3));
    }
}
