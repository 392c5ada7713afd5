//! Direct guidance: an activity instead of a link worker.

use serde_json::{Value, json};

use super::{each, items, step, taken};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::{TestApp, on_both};
use lahete_domain::ids::Id as _;

fn guide(app: &TestApp) -> Value {
    let people = app.world.own;
    json!({"activity_ids": [people.activity.as_uuid(), people.other_activity.as_uuid()], "follow_up_on": "2026-12-22"})
}

on_both! {
    fn a_client_who_goes_to_two_activities_needs_no_link_worker(app: TestApp) {
        let people = app.world.own;
        let path = taken(&app, complete());
        let nowhere = json!({"activity_ids": [app.world.other.activity.as_uuid()], "follow_up_on": "2026-12-22"});
        step(&app, people.coordinator, &path, "guide", nowhere).problem(422, "invalid");
        let late = json!({"activity_ids": [people.activity.as_uuid()], "follow_up_on": "2026-11-22"});
        step(&app, people.coordinator, &path, "guide", late).problem(409, "follow_up_date_in_past");
        let guided = step(&app, people.coordinator, &path, "guide", guide(&app)).expect(200);
        assert_eq!((&guided["state"], &guided["follow_up_on"]), (&json!("directly_guided"), &json!("2026-12-22")));
        let links = format!("{path}/activity-links");
        assert_eq!(each(app.user(people.coordinator).get(&links).send(), "state"), ["proposed", "proposed"]);

        app.clock.set_day("2026-12-22");
        let done = json!({"outcome": "completed_as_planned", "end_reason": "continues_in_activity"});
        step(&app, people.coordinator, &path, "close", done.clone()).problem(409, "follow_up_missing");
        let mut both = done.clone();
        both["follow_up_answer"] = json!("attending");
        both["not_followed_up_reason"] = json!("no_time");
        step(&app, people.coordinator, &path, "close", both).problem(422, "invalid");
        let mut wrong = done.clone();
        wrong["follow_up_answer"] = json!("attending");
        wrong["end_reason"] = json!("client_declined");
        let wrong = step(&app, people.coordinator, &path, "close", wrong).problem(409, "end_reason_does_not_fit");
        assert!(wrong["params"]["fitting"].as_array().unwrap().contains(&json!("continues_in_activity")), "{wrong}");
        let mut asked = done;
        asked["follow_up_answer"] = json!("attending");
        let closed = step(&app, people.coordinator, &path, "close", asked).expect(200);
        assert_eq!(closed["closure"]["outcome"], "completed_as_planned");
        assert_eq!(closed["closure"]["route"], "direct");
    }
}

on_both! {
    fn an_activity_that_did_not_work_leads_back_with_its_barrier(app: TestApp) {
        let people = app.world.own;
        let path = taken(&app, complete());
        step(&app, people.coordinator, &path, "guide", guide(&app)).expect(200);
        step(&app, people.coordinator, &path, "review", json!({})).problem(409, "barrier_missing");
        let back = step(&app, people.coordinator, &path, "review", json!({"barrier": "transport", "comment": "Linja-auto ei kulje."})).expect(200);
        assert_eq!(back["state"], "in_review");
        let told = items(app.user(people.coordinator).get(&format!("{path}/timeline")).send()).pop().unwrap();
        assert_eq!((&told["reason"], &told["from"]), (&json!("transport"), &json!("directly_guided")));
        let waiting = step(&app, people.coordinator, &path, "waitlist", json!({"priority": "soon"})).expect(200);
        assert_eq!((&waiting["state"], &waiting["priority"]), (&json!("waitlisted"), &json!("soon")));
    }
}

on_both! {
    fn an_activity_link_tells_how_far_the_client_has_come(app: TestApp) {
        let people = app.world.own;
        let coordinator = app.user(people.coordinator);
        let path = taken(&app, complete());
        let links = format!("{path}/activity-links");
        let body = json!({"activity_id": people.activity.as_uuid()});
        let made = coordinator.post(&links).json(body.clone()).send().expect(201);
        coordinator.post(&links).json(body).send().problem(409, "activity_already_linked");
        let link = format!("/v1/activity-links/{}", text(&made, "id"));
        let mut version = 1;
        let mut change = |body: Value, status: u16| {
            let reply = coordinator.patch(&link).if_match(version).json(body).send();
            if status == 200 {
                version = reply.version();
            }
            reply.expect(status)
        };
        assert_eq!(change(json!({"state": "started"}), 200)["state"], "started");
        let back = change(json!({"state": "proposed"}), 409);
        assert_eq!((&back["code"], &back["params"]["state"]), (&json!("activity_link_wrong_state"), &json!("started")));
        assert_eq!(change(json!({"state": "attending", "continues": true}), 200)["continues"], true);
        assert_eq!(change(json!({"state": "stopped"}), 422)["errors"][0]["pointer"], "/barrier");
        let stopped = change(json!({"state": "stopped", "barrier": "money"}), 200);
        assert_eq!((&stopped["state"], &stopped["barrier"]), (&json!("stopped"), &json!("money")));
    }
}
