//! The open door: a referral from somebody who does not sign in, and its state behind a tracking code.

pub(crate) mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
