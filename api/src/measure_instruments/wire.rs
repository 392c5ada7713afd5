//! Instruments as they stand in bodies.

use lahete_domain::codes::Instrument;
use lahete_domain::measure::{answer_range, item_keys, notice};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::wire::InstrumentCode;

/// Which way a score points.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = json!("higher_is_better"))]
pub enum ScoreDirection {
    /// The higher the score, the better it goes.
    HigherIsBetter,
}

/// A questionnaire that the program can score. Its texts come from whoever holds the licence.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "instrument": "swemwbs",
    "items": ["optimism", "usefulness", "relaxation", "problems", "clarity", "closeness", "decisions"],
    "answer_min": 1,
    "answer_max": 5,
    "direction": "higher_is_better",
    "notice": "Short Warwick Edinburgh Mental Wellbeing Scale (SWEMWBS) © NHS Health Scotland, University of Warwick and University of Edinburgh, 2008, all rights reserved."
}))]
pub struct MeasureInstrumentView {
    /// The instrument.
    pub instrument: InstrumentCode,
    /// The keys of its items, in the order of the answers.
    #[schema(max_items = 50)]
    pub items: Vec<&'static str>,
    /// The lowest answer to an item.
    pub answer_min: u8,
    /// The highest answer to an item.
    pub answer_max: u8,
    /// Which way its score points.
    pub direction: ScoreDirection,
    /// The notice that must stand on every copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub notice: Option<&'static str>,
}

impl From<Instrument> for MeasureInstrumentView {
    fn from(instrument: Instrument) -> Self {
        let (answer_min, answer_max) = answer_range(instrument);
        let direction = match instrument {
            Instrument::Swemwbs | Instrument::Recommendation => ScoreDirection::HigherIsBetter,
        };
        Self {
            instrument: instrument.into(),
            items: item_keys(instrument).to_vec(),
            answer_min,
            answer_max,
            direction,
            notice: notice(instrument),
        }
    }
}
