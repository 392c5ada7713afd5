//! Many at once: nobody is turned away for a lock, nothing is lost, and on SQLite the many share few syncs.

use std::sync::Mutex;
use std::time::Instant;

use lahete_domain::access::Visibility;
use lahete_domain::ids::{Id as _, ReferralId};
use lahete_domain::referral::state::ReferralState;
use lahete_domain::version::Version;
use lahete_persistence::repo::referrals::ReferralFilter;
use lahete_persistence::{Db, PageRequest, Store, StoreError};
use uuid::Uuid;

use super::{case, client, now, store_case};
use crate::support::app::text;
use crate::support::database::wait;
use crate::support::{Kind, TestApp};

const WRITERS: usize = 64;
const REFERRALS_EACH: usize = 5;
const STEPS_EACH: usize = 10;

/// Adds one to a referral's version by reading it, changing it and writing it over the version that was read.
fn step(store: &Store, id: ReferralId) -> Result<(), StoreError> {
    let outcome = store.write(move |db: &mut Db<'_>| {
        let case = db.referral_case(id)?.unwrap();
        db.referral_update(&case, case.referral.version)
    });
    // Each thread waits by itself: one runtime for all would let one wait at a time.
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(outcome)
}

fn many_writers(kind: Kind) {
    let app = TestApp::start_with(kind, &[("handler_timeout_seconds", "60")]);
    let people = app.world.own;
    let about = client(&people);
    let counter = case(&people, &about, ReferralState::Submitted);
    let counted = counter.referral.id;
    wait(app.store.write(move |db: &mut Db<'_>| store_case(db, &about, &counter))).unwrap();

    // Over HTTP: each writes and sends referrals. On PostgreSQL writers may collide beyond the store's own tries, and are told to come again.
    let before = app.store.stats();
    let begin = Instant::now();
    let sent: Mutex<Vec<ReferralId>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (app, sent) = (&app, &sent);
            scope.spawn(move || {
                for n in 0..REFERRALS_EACH {
                    let key = format!("{writer}-{n}");
                    let id = loop {
                        let call = app.user(people.referrer).post("/v1/referrals").key(&key);
                        let reply = call.json(crate::http::complete_referral()).send();
                        if reply.status == 503 && kind == Kind::Postgresql {
                            std::thread::sleep(std::time::Duration::from_millis(20));
                            continue;
                        }
                        break text(&reply.expect(201), "id");
                    };
                    sent.lock().unwrap().push(ReferralId::from_uuid(Uuid::parse_str(&id).unwrap()));
                }
            });
        }
    });
    let after = app.store.stats();
    let (commits, syncs) = (after.commits_requested - before.commits_requested, after.groups - before.groups);
    println!(
        "{kind:?}, HTTP: {WRITERS} writers, {commits} commits asked for, {syncs} made, {} retries, {:?}",
        after.retries,
        begin.elapsed()
    );
    let sent = sent.into_inner().unwrap();
    assert_eq!(sent.len(), WRITERS * REFERRALS_EACH);
    assert!(commits >= sent.len() as u64);

    // Straight at the store: all of them change the same row.
    let before = app.store.stats();
    let begin = Instant::now();
    let turned_away: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..WRITERS)
            .map(|_| {
                let app = &app;
                scope.spawn(move || {
                    let mut turned_away = 0;
                    for _ in 0..STEPS_EACH {
                        loop {
                            match step(&app.store, counted) {
                                Ok(()) => break,
                                Err(StoreError::Busy) if kind == Kind::Postgresql => turned_away += 1,
                                Err(error) => panic!("{error:?}"),
                            }
                        }
                    }
                    turned_away
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let after = app.store.stats();
    let (commits, syncs) = (after.commits_requested - before.commits_requested, after.groups - before.groups);
    println!(
        "{kind:?}, store: {WRITERS} writers of one row, {commits} commits asked for, {syncs} made, largest group {}, {turned_away} turned away, {:?}",
        after.largest_group,
        begin.elapsed()
    );
    let steps = i64::try_from(WRITERS * STEPS_EACH).unwrap();
    let stored = wait(app.store.read(move |db: &mut Db<'_>| db.referral_case(counted))).unwrap().unwrap();
    assert_eq!(stored.referral.version, Version::new(1 + steps).unwrap(), "no update is lost");
    if kind == Kind::Sqlite {
        assert!(syncs * 5 <= commits, "one sync for at least five commits: {syncs} for {commits}");
        assert_eq!((after.refused, after.expired), (0, 0));
    }

    let visibility = Visibility { programmes: vec![people.programme], ..Visibility::default() };
    let all = wait(app.store.read(move |db: &mut Db<'_>| {
        db.referral_list(&visibility, &ReferralFilter::default(), now().helsinki_date(), &PageRequest::first(1000))
    }))
    .unwrap();
    let mut present: Vec<_> = all.items.iter().map(|case| case.referral.id).filter(|id| *id != counted).collect();
    let mut sent = sent;
    present.sort_unstable();
    sent.sort_unstable();
    assert_eq!(present, sent, "each referral that was acknowledged is there, and no other");
    assert!(wait(app.store.read(|db: &mut Db<'_>| db.audit_verify())).unwrap().is_sound());
}

#[test]
fn sixty_four_writers_on_sqlite() {
    many_writers(Kind::Sqlite);
}

#[test]
fn sixty_four_writers_on_postgresql() {
    many_writers(Kind::Postgresql);
}
