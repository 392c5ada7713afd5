//! Old events are forgotten and stated reasons are erased, as the law asks for; the rest of the trail can still be checked.

use std::sync::Arc;

use lahete_api::audit_events::checkpoint_file::TrailKeys;
use lahete_api::auth::keys::SigningKey;
use lahete_domain::actor::Caller;
use lahete_domain::audit::AuditEvent;
use lahete_domain::codes::{AuditAction, AuditOutcome};
use lahete_domain::ids::{ClientId, Id as _};
use lahete_domain::time::Instant;
use lahete_persistence::repo::trail::{Anchor, ChainFaultKind, TrailKey, VerifyReport};
use lahete_persistence::{Constraint, Db, Store, StoreError};
use uuid::Uuid;

use crate::support::Kind;
use crate::support::clock::instant;
use crate::support::database::{TestDatabase, open, wait};

fn client(number: u128) -> ClientId {
    ClientId::from_uuid(Uuid::from_u128(number))
}

fn note(store: &Store, at: Instant, about: u128, reason: Option<&str>) {
    let reason = reason.map(str::to_owned);
    wait(store.read(move |db: &mut Db<'_>| -> Result<(), StoreError> {
        db.audit(AuditEvent {
            at,
            caller: Caller::Clock,
            role: None,
            organisation: None,
            programme: None,
            client: Some(client(about)),
            referral: None,
            operation: "client_view",
            action: AuditAction::Read,
            outcome: AuditOutcome::Allowed,
            reason: reason.clone(),
            request_id: "request".to_owned(),
        });
        Ok(())
    }))
    .unwrap();
}

fn check(store: &Store, anchors: &[Anchor], key: &TrailKeys) -> VerifyReport {
    let key: Arc<dyn TrailKey> = Arc::new(key.clone());
    wait(store.verify_audit_trail_against(anchors.to_vec(), Some(key), |_| {})).unwrap()
}

fn forget(store: &Store, before: Instant, key: &TrailKeys) -> usize {
    let mut forgotten = 0;
    loop {
        let (key, now) = (key.clone(), instant("2038-11-22T10:00:00Z"));
        let done = wait(store.write(move |db: &mut Db<'_>| db.audit_forget_before(before, now, &key, 7))).unwrap();
        forgotten += done.events;
        if !done.more {
            return forgotten;
        }
    }
}

fn old_events_are_forgotten(kind: Kind) {
    let database = TestDatabase::new(kind);
    let key = TrailKeys::of(&SigningKey::generate().unwrap());
    let (old, new) = (instant("2026-01-01T10:00:00Z"), instant("2026-06-01T10:00:00Z"));
    let before = instant("2026-03-01T00:00:00Z");
    let mut anchors = Vec::new();
    // One chain with both, one with old ones alone.
    for (olds, news) in [(20, 10), (8, 0)] {
        let store = open(&database.url);
        (0..olds).for_each(|_| note(&store, old, 1, None));
        anchors.extend(store.trail_heads());
        (0..news).for_each(|_| note(&store, new, 1, None));
        wait(store.close());
        anchors.extend(store.trail_heads());
    }
    let store = open(&database.url);
    // One that goes on while its beginning is forgotten.
    (0..5).for_each(|_| note(&store, old, 1, None));
    assert!(check(&store, &anchors, &key).is_sound());
    let refused = wait(store.write(|db: &mut Db<'_>| db.tamper("DELETE FROM audit_events WHERE seq = 1")));
    assert!(matches!(refused, Err(StoreError::Constraint(Constraint::AuditAppendOnly))), "{refused:?}");
    assert_eq!(forget(&store, before, &key), 33);
    let report = check(&store, &anchors, &key);
    assert!(report.is_sound() && report.events == 10, "{report:?}");
    assert_eq!(forget(&store, before, &key), 0, "there is nothing older any more");
    note(&store, new, 1, None);
    let report = check(&store, &anchors, &key);
    assert!(report.is_sound() && report.events == 11, "{report:?}");

    // Nothing but what was signed may be missing.
    for statement in [
        "DELETE FROM audit_events WHERE seq = 21",
        "DELETE FROM audit_events WHERE seq = 25",
        "UPDATE audit_beginnings SET seq = seq - 1",
        "DELETE FROM audit_beginnings",
    ] {
        let refused = wait(store.write(move |db: &mut Db<'_>| db.tamper(statement)));
        assert!(matches!(refused, Err(StoreError::Constraint(Constraint::AuditAppendOnly))), "{statement}: {refused:?}");
    }
    // Who can write into the database can move the beginning, but not sign it.
    let moved = "UPDATE audit_beginnings SET seq = seq + 2, prev_hash = (SELECT e.hash FROM audit_events e \
                 WHERE e.writer_id = audit_beginnings.writer_id AND e.seq = audit_beginnings.seq + 1) \
                 WHERE EXISTS (SELECT 1 FROM audit_events e WHERE e.writer_id = audit_beginnings.writer_id AND e.seq = audit_beginnings.seq + 2)";
    assert_eq!(wait(store.write(move |db: &mut Db<'_>| db.tamper(moved))).unwrap(), 1);
    wait(store.write(|db: &mut Db<'_>| db.tamper("DELETE FROM audit_events WHERE seq IN (21, 22)"))).unwrap();
    let report = check(&store, &anchors, &key);
    assert_eq!(report.faults.iter().map(|fault| (fault.seq, fault.kind)).collect::<Vec<_>>(), [(23, ChainFaultKind::WrongBeginning)]);
    wait(store.close());
}

fn reasons_are_erased(kind: Kind) {
    let database = TestDatabase::new(kind);
    let key = TrailKeys::of(&SigningKey::generate().unwrap());
    let store = open(&database.url);
    let at = instant("2026-01-01T10:00:00Z");
    note(&store, at, 1, Some("Aino soitti"));
    note(&store, at, 2, Some("Eino soitti"));
    note(&store, at, 1, None);
    let heads = store.trail_heads();
    assert_eq!(check(&store, &heads, &key).erased_reasons, 0);
    assert_eq!(wait(store.write(|db: &mut Db<'_>| db.audit_reasons_erase(client(1)))).unwrap(), 1);
    assert_eq!(wait(store.write(|db: &mut Db<'_>| db.audit_reasons_erase(client(1)))).unwrap(), 0);
    let report = check(&store, &heads, &key);
    assert!(report.is_sound() && report.erased_reasons == 1, "{report:?}");
    let rows = wait(store.read(|db: &mut Db<'_>| db.schema_rows("audit_events", &["reason"]))).unwrap();
    assert_eq!(rows, ["'Eino soitti'", "NULL", "NULL"]);
    // A reason is taken out as a whole or not at all, and never put in.
    for statement in [
        "UPDATE audit_events SET reason = 'Liisa soitti' WHERE seq = 2",
        "UPDATE audit_events SET reason = NULL WHERE seq = 2",
        "UPDATE audit_events SET reason = 'Aino soitti' WHERE seq = 1",
        "UPDATE audit_events SET reason = NULL, reason_salt = NULL, request_id = 'another' WHERE seq = 2",
        "UPDATE audit_events SET reason = NULL, reason_salt = NULL WHERE seq = 3",
    ] {
        let refused = wait(store.write(move |db: &mut Db<'_>| db.tamper(statement)));
        assert!(matches!(refused, Err(StoreError::Constraint(Constraint::AuditAppendOnly))), "{statement}: {refused:?}");
    }
    wait(store.close());
}

#[test]
fn old_events_are_forgotten_and_the_chains_hold_sqlite() {
    old_events_are_forgotten(Kind::Sqlite);
}

#[test]
fn old_events_are_forgotten_and_the_chains_hold_postgresql() {
    old_events_are_forgotten(Kind::Postgresql);
}

#[test]
fn stated_reasons_are_erased_and_the_chains_hold_sqlite() {
    reasons_are_erased(Kind::Sqlite);
}

#[test]
fn stated_reasons_are_erased_and_the_chains_hold_postgresql() {
    reasons_are_erased(Kind::Postgresql);
}
