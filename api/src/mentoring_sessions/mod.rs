//! Meetings of link workers with their mentors.

mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
