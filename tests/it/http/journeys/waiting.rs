//! The waiting list and the lists of a coordinator's day.

use serde_json::{Value, json};

use super::{about, each, id, items, send, step, taken};
use crate::support::{TestApp, on_both};

/// A referral on the waiting list.
fn waiting(app: &TestApp, name: &str, priority: &str) -> String {
    let path = taken(app, about(name));
    step(app, app.world.own.coordinator, &path, "waitlist", json!({"priority": priority})).expect(200);
    path
}

on_both! {
    fn who_waits_longest_comes_first_and_the_urgent_before_them_on_the_waiting_list(app: TestApp) {
        let people = app.world.own;
        let coordinator = app.user(people.coordinator);
        let first = waiting(&app, "Ensimmäinen", "normal");
        app.clock.advance_days(1);
        let second = waiting(&app, "Toinen", "soon");
        app.clock.advance_days(1);
        waiting(&app, "Kolmas", "urgent");
        waiting(&app, "Neljäs", "normal");
        send(&app, about("Muu"));
        let name = "client_name";
        let waited = ["Ensimmäinen", "Toinen", "Kolmas", "Neljäs"].map(|name| format!("{name} Esimerkki"));
        assert_eq!(each(coordinator.get("/v1/referrals?order=longest_waiting").send(), name), waited);
        let list = ["Kolmas", "Toinen", "Ensimmäinen", "Neljäs"].map(|name| format!("{name} Esimerkki"));
        assert_eq!(each(coordinator.get("/v1/referrals?order=waiting_list").send(), name), list);
        for (order, wanted) in [("longest_waiting", &waited), ("waiting_list", &list)] {
            assert_eq!(pages(&app, &format!("/v1/referrals?order={order}&limit=1")), wanted.to_vec(), "page by page: {order}");
        }

        let deferred = step(&app, people.coordinator, &first, "defer", json!({"resume_on": "2026-12-24"})).expect(200);
        assert_eq!((&deferred["state"], &deferred["resume_on"]), (&json!("deferred"), &json!("2026-12-24")));
        assert_eq!(each(coordinator.get("/v1/referrals?order=longest_waiting").send(), name).len(), 3);
        app.clock.set_day("2026-12-24");
        let back = step(&app, people.coordinator, &first, "resume", json!({})).expect(200);
        assert_eq!((&back["state"], &back["waiting_since"]), (&json!("waitlisted"), &json!("2026-11-22T10:00:00.000000Z")));
        assert_eq!(each(coordinator.get("/v1/referrals?order=longest_waiting").send(), name), waited, "the place is kept");
        let past = json!({"resume_on": "2026-12-24"});
        step(&app, people.coordinator, &second, "defer", past).problem(409, "resume_date_in_past");
    }
}

/// The names of a list that is read page by page, forward by `next`.
fn pages(app: &TestApp, first: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(url) = next {
        let page = app.user(app.world.own.coordinator).get(&url).send().expect(200);
        names.extend(page["items"].as_array().unwrap().iter().map(|item| item["client_name"].as_str().unwrap().to_owned()));
        next = page["page"]["next"].as_str().map(str::to_owned);
        assert!(names.len() < 100, "the pages never end");
    }
    names
}

on_both! {
    fn the_lists_of_a_coordinators_day(app: TestApp) {
        let people = app.world.own;
        let coordinator = app.user(people.coordinator);
        let old = send(&app, about("Vanha"));
        app.clock.advance_days(8);
        let mut walk = about("Ulkoilija");
        walk["reasons"] = json!(["outdoors"]);
        let mut talk = about("Juttelija");
        talk["reasons"] = json!(["conversation"]);
        let talked = taken(&app, talk);
        send(&app, walk);
        let closed = taken(&app, about("Ohjattu"));
        step(&app, people.coordinator, &closed, "close", json!({"outcome": "redirected", "end_reason": "health_service"})).expect(200);
        let names = |query: &str| {
            each(coordinator.get(&format!("/v1/referrals?{query}")).send(), "client_name")
                .iter()
                .map(|name| name.split(' ').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names("state=submitted&order=longest_in_state"), ["Vanha", "Ulkoilija"]);
        assert_eq!(names("state=submitted&min_days_in_state=7"), ["Vanha"]);
        assert_eq!(names("min_days_in_state=9"), [""; 0]);
        assert_eq!(names("reason=conversation"), ["Juttelija"]);
        assert_eq!(names("mine=true&open=true"), ["Juttelija"]);
        assert_eq!(names("open=false"), ["Ohjattu"]);
        assert_eq!(names("open=true"), ["Ulkoilija", "Juttelija", "Vanha"]);
        assert_eq!(names("municipality=758&state=closed"), ["Ohjattu"]);
        assert_eq!(names("municipality=148"), [""; 0]);
        assert_eq!(names(&format!("programme_id={}", app.world.other.programme)), [""; 0], "another programme is an empty list");
        assert_eq!(items(coordinator.get("/v1/referrals?state=submitted&min_days_in_state=7").send())[0]["days_in_state"], 8);
        coordinator.get("/v1/referrals?status=submitted").send().problem(400, "unknown_parameter");
        coordinator.get("/v1/referrals?state=lost").send().problem(400, "invalid_parameter");
        let page = coordinator.get("/v1/referrals?limit=2").send().expect(200);
        let next = page["page"]["next"].as_str().unwrap().to_owned();
        let other = next.replace("limit=2", "limit=2&open=true");
        coordinator.get(&other).send().problem(400, "invalid_cursor");
        assert_eq!(pages(&app, "/v1/referrals?limit=2").len(), 4);
        assert_eq!(items(app.user(people.referrer).get("/v1/referrals").send()).len(), 4);
        assert!(items(app.user(people.link_worker).get("/v1/referrals").send()).is_empty());
        assert_eq!(app.user(people.coordinator).get(&old).send().expect(200)["days_in_state"], 8);
        let only: Vec<Value> = items(coordinator.get(&format!("/v1/referrals?state=in_review&coordinator_id={}", people.coordinator)).send());
        assert_eq!(only.len(), 1);
        assert_eq!(only[0]["id"], id(&talked));
    }
}
