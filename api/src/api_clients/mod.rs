//! Machines that sign in: patient systems that push referrals.

mod cases;
mod routes;
pub mod secret;
pub mod wire;

pub use routes::configure;
