//! `lahete backup` while the server writes: each copy is the database of one moment, whole, and can be served from.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use lahete_api::clock::SystemClock;
use lahete_domain::time::Clock as _;

use super::{PATIENCE, Site, StopAtTheEnd, create, expect_sound, progress, rounds, stored_marks, until};
use crate::support::Kind;
use crate::support::database::{TestDatabase, open, wait};
use crate::support::process::{Server, lahete};
use crate::support::wire::Wire;

const WRITERS: usize = 4;

fn run(site: &Site, arguments: &[&str]) -> Output {
    lahete(&site.folder, &[("log", "warn")]).args(arguments).args(["--database", &site.url]).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The names in a folder that begin like this.
fn names(site: &Site, beginning: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(&site.folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(beginning))
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn each_copy_of_a_loaded_database_is_whole() {
    let mut site = Site::new(Kind::Sqlite);
    let server = site.serve(&[]);
    server.until_ready();
    let rounds = rounds(2, 20);
    let mut written = 0;
    for round in 0..rounds {
        site.renew_tokens();
        let (stop, acknowledged) = (AtomicBool::new(false), Mutex::new(Vec::new()));
        let file = site.folder.join(format!("copy-{round}.db"));
        let (before, begun) = std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (server, site, stop, acknowledged) = (&server, &site, &stop, &acknowledged);
                scope.spawn(move || {
                    let mut wire = Wire::open(server.addr, PATIENCE).unwrap();
                    for n in 0.. {
                        if stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let mark = format!("{round}-{writer}-{n}");
                        let answer = create(&mut wire, &site.referrer, &mark).unwrap();
                        assert_eq!(answer.status, 201, "writing goes on during a backup: {answer:?}");
                        acknowledged.lock().unwrap().push(mark);
                    }
                });
            }
            let _end = StopAtTheEnd(&stop);
            let count = || acknowledged.lock().unwrap().len();
            until("writing", || count() >= 50);
            let before = acknowledged.lock().unwrap().clone();
            let begun = SystemClock.now().to_string();
            let output = run(&site, &["backup", file.to_str().unwrap()]);
            assert!(output.status.success(), "{}", said(&output));
            assert!(said(&output).contains("100 % copied") && said(&output).contains("checking the copy"), "{}", said(&output));
            assert!(count() > before.len(), "nothing was written meanwhile");
            (before, begun)
        });
        assert_eq!(names(&site, &format!("copy-{round}")), [format!("copy-{round}.db")], "a copy is one file");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        let copy = format!("sqlite:{}", file.display());
        let store = open(&copy);
        let marks = wait(store.read(stored_marks)).unwrap();
        for mark in &before {
            assert!(marks.contains_key(mark), "{mark} was acknowledged before the backup began");
        }
        expect_sound(&store);
        wait(store.close());
        let output = lahete(&site.folder, &[("log", "warn")])
            .args(["audit", "verify", "--signed-until", &begun, "--database", &copy])
            .output()
            .unwrap();
        assert!(output.status.success() && said(&output).contains(", 0 faults"), "{}", said(&output));
        assert!(said(&output).contains(" events checked"), "{}", said(&output));

        // Restored: the copy in the place of the database, with the keys beside it, and checkpoints of its own: the old ones know of more.
        let checkpoints = site.folder.join(format!("checkpoints-{round}")).display().to_string();
        let settings = [("log", "warn,lahete_api::startup=info"), ("audit_checkpoint_file", checkpoints.as_str())];
        let restored = Server::start_plain(&site.folder, &copy, &settings);
        restored.until_ready();
        let mut wire = Wire::open(restored.addr, PATIENCE).unwrap();
        let id = marks[&before[0]];
        let answer = wire.call("GET", &format!("/v1/referrals/{id}"), &[("authorization", &site.coordinator)], None).unwrap();
        assert_eq!((answer.status, answer.json()["wish"].as_str()), (200, Some(before[0].as_str())), "{answer:?}");
        assert_eq!(create(&mut wire, &site.referrer, "after-the-restoring").unwrap().status, 201);
        assert!(restored.stop().success());
        written += acknowledged.into_inner().unwrap().len();
        progress(&format!("backup: round {} of {rounds}, {} referrals in the copy, {written} written", round + 1, marks.len()));
        for name in names(&site, &format!("copy-{round}")) {
            let _ = std::fs::remove_file(site.folder.join(name));
        }
    }
    println!("backup: {rounds} copies under load, {written} referrals written meanwhile, each copy whole and served from");
}

#[test]
fn a_copy_takes_nobody_elses_place() {
    let site = Site::new(Kind::Sqlite);
    let file = site.folder.join("copy.db");
    let name = file.to_str().unwrap();
    std::fs::write(&file, "something else").unwrap();
    let output = run(&site, &["backup", name]);
    assert!(!output.status.success() && said(&output).contains("exists already"), "{}", said(&output));
    assert_eq!(std::fs::read(&file).unwrap(), b"something else");
    let output = run(&site, &["backup", name, "--force"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(std::fs::read(&file).unwrap().starts_with(b"SQLite format 3\0"));

    // A database that is damaged gives no copy.
    let source = site.folder.join("lahete.db");
    let mut bytes = std::fs::read(&source).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xA5);
    let damaged = site.folder.join("damaged.db");
    std::fs::write(&damaged, bytes).unwrap();
    let output = lahete(&site.folder, &[("log", "warn")])
        .args(["backup", site.folder.join("bad.db").to_str().unwrap(), "--database", &format!("sqlite:{}", damaged.display())])
        .output()
        .unwrap();
    assert!(!output.status.success(), "{}", said(&output));
    assert_eq!(names(&site, "bad.db"), Vec::<String>::new(), "nothing is left of it");

    let output = lahete(&site.folder, &[("log", "warn")])
        .args(["backup", site.folder.join("none.db").to_str().unwrap(), "--database", "sqlite:nothing-here.db"])
        .output()
        .unwrap();
    assert!(!output.status.success() && said(&output).contains("no database at"), "{}", said(&output));
    assert_eq!((names(&site, "none.db"), names(&site, "nothing-here")), (vec![], vec![]), "nothing was made by asking");

    let postgresql = TestDatabase::empty(Kind::Postgresql);
    let output = lahete(&site.folder, &[("log", "warn")])
        .args(["backup", site.folder.join("none.db").to_str().unwrap(), "--database", &postgresql.url])
        .output()
        .unwrap();
    assert!(!output.status.success() && said(&output).contains("pg_dump"), "{}", said(&output));
}
