//! The program signs its trail outside the database; `lahete audit verify` holds one against the other.

use lahete_persistence::Db;
use serde_json::{Value, json};

use super::{Seed, Site, get, post};
use crate::support::Kind;
use crate::support::database::{open, wait};

/// A statement past the program, with the triggers out of the way.
fn tamper(site: &Site, kind: Kind, statement: &'static str) {
    let store = open(&site.url);
    let triggers: &[&str] = match kind {
        Kind::Sqlite => &["DROP TRIGGER IF EXISTS audit_events_no_update", "DROP TRIGGER IF EXISTS audit_events_no_delete"],
        Kind::Postgresql => &["DROP TRIGGER IF EXISTS audit_events_no_change ON audit_events"],
    };
    for trigger in triggers {
        wait(store.write(move |db: &mut Db<'_>| db.tamper(trigger))).unwrap();
    }
    assert!(wait(store.write(move |db: &mut Db<'_>| db.tamper(statement))).unwrap() > 0);
    wait(store.close());
}

fn verify(site: &Site) -> (bool, Value) {
    let (sound, said, told) = site.command(&["audit", "verify", "--json"]);
    (sound, serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}{told}")))
}

fn the_trail_is_held_against_its_checkpoints(kind: Kind) {
    let site = Site::new(kind);
    let server = site.serve("first", &[("audit_checkpoint_events", "5")]);
    let mut wire = server.wire();
    for number in 0..10 {
        assert_eq!(post(&mut wire, &site.referrer, "/v1/referrals", &Seed::new(number).referral()).status, 201);
        assert_eq!(get(&mut wire, &site.coordinator, "/v1/referrals").status, 200);
    }
    let file = site.folder.join("audit-checkpoints.jsonl");
    let lines = || std::fs::read_to_string(&file).map_or(0, |text| text.lines().count());
    let begun = std::time::Instant::now();
    while lines() == 0 {
        assert!(begun.elapsed() < super::PATIENCE, "signed after so many events, and not only in the end");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let signer = crate::support::process::Signer::of(&site.folder);
    let officer = signer.user(site.people.privacy_officer);
    let shown = get(&mut wire, &officer, "/v1/audit-events/checkpoints").json();
    let kept = shown["items"][0]["line"].as_str().unwrap().to_owned();
    assert!(std::fs::read_to_string(&file).unwrap().contains(&kept), "word for word, to be kept elsewhere");
    assert_eq!(get(&mut wire, &site.coordinator, "/v1/audit-events/checkpoints").status, 403);
    drop(wire);
    server.stop();
    let (sound, report) = verify(&site);
    assert!(sound && report["unsigned_events"] == 0 && report["events"].as_u64().unwrap() > 60, "{report}");
    assert!(report["checkpoints"].as_u64().unwrap() >= 2 && report["faults"] == json!([]), "{report}");

    // A server that was killed has signed no end; what it wrote after its last checkpoint is counted.
    let server = site.serve("second", &[]);
    assert_eq!(get(&mut server.wire(), &site.coordinator, "/v1/referrals").status, 200);
    server.kill();
    let (sound, report) = verify(&site);
    assert!(sound && report["unsigned_events"].as_u64().unwrap() > 0, "{report}");

    // Another key has signed nothing here.
    std::fs::rename(site.folder.join("signing-key.pem"), site.folder.join("kept.pem")).unwrap();
    let _ = crate::support::process::Signer::of(&site.folder);
    let (sound, report) = verify(&site);
    assert!(!sound && report["checkpoint_faults"][0]["kind"] == "not_signed", "{report}");
    std::fs::rename(site.folder.join("kept.pem"), site.folder.join("signing-key.pem")).unwrap();

    tamper(&site, kind, "DELETE FROM audit_events WHERE seq = (SELECT max(seq) FROM audit_events)");
    let (sound, report) = verify(&site);
    assert!(!sound && report["first_fault"]["kind"] == "cut_off", "{report}");
    let (sound, said, _) = site.command(&["audit", "verify"]);
    assert!(!sound && said.contains("the chain was cut off here: a signed checkpoint knows of later events"), "{said}");

    // Without checkpoints the end cannot be seen, and that is said.
    std::fs::rename(&file, site.folder.join("elsewhere.jsonl")).unwrap();
    let (sound, said, _) = site.command(&["audit", "verify"]);
    assert!(sound && said.contains("held against no checkpoint"), "{said}");
    let copy = site.folder.join("elsewhere.jsonl").display().to_string();
    assert!(!site.command(&["audit", "verify", "--checkpoints", &copy]).0, "a copy that was kept elsewhere does as well");

    tamper(&site, kind, "UPDATE audit_events SET outcome = 'denied', role = NULL WHERE seq = 4");
    let (sound, report) = verify(&site);
    assert!(!sound && report["first_fault"]["seq"] == 4 && report["first_fault"]["kind"] == "wrong_hash", "{report}");
    assert!(report["first_fault"]["id"].as_str().is_some(), "{report}");
}

#[test]
fn the_trail_is_held_against_its_checkpoints_sqlite() {
    the_trail_is_held_against_its_checkpoints(Kind::Sqlite);
}

#[test]
fn the_trail_is_held_against_its_checkpoints_postgresql() {
    the_trail_is_held_against_its_checkpoints(Kind::Postgresql);
}
