//! The rules of the wellbeing referral (hyvinvointilähete), as pure types and decisions.
//!
//! What lives here: the terms of the field, their closed code lists, the life cycle with its guards, the access policy, the arithmetic of hours,
//! money and scores. What must not: input and output, the clock, randomness, async, SQL, HTTP, the wire format. Time, ids and randomness
//! come in as arguments, so that every rule can be tried in a test without a server.

pub mod access;
pub mod activity;
pub mod activity_import;
pub mod actor;
pub mod assignment;
pub mod audit;
pub mod client;
pub mod codes;
pub mod concern;
pub mod consent;
pub mod data_request;
pub mod event;
pub mod feedback;
pub mod goal;
pub mod handover;
pub mod hour_sheet;
pub mod identity_code;
pub mod ids;
pub mod link_worker;
pub mod measure;
pub mod message;
pub mod mileage;
pub mod milestone;
pub mod money;
pub mod programme;
pub mod programme_break;
pub mod referral;
pub mod retention;
pub mod search;
pub mod statistics;
pub mod support_period;
pub mod text;
pub mod theme_mapping;
pub mod time;
pub mod time_entry;
pub mod user;
pub mod version;
pub mod visit;
