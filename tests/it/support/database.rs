//! A database for one test. SQLite: a copy of a file that was migrated once. PostgreSQL: a copy of a template database on the server that
//! `tests/with_postgresql.sh` has started.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use lahete_api::id_source::UuidV7;
use lahete_persistence::{DbUrl, Keys, Store, StoreOptions};

/// Which of the two databases.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Sqlite,
    Postgresql,
}

/// A database that goes away with its test.
pub struct TestDatabase {
    pub kind: Kind,
    pub url: String,
    pub folder: PathBuf,
    name: Option<String>,
}

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The data key of all tests. A key that looks typed would be refused outside the demo.
pub const DATA_KEY: [u8; 32] =
    *b"\x1f\x8a\xd3\x40\xee\x07\x91\xb6\x2c\x5d\xf8\x63\xa9\x14\xcb\x7e\x35\x80\xe2\x4f\x9d\x06\xba\x71\xc8\x53\x2e\xf5\x68\x97\x0b\xdc";

pub fn keys() -> Arc<Keys> {
    Arc::new(Keys::from_bytes(1, &DATA_KEY).unwrap())
}

pub fn options() -> StoreOptions {
    let mut options = StoreOptions::new(keys(), Arc::new(UuidV7));
    options.readers = 2;
    options.connections = 6;
    // The machine of a test is often busier than that of a server.
    options.deadline = std::time::Duration::from_secs(20);
    options
}

pub fn open(url: &str) -> Store {
    Store::open(&DbUrl::parse(url).unwrap(), options()).unwrap()
}

/// Waits for something asynchronous in a test that is not.
pub fn wait<F: Future>(future: F) -> F::Output {
    tokio_runtime().block_on(future)
}

fn tokio_runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap())
}

fn migrated(url: &str) {
    let url = url.to_owned();
    // A runtime of its own: the first test to come here may be inside another one.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = open(&url);
            store.migrate().await.unwrap();
            store.close().await;
        });
    })
    .join()
    .unwrap();
}

fn scratch() -> PathBuf {
    let number = COUNT.fetch_add(1, Ordering::SeqCst);
    let folder = std::env::temp_dir().join(format!("lahete-it-{}-{number}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn sqlite_template() -> &'static Path {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let path = scratch().join("template.db");
        migrated(&format!("sqlite:{}", path.display()));
        path
    })
}

/// Where the throw-away server is: folder of its socket, and its programs.
fn server() -> (String, PathBuf) {
    let socket = std::env::var("LAHETE_TEST_POSTGRESQL_SOCKET");
    let programs = std::env::var("LAHETE_TEST_POSTGRESQL_PROGRAMS");
    match (socket, programs) {
        (Ok(socket), Ok(programs)) => (socket, PathBuf::from(programs)),
        _ => panic!("no PostgreSQL to test with: run `make test`, or `tests/with_postgresql.sh cargo test`, which start one of their own"),
    }
}

fn postgresql(program: &str, arguments: &[&str]) {
    let (socket, programs) = server();
    let output = Command::new(programs.join(program)).args(["-h", &socket, "-U", "lahete"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn postgresql_url(name: &str) -> String {
    let (socket, _) = server();
    format!("postgresql:///{name}?host={}&user=lahete", socket.replace('/', "%2F"))
}

fn postgresql_template() -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let name = format!("template_{}", std::process::id());
        postgresql("createdb", &[&name]);
        migrated(&postgresql_url(&name));
        name
    })
}

impl TestDatabase {
    /// A migrated database without rows.
    pub fn new(kind: Kind) -> Self {
        let folder = scratch();
        match kind {
            Kind::Sqlite => {
                let path = folder.join("lahete.db");
                std::fs::copy(sqlite_template(), &path).unwrap();
                Self { kind, url: format!("sqlite:{}", path.display()), folder, name: None }
            }
            Kind::Postgresql => {
                let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
                postgresql("createdb", &["-T", postgresql_template(), &name]);
                Self { kind, url: postgresql_url(&name), folder, name: Some(name) }
            }
        }
    }

    /// A database without tables.
    pub fn empty(kind: Kind) -> Self {
        let folder = scratch();
        match kind {
            Kind::Sqlite => Self { kind, url: format!("sqlite:{}", folder.join("lahete.db").display()), folder, name: None },
            Kind::Postgresql => {
                let name = format!("empty_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
                postgresql("createdb", &[&name]);
                Self { kind, url: postgresql_url(&name), folder, name: Some(name) }
            }
        }
    }

    /// What the server calls it.
    pub fn server_name(&self) -> &str {
        self.name.as_deref().expect("a database on the server")
    }

    /// Everything that a PostgreSQL database holds, as its own tool writes it out.
    pub fn dump(&self) -> String {
        let (socket, programs) = server();
        let name = self.server_name();
        let output = Command::new(programs.join("pg_dump")).args(["-h", &socket, "-U", "lahete", "--inserts", name]).output().unwrap();
        assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
        if let Some(name) = &self.name {
            let (socket, programs) = server();
            let _ = Command::new(programs.join("dropdb")).args(["-h", &socket, "-U", "lahete", "--force", "--if-exists", name]).output();
        }
    }
}
