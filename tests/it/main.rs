//! One binary for everything that is tried from outside: over HTTP, against both databases, and against the project itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that cannot go on says so at once"
)]

mod architecture;
mod bench;
mod contract;
mod faults;
mod http;
mod migrations;
mod rules;
mod store;
mod support;
mod tour;
mod trust;
