//! Behaviour over HTTP, one file for each subject.

mod journeys;
mod referrals;
mod sodankyla_2022;
