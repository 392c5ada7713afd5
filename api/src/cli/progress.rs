//! How far a long command is: a bar on a terminal, otherwise a plain line now and then.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// How often a line is shown where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// How often the bar moves.
const BAR_EVERY: Duration = Duration::from_millis(100);

const WIDTH: u64 = 30;

/// Progress on standard error.
pub struct Shown {
    last: Option<Instant>,
    terminal: bool,
    /// Whether the present line is a bar, which the next thing to be shown has to end.
    open: bool,
}

impl Default for Shown {
    fn default() -> Self {
        Self { last: None, terminal: std::io::stderr().is_terminal(), open: false }
    }
}

impl Shown {
    /// A line, not too often.
    pub fn now_and_then(&mut self, line: impl FnOnce() -> String) {
        if self.last.is_none_or(|last| last.elapsed() >= LINE_EVERY) {
            self.last = Some(Instant::now());
            self.line(&line());
        }
    }

    /// A line in any case.
    pub fn line(&mut self, line: &str) {
        self.end();
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// A bar with words behind it; where there is no terminal, the words now and then.
    pub fn bar(&mut self, done: u64, of: u64, words: impl FnOnce() -> String) {
        if !self.terminal {
            return self.now_and_then(words);
        }
        if done < of && self.last.is_some_and(|last| last.elapsed() < BAR_EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        let full = done.min(of) * WIDTH / of.max(1);
        let bar: String = (0..WIDTH).map(|at| if at < full { '█' } else { '░' }).collect();
        let mut out = std::io::stderr();
        let _ = write!(out, "\r\u{1b}[K{bar} {}", words()).and_then(|()| out.flush());
        self.open = true;
    }

    /// Ends a bar.
    pub fn end(&mut self) {
        if std::mem::take(&mut self.open) {
            let _ = writeln!(std::io::stderr());
        }
    }
}
