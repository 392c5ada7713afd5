//! All rooms of the API, the one list from which both the routes and the API document are made.
//!
//! Where two patterns fit one path, the one with fewer parameters must be registered first.

use utoipa_actix_web::scope::scope;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers every room.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.configure(crate::auth::routes::configure);
    config.service(scope("/v1").configure(version_one));
    config.configure(crate::health::routes::configure);
}

/// The rooms below `/v1`, one line each.
fn version_one(config: &mut ServiceConfig<'_>) {
    // First what is asked for most: a path is held against the patterns one after the other.
    config.configure(crate::referrals::configure);
    config.configure(crate::code_lists::routes::configure);
    config.configure(crate::municipalities::routes::configure);
    config.configure(crate::programmes::configure);
    config.configure(crate::organisations::configure);
    config.configure(crate::users::configure);
    config.configure(crate::identities::configure);
    config.configure(crate::role_assignments::configure);
    config.configure(crate::api_clients::configure);
    config.configure(crate::api_client_keys::configure);
    config.configure(crate::audit_events::configure);
    config.configure(crate::measure_instruments::configure);
    config.configure(crate::public::configure);
    config.configure(crate::consents::configure);
    config.configure(crate::consent_texts::configure);
    config.configure(crate::clients::configure);
    config.configure(crate::restrictions::configure);
    config.configure(crate::data_requests::configure);
    config.configure(crate::legal_holds::configure);
    config.configure(crate::retention::configure);
    config.configure(crate::feedback::configure);
    config.configure(crate::me::configure);
    config.configure(crate::link_workers::configure);
    config.configure(crate::assignments::configure);
    config.configure(crate::activities::configure);
    config.configure(crate::activity_links::configure);
    config.configure(crate::activity_imports::configure);
    config.configure(crate::theme_mappings::configure);
    config.configure(crate::support_periods::configure);
    config.configure(crate::goals::configure);
    config.configure(crate::visits::configure);
    config.configure(crate::time_entries::configure);
    config.configure(crate::rates::configure);
    config.configure(crate::hour_sheets::configure);
    config.configure(crate::measures::configure);
    config.configure(crate::reports::configure);
    config.configure(crate::concerns::configure);
    config.configure(crate::concern_guidance::configure);
    config.configure(crate::absences::configure);
    config.configure(crate::mentoring_sessions::configure);
    config.configure(crate::programme_breaks::configure);
    config.configure(crate::handovers::configure);
}
