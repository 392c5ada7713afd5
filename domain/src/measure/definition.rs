//! What an instrument is, as data: its items, its scale, how a score comes of the answers, and what a change of it means. Those that are shipped
//! stand in [`super::shipped`]; others are added by whoever runs a programme. A version never changes: a correction is a new version, and every
//! answer keeps the version that it was scored with.

use std::collections::BTreeSet;

use crate::codes::{Code, Instrument, ScoreBand};

/// Most items of one instrument.
pub const ITEMS_MAX: usize = 50;
/// The highest answer that any item may have.
pub const ANSWER_MAX: u8 = 100;
/// Longest name of an instrument or an item, in characters.
pub const KEY_MAX: usize = 40;
/// Most bands of one instrument.
pub const BANDS_MAX: usize = 50;

/// How keys are written: small letters of ASCII, digits and underscores, a letter first.
fn is_key(text: &str) -> bool {
    (2..=KEY_MAX).contains(&text.len())
        && text.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The name of an instrument, `swemwbs`. Which there are is data: the shipped ones, and those that a programme has added.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InstrumentKey(String);

impl InstrumentKey {
    /// Takes a name of 2 to [`KEY_MAX`] characters; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_key(text).then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names this one of those that are shipped.
    #[must_use]
    pub fn is(&self, instrument: Instrument) -> bool {
        self.0 == instrument.as_str()
    }
}

impl From<Instrument> for InstrumentKey {
    fn from(instrument: Instrument) -> Self {
        Self(instrument.as_str().to_owned())
    }
}

impl std::fmt::Display for InstrumentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One question of an instrument, without its words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Its key.
    pub key: String,
    /// Whether it points the other way than the instrument: turned round before answers are added; where every item is a score of its own, the score
    /// stays and its direction is turned.
    pub reversed: bool,
}

impl Item {
    /// An item that points the way of the instrument.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self { key: key.to_owned(), reversed: false }
    }
}

/// Which way a score points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The higher, the better.
    HigherIsBetter,
    /// The lower, the better.
    LowerIsBetter,
    /// Neither is better.
    Neutral,
}

impl Direction {
    /// The other way round.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::HigherIsBetter => Self::LowerIsBetter,
            Self::LowerIsBetter => Self::HigherIsBetter,
            Self::Neutral => Self::Neutral,
        }
    }
}

/// How a score comes of the answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scoring {
    /// The sum.
    Sum,
    /// The sum times a whole number.
    SumTimes(u16),
    /// The sum looked up in a table that begins at the lowest possible sum; scores in hundredths.
    SumTable(Vec<i32>),
    /// The sum less `minus`, times `factor` hundredths.
    Linear {
        /// Taken off the sum.
        minus: i32,
        /// What a point of the rest is worth, in hundredths.
        factor: i32,
    },
    /// Every item is a score of its own; they are never summed.
    Separate,
    /// The one answer is the score.
    Single,
    /// Goal attainment scaling: the T-score over the goals of the support period; see [`super::goal_attainment`].
    GoalAttainment,
}

/// What becomes of answers with a gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MissingRule {
    /// They are not taken.
    Refused,
    /// They are kept, without a score.
    NoScore,
}

/// A range of scores with a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Band {
    /// The item whose score it is about; none for the score of the whole.
    pub item: Option<String>,
    /// The lowest score of it, in hundredths.
    pub from: i32,
    /// The highest score of it, in hundredths.
    pub until: i32,
    /// Its name.
    pub code: ScoreBand,
}

/// From where a change of the score means something, in hundredths of its unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thresholds {
    /// From here on a change is reliable.
    pub reliable: i32,
    /// Below it there is no change; between the two nobody can tell. The same as `reliable` when the instrument has one threshold.
    pub none_below: i32,
}

/// One version of an instrument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Definition {
    /// The instrument.
    pub key: InstrumentKey,
    /// Its version, from 1.
    pub version: u16,
    /// What it is called; none for the shipped ones, whose names are labels in six languages.
    pub title: Option<String>,
    /// Its items in the order of the answers; none for goal attainment, whose items are the client's goals.
    pub items: Vec<Item>,
    /// The lowest answer to an item.
    pub answer_min: i8,
    /// The highest answer to an item.
    pub answer_max: i8,
    /// Which way the score points.
    pub direction: Direction,
    /// How the score is made.
    pub scoring: Scoring,
    /// What becomes of answers with a gap.
    pub missing: MissingRule,
    /// What a change means; none where nobody has said.
    pub thresholds: Option<Thresholds>,
    /// Ranges with names.
    pub bands: Vec<Band>,
    /// The notice that must stand on every copy.
    pub notice: Option<String>,
    /// Under which terms it may be used.
    pub licence: Option<String>,
    /// How its results are to be cited.
    pub citation: Option<String>,
    /// Whether it is meant for groups alone. A programme that asks single persons with it has to decide so, for a reason.
    pub group_only: bool,
}

/// Why something is no instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DefinitionError {
    /// Too few or too many items for the scoring.
    #[error("the scoring does not go with this number of items")]
    Items,
    /// A key that is badly written or stands twice.
    #[error("every item has a key of its own: small letters, digits and underscores, a letter first")]
    ItemKey,
    /// An empty scale.
    #[error("the lowest answer lies below the highest")]
    Scale,
    /// A table that does not fit.
    #[error("the table has one score for each possible sum, and they rise")]
    Table,
    /// A factor out of range.
    #[error("the factor is out of range")]
    Factor,
    /// Thresholds in the wrong order.
    #[error("the thresholds lie above zero, the reliable one not below the other")]
    Thresholds,
    /// Bands that overlap, or of an item that is not there.
    #[error("bands do not overlap, and each is about the whole or an item")]
    Bands,
    /// Goal attainment is what the program knows, and not defined anew.
    #[error("goal attainment cannot be defined anew")]
    GoalAttainment,
}

impl Definition {
    /// The lowest and the highest possible sum.
    #[must_use]
    pub fn sums(&self) -> (i32, i32) {
        let count = i32::try_from(self.items.len()).unwrap_or(0);
        (count * i32::from(self.answer_min), count * i32::from(self.answer_max))
    }

    /// Whether a definition that somebody adds makes sense.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn check(&self) -> Result<(), DefinitionError> {
        if self.scoring == Scoring::GoalAttainment {
            return Err(DefinitionError::GoalAttainment);
        }
        let single = self.scoring == Scoring::Single;
        if self.items.is_empty() || self.items.len() > ITEMS_MAX || (single && self.items.len() != 1) {
            return Err(DefinitionError::Items);
        }
        let keys: BTreeSet<&str> = self.items.iter().map(|item| item.key.as_str()).collect();
        if keys.len() != self.items.len() || !keys.iter().all(|key| is_key(key)) {
            return Err(DefinitionError::ItemKey);
        }
        if self.answer_min < 0 || self.answer_min >= self.answer_max || u8::try_from(self.answer_max).is_ok_and(|max| max > ANSWER_MAX) {
            return Err(DefinitionError::Scale);
        }
        match &self.scoring {
            Scoring::SumTable(table) => {
                let (least, most) = self.sums();
                let fits = usize::try_from(most - least + 1).is_ok_and(|rows| rows == table.len());
                if !fits || !table.is_sorted_by(|one, next| one < next) {
                    return Err(DefinitionError::Table);
                }
            }
            Scoring::SumTimes(times) if !(1..=100).contains(times) => return Err(DefinitionError::Factor),
            Scoring::Linear { minus, factor } if !(-10_000..=10_000).contains(minus) || !(1..=10_000).contains(factor) => {
                return Err(DefinitionError::Factor);
            }
            _ => {}
        }
        if self.thresholds.is_some_and(|limits| limits.none_below <= 0 || limits.reliable < limits.none_below) {
            return Err(DefinitionError::Thresholds);
        }
        let overlap = |one: &Band, other: &Band| one.item == other.item && one.from <= other.until && other.from <= one.until;
        let known = |band: &Band| band.item.as_ref().is_none_or(|item| keys.contains(item.as_str()));
        let apart = |(place, band): (usize, &Band)| !self.bands.iter().skip(place + 1).any(|other| overlap(band, other));
        let good = |band: &Band| band.from <= band.until && known(band);
        if self.bands.len() > BANDS_MAX || !self.bands.iter().all(good) || !self.bands.iter().enumerate().all(apart) {
            return Err(DefinitionError::Bands);
        }
        Ok(())
    }

    /// The band that a score of an item, or of the whole, lies in.
    #[must_use]
    pub fn band(&self, item: Option<&str>, hundredths: i32) -> Option<ScoreBand> {
        let of = |band: &&Band| band.item.as_deref() == item && (band.from..=band.until).contains(&hundredths);
        self.bands.iter().find(of).map(|band| band.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::shipped::shipped;

    fn own() -> Definition {
        Definition {
            key: InstrumentKey::parse("pws").expect("a key"),
            items: vec![Item::new("satisfied"), Item { key: "worried".to_owned(), reversed: true }],
            answer_min: 0,
            answer_max: 3,
            ..shipped(Instrument::Who5)
        }
    }

    #[test]
    fn keys_are_plain() {
        for bad in ["", "a", "Swemwbs", "who-5", "5who", "_who", "päivä", &"a".repeat(41)] {
            assert_eq!(InstrumentKey::parse(bad), None, "{bad:?}");
        }
        assert!(InstrumentKey::parse("who5").is_some_and(|key| key.is(Instrument::Who5)));
    }

    #[test]
    fn what_makes_no_sense_is_no_instrument() {
        assert_eq!(own().check(), Ok(()));
        let refused = |change: &dyn Fn(&mut Definition)| {
            let mut definition = own();
            change(&mut definition);
            definition.check().expect_err("no instrument")
        };
        assert_eq!(refused(&|d| d.items.clear()), DefinitionError::Items);
        assert_eq!(refused(&|d| d.scoring = Scoring::Single), DefinitionError::Items);
        assert_eq!(refused(&|d| d.items[1].key = "satisfied".to_owned()), DefinitionError::ItemKey);
        assert_eq!(refused(&|d| d.answer_min = 3), DefinitionError::Scale);
        assert_eq!(refused(&|d| d.scoring = Scoring::SumTable(vec![0, 1, 2])), DefinitionError::Table);
        assert_eq!(refused(&|d| d.scoring = Scoring::SumTable(vec![0, 1, 2, 2, 3, 4, 5])), DefinitionError::Table);
        assert_eq!(refused(&|d| d.scoring = Scoring::SumTimes(0)), DefinitionError::Factor);
        assert_eq!(refused(&|d| d.scoring = Scoring::Linear { minus: 2, factor: 0 }), DefinitionError::Factor);
        assert_eq!(refused(&|d| d.thresholds = Some(Thresholds { reliable: 100, none_below: 200 })), DefinitionError::Thresholds);
        let band = |from, until| Band { item: None, from, until, code: ScoreBand::Low };
        assert_eq!(refused(&|d| d.bands = vec![band(0, 100), band(100, 200)]), DefinitionError::Bands);
        assert_eq!(refused(&|d| d.bands = vec![Band { item: Some("other".to_owned()), ..band(0, 100) }]), DefinitionError::Bands);
        assert_eq!(refused(&|d| d.scoring = Scoring::GoalAttainment), DefinitionError::GoalAttainment);
    }
}
