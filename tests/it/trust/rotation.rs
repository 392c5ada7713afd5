//! `lahete keys rotate` while servers work: nobody is sent away, nobody is stored twice, and in the end the old key is not needed.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lahete_persistence::Db;
use serde_json::json;

use super::{Seed, Served, Site, get, post, progress, rounds};
use crate::support::Kind;
use crate::support::database::{open, wait};
use crate::support::process::lahete;
use crate::support::wire::{Answer, Wire};

/// What callers have met.
#[derive(Default)]
struct Met {
    calls: AtomicUsize,
    failed: Mutex<Vec<String>>,
    written: Mutex<BTreeSet<usize>>,
}

impl Met {
    fn expect(&self, answer: &Answer, status: u16, what: &str) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if answer.status != status {
            self.failed.lock().unwrap().push(format!("{what}: {answer:?}"));
        }
    }
}

/// One caller: writes, looks, searches, lists. Two callers on two servers write about the same people at the same time.
fn call(site: &Site, wire: &mut Wire, number: usize, met: &Met) {
    let seed = Seed::new(number);
    let sent = post(wire, &site.referrer, "/v1/referrals", &seed.referral());
    met.expect(&sent, 201, "write");
    met.written.lock().unwrap().insert(number);
    let body = json!({"programme_id": site.people.programme.to_string(), "personal_identity_code": seed.code});
    let found = post(wire, &site.coordinator, "/v1/clients/search", &body);
    met.expect(&found, 200, "search");
    let found = found.json();
    if found["items"][0]["contact"]["phone"] != json!(seed.phone) {
        met.failed.lock().unwrap().push(format!("not found: {found}"));
    }
    met.expect(&get(wire, &site.coordinator, &format!("/v1/clients/{}", found["items"][0]["id"].as_str().unwrap_or("-"))), 200, "view");
    met.expect(&get(wire, &site.coordinator, "/v1/referrals?limit=20"), 200, "list");
}

fn rotate_under_load(kind: Kind) {
    let site = Site::new(kind);
    // On PostgreSQL two servers, which share the key file, as they do the signing key.
    let servers: Vec<Served> = match kind {
        Kind::Sqlite => vec![site.serve("one", &[])],
        Kind::Postgresql => vec![site.serve("one", &[]), site.serve("two", &[])],
    };
    let before = rounds(60, 1000);
    let met = Met::default();
    let mut wire = servers[0].wire();
    for number in 0..before {
        let sent = post(&mut wire, &site.referrer, "/v1/referrals", &Seed::new(number).referral());
        assert_eq!(sent.status, 201, "{sent:?}");
        met.written.lock().unwrap().insert(number);
    }
    let done = AtomicBool::new(false);
    let next = AtomicUsize::new(0);
    let rotated = std::thread::scope(|scope| {
        let (first, last) = (servers.first().unwrap(), servers.last().unwrap());
        for caller in 0..4_usize {
            let (site, met, done, next) = (&site, &met, &done, &next);
            scope.spawn(move || {
                let mut wires = [first.wire(), last.wire()];
                while !done.load(Ordering::SeqCst) {
                    // Two of four take the same number, at about the same time: known people, and new ones.
                    let number = next.fetch_add(1, Ordering::SeqCst) / 2 % (2 * before);
                    call(site, &mut wires[caller % 2], number, met);
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
        }
        let _end = Finish(&done);
        std::thread::sleep(Duration::from_millis(300));
        let said = site.command_works(&["keys", "new"]);
        assert!(said.contains("added the data key 2"), "{said}");
        assert!(site.command_works(&["keys", "rotate", "--dry-run"]).contains("would seal anew what lies under key 1"));
        let (dropped, _, told) = site.command(&["keys", "drop", "1"]);
        assert!(!dropped && told.contains("still lie under the data key 1"), "{told}");
        let begun = std::time::Instant::now();
        let (worked, said, told) = site.command(&["keys", "rotate", "--settle", "17", "--part", "20"]);
        progress(&format!("{kind:?}: {said}{told}"));
        assert!(told.contains("waiting 17 seconds until all servers have noticed") && told.contains("walk 1: "), "{told}");
        println!("{kind:?}: rotated in {:?}, {} calls meanwhile", begun.elapsed(), met.calls.load(Ordering::Relaxed));
        (worked, said)
    });
    let (worked, said) = rotated;
    assert!(worked && said.contains("key 1 is no longer needed"), "{said}");
    let failed = met.failed.lock().unwrap();
    assert!(
        failed.is_empty(),
        "{} of {} calls:\n{}",
        failed.len(),
        met.calls.load(Ordering::Relaxed),
        failed[..failed.len().min(5)].join("\n")
    );
    assert!(met.calls.load(Ordering::Relaxed) > 100);

    // Everything is under the new key, what was written meanwhile too, and nobody is there twice.
    let store = open(&site.url);
    let uses = wait(store.key_uses()).unwrap();
    assert!(uses.iter().all(|usage| usage.key == Some(2)) && uses.len() == 5, "{uses:?}");
    let known = wait(store.read(|db: &mut Db<'_>| db.schema_rows("clients", &["provisional"]))).unwrap().len();
    assert_eq!(known, met.written.lock().unwrap().len(), "as many clients as people");
    wait(store.close());
    drop(wire);
    servers.into_iter().for_each(Served::stop);
    assert!(site.command_works(&["keys", "status"]).contains("key 1 is no longer needed: `lahete keys drop 1`"));
    site.command_works(&["keys", "drop", "1"]);
    let (refused, _, told) = site.command(&["keys", "drop", "2"]);
    assert!(!refused && told.contains("the data key 2: it stays"), "{told}");
    let server = site.serve("after", &[]);
    let mut wire = server.wire();
    let alone = Met::default();
    for number in met.written.lock().unwrap().iter().take(20) {
        call(&site, &mut wire, *number, &alone);
    }
    assert_eq!(*alone.failed.lock().unwrap(), Vec::<String>::new());
    drop(wire);
    server.stop();
}

/// Tells callers to stop, also when the test fails meanwhile.
struct Finish<'a>(&'a AtomicBool);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn killed_anywhere(kind: Kind) {
    let site = Site::new(kind);
    let server = site.serve("one", &[]);
    let mut wire = server.wire();
    let people = 40;
    for number in 0..people {
        assert_eq!(post(&mut wire, &site.referrer, "/v1/referrals", &Seed::new(number).referral()).status, 201);
    }
    drop(wire);
    server.stop();
    site.command_works(&["keys", "new"]);
    let under = |key: u8| {
        let store = open(&site.url);
        let uses = wait(store.key_uses()).unwrap();
        wait(store.close());
        uses.iter().filter(|usage| usage.key == Some(key)).map(|usage| usage.values).sum::<u64>()
    };
    let all = under(1);
    assert_eq!(all, 5 * people as u64);
    let mut cut = 0;
    for round in 0..rounds(4, 40) {
        let mut command = lahete(&site.folder, &[("database", &site.url), ("log", "warn")]);
        command.args(["keys", "rotate", "--settle", "0", "--part", "1", "--pause", "20"]).stdout(std::process::Stdio::null());
        let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
        let enough = under(2) + 3;
        while under(2) < enough && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        cut += usize::from(under(1) > 0);
        assert_eq!(under(1) + under(2), all, "round {round}");
    }
    assert!(cut > 0, "it was in the middle when it was killed");
    let said = site.command_works(&["keys", "rotate", "--settle", "0"]);
    assert!(said.contains("key 1 is no longer needed"), "{said}");
    assert_eq!((under(1), under(2)), (0, all));
    site.command_works(&["keys", "drop", "1"]);
    let server = site.serve("two", &[]);
    let mut wire = server.wire();
    let met = Met::default();
    (0..people).for_each(|number| call(&site, &mut wire, number, &met));
    assert_eq!(*met.failed.lock().unwrap(), Vec::<String>::new());
    drop(wire);
    server.stop();
}

#[test]
fn keys_change_under_load_sqlite() {
    rotate_under_load(Kind::Sqlite);
}

#[test]
fn keys_change_under_load_postgresql() {
    rotate_under_load(Kind::Postgresql);
}

#[test]
fn a_change_of_keys_that_is_killed_goes_on_sqlite() {
    killed_anywhere(Kind::Sqlite);
}

#[test]
fn a_change_of_keys_that_is_killed_goes_on_postgresql() {
    killed_anywhere(Kind::Postgresql);
}
