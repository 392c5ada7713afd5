//! What all tests stand on: a database of their own, a clock that they move, a server on a free port, and a world with people in it.

pub mod app;
pub mod clock;
pub mod database;
pub mod golden;
pub mod issuer;
pub mod long_form;
pub mod postgresql;
pub mod process;
pub mod ptv;
pub mod raw;
pub mod tokens;
pub mod wire;
pub mod world;

pub use app::{Reply, TestApp};
pub use database::Kind;

/// Runs one behaviour on SQLite and on PostgreSQL: a difference is a bug of ours.
macro_rules! on_both {
    ($(#[$attribute:meta])* fn $name:ident($app:ident: TestApp) $body:block) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn behaviour($app: $crate::support::TestApp) $body

            $(#[$attribute])*
            #[test]
            fn sqlite() {
                behaviour($crate::support::TestApp::start($crate::support::Kind::Sqlite));
            }

            $(#[$attribute])*
            #[test]
            fn postgresql() {
                behaviour($crate::support::TestApp::start($crate::support::Kind::Postgresql));
            }
        }
    };
}
pub(crate) use on_both;
