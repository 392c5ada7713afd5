//! The answers of the probes.

use serde::Serialize;
use utoipa::ToSchema;

/// The state of the server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"status": "ok"}))]
pub struct HealthView {
    /// Always `ok`: otherwise the answer is a problem.
    #[schema(max_length = 10)]
    pub status: &'static str,
}
