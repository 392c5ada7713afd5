//! Rows and queries, one room each. All of them are methods of [`crate::Db`].

pub mod audit;
pub mod api_clients;
pub mod idempotency;
pub mod organisations;
pub mod programmes;
pub mod role_assignments;
pub mod users;
pub mod clients;
pub mod consents;
pub mod events;
pub mod messages;
pub mod referrals;
pub mod activities;
pub mod activity_links;
pub mod assignments;
pub mod link_workers;
pub mod goals;
pub mod measures;
pub mod reports;
pub mod support_periods;
pub mod visits;

#[cfg(test)]
mod support_work_tests;
