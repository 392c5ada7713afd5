//! Behaviour over HTTP, one file for each subject.

mod bad_input;
pub(crate) mod cases;
pub(crate) mod journeys;
pub mod logs;
pub(crate) mod matrix;
pub(crate) mod plans;
mod referrals;
mod shell;
mod sign_in;
mod sodankyla_2022;
mod visibility;

pub use cases::anonymous_referral;
pub use referrals::complete as complete_referral;

/// What the retention would do today.
pub fn dry_run(app: &crate::support::TestApp) {
    use lahete_api::jobs::retention::{Plan, run_all};
    use lahete_domain::time::Clock as _;
    let ids: std::sync::Arc<dyn lahete_domain::ids::IdSource> = std::sync::Arc::new(lahete_api::id_source::UuidV7);
    let now = app.clock.now();
    let plan = Plan { on: now.helsinki_date(), dry_run: true };
    crate::support::database::wait(run_all(&app.store, &ids, &trail_key(), plan, now, |_, _| {})).unwrap();
}

/// A key that signs beginnings of the trail.
pub fn trail_key() -> std::sync::Arc<dyn lahete_persistence::repo::trail::TrailKey> {
    let key = lahete_api::auth::keys::SigningKey::generate().unwrap();
    std::sync::Arc::new(lahete_api::audit_events::checkpoint_file::TrailKeys::of(&key))
}
