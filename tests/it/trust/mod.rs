//! Who may see what, when the caller is not one of those that everything was made for.

mod absent;
mod canaries;
mod consent_texts;
mod consents;
mod fields_write;
mod form;
mod non_disclosure;
mod own_visits;
mod reasons;
mod relations;
mod withdrawal;
