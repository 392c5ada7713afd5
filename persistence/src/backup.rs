//! A copy of a SQLite database that is in use.
//!
//! SQLite's own means of copying goes page by page. All pages are read in one transaction, so that the copy is the database of one moment, however
//! much is written meanwhile. The copy is made under another name, checked, put on the disk for good, and only then gets its name: a file of that name
//! is always whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::error::DatabaseFault;
use crate::url::DbUrl;

/// Pages copied before `progress` hears of it: a few MiB.
const PAGES_PER_STEP: i32 = 1024;

/// How long another process's lock is waited for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How far a copy is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BackupStep {
    /// Pages are being copied.
    Copied {
        /// So many are there.
        pages: u64,
        /// So many there will be.
        of: u64,
    },
    /// The copy is being checked.
    Checking,
}

/// What a copy holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackupReport {
    /// Its size in bytes.
    pub bytes: u64,
    /// The newest migration in it.
    pub schema: String,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Another database than SQLite.
    #[error("this copies SQLite databases; for PostgreSQL use its own tool: pg_dump --format=custom --file=FILE DATABASE (and pg_restore)")]
    NotSqlite,
    /// The name is taken.
    #[error("{0} exists already; name another file, or say --force to replace it")]
    Exists(String),
    /// There is nothing to copy.
    #[error("there is no database at {0}")]
    NoDatabase(String),
    /// The copy is not sound.
    #[error("the copy is not sound and was thrown away: {0}")]
    Unsound(String),
    /// What SQLite said.
    #[error("the database cannot be copied: {0}")]
    Database(DatabaseFault),
    /// What the system said.
    #[error("the copy cannot be written: {0}")]
    File(#[from] io::Error),
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(DatabaseFault::new(&error.to_string()))
    }
}

/// The half-made copy, which goes away when it is not finished.
struct Draft(PathBuf);

impl Draft {
    fn beside(target: &Path) -> io::Result<Self> {
        let mut name = OsString::from(target.as_os_str());
        name.push(format!(".part-{}", std::process::id()));
        let path = PathBuf::from(name);
        // Nobody else may read it, from the first byte on.
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self(path))
    }

    /// Gives it its name.
    fn publish(self, target: &Path, replace: bool) -> Result<(), BackupError> {
        File::open(&self.0)?.sync_all()?;
        if replace {
            fs::rename(&self.0, target)?;
        } else {
            // Unlike a renaming, this fails when somebody else has made a file of that name meanwhile.
            match fs::hard_link(&self.0, target) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(BackupError::Exists(target.display().to_string()));
                }
                // Not every file system has links.
                Err(_) => fs::rename(&self.0, target)?,
                Ok(()) => {}
            }
        }
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(File::open(folder)?.sync_all()?)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for ending in ["", "-journal", "-wal", "-shm"] {
            let mut name = OsString::from(self.0.as_os_str());
            name.push(ending);
            // After a renaming there is nothing left to remove.
            let _ = fs::remove_file(name);
        }
    }
}

/// Copies a database to `target`, which is only there when the copy is whole and sound. The thread is taken until it is.
///
/// # Errors
/// [`BackupError`]; then there is no new file.
pub fn backup(url: &DbUrl, target: &Path, replace: bool, mut progress: impl FnMut(BackupStep)) -> Result<BackupReport, BackupError> {
    let source = url.sqlite_path().ok_or(BackupError::NotSqlite)?;
    if !source.is_file() {
        return Err(BackupError::NoDatabase(source.display().to_string()));
    }
    if !replace && target.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(target.display().to_string()));
    }
    let draft = Draft::beside(target)?;
    let schema = copy(source, &draft.0, &mut progress)?;
    progress(BackupStep::Checking);
    check(&draft.0, &schema)?;
    let bytes = fs::metadata(&draft.0)?.len();
    draft.publish(target, replace)?;
    Ok(BackupReport { bytes, schema })
}

fn copy(source: &Path, draft: &Path, progress: &mut dyn FnMut(BackupStep)) -> Result<String, BackupError> {
    // To read a database with a log, SQLite must be able to write beside it; it is not asked to write into it.
    let from = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    from.busy_timeout(BUSY_TIMEOUT)?;
    from.execute_batch("PRAGMA query_only = ON; BEGIN")?;
    // The first read holds the moment; without it the copying would begin anew after each write of the server.
    let schema = newest_migration(&from)?;
    let mut to = Connection::open_with_flags(draft, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    to.busy_timeout(BUSY_TIMEOUT)?;
    // The file is put on the disk once, at the end.
    to.execute_batch("PRAGMA synchronous = OFF")?;
    {
        let backup = Backup::new(&from, &mut to)?;
        loop {
            let step = backup.step(PAGES_PER_STEP)?;
            if matches!(step, StepResult::Busy | StepResult::Locked) {
                std::thread::sleep(Duration::from_millis(50));
            }
            let counts = backup.progress();
            let (left, of) = (u64::try_from(counts.remaining).unwrap_or(0), u64::try_from(counts.pagecount).unwrap_or(0));
            progress(BackupStep::Copied { pages: of.saturating_sub(left), of });
            if step == StepResult::Done {
                break;
            }
        }
    }
    // A file that stands alone, without a log beside it.
    to.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0))?;
    Ok(schema)
}

fn newest_migration(conn: &Connection) -> Result<String, BackupError> {
    Ok(conn
        .query_row("SELECT max(version) FROM __diesel_schema_migrations", [], |row| row.get::<_, Option<String>>(0))?
        .unwrap_or_default())
}

/// Reads the copy from its first page to its last.
fn check(draft: &Path, schema: &str) -> Result<(), BackupError> {
    let conn = Connection::open_with_flags(draft, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let said: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if said != "ok" {
        return Err(BackupError::Unsound("SQLite finds it damaged".to_owned()));
    }
    let loose: i64 = conn.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    if loose > 0 {
        return Err(BackupError::Unsound(format!("{loose} rows refer to rows that are not there")));
    }
    let copied = newest_migration(&conn)?;
    if copied != schema {
        return Err(BackupError::Unsound("its schema is of another version".to_owned()));
    }
    Ok(())
}
