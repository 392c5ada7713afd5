//! Behaviour over HTTP, one file for each subject.

mod bad_input;
pub(crate) mod cases;
pub(crate) mod journeys;
pub mod logs;
pub(crate) mod matrix;
pub(crate) mod plans;
mod referrals;
mod shell;
mod sodankyla_2022;
mod visibility;

pub use referrals::complete as complete_referral;
