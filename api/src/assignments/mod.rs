//! Assignments: a coordinator proposes a link worker, who accepts or declines; the end of the work together.
//!
//! Until the link worker has accepted, an assignment shows them nothing that names the client or leads to them.

pub mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
