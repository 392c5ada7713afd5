//! Answers of a group that met and filled in a questionnaire together: numbers without persons.

use chrono::NaiveDate;

use super::definition::{Definition, InstrumentKey};
use super::{Answered, AnswersError, score};
use crate::ids::{GroupAnswerId, ProgrammeId, UserId};
use crate::time::Instant;

/// Fewest people whose answers are a group's: below it somebody could be recognised, and a group of one is a single person by another name.
pub const GROUP_MIN: usize = 5;
/// Most people of one session.
pub const GROUP_MAX: usize = 200;

/// What a group answered on a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupAnswer {
    /// Its id.
    pub id: GroupAnswerId,
    /// The programme that held the session.
    pub programme: ProgrammeId,
    /// The instrument.
    pub instrument: InstrumentKey,
    /// The version that scored the answers.
    pub version: u16,
    /// The day of the session.
    pub held_on: NaiveDate,
    /// The answers, one set for each person, in an order that says nothing about who gave them.
    pub answers: Vec<Vec<Option<u8>>>,
    /// The scores of those who have one, in hundredths, rising.
    pub scores: Vec<i32>,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// By whom.
    pub recorded_by: UserId,
}

impl GroupAnswer {
    /// The sum of the scores and how many there are, from which a mean is made.
    #[must_use]
    pub fn total(&self) -> (i64, i64) {
        (self.scores.iter().copied().map(i64::from).sum(), i64::try_from(self.scores.len()).unwrap_or(i64::MAX))
    }
}

/// What is wrong with a group's answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GroupError {
    /// Too few or too many.
    #[error("a group has {GROUP_MIN} to {GROUP_MAX} answers")]
    Size,
    /// One of them does not fit.
    #[error("{error}")]
    Answers {
        /// Which, from 0.
        place: usize,
        /// What is wrong with it.
        error: AnswersError,
    },
}

impl GroupAnswer {
    /// Whether the group has met by a day: nobody answers ahead.
    #[must_use]
    pub fn was_held_by(&self, today: NaiveDate) -> bool {
        self.held_on <= today
    }
}

/// The answers of each one of a group, an empty place for a question that was left out; nobody knows whose they are.
pub type GroupSheets = Vec<Vec<Option<u8>>>;

/// Scores the answers of a group; gives them back sorted, with the scores.
///
/// # Errors
/// When there are too few, or one does not fit.
pub fn scored(definition: &Definition, mut answers: GroupSheets) -> Result<(GroupSheets, Vec<i32>), GroupError> {
    if !(GROUP_MIN..=GROUP_MAX).contains(&answers.len()) {
        return Err(GroupError::Size);
    }
    let mut scores = Vec::new();
    for (place, one) in answers.iter().enumerate() {
        let score = score(definition, &Answered::Items(one.clone())).map_err(|error| GroupError::Answers { place, error })?;
        scores.extend(score.map(|score| score.hundredths));
    }
    answers.sort_unstable();
    scores.sort_unstable();
    Ok((answers, scores))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::Instrument;
    use crate::measure::shipped::shipped;

    #[test]
    fn a_group_is_five_and_its_order_says_nothing() {
        let esis = shipped(Instrument::Esis);
        let of = |points: &[u8]| points.iter().map(|point| vec![Some(*point); 10]).collect::<Vec<_>>();
        assert_eq!(scored(&esis, of(&[5, 1, 3, 1])), Err(GroupError::Size));
        let (answers, scores) = scored(&esis, of(&[5, 1, 3, 1, 4])).expect("a group");
        assert_eq!(scores, [0, 0, 5_000, 7_500, 10_000]);
        assert_eq!(answers[4], vec![Some(5); 10]);
        let broken = scored(&esis, of(&[5, 1, 9, 1, 4]));
        assert_eq!(broken, Err(GroupError::Answers { place: 2, error: AnswersError::Range { min: 1, max: 5 } }));
    }
}
