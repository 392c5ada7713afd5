//! Whether the server lives, has started, and is ready for work.

pub mod routes;
pub mod wire;
