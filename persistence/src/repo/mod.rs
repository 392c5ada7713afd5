//! Rows and queries, one room each. All of them are methods of [`crate::Db`].

pub mod activities;
pub mod activity_links;
pub mod api_clients;
pub mod assignments;
pub mod audit;
pub mod clients;
pub mod consents;
pub mod events;
pub mod goals;
pub mod idempotency;
pub mod link_workers;
pub mod measures;
pub mod messages;
pub mod organisations;
pub mod programmes;
pub mod referrals;
pub mod reports;
pub mod role_assignments;
pub mod support_periods;
pub mod users;
pub mod visits;

#[cfg(test)]
mod support_work_tests;
