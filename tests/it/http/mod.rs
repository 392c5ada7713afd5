//! Behaviour over HTTP, one file for each subject.

mod bad_input;
mod cases;
mod matrix;
mod referrals;
mod sodankyla_2022;
mod visibility;
