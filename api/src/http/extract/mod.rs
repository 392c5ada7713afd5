//! What handlers take from a request. Every fault becomes a problem; nothing of the framework's own texts gets out.

pub mod body;
pub mod idempotency_key;
pub mod if_match;
pub mod language;
pub mod paging;
pub mod path_id;
pub mod query;
pub mod schema;
pub mod valid_json;

pub use paging::{ListView, PageView, Paging};
pub use path_id::PathId;
pub use query::ValidQuery;
pub use valid_json::{MergePatch, ValidJson};
