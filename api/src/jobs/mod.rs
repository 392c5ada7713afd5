//! What the clock does by itself. It never closes or rejects anything of a person: it only lets unanswered proposals lapse, deletes drafts that
//! nobody sent, and takes out what has been kept long enough.

pub mod checkpoints;
pub mod data_keys;
pub mod expiries;
pub mod retention;
