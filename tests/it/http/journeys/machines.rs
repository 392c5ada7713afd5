//! Patient systems that push referrals.

use base64::Engine as _;
use lahete_domain::ids::Id as _;
use serde_json::{Value, json};

use super::{about, each, items, send, step};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::world::MACHINE_SECRET;
use crate::support::{Reply, TestApp, on_both};

fn ask(app: &TestApp, form: &str) -> Reply {
    app.nobody().post("/oauth/token").raw("application/x-www-form-urlencoded", form.as_bytes().to_vec()).send()
}

fn by_form(app: &TestApp, secret: &str) -> Reply {
    ask(app, &format!("grant_type=client_credentials&client_id={}&client_secret={secret}", app.world.own.machine))
}

fn push(app: &TestApp, token: &str, key: Option<&str>, body: Value) -> Reply {
    let call = app.nobody().post("/v1/referrals").header("authorization", format!("Bearer {token}")).json(body);
    match key {
        Some(key) => call.key(key).send(),
        None => call.send(),
    }
}

fn pushed(id: &str) -> Value {
    let mut body = complete();
    body["source"] = json!({"system": "ehr-own", "id": id});
    body
}

on_both! {
    fn a_patient_system_signs_in_pushes_and_reads_the_state_of_its_own(app: TestApp) {
        let people = app.world.own;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{}:{MACHINE_SECRET}", people.machine));
        let by_basic = app
            .nobody()
            .post("/oauth/token")
            .header("authorization", format!("Basic {basic}"))
            .raw("application/x-www-form-urlencoded", b"grant_type=client_credentials".to_vec())
            .send()
            .expect(200);
        assert_eq!(by_basic["token_type"], "Bearer");
        let refused = by_form(&app, "wrong");
        assert!(refused.header("www-authenticate").is_some());
        assert_eq!(refused.problem(401, "invalid_client")["error"], "invalid_client");
        let password = ask(&app, "grant_type=password&username=own-coordinator&password=x");
        assert_eq!(password.problem(400, "unsupported_grant_type")["error"], "unsupported_grant_type", "people sign in with a password only in the demo");

        let token = text(&by_form(&app, MACHINE_SECRET).expect(200), "access_token");
        push(&app, &token, None, pushed("REF-1")).problem(400, "idempotency_key_required");
        let sent = push(&app, &token, Some("k-1"), pushed("REF-1")).expect(201);
        let again = push(&app, &token, Some("k-1"), pushed("REF-1"));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.expect(201)["id"], sent["id"]);
        push(&app, &token, Some("k-1"), pushed("REF-2")).problem(422, "idempotency_key_reused");
        let twice = push(&app, &token, Some("k-2"), pushed("REF-1")).problem(409, "duplicate_source");
        assert_eq!(twice["params"]["referral_id"], sent["id"]);
        let mut foreign = pushed("REF-3");
        foreign["source"]["system"] = json!("ehr-other");
        let foreign = push(&app, &token, Some("k-3"), foreign).problem(422, "invalid");
        assert_eq!(foreign["errors"][0]["pointer"], "/source/system");
        let by_nurse = app.user(people.referrer).post("/v1/referrals").json(pushed("REF-4")).send().problem(422, "invalid");
        assert_eq!(by_nurse["errors"][0]["pointer"], "/source/system");

        let machine = app.machine(people.machine);
        let path = format!("/v1/referrals/{}", text(&sent, "id"));
        let seen = machine.get(&path).send().expect(200);
        assert_eq!((&seen["state"], &seen["source"]["id"], &seen["client"]["contact"]), (&json!("submitted"), &json!("REF-1"), &Value::Null));
        assert_eq!((&seen["referrer"]["channel"], &seen["referrer"]["sector"]), (&json!("integration"), &json!("elderly")));
        send(&app, about("Toinen"));
        assert_eq!(each(machine.get("/v1/referrals").send(), "id"), [text(&sent, "id")], "only its own");
        app.machine(app.world.other.machine).get(&path).send().problem(404, "not_found");
        step(&app, people.coordinator, &path, "review", json!({})).expect(200);
        assert_eq!(machine.get(&path).send().expect(200)["state"], "in_review");
        machine.get(&format!("{path}/consents")).send().problem(403, "forbidden");
        machine.get(&format!("/v1/clients/{}", text(&seen["client"], "id"))).send().problem(404, "not_found");
    }
}

on_both! {
    fn a_secret_is_changed_and_a_system_is_shut_out(app: TestApp) {
        let people = app.world.own;
        let admin = app.user(people.admin);
        let path = format!("/v1/api-clients/{}", people.machine);
        app.user(people.coordinator).get(&path).send().problem(404, "not_found");
        let rotated = admin.post(&format!("{path}/rotate-secret")).if_match(1).json(json!({})).send();
        let version = rotated.version();
        let secret = text(&rotated.expect(200), "client_secret");
        by_form(&app, MACHINE_SECRET).problem(401, "invalid_client");
        let token = text(&by_form(&app, &secret).expect(200), "access_token");
        assert!(!admin.get(&path).send().text.contains(&secret), "a secret is shown once");
        push(&app, &token, Some("k-1"), pushed("REF-1")).expect(201);
        let revoked = admin.post(&format!("{path}/revoke")).if_match(version).send().expect(200);
        assert_eq!(revoked["active"], false);
        by_form(&app, &secret).problem(401, "invalid_client");
        push(&app, &token, Some("k-2"), pushed("REF-2")).problem(401, "invalid_token");
        admin.post(&format!("{path}/revoke")).if_match(version + 1).send().problem(409, "api_client_revoked");
        assert_eq!(items(app.user(people.coordinator).get("/v1/referrals").send()).len(), 1);

        let new = json!({
            "programme_id": people.programme.to_string(), "name": "Uusi järjestelmä", "source_system": "uusi-ehr",
            "organisation_ids": [people.organisation.as_uuid()], "secret_expires_at": "2026-11-23T10:00:00Z"
        });
        let made = admin.post("/v1/api-clients").json(new).send().expect(201);
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            text(&made, "id"),
            text(&made, "client_secret")
        );
        ask(&app, &form).expect(200);
        app.clock.set_day("2026-11-23");
        ask(&app, &form).problem(401, "invalid_client");
    }
}
