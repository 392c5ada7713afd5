//! Instants, civil dates and months. Nothing here asks what time it is: a [`Clock`] is handed in.

use chrono::{DateTime, Datelike, Days, Duration, Months, NaiveDate, SubsecRound, Timelike, Utc};
use chrono_tz::Europe::Helsinki;

/// Where the present comes from.
pub trait Clock: Send + Sync {
    /// The present instant, cut to microseconds.
    fn now(&self) -> Instant;
}

/// A point in time, UTC, in whole microseconds: what both databases can hold without a difference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Instant(DateTime<Utc>);

impl Instant {
    /// Cuts a time to microseconds.
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Self {
        Self(at.trunc_subsecs(6))
    }

    /// The time itself.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }

    /// The civil date in Finland, by which ages, months and deadlines are counted.
    #[must_use]
    pub fn helsinki_date(self) -> NaiveDate {
        self.0.with_timezone(&Helsinki).date_naive()
    }

    /// The instant at which a civil day begins in Finland. Clocks are changed at three and four in the morning, so every midnight is there once.
    #[must_use]
    pub fn start_of_helsinki_day(day: NaiveDate) -> Self {
        let midnight = day.and_time(chrono::NaiveTime::MIN);
        let at = midnight.and_local_timezone(Helsinki).earliest().map_or_else(|| midnight.and_utc(), |at| at.with_timezone(&Utc));
        Self::new(at)
    }

    /// Whole days from `earlier` to this instant, 0 when it lies ahead.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).num_days().max(0)
    }

    /// This instant moved by a number of minutes; stays where it is at the end of time.
    #[must_use]
    pub fn plus_minutes(self, minutes: i64) -> Self {
        Duration::try_minutes(minutes).and_then(|d| self.0.checked_add_signed(d)).map_or(self, Self)
    }

    /// This instant moved by a number of days.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        self.plus_minutes(days.saturating_mul(24 * 60))
    }
}

impl Instant {
    /// Reads the text that [`Display`](std::fmt::Display) writes, and nothing else; `None` for any other text.
    #[must_use]
    pub fn parse_stored(text: &str) -> Option<Self> {
        let number = |from: usize, until: usize| {
            let digits = text.get(from..until)?;
            if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse::<u32>().ok() } else { None }
        };
        let bytes = text.as_bytes();
        let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (26, b'Z')];
        if bytes.len() != 27 || marks.iter().any(|(place, mark)| bytes.get(*place) != Some(mark)) {
            return None;
        }
        let day = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)?;
        let (second, micros) = match number(17, 19)? {
            60 => (59, 1_000_000 + number(20, 26)?),
            second => (second, number(20, 26)?),
        };
        let at = day.and_hms_micro_opt(number(11, 13)?, number(14, 16)?, second, micros)?;
        Some(Self(at.and_utc()))
    }
}

impl std::fmt::Display for Instant {
    /// Fixed width, so that the text sorts as the time does: `2026-11-22T10:00:00.000000Z`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (day, time) = (self.0.date_naive(), self.0.time());
        // A list of these is written with every page: a format that is read anew each time costs more than the digits.
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            day.year(),
            day.month(),
            day.day(),
            time.hour(),
            time.minute(),
            // A leap second is kept as more than a second of fractions.
            time.second() + time.nanosecond() / 1_000_000_000,
            time.nanosecond() % 1_000_000_000 / 1000
        )
    }
}

/// A calendar month, the unit of the hour limit and of the hour sheets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// The month in which a day lies.
    #[must_use]
    pub fn of(day: NaiveDate) -> Self {
        Self { year: day.year(), month: day.month() }
    }

    /// Its first day.
    #[must_use]
    pub fn first_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or(NaiveDate::MIN)
    }

    /// The month after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self::of(self.next_first_day())
    }

    /// Reads `2026-11`; `None` for any other text, and for years before 1900 or after 2199.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let first = if text.len() == 7 { format!("{text}-01").parse::<NaiveDate>().ok()? } else { return None };
        ((1900..2200).contains(&first.year()) && Self::of(first).to_string() == text).then(|| Self::of(first))
    }

    /// Its year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.year
    }

    /// The first day of the month after it.
    #[must_use]
    pub fn next_first_day(self) -> NaiveDate {
        self.first_day().checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX)
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// Age in whole years on a day. Someone born on 29 February turns a year older on 1 March of a common year.
#[must_use]
pub fn age_on(born: NaiveDate, day: NaiveDate) -> Option<u32> {
    day.years_since(born)
}

/// Age when only the year of birth is known: the age that is certainly reached, as if born on 31 December.
#[must_use]
pub fn certain_age_on(birth_year: i32, day: NaiveDate) -> Option<u32> {
    NaiveDate::from_ymd_opt(birth_year, 12, 31).and_then(|born| age_on(born, day))
}

/// The day a number of months later; the last day of that month when it has no such day.
#[must_use]
pub fn plus_months(day: NaiveDate, months: u32) -> NaiveDate {
    day.checked_add_months(Months::new(months)).unwrap_or(NaiveDate::MAX)
}

/// The day a number of days later.
#[must_use]
pub fn plus_days(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}

/// The day a number of days earlier.
#[must_use]
pub fn minus_days(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn the_stored_text_is_read_back_and_nothing_else_is() {
        for seconds in [0, 951_782_400, 1_709_164_799, 1_798_761_599, 253_402_300_799] {
            let at = Instant::new(DateTime::from_timestamp(seconds, 123_456_789).expect("an instant"));
            assert_eq!(at.to_string(), at.utc().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
            assert_eq!(Instant::parse_stored(&at.to_string()), Some(at));
        }
        let leap = "2016-12-31T23:59:60.500000Z";
        assert_eq!(Instant::parse_stored(leap).map(|at| at.to_string()).as_deref(), Some(leap));
        for text in [
            "",
            "2026-11-22T10:00:00Z",
            "2026-11-22T10:00:00.000000",
            "2026-11-22 10:00:00.000000Z",
            "2026-02-29T10:00:00.000000Z",
            "2026-11-22T24:00:00.000000Z",
            "2026-11-22T10:00:61.000000Z",
            "+026-11-22T10:00:00.000000Z",
            "2026-11-22T10:00:00.00000äZ",
        ] {
            assert_eq!(Instant::parse_stored(text), None, "{text}");
        }
    }

    #[test]
    fn eighteen_is_counted_to_the_day() {
        let today = day("2026-11-22");
        assert_eq!(age_on(day("2008-11-21"), today), Some(18));
        assert_eq!(age_on(day("2008-11-22"), today), Some(18));
        assert_eq!(age_on(day("2008-11-23"), today), Some(17));
        assert_eq!(age_on(day("2030-01-01"), today), None);
    }

    #[test]
    fn a_leap_day_child_turns_on_the_first_of_march() {
        assert_eq!(age_on(day("2008-02-29"), day("2026-02-28")), Some(17));
        assert_eq!(age_on(day("2008-02-29"), day("2026-03-01")), Some(18));
    }

    #[test]
    fn a_birth_year_counts_as_its_last_day() {
        assert_eq!(certain_age_on(2008, day("2026-12-30")), Some(17));
        assert_eq!(certain_age_on(2008, day("2026-12-31")), Some(18));
    }

    #[test]
    fn the_finnish_day_begins_before_the_utc_day() {
        let instant = Instant::new("2026-12-31T22:30:00Z".parse().expect("an instant"));
        assert_eq!(instant.helsinki_date(), day("2027-01-01"));
        let summer = Instant::new("2026-06-30T20:59:59Z".parse().expect("an instant"));
        assert_eq!(summer.helsinki_date(), day("2026-06-30"));
    }

    #[test]
    fn a_finnish_day_begins_by_the_clock_of_its_season() {
        for (date, start) in [
            ("2026-01-15", "2026-01-14T22:00:00Z"),
            ("2026-03-29", "2026-03-28T22:00:00Z"),
            ("2026-03-30", "2026-03-29T21:00:00Z"),
            ("2026-10-25", "2026-10-24T21:00:00Z"),
            ("2026-10-26", "2026-10-25T22:00:00Z"),
            ("2028-02-29", "2028-02-28T22:00:00Z"),
        ] {
            let at = Instant::start_of_helsinki_day(day(date));
            assert_eq!(at, Instant::new(start.parse().expect("an instant")), "{date}");
            assert_eq!((at.helsinki_date(), at.plus_minutes(-1).helsinki_date()), (day(date), day(date).pred_opt().expect("a day before")));
        }
    }

    #[test]
    fn months_meet_at_the_year_border() {
        let month = Month::of(day("2026-12-31"));
        assert_eq!(month.first_day(), day("2026-12-01"));
        assert_eq!(month.next_first_day(), day("2027-01-01"));
        assert_eq!(plus_months(day("2026-08-31"), 6), day("2027-02-28"));
        assert_eq!((Month::parse("2026-12"), month.next().to_string().as_str()), (Some(month), "2027-01"));
        for text in ["", "2026-13", "2026-1", "2026-1 ", "+026-01", "1899-12", "2026-12-01"] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
    }

    #[test]
    fn instants_sort_as_their_text() {
        let a = Instant::new("2026-01-01T00:00:00.5Z".parse().expect("an instant"));
        let b = a.plus_minutes(1);
        assert!(a.to_string() < b.to_string());
        assert_eq!(a.to_string(), "2026-01-01T00:00:00.500000Z");
    }
}
