//! Coordinators' time on referrals: written down, corrected, struck, and added up.

mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
