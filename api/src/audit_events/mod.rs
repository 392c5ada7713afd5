//! Who has read and changed what about whom: the audit trail, for privacy officers.

mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
