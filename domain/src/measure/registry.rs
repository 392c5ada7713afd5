//! What a programme adds to the shipped instruments: instruments of its own and newer versions, words, and the decision to ask single persons.

use super::definition::{Definition, InstrumentKey};
use crate::ids::{IndividualUseId, MeasureInstrumentId, MeasureTextId, ProgrammeId, UserId};
use crate::time::Instant;

/// The highest version of an instrument.
pub const VERSION_MAX: u16 = 32_767;

/// A version of an instrument that a programme has added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddedInstrument {
    /// Its id.
    pub id: MeasureInstrumentId,
    /// The programme in which it holds.
    pub programme: ProgrammeId,
    /// What it is.
    pub definition: Definition,
    /// When it was added.
    pub added_at: Instant,
    /// By whom.
    pub added_by: UserId,
}

/// The words of an instrument in one language, loaded by whoever holds the licence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemTexts {
    /// Its id.
    pub id: MeasureTextId,
    /// The programme for which they were loaded.
    pub programme: ProgrammeId,
    /// The instrument.
    pub instrument: InstrumentKey,
    /// The version that they are the words of.
    pub version: u16,
    /// The language, a BCP 47 tag.
    pub language: String,
    /// Key and words of each item, in the order of the items.
    pub items: Vec<(String, String)>,
    /// What the answers are called, each with its number.
    pub answer_labels: Vec<(u8, String)>,
    /// The licence under which they may be shown.
    pub licence_ref: String,
    /// Where the words come from.
    pub text_source: String,
    /// When they were loaded.
    pub loaded_at: Instant,
    /// By whom.
    pub loaded_by: UserId,
}

/// The words do not fit the instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TextsError {
    /// Not one text for each item, in the order of the items.
    #[error("there is one text for each item of the instrument, in their order")]
    Items,
    /// A label for an answer that is not on the scale, or two for one.
    #[error("each answer of the scale has at most one label")]
    Labels,
}

/// Why a decision about asking single persons is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IndividualUseError {
    /// The instrument is not meant for groups alone.
    #[error("Single persons may be asked with this instrument anyway.")]
    Free,
    /// It was decided before.
    #[error("Single persons are asked with this instrument already.")]
    Begun,
    /// There is nothing to end.
    #[error("Single persons are not asked with this instrument.")]
    NotBegun,
}

/// Whether an instrument is one about which it is decided whether single persons are asked.
///
/// # Errors
/// When it is not meant for groups alone.
pub fn expect_for_groups(definition: &Definition) -> Result<(), IndividualUseError> {
    if definition.group_only { Ok(()) } else { Err(IndividualUseError::Free) }
}

/// Whether words fit the instrument.
///
/// # Errors
/// When they do not.
pub fn expect_fitting(definition: &Definition, items: &[(String, String)], labels: &[(u8, String)]) -> Result<(), TextsError> {
    if !items.iter().map(|(key, _)| key).eq(definition.items.iter().map(|item| &item.key)) {
        return Err(TextsError::Items);
    }
    let on_scale = |answer: u8| (i32::from(definition.answer_min)..=i32::from(definition.answer_max)).contains(&i32::from(answer));
    let again = |place: usize, answer: u8| labels.iter().take(place).any(|(other, _)| *other == answer);
    if labels.iter().enumerate().any(|(place, (answer, _))| !on_scale(*answer) || again(place, *answer)) {
        return Err(TextsError::Labels);
    }
    Ok(())
}

/// The time in which a programme asks single persons with an instrument that is meant for groups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndividualUse {
    /// Its id.
    pub id: IndividualUseId,
    /// The programme.
    pub programme: ProgrammeId,
    /// The instrument.
    pub instrument: InstrumentKey,
    /// Why.
    pub reason: String,
    /// Since when.
    pub begun_at: Instant,
    /// Who decided it.
    pub begun_by: UserId,
    /// When, by whom and why it ended.
    pub ended: Option<(Instant, UserId, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::Instrument;
    use crate::measure::shipped::shipped;

    #[test]
    fn words_go_item_by_item() {
        let ucla3 = shipped(Instrument::Ucla3);
        let items = |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), "?".to_owned())).collect::<Vec<_>>();
        let all = items(&["companionship", "left_out", "isolated"]);
        let label = |answer: u8| (answer, "!".to_owned());
        assert_eq!(expect_fitting(&ucla3, &all, &[label(1), label(2), label(3)]), Ok(()));
        assert_eq!(expect_fitting(&ucla3, &all, &[]), Ok(()));
        assert_eq!(expect_fitting(&ucla3, &all[..2], &[]), Err(TextsError::Items));
        assert_eq!(expect_fitting(&ucla3, &items(&["left_out", "companionship", "isolated"]), &[]), Err(TextsError::Items));
        assert_eq!(expect_fitting(&ucla3, &all, &[label(0)]), Err(TextsError::Labels));
        assert_eq!(expect_fitting(&ucla3, &all, &[label(2), label(2)]), Err(TextsError::Labels));
    }
}
