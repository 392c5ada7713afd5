//! Who has read and changed what about whom: the audit trail, for privacy officers.

mod cases;
pub mod checkpoint_file;
mod routes;
pub mod wire;

pub use routes::configure;
