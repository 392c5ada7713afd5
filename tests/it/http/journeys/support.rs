//! The support period: its start, pauses, end dates, goals, a change of link worker, its end.

use lahete_domain::ids::Id as _;
use serde_json::{Value, json};

use super::{assigned, each, end, in_support, items, sign_in_of, start, step, version};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::on_both;

on_both! {
    fn support_starts_with_a_visit_a_measure_and_an_end_in_sight(app: TestApp) {
        let people = app.world.own;
        let (referral, _) = assigned(&app, complete());
        let with = |member: &str, value: Value| {
            let mut body = start();
            body[member] = value;
            step(&app, people.link_worker, &referral, "support-period", body)
        };
        for day in ["2026-12-21", "2027-05-23"] {
            let range = with("planned_end_on", json!(day)).problem(409, "planned_end_out_of_range");
            assert_eq!(range["params"], json!({"earliest": "2026-12-22", "latest": "2027-05-22"}));
        }
        with("starts_on", json!("2026-11-23")).problem(409, "support_starts_in_future");
        with("starts_on", json!("2026-11-21")).problem(409, "support_starts_before_referral");
        with("first_visit", json!({"on": "2026-11-21", "minutes": 60, "mode": "home_visit"})).problem(409, "visit_outside_period");
        with("start_measure", json!({"mode": "helped", "answers": [3, 3, 2]})).problem(422, "invalid");
        with("start_measure", json!({})).problem(422, "invalid");
        step(&app, people.referrer, &referral, "support-period", start()).problem(403, "forbidden");
        let started = with("start_measure", json!({"missing_reason": "declined"})).expect(201);
        assert_eq!((&started["state"], &started["link_worker"]["current"]), (&json!("active"), &json!(true)));
        assert_eq!(started["month_hours"], json!({"month": "2026-11", "limit_minutes": 600, "used_minutes": 60, "left_minutes": 540, "level": "free", "warning": false}));
        let seen = app.user(people.coordinator).get(&referral).send().expect(200);
        assert_eq!((&seen["state"], &seen["support_period_id"]), (&json!("in_support"), &started["id"]));
        let for_nurse = app.user(people.referrer).get(&referral).send().expect(200);
        assert_eq!((&for_nurse["state"], &for_nurse["support_period_id"]), (&json!("in_support"), &Value::Null));
        let measures = format!("/v1/support-periods/{}/measures", text(&started, "id"));
        assert_eq!(each(app.user(people.link_worker).get(&measures).send(), "missing_reason"), ["declined"]);
    }
}

on_both! {
    fn a_pause_does_not_move_the_end_and_an_extension_stays_inside_six_months(app: TestApp) {
        let people = app.world.own;
        let (_, period) = in_support(&app, complete());
        let paused = step(&app, people.link_worker, &period, "pause", json!({"reason": "client_ill"})).expect(200);
        assert_eq!((&paused["state"], &paused["planned_end_on"]), (&json!("paused"), &json!("2027-01-22")));
        step(&app, people.coordinator, &period, "pause", json!({"reason": "other"})).problem(409, "support_period_wrong_state");
        app.clock.advance_days(14);
        let resumed = step(&app, people.link_worker, &period, "resume", Value::Null).expect(200);
        assert_eq!((&resumed["state"], &resumed["planned_end_on"]), (&json!("active"), &json!("2027-01-22")));

        let longer = |day: &str| json!({"planned_end_on": day, "reason": "Aino oli kipeänä."});
        step(&app, people.link_worker, &period, "extend", longer("2027-03-22")).problem(403, "forbidden");
        step(&app, people.coordinator, &period, "extend", json!({"planned_end_on": "2027-03-22"})).problem(422, "invalid");
        let beyond = step(&app, people.coordinator, &period, "extend", longer("2027-05-23")).problem(409, "planned_end_out_of_range");
        assert_eq!(beyond["params"]["latest"], "2027-05-22");
        let extended = step(&app, people.coordinator, &period, "extend", longer("2027-05-22")).expect(200);
        assert_eq!((&extended["planned_end_on"], &extended["first_planned_end_on"]), (&json!("2027-05-22"), &json!("2027-01-22")));
        assert_eq!(each(app.user(people.coordinator).get("/v1/support-periods?ends_before=2027-05-23").send(), "state"), ["active"]);
        assert!(items(app.user(people.coordinator).get("/v1/support-periods?ends_before=2027-05-22").send()).is_empty());
    }
}

on_both! {
    fn another_link_worker_goes_on_and_the_old_one_loses_sight_at_once(app: TestApp) {
        let people = app.world.own;
        let (referral, period) = in_support(&app, complete());
        let change = |worker: Value| json!({"link_worker_id": worker, "reason": "link_worker_unavailable"});
        let other = json!(people.other_worker.as_uuid());
        step(&app, people.link_worker, &period, "change-link-worker", change(other.clone())).problem(403, "forbidden");
        let nobody = json!(app.world.other.worker.as_uuid());
        step(&app, people.coordinator, &period, "change-link-worker", change(nobody)).problem(422, "invalid");
        assert_eq!(app.user(people.link_worker).get(&period).send().status, 200, "a change that fails releases nobody");
        let waiting = step(&app, people.coordinator, &period, "change-link-worker", change(other)).expect(200);
        assert_eq!((&waiting["planned_end_on"], &waiting["link_worker"]["current"]), (&json!("2027-01-22"), &json!(false)));
        for path in [&referral, &period] {
            app.user(people.link_worker).get(path).send().problem(404, "not_found");
            app.user(people.other_link_worker).get(path).send().problem(404, "not_found");
        }
        assert!(items(app.user(people.link_worker).get("/v1/visits").send()).is_empty());
        let proposals = items(app.user(people.other_link_worker).get("/v1/assignments?state=proposed").send());
        let assignment = format!("/v1/assignments/{}", text(&proposals[0], "id"));
        step(&app, people.other_link_worker, &assignment, "accept", Value::Null).expect(200);
        let seen = app.user(people.other_link_worker).get(&period).send().expect(200);
        assert_eq!((&seen["link_worker"]["name"], &seen["planned_end_on"]), (&json!("Lauri Linkki"), &json!("2027-01-22")));
        assert_eq!(app.user(people.coordinator).get(&referral).send().expect(200)["state"], "in_support");
    }
}

on_both! {
    fn the_client_says_what_became_of_a_goal(app: TestApp) {
        let people = app.world.own;
        let (referral, period) = in_support(&app, complete());
        sign_in_of(&app, &referral, people.client);
        let goal = json!({"words": "Uskallan mennä kerhoon yksin.", "steps": [{"words": "Soitetaan yhdessä"}, {"words": "Mennään yhdessä"}]});
        app.user(people.client).post(&format!("{period}/goals")).json(goal.clone()).send().problem(403, "forbidden");
        let made = app.user(people.link_worker).post(&format!("{period}/goals")).json(goal).send().expect(201);
        let goal = format!("/v1/goals/{}", text(&made, "id"));
        let client = app.user(people.client);
        let words = json!({"words": "Jotain muuta."});
        client.patch(&goal).if_match(1).json(words).send().problem(403, "forbidden");
        let told = client.patch(&goal).if_match(1).json(json!({"outcome": "partly"})).send().expect(200);
        assert_eq!(told["outcome"], "partly");
        app.user(people.link_worker).patch(&goal).if_match(1).json(json!({"steps": []})).send().problem(412, "stale_version");
        app.user(people.referrer).get(&goal).send().problem(404, "not_found");
        app.user(people.other_client).get(&goal).send().problem(404, "not_found");
    }
}

on_both! {
    fn support_ends_when_everything_is_known_and_the_referrer_hears_of_it(app: TestApp) {
        let people = app.world.own;
        let (referral, period) = in_support(&app, complete());
        let visits = format!("{period}/visits");
        let plan = json!({"state": "planned", "on": "2026-12-10", "minutes": 60, "mode": "home_visit"});
        let planned = app.user(people.link_worker).post(&visits).json(plan).send().expect(201);
        app.clock.set_day("2027-01-20");
        let proposal = json!({"reason": "Aino käy kerhossa jo itse."});
        let proposed = step(&app, people.link_worker, &period, "propose-end", proposal.clone()).expect(200);
        assert_eq!(proposed["end_proposal"]["reason"], proposal["reason"]);
        step(&app, people.link_worker, &period, "end", end("2027-01-20")).problem(403, "forbidden");

        let left = step(&app, people.coordinator, &period, "end", end("2027-01-20")).problem(409, "visits_still_planned");
        assert_eq!(left["params"]["planned"], 1);
        let visit = format!("/v1/visits/{}", text(&planned, "id"));
        step(&app, people.link_worker, &visit, "mark-not-attended", json!({"by": "client", "reason": "unknown"})).expect(200);
        let without = |member: &str| {
            let mut body = end("2027-01-20");
            body.as_object_mut().unwrap().remove(member);
            step(&app, people.coordinator, &period, "end", body)
        };
        without("end_measure").problem(409, "end_measure_missing");
        without("end_recommendation").problem(409, "recommendation_missing");
        step(&app, people.coordinator, &period, "end", end("2027-01-21")).problem(409, "support_end_out_of_range");
        let before_the_start = step(&app, people.coordinator, &period, "end", end("2026-11-21")).problem(409, "support_end_out_of_range");
        assert_eq!(before_the_start["params"]["latest"], json!("2027-01-20"));
        let mut wrong = end("2027-01-20");
        wrong["outcome"] = json!("withdrawn");
        let wrong = step(&app, people.coordinator, &period, "end", wrong).problem(409, "outcome_not_possible");
        assert_eq!(wrong["params"]["possible"], json!(["completed_as_planned", "discontinued"]));

        let ended = step(&app, people.coordinator, &period, "end", end("2027-01-20")).expect(200);
        assert_eq!((&ended["state"], &ended["ended_on"]), (&json!("ended"), &json!("2027-01-20")));
        app.user(people.link_worker).get(&period).send().problem(404, "not_found");
        let heard = app.user(people.referrer).get(&referral).send().expect(200);
        assert_eq!((&heard["state"], &heard["closure"]["outcome"]), (&json!("closed"), &json!("completed_as_planned")));
        assert_eq!(heard["possible"], json!([]), "nothing is left to do for the referrer");
        let told = each(app.user(people.referrer).get(&format!("{referral}/timeline")).send(), "kind");
        assert!(!told.iter().any(|kind| kind.contains("visit")), "the work is not the referrer's to read: {told:?}");
        step(&app, people.coordinator, &period, "resume", Value::Null).problem(409, "support_period_wrong_state");
    }
}

on_both! {
    fn without_consent_to_feedback_the_referrer_hears_only_that_it_is_over(app: TestApp) {
        let people = app.world.own;
        let mut body = complete();
        body["consent"]["purposes"] = json!(["process_referral", "share_with_link_worker"]);
        let (referral, period) = in_support(&app, body);
        app.clock.set_day("2026-12-22");
        let mut over = end("2026-12-22");
        over["outcome"] = json!("discontinued");
        over["end_reason"] = json!("memory_disorder");
        step(&app, people.coordinator, &period, "end", over).expect(200);
        let heard = app.user(people.referrer).get(&referral).send().expect(200);
        assert_eq!((&heard["state"], &heard["closure"]), (&json!("closed"), &Value::Null));
        let timeline = app.user(people.referrer).get(&format!("{referral}/timeline")).send();
        assert!(!timeline.text.contains("memory_disorder"), "{}", timeline.text);
        assert_eq!(app.user(people.coordinator).get(&referral).send().expect(200)["closure"]["end_reason"], "memory_disorder");
        assert!(version(&app, &period) > 1);
    }
}
