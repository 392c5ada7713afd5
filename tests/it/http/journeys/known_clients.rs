//! The same person, referred twice.

use serde_json::{Value, json};

use super::{about, id, in_support, items, send, sign_in_of};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::on_both;

const CODE: &str = "070542-902F";

fn known() -> Value {
    let mut body = complete();
    body["client"]["personal_identity_code"] = json!(CODE);
    body
}

on_both! {
    fn the_same_identity_code_is_the_same_client_with_one_months_hours(app: TestApp) {
        let people = app.world.own;
        let (coordinator, worker) = (app.user(people.coordinator), app.user(people.link_worker));
        let (first, first_period) = in_support(&app, known());
        sign_in_of(&app, &first, people.client);
        let mut again = known();
        again["client"]["phone"] = json!("+358 40 555 0177");
        again["client"].as_object_mut().unwrap().remove("sex");
        let (second, second_period) = in_support(&app, again);
        let client = |path: &str| text(&coordinator.get(path).send().expect(200)["client"], "id");
        assert_eq!(client(&first), client(&second));
        let seen = coordinator.get(&format!("/v1/clients/{}", client(&first))).send().expect(200);
        assert_eq!((&seen["contact"]["phone"], &seen["sex"]), (&json!("+358 40 555 0177"), &json!("female")), "the newest word, and nothing lost");
        assert_eq!(seen["personal_identity_code_known"], true);
        assert!(!seen.to_string().contains(CODE), "{seen}");
        assert_eq!(items(app.user(people.client).get("/v1/me/referrals").send()).len(), 2);

        let visit = |period: &str, minutes: u32| {
            let body = json!({"state": "held", "on": "2026-11-22", "minutes": minutes, "mode": "home_visit"});
            worker.post(&format!("{period}/visits")).json(body).send()
        };
        assert_eq!(visit(&first_period, 400).expect(201)["month_hours"]["left_minutes"], 80);
        let full = visit(&second_period, 81).problem(409, "monthly_hours_exceeded");
        assert_eq!(full["params"]["minutes_left"], 80, "the hours are the client's, not the referral's");
        visit(&second_period, 80).expect(201);
        let list = items(coordinator.get(&format!("/v1/referrals?client_id={}", client(&first))).send());
        assert_eq!(list.len(), 2);
        assert!(list.iter().any(|item| item["id"] == id(&second)));
    }
}

on_both! {
    fn a_coordinator_finds_a_client_by_identity_code_and_it_is_noted(app: TestApp) {
        let people = app.world.own;
        let path = send(&app, known());
        let search = |code: &str| json!({"programme_id": people.programme.to_string(), "personal_identity_code": code});
        let coordinator = app.user(people.coordinator);
        let found = items(coordinator.post("/v1/clients/search").json(search(CODE)).send());
        assert_eq!(found.len(), 1);
        assert!(items(coordinator.post("/v1/clients/search").json(search("131052-308T")).send()).is_empty());
        let bad = coordinator.post("/v1/clients/search").json(search("131052-308U")).send();
        assert!(!bad.text.contains("131052-308U"), "a code is not repeated: {}", bad.text);
        bad.problem(422, "invalid");
        app.user(people.referrer).post("/v1/clients/search").json(search(CODE)).send().problem(404, "not_found");
        app.user(app.world.other.coordinator).post("/v1/clients/search").json(search(CODE)).send().problem(404, "not_found");
        let client = sign_in_of(&app, &path, people.client);
        let log = items(app.user(people.client).get("/v1/me/access-log").send());
        assert!(log.iter().any(|line| line["action"] == "searched"), "{log:?}");

        let other = send(&app, about("Toinen"));
        let other = format!("/v1/clients/{}", text(&coordinator.get(&other).send().expect(200)["client"], "id"));
        let same = json!({"personal_identity_code": CODE, "birth_date": "1942-05-07"});
        coordinator.patch(&other).if_match(1).json(same).send().problem(409, "duplicate_identity_code");
        let taken = coordinator.post(&format!("{other}/link-user")).if_match(1).json(json!({"user_id": people.client.to_string()})).send();
        taken.problem(409, "user_already_linked");
        assert_ne!(client, other);
    }
}
