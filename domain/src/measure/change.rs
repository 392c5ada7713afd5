//! What has changed between two answers to the same questions.

use super::definition::{Definition, Direction, InstrumentKey, Scoring, Thresholds};
use super::{Answer, Measure};
use crate::codes::{ScoreChange, Timepoint};

/// The change of one score.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The instrument.
    pub instrument: InstrumentKey,
    /// The item, where every item is a score of its own.
    pub item: Option<String>,
    /// The version of the first answer.
    pub from_version: u16,
    /// The version of the second answer.
    pub to_version: u16,
    /// When the second was given; the first is always that of the start.
    pub to: Timepoint,
    /// The score at the start, in hundredths.
    pub start: i32,
    /// The later score, in hundredths.
    pub end: i32,
    /// What it means.
    pub judgement: ScoreChange,
}

impl Change {
    /// The later score less the first one, in hundredths; none when they were made by different versions.
    #[must_use]
    pub fn difference(&self) -> Option<i32> {
        (self.from_version == self.to_version).then(|| self.end - self.start)
    }
}

/// What a difference of two scores means.
#[must_use]
pub fn judge(difference: i32, direction: Direction, thresholds: Option<Thresholds>) -> ScoreChange {
    let better = match direction {
        Direction::HigherIsBetter => difference,
        Direction::LowerIsBetter => -difference,
        Direction::Neutral => return ScoreChange::NotDefined,
    };
    let Some(limits) = thresholds else { return ScoreChange::NotDefined };
    match better {
        _ if better.abs() < limits.none_below => ScoreChange::NoChange,
        _ if better.abs() < limits.reliable => ScoreChange::Uncertain,
        _ if better > 0 => ScoreChange::ReliableImprovement,
        _ => ScoreChange::ReliableDeterioration,
    }
}

/// The scores of an answer: of the whole, or of each item.
fn scores(definition: &Definition, answer: &Answer) -> Vec<(Option<String>, Direction, i32)> {
    if definition.scoring == Scoring::Separate {
        let turned = |reversed: bool| if reversed { definition.direction.turned() } else { definition.direction };
        let of = |(item, score): (&super::definition::Item, Option<i32>)| Some((Some(item.key.clone()), turned(item.reversed), score?));
        return definition.items.iter().zip(answer.item_scores()).filter_map(of).collect();
    }
    answer.score().map(|score| (None, definition.direction, score.hundredths)).into_iter().collect()
}

/// The changes of a support period from its start to its end and to the follow-up. Whoever was not asked or gave no full answer has none; `definition`
/// finds the version that an answer was scored with.
pub fn changes<'d>(measures: &[Measure], definition: impl Fn(&InstrumentKey, u16) -> Option<&'d Definition>) -> Vec<Change> {
    let mut found = Vec::new();
    for first in measures.iter().filter(|measure| measure.timepoint == Timepoint::Start) {
        let Some(meaning) = definition(&first.instrument, first.version) else { continue };
        for to in [Timepoint::End, Timepoint::FollowUp] {
            let same = |measure: &&Measure| measure.instrument == first.instrument && measure.timepoint == to;
            let Some(second) = measures.iter().find(same) else { continue };
            let Some(later) = definition(&second.instrument, second.version) else { continue };
            let ends = scores(later, &second.answer);
            for (item, direction, start) in scores(meaning, &first.answer) {
                let Some((_, _, end)) = ends.iter().find(|(other, ..)| *other == item) else { continue };
                let comparable = first.version == second.version;
                found.push(Change {
                    instrument: first.instrument.clone(),
                    item,
                    from_version: first.version,
                    to_version: second.version,
                    to,
                    start,
                    end: *end,
                    judgement: if comparable { judge(end - start, direction, meaning.thresholds) } else { ScoreChange::NotComparable },
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::{AnswerMode, Instrument, MissingReason};
    use crate::ids::{Id as _, MeasureId, SupportPeriodId};
    use crate::measure::Answered;
    use crate::measure::shipped::{all_shipped, shipped};
    use crate::time::Instant;

    fn measure(instrument: Instrument, timepoint: Timepoint, answers: &[u8]) -> Measure {
        let given = Answered::Items(answers.iter().copied().map(Some).collect());
        Measure {
            id: MeasureId::nil(),
            support_period: SupportPeriodId::nil(),
            instrument: instrument.into(),
            version: 1,
            timepoint,
            answer: Answer::given(&shipped(instrument), AnswerMode::Independently, given).expect("good answers"),
            recorded_at: Instant::new("2026-11-22T10:00:00Z".parse().expect("an instant")),
        }
    }

    fn seen(measures: &[Measure]) -> Vec<(Option<i32>, ScoreChange)> {
        let all = all_shipped();
        let find = |key: &InstrumentKey, version| all.iter().find(|d| d.key == *key && d.version == version);
        changes(measures, find).iter().map(|change| (change.difference(), change.judgement)).collect()
    }

    #[test]
    fn oracles_of_swemwbs() {
        let from = |start: &[u8], end: &[u8]| {
            seen(&[measure(Instrument::Swemwbs, Timepoint::Start, start), measure(Instrument::Swemwbs, Timepoint::End, end)])
        };
        // 17.43 to 20.73, and back; 19.25 to 19.98; 19.98 to 21.54.
        let (low, high) = ([2, 3, 3, 2, 3, 2, 3], [4, 4, 3, 3, 3, 3, 3]);
        assert_eq!(from(&low, &high), [(Some(330), ScoreChange::ReliableImprovement)]);
        assert_eq!(from(&high, &low), [(Some(-330), ScoreChange::ReliableDeterioration)]);
        assert_eq!(from(&[3; 7], &[4, 3, 3, 3, 3, 3, 3]), [(Some(73), ScoreChange::NoChange)]);
        assert_eq!(from(&[4, 3, 3, 3, 3, 3, 3], &[4, 4, 4, 3, 3, 3, 3]), [(Some(156), ScoreChange::Uncertain)]);
    }

    #[test]
    fn thresholds_count_from_their_own_value_and_lower_may_be_better() {
        let limits = Some(Thresholds { reliable: 287, none_below: 103 });
        let up = |difference| judge(difference, Direction::HigherIsBetter, limits);
        assert_eq!([102, 103, 286, 287].map(up), {
            use ScoreChange::{NoChange, ReliableImprovement, Uncertain};
            [NoChange, Uncertain, Uncertain, ReliableImprovement]
        });
        assert_eq!(judge(-287, Direction::LowerIsBetter, limits), ScoreChange::ReliableImprovement);
        assert_eq!(judge(-1_000, Direction::HigherIsBetter, shipped(Instrument::Who5).thresholds), ScoreChange::ReliableDeterioration);
        assert_eq!(judge(-800, Direction::HigherIsBetter, shipped(Instrument::Who5).thresholds), ScoreChange::NoChange);
        assert_eq!(judge(500, Direction::Neutral, limits), ScoreChange::NotDefined);
        assert_eq!(judge(500, Direction::LowerIsBetter, None), ScoreChange::NotDefined);
    }

    #[test]
    fn four_questions_are_four_changes_and_other_versions_are_none() {
        let mut pair =
            [measure(Instrument::Ons4, Timepoint::Start, &[3, 4, 5, 8]), measure(Instrument::Ons4, Timepoint::FollowUp, &[6, 4, 7, 2])];
        let none = ScoreChange::NotDefined;
        assert_eq!(seen(&pair), [(Some(300), none), (Some(0), none), (Some(200), none), (Some(-600), none)]);
        pair[1].answer = Answer::Missing(MissingReason::Declined);
        assert_eq!(seen(&pair), []);
        let pair = [measure(Instrument::Who5, Timepoint::Start, &[1; 5]), {
            let mut later = measure(Instrument::Who5, Timepoint::End, &[4; 5]);
            later.version = 2;
            later
        }];
        let one = shipped(Instrument::Who5);
        let two = Definition { version: 2, ..one.clone() };
        let found = changes(&pair, |_, version| Some(if version == 1 { &one } else { &two }));
        assert_eq!((found[0].difference(), found[0].judgement), (None, ScoreChange::NotComparable));
    }
}
