//! All open cases of a coordinator or a link worker pass to another one, in one call.

pub(crate) mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
