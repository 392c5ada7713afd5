//! Who is calling: tokens, the keys that sign them, passwords of the demo accounts, and the limits against guessing.

pub mod assertion;
pub mod demo_accounts;
pub mod issuer_settings;
pub mod issuers;
pub mod key_cache;
pub mod key_set;
pub mod key_source;
pub mod keys;
pub mod password;
pub mod rate_limit;
pub mod revocations;
pub mod routes;
pub mod seen_tokens;
pub mod sign_in;
pub mod token;
pub mod wire;
