//! Data requests: what a person asks about their data, by when it is due, what was decided, and what is given to them.

pub(crate) mod cases;
mod erasure;
pub(crate) mod package;
mod routes;
pub mod wire;

pub use routes::configure;
