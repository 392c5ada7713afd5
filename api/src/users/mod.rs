//! People who sign in.

mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
