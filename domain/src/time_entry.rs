//! A coordinator's time on a referral: an hour or two for each in the pilot, and nowhere written down. It is work, and costs.

use chrono::NaiveDate;

use crate::codes::TimeEntryKind;
use crate::ids::{ProgrammeId, ReferralId, TimeEntryId, UserId};
use crate::time::Instant;
use crate::version::Version;

/// The most minutes of one entry: a day has no more.
pub const MINUTES_MAX: u32 = 24 * 60;

/// What was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeEntryContent {
    /// The day of the work.
    pub on: NaiveDate,
    /// Whole minutes.
    pub minutes: u32,
    /// What they were spent on.
    pub kind: TimeEntryKind,
    /// A short note, for the coordinators.
    pub note: Option<String>,
}

/// That an entry was entered in error: it stays to be seen and counts no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Struck {
    /// Who struck it.
    pub by: UserId,
    /// When.
    pub at: Instant,
}

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeEntry {
    /// Its id.
    pub id: TimeEntryId,
    /// Its version.
    pub version: Version,
    /// The programme.
    pub programme: ProgrammeId,
    /// The referral.
    pub referral: ReferralId,
    /// Whose time it is.
    pub coordinator: UserId,
    /// What was done.
    pub content: TimeEntryContent,
    /// When it was written down.
    pub recorded_at: Instant,
    /// Whether it was entered in error.
    pub struck: Option<Struck>,
}

/// Why an entry is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TimeEntryError {
    /// Tomorrow or later, or before the referral was there.
    #[error("time on a referral is spent between {earliest} and {latest}")]
    DayOutOfRange {
        /// The day on which the referral was sent.
        earliest: NaiveDate,
        /// Today.
        latest: NaiveDate,
    },
    /// It was struck.
    #[error("the entry was struck as entered in error")]
    Struck,
}

/// Whether time can have been spent on a day: from the day on which the referral was sent until today.
///
/// # Errors
/// Names the days between which it may lie.
pub fn expect_day(on: NaiveDate, submitted_on: Option<NaiveDate>, today: NaiveDate) -> Result<(), TimeEntryError> {
    let earliest = submitted_on.unwrap_or(NaiveDate::MIN);
    if (earliest..=today).contains(&on) { Ok(()) } else { Err(TimeEntryError::DayOutOfRange { earliest, latest: today }) }
}

impl TimeEntry {
    fn expect_standing(&self) -> Result<(), TimeEntryError> {
        if self.struck.is_some() { Err(TimeEntryError::Struck) } else { Ok(()) }
    }

    /// Corrects what was written down.
    ///
    /// # Errors
    /// When it was struck, or the day is out of range.
    pub fn correct(mut self, content: TimeEntryContent, submitted_on: Option<NaiveDate>, today: NaiveDate) -> Result<Self, TimeEntryError> {
        self.expect_standing()?;
        expect_day(content.on, submitted_on, today)?;
        self.content = content;
        Ok(self)
    }

    /// Strikes it as entered in error.
    ///
    /// # Errors
    /// When it was struck before.
    pub fn strike(mut self, by: UserId, at: Instant) -> Result<Self, TimeEntryError> {
        self.expect_standing()?;
        self.struck = Some(Struck { by, at });
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

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn content(on: &str) -> TimeEntryContent {
        TimeEntryContent { on: day(on), minutes: 45, kind: TimeEntryKind::Matching, note: None }
    }

    #[test]
    fn time_is_spent_between_the_sending_and_today_and_a_struck_entry_stays_struck() {
        let at = Instant::new("2026-11-22T10:00:00Z".parse().expect("an instant"));
        let entry = TimeEntry {
            id: id(1),
            version: Version::FIRST,
            programme: id(2),
            referral: id(3),
            coordinator: id(5),
            content: content("2026-11-20"),
            recorded_at: at,
            struck: None,
        };
        let (sent, today) = (Some(day("2026-11-10")), day("2026-11-22"));
        let out = Err(TimeEntryError::DayOutOfRange { earliest: day("2026-11-10"), latest: today });
        assert!(entry.clone().correct(content("2026-11-10"), sent, today).is_ok());
        assert!(entry.clone().correct(content("2026-11-22"), sent, today).is_ok());
        assert_eq!(entry.clone().correct(content("2026-11-09"), sent, today), out);
        assert_eq!(entry.clone().correct(content("2026-11-23"), sent, today), out);
        let struck = entry.strike(id(5), at).expect("standing");
        assert_eq!(struck.clone().strike(id(5), at), Err(TimeEntryError::Struck));
        assert_eq!(struck.correct(content("2026-11-20"), sent, today), Err(TimeEntryError::Struck));
    }
}
