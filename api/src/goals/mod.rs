//! Goals: the client's own, in their words, with the steps towards them and what became of them.

pub(crate) mod cases;
mod routes;
pub mod wire;

pub use routes::configure;
