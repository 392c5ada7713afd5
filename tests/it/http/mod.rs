//! Behaviour over HTTP, one file for each subject.

mod bad_input;
mod cases;
mod journeys;
pub mod logs;
mod matrix;
mod plans;
mod referrals;
mod shell;
mod sign_in;
mod sodankyla_2022;
mod visibility;

pub use referrals::complete as complete_referral;
