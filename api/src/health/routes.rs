//! Probes for whoever runs the server. They say nothing about versions or data.

use actix_web::get;
use actix_web::web::Data;
use lahete_persistence::SchemaState;

use super::wire::HealthView;
use crate::error::AppError;
use crate::http::answer::Answer;
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::state::AppState;

/// Registers the routes.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(health_live).service(health_ready).service(health_started);
}

fn ok() -> Answer {
    Answer::ok(&HealthView { status: "ok" })
}

/// Is the server alive?
///
/// Answers as long as the program runs, whatever the database does. When it does not, restart the program.
#[utoipa::path(tag = "health", security(()), responses((status = 200, description = "Alive", body = HealthView)))]
#[get("/livez")]
pub async fn health_live() -> Answer {
    ok()
}

/// Is the server ready for work?
///
/// 503 while the database cannot be reached, while its disk is full, while its schema is not the one that the program was written for, and when the
/// server is about to stop.
#[utoipa::path(tag = "health", security(()), responses((status = 200, description = "Ready", body = HealthView)))]
#[get("/readyz")]
pub async fn health_ready(state: Data<AppState>) -> Result<Answer, Problem> {
    if state.is_draining() {
        return Err(AppError::Unavailable.into());
    }
    match state.store.schema_state().await? {
        SchemaState::Current if state.store.has_room().await => Ok(ok()),
        _ => Err(AppError::Unavailable.into()),
    }
}

/// Has the server started?
///
/// 503 until the database schema is the one that the program was written for.
#[utoipa::path(tag = "health", security(()), responses((status = 200, description = "Started", body = HealthView)))]
#[get("/startupz")]
pub async fn health_started(state: Data<AppState>) -> Result<Answer, Problem> {
    match state.store.schema_state().await? {
        SchemaState::Current => Ok(ok()),
        SchemaState::Behind | SchemaState::TooNew(_) => Err(AppError::Unavailable.into()),
    }
}
