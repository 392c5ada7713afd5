//! What the clock does by itself. It never closes or rejects anything of a person: it only lets unanswered proposals lapse and deletes drafts that
//! nobody sent.

pub mod checkpoints;
pub mod data_keys;
pub mod expiries;
