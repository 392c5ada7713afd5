//! When link workers are away.

mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
