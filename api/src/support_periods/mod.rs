//! Support periods: the fixed-term work of client and link worker, from the first visit to the end.

pub(crate) mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
