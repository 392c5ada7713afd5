//! Referrals from people who do not sign in.

use lahete_domain::ids::Id as _;
use serde_json::{Value, json};

use super::{items, propose, step, version};
use crate::support::app::text;
use crate::support::{Kind, TestApp, on_both};

fn body() -> Value {
    json!({
        "client": {"given_name": "Eino", "family_name": "Esimerkki", "birth_year": 1950, "municipality": "758", "phone": "+358 40 555 0103"},
        "referrer": {"sector": "parish", "name": "Diakoni Dora", "contact": "+358 40 555 0199"},
        "reasons": ["loneliness"],
        "not_a_service_acknowledged": true,
        "consent": {"purposes": ["process_referral", "share_with_link_worker"], "text_version": "2026-1", "language": "fi"}
    })
}

fn without(member: &str, value: Value) -> Value {
    let mut body = body();
    body[member] = value;
    body
}

on_both! {
    fn a_deacon_sends_a_referral_and_asks_how_it_stands(app: TestApp) {
        let people = app.world.own;
        let receipt = app.nobody().post("/v1/public/referrals").json(body()).send().expect(201);
        assert_eq!(receipt.as_object().unwrap().len(), 2, "nothing but the receipt: {receipt}");
        let code = text(&receipt, "tracking_code");
        let status = |code: &str| app.nobody().post("/v1/public/referrals/status").json(json!({"tracking_code": code})).send();
        for written in [code.clone(), code.replace('-', ""), code.to_lowercase(), code.replace('-', " ")] {
            let state = status(&written).expect(200);
            assert_eq!(state, json!({"state": "submitted", "since": "2026-11-22T10:00:00.000000Z"}));
        }
        status("LAH-0000-0000-0000-0000-0000-0000-0000-0000").problem(404, "not_found");

        let list = items(app.user(people.coordinator).get("/v1/referrals?state=submitted").send());
        let referral = format!("/v1/referrals/{}", text(&list[0], "id"));
        let taken = step(&app, people.coordinator, &referral, "review", json!({})).expect(200);
        assert_eq!((&taken["consent_verified"], &taken["referrer"]["channel"]), (&json!(false), &json!("anonymous")));
        assert_eq!(text(&status(&code).expect(200), "state"), "in_review");
        for other in [people.referrer, people.link_worker, people.client] {
            app.user(other).get(&referral).send().problem(404, "not_found");
        }

        let proposal = json!({"link_worker_id": people.worker.as_uuid()});
        let refused = app.user(people.coordinator).post(&format!("{referral}/assignments")).json(proposal).send().problem(409, "consent_not_verified");
        assert_eq!(refused["params"]["purpose"], "process_referral");
        let consents = items(app.user(people.coordinator).get(&format!("{referral}/consents")).send());
        assert_eq!((&consents[0]["method"], &consents[0]["verified"]), (&json!("asserted_by_sender"), &json!(false)));
        let verify = format!("{referral}/consents/{}", text(&consents[0], "id"));
        let verified = app
            .user(people.coordinator)
            .post(&format!("{verify}/verify"))
            .if_match(version(&app, &referral))
            .send()
            .expect(200);
        assert_eq!(verified["verified"], true);
        let assignment = propose(&app, &referral, people.worker);
        step(&app, people.link_worker, &assignment, "accept", Value::Null).expect(200);
        assert_eq!(text(&status(&code).expect(200), "state"), "assigned");
    }
}

on_both! {
    fn the_open_door_takes_no_identity_code_and_keeps_the_same_guards(app: TestApp) {
        let send = |body: Value| app.nobody().post("/v1/public/referrals").json(body).send();
        let person = |member: &str, value: Value| {
            let mut body = body();
            body["client"][member] = value;
            body
        };
        send(person("personal_identity_code", json!("070542-902F"))).problem(422, "invalid");
        send(person("birth_year", json!(2010))).problem(409, "client_is_minor");
        send(person("municipality", json!("698"))).problem(409, "municipality_not_served");
        send(without("not_a_service_acknowledged", json!(false))).problem(409, "not_acknowledged");
        send(without("reasons", json!([]))).problem(422, "invalid");
        send(without("submit", json!(true))).problem(422, "invalid");
        let consent = json!({"purposes": ["evaluation"], "text_version": "2026-1", "language": "fi"});
        send(without("consent", consent)).problem(409, "consent_missing");
        assert!(items(app.user(app.world.own.coordinator).get("/v1/referrals").send()).is_empty(), "nothing was written");
    }
}

#[test]
fn who_sends_too_much_is_told_when_to_come_again() {
    let app = TestApp::start_with(Kind::Sqlite, &[("public_requests_per_minute", "2")]);
    for _ in 0..2 {
        app.nobody().post("/v1/public/referrals").json(body()).send().expect(201);
    }
    let reply = app.nobody().post("/v1/public/referrals").json(body()).send();
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    reply.problem(429, "rate_limited");
    assert_eq!(items(app.user(app.world.own.coordinator).get("/v1/referrals").send()).len(), 2);
}
