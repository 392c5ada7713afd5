//! The activity directory. Anybody can read it; the coordinators of a programme keep its entries.

pub mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
