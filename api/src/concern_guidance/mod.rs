//! Where each kind of concern is reported, by municipality; what national law says where nobody has said more.

mod cases;
mod national;
mod routes;
pub mod wire;

pub use routes::configure;
