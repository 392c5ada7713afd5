//! How a referral ends otherwise than by support that was completed.

use lahete_domain::ids::Id as _;
use serde_json::{Value, json};

use super::{about, assigned, each, id, in_support, items, propose, send, sign_in_of, step, taken, version};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::on_both;

on_both! {
    fn a_client_who_withdraws_in_support_is_left_alone_at_once(app: TestApp) {
        let people = app.world.own;
        let (referral, period) = in_support(&app, complete());
        sign_in_of(&app, &referral, people.client);
        let plan = json!({"state": "planned", "on": "2026-12-01", "minutes": 60, "mode": "home_visit"});
        let planned = app.user(people.link_worker).post(&format!("{period}/visits")).json(plan).send().expect(201);
        step(&app, people.referrer, &referral, "withdraw", json!({})).problem(409, "referral_not_yours_to_withdraw");
        let before = app.user(people.referrer).get(&referral).send().expect(200);
        assert!(!before["possible"].as_array().unwrap().contains(&json!("withdraw")), "{before}");

        let gone = step(&app, people.client, &referral, "withdraw", json!({"comment": "En jaksa enää."})).expect(200);
        assert_eq!((&gone["closure"]["outcome"], &gone["closure"]["end_reason"]), (&json!("withdrawn"), &json!("client_withdrew")));
        let visit = format!("/v1/visits/{}", text(&planned, "id"));
        for path in [&referral, &period, &visit, &format!("{period}/visits"), &format!("{referral}/timeline")] {
            app.user(people.link_worker).get(path).send().problem(404, "not_found");
        }
        let coordinator = app.user(people.coordinator);
        let ended = coordinator.get(&period).send().expect(200);
        assert_eq!((&ended["state"], &ended["ended_on"]), (&json!("ended"), &json!("2026-11-22")));
        let off = coordinator.get(&visit).send().expect(200);
        assert_eq!((&off["state"], &off["absent_party"]), (&json!("cancelled"), &json!("client")), "nobody goes to a visit of a period that is over");
        assert_eq!(each(coordinator.get(&format!("{referral}/assignments")).send(), "state"), ["ended"]);
        step(&app, people.coordinator, &referral, "reopen", json!({"reason": "Katui."})).problem(409, "cannot_reopen");
    }
}

on_both! {
    fn a_referrer_withdraws_before_support(app: TestApp) {
        let people = app.world.own;
        let referral = taken(&app, complete());
        propose(&app, &referral, people.worker);
        step(&app, people.other_referrer, &referral, "withdraw", json!({})).problem(404, "not_found");
        let gone = step(&app, people.referrer, &referral, "withdraw", json!({})).expect(200);
        assert_eq!(gone["closure"]["end_reason"], "referrer_withdrew");
        assert!(items(app.user(people.link_worker).get("/v1/assignments").send()).is_empty(), "the proposal is taken back");
        step(&app, people.referrer, &referral, "withdraw", json!({})).problem(409, "wrong_state");
    }
}

on_both! {
    fn without_consent_to_the_processing_nothing_goes_on(app: TestApp) {
        let people = app.world.own;
        let (referral, period) = in_support(&app, complete());
        sign_in_of(&app, &referral, people.client);
        let client = app.user(people.client);
        let consent = text(&items(client.get(&format!("{referral}/consents")).send())[0], "id");
        let withdraw = format!("{referral}/consents/{consent}/withdraw");
        let body = json!({"purposes": ["process_referral"]});
        app.user(people.referrer).post(&withdraw).if_match(version(&app, &referral)).json(body.clone()).send().problem(403, "forbidden");
        app.user(people.link_worker).post(&withdraw).if_match(version(&app, &referral)).json(body.clone()).send().problem(403, "forbidden");
        let gone = client.post(&withdraw).if_match(version(&app, &referral)).json(body).send().expect(200);
        assert_eq!(gone["open_purposes"], json!([]));
        let closed = client.get(&referral).send().expect(200);
        assert_eq!((&closed["state"], &closed["closure"]["end_reason"]), (&json!("closed"), &json!("consent_withdrawn")));
        app.user(people.link_worker).get(&referral).send().problem(404, "not_found");
        app.user(people.link_worker).get(&period).send().problem(404, "not_found");
        let heard = app.user(people.referrer).get(&referral).send().expect(200);
        assert_eq!((&heard["state"], &heard["closure"]), (&json!("closed"), &Value::Null), "feedback went with it");
    }
}

on_both! {
    fn who_shares_no_longer_with_a_link_worker_waits_for_something_else(app: TestApp) {
        let people = app.world.own;
        let (referral, _) = assigned(&app, complete());
        sign_in_of(&app, &referral, people.client);
        let client = app.user(people.client);
        let consent = text(&items(client.get("/v1/me/consents").send())[0], "id");
        let path = format!("/v1/me/consents/{consent}/withdraw");
        let body = json!({"purposes": ["share_with_link_worker"]});
        client.post(&path).if_match(version(&app, &referral)).json(body.clone()).send().expect(200);
        let seen = client.get(&referral).send().expect(200);
        assert_eq!(seen["state"], "waitlisted");
        app.user(people.link_worker).get(&referral).send().problem(404, "not_found");
        let again = json!({"link_worker_id": people.other_worker.as_uuid()});
        let refused = app.user(people.coordinator).post(&format!("{referral}/assignments")).json(again).send().problem(409, "consent_missing");
        assert_eq!(refused["params"]["purpose"], "share_with_link_worker");
        client.post(&path).if_match(version(&app, &referral)).json(body).send().problem(409, "consent_already_withdrawn");
    }
}

on_both! {
    fn a_closed_referral_is_opened_again_within_thirty_days(app: TestApp) {
        let people = app.world.own;
        let close = json!({"outcome": "declined", "end_reason": "insufficient_information"});
        let (early, late) = (taken(&app, complete()), taken(&app, complete()));
        for path in [&early, &late] {
            let closed = step(&app, people.coordinator, path, "close", close.clone()).expect(200);
            assert!(closed["possible"].as_array().unwrap().contains(&json!("reopen")), "{closed}");
        }
        let reason = json!({"reason": "Tiedot saatiin."});
        step(&app, people.referrer, &early, "reopen", reason.clone()).problem(403, "forbidden");
        app.clock.set_day("2026-12-22");
        let open = step(&app, people.coordinator, &early, "reopen", reason.clone()).expect(200);
        assert_eq!((&open["state"], &open["closure"]), (&json!("in_review"), &Value::Null));
        app.clock.set_day("2026-12-23");
        // From the day on which it cannot be opened again, it is looked at for a reason alone.
        let coordinator = app.user(people.coordinator);
        coordinator.get(&late).send().problem(403, "access_reason_required");
        let seen = coordinator.get(&late).header("x-access-reason", "Asked by telephone").send();
        let again = coordinator.post(&format!("{late}/reopen")).if_match(seen.version()).header("x-access-reason", "Asked by telephone");
        again.json(reason).send().problem(409, "reopen_too_late");
        let seen = seen.expect(200);
        assert!(!seen["possible"].as_array().unwrap().contains(&json!("reopen")), "{seen}");

        let mut next = complete();
        next["previous_referral_id"] = json!(id(&late));
        let path = send(&app, next.clone());
        assert_eq!(app.user(people.coordinator).get(&path).send().expect(200)["previous_referral_id"], id(&late));
        let stranger = app.user(people.other_referrer).post("/v1/referrals").json(next).send().problem(422, "invalid");
        assert_eq!(stranger["errors"][0]["pointer"], "/previous_referral_id");
    }
}

on_both! {
    fn nobody_is_given_up_before_three_attempts(app: TestApp) {
        let people = app.world.own;
        let referral = taken(&app, complete());
        let close = json!({"outcome": "not_started", "end_reason": "not_reached"});
        let attempts = format!("{referral}/contact-attempts");
        for recorded in 0..3 {
            let early = step(&app, people.coordinator, &referral, "close", close.clone()).problem(409, "contact_attempts_missing");
            assert_eq!(early["params"]["recorded"], recorded);
            let attempt = json!({"channel": "phone", "result": "not_reached"});
            app.user(people.coordinator).post(&attempts).json(attempt).send().expect(201);
        }
        let closed = step(&app, people.coordinator, &referral, "close", close).expect(200);
        assert_eq!(closed["closure"]["end_reason"], "not_reached");
        let attempt = json!({"channel": "letter", "result": "left_message"});
        app.user(people.coordinator).post(&attempts).json(attempt).send().problem(409, "wrong_state");
        app.user(people.referrer).get(&attempts).send().problem(403, "forbidden");
    }
}

on_both! {
    fn what_was_entered_in_error_counts_nowhere(app: TestApp) {
        let people = app.world.own;
        let (wrong, _) = in_support(&app, complete());
        let right = send(&app, about("Toinen"));
        let query = format!("/v1/reports/outcomes?programme_id={}&from=2026-11-01&until=2026-11-30", people.programme);
        let report = || app.user(people.coordinator).get(&query).send().expect(200);
        assert_eq!((&report()["submitted"]["count"], &report()["visits"]["total"]["count"]), (&json!(2), &json!(1)));
        let reason = json!({"reason": "Kirjattu väärälle henkilölle."});
        step(&app, people.referrer, &wrong, "mark-as-error", reason.clone()).problem(403, "forbidden");
        step(&app, people.admin, &wrong, "mark-as-error", json!({})).problem(422, "invalid");
        let marked = step(&app, people.admin, &wrong, "mark-as-error", reason.clone()).expect(200);
        assert_eq!(marked["state"], "entered_in_error");
        assert_eq!(marked.as_object().unwrap().len(), 4, "an admin sees no content: {marked}");
        assert_eq!((&report()["submitted"]["count"], &report()["visits"]["total"]["count"]), (&json!(1), &json!(0)));
        app.user(people.link_worker).get(&wrong).send().problem(404, "not_found");
        step(&app, people.coordinator, &wrong, "mark-as-error", reason.clone()).problem(409, "wrong_state");
        step(&app, people.coordinator, &right, "mark-as-error", reason).expect(200);
        assert_eq!(report()["submitted"]["count"], 0);
    }
}
