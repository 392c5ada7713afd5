//! From a proposal to a link worker who walks beside the client.

use lahete_domain::ids::Id as _;
use serde_json::{Value, json};

use super::{about, assigned, each, id, in_support, items, propose, start, step, taken, the_clock_looks, version};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::{Reply, TestApp, on_both};

fn try_propose(app: &TestApp, referral: &str) -> Reply {
    let body = json!({"link_worker_id": app.world.own.worker.as_uuid()});
    app.user(app.world.own.coordinator).post(&format!("{referral}/assignments")).json(body).send()
}

on_both! {
    fn a_proposal_tells_no_name_until_it_is_accepted(app: TestApp) {
        let people = app.world.own;
        let referral = taken(&app, complete());
        let assignment = propose(&app, &referral, people.worker);
        try_propose(&app, &referral).problem(409, "assignment_already_open");
        let seen = app.user(people.link_worker).get(&assignment).send().expect(200);
        assert_eq!((&seen["age_group"], &seen["municipality"]), (&json!("80-89"), &json!("758")));
        for hidden in ["referral_id", "client_id"] {
            assert_eq!(seen[hidden], Value::Null, "{seen}");
        }
        assert!(!seen.to_string().contains("Esimerkki"), "{seen}");
        app.user(people.link_worker).get(&referral).send().problem(404, "not_found");
        app.user(people.other_link_worker).get(&assignment).send().problem(404, "not_found");
        step(&app, people.other_link_worker, &assignment, "accept", Value::Null).problem(404, "not_found");
        step(&app, people.coordinator, &assignment, "accept", Value::Null).problem(403, "forbidden");

        let accepted = step(&app, people.link_worker, &assignment, "accept", Value::Null).expect(200);
        assert_eq!((&accepted["state"], text(&accepted, "referral_id").as_str()), (&json!("accepted"), id(&referral)));
        let opened = app.user(people.link_worker).get(&referral).send().expect(200);
        assert_eq!(opened["state"], "assigned");
        assert_eq!(opened["client"]["contact"]["phone"], "+358 40 555 0101");
        step(&app, people.link_worker, &assignment, "accept", Value::Null).problem(409, "assignment_wrong_state");
        try_propose(&app, &referral).problem(409, "wrong_state");
    }
}

on_both! {
    fn who_declares_a_conflict_of_interest_is_never_proposed_for_that_client_again(app: TestApp) {
        let people = app.world.own;
        let mut body = complete();
        body["client"]["personal_identity_code"] = json!("070542-902F");
        let referral = taken(&app, body.clone());
        let assignment = propose(&app, &referral, people.worker);
        let declined = step(&app, people.link_worker, &assignment, "decline", json!({"reason": "conflict_of_interest"})).expect(200);
        assert_eq!((&declined["state"], &declined["decline_reason"]), (&json!("declined"), &json!("conflict_of_interest")));
        app.user(people.link_worker).get(&assignment).send().problem(404, "not_found");
        try_propose(&app, &referral).problem(409, "link_worker_conflict");
        let again = taken(&app, body);
        try_propose(&app, &again).problem(409, "link_worker_conflict");
        propose(&app, &again, people.other_worker);
        propose(&app, &taken(&app, about("Toinen")), people.worker);
    }
}

on_both! {
    fn a_proposal_lapses_after_seven_days_and_says_so_to_who_comes_late(app: TestApp) {
        let people = app.world.own;
        let referral = taken(&app, complete());
        let assignment = propose(&app, &referral, people.worker);
        app.clock.advance_days(7);
        let late = step(&app, people.link_worker, &assignment, "accept", Value::Null);
        assert!([404, 409].contains(&late.status), "{late:?}");
        assert_eq!(the_clock_looks(&app).proposals, 1);
        assert_eq!(app.user(people.coordinator).get(&assignment).send().expect(200)["state"], "expired");
        assert_eq!(app.user(people.coordinator).get(&referral).send().expect(200)["state"], "in_review");
        let told = items(app.user(people.coordinator).get(&format!("{referral}/timeline")).send()).pop().unwrap();
        assert_eq!(told["kind"], "assignment_expired");
        propose(&app, &referral, people.worker);
    }
}

on_both! {
    fn an_assignment_that_ends_brings_the_client_back_to_their_old_place(app: TestApp) {
        let people = app.world.own;
        let referral = taken(&app, complete());
        let waiting = step(&app, people.coordinator, &referral, "waitlist", json!({"priority": "urgent"})).expect(200);
        app.clock.advance_days(3);
        let assignment = propose(&app, &referral, people.worker);
        step(&app, people.link_worker, &assignment, "accept", Value::Null).expect(200);
        let reason = json!({"reason": "support_ended"});
        step(&app, people.link_worker, &assignment, "end", reason).problem(422, "invalid");
        step(&app, people.link_worker, &assignment, "end", json!({"reason": "link_worker_unavailable", "comment": "Muutan pois."})).expect(200);
        app.user(people.link_worker).get(&referral).send().problem(404, "not_found");
        app.user(people.link_worker).get(&assignment).send().problem(404, "not_found");
        let back = app.user(people.coordinator).get(&referral).send().expect(200);
        assert_eq!((&back["state"], &back["waiting_since"]), (&json!("waitlisted"), &waiting["waiting_since"]));
        assert_eq!(back["priority"], "urgent");
        assert_eq!(each(app.user(people.coordinator).get(&format!("{referral}/assignments")).send(), "end_reason"), ["link_worker_unavailable"]);
    }
}

on_both! {
    fn whatever_stands_against_a_link_worker_is_named(app: TestApp) {
        let people = app.world.own;
        let coordinator = app.user(people.coordinator);
        let referral = taken(&app, complete());
        let worker = format!("/v1/link-workers/{}", people.worker);
        let set = |change: Value| {
            coordinator.patch(&worker).if_match(version(&app, &worker)).json(change).send().expect(200);
        };
        set(json!({"status": "paused"}));
        try_propose(&app, &referral).problem(409, "link_worker_not_active");
        set(json!({"status": "active", "municipalities": ["148"]}));
        try_propose(&app, &referral).problem(409, "link_worker_outside_area");
        set(json!({"municipalities": ["758"], "max_clients": 1, "hours_per_month": 1}));
        let (other, period) = in_support(&app, about("Toinen"));
        let full = try_propose(&app, &referral).problem(409, "link_worker_full");
        assert_eq!(full["params"], json!({"open": 1, "max": 1}));
        set(json!({"max_clients": 2}));
        let hours = try_propose(&app, &referral).problem(409, "link_worker_hours_full");
        assert_eq!(hours["params"], json!({"hours": 1}));
        app.clock.set("2026-12-01T10:00:00Z");
        propose(&app, &referral, people.worker);
        assert_eq!(coordinator.get(&other).send().expect(200)["support_period_id"], id(&period));
    }
}

on_both! {
    fn a_newcomer_needs_training_and_a_contract_before_the_first_client(app: TestApp) {
        let people = app.world.own;
        let (admin, coordinator) = (app.user(people.admin), app.user(people.coordinator));
        let programme = people.programme.to_string();
        let user = json!({"programme_id": programme, "login": "uusi", "name": "Uusi Linkki"});
        let user = text(&admin.post("/v1/users").json(user).send().expect(201), "id");
        let card = json!({
            "programme_id": programme, "user_id": user, "name": "Uusi Linkki", "municipalities": ["758"], "max_clients": 2, "hours_per_month": 20
        });
        let worker = coordinator.post("/v1/link-workers").json(card.clone()).send().expect(201);
        assert_eq!((&worker["trained"], &worker["contract_valid"]), (&json!(false), &json!(false)));
        coordinator.post("/v1/link-workers").json(card).send().problem(409, "link_worker_exists");
        let worker = format!("/v1/link-workers/{}", text(&worker, "id"));
        let referral = taken(&app, complete());
        let proposed = || coordinator.post(&format!("{referral}/assignments")).json(json!({"link_worker_id": id(&worker)})).send();
        proposed().problem(409, "link_worker_not_trained");
        let training = json!({"kind": "basic_course", "provider": "Lapin AMK", "completed_on": "2026-11-20", "credits": "5.0"});
        coordinator.post(&format!("{worker}/trainings")).json(training).send().expect(201);
        proposed().problem(409, "link_worker_without_contract");
        let contract = json!({"kind": "fee", "employer_id": people.employer.as_uuid(), "valid_from": "2026-11-23", "valid_until": "2026-12-31"});
        coordinator.post(&format!("{worker}/contracts")).json(contract).send().expect(201);
        proposed().problem(409, "link_worker_without_contract");
        app.clock.set_day("2026-11-23");
        proposed().expect(201);
    }
}

on_both! {
    fn a_deferred_client_releases_the_link_worker(app: TestApp) {
        let people = app.world.own;
        let (referral, assignment) = assigned(&app, complete());
        step(&app, people.coordinator, &referral, "defer", json!({"resume_on": "2027-02-01"})).expect(200);
        app.user(people.link_worker).get(&referral).send().problem(404, "not_found");
        assert_eq!(app.user(people.coordinator).get(&assignment).send().expect(200)["end_reason"], "deferred");
        step(&app, people.link_worker, &referral, "support-period", start()).problem(404, "not_found");
        assert_eq!(step(&app, people.coordinator, &referral, "resume", json!({})).expect(200)["state"], "waitlisted");
    }
}
