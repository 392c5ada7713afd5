//! All or nothing, never over somebody else's change, and never without a trace in the trail.

use lahete_domain::actor::Caller;
use lahete_domain::audit::AuditEvent;
use lahete_domain::codes::{AuditAction, AuditOutcome, Role};
use lahete_domain::referral::state::ReferralState;
use lahete_domain::version::Version;
use lahete_persistence::repo::audit::AuditFilter;
use lahete_persistence::{Db, PageRequest, StoreError};

use super::{case, client, fresh, now, store_case, store_test};
use crate::support::database::{open, wait};
use crate::support::world::People;

store_test! {
    fn a_change_of_an_older_version_is_refused(stage: Stage) {
        let case = stage.referral(ReferralState::Submitted);
        let id = case.referral.id;
        let mut reviewed = case.clone();
        reviewed.referral.state = ReferralState::InReview;
        let written = reviewed.clone();
        stage.put(move |db| db.referral_update(&written, Version::FIRST));
        let mut late = case.clone();
        late.referral.state = ReferralState::EnteredInError;
        let written = late.clone();
        let outcome = stage.write(move |db| db.referral_update(&written, Version::FIRST));
        assert!(matches!(outcome, Err(StoreError::Stale)), "{outcome:?}");
        let written = late.clone();
        let outcome = stage.write(move |db| db.referral_update(&written, Version::new(99).unwrap()));
        assert!(matches!(outcome, Err(StoreError::Stale)), "a version that is still to come: {outcome:?}");
        late.referral.id = fresh();
        let outcome = stage.write(move |db| db.referral_update(&late, Version::FIRST));
        assert!(matches!(outcome, Err(StoreError::Stale)), "a row that is not there: {outcome:?}");
        reviewed.referral.version = Version::FIRST.next();
        assert_eq!(stage.read(move |db| db.referral_case(id)), Some(reviewed));

        let people = stage.own;
        for outcome in [
            stage.write(move |db| { let x = db.programme_get(people.programme)?.unwrap(); db.programme_update(&x, Version::new(7).unwrap()) }),
            stage.write(move |db| { let x = db.organisation_get(people.organisation)?.unwrap(); db.organisation_update(&x, Version::new(7).unwrap()) }),
            stage.write(move |db| { let x = db.user_get(people.referrer)?.unwrap(); db.user_update(&x, Version::new(7).unwrap()) }),
            stage.write(move |db| { let x = db.link_worker_get(people.worker)?.unwrap(); db.link_worker_update(&x, Version::new(7).unwrap()) }),
            stage.write(move |db| { let x = db.activity_get(people.activity)?.unwrap(); db.activity_update(&x, Version::new(7).unwrap()) }),
            stage.write(move |db| { let x = db.client_get(case.referral.client)?.unwrap(); db.client_update(&x, Version::new(7).unwrap()) }),
        ] {
            assert!(matches!(outcome, Err(StoreError::Stale)), "{outcome:?}");
        }
    }
}

store_test! {
    fn an_error_or_a_panic_leaves_nothing_behind(stage: Stage) {
        let about = client(&stage.own);
        let kept = case(&stage.own, &about, ReferralState::Submitted);
        let (id, client_id) = (kept.referral.id, about.id);
        let (one, two) = (about.clone(), kept.clone());
        let outcome = stage.write(move |db| -> Result<(), StoreError> {
            store_case(db, &one, &two)?;
            Err(StoreError::Stale)
        });
        assert!(matches!(outcome, Err(StoreError::Stale)), "{outcome:?}");
        let (one, two) = (about.clone(), kept.clone());
        let outcome = stage.write(move |db| -> Result<(), StoreError> {
            store_case(db, &one, &two)?;
            panic!("a fault in the program")
        });
        assert!(matches!(outcome, Err(StoreError::Panicked)), "{outcome:?}");
        // A statement that fails in the middle takes the ones before it along, even when the closure passes over it.
        let (one, two) = (about.clone(), kept.clone());
        let outcome = stage.write(move |db| -> Result<(), StoreError> {
            store_case(db, &one, &two)?;
            let _ = db.client_insert(&one, false, now());
            Ok(())
        });
        assert!(outcome.is_err(), "an answer of yes to what was not written");
        assert_eq!(stage.read(move |db| db.referral_case(id)), None);
        assert_eq!(stage.read(move |db| db.client_get(client_id)), None);
        stage.put(move |db| store_case(db, &about, &kept));
        assert!(stage.read(move |db| db.referral_case(id)).is_some(), "the store goes on");
    }
}

fn access(people: &People, outcome: AuditOutcome, request: &str) -> AuditEvent {
    AuditEvent {
        at: now(),
        caller: Caller::User(people.coordinator),
        role: (outcome == AuditOutcome::Allowed).then_some(Role::Coordinator),
        organisation: None,
        programme: Some(people.programme),
        client: Some(fresh()),
        referral: Some(fresh()),
        operation: "referral_view",
        action: AuditAction::Read,
        outcome,
        reason: Some("kiireellinen".to_owned()),
        request_id: request.to_owned(),
    }
}

fn requests(db: &mut Db<'_>) -> Result<Vec<String>, StoreError> {
    let page = db.audit_list(AuditFilter::default(), &PageRequest::first(100))?;
    let mut requests: Vec<_> = page.items.into_iter().map(|event| event.request_id).collect();
    requests.sort();
    Ok(requests)
}

store_test! {
    fn accesses_are_durable_before_the_answer_and_denials_outlive_the_failure(stage: Stage) {
        let people = stage.own;
        stage.read(move |db| -> Result<(), StoreError> {
            db.audit(access(&people, AuditOutcome::Allowed, "read"));
            Ok(())
        });
        // Another program sees it at once: it is not only in this one's memory.
        let other = open(&stage.database.url);
        assert_eq!(wait(other.read(requests)).unwrap(), ["read"]);
        let refused = wait(stage.store.read(move |db: &mut Db<'_>| -> Result<(), StoreError> {
            db.audit(access(&people, AuditOutcome::Allowed, "never answered"));
            db.audit(access(&people, AuditOutcome::Denied, "denied read"));
            Err(StoreError::Stale)
        }));
        assert!(matches!(refused, Err(StoreError::Stale)));
        let refused = stage.write(move |db| -> Result<(), StoreError> {
            db.audit(access(&people, AuditOutcome::Allowed, "never written"));
            db.audit(access(&people, AuditOutcome::Denied, "denied write"));
            Err(StoreError::Stale)
        });
        assert!(matches!(refused, Err(StoreError::Stale)));
        stage.put(move |db| -> Result<(), StoreError> {
            db.audit(access(&people, AuditOutcome::Allowed, "write"));
            Ok(())
        });
        assert_eq!(wait(other.read(requests)).unwrap(), ["denied read", "denied write", "read", "write"]);
        let report = wait(other.read(|db: &mut Db<'_>| db.audit_verify())).unwrap();
        assert!(report.is_sound() && report.events == 4, "{report:?}");
        let event = stage.read(|db| db.audit_list(AuditFilter::default(), &PageRequest::first(100))).items.into_iter().find(|event| event.request_id == "read").unwrap();
        assert_eq!((event.at, event.caller, event.role), (now(), Caller::User(people.coordinator), Some(Role::Coordinator)));
        assert_eq!((event.operation.as_str(), event.reason.as_deref()), ("referral_view", Some("kiireellinen")));
        wait(other.close());
    }
}
