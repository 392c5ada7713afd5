//! Who is calling: tokens, the keys that sign them, passwords of the demo accounts, and the limits against guessing.

pub mod demo_accounts;
pub mod issuers;
pub mod keys;
pub mod password;
pub mod rate_limit;
pub mod routes;
pub mod seen_tokens;
pub mod token;
pub mod wire;
