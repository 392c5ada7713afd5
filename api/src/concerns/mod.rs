//! Concerns: what must be, or may be, reported about a client; seen by its reporter, the coordinators and the privacy officer.

mod cases;
mod routes;
pub mod wire;

pub(crate) use cases::expect_still_seen;
pub use routes::configure;
