//! The rules of the wellbeing referral (hyvinvointilähete), as pure types and decisions.
//!
//! What lives here: the terms of the field, their closed code lists, the life cycle with its guards, the access policy, the arithmetic of hours,
//! money and scores. What must not: input and output, the clock, randomness, async, SQL, HTTP, the wire format. Time, ids and randomness
//! come in as arguments, so that every rule can be tried in a test without a server.

pub mod access;
pub mod actor;
pub mod audit;
pub mod codes;
pub mod ids;
pub mod time;
pub mod version;
