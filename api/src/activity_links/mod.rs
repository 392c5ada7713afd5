//! Activity links: the activities that a client was guided to, and how far they have come with each.

pub mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
