//! The names by which users and machines are known at other issuers.

mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
