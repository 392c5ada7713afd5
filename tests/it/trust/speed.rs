//! How quick the check of the trail is, beside plain hashing of as many bytes. Figures for a reader; only counts decide.

use std::sync::Arc;
use std::time::Instant as Timer;

use lahete_domain::actor::Caller;
use lahete_domain::audit::AuditEvent;
use lahete_domain::codes::{AuditAction, AuditOutcome, Role};
use lahete_domain::ids::Id as _;
use lahete_persistence::{Db, StoreError};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{progress, rounds};
use crate::support::Kind;
use crate::support::clock::instant;
use crate::support::database::{TestDatabase, open, wait};

/// Events that one read leaves.
const BATCH: usize = 200;

fn quick(kind: Kind) {
    let database = TestDatabase::new(kind);
    let store = open(&database.url);
    let wanted = rounds(6_000, 1_000_000).max(1000);
    let event = AuditEvent {
        at: instant("2026-11-22T10:00:00.123456Z"),
        caller: Caller::User(lahete_domain::ids::UserId::from_uuid(Uuid::from_u128(1))),
        role: Some(Role::Coordinator),
        organisation: Some(lahete_domain::ids::OrganisationId::from_uuid(Uuid::from_u128(2))),
        programme: Some(lahete_domain::ids::ProgrammeId::from_uuid(Uuid::from_u128(3))),
        client: Some(lahete_domain::ids::ClientId::from_uuid(Uuid::from_u128(4))),
        referral: Some(lahete_domain::ids::ReferralId::from_uuid(Uuid::from_u128(5))),
        operation: "referral_view",
        action: AuditAction::Read,
        outcome: AuditOutcome::Allowed,
        reason: None,
        request_id: Uuid::from_u128(6).to_string(),
    };
    let shared = Arc::new(event);
    for _ in 0..wanted / BATCH {
        let event = Arc::clone(&shared);
        wait(store.read(move |db: &mut Db<'_>| -> Result<(), StoreError> {
            // Each of another call.
            (0..BATCH as u128).for_each(|call| db.audit(AuditEvent { request_id: Uuid::from_u128(call).to_string(), ..(*event).clone() }));
            Ok(())
        }))
        .unwrap();
    }
    let begun = Timer::now();
    let report = wait(store.verify_audit_trail(|_| {})).unwrap();
    let checked = begun.elapsed();
    assert_eq!((report.events, report.is_sound()), ((wanted / BATCH * BATCH) as u64, true));
    let sample = wait(store.read(|db: &mut Db<'_>| -> Result<_, StoreError> {
        db.audit_list(lahete_persistence::repo::audit::AuditFilter::default(), &lahete_persistence::PageRequest::first(1))
    }))
    .unwrap()
    .items
    .remove(0);
    let bytes = sample.canonical_bytes();
    let begun = Timer::now();
    let mut hash = [0_u8; 32];
    for _ in 0..report.events {
        hash = Sha256::new().chain_update(hash).chain_update(&bytes).finalize().into();
    }
    let plain = begun.elapsed();
    assert_ne!(hash, [0; 32]);
    let line = format!(
        "{kind:?}: {} events checked in {checked:?}, {} events/s; plain SHA-256 of the same {} bytes each: {plain:?}, {} % of the time",
        report.events,
        u128::from(report.events) * 1_000_000 / checked.as_micros().max(1),
        bytes.len(),
        checked.as_micros() * 100 / plain.as_micros().max(1)
    );
    println!("{line}");
    progress(&line);
    wait(store.close());
}

#[test]
fn the_check_of_the_trail_in_figures_sqlite() {
    quick(Kind::Sqlite);
}

#[test]
fn the_check_of_the_trail_in_figures_postgresql() {
    quick(Kind::Postgresql);
}
