//! Mileage rates: what a kilometre is paid, from which day of travel on.

mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
