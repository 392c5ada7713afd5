//! `kill -9` under mixed load: whatever was acknowledged is there after the restart, once and whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use lahete_api::clock::SystemClock;
use lahete_domain::time::Clock as _;
use uuid::Uuid;

use super::{PATIENCE, Site, cells, create, expect_sound, id_of, is_long, progress, rounds, stored_marks, until};
use crate::support::Kind;
use crate::support::database::{open, wait};
use crate::support::process::Server;
use crate::support::wire::{Answer, Broken, Wire};

const CALLERS: usize = 12;

/// From the start of the process until `/readyz` says yes.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// The same among all the other tests, for a program that was built for looking at and not for speed: there the machine is measured and not the program.
const READY_AMONG_OTHERS: Duration = Duration::from_secs(30);

/// What callers know of what they asked for: what was acknowledged, or that no answer came.
#[derive(Default)]
struct Ledger {
    created: BTreeMap<String, Option<Uuid>>,
    reviewed: BTreeMap<Uuid, bool>,
    /// Requests that read clients' data and were answered.
    read: BTreeSet<String>,
    repeats: usize,
}

type Shared = Mutex<Ledger>;

/// Writes a referral; the id when the server has acknowledged it.
fn write(wire: &mut Wire, site: &Site, mark: &str, ledger: &Shared) -> Result<Option<Uuid>, Broken> {
    ledger.lock().unwrap().created.entry(mark.to_owned()).or_default();
    let answer = create(wire, &site.referrer, mark)?;
    if answer.is_for_later() {
        // On PostgreSQL writers may collide beyond the store's own tries.
        return Ok(None);
    }
    assert_eq!(answer.status, 201, "{mark}: {answer:?}");
    let id = id_of(&answer);
    let before = ledger.lock().unwrap().created.insert(mark.to_owned(), Some(id)).flatten();
    assert!(before.is_none_or(|before| before == id), "{mark} was made twice");
    Ok(Some(id))
}

fn review(wire: &mut Wire, site: &Site, id: Uuid, ledger: &Shared) -> Result<(), Broken> {
    let (key, path) = (format!("review-{id}"), format!("/v1/referrals/{id}/review"));
    ledger.lock().unwrap().reviewed.entry(id).or_default();
    let headers = [("authorization", site.coordinator.as_str()), ("idempotency-key", &key), ("x-request-id", &key), ("if-match", "\"2\"")];
    let answer = wire.call("POST", &path, &headers, Some("{}"))?;
    if !answer.is_for_later() {
        assert_eq!(answer.status, 200, "{answer:?}");
        ledger.lock().unwrap().reviewed.insert(id, true);
    }
    Ok(())
}

fn read(wire: &mut Wire, site: &Site, path: &str, request: &str, ledger: &Shared) -> Result<Option<Answer>, Broken> {
    let answer = wire.call("GET", path, &[("authorization", &site.coordinator), ("x-request-id", request)], None)?;
    if answer.is_for_later() {
        return Ok(None);
    }
    assert_eq!(answer.status, 200, "{answer:?}");
    ledger.lock().unwrap().read.insert(request.to_owned());
    Ok(Some(answer))
}

/// One caller, until the server is gone.
fn call(server: &Server, site: &Site, round: usize, caller: usize, ledger: &Shared) -> Result<(), Broken> {
    let Ok(mut wire) = Wire::open(server.addr, PATIENCE) else { return Ok(()) };
    for n in 0.. {
        let mark = format!("{round}-{caller}-{n}");
        let Some(id) = write(&mut wire, site, &mark, ledger)? else { continue };
        if n % 3 == 0 {
            // The same once more: the first answer comes again, and nothing is done.
            write(&mut wire, site, &mark, ledger)?;
            ledger.lock().unwrap().repeats += 1;
        }
        read(&mut wire, site, &format!("/v1/referrals/{id}"), &format!("read-{mark}"), ledger)?;
        if n % 2 == 0 {
            review(&mut wire, site, id, ledger)?;
        }
        if n % 4 == 0 {
            let list = read(&mut wire, site, "/v1/referrals?state=submitted&limit=20", &format!("list-{mark}"), ledger)?;
            if list.is_some_and(|list| list.json()["items"].as_array().unwrap().is_empty()) {
                // It has read nobody's data, so nothing of it is on record.
                ledger.lock().unwrap().read.remove(&format!("list-{mark}"));
            }
        }
    }
    Ok(())
}

/// Kills the server, also when the test fails meanwhile: its callers go on for as long as it lives.
struct KillAtTheEnd<'a>(&'a Server);

impl Drop for KillAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.kill_by_id();
    }
}

fn load_and_kill(server: Server, site: &Site, round: usize, ledger: &Shared) {
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (server, ledger) = (&server, ledger);
            scope.spawn(move || {
                let broken = call(server, site, round, caller, ledger);
                assert_ne!(broken, Err(Broken::Late), "no answer in {PATIENCE:?}");
            });
        }
        let first = format!("{round}-");
        let acknowledged = || ledger.lock().unwrap().created.iter().filter(|(mark, id)| id.is_some() && mark.starts_with(&first)).count();
        let _end = KillAtTheEnd(&server);
        until("writing", || acknowledged() >= CALLERS);
        // Somewhere in the middle: the low bits of a new id are as good as any.
        std::thread::sleep(Duration::from_millis(u64::try_from(Uuid::now_v7().as_u128() % 600).unwrap()));
    });
    server.kill();
}

/// What was acknowledged is there, and nothing is there by halves. With `all`, nothing is there besides.
fn check(site: &Site, ledger: &Ledger, chains: Uuid, since: lahete_domain::time::Instant, all: bool) {
    let (marks, states, halves, report, requests) = site.look(move |db| {
        let states: BTreeMap<Uuid, (String, String)> = db
            .schema_rows("referrals", &["id", "state", "version"])?
            .iter()
            .map(|row| {
                let [id, state, version] = cells(row).try_into().unwrap();
                (Uuid::parse_str(&id).unwrap(), (state, version))
            })
            .collect();
        Ok((stored_marks(db)?, states, db.half_effects(since)?, db.audit_verify_from(chains, &mut |_| {})?, db.audited_requests(chains)?))
    });
    assert_eq!(halves, Vec::<String>::new());
    assert!(report.is_sound(), "{report:?}");
    for (mark, id) in &marks {
        let sent = ledger.created.get(mark).unwrap_or_else(|| panic!("nobody has sent {mark}"));
        assert!(sent.is_none_or(|sent| sent == *id), "{mark} was acknowledged as {sent:?} and is {id}");
    }
    for (mark, id) in &ledger.created {
        assert!(id.is_none() || marks.contains_key(mark), "{mark} was acknowledged and is lost");
    }
    if all {
        assert_eq!(marks.len(), ledger.created.len());
        assert_eq!(states.len(), marks.len(), "a referral that nobody asked for");
    }
    for (id, acknowledged) in &ledger.reviewed {
        let (state, version) = &states[id];
        let is_done = state == "in_review" && version == "3";
        assert!(is_done || (!acknowledged && state == "submitted" && version == "2"), "{id}: {acknowledged}, {state}, {version}");
    }
    let requests: BTreeSet<String> = requests.into_iter().collect();
    let unrecorded: Vec<_> = ledger.read.difference(&requests).collect();
    assert!(unrecorded.is_empty(), "reads that were answered and are not on record: {unrecorded:?}");
}

/// Whoever got no answer asks again with the same key, and gets one: the first time's, or a new one.
fn ask_again(server: &Server, site: &Site, ledger: &Shared) -> usize {
    let (marks, ids) = {
        let ledger = ledger.lock().unwrap();
        let marks: Vec<_> = ledger.created.iter().filter(|(_, id)| id.is_none()).map(|(mark, _)| mark.clone()).collect();
        let ids: Vec<_> = ledger.reviewed.iter().filter(|(_, done)| !**done).map(|(id, _)| *id).collect();
        (marks, ids)
    };
    let mut wire = Wire::open(server.addr, PATIENCE).unwrap();
    for mark in &marks {
        let id = write(&mut wire, site, mark, ledger).unwrap();
        assert!(id.is_some(), "{mark}: no answer after the restart: {}", server.last_lines());
    }
    for id in &ids {
        review(&mut wire, site, *id, ledger).unwrap();
        assert!(ledger.lock().unwrap().reviewed[id], "{id}: no answer after the restart: {}", server.last_lines());
    }
    marks.len() + ids.len()
}

fn killed_under_load(kind: Kind) {
    let mut site = Site::new(kind);
    let ledger = Shared::default();
    let rounds = rounds(3, 100);
    let mut slowest = Duration::ZERO;
    let mut asked_again = 0;
    let mut server = site.serve(&[]);
    server.until_ready();
    let (mut chains, mut since) = (Uuid::nil(), SystemClock.now());
    for round in 0..rounds {
        site.renew_tokens();
        load_and_kill(server, &site, round, &ledger);
        check(&site, &ledger.lock().unwrap(), chains, since, false);

        // Reads of the round before are checked; their chains are whole and behind us.
        ledger.lock().unwrap().read.clear();
        (chains, since) = (Uuid::now_v7(), SystemClock.now());
        let begun = std::time::Instant::now();
        server = site.serve(&[]);
        server.until_ready();
        let ready = begun.elapsed();
        assert!(ready < if is_long() { READY_WITHIN } else { READY_AMONG_OTHERS }, "ready after {ready:?}");
        slowest = slowest.max(ready);
        asked_again += ask_again(&server, &site, &ledger);
        check(&site, &ledger.lock().unwrap(), chains, since, true);
        if (round + 1) % 10 == 0 {
            let ledger = ledger.lock().unwrap();
            progress(&format!(
                "kill -9, {kind:?}: round {} of {rounds}, {} referrals, {} reviews, {} repeats, {asked_again} asked again, slowest start {slowest:?}",
                round + 1,
                ledger.created.len(),
                ledger.reviewed.len(),
                ledger.repeats,
            ));
            let store = open(&site.url);
            assert_eq!(wait(store.read(|db| db.integrity_faults())).unwrap(), Vec::<String>::new());
            wait(store.close());
        }
    }
    assert!(server.stop().success());
    let store = open(&site.url);
    expect_sound(&store);
    wait(store.close());
    let ledger = ledger.into_inner().unwrap();
    println!(
        "kill -9, {kind:?}: {rounds} rounds, {} referrals, {} reviews, {} repeats, {asked_again} asked again, slowest start {slowest:?}",
        ledger.created.len(),
        ledger.reviewed.len(),
        ledger.repeats,
    );
}

#[test]
fn what_was_acknowledged_on_sqlite_outlives_kill_9() {
    killed_under_load(Kind::Sqlite);
}

#[test]
fn what_was_acknowledged_on_postgresql_outlives_kill_9() {
    killed_under_load(Kind::Postgresql);
}
