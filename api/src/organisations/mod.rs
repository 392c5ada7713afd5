//! Organisations that refer, employ link workers or arrange activities.

mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
