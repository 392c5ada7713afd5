//! The present, from the machine's clock. The only place that asks what time it is.

use chrono::Utc;
use lahete_domain::time::{Clock, Instant};

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is told the time by")]
    fn now(&self) -> Instant {
        Instant::new(Utc::now())
    }
}
