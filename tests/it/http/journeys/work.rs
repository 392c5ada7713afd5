//! The work itself: the client's word on their goals, activities that stop and go on, what clients would need, visits that did not take place, the hours of
//! a month to the minute, the lists of a coordinator's week, and the coordinator's own time.

use lahete_domain::ids::Id as _;
use serde_json::{Value, json};

use super::{about, assigned, each, end, id, in_support, items, sign_in_of, start, step, taken, version};
use crate::http::cases::about_the_client;
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::{Reply, TestApp, on_both};

fn write(app: &TestApp, period: &str, body: Value) -> Reply {
    app.user(app.world.own.link_worker).post(&format!("{period}/visits")).json(body).send()
}

fn held(on: &str, minutes: u32, mode: &str) -> Value {
    json!({"state": "held", "on": on, "minutes": minutes, "mode": mode, "travel_metres": 8200, "travel_minutes": 20})
}

fn goal_of(app: &TestApp, period: &str) -> String {
    let body = json!({"words": "Uskallan mennä kerhoon yksin.", "steps": [{"words": "Soitetaan yhdessä"}, {"words": "Mennään yhdessä"}]});
    let made = app.user(app.world.own.link_worker).post(&format!("{period}/goals")).json(body).send().expect(201);
    assert_eq!((&made["steps"][0]["done"], &made["outcome_by"]), (&json!(false), &Value::Null));
    format!("/v1/goals/{}", text(&made, "id"))
}

fn link_of(app: &TestApp, referral: &str, activity: &Value) -> String {
    let body = json!({"activity_id": activity});
    let made = app.user(app.world.own.link_worker).post(&format!("{referral}/activity-links")).json(body).send().expect(201);
    assert_eq!((&made["unmet_needs"], &made["answered"]), (&json!([]), &json!(false)));
    text(&made, "id")
}

on_both! {
    fn what_became_of_a_goal_is_the_clients_word(app: TestApp) {
        let people = app.world.own;
        let (referral, period) = in_support(&app, complete());
        sign_in_of(&app, &referral, people.client);
        let goal = goal_of(&app, &period);
        let change = |who, body: Value| app.user(who).patch(&goal).if_match(version(&app, &goal)).json(body).send();

        let told = change(people.link_worker, json!({"outcome": "not"})).expect(200);
        assert_eq!((&told["outcome"], &told["outcome_by"]["source"]), (&json!("not"), &json!("as_told")));
        assert_eq!((&told["outcome_by"]["role"], &told["outcome_by"]["user_id"]), (&json!("link_worker"), &json!(people.link_worker.as_uuid())));
        let own = change(people.client, json!({"outcome": "partly"})).expect(200);
        assert_eq!((&own["outcome"], &own["outcome_by"]["source"], &own["outcome_by"]["role"]), (&json!("partly"), &json!("own_word"), &json!("client")));
        for who in [people.link_worker, people.coordinator] {
            change(who, json!({"outcome": "achieved"})).problem(409, "goal_outcome_is_the_clients");
            change(who, json!({"outcome": null})).problem(409, "goal_outcome_is_the_clients");
        }
        let words = change(people.link_worker, json!({"words": "Uskallan mennä kerhoon ja kuoroon."})).expect(200);
        assert_eq!((&words["outcome"], &words["outcome_by"]["source"]), (&json!("partly"), &json!("own_word")), "the plan may be written on");
        let mine = items(app.user(people.client).get("/v1/me/support-periods").send());
        assert_eq!(mine[0]["goals"][0]["outcome_by"]["source"], "own_word");
        let back = change(people.client, json!({"outcome": null})).expect(200);
        assert_eq!((&back["outcome"], &back["outcome_by"]), (&Value::Null, &Value::Null));
        change(people.coordinator, json!({"outcome": "achieved"})).expect(200);
        let lines = each(app.user(people.client).get(&format!("{referral}/timeline")).send(), "kind");
        assert!(lines.iter().filter(|kind| *kind == "goal_recorded").count() > 3, "{lines:?}");
    }
}

on_both! {
    fn steps_are_done_one_by_one_by_the_client_too(app: TestApp) {
        let people = app.world.own;
        let (referral, period) = in_support(&app, complete());
        sign_in_of(&app, &referral, people.client);
        let goal = goal_of(&app, &period);
        let done = |who, number: u32, done: bool| step(&app, who, &goal, "mark-step", json!({"step": number, "done": done}));
        let first = done(people.client, 1, true).expect(200);
        assert_eq!(first["steps"], json!([{"words": "Soitetaan yhdessä", "done": true}, {"words": "Mennään yhdessä", "done": false}]));
        done(people.link_worker, 2, true).expect(200);
        assert_eq!(done(people.coordinator, 1, false).expect(200)["steps"][0]["done"], false);
        let none = done(people.client, 3, true).problem(422, "invalid");
        assert_eq!((&none["errors"][0]["pointer"], &none["errors"][0]["params"]["maximum"]), (&json!("/step"), &json!(2)));
        done(people.client, 0, true).problem(422, "invalid");
        done(people.client, 21, true).problem(422, "invalid");
        let client = app.user(people.client);
        client.post(&format!("{goal}/mark-step")).json(json!({"step": 1, "done": true})).send().problem(428, "precondition_required");
        client.post(&format!("{goal}/mark-step")).if_match(1).json(json!({"step": 1, "done": true})).send().problem(412, "stale_version");
        done(people.referrer, 1, true).problem(404, "not_found");
        done(people.other_client, 1, true).problem(404, "not_found");
        let many: Vec<_> = (0..21).map(|n| json!({"words": format!("Askel {n}")})).collect();
        let worker = app.user(people.link_worker);
        worker.post(&format!("{period}/goals")).json(json!({"words": "Liikaa.", "steps": many})).send().problem(422, "invalid");
        worker.post(&format!("{period}/goals")).json(json!({"words": "Vanha muoto.", "steps": ["Soitto"]})).send().problem(422, "invalid");
        let changed = worker.patch(&goal).if_match(version(&app, &goal)).json(json!({"steps": [{"words": "Mennään yhdessä", "done": true}]})).send();
        assert_eq!(changed.expect(200)["steps"], json!([{"words": "Mennään yhdessä", "done": true}]));
        step(&app, people.coordinator, &period, "end", end("2026-11-22")).expect(200);
        done(people.coordinator, 1, false).problem(409, "support_period_wrong_state");
    }
}

on_both! {
    fn a_link_stops_for_a_reason_and_what_stands_at_the_end_is_answered_or_shown(app: TestApp) {
        let people = app.world.own;
        let (referral, period) = in_support(&app, complete());
        sign_in_of(&app, &referral, people.client);
        let (club, walks) = (link_of(&app, &referral, &json!(people.activity.as_uuid())), link_of(&app, &referral, &json!(people.other_activity.as_uuid())));
        let worker = app.user(people.link_worker);
        let seen = |who| app.user(who).get(&period).send().expect(200);
        assert_eq!(seen(people.link_worker)["unanswered_activity_links"], 2);
        let link = format!("/v1/activity-links/{club}");
        worker.patch(&link).if_match(1).json(json!({"state": "stopped"})).send().problem(422, "invalid");
        worker.patch(&link).if_match(1).json(json!({"unmet_needs": ["nonsense"]})).send().problem(422, "invalid");
        let stopped = json!({"state": "stopped", "barrier": "transport", "unmet_needs": ["transport", "nearby_group"]});
        let stopped = worker.patch(&link).if_match(1).json(stopped).send().expect(200);
        assert_eq!((&stopped["barrier"], &stopped["answered"]), (&json!("transport"), &json!(true)));
        assert_eq!(stopped["unmet_needs"], json!(["transport", "nearby_group"]));
        let fewer = worker.patch(&link).if_match(2).json(json!({"unmet_needs": ["transport"]})).send().expect(200);
        assert_eq!((&fewer["state"], &fewer["unmet_needs"]), (&json!("stopped"), &json!(["transport"])));
        assert_eq!(seen(people.link_worker)["unanswered_activity_links"], 1);

        let with = |answers: Value| {
            let mut body = end("2026-11-22");
            body["activity_links"] = answers;
            body["barriers"] = json!(["distance"]);
            body["unmet_needs"] = json!(["transport", "company_friend"]);
            step(&app, people.coordinator, &period, "end", body)
        };
        let (_, other) = in_support(&app, about("Toinen"));
        let foreign = link_of(&app, &format!("/v1/referrals/{}", text(&app.user(people.coordinator).get(&other).send().expect(200), "referral_id")), &json!(people.activity.as_uuid()));
        let fault = with(json!([{"activity_link_id": foreign, "state": "started"}])).problem(422, "invalid");
        assert_eq!(fault["errors"][0]["pointer"], "/activity_links/0/activity_link_id");
        let fault = with(json!([{"activity_link_id": walks, "state": "stopped"}])).problem(422, "invalid");
        assert_eq!(fault["errors"][0]["pointer"], "/activity_links/0/barrier");
        assert_eq!(seen(people.coordinator)["state"], "active", "nothing of it was done");
        let ended = with(json!([{"activity_link_id": walks, "state": "attending", "continues": true}])).expect(200);
        assert_eq!((&ended["unanswered_activity_links"], &ended["needs"]), (&json!(0), &json!({"barriers": ["distance"], "unmet_needs": ["transport", "company_friend"]})));
        let closed = app.user(people.coordinator).get(&referral).send().expect(200);
        assert_eq!((&closed["closure"]["needs"], &closed["closure"]["unanswered_activity_links"]), (&ended["needs"], &json!(0)));
        let own = app.user(people.client).get(&referral).send().expect(200);
        assert_eq!(own["closure"]["needs"], ended["needs"]);
        let heard = app.user(people.referrer).get(&referral).send().expect(200);
        assert_eq!((&heard["closure"]["needs"], &heard["closure"]["unanswered_activity_links"]), (&Value::Null, &Value::Null), "the work is not the sender's to read");
        let mine = items(app.user(people.client).get("/v1/me/support-periods").send());
        let links: Vec<_> = mine[0]["activity_links"].as_array().unwrap().iter().map(|link| (text(link, "state"), link["continues"].clone())).collect();
        assert_eq!(links, [("stopped".to_owned(), Value::Null), ("attending".to_owned(), json!(true))]);
        let unanswered = step(&app, people.coordinator, &other, "end", end("2026-11-22")).expect(200);
        assert_eq!(unanswered["unanswered_activity_links"], 1, "nobody asked, and that is shown");
        assert_eq!(unanswered["needs"], json!({"barriers": [], "unmet_needs": []}));
    }
}

on_both! {
    fn what_a_client_would_need_is_told_when_a_referral_is_closed_too(app: TestApp) {
        let people = app.world.own;
        let referral = taken(&app, complete());
        let body = json!({"outcome": "not_started", "end_reason": "no_suitable_activity", "barriers": ["no_events"], "unmet_needs": ["affordable_activity", "own_language_group"]});
        let closed = step(&app, people.coordinator, &referral, "close", body).expect(200);
        assert_eq!(closed["closure"]["needs"], json!({"barriers": ["no_events"], "unmet_needs": ["affordable_activity", "own_language_group"]}));
        assert_eq!(closed["closure"]["unanswered_activity_links"], 0);
        step(&app, people.coordinator, &referral, "reopen", json!({"reason": "Löytyi sittenkin."})).expect(200);
        let again = json!({"outcome": "redirected", "end_reason": "health_service"});
        let closed = step(&app, people.coordinator, &referral, "close", again).expect(200);
        assert_eq!(closed["closure"]["needs"], json!({"barriers": [], "unmet_needs": []}), "what was known at the first closing is not that of the second");
        let list = app.nobody().get("/v1/code-lists/unmet-needs").header("accept-language", "sv").send().expect(200);
        assert_eq!(list["codes"].as_array().or(list["items"].as_array()).unwrap().len(), 12, "{list}");
        for name in ["visit-absence-reasons", "time-entry-kinds", "hours-levels", "outcome-sources"] {
            app.nobody().get(&format!("/v1/code-lists/{name}")).send().expect(200);
        }
    }
}

on_both! {
    fn who_did_not_come_and_why_and_what_the_client_reads(app: TestApp) {
        let people = app.world.own;
        let (referral, period) = in_support(&app, complete());
        sign_in_of(&app, &referral, people.client);
        let plan = |on: &str| {
            let body = json!({"state": "planned", "on": on, "minutes": 60, "mode": "home_visit", "travel_metres": 8200, "travel_minutes": 20});
            format!("/v1/visits/{}", text(&write(&app, &period, body).expect(201), "id"))
        };
        let (first, second) = (plan("2026-11-24"), plan("2026-11-25"));
        app.clock.set_day("2026-11-25");
        step(&app, people.link_worker, &first, "mark-not-attended", json!({"by": "client"})).problem(422, "invalid");
        step(&app, people.link_worker, &first, "mark-not-attended", json!({"by": "client", "reason": "no_time"})).problem(422, "invalid");
        let away = step(&app, people.link_worker, &first, "mark-not-attended", json!({"by": "client", "reason": "weather_or_transport"})).expect(200);
        assert_eq!((&away["absent_party"], &away["absence_reason"], &away["travel_metres"]), (&json!("client"), &json!("weather_or_transport"), &json!(8200)));
        let off = step(&app, people.link_worker, &second, "cancel", json!({"by": "link_worker", "reason": "ill"})).expect(200);
        assert_eq!((&off["state"], &off["absence_reason"]), (&json!("cancelled"), &json!("ill")));
        let mut visit = held("2026-11-25", 90, "activity_together");
        visit["note"] = json!("Kerhossa yhdessä. Bussi kulkee vain keskiviikkoisin.");
        visit["barriers"] = json!(["transport"]);
        visit["unmet_needs"] = json!(["transport", "information"]);
        let made = write(&app, &period, visit).expect(201);
        assert_eq!(made["unmet_needs"], json!(["transport", "information"]));
        let path = format!("/v1/visits/{}", text(&made, "id"));
        let fixed = app.user(people.link_worker).patch(&path).if_match(1).json(json!({"unmet_needs": null})).send().expect(200);
        assert_eq!((&fixed["unmet_needs"], &fixed["barriers"]), (&json!([]), &json!(["transport"])));
        let mine = items(app.user(people.client).get("/v1/me/visits").send());
        let told = mine.iter().find(|visit| visit["id"] == made["id"]).unwrap();
        assert_eq!(told["note"], "Kerhossa yhdessä. Bussi kulkee vain keskiviikkoisin.");
        let missed = mine.iter().find(|visit| visit["state"] == "not_attended").unwrap();
        assert_eq!(missed["absence_reason"], "weather_or_transport");
        assert_eq!(app.user(people.coordinator).get(&period).send().expect(200)["totals"]["visits"], 2, "an attempt is no visit");
    }
}

on_both! {
    fn the_hours_of_a_month_run_out_to_the_minute(app: TestApp) {
        let people = app.world.own;
        let (_, period) = in_support(&app, complete());
        app.clock.set_day("2026-11-30");
        let hours = |used: i64, level: &str| {
            let left = (600 - used).max(0);
            json!({"month": "2026-11", "limit_minutes": 600, "used_minutes": used, "left_minutes": left, "level": level, "warning": level != "free"})
        };
        // The first visit was an hour. One minute below four fifths, and exactly four fifths.
        let visit = write(&app, &period, held("2026-11-25", 419, "home_visit")).expect(201);
        assert_eq!(visit["month_hours"], hours(479, "free"));
        let path = format!("/v1/visits/{}", text(&visit, "id"));
        let worker = app.user(people.link_worker);
        let more = worker.patch(&path).if_match(1).json(json!({"minutes": 420})).send().expect(200);
        assert_eq!(more["month_hours"], hours(480, "near_limit"));
        // Neither a call nor a message nor the way there takes anything of it.
        for mode in ["phone", "message"] {
            let apart = write(&app, &period, held("2026-11-26", 300, mode)).expect(201);
            assert_eq!((&apart["month_hours"], &apart["counts_against_month"]), (&hours(480, "near_limit"), &json!(false)));
        }
        // Two who go along take the client's time once.
        let mut both = held("2026-11-27", 119, "remote_video");
        both["workers"] = json!([people.worker.as_uuid(), people.other_worker.as_uuid()]);
        let visit = write(&app, &period, both).expect(201);
        assert_eq!((&visit["month_hours"], visit["workers"].as_array().unwrap().len()), (&hours(599, "near_limit"), 2));
        let over = write(&app, &period, held("2026-11-28", 2, "other_place")).problem(409, "monthly_hours_exceeded");
        assert_eq!(over["params"], json!({"minutes_left": 1, "limit_minutes": 600}));
        let full = write(&app, &period, held("2026-11-28", 1, "other_place")).expect(201);
        assert_eq!(full["month_hours"], hours(600, "used_up"));
        write(&app, &period, held("2026-11-29", 1, "other_place")).problem(409, "monthly_hours_exceeded");
        let mut reason = held("2026-11-29", 1, "other_place");
        reason["over_limit_reason"] = json!("Lääkäri ja kotimatka venyivät.");
        write(&app, &period, reason.clone()).problem(403, "forbidden");
        let passed = app.user(people.coordinator).post(&format!("{period}/visits")).json(reason).send().expect(201);
        assert_eq!((&passed["month_hours"], &passed["over_limit_reason"]), (&hours(601, "over_limit"), &json!("Lääkäri ja kotimatka venyivät.")));
        let seen = worker.get(&period).send().expect(200);
        assert_eq!((&seen["month_hours"], &seen["totals"]["over_limit_visits"]), (&hours(601, "over_limit"), &json!(1)));
        assert_eq!((&seen["totals"]["counted_minutes"], &seen["totals"]["phone_minutes"]), (&json!(601), &json!(600)));
        // A planned visit takes nothing yet, and tells how the month stands.
        app.clock.set_day("2026-12-01");
        let plan = json!({"state": "planned", "on": "2026-12-03", "minutes": 600, "mode": "home_visit"});
        assert_eq!(write(&app, &period, plan).expect(201)["month_hours"]["used_minutes"], 0);
    }
}

on_both! {
    fn a_month_begins_at_midnight_in_helsinki(app: TestApp) {
        let people = app.world.own;
        let (_, period) = in_support(&app, complete());
        // Half past midnight in Sodankylä; in Greenwich it is still November.
        app.clock.set("2026-11-30T22:30:00Z");
        let seen = app.user(people.link_worker).get(&period).send().expect(200);
        assert_eq!((&seen["month_hours"]["month"], &seen["month_hours"]["used_minutes"]), (&json!("2026-12"), &json!(0)));
        let first = write(&app, &period, held("2026-12-01", 600, "home_visit")).expect(201);
        assert_eq!((&first["month_hours"]["month"], &first["month_hours"]["level"]), (&json!("2026-12"), &json!("used_up")));
        write(&app, &period, held("2026-12-02", 1, "home_visit")).problem(409, "visit_in_future");
        let november = write(&app, &period, held("2026-11-30", 540, "home_visit")).expect(201);
        assert_eq!(november["month_hours"]["used_minutes"], 600, "the last day of November is November's");
        // A correction moves a visit to another month only where there is room.
        let path = format!("/v1/visits/{}", text(&first, "id"));
        let worker = app.user(people.link_worker);
        let refused = worker.patch(&path).if_match(1).json(json!({"on": "2026-11-30"})).send().problem(409, "monthly_hours_exceeded");
        assert_eq!(refused["params"]["minutes_left"], 0);
        let path = format!("/v1/visits/{}", text(&november, "id"));
        let shorter = worker.patch(&path).if_match(1).json(json!({"minutes": 1})).send().expect(200);
        assert_eq!(shorter["month_hours"]["used_minutes"], 61);
        worker.patch(&path).if_match(2).json(json!({"on": "2026-12-01"})).send().problem(409, "monthly_hours_exceeded");
        let called = worker.patch(&path).if_match(2).json(json!({"on": "2026-12-01", "mode": "phone"})).send().expect(200);
        assert_eq!((&called["month_hours"]["month"], &called["month_hours"]["used_minutes"]), (&json!("2026-12"), &json!(600)));
        let months = app.user(people.coordinator).get(&period).send().expect(200)["months"].clone();
        assert_eq!((&months[0]["totals"]["counted_minutes"], &months[1]["totals"]["counted_minutes"], &months[1]["totals"]["phone_minutes"]), (&json!(60), &json!(600), &json!(1)));
        // From one year to the next.
        app.clock.set("2026-12-31T22:00:00Z");
        assert_eq!(app.user(people.link_worker).get(&period).send().expect(200)["month_hours"]["month"], "2027-01");
    }
}

on_both! {
    fn two_support_periods_of_one_client_share_the_month(app: TestApp) {
        let people = app.world.own;
        let (_, first) = in_support(&app, about_the_client());
        write(&app, &first, held("2026-11-22", 300, "home_visit")).expect(201);
        step(&app, people.coordinator, &first, "end", end("2026-11-22")).expect(200);
        let (referral, _) = assigned(&app, about_the_client());
        let started = step(&app, people.link_worker, &referral, "support-period", start()).expect(201);
        assert_eq!((&started["month_hours"]["used_minutes"], &started["totals"]["counted_minutes"]), (&json!(420), &json!(60)));
        let second = format!("/v1/support-periods/{}", text(&started, "id"));
        let visit = write(&app, &second, held("2026-11-22", 180, "other_place")).expect(201);
        assert_eq!((&visit["month_hours"]["used_minutes"], &visit["month_hours"]["level"]), (&json!(600), &json!("used_up")));
        write(&app, &second, held("2026-11-22", 1, "other_place")).problem(409, "monthly_hours_exceeded");
        let other = in_support(&app, about("Toinen")).1;
        assert_eq!(app.user(people.coordinator).get(&other).send().expect(200)["month_hours"]["used_minutes"], 60, "somebody else's month is their own");
    }
}

on_both! {
    fn the_lists_of_a_coordinators_week(app: TestApp) {
        let people = app.world.own;
        let names = ["Ensi", "Toini", "Kolma"];
        let periods: Vec<String> = names.iter().map(|name| in_support(&app, about(name)).1).collect();
        let list = |who, query: &str| each(app.user(who).get(&format!("/v1/support-periods?{query}")).send(), "id");
        app.clock.set_day("2026-12-12");
        assert!(list(people.coordinator, "no_visit_for_days=21").is_empty(), "twenty days");
        write(&app, &periods[1], held("2026-12-05", 10, "phone")).expect(201);
        let visit = write(&app, &periods[2], held("2026-12-12", 60, "home_visit")).expect(201);
        app.clock.set_day("2026-12-13");
        assert_eq!(list(people.coordinator, "no_visit_for_days=21"), [id(&periods[0])]);
        let item = items(app.user(people.coordinator).get("/v1/support-periods?no_visit_for_days=21").send()).remove(0);
        assert_eq!((&item["last_visit_on"], &item["days_without_visit"], &item["days_to_planned_end"]), (&json!("2026-11-22"), &json!(21), &json!(40)));
        assert_eq!(list(people.coordinator, "no_visit_for_days=8"), [id(&periods[0]), id(&periods[1])], "who has waited longest comes first");
        assert_eq!(list(people.link_worker, "no_visit_for_days=8").len(), 2, "the link worker's own");
        assert!(list(people.other_link_worker, "no_visit_for_days=0").is_empty() && list(app.world.other.coordinator, "no_visit_for_days=0").is_empty());
        // Corrected to an earlier day, the visit no longer hides that nobody has been there since.
        let path = format!("/v1/visits/{}", text(&visit, "id"));
        let worker = app.user(people.link_worker);
        worker.patch(&path).if_match(1).json(json!({"on": "2026-11-23"})).send().expect(200);
        assert_eq!(list(people.coordinator, "no_visit_for_days=20"), [id(&periods[0]), id(&periods[2])]);
        let first = app.user(people.coordinator).get("/v1/support-periods?no_visit_for_days=20&limit=1").send().expect(200);
        let next = text(&first["page"], "next");
        let path = next.find("/v1/").map_or(next.as_str(), |at| &next[at..]);
        assert_eq!((text(&first["items"][0], "id").as_str(), each(app.user(people.coordinator).get(path).send(), "id")), (id(&periods[0]), vec![id(&periods[2]).to_owned()]));
        // A planned visit is none yet; once it is held it counts.
        let plan = json!({"state": "planned", "on": "2026-12-13", "minutes": 60, "mode": "home_visit"});
        let planned = format!("/v1/visits/{}", text(&write(&app, &periods[0], plan).expect(201), "id"));
        assert_eq!(list(people.coordinator, "no_visit_for_days=21"), [id(&periods[0])]);
        step(&app, people.link_worker, &planned, "hold", json!({})).expect(200);
        assert_eq!(list(people.coordinator, "no_visit_for_days=20"), [id(&periods[2])]);
        step(&app, people.coordinator, &periods[2], "pause", json!({"reason": "client_away"})).expect(200);
        assert!(list(people.coordinator, "no_visit_for_days=20").is_empty(), "who is away is not waited for");
        assert!(list(people.coordinator, "no_visit_for_days=0&state=paused").is_empty());

        // All are planned to end on 22 January.
        app.clock.set_day("2026-12-22");
        assert!(list(people.coordinator, "ends_within_days=30").is_empty());
        app.clock.set_day("2026-12-23");
        assert_eq!(list(people.coordinator, "ends_within_days=30").len(), 3);
        assert!(list(people.coordinator, "ends_within_days=14").is_empty());
        let later = json!({"planned_end_on": "2027-02-22", "reason": "Oli sairaana."});
        step(&app, people.coordinator, &periods[0], "extend", later).expect(200);
        step(&app, people.coordinator, &periods[1], "end", end("2026-12-23")).expect(200);
        assert_eq!(list(people.coordinator, "ends_within_days=30"), [id(&periods[2])], "neither the one that was extended nor the one that is over");
        assert_eq!(list(people.coordinator, "ends_within_days=30&state=paused"), [id(&periods[2])]);
        assert!(list(people.coordinator, "ends_within_days=30&state=active").is_empty());
        app.clock.set_day("2027-01-30");
        let late = items(app.user(people.link_worker).get("/v1/support-periods?ends_within_days=14").send()).remove(0);
        assert_eq!((text(&late, "id").as_str(), &late["days_to_planned_end"]), (id(&periods[2]), &json!(-8)));
        for bad in ["no_visit_for_days=-1", "ends_within_days=367", "ends_within_days=x"] {
            app.user(people.coordinator).get(&format!("/v1/support-periods?{bad}")).send().problem(400, "invalid_parameter");
        }
    }
}

on_both! {
    fn a_coordinators_time_is_written_down_corrected_and_struck(app: TestApp) {
        let people = app.world.own;
        let (referral, _) = in_support(&app, complete());
        let coordinator = app.user(people.coordinator);
        let entries = format!("{referral}/time-entries");
        let new = |on: &str, minutes: u32| json!({"on": on, "minutes": minutes, "kind": "matching", "note": "Soitin kahdelle."});
        let range = coordinator.post(&entries).json(new("2026-11-23", 30)).send().problem(409, "time_entry_day_out_of_range");
        assert_eq!(range["params"], json!({"earliest": "2026-11-22", "latest": "2026-11-22"}));
        coordinator.post(&entries).json(new("2026-11-21", 30)).send().problem(409, "time_entry_day_out_of_range");
        for minutes in [0, 1441] {
            coordinator.post(&entries).json(new("2026-11-22", minutes)).send().problem(422, "invalid");
        }
        let made = coordinator.post(&entries).key("time-1").json(new("2026-11-22", 30)).send().expect(201);
        let again = coordinator.post(&entries).key("time-1").json(new("2026-11-22", 30)).send().expect(201);
        assert_eq!((&made, &made["struck"], &made["coordinator_id"]), (&again, &json!(false), &json!(people.coordinator.as_uuid())));
        app.clock.set_day("2026-11-24");
        let second = coordinator.post(&entries).json(json!({"on": "2026-11-24", "minutes": 75, "kind": "documentation"})).send().expect(201);
        let list = coordinator.get(&format!("{entries}?limit=1")).send();
        assert!(list.header("link").is_some());
        let list = list.expect(200);
        assert_eq!((&list["items"][0]["id"], &list["total_minutes"]), (&second["id"], &json!(105)), "the total is that of all pages");

        let path = format!("/v1/time-entries/{}", text(&made, "id"));
        coordinator.patch(&path).json(json!({"minutes": 45})).send().problem(428, "precondition_required");
        let fixed = coordinator.patch(&path).if_match(1).json(json!({"minutes": 45, "kind": "planning", "note": null})).send().expect(200);
        assert_eq!((&fixed["minutes"], &fixed["kind"], &fixed["note"], &fixed["version"]), (&json!(45), &json!("planning"), &Value::Null, &json!(2)));
        coordinator.patch(&path).if_match(1).json(json!({"minutes": 50})).send().problem(412, "stale_version");
        coordinator.patch(&path).if_match(2).json(json!({"on": "2026-11-25"})).send().problem(409, "time_entry_day_out_of_range");
        step(&app, people.coordinator, &path, "strike", Value::Null).expect(200);
        step(&app, people.coordinator, &path, "strike", Value::Null).problem(409, "time_entry_struck");
        coordinator.patch(&path).if_match(3).json(json!({"minutes": 50})).send().problem(409, "time_entry_struck");
        let list = coordinator.get(&entries).send().expect(200);
        let struck: Vec<_> = list["items"].as_array().unwrap().iter().map(|entry| entry["struck"].clone()).collect();
        assert_eq!((struck, &list["total_minutes"]), (vec![json!(false), json!(true)], &json!(75)));

        for who in [people.link_worker, people.referrer] {
            app.user(who).get(&entries).send().problem(403, "forbidden");
            app.user(who).post(&entries).json(new("2026-11-22", 30)).send().problem(403, "forbidden");
            app.user(who).get(&path).send().problem(403, "forbidden");
        }
        for who in [people.other_link_worker, people.other_referrer, app.world.other.coordinator, people.privacy_officer] {
            app.user(who).get(&entries).send().problem(404, "not_found");
            app.user(who).patch(&path).if_match(3).json(json!({"minutes": 1})).send().problem(404, "not_found");
        }
        // Writing up comes after the end, too; but not on what should never have been there.
        let period = format!("/v1/support-periods/{}", text(&coordinator.get(&referral).send().expect(200), "support_period_id"));
        step(&app, people.coordinator, &period, "end", end("2026-11-24")).expect(200);
        coordinator.post(&entries).json(new("2026-11-24", 10)).send().expect(201);
        step(&app, people.coordinator, &referral, "mark-as-error", json!({"reason": "Väärä henkilö."})).expect(200);
        coordinator.post(&entries).json(new("2026-11-24", 10)).send().problem(409, "wrong_state");
    }
}

on_both! {
    fn whose_assignment_has_ended_writes_nothing_any_more(app: TestApp) {
        let people = app.world.own;
        let (referral, period) = in_support(&app, complete());
        let goal = goal_of(&app, &period);
        let link = link_of(&app, &referral, &json!(people.activity.as_uuid()));
        let change = json!({"link_worker_id": people.other_worker.as_uuid(), "reason": "link_worker_unavailable"});
        step(&app, people.coordinator, &period, "change-link-worker", change).expect(200);
        step(&app, people.link_worker, &goal, "mark-step", json!({"step": 1, "done": true})).problem(404, "not_found");
        let worker = app.user(people.link_worker);
        worker.patch(&format!("/v1/activity-links/{link}")).if_match(1).json(json!({"unmet_needs": ["other"]})).send().problem(404, "not_found");
        assert!(items(worker.get("/v1/support-periods?no_visit_for_days=0").send()).is_empty());
    }
}
