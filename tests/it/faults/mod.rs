//! What is to happen when something breaks: the program, the disk, the database, the network, or the number of callers. Each fault has a short form,
//! which runs with all the other tests, and a long one (`make test-faults`), which runs the same test more often and shows how far it is.

mod backup;
mod disk_full;
mod graceful_stop;
mod kill;
mod overload;
mod panics;
mod postgresql;
mod slow_clients;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lahete_domain::ids::UserId;
use lahete_domain::time::Instant;
use lahete_persistence::{Db, Store};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::Kind;
use crate::support::clock::instant;
use crate::support::database::{TestDatabase, open, wait};
use crate::support::long_form::LongForm;
use crate::support::process::{Server, Signer, lay_data_key};
use crate::support::wire::{Answer, Broken, Wire};
use crate::support::world::{self, People};

/// How long a caller waits for an answer: far longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// `make test-faults` sets it.
const LONG: LongForm = LongForm("LAHETE_TEST_FAULTS");

fn is_long() -> bool {
    LONG.is_asked_for()
}

fn rounds(short: usize, long: usize) -> usize {
    LONG.rounds(short, long)
}

fn progress(line: &str) {
    LONG.progress(line);
}

/// A database with people in it, in whose folder a server can be started any number of times.
struct Site {
    people: People,
    url: String,
    folder: PathBuf,
    referrer: String,
    coordinator: String,
    /// Lives as long as the site, and takes the folder along.
    database: Option<TestDatabase>,
}

impl Drop for Site {
    fn drop(&mut self) {
        if self.database.is_none() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

impl Site {
    fn new(kind: Kind) -> Self {
        let database = TestDatabase::new(kind);
        Self::on(database.url.clone(), database.folder.clone(), Some(database))
    }

    /// On a database that the test has made itself, with its keys in `folder`.
    fn on(url: String, folder: PathBuf, database: Option<TestDatabase>) -> Self {
        let store = open(&url);
        wait(store.migrate()).unwrap();
        let people = world::build(&store, instant("2026-11-22T10:00:00Z")).own;
        wait(store.close());
        lay_data_key(&folder);
        let signer = Signer::of(&folder);
        let (referrer, coordinator) = (signer.user(people.referrer), signer.user(people.coordinator));
        Self { people, url, folder, referrer, coordinator, database }
    }

    /// Long rounds outlive a token.
    fn renew_tokens(&mut self) {
        let signer = Signer::of(&self.folder);
        let token = |user: UserId| signer.user(user);
        (self.referrer, self.coordinator) = (token(self.people.referrer), token(self.people.coordinator));
    }

    fn serve(&self, settings: &[(&str, &str)]) -> Server {
        let mut all = vec![
            ("log", "warn,access=off,lahete_api::startup=info"),
            ("token_requests_per_minute", "100000"),
            ("misses_per_minute", "100000"),
        ];
        all.extend_from_slice(settings);
        // Outside the demo mode: nobody but the test puts rows into the database.
        Server::start_plain(&self.folder, &self.url, &all)
    }

    /// Looks into the database beside the server.
    fn look<T: Send + 'static>(&self, f: impl FnMut(&mut Db<'_>) -> Result<T, lahete_persistence::StoreError> + Send + 'static) -> T {
        let store = open(&self.url);
        let found = wait(store.read(f)).unwrap_or_else(|error| panic!("{error:?}"));
        wait(store.close());
        found
    }
}

/// Tells callers to stop, also when the test fails meanwhile: it would wait for them for ever.
struct StopAtTheEnd<'a>(&'a AtomicBool);

impl Drop for StopAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Waits until something has come about, and not for ever.
#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not in {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A referral with a mark by which it can be found.
fn marked_referral(mark: &str) -> String {
    let mut body: Value = crate::http::complete_referral();
    body["wish"] = json!(mark);
    body.to_string()
}

/// Writes a referral with its mark as idempotency key and as request id.
fn create(wire: &mut Wire, token: &str, mark: &str) -> Result<Answer, Broken> {
    let headers = [("authorization", token), ("idempotency-key", mark), ("x-request-id", mark)];
    wire.call("POST", "/v1/referrals", &headers, Some(&marked_referral(mark)))
}

fn id_of(answer: &Answer) -> Uuid {
    let body = answer.json();
    Uuid::parse_str(body["id"].as_str().unwrap_or_else(|| panic!("no id: {body}"))).unwrap()
}

/// A row as the database writes it out, without its quotes.
fn cells(row: &str) -> Vec<String> {
    row.split(',').map(|cell| cell.trim_matches('\'').to_owned()).collect()
}

/// All marks that are stored, each with its referral. A mark that is there twice is a fault.
fn stored_marks(db: &mut Db<'_>) -> Result<BTreeMap<String, Uuid>, lahete_persistence::StoreError> {
    let mut marks = BTreeMap::new();
    for row in db.schema_rows("referral_details", &["wish", "referral_id"])? {
        let [mark, id] = cells(&row).try_into().unwrap();
        let id = Uuid::parse_str(&id).unwrap();
        let before = marks.insert(mark.clone(), id);
        assert_eq!(before, None, "{mark} is there twice");
    }
    Ok(marks)
}

/// The whole database is as it should be.
#[track_caller]
fn expect_sound(store: &Store) {
    assert_eq!(
        wait(store.read(|db: &mut Db<'_>| db.half_effects(Instant::new(chrono::DateTime::UNIX_EPOCH)))).unwrap(),
        Vec::<String>::new()
    );
    let report = wait(store.verify_audit_trail(|_| {})).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(wait(store.read(|db: &mut Db<'_>| db.integrity_faults())).unwrap(), Vec::<String>::new());
}
