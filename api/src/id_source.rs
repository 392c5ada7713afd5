//! New ids. The only place that makes them.

use lahete_domain::ids::IdSource;
use uuid::Uuid;

/// UUID version 7: unique, and sorted by the time of making, which keeps index pages warm.
#[derive(Clone, Copy, Debug, Default)]
pub struct UuidV7;

impl IdSource for UuidV7 {
    #[expect(clippy::disallowed_methods, reason = "this is the source that everything else takes its ids from")]
    fn next_uuid(&self) -> Uuid {
        Uuid::now_v7()
    }
}
