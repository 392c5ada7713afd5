//! Which reads are under way, so that whoever takes access away can wait until those that had begun before are over.
//!
//! A read looks at the database as it was when it began, and may be answered a moment later. Without this, a link worker could be told about a client
//! just after the client has been told that nothing is shared any more. Nobody waits for reads that begin later: they see what has changed. It covers
//! the reads of this server; on PostgreSQL another server finishes its own within the deadline of the store.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// The reads under way, by the turn in which each of them has begun.
#[derive(Debug, Default)]
pub struct UnderWay {
    turns: Mutex<Turns>,
    ended: Notify,
}

#[derive(Debug, Default)]
struct Turns {
    present: u64,
    reading: BTreeMap<u64, usize>,
}

/// One read under way; it is over when this goes.
#[derive(Debug)]
#[must_use]
pub struct Reading<'a> {
    all: &'a UnderWay,
    turn: u64,
}

impl UnderWay {
    fn turns<T>(&self, work: impl FnOnce(&mut Turns) -> T) -> T {
        work(&mut self.turns.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A read begins.
    pub fn begin(&self) -> Reading<'_> {
        let turn = self.turns(|turns| {
            *turns.reading.entry(turns.present).or_default() += 1;
            turns.present
        });
        Reading { all: self, turn }
    }

    /// Waits until all reads are over that have begun before this was called.
    pub async fn passed(&self) {
        let last = self.turns(|turns| {
            let last = turns.present;
            turns.present += 1;
            last
        });
        loop {
            // Listening begins before looking: an end in between is not missed.
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if self.turns(|turns| turns.reading.first_key_value().is_none_or(|(turn, _)| *turn > last)) {
                return;
            }
            ended.await;
        }
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let last_of_turn = self.all.turns(|turns| {
            let left = turns.reading.get_mut(&self.turn).map(|count| {
                *count = count.saturating_sub(1);
                *count
            });
            if left == Some(0) {
                turns.reading.remove(&self.turn);
            }
            left == Some(0)
        });
        if last_of_turn {
            self.all.ended.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[actix_web::test]
    async fn whoever_shuts_waits_for_those_who_had_begun_and_for_nobody_else() {
        let all = UnderWay::default();
        assert!(all.passed().now_or_never().is_some(), "nobody reads");
        let (first, second) = (all.begin(), all.begin());
        let mut shut = Box::pin(all.passed());
        assert!((&mut shut).now_or_never().is_none(), "two had begun before");
        let later = all.begin();
        drop(first);
        assert!((&mut shut).now_or_never().is_none(), "one of them still reads");
        drop(second);
        assert!((&mut shut).now_or_never().is_some(), "the later one sees what has changed");
        let mut again = Box::pin(all.passed());
        assert!((&mut again).now_or_never().is_none());
        drop(later);
        again.await;
    }
}
