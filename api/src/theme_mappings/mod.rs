//! Which classes and subjects of the national service directory belong to which themes. Coordinators keep it for their programme.

pub mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
