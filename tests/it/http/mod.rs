//! Behaviour over HTTP, one file for each subject.

mod bad_input;
mod journeys;
pub mod logs;
mod referrals;
mod shell;
mod sodankyla_2022;
