//! Checking the whole audit trail on all cores: one connection reads, and the other threads hash what it has read.

use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::db::Db;
use crate::error::StoreError;
use crate::repo::trail::{Anchor, Checked, Part, TrailKey, VerifyReport};

/// Parts that may wait to be hashed: reading must not run ahead into memory.
const WAITING: usize = 8;

pub(crate) fn verify(
    db: &mut Db<'_>,
    anchors: &[Anchor],
    key: Option<&dyn TrailKey>,
    progress: &mut dyn FnMut(u64),
) -> Result<VerifyReport, StoreError> {
    let expected = db.trail_expected(anchors)?;
    let checked: Mutex<Vec<(usize, Checked)>> = Mutex::new(Vec::new());
    let (send, receive) = sync_channel::<(usize, Part)>(WAITING);
    let receive = Mutex::new(receive);
    let unreadable = std::thread::scope(|scope| {
        let hands = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, 8);
        for _ in 0..hands {
            scope.spawn(|| {
                loop {
                    // The lock is let go of before the part is hashed.
                    let next = receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((number, part)) = next else { return };
                    let part = expected.check(part);
                    checked.lock().unwrap_or_else(PoisonError::into_inner).push((number, part));
                }
            });
        }
        let (mut number, mut events) = (0, 0);
        let read = db.trail_read(Uuid::nil(), &mut |part| {
            events += part.len();
            // The threads live for as long as this end does.
            send.send((number, part)).map_err(|_| StoreError::Unavailable)?;
            number += 1;
            progress(events);
            Ok(())
        });
        drop(send);
        read
    })?;
    let mut parts = checked.into_inner().unwrap_or_else(PoisonError::into_inner);
    parts.sort_unstable_by_key(|(number, _)| *number);
    Ok(expected.conclude(parts.into_iter().map(|(_, part)| part).collect(), unreadable, key))
}
