//! Visits: planned, held, corrected, counted.

use lahete_domain::ids::Id as _;
use serde_json::{Value, json};

use super::{each, in_support, items, step, version};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::{Reply, TestApp, on_both};

fn write(app: &TestApp, period: &str, body: Value) -> Reply {
    app.user(app.world.own.link_worker).post(&format!("{period}/visits")).json(body).send()
}

fn held(on: &str, minutes: u32, mode: &str) -> Value {
    json!({"state": "held", "on": on, "minutes": minutes, "mode": mode, "travel_metres": 8200, "travel_minutes": 20})
}

on_both! {
    fn ten_hours_a_month_and_the_telephone_apart(app: TestApp) {
        let people = app.world.own;
        let (_, period) = in_support(&app, complete());
        app.clock.set_day("2026-11-30");
        write(&app, &period, held("2026-11-25", 500, "activity_together")).expect(201);
        let over = write(&app, &period, held("2026-11-26", 41, "home_visit")).problem(409, "monthly_hours_exceeded");
        assert_eq!(over["params"], json!({"minutes_left": 40, "limit_minutes": 600}));
        let phone = write(&app, &period, held("2026-11-26", 90, "phone")).expect(201);
        assert_eq!((&phone["counts_against_month"], &phone["month_hours"]["left_minutes"]), (&json!(false), &json!(40)));
        let mut reason = held("2026-11-26", 60, "home_visit");
        reason["over_limit_reason"] = json!("Muutto uuteen asuntoon.");
        write(&app, &period, reason.clone()).problem(403, "forbidden");
        let passed = app.user(people.coordinator).post(&format!("{period}/visits")).json(reason).send().expect(201);
        assert_eq!(passed["month_hours"]["left_minutes"], 0);
        assert_eq!(passed["month_hours"]["used_minutes"], 620);

        let visit = format!("/v1/visits/{}", text(&passed, "id"));
        let worker = app.user(people.link_worker);
        let note = worker.patch(&visit).if_match(version(&app, &visit)).json(json!({"note": "Laatikot auki."})).send().expect(200);
        assert_eq!(note["over_limit_reason"], "Muutto uuteen asuntoon.");
        let more = worker.patch(&visit).if_match(version(&app, &visit)).json(json!({"minutes": 61})).send();
        assert_eq!(more.problem(409, "monthly_hours_exceeded")["params"]["minutes_left"], 40, "a reason covers what it was given for");

        app.clock.set_day("2026-12-01");
        let december = write(&app, &period, held("2026-12-01", 600, "home_visit")).expect(201);
        assert_eq!(december["month_hours"]["left_minutes"], 0);
        let seen = worker.get(&period).send().expect(200);
        assert_eq!(seen["totals"]["phone_minutes"], 90);
        assert_eq!(seen["totals"]["counted_minutes"], 1220);
        assert_eq!(seen["months"][0]["month"], "2026-11");
        assert_eq!(seen["months"][0]["totals"]["visits"], 4);
        assert_eq!(seen["months"][1]["totals"]["travel_metres"], 8200);
    }
}

on_both! {
    fn a_planned_visit_is_held_called_off_or_not_attended(app: TestApp) {
        let people = app.world.own;
        let (_, period) = in_support(&app, complete());
        let plan = |on: &str| {
            let body = json!({"state": "planned", "on": on, "minutes": 60, "mode": "other_place", "purpose": "going_along"});
            format!("/v1/visits/{}", text(&write(&app, &period, body).expect(201), "id"))
        };
        let (first, second, third) = (plan("2026-11-24"), plan("2026-11-25"), plan("2026-11-26"));
        step(&app, people.link_worker, &first, "hold", json!({})).problem(409, "visit_in_future");
        step(&app, people.link_worker, &first, "mark-not-attended", json!({"by": "client", "reason": "ill"})).problem(409, "visit_in_future");
        app.clock.set_day("2026-11-26");
        let took_place = step(&app, people.link_worker, &first, "hold", json!({"minutes": 75, "note": "Kahvit joen rannassa."})).expect(200);
        assert_eq!((&took_place["state"], &took_place["minutes"], &took_place["purpose"]), (&json!("held"), &json!(75), &json!("going_along")));
        assert_eq!(took_place["workers"][0]["fee_per_hour"], "13.00");
        let off = step(&app, people.link_worker, &second, "cancel", json!({"by": "link_worker"})).expect(200);
        assert_eq!((&off["state"], &off["absent_party"]), (&json!("cancelled"), &json!("link_worker")));
        let away = step(&app, people.link_worker, &third, "mark-not-attended", json!({"by": "client", "reason": "ill"})).expect(200);
        assert_eq!(away["state"], "not_attended");
        let wrong = step(&app, people.link_worker, &third, "hold", json!({})).problem(409, "visit_wrong_state");
        assert_eq!(wrong["params"]["state"], "not_attended");
        let worker = app.user(people.link_worker);
        assert_eq!(each(worker.get("/v1/visits?state=held&from=2026-11-23").send(), "on"), ["2026-11-24"]);
        assert_eq!(each(worker.get(&format!("{period}/visits")).send(), "on"), ["2026-11-26", "2026-11-25", "2026-11-24", "2026-11-22"]);
        for other in [people.referrer, people.other_link_worker, people.admin, app.world.other.coordinator] {
            app.user(other).get(&first).send().problem(404, "not_found");
        }
    }
}

on_both! {
    fn two_link_workers_make_one_visit_and_a_mistake_is_corrected(app: TestApp) {
        let people = app.world.own;
        let (_, period) = in_support(&app, complete());
        let mut both = held("2026-11-22", 60, "activity_together");
        both["workers"] = json!([people.worker.as_uuid(), people.other_worker.as_uuid()]);
        let visit = write(&app, &period, both).expect(201);
        assert_eq!(visit["workers"].as_array().unwrap().len(), 2);
        assert_eq!(visit["month_hours"]["used_minutes"], 120, "the client's hour is one hour");
        let path = format!("/v1/visits/{}", text(&visit, "id"));
        let worker = app.user(people.link_worker);
        let fixed = worker.patch(&path).if_match(1).json(json!({"minutes": 45, "travel_metres": null, "barriers": ["shyness"]})).send().expect(200);
        assert_eq!((&fixed["minutes"], &fixed["travel_metres"], &fixed["month_hours"]["used_minutes"]), (&json!(45), &json!(0), &json!(105)));
        worker.patch(&path).if_match(1).json(json!({"minutes": 30})).send().problem(412, "stale_version");
        worker.patch(&path).if_match(2).json(json!({"on": "2026-11-23"})).send().problem(409, "visit_in_future");
        worker.patch(&path).if_match(2).json(json!({"on": "2027-01-23"})).send().problem(409, "visit_outside_period");
        worker.patch(&path).if_match(2).json(json!({"minutes": 0})).send().problem(422, "invalid");
        let query = format!("programme_id={}&from=2026-11-01&until=2026-11-30", people.programme);
        let report = app.user(people.coordinator).get(&format!("/v1/reports/outcomes?{query}")).send().expect(200);
        // One visit of an hour by one, one of three quarters by two: 2.5 paid hours.
        assert_eq!((&report["visits"]["total"]["count"], &report["visits"]["fee_eur"]), (&json!(2), &json!("32.50")));
        assert_eq!(items(worker.get("/v1/visits").send()).len(), 2);
    }
}
