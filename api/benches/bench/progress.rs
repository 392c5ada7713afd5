//! Where a long step stands, on standard error.

use std::cell::Cell;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// A step of known length.
pub struct Progress {
    what: &'static str,
    total: u64,
    shown: Cell<Instant>,
}

impl Progress {
    /// Begins a step.
    pub fn new(what: &'static str, total: u64) -> Self {
        Self { what, total, shown: Cell::new(Instant::now()) }
    }

    /// So much of it is done.
    pub fn at(&self, done: u64) {
        if self.shown.get().elapsed() < Duration::from_millis(500) {
            return;
        }
        self.shown.set(Instant::now());
        say(&format!("{} {:>3} % of {}", self.what, done * 100 / self.total.max(1), self.total));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        say("");
    }
}

/// Replaces the line of progress.
pub fn say(text: &str) {
    let _ = write!(std::io::stderr(), "\r\x1b[2K{text}");
    let _ = std::io::stderr().flush();
}
