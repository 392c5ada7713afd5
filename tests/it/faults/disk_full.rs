//! A disk with no room left: writes are refused, reads go on and are still put on record, and when there is room again all is as before.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::{PATIENCE, Site, create, expect_sound, id_of, progress, rounds, stored_marks};
use crate::support::database::{open, wait};
use crate::support::process::Server;
use crate::support::wire::{Answer, Wire};

/// Set in the copy of this test that runs in a name space of its own, where it may mount a disk.
const INSIDE: &str = "LAHETE_TEST_INSIDE";
const NAME: &str = "faults::disk_full::writes_are_refused_and_reads_go_on";

const DISK_MIB: usize = 24;
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);
/// Enough to see that reads do not live on what happened to be free.
const READS: usize = 200;

#[test]
fn writes_are_refused_and_reads_go_on() {
    if std::env::var_os(INSIDE).is_some() {
        return on_a_small_disk();
    }
    // Mounting needs a right that a user has in a name space of their own; and what was mounted there goes away with the process.
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount"])
        .arg(std::env::current_exe().unwrap())
        .args([NAME, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("`unshare` (util-linux) makes the name space in which this test mounts its disk");
    assert!(status.success(), "inside a name space of its own: {status}. Where user name spaces are forbidden, this test cannot be run.");
}

struct Disk(PathBuf);

impl Disk {
    fn mount(folder: &Path) -> Self {
        let path = folder.join("disk");
        std::fs::create_dir(&path).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={DISK_MIB}m"), "lahete-test"]).arg(&path).status();
        assert!(mounted.is_ok_and(|status| status.success()), "a small disk cannot be mounted");
        Self(path)
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Takes all the room that there is.
    fn fill(&self) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.filler()).unwrap();
        for size in [64 * 1024, 4096] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn get(wire: &mut Wire, token: &str, path: &str, request: &str) -> Answer {
    wire.call("GET", path, &[("authorization", token), ("x-request-id", request)], None).unwrap()
}

#[track_caller]
fn expect_full(answer: &Answer) {
    assert_eq!((answer.status, answer.header("content-type")), (507, Some("application/problem+json")), "{answer:?}");
    assert_eq!(answer.json()["code"], "storage_full");
}

/// The status of a probe, on a connection of its own as a balancer asks.
fn probe(server: &Server, path: &str) -> u16 {
    Wire::open(server.addr, PATIENCE).unwrap().call("GET", path, &[], None).unwrap().status
}

fn on_a_small_disk() {
    let folder = std::env::temp_dir().join(format!("lahete-disk-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let disk = Disk::mount(&folder);
    let mut site = Site::on(format!("sqlite:{}", disk.0.join("lahete.db").display()), folder.clone(), None);
    let mut server = site.serve(&[("disk_reserve_mib", "6")]);
    server.until_ready();
    let (mut acknowledged, mut on_record) = (Vec::new(), Vec::new());
    let rounds = rounds(1, 10);
    for round in 0..rounds {
        site.renew_tokens();
        let mut wire = Wire::open(server.addr, PATIENCE).unwrap();
        for n in 0..5 {
            let mark = format!("{round}-before-{n}");
            assert_eq!(create(&mut wire, &site.referrer, &mark).unwrap().status, 201);
            acknowledged.push(mark);
        }
        let known = id_of(&create(&mut wire, &site.referrer, &format!("{round}-known")).unwrap());
        acknowledged.push(format!("{round}-known"));

        disk.fill();
        // What SQLite has room for in its own files may still be written.
        let mut refused = None;
        for n in 0..5000 {
            let mark = format!("{round}-full-{n}");
            let answer = create(&mut wire, &site.referrer, &mark).unwrap();
            if answer.status == 507 {
                refused = Some(answer);
                break;
            }
            assert_eq!(answer.status, 201, "{answer:?}");
            acknowledged.push(mark);
            disk.fill();
        }
        expect_full(&refused.expect("the disk was never full"));

        for n in 0..READS {
            let request = format!("{round}-read-{n}");
            let path = if n % 2 == 0 { format!("/v1/referrals/{known}") } else { "/v1/referrals?limit=5".to_owned() };
            let answer = get(&mut wire, &site.coordinator, &path, &request);
            assert_eq!(answer.status, 200, "read {n}: {answer:?}");
            on_record.push(request);
            if n % 20 == 0 {
                expect_full(&create(&mut wire, &site.referrer, &format!("{round}-refused-{n}")).unwrap());
            }
        }
        assert_eq!(get(&mut wire, &site.coordinator, "/v1/me", "me").status, 200);
        assert_eq!((probe(&server, "/livez"), probe(&server, "/readyz")), (200, 503));

        // To the last byte: nothing can be put on record, so nothing that must be is shown. What needs no record is.
        let mut last = None;
        for n in 0..20_000 {
            disk.fill();
            let request = format!("{round}-last-{n}");
            let answer = get(&mut wire, &site.coordinator, &format!("/v1/referrals/{known}"), &request);
            if answer.status != 200 {
                last = Some(answer);
                break;
            }
            on_record.push(request);
        }
        expect_full(&last.expect("the reserve never ends"));
        assert_eq!(get(&mut wire, &site.coordinator, "/v1/me", "me").status, 200);
        assert_eq!((probe(&server, "/livez"), probe(&server, "/readyz")), (200, 503));
        assert!(server.is_alive());

        disk.free();
        let freed = Instant::now();
        loop {
            // On a machine with much else to do, a connection may have been quiet for so long that it has ended.
            wire = Wire::open(server.addr, PATIENCE).unwrap();
            // Always the same: whoever is told to come again does so with the same key.
            let mark = format!("{round}-after");
            let answer = create(&mut wire, &site.referrer, &mark).unwrap();
            if answer.status == 201 {
                acknowledged.push(mark);
                break;
            }
            if !answer.is_for_later() {
                expect_full(&answer);
            }
            assert!(freed.elapsed() < RECOVERED_WITHIN, "no write {:?} after there was room again", freed.elapsed());
            std::thread::sleep(Duration::from_millis(50));
        }
        let recovered = freed.elapsed();
        assert_eq!(probe(&server, "/readyz"), 200);
        let request = format!("{round}-again");
        assert_eq!(get(&mut wire, &site.coordinator, &format!("/v1/referrals/{known}"), &request).status, 200);
        on_record.push(request);
        progress(&format!("disk full: round {} of {rounds}, writes again after {recovered:?}", round + 1));
    }
    assert!(server.stop().success());
    let store = open(&site.url);
    let marks = wait(store.read(stored_marks)).unwrap();
    for mark in &acknowledged {
        assert!(marks.contains_key(mark), "{mark} was acknowledged and is lost");
    }
    assert_eq!(marks.len(), acknowledged.len(), "something was written that was refused");
    let requests = wait(store.read(|db| db.audited_requests(uuid::Uuid::nil()))).unwrap();
    for request in &on_record {
        assert!(requests.contains(request), "{request} was answered and is not on record");
    }
    expect_sound(&store);
    wait(store.close());
    println!("disk full: {rounds} rounds, {} writes acknowledged, {} reads on record", acknowledged.len(), on_record.len());
    drop(disk);
    let _ = std::fs::remove_dir_all(folder);
}
