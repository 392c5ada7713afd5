//! Panics in the middle of other people's work: theirs goes on, and nothing of the panicking call is left.

use std::sync::atomic::{AtomicUsize, Ordering};

use lahete_domain::referral::state::ReferralState;
use lahete_persistence::{Db, StoreError};
use serde_json::json;

use super::{expect_sound, rounds, stored_marks};
use crate::store::{case, client, store_case};
use crate::support::on_both;

on_both! {
    fn others_do_not_notice(app: TestApp) {
        let (people, panicked) = (app.world.own, AtomicUsize::new(0));
        let each = rounds(15, 300);
        let before = app.store.stats().panics;
        std::thread::scope(|scope| {
            for caller in 0..4 {
                let app = &app;
                scope.spawn(move || {
                    for n in 0..each {
                        let mut body = crate::http::complete_referral();
                        body["wish"] = json!(format!("{caller}-{n}"));
                        let reply = loop {
                            let reply = app.user(people.referrer).post("/v1/referrals").key(&format!("{caller}-{n}")).json(body.clone()).send();
                            // On PostgreSQL writers may collide beyond the store's own tries.
                            if reply.status != 503 {
                                break reply;
                            }
                        };
                        let id = crate::support::app::text(&reply.expect(201), "id");
                        app.user(people.coordinator).get(&format!("/v1/referrals/{id}")).send().expect(200);
                    }
                });
            }
            for caller in 0..4 {
                let (app, panicked) = (&app, &panicked);
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    for n in 0..each {
                        let about = client(&people);
                        let written = case(&people, &about, ReferralState::Submitted);
                        let outcome = if (caller + n) % 2 == 0 {
                            // In the middle of a write, within the same group as the writes of the others.
                            runtime.block_on(app.store.write(move |db: &mut Db<'_>| -> Result<(), StoreError> {
                                store_case(db, &about, &written)?;
                                panic!("in the middle of a write")
                            }))
                        } else {
                            runtime.block_on(app.store.read(move |db: &mut Db<'_>| -> Result<(), StoreError> {
                                db.referral_case(written.referral.id)?;
                                panic!("in the middle of a read")
                            }))
                        };
                        assert!(matches!(outcome, Err(StoreError::Panicked)), "{outcome:?}");
                        panicked.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        let panicked = u64::try_from(panicked.into_inner()).unwrap();
        assert_eq!(app.store.stats().panics - before, panicked);
        let marks = crate::support::database::wait(app.store.read(stored_marks)).unwrap();
        assert_eq!(marks.len(), 4 * each, "all of the others' writes, and none of those that panicked");
        expect_sound(&app.store);
    }
}
