//! Who may do what, where and until when.

mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
