//! Consents: recording, verifying what a sender asserts, withdrawing at any time.

pub(crate) mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
