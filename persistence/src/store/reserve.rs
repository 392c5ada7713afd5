//! Room on the disk that is kept for the audit trail.
//!
//! A read of a client's data is answered only when it is on record. When the disk fills up nothing can be put on record any more, and reads would end
//! with the writes. So a file of no use lies beside the database. When a commit finds no room, that file goes; what it leaves is for the trail alone:
//! writes are refused until there is room for the file again, and for more than that.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often a full disk is looked at again.
const PAUSE: Duration = Duration::from_secs(1);

/// What must be free beyond the reserve before writes are taken again: else the room that the reserve itself has left would do.
const MARGIN: u64 = 1024 * 1024;

/// Room without which not even one commit can be made.
const LEAST: u64 = 256 * 1024;

const BLOCK: usize = 64 * 1024;

/// The room kept beside one database.
pub(crate) struct Reserve {
    file: PathBuf,
    trial: PathBuf,
    size: u64,
    full: AtomicBool,
    /// When the disk was looked at last, in milliseconds since `begun`.
    tried: AtomicU64,
    begun: Instant,
}

impl Reserve {
    /// Makes the file if it is not there. Without room for it the disk counts as full from the start.
    pub fn prepare(database: &Path, size: u64) -> Self {
        let beside = |ending: &str| {
            let mut name = database.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let reserve = Self {
            file: beside("-reserve"),
            trial: beside("-room"),
            size,
            full: AtomicBool::new(false),
            tried: AtomicU64::new(0),
            begun: Instant::now(),
        };
        let is_there = std::fs::metadata(&reserve.file).is_ok_and(|metadata| metadata.len() == size);
        if size > 0 && !is_there && !reserve.put_back() {
            log::error!("the disk of the database is full: nothing is written until there is room again");
            reserve.mark_full();
        }
        reserve
    }

    /// Whether writes are to be refused at once. Now and then one is let through: the writer then looks at the disk again.
    pub fn refuses(&self) -> bool {
        self.is_full() && self.now().saturating_sub(self.tried.load(Ordering::Relaxed)) < PAUSE.as_millis().try_into().unwrap_or(u64::MAX)
    }

    /// Whether the disk was full when it was last looked at.
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// A commit found no room: frees the reserve. Says whether there was one, so that another try has a chance.
    pub fn release(&self) -> bool {
        if !self.is_full() {
            log::error!("the disk of the database is full: writes are refused until there is room again; reads go on");
        }
        self.mark_full();
        self.size > 0 && std::fs::remove_file(&self.file).is_ok()
    }

    /// Looks whether there is room again, and if so keeps the reserve anew. Only for the thread that writes.
    pub fn try_restore(&self) -> bool {
        if self.refuses() {
            return false;
        }
        self.tried.store(self.now(), Ordering::Relaxed);
        let has_room = write_out(&self.trial, self.size + MARGIN).is_ok();
        remove(&self.trial);
        if has_room && (self.size == 0 || self.put_back()) {
            self.full.store(false, Ordering::Relaxed);
            log::warn!("there is room on the disk of the database again: writes are taken");
        }
        !self.is_full()
    }

    /// Whether there is no room for even one commit. Some calls of the system tell of a full disk only as a failure.
    pub fn has_no_room(&self) -> bool {
        let found = write_out(&self.trial, LEAST).is_err_and(|error| error.kind() == std::io::ErrorKind::StorageFull);
        remove(&self.trial);
        found
    }

    fn put_back(&self) -> bool {
        let written = write_out(&self.file, self.size);
        if let Err(error) = &written {
            log::warn!("no room is kept for the audit trail: {error}");
            remove(&self.file);
        }
        written.is_ok()
    }

    fn mark_full(&self) {
        self.tried.store(self.now(), Ordering::Relaxed);
        self.full.store(true, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX)
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        log::warn!("a file beside the database cannot be removed: {error}");
    }
}

/// Takes up room for certain: no holes, and nothing that a file system could pack.
fn write_out(path: &Path, size: u64) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let mut block = vec![0_u8; BLOCK];
    let mut left = size;
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        // Without randomness the file can be packed, which few file systems do.
        let _ = getrandom::fill(&mut block);
        file.write_all(block.get(..part).unwrap_or_default())?;
        left -= part as u64;
    }
    // Some file systems find out only now that there is no room.
    file.sync_data()
}
