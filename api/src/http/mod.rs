//! What every request has in common: the shell around all handlers, the one form of error answers, the wire types, the API document.

pub mod answer;
pub mod content_tag;
pub mod docs;
pub mod examples;
pub mod extract;
pub mod facts;
pub mod openapi;
pub mod problem;
pub mod problem_catalogue;
pub mod problem_pages;
pub mod registry;
pub mod route_table;
pub mod shell;
pub mod wire;
pub mod wire_sets;
