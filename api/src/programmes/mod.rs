//! Programmes: where the model is run, with which limits and fees.

mod cases;
mod routes;
pub mod wire;

pub use cases::reachable;
pub use routes::configure;
