//! The texts that clients consent to: each version word for word, in each language, for whoever asks somebody for their consent.

mod cases;
mod routes;
pub mod wire;

pub use cases::expect_known;
pub use routes::configure;
