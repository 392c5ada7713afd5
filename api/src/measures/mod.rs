//! Measures: questionnaires answered at a timepoint of a support period, or the coded reason why not.

pub(crate) mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
