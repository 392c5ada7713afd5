//! Those who do the work: what worries them and who may see it, when they are away, who takes over, and when nobody works at all.

use serde_json::{Value, json};

use super::{about, assigned, propose, send, start, step, taken, the_clock_looks, version};
use crate::http::cases::{about_the_client, prepare};
use crate::support::app::text;
use crate::support::{TestApp, on_both};

const FACTS: &str = "Jääkaappi on tyhjä toista viikkoa.";

fn concern() -> Value {
    json!({"kind": "older_person", "facts": FACTS, "person_informed": false, "not_informed_reason": "Ei jaksanut puhua."})
}

/// A concern that the link worker has recorded about the client who signs in; gives the paths of the referral and of the concern.
fn worried(app: &TestApp) -> (String, String) {
    prepare(app);
    let (referral, _) = assigned(app, about_the_client());
    let made = app.user(app.world.own.link_worker).post(&format!("{referral}/concerns")).json(concern()).send();
    assert_eq!(made.version(), 1);
    let made = made.expect(201);
    assert_eq!((&made["state"], &made["reporter_role"]), (&json!("open"), &json!("link_worker")));
    (referral, format!("/v1/concerns/{}", text(&made, "id")))
}

on_both! {
    fn a_concern_is_for_its_reporter_the_coordinator_and_the_privacy_officer(app: TestApp) {
        let people = app.world.own;
        let (referral, concern) = worried(&app);
        for who in [people.link_worker, people.coordinator, people.privacy_officer] {
            assert_eq!(app.user(who).get(&concern).send().expect(200)["facts"], FACTS);
            assert_eq!(app.user(who).get("/v1/concerns").send().expect(200)["items"].as_array().unwrap().len(), 1);
            assert_eq!(app.user(who).get(&format!("{referral}/concerns")).send().expect(200)["items"].as_array().unwrap().len(), 1);
        }
        for who in [people.admin, people.referrer, people.other_link_worker, people.client, people.report_reader, app.world.other.coordinator] {
            app.user(who).get(&concern).send().problem(404, "not_found");
            assert_eq!(app.user(who).get("/v1/concerns").send().expect(200)["items"], json!([]));
        }
        // Whoever sent the referral sees their own there, and none of the others'.
        assert_eq!(app.user(people.referrer).get(&format!("{referral}/concerns")).send().expect(200)["items"], json!([]));
        app.user(people.client).get(&format!("{referral}/concerns")).send().problem(403, "forbidden");
        app.user(people.client).post(&format!("{referral}/concerns")).json(self::concern()).send().problem(403, "forbidden");
        app.user(people.admin).get(&format!("{referral}/concerns")).send().problem(404, "not_found");
        let list = app.user(people.coordinator).get("/v1/concerns?state=open&kind=older_person&released=false").send();
        assert!(!list.text.contains(FACTS) && !list.text.contains("jaksanut"), "{}", list.text);
        assert_eq!(list.expect(200)["items"].as_array().unwrap().len(), 1);
        for filter in ["state=reported", "kind=child", "released=true"] {
            assert_eq!(app.user(people.coordinator).get(&format!("/v1/concerns?{filter}")).send().expect(200)["items"], json!([]));
        }
        // The reporter keeps it when the work is over, and may still say where it was reported; the coordinator of old cases says why they look.
        step(&app, people.coordinator, &referral, "withdraw", json!({})).expect(200);
        app.user(people.link_worker).get(&referral).send().problem(404, "not_found");
        app.user(people.link_worker).get(&concern).send().expect(200);
        let reported = json!({"reported_to": {"where": "Sosiaalipäivystys", "at": "2026-11-22T09:30:00Z"}});
        let told = app.user(people.link_worker).patch(&concern).if_match(1).json(reported).send().expect(200);
        assert_eq!((&told["state"], &told["reported_to"]["where"]), (&json!("reported"), &json!("Sosiaalipäivystys")));
        app.clock.advance_days(40);
        app.user(people.coordinator).get(&concern).send().problem(403, "access_reason_required");
        assert_eq!(app.user(people.coordinator).get("/v1/concerns").send().expect(200)["items"], json!([]));
        app.user(people.coordinator).get(&concern).header("x-access-reason", "Kysely sosiaalitoimesta").send().expect(200);
        app.user(people.link_worker).get(&concern).send().expect(200);
    }
}

on_both! {
    fn the_client_learns_nothing_of_a_concern_before_it_is_released(app: TestApp) {
        let people = app.world.own;
        let (referral, concern) = worried(&app);
        let id = concern.rsplit('/').next().unwrap().to_owned();
        let (client, coordinator) = (app.user(people.client), app.user(people.coordinator));
        coordinator.get(&concern).send().expect(200);
        coordinator.get(&format!("{referral}/concerns")).send().expect(200);
        app.user(people.other_link_worker).get(&concern).send().problem(404, "not_found");
        let about = coordinator.get(&referral).send().expect(200)["client"]["id"].as_str().unwrap().to_owned();
        let views = |what: &str| {
            let mut all = String::new();
            for path in [
                "/v1/me/concerns", "/v1/me/referrals", "/v1/me/access-log", "/v1/me/data-copy", &format!("/v1/clients/{about}/access-log"),
                &referral, &format!("{referral}/timeline"),
            ] {
                all += &client.get(path).send().expect(200).to_string();
            }
            (all.matches(what).count(), all)
        };
        let (told, all) = views("concern_");
        assert_eq!(told, 0, "{all}");
        for word in [id.as_str(), FACTS, "older_person", "huole", "\"concerns\""] {
            assert!(!all.contains(word), "{word}: {all}");
        }
        // The officer sees who has read what, whatever the client may know.
        let log = app.user(people.privacy_officer).get(&format!("/v1/clients/{about}/access-log")).send().expect(200).to_string();
        assert!(log.contains("concern_create") && log.contains("concern_view"), "{log}");

        app.user(people.link_worker).post(&format!("{concern}/release")).if_match(1).json(json!({})).send().problem(403, "forbidden");
        app.user(people.privacy_officer).post(&format!("{concern}/release")).if_match(1).json(json!({})).send().problem(403, "forbidden");
        client.post(&format!("{concern}/release")).if_match(1).json(json!({})).send().problem(404, "not_found");
        coordinator.post(&format!("{concern}/release")).json(json!({})).send().problem(428, "precondition_required");
        coordinator.post(&format!("{concern}/release")).if_match(7).json(json!({})).send().problem(412, "stale_version");
        let released = coordinator.post(&format!("{concern}/release")).if_match(1).json(json!({"words": "Puhutaan tästä."})).send().expect(200);
        assert_eq!(released["version"], 2);
        coordinator.post(&format!("{concern}/release")).if_match(2).json(json!({})).send().problem(409, "concern_released");
        let own = client.get("/v1/me/concerns").send().expect(200)["items"][0].clone();
        assert_eq!((&own["facts"], &own["release_words"]), (&json!(FACTS), &json!("Puhutaan tästä.")));
        assert_eq!(own.get("reporter_id"), None);
        client.get(&concern).send().problem(404, "not_found");
        let copy = client.get("/v1/me/data-copy").send().expect(200);
        let rows = copy["records"].as_array().unwrap().iter().find(|part| part["table"] == "concerns").unwrap()["rows"].clone();
        assert_eq!((&rows[0]["facts"], &rows[0]["kind"]), (&json!(FACTS), &json!("older_person")));
        assert!(views("concern_create").0 > 0, "who wrote it stands in the log now");
        // A second one hides the operations of both again, and stands in no copy.
        app.user(people.link_worker).post(&format!("{referral}/concerns")).json(json!({
            "kind": "child", "facts": "Toinen huoli.", "person_informed": true
        })).send().expect(201);
        let (told, all) = views("concern_");
        assert_eq!(told, 0, "{all}");
        assert!(!all.contains("Toinen huoli"));
        assert_eq!(client.get("/v1/me/concerns").send().expect(200)["items"].as_array().unwrap().len(), 1);
    }
}

on_both! {
    fn a_concern_says_why_the_person_does_not_know_and_ends(app: TestApp) {
        let people = app.world.own;
        let (referral, concern) = worried(&app);
        let (coordinator, worker) = (app.user(people.coordinator), app.user(people.link_worker));
        let create = |body: Value| worker.post(&format!("{referral}/concerns")).json(body).send();
        let fault = create(json!({"kind": "child", "facts": "Lapsi.", "person_informed": false})).problem(422, "invalid");
        assert_eq!(fault["errors"][0]["pointer"], "/not_informed_reason");
        let later = json!({
            "kind": "child", "facts": "Lapsi.", "person_informed": true, "reported_to": {"where": "Poliisi", "at": "2026-11-22T10:00:01Z"}
        });
        assert_eq!(create(later).problem(422, "invalid")["errors"][0]["pointer"], "/reported_to/at");
        create(json!({"kind": "worry", "facts": "Lapsi.", "person_informed": true})).problem(422, "invalid");
        create(json!({"kind": "child", "facts": "x".repeat(2001), "person_informed": true})).problem(422, "invalid");
        worker.post("/v1/referrals/01900000-0000-7000-8000-00000000ffff/concerns").json(self::concern()).send().problem(404, "not_found");
        let draft = app.user(people.referrer).post("/v1/referrals").json({
            let mut body = about("Luonnos");
            body["submit"] = json!(false);
            body
        }).send().expect(201);
        let path = format!("/v1/referrals/{}/concerns", text(&draft, "id"));
        app.user(people.referrer).post(&path).json(self::concern()).send().problem(409, "wrong_state");

        app.user(people.privacy_officer).patch(&concern).if_match(1).json(json!({"follow_up": "x"})).send().problem(403, "forbidden");
        worker.patch(&concern).if_match(1).json(json!({"facts": "Toiset"})).send().problem(422, "invalid");
        worker.patch(&concern).if_match(1).json(json!({"not_informed_reason": null})).send().problem(422, "invalid");
        let known = worker.patch(&concern).if_match(1).json(json!({"person_informed": true, "consulted": "Kaisa"})).send().expect(200);
        assert_eq!((known.get("not_informed_reason"), &known["consulted"], &known["version"]), (None, &json!("Kaisa"), &json!(2)));
        worker.patch(&concern).if_match(1).json(json!({"consulted": null})).send().problem(412, "stale_version");
        worker.post(&format!("{concern}/close")).if_match(2).json(json!({"follow_up": "Hoidettu."})).send().problem(403, "forbidden");
        let closed = coordinator.post(&format!("{concern}/close")).if_match(2).json(json!({"follow_up": "Hoidettu."})).send().expect(200);
        assert_eq!((&closed["state"], &closed["follow_up"]), (&json!("closed"), &json!("Hoidettu.")));
        coordinator.post(&format!("{concern}/close")).if_match(3).json(json!({"follow_up": "x"})).send().problem(409, "concern_closed");
        worker.patch(&concern).if_match(3).json(json!({"consulted": "x"})).send().problem(409, "concern_closed");
    }
}

on_both! {
    fn what_was_written_in_a_concern_is_sealed_and_goes_with_the_person(app: TestApp) {
        use crate::support::database::wait;
        use lahete_persistence::{Db, StoreError};
        let people = app.world.own;
        let (referral, concern) = worried(&app);
        let reported = json!({"reported_to": {"where": "Sosiaalipäivystys", "at": "2026-11-22T09:30:00Z"}, "consulted": "Kaisalta kysytty"});
        app.user(people.link_worker).patch(&concern).if_match(1).json(reported).send().expect(200);
        let rows = || {
            let columns = ["id", "facts", "not_informed_reason", "consulted", "reported_place"];
            wait(app.store.read(move |db: &mut Db<'_>| -> Result<Vec<String>, StoreError> { db.schema_rows("concerns", &columns) })).unwrap()
        };
        let kept = rows().join("\n");
        for word in ["Jääkaappi", "jaksanut", "Kaisalta", "Sosiaalip"] {
            assert!(!kept.contains(word), "{kept}");
        }
        assert_eq!(rows().len(), 1);
        step(&app, people.coordinator, &referral, "withdraw", json!({})).expect(200);
        let officer = app.user(people.privacy_officer);
        let client = text(&app.user(people.coordinator).get(&referral).send().expect(200)["client"], "id");
        let request = officer.post("/v1/data-requests").json(json!({"client_id": client, "kind": "erasure"})).send().expect(201);
        let path = format!("/v1/data-requests/{}", text(&request, "id"));
        officer.post(&format!("{path}/start")).if_match(1).send().expect(200);
        let done = officer.post(&format!("{path}/fulfil")).if_match(2).json(json!({})).send().expect(200);
        assert!(!done.to_string().contains("concern"), "its count stands for itself nowhere: {done}");
        assert_eq!(rows(), Vec::<String>::new());
        app.user(people.link_worker).get(&concern).send().problem(404, "not_found");
    }
}

on_both! {
    fn there_is_always_some_guidance_and_a_municipality_has_its_own(app: TestApp) {
        let people = app.world.own;
        let worker = app.user(people.link_worker);
        let all = worker.get("/v1/concern-guidance").header("accept-language", "sv").send().expect(200);
        let kinds: Vec<&str> = all["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds.len(), 8);
        let child = all["items"].as_array().unwrap().iter().find(|item| item["kind"] == "child").unwrap();
        assert!(child["law"].as_str().unwrap().starts_with("Barnskyddslagen 417/2007"), "{child}");
        // A fee contract binds about children, and not about older people.
        assert_eq!((&child["your_obligation"], &child["national"], &child["emergency_number"]), (&json!("duty"), &json!(true), &json!("112")));
        let older = worker.get("/v1/concern-guidance?kind=older_person&municipality=758").send().expect(200);
        assert_eq!((older["items"].as_array().unwrap().len(), &older["items"][0]["your_obligation"]), (1, &json!("right")));
        let coordinator = app.user(people.coordinator);
        assert_eq!(coordinator.get("/v1/concern-guidance?kind=older_person").send().expect(200)["items"][0]["your_obligation"], "duty");
        let body = |municipality: Option<&str>, place: &str| {
            let mut body = json!({"programme_id": people.programme.to_string(), "kind": "older_person", "where": place, "languages": ["fi", "se"]});
            if let Some(municipality) = municipality {
                body["municipality"] = json!(municipality);
            }
            body
        };
        worker.post("/v1/concern-guidance").json(body(None, "x")).send().problem(403, "forbidden");
        app.user(app.world.other.coordinator).post("/v1/concern-guidance").json(body(None, "x")).send().problem(404, "not_found");
        coordinator.post("/v1/concern-guidance").json(body(None, "Koko ohjelman palveluohjaus")).send().expect(201);
        app.user(people.admin).post("/v1/concern-guidance").json(body(None, "Toinen")).send().problem(409, "concern_guidance_exists");
        let own = app.user(people.admin).post("/v1/concern-guidance").json(body(Some("758"), "Sodankylän palveluohjaus")).send().expect(201);
        coordinator.post("/v1/concern-guidance").json(body(Some("999"), "x")).send().problem(422, "invalid");
        let place = |query: &str| worker.get(&format!("/v1/concern-guidance?kind=older_person{query}")).send().expect(200)["items"][0]["where"].clone();
        assert_eq!(place("&municipality=758"), "Sodankylän palveluohjaus");
        assert_eq!(place("&municipality=261"), "Koko ohjelman palveluohjaus");
        assert_eq!(place(""), "Koko ohjelman palveluohjaus");
        let path = format!("/v1/concern-guidance/{}", text(&own, "id"));
        let patch = json!({"hours": "ma–pe 8–16", "obligations": {"hourly": "duty", "fee": "duty", "volunteer": "right"}});
        coordinator.patch(&path).json(patch.clone()).send().problem(428, "precondition_required");
        worker.patch(&path).if_match(1).json(patch.clone()).send().problem(403, "forbidden");
        assert_eq!(coordinator.patch(&path).if_match(1).json(patch).send().expect(200)["version"], 2);
        let changed = worker.get("/v1/concern-guidance?kind=older_person&municipality=758").send().expect(200)["items"][0].clone();
        assert_eq!((&changed["your_obligation"], &changed["hours"]), (&json!("duty"), &json!("ma–pe 8–16")));
        // Nobody of another programme is told of ours, and whoever works nowhere is told nothing.
        assert_eq!(app.user(app.world.other.link_worker).get("/v1/concern-guidance?kind=older_person").send().expect(200)["items"][0]["national"], true);
        assert_eq!(app.user(people.client).get("/v1/concern-guidance").send().expect(200)["items"], json!([]));
    }
}

on_both! {
    fn whoever_is_away_is_not_proposed_and_their_clients_are_found(app: TestApp) {
        let people = app.world.own;
        let (coordinator, worker) = (app.user(people.coordinator), app.user(people.link_worker));
        let (referral, _) = assigned(&app, about("Aino"));
        worker.post(&format!("{referral}/support-period")).if_match(version(&app, &referral)).json(start()).send().expect(201);
        let waiting = propose(&app, &taken(&app, about("Elli")), people.worker);
        let path = format!("/v1/link-workers/{}", people.worker);
        let absences = format!("{path}/absences");
        worker.post(&absences).json(json!({"from": "2026-11-25", "until": "2026-11-24", "reason": "holiday"})).send().problem(422, "invalid");
        app.user(people.other_link_worker).post(&absences).json(json!({"from": "2026-11-22", "reason": "other"})).send().problem(404, "not_found");
        let body = json!({"from": "2026-11-22", "until": "2026-11-24", "reason": "illness"});
        let absence = worker.post(&absences).json(body).send().expect(201);
        assert_eq!((&absence["current"], &absence["recorded_by"]), (&json!(true), &json!(people.link_worker.to_string())));
        let card = coordinator.get(&path).send().expect(200);
        assert_eq!((&card["absent"], &card["absent_until"]), (&json!(true), &json!("2026-11-24")));
        let another = taken(&app, about("Impi"));
        let ask = || coordinator.post(&format!("{another}/assignments")).json(json!({"link_worker_id": people.worker.to_string()})).send();
        let refused = ask().problem(409, "link_worker_absent");
        assert_eq!(refused["params"]["until"], "2026-11-24");
        assert!(refused["detail"].as_str().unwrap().contains("away until 2026-11-24"), "{refused}");
        // What they were asked before they can still answer: they know best.
        step(&app, people.link_worker, &waiting, "accept", Value::Null).expect(200);
        let names = |query: &str| {
            let list = coordinator.get(&format!("/v1/link-workers?{query}")).send().expect(200);
            list["items"].as_array().unwrap().iter().map(|item| text(item, "name")).collect::<Vec<_>>()
        };
        assert_eq!(names("available_on=2026-11-24"), ["Lauri Linkki"]);
        assert_eq!(names("available_on=2026-11-25"), ["Lauri Linkki", "Liisa Linkki"]);
        let alone = |day: &str| {
            let list = coordinator.get(&format!("/v1/support-periods?link_worker_absent_on={day}")).send().expect(200);
            list["items"].as_array().unwrap().iter().map(|item| item["link_worker"]["absent_until"].clone()).collect::<Vec<_>>()
        };
        assert_eq!((alone("2026-11-24"), alone("2026-11-25")), (vec![json!("2026-11-24")], vec![]));
        // Ended early: yesterday was the last day.
        let one = format!("{absences}/{}", text(&absence, "id"));
        worker.patch(&one).if_match(1).json(json!({"until": "2026-11-21"})).send().problem(422, "invalid");
        worker.patch(&one).if_match(1).json(json!({"from": "2026-11-20", "until": "2026-11-21"})).send().expect(200);
        worker.patch(&one).if_match(1).json(json!({"until": null})).send().problem(412, "stale_version");
        coordinator.patch(&format!("/v1/link-workers/{}/absences/{}", people.other_worker, text(&absence, "id"))).if_match(2)
            .json(json!({"until": null})).send().problem(404, "not_found");
        ask().expect(201);
        worker.patch(&one).if_match(2).json(json!({"until": null})).send().expect(200);
        assert_eq!(names("available_on=2030-02-28"), ["Lauri Linkki"], "until further notice");
        assert_eq!(coordinator.get(&absences).send().expect(200)["items"][0].get("until"), None);
    }
}

on_both! {
    fn trainings_are_refreshed_mentoring_is_noted_and_people_speak_for_themselves(app: TestApp) {
        let people = app.world.own;
        let (coordinator, worker) = (app.user(people.coordinator), app.user(people.link_worker));
        let path = format!("/v1/link-workers/{}", people.worker);
        assert_eq!(coordinator.get(&path).send().expect(200)["refresher_due_on"], "2022-07-01");
        let body = json!({"kind": "refresher", "provider": "Lapin AMK", "completed_on": "2026-08-31"});
        coordinator.post(&format!("{path}/trainings")).json(body).send().expect(201);
        assert_eq!(worker.get(&path).send().expect(200)["refresher_due_on"], "2027-02-28");
        let due = |before: &str| {
            let list = coordinator.get(&format!("/v1/link-workers?refresher_due_before={before}")).send().expect(200);
            list["items"].as_array().unwrap().iter().map(|item| text(item, "name")).collect::<Vec<_>>()
        };
        assert_eq!(due("2027-02-28"), ["Lauri Linkki"]);
        assert_eq!(due("2027-03-01"), ["Lauri Linkki", "Liisa Linkki"]);
        assert_eq!(due("2022-07-01"), Vec::<String>::new());
        let programme = format!("/v1/programmes/{}", people.programme);
        let admin = app.user(people.admin);
        let version = admin.get(&programme).send().version();
        admin.patch(&programme).if_match(version).json(json!({"refresher_months": 61})).send().problem(422, "invalid");
        admin.patch(&programme).if_match(version).json(json!({"refresher_months": 12})).send().expect(200);
        assert_eq!(worker.get(&path).send().expect(200)["refresher_due_on"], "2027-08-31");
        assert_eq!(due("2027-03-01"), ["Lauri Linkki"]);

        let sessions = format!("{path}/mentoring-sessions");
        let body = |on: &str, minutes: i64| json!({"on": on, "minutes": minutes, "mentor": "Kaisa", "kind": "individual"});
        worker.post(&sessions).json(body("2026-11-20", 60)).send().problem(403, "forbidden");
        coordinator.post(&sessions).json(body("2026-11-23", 60)).send().problem(422, "invalid");
        coordinator.post(&sessions).json(body("2026-11-20", 0)).send().problem(422, "invalid");
        coordinator.post(&sessions).json(body("2026-11-20", 601)).send().problem(422, "invalid");
        coordinator.post(&sessions).json(body("2026-11-22", 60)).send().expect(201);
        coordinator.post(&sessions).json(body("2026-02-28", 90)).send().expect(201);
        let seen = worker.get(&format!("{sessions}?limit=1")).send().expect(200);
        assert_eq!((&seen["items"][0]["on"], seen["page"]["next"].is_string()), (&json!("2026-11-22"), true));
        app.user(people.other_link_worker).get(&sessions).send().problem(404, "not_found");

        let version = worker.get(&path).send().version();
        worker.patch(&path).if_match(version).json(json!({"max_clients": 1})).send().problem(403, "forbidden");
        worker.patch(&path).if_match(version).json(json!({"interests": "Hiihto", "status": "paused"})).send().problem(403, "forbidden");
        let own = worker.patch(&path).if_match(version).json(json!({"interests": "Hiihto", "languages": ["fi", "smn"]})).send().expect(200);
        assert_eq!((&own["interests"], &own["languages"]), (&json!("Hiihto"), &json!(["fi", "smn"])));
        app.user(people.other_link_worker).patch(&path).if_match(version + 1).json(json!({"interests": "x"})).send().problem(404, "not_found");
    }
}

/// A second coordinator of the own programme.
fn another_coordinator(app: &TestApp) -> lahete_domain::ids::UserId {
    let people = app.world.own;
    let body = json!({"programme_id": people.programme.to_string(), "user_id": people.other_referrer.to_string(), "role": "coordinator"});
    app.user(people.admin).post("/v1/role-assignments").json(body).send().expect(201);
    people.other_referrer
}

on_both! {
    fn a_coordinators_open_cases_pass_on_in_one_call(app: TestApp) {
        let people = app.world.own;
        let coordinator = app.user(people.coordinator);
        let first = taken(&app, about("Aino"));
        let second = taken(&app, about("Elli"));
        let proposal = propose(&app, &second, people.worker);
        let untaken = send(&app, about("Impi"));
        let over = taken(&app, about("Urho"));
        step(&app, people.coordinator, &over, "close", json!({"outcome": "redirected", "end_reason": "health_service"})).expect(200);
        let new = people.other_referrer;
        let body = |validate_only: bool| json!({
            "programme_id": people.programme.to_string(), "from_user_id": people.coordinator.to_string(), "to_user_id": new.to_string(),
            "reason": "Virkavapaa.", "validate_only": validate_only
        });
        coordinator.post("/v1/handovers").json(body(true)).send().problem(409, "not_a_coordinator");
        assert_eq!(another_coordinator(&app), new);
        app.user(people.admin).post("/v1/handovers").json(body(true)).send().problem(404, "not_found");
        app.user(app.world.other.coordinator).post("/v1/handovers").json(body(true)).send().problem(404, "not_found");
        let mut both = body(true);
        both["to_link_worker_id"] = json!(people.worker.to_string());
        coordinator.post("/v1/handovers").json(both).send().problem(422, "invalid");
        let mut nobody = body(true);
        nobody["from_user_id"] = json!(app.world.other.coordinator.to_string());
        assert_eq!(coordinator.post("/v1/handovers").json(nobody).send().problem(422, "invalid")["errors"][0]["pointer"], "/from_user_id");

        let before = version(&app, &first);
        let would = coordinator.post("/v1/handovers").json(body(true)).send().expect(200);
        let pieces = |view: &Value| {
            view["moved"].as_array().unwrap().iter().map(|moved| (text(moved, "piece"), format!("/v1/referrals/{}", text(moved, "referral_id")))).collect::<Vec<_>>()
        };
        let expected = [("referral", &first), ("referral", &second), ("proposal", &second)].map(|(piece, path)| (piece.to_owned(), path.clone()));
        assert_eq!(pieces(&would), expected);
        assert_eq!(version(&app, &first), before, "nothing was changed");
        let done = coordinator.post("/v1/handovers").key("handover-1").json(body(false)).send().expect(200);
        assert_eq!((pieces(&done), &done["not_moved"], &done["more"]), (expected.to_vec(), &json!([]), &json!(false)));
        // The same key does it once; what it told of several people is not kept.
        coordinator.post("/v1/handovers").key("handover-1").json(body(false)).send().problem(409, "idempotency_answer_gone");
        for path in [&first, &second] {
            let seen = app.user(new).get(path).send().expect(200);
            assert_eq!(seen["coordinator_id"], new.to_string());
        }
        assert_eq!(version(&app, &first), before + 1);
        let line = app.user(new).get(&format!("{first}/timeline")).header("accept-language", "en").send().expect(200)["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&line["text"], &line["comment"]), (&json!("Coordinator changed"), &json!("Virkavapaa.")));
        assert_eq!(coordinator.get(&untaken).send().expect(200).get("coordinator_id"), None);
        assert_eq!(coordinator.get(&over).send().expect(200)["coordinator_id"], people.coordinator.to_string());
        // The proposal can still be answered as it was read.
        app.user(people.link_worker).post(&format!("{proposal}/accept")).if_match(1).send().expect(200);
        assert_eq!(coordinator.post("/v1/handovers").json(body(false)).send().expect(200)["moved"], json!([]));
        let client = text(&app.user(new).get(&first).send().expect(200)["client"], "id");
        let trail = app.user(people.privacy_officer).get(&format!("/v1/audit-events?client_id={client}")).send().expect(200).to_string();
        assert!(trail.contains("handover_make"), "{trail}");
    }
}

on_both! {
    fn a_link_workers_clients_are_proposed_to_another_by_the_usual_rules(app: TestApp) {
        let people = app.world.own;
        let (coordinator, worker, other) = (app.user(people.coordinator), app.user(people.link_worker), app.user(people.other_link_worker));
        let (in_support, _) = assigned(&app, about("Aino"));
        let period = worker.post(&format!("{in_support}/support-period")).if_match(version(&app, &in_support)).json(start()).send().expect(201);
        let (waiting, _) = assigned(&app, about("Elli"));
        let asked = taken(&app, about("Impi"));
        let proposal = propose(&app, &asked, people.worker);
        let (conflicting, _) = {
            let referral = taken(&app, about("Kerttu"));
            let declined = propose(&app, &referral, people.other_worker);
            step(&app, people.other_link_worker, &declined, "decline", json!({"reason": "conflict_of_interest"})).expect(200);
            let accepted = propose(&app, &referral, people.worker);
            step(&app, people.link_worker, &accepted, "accept", Value::Null).expect(200);
            (referral, accepted)
        };
        let path = format!("/v1/link-workers/{}", people.other_worker);
        let etag = coordinator.get(&path).send().version();
        coordinator.patch(&path).if_match(etag).json(json!({"max_clients": 2})).send().expect(200);
        let body = |validate_only: bool| json!({
            "programme_id": people.programme.to_string(), "from_link_worker_id": people.worker.to_string(),
            "to_link_worker_id": people.other_worker.to_string(), "reason": "Muuttaa etelään.", "message": "Liisan jälkeen.",
            "validate_only": validate_only
        });
        let outcome = |view: &Value| {
            let named = |list: &str, member: &str| {
                view[list].as_array().unwrap().iter()
                    .map(|one| (format!("/v1/referrals/{}", text(one, "referral_id")), text(one, member))).collect::<Vec<_>>()
            };
            (named("moved", "piece"), named("not_moved", "code"))
        };
        let would = coordinator.post("/v1/handovers").json(body(true)).send().expect(200);
        let expected = (
            vec![(in_support.clone(), "support_period".to_owned()), (waiting.clone(), "assignment".to_owned())],
            vec![(conflicting.clone(), "link_worker_conflict".to_owned()), (asked.clone(), "link_worker_full".to_owned())],
        );
        assert_eq!(outcome(&would), expected);
        assert!(would["moved"].as_array().unwrap().iter().all(|moved| moved.get("assignment_id").is_none()));
        worker.get(&in_support).send().expect(200);
        let done = coordinator.post("/v1/handovers").json(body(false)).send().expect(200);
        assert_eq!(outcome(&done), expected);
        // The former one's access ended with the call; what could not move stays theirs.
        worker.get(&in_support).send().problem(404, "not_found");
        worker.get(&waiting).send().problem(404, "not_found");
        worker.get(&conflicting).send().expect(200);
        worker.get(&proposal).send().expect(200);
        let states: Vec<_> = done["moved"].as_array().unwrap().iter().map(|moved| moved["state"].clone()).collect();
        assert_eq!(states, [json!("in_support"), json!("waitlisted")]);
        let period = format!("/v1/support-periods/{}", text(&period, "id"));
        assert_eq!(coordinator.get(&period).send().expect(200)["planned_end_on"], "2027-01-22", "the end date stays");
        for moved in done["moved"].as_array().unwrap() {
            let assignment = format!("/v1/assignments/{}", text(moved, "assignment_id"));
            other.get(&format!("/v1/referrals/{}", text(moved, "referral_id"))).send().problem(404, "not_found");
            assert_eq!(other.get(&assignment).send().expect(200)["message"], "Liisan jälkeen.");
            step(&app, people.other_link_worker, &assignment, "accept", Value::Null).expect(200);
            other.get(&format!("/v1/referrals/{}", text(moved, "referral_id"))).send().expect(200);
        }
        // Somebody who is away takes nobody over.
        coordinator.post(&format!("{path}/absences")).json(json!({"from": "2026-11-22", "reason": "illness"})).send().expect(201);
        let (moved, stays) = outcome(&coordinator.post("/v1/handovers").json(body(false)).send().expect(200));
        assert_eq!(moved, []);
        assert_eq!(stays.iter().map(|(_, code)| code.as_str()).collect::<Vec<_>>(), ["link_worker_conflict", "link_worker_absent"]);
    }
}

on_both! {
    fn in_a_break_no_clock_runs_and_nothing_is_refused(app: TestApp) {
        let people = app.world.own;
        let (coordinator, admin) = (app.user(people.coordinator), app.user(people.admin));
        let breaks = format!("/v1/programmes/{}/breaks", people.programme);
        let waiting = taken(&app, about("Aino"));
        step(&app, people.coordinator, &waiting, "waitlist", json!({})).expect(200);
        let (referral, _) = assigned(&app, about("Elli"));
        let body = start();
        let period = app.user(people.link_worker).post(&format!("{referral}/support-period")).if_match(version(&app, &referral)).json(body).send().expect(201);
        let period = format!("/v1/support-periods/{}", text(&period, "id"));
        let proposal = propose(&app, &taken(&app, about("Impi")), people.other_worker);
        let expires = || coordinator.get(&proposal).send().expect(200)["expires_at"].clone();
        assert_eq!(expires(), "2026-11-29T10:00:00.000000Z");

        let new = json!({"from": "2026-11-24", "until": "2026-11-26", "reason": "staffing", "words": {"fi": "Tauolla.", "se": "Bottus."}});
        app.user(people.link_worker).post(&breaks).json(new.clone()).send().problem(403, "forbidden");
        app.user(app.world.other.admin).post(&breaks).json(new.clone()).send().problem(404, "not_found");
        let backwards = json!({"from": "2026-11-24", "until": "2026-11-23", "reason": "staffing"});
        coordinator.post(&breaks).json(backwards).send().problem(422, "invalid");
        let made = coordinator.post(&breaks).json(new).send().expect(201);
        assert_eq!(made["words"], json!({"fi": "Tauolla.", "se": "Bottus."}));
        assert_eq!(expires(), "2026-12-02T10:00:00.000000Z", "three days later");
        let one = format!("{breaks}/{}", text(&made, "id"));
        admin.patch(&one).if_match(1).json(json!({"until": "2026-11-23"})).send().problem(422, "invalid");
        admin.patch(&one).json(json!({"until": "2026-11-27"})).send().problem(428, "precondition_required");
        assert_eq!(admin.patch(&one).if_match(1).json(json!({"until": "2026-11-27"})).send().expect(200)["version"], 2);
        admin.patch(&one).if_match(1).json(json!({"until": null})).send().problem(412, "stale_version");
        assert_eq!(expires(), "2026-12-03T10:00:00.000000Z");
        app.user(app.world.other.admin).patch(&format!("/v1/programmes/{}/breaks/{}", app.world.other.programme, text(&made, "id")))
            .if_match(2).json(json!({"until": null})).send().problem(404, "not_found");

        app.clock.set("2026-11-25T10:00:00Z");
        let shown = app.user(people.link_worker).get(&period).send().expect(200)["programme_break"].clone();
        assert_eq!((&shown["until"], &shown["current"]), (&json!("2026-11-27"), &json!(true)));
        // Nobody is paused, and a visit in the break is taken as it was.
        let visit = json!({"state": "held", "on": "2026-11-25", "minutes": 30, "mode": "home_visit", "purpose": "support"});
        app.user(people.link_worker).post(&format!("{period}/visits")).json(visit).send().expect(201);
        assert_eq!(coordinator.get(&waiting).send().expect(200)["waiting_days"], 2);
        let closing = taken(&app, about("Urho"));
        step(&app, people.coordinator, &closing, "close", json!({"outcome": "not_started", "end_reason": "client_declined"})).expect(200);
        assert_eq!(coordinator.get(&closing).send().expect(200)["closure"]["explained_by_break"], true);

        // The proposal lapses at its new time, and not before.
        app.clock.set("2026-12-03T09:59:00Z");
        the_clock_looks(&app);
        assert_eq!(coordinator.get(&proposal).send().expect(200)["state"], "proposed");
        app.clock.set("2026-12-03T10:00:00Z");
        the_clock_looks(&app);
        assert_eq!(coordinator.get(&proposal).send().expect(200)["state"], "expired");
        let list = coordinator.get("/v1/referrals?order=waiting_list").send().expect(200);
        let waits: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| item["waiting_days"].clone()).collect();
        // Eleven days, four of them a break.
        assert_eq!(waits, [json!(7)]);
        assert_eq!(app.user(people.link_worker).get(&period).send().expect(200).get("programme_break"), None);
        let later = taken(&app, about("Toini"));
        step(&app, people.coordinator, &later, "close", json!({"outcome": "not_started", "end_reason": "client_declined"})).expect(200);
        assert_eq!(coordinator.get(&later).send().expect(200)["closure"].get("explained_by_break"), None);
        // A new proposal in a break without an end waits for it.
        coordinator.post(&breaks).json(json!({"from": "2026-12-03", "reason": "funding"})).send().expect(201);
        let open = propose(&app, &taken(&app, about("Hilkka")), people.other_worker);
        assert_eq!(coordinator.get(&open).send().expect(200)["expires_at"], "2027-12-11T10:00:00.000000Z");
        let all = app.user(people.client).get(&breaks).send().expect(200);
        assert_eq!(all["items"].as_array().unwrap().len(), 2);
    }
}
