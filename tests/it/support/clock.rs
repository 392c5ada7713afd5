//! A clock that the test moves.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use lahete_domain::time::{Clock, Instant};

/// Stands still until it is moved.
#[derive(Clone)]
pub struct TestClock(Arc<Mutex<Instant>>, Arc<AtomicBool>);

impl TestClock {
    pub fn at(text: &str) -> Self {
        Self(Arc::new(Mutex::new(instant(text))), Arc::default())
    }

    /// Moves it to an instant, `2026-11-22T10:00:00Z`.
    pub fn set(&self, text: &str) {
        *self.0.lock().unwrap() = instant(text);
    }

    /// Moves it to noon in Finland of a day, `2026-11-22`.
    pub fn set_day(&self, day: &str) {
        self.set(&format!("{day}T10:00:00Z"));
    }

    pub fn advance_minutes(&self, minutes: i64) {
        let mut now = self.0.lock().unwrap();
        *now = now.plus_minutes(minutes);
    }

    /// From now on whoever asks for the time panics, until it is mended: the way for a test into the middle of a handler.
    pub fn set_broken(&self, broken: bool) {
        self.1.store(broken, Ordering::SeqCst);
    }

    pub fn advance_days(&self, days: i64) {
        self.advance_minutes(days * 24 * 60);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        assert!(!self.1.load(Ordering::SeqCst), "the clock of {} is broken", crate::http::logs::CANARY);
        *self.0.lock().unwrap()
    }
}

pub fn instant(text: &str) -> Instant {
    Instant::new(text.parse().expect("an instant"))
}
