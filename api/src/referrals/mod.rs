//! Referrals: writing, sending, the coordinator's decisions, the timeline, closing.
//!
//! [`case`] is where every room that works on a case comes in: it asks the access policy, and it alone writes what a transition has changed.

pub mod case;
mod cases;
mod routes;
pub mod wire;

pub use cases::{NewReferral, add_consent, create, create_sent, list_seen, submit};
pub use routes::configure;
