//! Legal holds: what keeps records from being erased, on request or when their time is over.

mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
