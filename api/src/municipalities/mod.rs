//! The municipalities of Finland, for the choices of a form.

pub mod register;
pub mod routes;
pub mod wire;
