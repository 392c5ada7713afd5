//! What people must be able to rely on.

mod data_requests;
mod erasure;
mod records;
mod restriction;
mod retention;
mod retention_command;
mod stored_answers;
