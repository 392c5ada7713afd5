//! What a person asks about their data: access, rectification, erasure, restriction, objection, portability (GDPR 15 to 21).
//!
//! `received → in_progress → extended → fulfilled | refused | withdrawn`. An answer is due within a month of the receipt, which can be extended once by
//! two months with a reason that the person can read (GDPR 12(3)). Months are those of the calendar in Finland: what comes in on 31 January is due on
//! the last day of February. A weekend or a holiday does not move the day, so that the answer is never late.

use chrono::NaiveDate;

use crate::codes::{DataRequestKind, DataRequestStateCode, RefusalGround, Role};
use crate::ids::{ClientId, DataRequestId, ProgrammeId, UserId};
use crate::time::{Instant, plus_months};
use crate::version::Version;

/// Months in which an answer is due.
pub const ANSWER_MONTHS: u32 = 1;
/// Months by which that can be extended, once.
pub const EXTENSION_MONTHS: u32 = 2;

/// How a request ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decided {
    /// When.
    pub at: Instant,
    /// By whom; none when the client's sign-in is gone.
    pub by: Option<UserId>,
    /// On what ground it was refused.
    pub ground: Option<RefusalGround>,
    /// The decision in words that the person can read.
    pub words: Option<String>,
}

/// How the time for an answer was extended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extension {
    /// When.
    pub at: Instant,
    /// Why, in words that the person can read; gone with an erasure.
    pub reason: Option<String>,
}

/// A data request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataRequest {
    /// Its id.
    pub id: DataRequestId,
    /// Version of the row.
    pub version: Version,
    /// The controller's programme.
    pub programme: ProgrammeId,
    /// Whose data.
    pub client: ClientId,
    /// What is asked.
    pub kind: DataRequestKind,
    /// Where it stands.
    pub state: DataRequestStateCode,
    /// The person's own words.
    pub words: Option<String>,
    /// When it came.
    pub received_at: Instant,
    /// The day in Finland on which it came, from which the deadline counts.
    pub received_on: NaiveDate,
    /// The last day for the answer.
    pub due_on: NaiveDate,
    /// Who wrote it down.
    pub recorded_by: Option<UserId>,
    /// In which role.
    pub recorded_role: Role,
    /// Who has taken it on.
    pub handler: Option<UserId>,
    /// How the time was extended.
    pub extension: Option<Extension>,
    /// How it ended.
    pub decided: Option<Decided>,
}

/// Why a step of a data request is not possible.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DataRequestError {
    /// Not in this state.
    #[error("The request is {state}; that is not possible now.")]
    WrongState {
        /// The present one.
        state: DataRequestStateCode,
        /// What can be done in it.
        allowed: &'static [&'static str],
    },
    /// It came later than today, or too long ago.
    #[error("A request is recorded on the day of its receipt or later, and not after its deadline.")]
    ReceivedOutOfRange,
    /// The time was over before it was extended.
    #[error("The time for the answer was over on {due_on}: it can be extended only before.")]
    TooLateToExtend {
        /// The last day.
        due_on: NaiveDate,
    },
}

/// The last day for the answer to a request.
#[must_use]
pub fn due_on(received_on: NaiveDate, extended: bool) -> NaiveDate {
    plus_months(received_on, if extended { ANSWER_MONTHS + EXTENSION_MONTHS } else { ANSWER_MONTHS })
}

/// A new request, as far as whoever records it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewDataRequest {
    /// Its id.
    pub id: DataRequestId,
    /// The programme.
    pub programme: ProgrammeId,
    /// Whose data.
    pub client: ClientId,
    /// What is asked.
    pub kind: DataRequestKind,
    /// In the person's words.
    pub words: Option<String>,
    /// The day of receipt, when it lies before today: a letter counts from the day on which it came.
    pub received_on: Option<NaiveDate>,
    /// Who records it.
    pub recorded_by: Option<UserId>,
    /// In which role.
    pub recorded_role: Role,
}

impl DataRequest {
    /// Records a request.
    ///
    /// # Errors
    /// [`DataRequestError::ReceivedOutOfRange`] for a day of receipt that lies ahead, or so far back that the answer was due.
    pub fn receive(new: NewDataRequest, now: Instant) -> Result<Self, DataRequestError> {
        let today = now.helsinki_date();
        let received_on = new.received_on.unwrap_or(today);
        let due = due_on(received_on, false);
        if received_on > today || due < today {
            return Err(DataRequestError::ReceivedOutOfRange);
        }
        Ok(Self {
            id: new.id,
            version: Version::FIRST,
            programme: new.programme,
            client: new.client,
            kind: new.kind,
            state: DataRequestStateCode::Received,
            words: new.words,
            received_at: now,
            received_on,
            due_on: due,
            recorded_by: new.recorded_by,
            recorded_role: new.recorded_role,
            handler: None,
            extension: None,
            decided: None,
        })
    }

    /// Whether no decision was made yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.decided.is_none()
    }

    /// Whether the last day for the answer has gone by without one.
    #[must_use]
    pub fn is_overdue(&self, today: NaiveDate) -> bool {
        self.is_open() && self.due_on < today
    }

    /// The steps that are possible in a state, by their names in paths.
    #[must_use]
    pub fn allowed(state: DataRequestStateCode) -> &'static [&'static str] {
        use DataRequestStateCode as S;
        match state {
            S::Received => &["start", "extend", "refuse", "withdraw"],
            S::InProgress => &["extend", "fulfil", "refuse", "withdraw"],
            S::Extended => &["fulfil", "refuse", "withdraw"],
            S::Fulfilled | S::Refused | S::Withdrawn => &[],
        }
    }

    fn expect(&self, step: &str) -> Result<(), DataRequestError> {
        let allowed = Self::allowed(self.state);
        if allowed.contains(&step) { Ok(()) } else { Err(DataRequestError::WrongState { state: self.state, allowed }) }
    }

    /// Takes it on.
    ///
    /// # Errors
    /// [`DataRequestError::WrongState`].
    pub fn start(self, by: Option<UserId>) -> Result<Self, DataRequestError> {
        self.expect("start")?;
        Ok(Self { state: DataRequestStateCode::InProgress, handler: by, ..self })
    }

    /// Extends the time for the answer, once.
    ///
    /// # Errors
    /// [`DataRequestError::WrongState`], also after the first extension; [`DataRequestError::TooLateToExtend`] after the last day.
    pub fn extend(self, by: Option<UserId>, reason: String, now: Instant) -> Result<Self, DataRequestError> {
        self.expect("extend")?;
        if self.is_overdue(now.helsinki_date()) {
            return Err(DataRequestError::TooLateToExtend { due_on: self.due_on });
        }
        Ok(Self {
            state: DataRequestStateCode::Extended,
            due_on: due_on(self.received_on, true),
            handler: self.handler.or(by),
            extension: Some(Extension { at: now, reason: Some(reason) }),
            ..self
        })
    }

    fn decide(self, state: DataRequestStateCode, decided: Decided) -> Self {
        Self { state, decided: Some(decided), ..self }
    }

    /// Fulfils it. What that does is done beside it, in the same transaction.
    ///
    /// # Errors
    /// [`DataRequestError::WrongState`].
    pub fn fulfil(self, by: Option<UserId>, words: Option<String>, now: Instant) -> Result<Self, DataRequestError> {
        self.expect("fulfil")?;
        Ok(self.decide(DataRequestStateCode::Fulfilled, Decided { at: now, by, ground: None, words }))
    }

    /// Refuses it, with a ground and with words that the person can read.
    ///
    /// # Errors
    /// [`DataRequestError::WrongState`].
    pub fn refuse(self, by: Option<UserId>, ground: RefusalGround, words: String, now: Instant) -> Result<Self, DataRequestError> {
        self.expect("refuse")?;
        Ok(self.decide(DataRequestStateCode::Refused, Decided { at: now, by, ground: Some(ground), words: Some(words) }))
    }

    /// Takes it back.
    ///
    /// # Errors
    /// [`DataRequestError::WrongState`].
    pub fn withdraw(self, by: Option<UserId>, now: Instant) -> Result<Self, DataRequestError> {
        self.expect("withdraw")?;
        Ok(self.decide(DataRequestStateCode::Withdrawn, Decided { at: now, by, ground: None, words: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id as _;
    use uuid::Uuid;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn at(text: &str) -> Instant {
        Instant::new(text.parse().expect("an instant"))
    }

    fn request(now: &str) -> DataRequest {
        let id = Uuid::from_u128(1);
        DataRequest::receive(
            NewDataRequest {
                id: DataRequestId::from_uuid(id),
                programme: ProgrammeId::from_uuid(id),
                client: ClientId::from_uuid(id),
                kind: DataRequestKind::Access,
                words: None,
                received_on: None,
                recorded_by: None,
                recorded_role: Role::Client,
            },
            at(now),
        )
        .expect("a request")
    }

    #[test]
    fn the_deadline_is_a_month_of_the_calendar_in_finland() {
        for (received, due, extended) in [
            ("2027-01-31T10:00:00Z", "2027-02-28", "2027-04-30"),
            ("2028-01-31T10:00:00Z", "2028-02-29", "2028-04-30"),
            ("2028-02-29T10:00:00Z", "2028-03-29", "2028-05-29"),
            ("2026-11-30T10:00:00Z", "2026-12-30", "2027-02-28"),
            ("2026-11-30T22:00:00Z", "2027-01-01", "2027-03-01"),
            ("2026-06-30T20:59:59Z", "2026-07-30", "2026-09-30"),
            ("2026-06-30T21:00:00Z", "2026-08-01", "2026-10-01"),
        ] {
            let request = request(received);
            assert_eq!(request.due_on, day(due), "{received}");
            assert!(!request.is_overdue(day(due)));
            assert!(request.is_overdue(day(due).succ_opt().expect("a day")));
            let longer = request.extend(None, "Paljon aineistoa.".into(), at(received)).expect("extended");
            assert_eq!(longer.due_on, day(extended), "{received}");
            assert!(longer.extend(None, "Vielä.".into(), at(received)).is_err(), "once only");
        }
    }

    #[test]
    fn each_state_lets_through_the_steps_that_it_names() {
        use DataRequestStateCode as S;
        let now = at("2026-11-22T10:00:00Z");
        for state in [S::Received, S::InProgress, S::Extended, S::Fulfilled, S::Refused, S::Withdrawn] {
            let present = || DataRequest { state, ..request("2026-11-22T10:00:00Z") };
            let done = [
                ("start", present().start(None).map(|after| after.state), S::InProgress),
                ("extend", present().extend(None, "x".into(), now).map(|after| after.state), S::Extended),
                ("fulfil", present().fulfil(None, None, now).map(|after| after.state), S::Fulfilled),
                ("refuse", present().refuse(None, RefusalGround::LegalHold, "x".into(), now).map(|after| after.state), S::Refused),
                ("withdraw", present().withdraw(None, now).map(|after| after.state), S::Withdrawn),
            ];
            for (step, result, to) in done {
                match result {
                    Ok(after) => assert!(DataRequest::allowed(state).contains(&step) && after == to, "{state} {step}"),
                    Err(DataRequestError::WrongState { state: told, allowed }) => {
                        assert!(told == state && !allowed.contains(&step), "{state} {step}");
                    }
                    Err(other) => panic!("{state} {step}: {other}"),
                }
            }
        }
    }

    #[test]
    fn time_that_is_over_cannot_be_extended_and_the_future_not_recorded() {
        let late = request("2026-11-22T10:00:00Z").extend(None, "x".into(), at("2026-12-23T10:00:00Z"));
        assert_eq!(late, Err(DataRequestError::TooLateToExtend { due_on: day("2026-12-22") }));
        let new = |received_on: &str| NewDataRequest {
            id: DataRequestId::from_uuid(Uuid::nil()),
            programme: ProgrammeId::from_uuid(Uuid::nil()),
            client: ClientId::from_uuid(Uuid::nil()),
            kind: DataRequestKind::Erasure,
            words: None,
            received_on: Some(day(received_on)),
            recorded_by: None,
            recorded_role: Role::Coordinator,
        };
        let now = at("2026-11-22T10:00:00Z");
        assert_eq!(DataRequest::receive(new("2026-11-23"), now), Err(DataRequestError::ReceivedOutOfRange));
        assert_eq!(DataRequest::receive(new("2026-10-21"), now), Err(DataRequestError::ReceivedOutOfRange));
        assert_eq!(DataRequest::receive(new("2026-10-22"), now).map(|request| request.due_on), Ok(day("2026-11-22")));
    }
}
