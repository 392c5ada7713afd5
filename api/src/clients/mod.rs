//! Clients: the people whom referrals are about, their contact data, and who has read about them.

pub(crate) mod cases;
mod deeds;
mod routes;
pub mod wire;

pub use routes::configure;
