//! Reports: statistics for those who decide about services, in which nobody can be recognised.

mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
