//! The instruments that come with the program: keys of the items, scale, scoring, notice. None with the words of its items, which are others' to give.

use super::definition::{Band, Definition, Direction, InstrumentKey, Item, MissingRule, Scoring, Thresholds};
use super::goal_attainment::{ATTAINED_MAX, ATTAINED_MIN};
use super::swemwbs;
use crate::codes::{Code as _, Instrument, ScoreBand};

fn items(keys: &[&str]) -> Vec<Item> {
    keys.iter().map(|key| Item::new(key)).collect()
}

/// What all have in common.
fn plain(instrument: Instrument, keys: &[&str], scale: (i8, i8), scoring: Scoring) -> Definition {
    Definition {
        key: InstrumentKey::from(instrument),
        version: 1,
        title: None,
        items: items(keys),
        answer_min: scale.0,
        answer_max: scale.1,
        direction: Direction::HigherIsBetter,
        scoring,
        missing: MissingRule::NoScore,
        thresholds: None,
        bands: Vec::new(),
        notice: None,
        licence: None,
        citation: None,
        group_only: false,
    }
}

fn text(words: &str) -> Option<String> {
    Some(words.to_owned())
}

/// Metric score by the table of Stewart-Brown et al. 2009; a change of 2.77 standard errors (2.87) is reliable, one below a standard error (1.03) is none
/// (Shah et al. 2018). Without all seven answers there is no score.
fn swemwbs() -> Definition {
    let keys = ["optimism", "usefulness", "relaxation", "problems", "clarity", "closeness", "decisions"];
    Definition {
        thresholds: Some(Thresholds { reliable: 287, none_below: 103 }),
        notice: text(
            "Short Warwick Edinburgh Mental Wellbeing Scale (SWEMWBS) © NHS Health Scotland, University of Warwick and University of \
             Edinburgh, 2008, all rights reserved.",
        ),
        licence: text("Free to use after registration with the University of Warwick; a commercial use needs a paid licence."),
        citation: text("Stewart-Brown et al. 2009, Health and Quality of Life Outcomes 7:15."),
        ..plain(Instrument::Swemwbs, &keys, (1, 5), Scoring::SumTable(swemwbs::METRIC.to_vec()))
    }
}

/// The four questions of the Office for National Statistics are four scores; anxiety points the other way. Bands as the office publishes them.
fn ons4() -> Definition {
    use ScoreBand::{High, Low, Medium, VeryHigh, VeryLow};
    let band = |item: &str, from: i32, until: i32, code| Band { item: text(item), from: from * 100, until: until * 100, code };
    let positive = ["satisfaction", "worthwhile", "happy_yesterday"];
    let mut bands: Vec<Band> = positive
        .iter()
        .flat_map(|item| [band(item, 0, 4, Low), band(item, 5, 6, Medium), band(item, 7, 8, High), band(item, 9, 10, VeryHigh)])
        .collect();
    let anxious = "anxious_yesterday";
    bands.extend([band(anxious, 0, 1, VeryLow), band(anxious, 2, 3, Low), band(anxious, 4, 5, Medium), band(anxious, 6, 10, High)]);
    let mut definition = plain(Instrument::Ons4, &positive, (0, 10), Scoring::Separate);
    definition.items.push(Item { key: anxious.to_owned(), reversed: true });
    Definition {
        bands,
        licence: text("Open Government Licence v3.0."),
        citation: text("Office for National Statistics (UK), personal well-being."),
        ..definition
    }
}

/// Three answers of 1 to 3, the higher the lonelier. There is no official threshold.
fn ucla3() -> Definition {
    Definition {
        direction: Direction::LowerIsBetter,
        citation: text("Hughes et al. 2004, Research on Aging 26(6)."),
        ..plain(Instrument::Ucla3, &["companionship", "left_out", "isolated"], (1, 3), Scoring::Sum)
    }
}

/// Five answers of 0 to 5, four times their sum; ten points of a hundred are a meaningful change.
fn who5() -> Definition {
    Definition {
        thresholds: Some(Thresholds { reliable: 1_000, none_below: 1_000 }),
        notice: text("WHO-5 Well-Being Index © World Health Organization, 1998."),
        citation: text("Topp et al. 2015, Psychotherapy and Psychosomatics 84(3)."),
        ..plain(Instrument::Who5, &["cheerful", "calm", "active", "rested", "interested"], (0, 5), Scoring::SumTimes(4))
    }
}

/// THL's experiences of social inclusion. The institute advises against using it with single persons, so it is locked to groups.
fn esis() -> Definition {
    let keys = [
        "statement_1",
        "statement_2",
        "statement_3",
        "statement_4",
        "statement_5",
        "statement_6",
        "statement_7",
        "statement_8",
        "statement_9",
        "statement_10",
    ];
    Definition {
        missing: MissingRule::Refused,
        licence: text("Finnish institute for health and welfare (THL): the official form only, its statements unchanged."),
        citation: text("Leemann et al. 2022, Experiences of Social Inclusion Scale (ESIS), THL."),
        group_only: true,
        ..plain(Instrument::Esis, &keys, (1, 5), Scoring::Linear { minus: 10, factor: 250 })
    }
}

/// The definition of a shipped instrument, version 1.
#[must_use]
pub fn shipped(instrument: Instrument) -> Definition {
    match instrument {
        Instrument::Swemwbs => swemwbs(),
        Instrument::Recommendation => {
            Definition { missing: MissingRule::Refused, ..plain(instrument, &["willingness_to_recommend"], (0, 10), Scoring::Single) }
        }
        Instrument::Ons4 => ons4(),
        Instrument::Ucla3 => ucla3(),
        Instrument::Who5 => who5(),
        Instrument::Esis => esis(),
        Instrument::Gas => Definition {
            missing: MissingRule::Refused,
            citation: text("Kiresuk and Sherman 1968, Community Mental Health Journal 4(6)."),
            ..plain(instrument, &[], (ATTAINED_MIN, ATTAINED_MAX), Scoring::GoalAttainment)
        },
    }
}

/// All shipped instruments, in the order of their code list.
#[must_use]
pub fn all_shipped() -> Vec<Definition> {
    Instrument::ALL.iter().copied().map(shipped).collect()
}

/// A shipped version of an instrument.
#[must_use]
pub fn find_shipped(name: &str, version: u16) -> Option<Definition> {
    Instrument::parse(name).map(shipped).filter(|definition| definition.version == version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::definition::DefinitionError;

    #[test]
    fn what_is_shipped_makes_sense() {
        for definition in all_shipped() {
            let known = if definition.scoring == Scoring::GoalAttainment { Err(DefinitionError::GoalAttainment) } else { Ok(()) };
            assert_eq!(definition.check(), known, "{}", definition.key);
        }
        let locked: Vec<_> = all_shipped().into_iter().filter(|definition| definition.group_only).map(|d| d.key.to_string()).collect();
        assert_eq!(locked, ["esis"]);
    }

    #[test]
    fn bands_of_the_four_questions() {
        let ons4 = shipped(Instrument::Ons4);
        let band = |item, points: i32| ons4.band(Some(item), points * 100).map(ScoreBand::as_str);
        let seen = |item| (0..=10).map(|points| band(item, points).expect("every answer has one")).collect::<Vec<_>>();
        let positive = ["low", "low", "low", "low", "low", "medium", "medium", "high", "high", "very_high", "very_high"];
        assert_eq!(seen("satisfaction"), positive);
        let anxious = ["very_low", "very_low", "low", "low", "medium", "medium", "high", "high", "high", "high", "high"];
        assert_eq!(seen("anxious_yesterday"), anxious);
        assert_eq!(ons4.band(None, 500), None);
    }
}
