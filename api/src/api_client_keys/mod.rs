//! The public keys by which machines prove who they are.

mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
