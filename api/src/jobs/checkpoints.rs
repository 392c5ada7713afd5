//! Signs the audit trail now and then, outside the database.

use std::time::{Duration, Instant};

use actix_web::rt::task::JoinHandle;
use actix_web::rt::time::interval;
use actix_web::web::Data;
use tokio::time::MissedTickBehavior;

use crate::state::AppState;

/// How often the job looks whether it is time.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Adds a checkpoint when the time of the settings is over or so many events have come, for as long as the program runs. At the end the program adds
/// the last one itself.
pub fn spawn(state: Data<AppState>) -> JoinHandle<()> {
    actix_web::rt::spawn(async move {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut last, mut signed) = (Instant::now(), 0);
        loop {
            ticks.tick().await;
            let events = state.store.trail_events();
            let is_time = last.elapsed() >= state.config.audit_checkpoint_every;
            if !is_time && events - signed < state.config.audit_checkpoint_events {
                continue;
            }
            (last, signed) = (Instant::now(), events);
            let state = state.clone();
            // It waits for the disk. A failure is in the log; the next line tells of the same chains.
            let _ = actix_web::web::block(move || state.checkpoints.write(&state.store.trail_heads(), state.clock.now())).await;
        }
    })
}
