//! Retention: how long records are kept, by dated policies of the controllers, and what each run has done.

mod cases;
pub mod report;
mod routes;
pub mod wire;

pub use routes::configure;
