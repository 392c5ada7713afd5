//! The assignment: a link worker is proposed for a referral, and accepts, declines, or lets the proposal expire.

use chrono::NaiveDate;

use crate::codes::{AssignmentEndReason, AssignmentStateCode, DeclineReason, LinkWorkerStatus, TrainingKind};
use crate::ids::{AssignmentId, LinkWorkerId, ProgrammeId, ReferralId, UserId};
use crate::link_worker::{Absence, Contract, LinkWorker, Training, absence_on, contract_on};
use crate::programme::MunicipalityCode;
use crate::time::Instant;
use crate::version::Version;

/// Days in which a proposal is answered before it expires.
pub const PROPOSAL_DAYS: i64 = 7;

/// Where a proposal stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AssignmentState {
    /// Waits for the link worker's answer.
    Proposed,
    /// The link worker works with the client.
    Accepted {
        /// Since when.
        at: Instant,
    },
    /// The link worker said no.
    Declined {
        /// When.
        at: Instant,
        /// Why.
        reason: DeclineReason,
    },
    /// Nobody answered in time.
    Expired {
        /// When.
        at: Instant,
    },
    /// Over.
    Ended {
        /// When it had been accepted; never for a proposal that was taken back.
        accepted_at: Option<Instant>,
        /// When it ended.
        at: Instant,
        /// Why.
        reason: AssignmentEndReason,
    },
}

/// A link worker proposed for a referral.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assignment {
    /// Its id.
    pub id: AssignmentId,
    /// Its version.
    pub version: Version,
    /// The programme.
    pub programme: ProgrammeId,
    /// The referral.
    pub referral: ReferralId,
    /// The link worker.
    pub link_worker: LinkWorkerId,
    /// The link worker's sign-in.
    pub link_worker_user: UserId,
    /// Who proposed.
    pub proposed_by: UserId,
    /// When.
    pub proposed_at: Instant,
    /// Until when it can be answered.
    pub expires_at: Instant,
    /// A word to the link worker, without name or contact of the client.
    pub message: Option<String>,
    /// Where it stands.
    pub state: AssignmentState,
}

/// Why an answer to a proposal is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AssignmentError {
    /// Not in this state.
    #[error("an assignment in the state {state} cannot be changed this way")]
    WrongState {
        /// The present state.
        state: AssignmentStateCode,
    },
    /// Too late.
    #[error("the proposal has expired; ask the coordinator for a new one")]
    ProposalExpired,
}

impl Assignment {
    /// The code of its state.
    #[must_use]
    pub fn state_code(&self) -> AssignmentStateCode {
        match self.state {
            AssignmentState::Proposed => AssignmentStateCode::Proposed,
            AssignmentState::Accepted { .. } => AssignmentStateCode::Accepted,
            AssignmentState::Declined { .. } => AssignmentStateCode::Declined,
            AssignmentState::Expired { .. } => AssignmentStateCode::Expired,
            AssignmentState::Ended { .. } => AssignmentStateCode::Ended,
        }
    }

    /// Whether it still binds the link worker or waits for them. A referral has at most one such assignment.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, AssignmentState::Proposed | AssignmentState::Accepted { .. })
    }

    fn expect_proposed(&self, now: Instant) -> Result<(), AssignmentError> {
        if self.state != AssignmentState::Proposed {
            return Err(AssignmentError::WrongState { state: self.state_code() });
        }
        if now >= self.expires_at {
            return Err(AssignmentError::ProposalExpired);
        }
        Ok(())
    }

    /// The link worker says yes.
    ///
    /// # Errors
    /// When it is not proposed any more, or has expired.
    pub fn accept(mut self, now: Instant) -> Result<Self, AssignmentError> {
        self.expect_proposed(now)?;
        self.state = AssignmentState::Accepted { at: now };
        Ok(self)
    }

    /// The link worker says no.
    ///
    /// # Errors
    /// When it is not proposed any more, or has expired.
    pub fn decline(mut self, reason: DeclineReason, now: Instant) -> Result<Self, AssignmentError> {
        self.expect_proposed(now)?;
        self.state = AssignmentState::Declined { at: now, reason };
        Ok(self)
    }

    /// The time to answer is over.
    ///
    /// # Errors
    /// When it is not proposed any more, or not yet due.
    pub fn expire(mut self, now: Instant) -> Result<Self, AssignmentError> {
        if self.state != AssignmentState::Proposed || now < self.expires_at {
            return Err(AssignmentError::WrongState { state: self.state_code() });
        }
        self.state = AssignmentState::Expired { at: now };
        Ok(self)
    }

    /// Ends it, or takes a proposal back.
    ///
    /// # Errors
    /// When it is over already.
    pub fn end(mut self, reason: AssignmentEndReason, now: Instant) -> Result<Self, AssignmentError> {
        let accepted_at = match self.state {
            AssignmentState::Proposed => None,
            AssignmentState::Accepted { at } => Some(at),
            _ => return Err(AssignmentError::WrongState { state: self.state_code() }),
        };
        self.state = AssignmentState::Ended { accepted_at, at: now, reason };
        Ok(self)
    }
}

/// Why a link worker cannot be proposed, or cannot accept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotEligible {
    /// Paused or ended.
    #[error("the link worker does not take clients at present")]
    NotActive,
    /// Without the basic course.
    #[error("the link worker has not completed the basic course")]
    NotTrained,
    /// Without a contract today.
    #[error("the link worker has no contract that is in force today")]
    WithoutContract,
    /// Does not go there.
    #[error("the link worker does not serve the client's municipality")]
    OutsideArea,
    /// Has as many clients as agreed.
    #[error("the link worker has {open} clients and takes {max}")]
    Full {
        /// Clients now.
        open: u32,
        /// Clients agreed.
        max: u32,
    },
    /// Has worked as many hours this month as agreed.
    #[error("the link worker's {hours} hours of this month are used")]
    HoursFull {
        /// Hours agreed.
        hours: u32,
    },
    /// Has declared a conflict with this client.
    #[error("the link worker has declared a conflict of interest with this client")]
    Conflict,
    /// Is away today.
    #[error("the link worker is away {}", until.map_or_else(|| "until further notice".to_owned(), |until| format!("until {until}")))]
    Absent {
        /// The last day; not known when there is none.
        until: Option<NaiveDate>,
    },
}

/// What is known of a link worker when they are proposed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate<'a> {
    /// The link worker.
    pub link_worker: &'a LinkWorker,
    /// Their contracts.
    pub contracts: &'a [Contract],
    /// Their trainings.
    pub trainings: &'a [Training],
    /// Their accepted assignments now.
    pub open_clients: u32,
    /// The minutes that they have worked this month.
    pub minutes_this_month: i64,
    /// Whether they declined this client before for a conflict of interest.
    pub conflict: bool,
    /// When they are away. Somebody who answers a proposal knows that themself, and is not asked for it.
    pub absences: &'a [Absence],
}

/// Whether a link worker may work with a client of a municipality (product §4 row 7).
///
/// # Errors
/// The first thing that stands against it.
pub fn expect_eligible(candidate: Candidate<'_>, municipality: &MunicipalityCode, today: NaiveDate) -> Result<(), NotEligible> {
    let worker = candidate.link_worker;
    if worker.status != LinkWorkerStatus::Active {
        return Err(NotEligible::NotActive);
    }
    if !candidate.trainings.iter().any(|training| training.kind == TrainingKind::BasicCourse && training.completed_on <= today) {
        return Err(NotEligible::NotTrained);
    }
    if contract_on(candidate.contracts, today).is_none() {
        return Err(NotEligible::WithoutContract);
    }
    if !worker.municipalities.contains(municipality) {
        return Err(NotEligible::OutsideArea);
    }
    if candidate.conflict {
        return Err(NotEligible::Conflict);
    }
    if let Some(absence) = absence_on(candidate.absences, today) {
        return Err(NotEligible::Absent { until: absence.days.until });
    }
    if candidate.open_clients >= worker.max_clients {
        return Err(NotEligible::Full { open: candidate.open_clients, max: worker.max_clients });
    }
    if candidate.minutes_this_month >= i64::from(worker.hours_per_month) * 60 {
        return Err(NotEligible::HoursFull { hours: worker.hours_per_month });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Validity;
    use crate::codes::ContractKind;
    use crate::ids::{ContractId, Id, OrganisationId, TrainingId};
    use std::collections::BTreeSet;

    fn id<I: Id>(n: u128) -> I {
        I::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn at(text: &str) -> Instant {
        Instant::new(text.parse().expect("an instant"))
    }

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date")
    }

    fn sodankyla() -> MunicipalityCode {
        MunicipalityCode::parse("758").expect("a code")
    }

    fn worker() -> (LinkWorker, Vec<Contract>, Vec<Training>) {
        let worker = LinkWorker {
            id: id(1),
            version: Version::FIRST,
            programme: id(2),
            user: id(3),
            name: "Liisa Linkki".to_owned(),
            status: LinkWorkerStatus::Active,
            municipalities: BTreeSet::from([sodankyla()]),
            languages: BTreeSet::from(["fi".to_owned()]),
            interests: None,
            max_clients: 2,
            hours_per_month: 20,
        };
        let contract = Contract {
            id: id::<ContractId>(4),
            link_worker: worker.id,
            kind: ContractKind::Fee,
            employer: id::<OrganisationId>(5),
            validity: Validity { from: today(), until: Some(today()) },
            fee_per_hour: None,
            insurance_note: None,
        };
        let training = Training {
            id: id::<TrainingId>(6),
            link_worker: worker.id,
            kind: TrainingKind::BasicCourse,
            provider: "Lapin AMK".to_owned(),
            completed_on: today(),
            credits_tenths: Some(50),
        };
        (worker, vec![contract], vec![training])
    }

    #[test]
    fn each_thing_that_stands_against_a_link_worker_is_named() {
        let (worker, contracts, trainings) = worker();
        let good = Candidate {
            link_worker: &worker,
            contracts: &contracts,
            trainings: &trainings,
            open_clients: 1,
            minutes_this_month: 1199,
            conflict: false,
            absences: &[],
        };
        let check = |candidate: Candidate<'_>| expect_eligible(candidate, &sodankyla(), today());
        assert_eq!(check(good), Ok(()));
        let paused = LinkWorker { status: LinkWorkerStatus::Paused, ..worker.clone() };
        assert_eq!(check(Candidate { link_worker: &paused, ..good }), Err(NotEligible::NotActive));
        assert_eq!(check(Candidate { trainings: &[], ..good }), Err(NotEligible::NotTrained));
        assert_eq!(check(Candidate { contracts: &[], ..good }), Err(NotEligible::WithoutContract));
        assert_eq!(check(Candidate { conflict: true, ..good }), Err(NotEligible::Conflict));
        let away = |until| Absence {
            id: id(12),
            version: Version::FIRST,
            link_worker: worker.id,
            days: Validity { from: today(), until },
            reason: crate::codes::AbsenceReason::Holiday,
            recorded_by: id(3),
            recorded_at: at("2026-11-01T10:00:00Z"),
        };
        let open_end = [away(None)];
        assert_eq!(check(Candidate { absences: &open_end, ..good }), Err(NotEligible::Absent { until: None }));
        let later = [Absence { days: Validity { from: crate::time::plus_days(today(), 1), until: None }, ..away(None) }];
        assert_eq!(check(Candidate { absences: &later, ..good }), Ok(()), "not yet away");
        let one_day = [away(Some(today()))];
        assert_eq!(check(Candidate { absences: &one_day, ..good }), Err(NotEligible::Absent { until: Some(today()) }));
        assert_eq!(check(Candidate { open_clients: 2, ..good }), Err(NotEligible::Full { open: 2, max: 2 }));
        assert_eq!(check(Candidate { minutes_this_month: 1200, ..good }), Err(NotEligible::HoursFull { hours: 20 }));
        let inari = MunicipalityCode::parse("148").expect("a code");
        assert_eq!(expect_eligible(good, &inari, today()), Err(NotEligible::OutsideArea));
        let tomorrow = crate::time::plus_days(today(), 1);
        assert_eq!(expect_eligible(good, &sodankyla(), tomorrow), Err(NotEligible::WithoutContract));
    }

    fn proposal() -> Assignment {
        Assignment {
            id: id(7),
            version: Version::FIRST,
            programme: id(2),
            referral: id(8),
            link_worker: id(1),
            link_worker_user: id(3),
            proposed_by: id(9),
            proposed_at: at("2026-11-22T10:00:00Z"),
            expires_at: at("2026-11-22T10:00:00Z").plus_days(PROPOSAL_DAYS),
            message: None,
            state: AssignmentState::Proposed,
        }
    }

    #[test]
    fn an_answer_after_the_time_is_refused_and_the_clock_can_expire_it() {
        let late = at("2026-11-29T10:00:00Z");
        assert_eq!(proposal().accept(late), Err(AssignmentError::ProposalExpired));
        assert!(proposal().expire(late.plus_minutes(-1)).is_err());
        assert_eq!(proposal().expire(late).expect("due").state_code(), AssignmentStateCode::Expired);
        assert!(proposal().accept(late.plus_minutes(-1)).expect("in time").is_open());
    }

    #[test]
    fn what_is_over_stays_over() {
        let now = at("2026-11-23T10:00:00Z");
        let declined = proposal().decline(DeclineReason::NoTime, now).expect("in time");
        assert!(declined.clone().accept(now).is_err());
        assert!(declined.end(AssignmentEndReason::Other, now).is_err());
        let ended = proposal().accept(now).expect("in time").end(AssignmentEndReason::ClientWish, now).expect("open");
        assert!(ended.end(AssignmentEndReason::Other, now).is_err());
    }
}
