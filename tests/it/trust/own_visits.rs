//! A link worker's own visits are theirs to write, and their own fee to read: not those of whoever walked beside the client before them.

use serde_json::{Value, json};

use crate::http::cases::{Built, Origin, Stage, prepare};
use crate::support::app::text;
use crate::support::on_both;

on_both! {
    fn a_link_worker_writes_their_own_visits(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let built = Built::new(&app, Origin::Referrer, Stage::InSupport);
        let period = format!("/v1/support-periods/{}", built.id("support_period_id"));
        let visits = format!("{period}/visits");
        let (first, coordinator) = (app.user(people.link_worker), app.user(people.coordinator));
        let list = first.get(&visits).send().expect(200);
        let held = list["items"].as_array().unwrap().iter().find(|visit| visit["state"] == "held").unwrap().clone();
        assert_eq!(held["workers"][0]["fee_per_hour"], "13.00", "what one earns is one's own to see");
        let held = format!("/v1/visits/{}", text(&held, "id"));
        let planned = format!("/v1/visits/{}", built.id("visit_id"));

        // Both go together once; each sees their own fee.
        let both = json!([people.worker.to_string(), people.other_worker.to_string()]);
        let together = json!({"state": "held", "on": "2026-11-22", "minutes": 1, "mode": "activity_together", "workers": both});
        let together = first.post(&visits).json(together).send().expect(201);
        let fees = |visit: &Value| visit["workers"].as_array().unwrap().iter().filter(|worker| worker["fee_per_hour"] != Value::Null).count();
        assert_eq!(fees(&together), 1, "{together}");
        let together = format!("/v1/visits/{}", text(&together, "id"));
        assert_eq!(fees(&coordinator.get(&together).send().expect(200)), 2);
        let alone = json!({"state": "held", "on": "2026-11-22", "minutes": 1, "mode": "phone", "workers": [people.other_worker.to_string()]});
        let fault = first.post(&visits).json(alone.clone()).send().problem(422, "invalid");
        assert_eq!((&fault["errors"][0]["pointer"], &fault["errors"][0]["code"]), (&json!("/workers"), &json!("not_yours")));
        coordinator.post(&visits).json(alone).send().expect(201);

        let version = coordinator.get(&period).send().version();
        let change = json!({"link_worker_id": people.other_worker.to_string(), "reason": "link_worker_unavailable"});
        coordinator.post(&format!("{period}/change-link-worker")).if_match(version).json(change).send().expect(200);
        let second = app.user(people.other_link_worker);
        let proposal = text(&second.get("/v1/assignments?state=proposed").send().expect(200)["items"][0], "id");
        second.post(&format!("/v1/assignments/{proposal}/accept")).if_match(1).send().expect(200);

        let seen = second.get(&held).send();
        let version = seen.version();
        assert_eq!(seen.expect(200)["workers"][0]["fee_per_hour"], Value::Null, "what the one before earned is not");
        second.patch(&held).if_match(version).json(json!({"minutes": 60})).send().problem(403, "forbidden");
        coordinator.patch(&held).if_match(version).json(json!({"note": "Korjattu."})).send().expect(200);
        // What was only planned is taken over, by name.
        let version = second.get(&planned).send().version();
        let fault = second.post(&format!("{planned}/hold")).if_match(version).json(json!({"on": "2026-11-22"})).send().problem(422, "invalid");
        assert_eq!(fault["errors"][0]["code"], "not_yours");
        let taken = json!({"on": "2026-11-22", "workers": [people.other_worker.to_string()]});
        let taken = second.post(&format!("{planned}/hold")).if_match(version).json(taken).send().expect(200);
        assert_eq!((&taken["state"], &taken["workers"][0]["fee_per_hour"]), (&json!("held"), &json!("13.00")));
        let listed = second.get(&visits).send().expect(200);
        for visit in listed["items"].as_array().unwrap() {
            for worker in visit["workers"].as_array().unwrap() {
                let own = worker["link_worker_id"] == people.other_worker.to_string() && visit["state"] == "held";
                assert_eq!(worker["fee_per_hour"] != Value::Null, own, "{visit}");
            }
        }
        assert_eq!(first.get(&held).send().status, 404);
    }
}
