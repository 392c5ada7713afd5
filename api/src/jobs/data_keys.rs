//! Looks which data keys the database has seen, so that a change of keys finds all servers ready.

use std::sync::Arc;

use actix_web::rt::task::JoinHandle;
use actix_web::rt::time::interval;
use lahete_domain::time::Clock;
use lahete_persistence::{KEYS_LOOK_EVERY, Store};
use tokio::time::MissedTickBehavior;

/// Looks for as long as the program runs. A failed look is logged; the next one does its work.
pub fn spawn(store: Store, clock: Arc<dyn Clock>) -> JoinHandle<()> {
    actix_web::rt::spawn(async move {
        let mut ticks = interval(KEYS_LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = store.look_at_keys(clock.now()).await {
                log::warn!("the data keys could not be looked at: {error}");
            }
        }
    })
}
