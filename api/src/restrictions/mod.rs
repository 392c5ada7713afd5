//! Restriction (GDPR 18): for a time the data of a client are stored, and nothing else is done with them.

pub(crate) mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
