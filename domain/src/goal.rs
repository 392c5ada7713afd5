//! Goals: the client's own, in their words, with the outcome by the client's own word.

use crate::codes::GoalOutcome;
use crate::ids::{GoalId, SupportPeriodId};
use crate::time::Instant;
use crate::version::Version;

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
    pub steps: Vec<String>,
    /// What became of it.
    pub outcome: Option<GoalOutcome>,
    /// When it was written down.
    pub recorded_at: Instant,
}
