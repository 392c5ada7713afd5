//! What the store has done, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts since the store was opened.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct StoreStats { $($(#[$doc])* pub $name: u64,)* }

        #[derive(Default)]
        pub(crate) struct Counters { $(pub $name: AtomicU64,)* }

        impl Counters {
            pub fn snapshot(&self) -> StoreStats {
                StoreStats { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Reads asked for.
    reads,
    /// Writes asked for.
    writes,
    /// Writes and journal entries that were made durable: as many commits as there would be without groups.
    commits_requested,
    /// Commits that the database made for them; each is one sync.
    groups,
    /// The most that one commit has made durable.
    largest_group,
    /// Events added to the audit trail.
    journal_events,
    /// Calls that found the queue full or the store closed.
    refused,
    /// Calls that got no answer in time.
    expired,
    /// Closures that were run again.
    retries,
    /// Closures that panicked.
    panics,
}

impl Counters {
    pub fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// Counts one commit that made `jobs` calls and `events` durable.
    pub fn committed(&self, jobs: usize, events: usize) {
        let jobs = jobs as u64;
        Self::add(&self.commits_requested, jobs);
        Self::add(&self.groups, 1);
        Self::add(&self.journal_events, events as u64);
        self.largest_group.fetch_max(jobs, Ordering::Relaxed);
    }
}
