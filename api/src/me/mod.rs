//! What a signed-in person sees and does about themself: their roles, and as a client their referrals, plan, visits, consents, and who has read about them.

mod cases;
mod routes;
pub mod wire;

pub use routes::{MyProgrammeQuery, configure};
