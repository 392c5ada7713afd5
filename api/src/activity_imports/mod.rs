//! Imports of activities from the national service directory (Palvelutietovaranto): asked for over HTTP or at the command line, made in the background,
//! page by page. Each page is one transaction with the place where the import goes on, so that one that was broken off loses nothing and does nothing twice.

pub mod apply;
pub mod cases;
pub mod ptv;
mod routes;
pub mod run;
pub mod source;
pub mod wire;

pub use routes::configure;
