//! Link workers: the record, contracts, trainings, and how much room each has.

pub mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
