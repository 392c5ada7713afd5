//! Hour sheets: the month of a link worker in hours, kilometres and euros, from the open sheet to the payment.

pub(crate) mod cases;
mod csv;
mod routes;
pub mod wire;

pub use routes::configure;
