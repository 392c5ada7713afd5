//! Breaks of a programme, and what they hold up.

pub(crate) mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
