//! Tokens that end before their time, on every server.

use serde_json::json;

use super::{Issuer, as_bearer, link_user, me, now_of};
use crate::support::database::options;
use crate::support::{Kind, TestApp, on_both};
use lahete_persistence::Statements;

const A: &str = "https://a.example";

fn revoke(app: &TestApp, token: &str) {
    let form = format!("token={token}&token_type_hint=access_token");
    let answer = app.nobody().post("/oauth/revoke").raw("application/x-www-form-urlencoded", form.into_bytes()).send().expect(200);
    assert_eq!(answer, json!({"active": false}));
}

fn own(app: &TestApp, user: lahete_domain::ids::UserId) -> String {
    app.token(&format!("user:{user}"))
}

on_both! {
    fn whoever_holds_a_token_can_end_it_and_an_administrator_all_of_a_user(app: TestApp) {
        let people = app.world.own;
        let (first, second) = (own(&app, people.coordinator), own(&app, people.coordinator));
        me(&app, &first).expect(200);
        revoke(&app, &first);
        me(&app, &first).problem(401, "invalid_token");
        me(&app, &second).expect(200);
        revoke(&app, &first);
        revoke(&app, "nonsense");
        let missing = app.nobody().post("/oauth/revoke").raw("application/x-www-form-urlencoded", b"hint=1".to_vec()).send();
        assert_eq!(missing.problem(400, "malformed_request")["error"], "invalid_request");

        let path = format!("/v1/users/{}/end-sessions", people.coordinator);
        app.user(people.referrer).post(&path).send().problem(404, "not_found");
        me(&app, &second).expect(200);
        app.user(people.admin).post(&path).send().expect(200);
        me(&app, &second).problem(401, "invalid_token");
        app.clock.advance_minutes(1);
        me(&app, &second).problem(401, "invalid_token");
        me(&app, &own(&app, people.coordinator)).expect(200);

        let machine = app.token(&format!("client:{}", people.machine));
        me(&app, &machine).expect(200);
        app.user(people.admin).post(&format!("/v1/api-clients/{}/end-sessions", people.machine)).send().expect(200);
        me(&app, &machine).problem(401, "invalid_token");
    }
}

/// What an administrator shuts is shut within a minute on a server that knows nothing of it, while it is being called all the time.
#[test]
fn an_ended_token_is_dead_on_every_server_within_a_minute_and_after_a_restart() {
    let key = Issuer::es(A, "a1");
    let issuers = json!([key.table(&["ES256"], json!({}))]).to_string();
    let settings = [("issuers", issuers.as_str())];
    let here = TestApp::start_with(Kind::Postgresql, &settings);
    let there = here.beside(&settings);
    let people = here.world.own;
    let identity = link_user(&here, people.coordinator, A, "kaisa");
    let foreign = key.key.token(&key.header("ES256"), &key.claims(&here, "kaisa"));
    let (by_token, by_user) = (own(&here, people.referrer), own(&here, people.link_worker));
    let mut machine = here.token(&format!("client:{}", people.machine));
    let began = now_of(&here);
    for token in [&foreign, &by_token, &by_user, &machine] {
        me(&there, token).expect(200);
        me(&here, token).expect(200);
    }
    revoke(&here, &by_token);
    here.user(people.admin).post(&format!("/v1/users/{}/end-sessions", people.link_worker)).send().expect(200);
    here.user(people.admin).post(&format!("{identity}/remove")).send().expect(200);
    here.user(people.admin).post(&format!("/v1/api-clients/{}/end-sessions", people.machine)).send().expect(200);
    for token in [&by_token, &by_user, &machine] {
        me(&here, token).problem(401, "invalid_token");
    }
    me(&here, &foreign).problem(401, "identity_not_linked");
    let mut last_taken = began;
    for _ in 0..120 {
        let taken = [&foreign, &by_token, &by_user, &machine].iter().any(|token| me(&there, token).status == 200);
        if taken {
            last_taken = now_of(&here);
        }
        // Half a second of the clock at a time.
        use lahete_domain::time::Clock as _;
        let next = here.clock.now().utc() + chrono::TimeDelta::milliseconds(500);
        here.clock.set(&next.to_rfc3339());
    }
    println!("the last call that another server took was {} s after the end", last_taken - began);
    assert!(last_taken - began <= 60, "{}", last_taken - began);
    // A server that starts only now knows, too.
    let later = here.beside(&settings);
    for token in [&foreign, &by_token, &by_user, &machine] {
        let reply = me(&later, token);
        assert_eq!(reply.status, 401, "{}", reply.text);
    }
    // A new token of those who are still welcome works everywhere.
    machine = here.token(&format!("client:{}", people.machine));
    for app in [&here, &there, &later] {
        me(app, &machine).expect(200);
        me(app, &own(&here, people.link_worker)).expect(200);
    }
    let again = key.key.token(&key.header("ES256"), &key.claims(&here, "kaisa"));
    me(&there, &again).problem(401, "identity_not_linked");
    drop(later);
    drop(there);
}

/// Who calls is found out without a statement of its own: for our own tokens, and for those of others once they are known.
#[test]
fn a_call_costs_no_statement_more_than_its_own() {
    for kind in [Kind::Sqlite, Kind::Postgresql] {
        let issuer = Issuer::es(A, "a1");
        let issuers = json!([issuer.table(&["ES256"], json!({}))]).to_string();
        let statements = Statements::default();
        let mut options = options();
        options.statements = Some(statements.clone());
        let app = TestApp::start_on(kind, &[("issuers", &issuers)], options);
        let people = app.world.own;
        link_user(&app, people.coordinator, A, "kaisa");
        let foreign = issuer.key.token(&issuer.header("ES256"), &issuer.claims(&app, "kaisa"));
        for token in [own(&app, people.coordinator), foreign] {
            as_bearer(&app, &token, "/v1/referrals").send().expect(200);
            statements.take();
            for _ in 0..10 {
                as_bearer(&app, &token, "/v1/referrals").send().expect(200);
            }
            let run = statements.take();
            let asked = |table: &str| run.iter().filter(|text| text.contains(table)).count();
            assert_eq!((asked("identities"), asked("revocations")), (0, 0), "{run:#?}");
            assert!(asked("role_assignments") >= 10, "but what they may do is read each time: {run:#?}");
        }
    }
}

on_both! {
    fn a_closed_account_is_dead_with_every_token_at_once(app: TestApp) {
        let people = app.world.own;
        let token = own(&app, people.coordinator);
        as_bearer(&app, &token, "/v1/referrals").send().expect(200);
        let admin = app.user(people.admin);
        let path = format!("/v1/users/{}", people.coordinator);
        let version = admin.get(&path).send().version();
        admin.patch(&path).if_match(version).json(json!({"active": false})).send().expect(200);
        as_bearer(&app, &token, "/v1/referrals").send().problem(401, "invalid_token");
        me(&app, &token).problem(401, "invalid_token");
    }
}
