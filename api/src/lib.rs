//! The HTTP API of the wellbeing referral: the shell around all handlers ([`http`]), who is calling ([`auth`]), and one room for each resource.
//!
//! What lives here: parsing, rendering, use cases. What must not: rules of the referral (`domain`), SQL (`persistence`). The only place that knows a path is
//! the `routes.rs` of a room.

pub mod activities;
pub mod activity_links;
pub mod api_client_keys;
pub mod api_clients;
pub mod assignments;
pub mod audit_events;
pub mod auth;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod code_lists;
pub mod config;
pub mod consent_texts;
pub mod consents;
pub mod data_requests;
pub mod demo;
pub mod error;
pub mod first_admin;
pub mod fitness;
pub mod goals;
pub mod health;
pub mod hour_sheets;
pub mod http;
pub mod id_source;
pub mod identities;
pub mod jobs;
pub mod legal_holds;
pub mod link_workers;
pub mod me;
pub mod measure_instruments;
pub mod measures;
pub mod municipalities;
pub mod operation;
pub mod organisations;
pub mod programmes;
pub mod public;
pub mod rates;
pub mod referrals;
pub mod reports;
pub mod restrictions;
pub mod retention;
pub mod role_assignments;
pub mod rooms;
pub mod startup;
pub mod state;
pub mod support_periods;
pub mod time_entries;
pub mod under_way;
pub mod users;
pub mod visits;
