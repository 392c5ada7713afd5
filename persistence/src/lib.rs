//! The store: SQLite and PostgreSQL behind one set of queries.
//!
//! What lives here: connections, transactions, migrations, rows and queries. What must not: rules of the referral (`domain`), HTTP (`api`).
//! A use case calls [`Store::read`] or [`Store::write`] with a closure over one [`Db`]; the store runs it in a transaction on a thread of its
//! own, and answers a write only when it is durable. Nothing of diesel is visible outside.

mod among;
mod backup;
mod cipher;
mod connection;
mod constraint;
mod db;
mod error;
mod inspection;
mod migrations;
mod page;
pub mod repo;
mod schema;
mod spelled;
mod sql_types;
mod store;
mod url;

pub use backup::{BackupError, BackupReport, BackupStep, backup};
pub use cipher::{CipherError, KeySource, Keys, MasterKey};
pub use constraint::Constraint;
pub use db::Db;
pub use error::{DatabaseFault, StoreError};
#[doc(hidden)]
pub use inspection::Statements;
pub use migrations::SchemaState;
pub use page::{Cursor, Page, PageRequest};
pub use store::{
    Backend, KEYS_LOOK_EVERY, RotationOptions, RotationReport, RotationStep, Store, StoreOptions, StoreStats, Writing, still_needed,
};
pub use url::{DbUrl, DbUrlError, POSTGRES_TLS};
