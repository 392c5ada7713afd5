//! Feedback: what client, referrer and link worker say about a referral, and what a referrer who wants to hear back is told at its milestones.

pub(crate) mod cases;
mod milestones;
mod routes;
pub mod wire;

pub use routes::configure;
