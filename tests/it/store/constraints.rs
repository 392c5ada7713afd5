//! The last line of defence: each rule of the schema that a caller answers for is reported by its own name, on both databases.

use lahete_domain::activity::{ActivityLink, ActivityLinkState};
use lahete_domain::assignment::{Assignment, AssignmentState};
use lahete_domain::client::{Client, ClientData};
use lahete_domain::codes::{AssignmentEndReason, Instrument, LinkWorkerStatus, MissingReason, Timepoint};
use lahete_domain::identity_code::IdentityCode;
use lahete_domain::link_worker::LinkWorker;
use lahete_domain::measure::{Answer, Measure};
use lahete_domain::money::Cents;
use lahete_domain::programme::Terms;
use lahete_domain::referral::Source;
use lahete_domain::referral::state::ReferralState;
use lahete_domain::user::User;
use lahete_domain::version::Version;
use lahete_persistence::repo::idempotency::{StoredAnswer, Told};
use lahete_persistence::{Constraint, StoreError};

use super::{case, client, day, fresh, now, store_case, store_test};

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T, StoreError>, wanted: Constraint) {
    match outcome {
        Err(StoreError::Constraint(constraint)) if constraint == wanted => {}
        other => panic!("{wanted:?} was expected: {other:?}"),
    }
}

store_test! {
    fn one_referral_for_each_source_id(stage: Stage) {
        let mut first = stage.referral(ReferralState::Submitted);
        first.referral.content.source = Some(Source { system: "ehr-own".to_owned(), id: "REF-1".to_owned() });
        let written = first.referral.clone();
        stage.put(move |db| db.referral_update_content(&written));
        let about = client(&stage.own);
        let mut second = case(&stage.own, &about, ReferralState::Draft);
        second.referral.content.source = first.referral.content.source.clone();
        let (about, written, id) = (about, second.clone(), second.referral.id);
        refused(stage.write(move |db| store_case(db, &about, &written)), Constraint::SourceTaken);
        assert_eq!(stage.read(move |db| db.referral_case(id)), None, "nothing of it is left");
        let third = stage.referral(ReferralState::Draft);
        let mut content = third.referral.clone();
        content.content.source = first.referral.content.source.clone();
        refused(stage.write(move |db| db.referral_update_content(&content)), Constraint::SourceTaken);
        // The same id from another system is another referral.
        let mut other = third.referral;
        other.content.source = Some(Source { system: "ehr-other".to_owned(), id: "REF-1".to_owned() });
        stage.put(move |db| db.referral_update_content(&other));
    }
}

store_test! {
    fn one_known_client_for_each_identity_code(stage: Stage) {
        let code = IdentityCode::parse("010100-9204", now().helsinki_date()).unwrap();
        let with_code = |people| Client { data: ClientData { identity_code: Some(code.clone()), ..client(people).data }, ..client(people) };
        let (known, again, draft, elsewhere) = (with_code(&stage.own), with_code(&stage.own), with_code(&stage.own), with_code(&stage.other));
        stage.put(move |db| db.client_insert(&known, false, now()));
        refused(stage.write(move |db| db.client_insert(&again, false, now())), Constraint::IdentityCodeTaken);
        // A draft does not tell its writer whom the programme knows; it is told apart when it is sent.
        let id = draft.id;
        stage.put(move |db| db.client_insert(&draft, true, now()));
        refused(stage.write(move |db| db.client_confirm(id)), Constraint::IdentityCodeTaken);
        stage.put(move |db| db.client_insert(&elsewhere, false, now()));
    }
}

store_test! {
    fn one_open_assignment_for_each_referral(stage: Stage) {
        let people = stage.own;
        let referral = stage.referral(ReferralState::Waitlisted).referral.id;
        let proposal = move || Assignment {
            id: fresh(),
            version: Version::FIRST,
            programme: people.programme,
            referral,
            link_worker: people.worker,
            link_worker_user: people.link_worker,
            proposed_by: people.coordinator,
            proposed_at: now(),
            expires_at: now().plus_days(7),
            message: None,
            state: AssignmentState::Proposed,
        };
        let (first, second) = (proposal(), proposal());
        let written = first.clone();
        stage.put(move |db| db.assignment_insert(&written));
        let written = second.clone();
        refused(stage.write(move |db| db.assignment_insert(&written)), Constraint::AssignmentOpen);
        let accepted = first.accept(now()).unwrap();
        let written = accepted.clone();
        stage.put(move |db| db.assignment_update(&written, Version::FIRST));
        let written = second.clone();
        refused(stage.write(move |db| db.assignment_insert(&written)), Constraint::AssignmentOpen);
        let ended = accepted.end(AssignmentEndReason::ClientWish, now()).unwrap();
        stage.put(move |db| {
            db.assignment_update(&ended, Version::FIRST.next())?;
            db.assignment_insert(&second)
        });
    }
}

store_test! {
    fn one_questionnaire_for_each_timepoint(stage: Stage) {
        let (_, period) = stage.supported();
        let measure = |instrument: Instrument, timepoint| Measure {
            id: fresh(),
            support_period: period.id,
            instrument: instrument.into(),
            version: 1,
            timepoint,
            answer: Answer::Missing(MissingReason::Declined),
            recorded_at: now(),
        };
        let (first, again) = (measure(Instrument::Swemwbs, Timepoint::Start), measure(Instrument::Swemwbs, Timepoint::Start));
        let (later, other) = (measure(Instrument::Swemwbs, Timepoint::End), measure(Instrument::Recommendation, Timepoint::Start));
        stage.put(move |db| db.measure_insert(&first));
        refused(stage.write(move |db| db.measure_insert(&again)), Constraint::MeasureTaken);
        stage.put(move |db| {
            db.measure_insert(&later)?;
            db.measure_insert(&other)
        });
    }
}

store_test! {
    fn one_account_for_each_login(stage: Stage) {
        let programme = stage.other.programme;
        let user = User {
            id: fresh(),
            version: Version::FIRST,
            programme,
            login: "own-coordinator".to_owned(),
            name: "Toinen".to_owned(),
            active: true,
        };
        refused(stage.write(move |db| db.user_insert(&user, None)), Constraint::LoginTaken);
    }
}

store_test! {
    fn one_link_to_each_activity(stage: Stage) {
        let referral = stage.referral(ReferralState::InReview).referral.id;
        let link = |activity| ActivityLink { id: fresh(), version: Version::FIRST, referral, activity, state: ActivityLinkState::Proposed, unmet_needs: std::collections::BTreeSet::new(), proposed_at: now() };
        let (first, again, other) = (link(stage.own.activity), link(stage.own.activity), link(stage.own.other_activity));
        stage.put(move |db| db.activity_link_insert(&first));
        refused(stage.write(move |db| db.activity_link_insert(&again)), Constraint::ActivityLinkTaken);
        stage.put(move |db| db.activity_link_insert(&other));
    }
}

store_test! {
    fn one_set_of_terms_from_each_day(stage: Stage) {
        let programme = stage.own.programme;
        let terms = |from: &str| Terms {
            id: fresh(),
            programme,
            valid_from: day(from),
            max_months: 6,
            max_minutes_per_month: 600,
            fee_per_hour: Cents(1300),
        };
        let (again, later) = (terms("2022-01-01"), terms("2022-01-02"));
        refused(stage.write(move |db| db.terms_insert(&again)), Constraint::TermsDayTaken);
        stage.put(move |db| db.terms_insert(&later));
    }
}

store_test! {
    fn one_link_worker_for_each_person(stage: Stage) {
        let worker = LinkWorker {
            id: fresh(),
            version: Version::FIRST,
            programme: stage.own.programme,
            user: stage.own.link_worker,
            name: "Liisa Linkki".to_owned(),
            status: LinkWorkerStatus::Active,
            municipalities: std::collections::BTreeSet::new(),
            languages: std::collections::BTreeSet::new(),
            interests: None,
            max_clients: 1,
            hours_per_month: 1,
        };
        refused(stage.write(move |db| db.link_worker_insert(&worker)), Constraint::LinkWorkerTaken);
    }
}

store_test! {
    fn one_answer_for_each_idempotency_key(stage: Stage) {
        let answer = || StoredAnswer {
            fingerprint: vec![0, 1, 255],
            status: 201,
            told: Some(Told { headers: vec![("ETag".to_owned(), "\"1\"".to_owned())], body: "{}".to_owned() }),
            created_at: now(),
        };
        stage.put(move |db| db.idempotency_insert("user:1", "referral_create", "k", &answer()));
        let again = stage.write(move |db| db.idempotency_insert("user:1", "referral_create", "k", &answer()));
        refused(again, Constraint::IdempotencyKeyTaken);
        stage.put(move |db| {
            db.idempotency_insert("user:2", "referral_create", "k", &answer())?;
            db.idempotency_insert("user:1", "visit_create", "k", &answer())
        });
        assert_eq!(stage.read(|db| db.idempotency_find("user:1", "referral_create", "k")), Some(answer()));
    }
}

store_test! {
    fn a_reference_to_nothing_is_refused(stage: Stage) {
        let case = case(&stage.own, &client(&stage.own), ReferralState::Draft);
        refused(stage.write(move |db| db.referral_insert(&case)), Constraint::ForeignKey);
    }
}
