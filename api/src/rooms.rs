//! All rooms of the API, the one list from which both the routes and the API document are made.
//!
//! Where two patterns fit one path, the one with fewer parameters must be registered first.

use crate::http::registry::Registry;

/// Registers every room.
pub fn configure(registry: &mut Registry<'_>) {
    registry.configure(crate::auth::routes::configure);
    registry.scope("/v1", version_one);
    registry.configure(crate::health::routes::configure);
}

/// The rooms below `/v1`, one line each.
fn version_one(registry: &mut Registry<'_>) {
    // First what is asked for most: a path is held against the patterns one after the other.
    registry.configure(crate::referrals::configure);
    registry.configure(crate::code_lists::routes::configure);
    registry.configure(crate::municipalities::routes::configure);
    registry.configure(crate::programmes::configure);
    registry.configure(crate::organisations::configure);
    registry.configure(crate::users::configure);
    registry.configure(crate::identities::configure);
    registry.configure(crate::role_assignments::configure);
    registry.configure(crate::api_clients::configure);
    registry.configure(crate::api_client_keys::configure);
    registry.configure(crate::audit_events::configure);
    registry.configure(crate::measure_instruments::configure);
    registry.configure(crate::public::configure);
    registry.configure(crate::consents::configure);
    registry.configure(crate::consent_texts::configure);
    registry.configure(crate::clients::configure);
    registry.configure(crate::restrictions::configure);
    registry.configure(crate::data_requests::configure);
    registry.configure(crate::legal_holds::configure);
    registry.configure(crate::retention::configure);
    registry.configure(crate::feedback::configure);
    registry.configure(crate::me::configure);
    registry.configure(crate::link_workers::configure);
    registry.configure(crate::assignments::configure);
    registry.configure(crate::activities::configure);
    registry.configure(crate::activity_links::configure);
    registry.configure(crate::activity_imports::configure);
    registry.configure(crate::theme_mappings::configure);
    registry.configure(crate::support_periods::configure);
    registry.configure(crate::goals::configure);
    registry.configure(crate::visits::configure);
    registry.configure(crate::time_entries::configure);
    registry.configure(crate::rates::configure);
    registry.configure(crate::hour_sheets::configure);
    registry.configure(crate::measures::configure);
    registry.configure(crate::reports::configure);
    registry.configure(crate::concerns::configure);
    registry.configure(crate::concern_guidance::configure);
    registry.configure(crate::absences::configure);
    registry.configure(crate::mentoring_sessions::configure);
    registry.configure(crate::programme_breaks::configure);
    registry.configure(crate::handovers::configure);
}
