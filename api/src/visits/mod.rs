//! Visits: planned, held, cancelled and not attended contacts of client and worker, under the month's hours.

pub(crate) mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
