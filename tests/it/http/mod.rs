//! Behaviour over HTTP, one file for each subject.

mod referrals;
mod sodankyla_2022;

pub use referrals::complete as complete_referral;
