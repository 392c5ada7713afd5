//! The questionnaires that answers can be recorded for, as data: keys of the items, the scale, the scoring, the notice. No item texts, which are copyright
//! of others: whoever holds the licence loads them for their programme. And what groups answered.

mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
