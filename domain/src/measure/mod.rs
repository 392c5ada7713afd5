//! Questionnaires: what was asked when and how, the score, or the coded reason why there is no answer. Item texts are copyright of others and
//! are never part of the program; only item keys and scoring are.

pub mod swemwbs;

use crate::codes::{AnswerMode, Instrument, MissingReason, Timepoint};

/// The keys of an instrument's items, in the order of the answers.
#[must_use]
pub fn item_keys(instrument: Instrument) -> &'static [&'static str] {
    match instrument {
        Instrument::Swemwbs => &["optimism", "usefulness", "relaxation", "problems", "clarity", "closeness", "decisions"],
        Instrument::Recommendation => &["willingness_to_recommend"],
    }
}

/// The lowest and highest answer of each item.
#[must_use]
pub fn answer_range(instrument: Instrument) -> (u8, u8) {
    match instrument {
        Instrument::Swemwbs => (1, 5),
        Instrument::Recommendation => (0, 10),
    }
}

/// The notice that must stand on every copy, if there is one.
#[must_use]
pub fn notice(instrument: Instrument) -> Option<&'static str> {
    match instrument {
        Instrument::Swemwbs => Some(
            "Short Warwick Edinburgh Mental Wellbeing Scale (SWEMWBS) © NHS Health Scotland, University of Warwick and University of \
             Edinburgh, 2008, all rights reserved.",
        ),
        Instrument::Recommendation => None,
    }
}

/// A score, exact: hundredths of the instrument's unit, so that no binary float is ever stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Score {
    /// The plain sum of the answers.
    pub raw: i32,
    /// The score to compare by, in hundredths.
    pub hundredths: i32,
}

/// What is wrong with a set of answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AnswersError {
    /// All items or none: a score of some of them is not defined.
    #[error("the instrument has {wanted} items")]
    Count {
        /// How many answers there must be.
        wanted: usize,
    },
    /// An answer off the scale.
    #[error("answers lie between {min} and {max}")]
    Range {
        /// Lowest answer.
        min: u8,
        /// Highest answer.
        max: u8,
    },
}

/// Scores a full set of answers.
///
/// # Errors
/// When an item is missing or an answer is off the scale.
pub fn score(instrument: Instrument, answers: &[u8]) -> Result<Score, AnswersError> {
    let wanted = item_keys(instrument).len();
    if answers.len() != wanted {
        return Err(AnswersError::Count { wanted });
    }
    let (min, max) = answer_range(instrument);
    if answers.iter().any(|answer| !(min..=max).contains(answer)) {
        return Err(AnswersError::Range { min, max });
    }
    let raw: i32 = answers.iter().copied().map(i32::from).sum();
    let hundredths = match instrument {
        Instrument::Swemwbs => swemwbs::metric_hundredths(raw).ok_or(AnswersError::Range { min, max })?,
        Instrument::Recommendation => raw * 100,
    };
    Ok(Score { raw, hundredths })
}

/// The answers to an instrument at a timepoint, or why there are none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Answered in full.
    Given {
        /// How it was answered.
        mode: AnswerMode,
        /// One for each item.
        answers: Vec<u8>,
        /// What they come to.
        score: Score,
    },
    /// Not answered.
    Missing(MissingReason),
}

impl Answer {
    /// Takes full answers.
    ///
    /// # Errors
    /// See [`score`].
    pub fn given(instrument: Instrument, mode: AnswerMode, answers: Vec<u8>) -> Result<Self, AnswersError> {
        let score = score(instrument, &answers)?;
        Ok(Self::Given { mode, answers, score })
    }

    /// The score, if it was answered.
    #[must_use]
    pub fn score(&self) -> Option<Score> {
        match self {
            Self::Given { score, .. } => Some(*score),
            Self::Missing(_) => None,
        }
    }
}

/// One questionnaire of one client at one timepoint of one support period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Measure {
    /// Its id.
    pub id: crate::ids::MeasureId,
    /// The support period that it belongs to.
    pub support_period: crate::ids::SupportPeriodId,
    /// Which questionnaire.
    pub instrument: Instrument,
    /// When in the work.
    pub timepoint: Timepoint,
    /// The answers or the reason why there are none.
    pub answer: Answer,
    /// When it was recorded.
    pub recorded_at: crate::time::Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swemwbs_oracles() {
        let metric = |answers: &[u8]| score(Instrument::Swemwbs, answers).map(|score| (score.raw, score.hundredths));
        assert_eq!(metric(&[3; 7]), Ok((21, 1925)));
        assert_eq!(metric(&[2, 3, 3, 2, 3, 2, 3]), Ok((18, 1743)));
        assert_eq!(metric(&[5; 7]), Ok((35, 3500)));
        assert_eq!(metric(&[5; 6]), Err(AnswersError::Count { wanted: 7 }));
        assert_eq!(metric(&[5, 5, 5, 5, 5, 5, 6]), Err(AnswersError::Range { min: 1, max: 5 }));
    }

    #[test]
    fn recommendation_is_nought_to_ten() {
        assert_eq!(score(Instrument::Recommendation, &[10]).map(|s| s.hundredths), Ok(1000));
        assert!(score(Instrument::Recommendation, &[11]).is_err());
        assert!(score(Instrument::Recommendation, &[]).is_err());
    }
}
