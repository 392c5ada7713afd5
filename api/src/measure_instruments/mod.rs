//! The questionnaires that the program can score: keys of the items, the scale, the notice. No item texts, which are copyright of others.

mod routes;
pub mod wire;

pub use routes::configure;
