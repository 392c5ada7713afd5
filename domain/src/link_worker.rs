//! The link worker: the trained companion, with contract, training, places and room for clients.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::actor::Validity;
use crate::codes::{AbsenceReason, ContractKind, LinkWorkerStatus, MentoringKind, TrainingKind};
use crate::ids::{AbsenceId, ContractId, LinkWorkerId, MentoringSessionId, OrganisationId, ProgrammeId, TrainingId, UserId};
use crate::money::Cents;
use crate::programme::MunicipalityCode;
use crate::time::{Instant, plus_months};
use crate::version::Version;

/// Most clients that one link worker may have agreed to; the pilot saw up to six.
pub const MAX_CLIENTS_LIMIT: u32 = 20;
/// Most hours a month that one link worker may have agreed to.
pub const HOURS_PER_MONTH_LIMIT: u32 = 160;

/// A link worker of a programme.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkWorker {
    /// Their id.
    pub id: LinkWorkerId,
    /// Version of the row.
    pub version: Version,
    /// The programme.
    pub programme: ProgrammeId,
    /// Their sign-in.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// Whether they take clients.
    pub status: LinkWorkerStatus,
    /// Where they go.
    pub municipalities: BTreeSet<MunicipalityCode>,
    /// Languages that they speak, BCP 47 tags.
    pub languages: BTreeSet<String>,
    /// What they like to do, in their words.
    pub interests: Option<String>,
    /// How many clients they take at once.
    pub max_clients: u32,
    /// How many hours a month they give.
    pub hours_per_month: u32,
}

/// A contract of a link worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contract {
    /// Its id.
    pub id: ContractId,
    /// Whose it is.
    pub link_worker: LinkWorkerId,
    /// On what footing.
    pub kind: ContractKind,
    /// The employer behind it.
    pub employer: OrganisationId,
    /// When it is in force.
    pub validity: Validity,
    /// A fee of its own; the programme's when there is none.
    pub fee_per_hour: Option<Cents>,
    /// How the link worker is insured.
    pub insurance_note: Option<String>,
}

impl Contract {
    /// The fee of an hour under this contract: nothing for a volunteer.
    #[must_use]
    pub fn fee(&self, programme_fee: Cents) -> Cents {
        match self.kind {
            ContractKind::Volunteer => Cents(0),
            ContractKind::Fee | ContractKind::Hourly => self.fee_per_hour.unwrap_or(programme_fee),
        }
    }
}

/// A training of a link worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Training {
    /// Its id.
    pub id: TrainingId,
    /// Whose it is.
    pub link_worker: LinkWorkerId,
    /// What it was.
    pub kind: TrainingKind,
    /// Who gave it.
    pub provider: String,
    /// When it was completed.
    pub completed_on: NaiveDate,
    /// Credits (ECTS), in tenths.
    pub credits_tenths: Option<u32>,
}

/// The contract in force on a day, the newest first.
#[must_use]
pub fn contract_on(contracts: &[Contract], day: NaiveDate) -> Option<&Contract> {
    contracts.iter().filter(|contract| contract.validity.covers(day)).max_by_key(|contract| contract.validity.from)
}

/// Longest mentoring session, in minutes: a day.
pub const MENTORING_MINUTES_MAX: u32 = 600;

/// A meeting of a link worker with a mentor. It says nothing of any case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MentoringSession {
    /// Its id.
    pub id: MentoringSessionId,
    /// Who was mentored.
    pub link_worker: LinkWorkerId,
    /// The day.
    pub on: NaiveDate,
    /// How long it took, in minutes.
    pub minutes: u32,
    /// Who mentored.
    pub mentor: String,
    /// Alone or in a group.
    pub kind: MentoringKind,
    /// Who recorded it.
    pub recorded_by: UserId,
    /// When.
    pub recorded_at: Instant,
}

impl MentoringSession {
    /// Whether it has been held by a day: a session is recorded when it was.
    #[must_use]
    pub fn was_held_by(&self, today: NaiveDate) -> bool {
        self.on <= today
    }
}

/// A time in which a link worker is away. Nobody proposes them while it lasts; the clients whom they have stay theirs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Absence {
    /// Its id.
    pub id: AbsenceId,
    /// Its version.
    pub version: Version,
    /// Who is away.
    pub link_worker: LinkWorkerId,
    /// The days; both ends belong to it.
    pub days: Validity,
    /// Why.
    pub reason: AbsenceReason,
    /// Who entered it.
    pub recorded_by: UserId,
    /// When.
    pub recorded_at: Instant,
}

/// The absence in which a day lies; the one that lasts longest when there are several.
#[must_use]
pub fn absence_on(absences: &[Absence], day: NaiveDate) -> Option<&Absence> {
    absences.iter().filter(|absence| absence.days.covers(day)).max_by_key(|absence| absence.days.until.unwrap_or(NaiveDate::MAX))
}

/// The absence in which a day lies, or else the next one to come.
#[must_use]
pub fn absence_from(absences: &[Absence], day: NaiveDate) -> Option<&Absence> {
    absence_on(absences, day).or_else(|| absences.iter().filter(|absence| absence.days.from > day).min_by_key(|absence| absence.days.from))
}

/// When a link worker's training is to be refreshed: some months after the last course or refresher. `None` for somebody without any: the basic course
/// comes first.
#[must_use]
pub fn refresher_due_on(trainings: &[Training], months: u32) -> Option<NaiveDate> {
    let counting = trainings.iter().filter(|training| matches!(training.kind, TrainingKind::BasicCourse | TrainingKind::Refresher));
    counting.map(|training| training.completed_on).max().map(|last| plus_months(last, months))
}

#[cfg(test)]
mod people_tests {
    use super::*;
    use crate::ids::Id;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn training(kind: TrainingKind, on: &str) -> Training {
        Training {
            id: TrainingId::nil(),
            link_worker: LinkWorkerId::nil(),
            kind,
            provider: "Lapin AMK".to_owned(),
            completed_on: day(on),
            credits_tenths: None,
        }
    }

    #[test]
    fn the_refresher_is_due_some_months_after_the_last_training_that_counts() {
        let course = training(TrainingKind::BasicCourse, "2026-03-15");
        let refresher = training(TrainingKind::Refresher, "2026-08-31");
        let other = training(TrainingKind::Other, "2026-11-01");
        assert_eq!(refresher_due_on(&[], 6), None);
        assert_eq!(refresher_due_on(std::slice::from_ref(&other), 6), None);
        assert_eq!(refresher_due_on(&[course.clone(), other.clone()], 6), Some(day("2026-09-15")));
        assert_eq!(
            refresher_due_on(&[refresher.clone(), course.clone(), other], 6),
            Some(day("2027-02-28")),
            "the last day of a short month"
        );
        assert_eq!(refresher_due_on(&[training(TrainingKind::Refresher, "2027-08-31")], 6), Some(day("2028-02-29")), "a leap day");
        assert_eq!(refresher_due_on(&[course, refresher], 3), Some(day("2026-11-30")));
    }

    #[test]
    fn the_absence_of_a_day_and_the_next_one() {
        let absence = |from: &str, until: Option<&str>| Absence {
            id: AbsenceId::nil(),
            version: Version::FIRST,
            link_worker: LinkWorkerId::nil(),
            days: Validity { from: day(from), until: until.map(day) },
            reason: AbsenceReason::Holiday,
            recorded_by: UserId::nil(),
            recorded_at: Instant::start_of_helsinki_day(day("2026-01-01")),
        };
        let all = [absence("2026-11-20", Some("2026-11-24")), absence("2026-12-24", None), absence("2026-11-22", Some("2026-11-23"))];
        let until = |text: &str| absence_on(&all, day(text)).map(|absence| absence.days.until);
        assert_eq!(until("2026-11-19"), None);
        assert_eq!(until("2026-11-20"), Some(Some(day("2026-11-24"))));
        assert_eq!(until("2026-11-22"), Some(Some(day("2026-11-24"))));
        assert_eq!(until("2026-11-25"), None);
        assert_eq!(until("2030-01-01"), Some(None));
        assert_eq!(absence_from(&all, day("2026-11-25")).map(|absence| absence.days.from), Some(day("2026-12-24")));
        assert_eq!(absence_from(&all, day("2026-11-24")).map(|absence| absence.days.from), Some(day("2026-11-20")));
    }
}
