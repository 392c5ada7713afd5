//! Questionnaires: what was asked when and how, the score, or the coded reason why there is no answer. Item texts are copyright of others and
//! are never part of the program; only item keys and scoring are.

pub mod change;
pub mod definition;
pub mod goal_attainment;
pub mod group;
pub mod registry;
pub mod shipped;
pub mod swemwbs;

use std::collections::BTreeSet;

use crate::codes::{AnswerMode, MissingReason, Timepoint};
use definition::{Definition, InstrumentKey, MissingRule, Scoring};
use goal_attainment::{ATTAINED_MAX, ATTAINED_MIN, GOALS_MAX, GoalAnswer, WEIGHT_MAX};

/// A score, exact: hundredths of the instrument's unit, so that no binary float is ever stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Score {
    /// The plain sum of the answers, items that point the other way turned round; for goal attainment the weighted sum.
    pub raw: i32,
    /// The score to compare by, in hundredths.
    pub hundredths: i32,
}

/// What is wrong with a set of answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AnswersError {
    /// An answer for each item, or an open one.
    #[error("the instrument has {wanted} items")]
    Count {
        /// How many answers there must be.
        wanted: usize,
    },
    /// An answer off the scale.
    #[error("answers lie between {min} and {max}")]
    Range {
        /// Lowest answer.
        min: i8,
        /// Highest answer.
        max: i8,
    },
    /// A gap where none may be, or nothing but gaps.
    #[error("an answer is missing, and the instrument has no score without it")]
    Gap,
    /// Answers to items for goals, or the other way round.
    #[error("this instrument is answered {0}")]
    Form(&'static str),
    /// Goals that cannot be scored together.
    #[error("each goal stands once, with a weight of 1 to 100, and there are 1 to 20 of them")]
    Goals,
}

/// What was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answered {
    /// One for each item; none where the client gave no answer. Empty when the answers were erased and the score was kept.
    Items(Vec<Option<u8>>),
    /// How far each goal was reached.
    Goals(Vec<GoalAnswer>),
}

impl From<Vec<u8>> for Answered {
    /// Full answers to items.
    fn from(answers: Vec<u8>) -> Self {
        Self::Items(answers.into_iter().map(Some).collect())
    }
}

/// Scores answers. There is no score where every item is one of its own, or where an answer is missing that the score needs.
///
/// # Errors
/// When the answers do not fit the instrument.
pub fn score(definition: &Definition, answered: &Answered) -> Result<Option<Score>, AnswersError> {
    match answered {
        Answered::Goals(goals) => score_goals(definition, goals),
        Answered::Items(_) if definition.scoring == Scoring::GoalAttainment => Err(AnswersError::Form("by goals")),
        Answered::Items(answers) => score_items(definition, answers),
    }
}

fn score_goals(definition: &Definition, goals: &[GoalAnswer]) -> Result<Option<Score>, AnswersError> {
    if definition.scoring != Scoring::GoalAttainment {
        return Err(AnswersError::Form("by items"));
    }
    if goals.iter().any(|goal| !(ATTAINED_MIN..=ATTAINED_MAX).contains(&goal.attained)) {
        return Err(AnswersError::Range { min: ATTAINED_MIN, max: ATTAINED_MAX });
    }
    let different: BTreeSet<_> = goals.iter().map(|goal| goal.goal).collect();
    let weighed = goals.iter().all(|goal| (1..=WEIGHT_MAX).contains(&goal.weight));
    if goals.len() > GOALS_MAX || different.len() != goals.len() || !weighed {
        return Err(AnswersError::Goals);
    }
    let hundredths = goal_attainment::t_score(goals).ok_or(AnswersError::Goals)?;
    Ok(Some(Score { raw: goals.iter().map(|goal| i32::from(goal.weight) * i32::from(goal.attained)).sum(), hundredths }))
}

fn score_items(definition: &Definition, answers: &[Option<u8>]) -> Result<Option<Score>, AnswersError> {
    let wanted = definition.items.len();
    if answers.len() != wanted {
        return Err(AnswersError::Count { wanted });
    }
    let (min, max) = (definition.answer_min, definition.answer_max);
    let off = |answer: &u8| !(i32::from(min)..=i32::from(max)).contains(&i32::from(*answer));
    if answers.iter().flatten().any(off) {
        return Err(AnswersError::Range { min, max });
    }
    let gap = answers.iter().any(Option::is_none);
    if answers.iter().all(Option::is_none) || (gap && definition.missing == MissingRule::Refused) {
        return Err(AnswersError::Gap);
    }
    if gap || definition.scoring == Scoring::Separate {
        return Ok(None);
    }
    let ends = i32::from(min) + i32::from(max);
    let turned = definition.items.iter().zip(answers.iter().flatten());
    let raw: i32 = turned.map(|(item, answer)| if item.reversed { ends - i32::from(*answer) } else { i32::from(*answer) }).sum();
    let hundredths = match &definition.scoring {
        Scoring::Sum | Scoring::Single | Scoring::Separate | Scoring::GoalAttainment => raw * 100,
        Scoring::SumTimes(times) => raw * i32::from(*times) * 100,
        Scoring::SumTable(table) => {
            let row = usize::try_from(raw - definition.sums().0).ok();
            row.and_then(|row| table.get(row)).copied().ok_or(AnswersError::Range { min, max })?
        }
        Scoring::Linear { minus, factor } => (raw - minus) * factor,
    };
    Ok(Some(Score { raw, hundredths }))
}

/// The answers to an instrument at a timepoint, or why there are none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Answered.
    Given {
        /// How it was answered.
        mode: AnswerMode,
        /// The answers.
        answered: Answered,
        /// What they come to, if they come to one score.
        score: Option<Score>,
    },
    /// Not answered.
    Missing(MissingReason),
}

impl Answer {
    /// Takes answers.
    ///
    /// # Errors
    /// See [`score`].
    pub fn given(definition: &Definition, mode: AnswerMode, answered: Answered) -> Result<Self, AnswersError> {
        let score = score(definition, &answered)?;
        Ok(Self::Given { mode, answered, score })
    }

    /// The score, if it was answered and has one.
    #[must_use]
    pub fn score(&self) -> Option<Score> {
        match self {
            Self::Given { score, .. } => *score,
            Self::Missing(_) => None,
        }
    }

    /// Each item's answer as a score of its own, in hundredths.
    #[must_use]
    pub fn item_scores(&self) -> Vec<Option<i32>> {
        match self {
            Self::Given { answered: Answered::Items(answers), .. } => {
                answers.iter().map(|answer| answer.map(|points| i32::from(points) * 100)).collect()
            }
            Self::Given { .. } | Self::Missing(_) => Vec::new(),
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
    pub instrument: InstrumentKey,
    /// The version of it that scored the answers.
    pub version: u16,
    /// When in the work.
    pub timepoint: Timepoint,
    /// The answers or the reason why there are none.
    pub answer: Answer,
    /// When it was recorded.
    pub recorded_at: crate::time::Instant,
}

#[cfg(test)]
mod tests {
    use super::shipped::shipped;
    use super::*;
    use crate::codes::Instrument;
    use crate::ids::{GoalId, Id as _};

    fn scored(instrument: Instrument, answers: &[u8]) -> Result<Option<(i32, i32)>, AnswersError> {
        let answered = Answered::Items(answers.iter().copied().map(Some).collect());
        Ok(score(&shipped(instrument), &answered)?.map(|score| (score.raw, score.hundredths)))
    }

    #[test]
    fn swemwbs_oracles() {
        let metric = |answers: &[u8]| scored(Instrument::Swemwbs, answers);
        assert_eq!(metric(&[3; 7]), Ok(Some((21, 1925))));
        assert_eq!(metric(&[2, 3, 3, 2, 3, 2, 3]), Ok(Some((18, 1743))));
        assert_eq!(metric(&[5; 7]), Ok(Some((35, 3500))));
        assert_eq!(metric(&[5; 6]), Err(AnswersError::Count { wanted: 7 }));
        assert_eq!(metric(&[5, 5, 5, 5, 5, 5, 6]), Err(AnswersError::Range { min: 1, max: 5 }));
        for raw in 7..=35_i32 {
            let more = usize::try_from(raw - 7).expect("not below seven");
            let answers: Vec<u8> = (0..7).map(|item| 1 + u8::try_from((more + 6 - item) / 7).expect("small")).collect();
            assert_eq!(metric(&answers), Ok(swemwbs::metric_hundredths(raw).map(|score| (raw, score))), "{answers:?}");
        }
    }

    #[test]
    fn without_all_seven_there_is_no_score() {
        let mut answers = vec![Some(3); 7];
        answers[4] = None;
        assert_eq!(score(&shipped(Instrument::Swemwbs), &Answered::Items(answers)), Ok(None));
        assert_eq!(score(&shipped(Instrument::Swemwbs), &Answered::Items(vec![None; 7])), Err(AnswersError::Gap));
        assert_eq!(score(&shipped(Instrument::Recommendation), &Answered::Items(vec![None])), Err(AnswersError::Gap));
        let mut answers = vec![Some(3); 10];
        answers[9] = None;
        assert_eq!(score(&shipped(Instrument::Esis), &Answered::Items(answers)), Err(AnswersError::Gap));
    }

    #[test]
    fn recommendation_is_nought_to_ten() {
        assert_eq!(scored(Instrument::Recommendation, &[10]), Ok(Some((10, 1000))));
        assert!(scored(Instrument::Recommendation, &[11]).is_err());
        assert!(scored(Instrument::Recommendation, &[]).is_err());
    }

    #[test]
    fn the_others_score_as_they_should() {
        assert_eq!(scored(Instrument::Esis, &[1; 10]), Ok(Some((10, 0))));
        assert_eq!(scored(Instrument::Esis, &[3; 10]), Ok(Some((30, 5_000))));
        assert_eq!(scored(Instrument::Esis, &[5; 10]), Ok(Some((50, 10_000))));
        assert_eq!(scored(Instrument::Esis, &[4, 4, 4, 4, 4, 4, 4, 3, 3, 3]), Ok(Some((37, 6_750))));
        assert_eq!(scored(Instrument::Ons4, &[5, 6, 7, 8]), Ok(None), "four scores are never summed");
        assert_eq!(scored(Instrument::Ucla3, &[1, 2, 3]), Ok(Some((6, 600))));
        assert_eq!(scored(Instrument::Ucla3, &[0, 2, 3]), Err(AnswersError::Range { min: 1, max: 3 }));
        assert_eq!(scored(Instrument::Who5, &[5; 5]), Ok(Some((25, 10_000))));
        assert_eq!(scored(Instrument::Who5, &[3, 2, 3, 2, 2]), Ok(Some((12, 4_800))));
    }

    #[test]
    fn an_item_that_points_the_other_way_is_turned() {
        let mut definition = shipped(Instrument::Ucla3);
        definition.items[2].reversed = true;
        let answered = Answered::Items(vec![Some(3), Some(3), Some(1)]);
        assert_eq!(score(&definition, &answered).map(|score| score.map(|score| score.raw)), Ok(Some(9)));
    }

    #[test]
    fn goals_are_scored_by_goals() {
        let goal = |number: u128, attained, weight| GoalAnswer { goal: GoalId::from_uuid(uuid::Uuid::from_u128(number)), weight, attained };
        let gas = |goals: &[GoalAnswer]| score(&shipped(Instrument::Gas), &Answered::Goals(goals.to_vec()));
        assert_eq!(gas(&[goal(1, 2, 3), goal(2, -1, 1)]), Ok(Some(Score { raw: 5, hundredths: 6_456 })));
        assert_eq!(gas(&[goal(1, 2, 3), goal(1, -1, 1)]), Err(AnswersError::Goals));
        assert_eq!(gas(&[goal(1, 2, 0)]), Err(AnswersError::Goals));
        assert_eq!(gas(&[]), Err(AnswersError::Goals));
        assert_eq!(gas(&[goal(1, 3, 1)]), Err(AnswersError::Range { min: -2, max: 2 }));
        assert!(score(&shipped(Instrument::Gas), &Answered::Items(vec![Some(1)])).is_err());
        assert!(score(&shipped(Instrument::Who5), &Answered::Goals(vec![goal(1, 1, 1)])).is_err());
    }
}
