//! The closed lists of codes with their labels, for the choices of a form and the captions of an answer.

pub mod labels;
pub mod routes;
pub mod wire;
