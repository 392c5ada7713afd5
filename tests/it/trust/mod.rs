//! What one may rely on: that identity codes and contacts are nowhere to be read, that keys can be changed while everybody works, and that nobody
//! changes the audit trail unnoticed. The short form runs with all the other tests; `make test-trust` runs the long one and shows progress.

mod absent;
mod access_log;
mod asvs;
mod byte_search;
mod canaries;
mod checkpoints;
mod consent_texts;
mod consents;
mod data_requests;
mod erasure;
mod fields_write;
mod fitness;
mod forgetting;
mod framing;
mod mutations;
mod non_disclosure;
pub mod one_event;
mod open_door;
mod origins;
mod own_visits;
mod reasons;
mod records;
mod relations;
mod restriction;
mod retention;
mod retention_command;
mod rotation;
mod sealing;
mod silence;
mod speed;
mod stored_answers;
mod withdrawal;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use chrono::{NaiveDate, TimeDelta};
use serde_json::{Value, json};

use crate::support::Kind;
use crate::support::clock::instant;
use crate::support::database::{TestDatabase, open, wait};
use crate::support::long_form::LongForm;
use crate::support::process::{Signer, lahete, lay_data_key};
use crate::support::wire::{Answer, Wire};
use crate::support::world::{self, People};

/// How long a caller waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// `make test-trust` sets it.
const LONG: LongForm = LongForm("LAHETE_TEST_TRUST");

fn is_long() -> bool {
    LONG.is_asked_for()
}

fn rounds(short: usize, long: usize) -> usize {
    LONG.rounds(short, long)
}

fn progress(line: &str) {
    LONG.progress(line);
}

/// Numbers that look like chance and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(below.max(1)).unwrap()).unwrap()
    }
}

/// Somebody who does not exist, with an identity code of the series that is given to nobody.
struct Seed {
    birth_date: NaiveDate,
    code: String,
    phone: String,
    email: String,
    address: String,
}

impl Seed {
    fn new(number: usize) -> Self {
        let born = NaiveDate::from_ymd_opt(1930, 1, 1).unwrap() + TimeDelta::days(i64::try_from(number).unwrap() * 9);
        let digits = format!("{}{:03}", born.format("%d%m%y"), 900 + number % 100);
        let check = "0123456789ABCDEFHJKLMNPRSTUVWXY".chars().nth(digits.parse::<usize>().unwrap() % 31).unwrap();
        Self {
            birth_date: born,
            code: format!("{}-{}{check}", &digits[..6], &digits[6..]),
            phone: format!("+358 40 7{number:06}"),
            email: format!("asukas{number}@sposti.example"),
            address: format!("Kätköpolku {number} B"),
        }
    }

    /// What no one may come upon where it is not shown.
    fn secrets(&self) -> [&str; 4] {
        [&self.code, &self.phone, &self.email, &self.address]
    }

    /// A referral about them, sent at once, by somebody with a contact of the same kind.
    fn referral(&self) -> Value {
        let mut body = crate::http::complete_referral();
        body["client"] = json!({
            "given_name": "Siemen", "family_name": "Esimerkki", "birth_date": self.birth_date, "personal_identity_code": self.code,
            "municipality": "758", "phone": self.phone, "email": self.email, "address": self.address
        });
        body["referrer"]["contact"] = json!(self.email);
        body
    }
}

/// A database with people in it, in whose folder servers can be started.
struct Site {
    people: People,
    url: String,
    folder: PathBuf,
    referrer: String,
    coordinator: String,
    /// Lives as long as the site, and takes the folder along.
    _database: Option<TestDatabase>,
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
        Self { people, url, folder, referrer, coordinator, _database: database }
    }

    /// A server that writes its log into a file.
    fn serve(&self, name: &str, settings: &[(&str, &str)]) -> Served {
        let log = self.folder.join(format!("{name}.log"));
        let file = std::fs::File::create(&log).unwrap();
        let mut all = vec![
            ("log", "warn,lahete_api::startup=info"),
            ("token_requests_per_minute", "100000"),
            ("search_requests_per_minute", "100000"),
            ("misses_per_minute", "100000"),
        ];
        all.extend_from_slice(settings);
        let mut command = lahete(&self.folder, &all);
        command.args(["serve", "--database", &self.url, "--bind", "127.0.0.1:0"]);
        let child = command.stdout(Stdio::null()).stderr(file).spawn().unwrap();
        let mut served = Served { addr: ([0, 0, 0, 0], 0).into(), child, log };
        let begun = Instant::now();
        loop {
            let said = served.said();
            let heard = said.lines().find_map(|line| line.split_once("listening on ")?.1.split_whitespace().next()?.parse().ok());
            if let Some(addr) = heard {
                served.addr = addr;
                // Whoever answers can be stopped, too.
                while get(&mut served.wire(), "-", "/readyz").status != 200 {
                    assert!(begun.elapsed() < Duration::from_secs(60), "not ready: {said}");
                    std::thread::sleep(Duration::from_millis(20));
                }
                return served;
            }
            let ended = served.child.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < Duration::from_secs(60), "{ended:?}: {said}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The program with a command, in this folder and on this database: whether it succeeded, what it said, and what it said of its progress.
    fn command(&self, arguments: &[&str]) -> (bool, String, String) {
        let output = lahete(&self.folder, &[("database", &self.url), ("log", "warn")]).args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    #[track_caller]
    fn command_works(&self, arguments: &[&str]) -> String {
        let (worked, said, told) = self.command(arguments);
        assert!(worked, "{arguments:?}: {said}{told}");
        said
    }
}

/// A running server.
struct Served {
    addr: SocketAddr,
    child: Child,
    log: PathBuf,
}

impl Served {
    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn wire(&self) -> Wire {
        Wire::open(self.addr, PATIENCE).unwrap()
    }

    /// Ends it as an operator does.
    fn stop(mut self) {
        let pid = self.child.id().to_string();
        for _ in 0..2 {
            // The second one says not to wait for a load balancer.
            assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
            std::thread::sleep(Duration::from_millis(200));
        }
        assert!(self.child.wait().unwrap().success(), "{}", self.said());
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(wire: &mut Wire, token: &str, path: &str) -> Answer {
    wire.call("GET", path, &[("authorization", token)], None).unwrap()
}

fn post(wire: &mut Wire, token: &str, path: &str, body: &Value) -> Answer {
    wire.call("POST", path, &[("authorization", token)], Some(&body.to_string())).unwrap()
}
