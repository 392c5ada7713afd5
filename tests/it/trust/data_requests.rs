//! What a person asks about their data, from the receipt to the answer.

use serde_json::{Value, json};

use crate::http::cases::{Built, Origin, Stage, prepare};
use crate::support::app::text;
use crate::support::{TestApp, on_both};

/// Asks for something on behalf of the client of a case; gives the path of the request.
pub fn ask(app: &TestApp, client: &str, kind: &str) -> String {
    let officer = app.user(app.world.own.privacy_officer);
    let asked = officer.post("/v1/data-requests").json(json!({"client_id": client, "kind": kind})).send().expect(201);
    format!("/v1/data-requests/{}", text(&asked, "id"))
}

/// The privacy officer takes a step with a request at its present version.
pub fn step(app: &TestApp, path: &str, verb: &str, body: Value) -> crate::support::Reply {
    let officer = app.user(app.world.own.privacy_officer);
    let call = officer.post(&format!("{path}/{verb}")).if_match(officer.get(path).send().version());
    if body.is_null() { call.send() } else { call.json(body).send() }
}

on_both! {
    fn a_request_has_a_deadline_of_the_calendar_and_is_found_by_it(app: TestApp) {
        prepare(&app);
        let people = app.world.own;
        let built = Built::new(&app, Origin::Referrer, Stage::InReview);
        let (client, officer) = (app.user(people.client), app.user(people.privacy_officer));
        // 23:30 on 30 January in Helsinki, and half an hour into the 31st.
        for (now, received, due) in [
            ("2027-01-30T21:30:00Z", "2027-01-30", "2027-02-28"),
            ("2027-01-30T22:30:00Z", "2027-01-31", "2027-02-28"),
            ("2028-01-31T10:00:00Z", "2028-01-31", "2028-02-29"),
            ("2028-02-29T10:00:00Z", "2028-02-29", "2028-03-29"),
        ] {
            app.clock.set(now);
            let asked = client.post("/v1/me/data-requests").json(json!({"kind": "access", "words": "Mitä minusta on?"})).send().expect(201);
            assert_eq!((&asked["received_on"], &asked["due_on"], &asked["state"]), (&json!(received), &json!(due), &json!("received")));
            assert_eq!(asked["recorded_role"], "client");
        }
        let count = |query: &str| officer.get(&format!("/v1/data-requests?{query}")).send().expect(200)["items"].as_array().unwrap().len();
        assert_eq!((count(""), count("overdue=true"), count("due_within_days=28"), count("due_within_days=29")), (4, 2, 3, 4));
        assert_eq!((count("open=true"), count("open=false"), count("state=received"), count("kind=erasure")), (4, 0, 4, 0));
        let first = officer.get("/v1/data-requests?limit=1").send().expect(200);
        assert_eq!((&first["items"][0]["due_on"], &first["items"][0]["overdue"]), (&json!("2027-02-28"), &json!(true)));
        // A letter counts from the day on which it came.
        let body = |day: &str| json!({"client_id": built.id("client_id"), "kind": "erasure", "received_on": day});
        let letter = app.user(people.coordinator).post("/v1/data-requests").json(body("2028-02-01")).send().expect(201);
        assert_eq!((&letter["due_on"], &letter["recorded_role"]), (&json!("2028-03-01"), &json!("coordinator")));
        officer.post("/v1/data-requests").json(body("2028-03-01")).send().problem(422, "invalid");
        officer.post("/v1/data-requests").json(body("2028-01-28")).send().problem(422, "invalid");
    }
}

on_both! {
    fn an_answer_is_extended_once_and_refused_with_words(app: TestApp) {
        prepare(&app);
        let people = app.world.own;
        let built = Built::new(&app, Origin::Referrer, Stage::InReview);
        let client = built.id("client_id");
        app.clock.set_day("2026-11-30");
        let path = ask(&app, client, "objection");
        step(&app, &path, "fulfil", json!({})).problem(409, "data_request_wrong_state");
        let longer = step(&app, &path, "extend", json!({"reason": "Aineistoa on paljon."})).expect(200);
        assert_eq!((&longer["due_on"], &longer["state"]), (&json!("2027-02-28"), &json!("extended")));
        step(&app, &path, "extend", json!({"reason": "Vielä."})).problem(409, "data_request_wrong_state");
        let own = app.user(people.client);
        let seen = own.get(&path).send().expect(200);
        assert_eq!(seen["extension_reason"], "Aineistoa on paljon.");
        let refusal = json!({"ground": "statutory_task", "decision": "Laki määrää säilytyksestä. Voit valittaa tietosuojavaltuutetulle."});
        step(&app, &path, "refuse", refusal).expect(200);
        let seen = own.get(&path).send().expect(200);
        assert_eq!((&seen["ground"], &seen["state"], &seen["allowed"]), (&json!("statutory_task"), &json!("refused"), &json!([])));
        assert!(text(&seen, "decision").starts_with("Laki määrää"));
        step(&app, &path, "withdraw", Value::Null).problem(409, "data_request_wrong_state");
        // Time that is over cannot be extended.
        let late = ask(&app, client, "access");
        app.clock.set_day("2026-12-31");
        step(&app, &late, "extend", json!({"reason": "Unohtui."})).problem(409, "data_request_overdue");
        // The person takes theirs back; a stale version or none is refused.
        let version = own.get(&late).send().version();
        own.post(&format!("{late}/withdraw")).send().problem(428, "precondition_required");
        own.post(&format!("{late}/withdraw")).if_match(version + 1).send().problem(412, "stale_version");
        assert_eq!(own.post(&format!("{late}/withdraw")).if_match(version).send().expect(200)["state"], "withdrawn");
        // Each step is in the client's own view of who did what.
        let log = own.get("/v1/me/access-log?limit=200").send().expect(200).to_string();
        for operation in ["data_request_create", "data_request_extend", "data_request_refuse", "data_request_withdraw"] {
            assert!(log.contains(operation), "{operation}");
        }
    }
}

on_both! {
    fn a_repeated_step_is_done_once(app: TestApp) {
        prepare(&app);
        let built = Built::new(&app, Origin::Referrer, Stage::InReview);
        let officer = app.user(app.world.own.privacy_officer);
        let body = json!({"client_id": built.id("client_id"), "kind": "access"});
        let send = || officer.post("/v1/data-requests").key("once").json(body.clone()).send();
        let (first, again) = (send(), send());
        assert_eq!((first.status, &first.text), (201, &again.text));
        assert_eq!(officer.get("/v1/data-requests").send().expect(200)["items"].as_array().unwrap().len(), 1);
        let path = format!("/v1/data-requests/{}", text(&first.json(), "id"));
        let start = || officer.post(&format!("{path}/start")).if_match(1).key("start").send();
        assert_eq!(start().expect(200)["version"], start().expect(200)["version"]);
    }
}

on_both! {
    fn the_package_has_everything_and_portability_what_was_given(app: TestApp) {
        prepare(&app);
        let people = app.world.own;
        let built = Built::new(&app, Origin::Referrer, Stage::InSupport);
        let client = built.id("client_id");
        let (own, officer) = (app.user(people.client), app.user(people.privacy_officer));
        let coordinator = app.user(people.coordinator);
        let path = format!("/v1/clients/{client}");
        let change = json!({"phone": "+358 40 555 0102", "reason": "Numero vaihtui."});
        coordinator.patch(&path).if_match(coordinator.get(&path).send().version()).json(change).send().expect(200);
        let copy = own.get("/v1/me/data-copy").header("accept-language", "en").send();
        assert_eq!((copy.header("content-language"), copy.header("cache-control")), (Some("en"), Some("no-store")));
        let copy = copy.expect(200);
        assert_eq!((&copy["schema"], &copy["schema_version"], &copy["kind"]), (&json!("lahete-person-package"), &json!("1.0"), &json!("access")));
        let classes: Vec<String> = copy["records"].as_array().unwrap().iter().map(|records| text(records, "record_class")).collect();
        for class in [
            "client", "referral", "consent", "timeline", "assignment", "support_period", "goal", "activity_link", "visit", "measure", "statistics",
            "sign_in",
        ] {
            assert!(classes.iter().any(|found| found == class), "{class} is not in {classes:?}");
        }
        let whole = copy.to_string();
        for told in ["Kerhoon.", "Haluaisin taas ulkoilemaan", "Juttelimme kahvin ääressä.", "Nainen, joka laulaa.", "+358 40 555 0102", "Riikka Lähettäjä"] {
            assert!(whole.contains(told), "{told}");
        }
        let rows = |table: &str| copy["records"].as_array().unwrap().iter().find(|records| records["table"] == table).unwrap()["rows"].clone();
        assert_eq!(rows("visits")[0]["mode_label"], "Home visit");
        assert_eq!(rows("clients")[0]["personal_identity_code_known"], json!(true));
        assert_eq!(rows("clients")[0]["interpreter_needed"], json!(false));
        assert!(rows("consents")[0]["purposes"].as_array().unwrap().contains(&json!("evaluation")));
        assert!(text(&rows("clients")[0], "created_at").ends_with('Z'));
        assert_eq!((&copy["corrections"][0]["before"]["phone"], &copy["corrections"][0]["reason"]), (&json!("+358 40 555 0101"), &json!("Numero vaihtui.")));
        assert!(copy["access_log"].as_array().unwrap().iter().any(|entry| entry["operation"] == "referral_create"));
        assert!(!whole.contains(crate::http::cases::CLIENT_CODE), "the identity code is shown nowhere");

        let asked = ask(&app, client, "portability");
        own.get(&format!("{asked}/package")).send().problem(404, "no_package");
        step(&app, &asked, "start", Value::Null).expect(200);
        own.get(&format!("{asked}/package")).send().problem(404, "no_package");
        officer.get(&format!("{asked}/package")).send().expect(200);
        step(&app, &asked, "fulfil", json!({"decision": "Paketti on valmis."})).expect(200);
        let package = own.get(&format!("{asked}/package")).send().expect(200);
        let told = package.to_string();
        assert!(told.contains("Kerhoon.") && told.contains("Haluaisin taas ulkoilemaan"), "{told}");
        assert!(!told.contains("Juttelimme kahvin") && !told.contains("Nainen, joka"), "what others have written is not the person's to carry: {told}");
        assert_eq!((&package["access_log"], &package["corrections"]), (&json!([]), &json!([])));
        coordinator.get(&format!("{asked}/package")).send().problem(403, "forbidden");
        app.user(people.other_client).get(&format!("{asked}/package")).send().problem(404, "not_found");
        app.user(app.world.other.privacy_officer).get(&asked).send().problem(404, "not_found");
        app.clock.advance_days(31);
        officer.get(&format!("{asked}/package")).send().problem(404, "no_package");
        own.get(&format!("{asked}/package")).send().expect(200);
        let erasure = ask(&app, client, "erasure");
        own.get(&format!("{erasure}/package")).send().problem(404, "no_package");
    }
}

on_both! {
    fn the_coordinator_corrects_and_what_was_there_is_kept(app: TestApp) {
        prepare(&app);
        let people = app.world.own;
        let built = Built::new(&app, Origin::Referrer, Stage::InSupport);
        let client = built.id("client_id");
        let asked = ask(&app, client, "rectification");
        step(&app, &asked, "start", Value::Null).expect(200);
        step(&app, &asked, "fulfil", json!({})).problem(409, "rectification_missing");
        let coordinator = app.user(people.coordinator);
        let referral = format!("/v1/referrals/{}", built.id("referral_id"));
        let rectify = |body: Value| coordinator.post(&format!("{referral}/rectify")).if_match(coordinator.get(&referral).send().version()).json(body).send();
        rectify(json!({"reason": "Ei mitään."})).problem(409, "nothing_to_rectify");
        let corrected = rectify(json!({"wish": "Laulamaan.", "reason": "Kirjattiin väärin."})).expect(200);
        assert_eq!(corrected["wish"], "Laulamaan.");
        step(&app, &asked, "fulfil", json!({})).expect(200);
        for user in [people.client, people.coordinator, people.privacy_officer] {
            let history = app.user(user).get(&format!("/v1/clients/{client}/history")).send().expect(200);
            let last = &history["items"][0];
            assert_eq!((&last["before"]["wish"], &last["after"]["wish"]), (&json!("Haluaisin taas ulkoilemaan jonkun kanssa."), &json!("Laulamaan.")));
            assert_eq!((&last["reason"], &last["role"], &last["referral_id"]), (&json!("Kirjattiin väärin."), &json!("coordinator"), &json!(built.id("referral_id"))));
        }
        for user in [people.link_worker, people.referrer, people.admin, app.world.other.privacy_officer] {
            app.user(user).get(&format!("/v1/clients/{client}/history")).send().problem(404, "not_found");
        }
    }
}
