//! Goals: the client's own, in their words, with the outcome by the client's own word.

use crate::codes::{GoalOutcome, OutcomeSource, Role};
use crate::ids::{GoalId, SupportPeriodId, UserId};
use crate::time::Instant;
use crate::version::Version;

/// The most steps of a goal.
pub const STEPS_MAX: usize = 20;

/// A step towards a goal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GoalStep {
    /// What is to be done, in words.
    pub words: String,
    /// Whether it was done.
    pub done: bool,
}

/// Who wrote down what became of a goal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Teller {
    /// The person; none when their account is gone.
    pub user: Option<UserId>,
    /// In which role.
    pub role: Role,
    /// When.
    pub at: Instant,
}

impl Teller {
    /// Whether it is the client's own hand, or what the client said to somebody.
    #[must_use]
    pub fn source(&self) -> OutcomeSource {
        if self.role == Role::Client { OutcomeSource::OwnWord } else { OutcomeSource::AsTold }
    }
}

/// What became of a goal, by the client's word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ToldOutcome {
    /// What.
    pub outcome: GoalOutcome,
    /// Who wrote it down; none for what was written down before that was kept.
    pub by: Option<Teller>,
}

/// A goal of a support period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Goal {
    /// Its id.
    pub id: GoalId,
    /// Its version.
    pub version: Version,
    /// The support period.
    pub support_period: SupportPeriodId,
    /// In the client's words, in any language.
    pub words: String,
    /// Steps towards it, in the order in which they are taken.
    pub steps: Vec<GoalStep>,
    /// What became of it.
    pub outcome: Option<ToldOutcome>,
    /// When it was written down.
    pub recorded_at: Instant,
}

/// Why a change of a goal is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GoalError {
    /// The client has said it themself: nobody says otherwise for them.
    #[error("the client has said themself what became of the goal, and alone can say otherwise")]
    ClientsOwnWord,
    /// There is no such step.
    #[error("the goal has {steps} steps")]
    NoSuchStep {
        /// How many there are.
        steps: usize,
    },
}

impl Goal {
    /// Says what became of it, or takes that back. Who says again what was said changes nothing.
    ///
    /// # Errors
    /// When the client has said it themself and somebody else would say otherwise.
    pub fn tell(mut self, outcome: Option<GoalOutcome>, by: Teller) -> Result<Self, GoalError> {
        if self.outcome.map(|told| told.outcome) == outcome {
            return Ok(self);
        }
        let own = self.outcome.and_then(|told| told.by).is_some_and(|teller| teller.source() == OutcomeSource::OwnWord);
        if own && by.source() != OutcomeSource::OwnWord {
            return Err(GoalError::ClientsOwnWord);
        }
        self.outcome = outcome.map(|outcome| ToldOutcome { outcome, by: Some(by) });
        Ok(self)
    }

    /// Marks one step as done, or as not done after all. Steps are counted from one.
    ///
    /// # Errors
    /// When there is no such step.
    pub fn mark_step(mut self, number: usize, done: bool) -> Result<Self, GoalError> {
        let steps = self.steps.len();
        let step = number.checked_sub(1).and_then(|index| self.steps.get_mut(index)).ok_or(GoalError::NoSuchStep { steps })?;
        step.done = done;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;

    fn by(role: Role) -> Teller {
        Teller {
            user: Some(UserId::from_uuid(uuid::Uuid::from_u128(7))),
            role,
            at: Instant::new("2026-11-22T10:00:00Z".parse().expect("an instant")),
        }
    }

    fn goal() -> Goal {
        let step = |words: &str| GoalStep { words: words.to_owned(), done: false };
        Goal {
            id: GoalId::from_uuid(uuid::Uuid::from_u128(1)),
            version: Version::FIRST,
            support_period: SupportPeriodId::from_uuid(uuid::Uuid::from_u128(2)),
            words: "To the club".to_owned(),
            steps: vec![step("Call"), step("Go")],
            outcome: None,
            recorded_at: by(Role::LinkWorker).at,
        }
    }

    #[test]
    fn the_clients_own_word_stands_against_everybody_elses() {
        let told = goal().tell(Some(GoalOutcome::Partly), by(Role::LinkWorker)).expect("as the client said");
        assert_eq!(told.outcome.and_then(|told| told.by).map(|by| by.source()), Some(OutcomeSource::AsTold));
        let own = told.tell(Some(GoalOutcome::Achieved), by(Role::Client)).expect("the client's own");
        assert_eq!(own.outcome.and_then(|told| told.by).map(|by| by.source()), Some(OutcomeSource::OwnWord));
        for role in [Role::LinkWorker, Role::Coordinator] {
            assert_eq!(own.clone().tell(Some(GoalOutcome::Not), by(role)), Err(GoalError::ClientsOwnWord));
            assert_eq!(own.clone().tell(None, by(role)), Err(GoalError::ClientsOwnWord));
            assert_eq!(own.clone().tell(Some(GoalOutcome::Achieved), by(role)), Ok(own.clone()), "the same again changes nothing");
        }
        assert_eq!(own.tell(None, by(Role::Client)).expect("taken back").outcome, None);
    }

    #[test]
    fn steps_are_done_one_by_one() {
        let after = goal().mark_step(2, true).expect("there");
        assert_eq!(after.steps.iter().map(|step| step.done).collect::<Vec<_>>(), [false, true]);
        let back = after.clone().mark_step(2, false).expect("there");
        assert_eq!(back, goal());
        for number in [0, 3] {
            assert_eq!(after.clone().mark_step(number, true), Err(GoalError::NoSuchStep { steps: 2 }));
        }
    }
}
