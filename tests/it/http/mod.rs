//! Behaviour over HTTP, one file for each subject.

mod bad_input;
pub mod cases;
mod journeys;
pub mod logs;
mod matrix;
mod plans;
mod referrals;
mod shell;
mod sign_in;
mod sodankyla_2022;
mod visibility;

pub use cases::anonymous_referral;
pub use referrals::complete as complete_referral;
