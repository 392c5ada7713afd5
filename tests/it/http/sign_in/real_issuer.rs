//! Against an issuer that nobody here wrote.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use lahete_domain::ids::Id as _;
use serde_json::json;

use super::{as_bearer, link_machine, link_user, me};
use crate::http::cases::{CLIENT_CODE, about_the_client};
use crate::support::app::text;
use crate::support::issuer::RealIssuer;
use crate::support::tokens::{Forge, encoded};
use crate::support::{Kind, TestApp};

/// A server that trusts the issuer, with its clock where the issuer's stands.
fn trusting(kind: Kind, issuer: &RealIssuer, callers: &[&str]) -> TestApp {
    let mut table = json!({"issuer": issuer.issuer, "algorithms": ["ES256"], "callers": callers, "cool_down_seconds": 10});
    if callers == ["clients"] {
        table["identity_code_claim"] = json!("urn:oid:1.2.246.21");
        table["acr"] = json!(["urn:suomi.fi:strong"]);
    }
    let app = TestApp::start_with(kind, &[("issuers", &json!([table]).to_string())]);
    set_clock(&app, issuer);
    app
}

fn set_clock(app: &TestApp, issuer: &RealIssuer) {
    app.clock.set(&chrono::DateTime::from_timestamp(issuer.now, 0).unwrap().to_rfc3339());
}

fn seconds(app: &TestApp, seconds: i64) {
    use lahete_domain::time::Clock as _;
    app.clock.set(&(app.clock.now().utc() + chrono::TimeDelta::seconds(seconds)).to_rfc3339());
}

#[test]
fn people_and_machines_of_a_real_issuer_have_the_roles_that_they_were_given_here() {
    for kind in [Kind::Sqlite, Kind::Postgresql] {
        let issuer = RealIssuer::start();
        let app = trusting(kind, &issuer, &["users", "api_clients"]);
        let people = app.world.own;
        let kaisa = issuer.person("kaisa");
        me(&app, &kaisa.access).problem(401, "identity_not_linked");
        link_user(&app, people.coordinator, &issuer.issuer, "kaisa");
        let seen = me(&app, &kaisa.access).expect(200);
        assert_eq!((&seen["id"], &seen["roles"][0]["role"]), (&json!(people.coordinator.as_uuid()), &json!("coordinator")));
        as_bearer(&app, &kaisa.access, "/v1/referrals").send().expect(200);
        me(&app, &kaisa.id).problem(401, "invalid_token");

        let machine = issuer.machine();
        me(&app, &machine).problem(401, "identity_not_linked");
        link_machine(&app, &issuer.issuer, "klinikka");
        assert_eq!(me(&app, &machine).expect(200)["id"], json!(people.machine));
        let mut body = about_the_client();
        body["source"] = json!({"system": "ehr-own", "id": "1"});
        body["referrer"] = json!({"name": "Lääkäri", "feedback_wanted": true});
        let bearer = format!("Bearer {machine}");
        let call = app.nobody().post("/v1/referrals").header("authorization", bearer).key("real-1").json(body);
        assert_eq!(call.send().expect(201)["referrer"]["channel"], "integration");

        // A role that is taken away is gone with the next call, whatever the token says.
        let admin = app.user(people.admin);
        let roles = admin.get(&format!("/v1/role-assignments?user_id={}", people.coordinator)).send().expect(200);
        let end = format!("/v1/role-assignments/{}/end", text(&roles["items"][0], "id"));
        admin.post(&end).if_match(1).json(json!({})).send().expect(200);
        assert_eq!(me(&app, &kaisa.access).expect(200)["roles"], json!([]));
        assert_eq!(issuer.counts().keys, 1, "the keys were read once for all of this");
    }
}

#[test]
fn a_client_of_a_real_issuer_finds_their_own_by_the_identity_code() {
    for kind in [Kind::Sqlite, Kind::Postgresql] {
        let issuer = RealIssuer::start();
        let app = trusting(kind, &issuer, &["clients"]);
        let sent = app.user(app.world.own.referrer).post("/v1/referrals").json(about_the_client()).send().expect(201);
        let aino = issuer.person(&format!("aino-1/{CLIENT_CODE}"));
        let mine = as_bearer(&app, &aino.access, "/v1/me/referrals").send().expect(200);
        assert_eq!(mine["items"][0]["id"], sent["id"]);
        assert_eq!(me(&app, &aino.access).expect(200)["roles"][0]["role"], "client");
        // Without a code, and so without the strong sign-in.
        me(&app, &issuer.person("weak-1").access).problem(401, "invalid_token");
        me(&app, &issuer.machine()).problem(401, "invalid_token");
    }
}

#[test]
fn keys_change_under_load_without_one_wrong_answer() {
    let issuer = RealIssuer::start();
    let app = trusting(Kind::Sqlite, &issuer, &["api_clients"]);
    link_machine(&app, &issuer.issuer, "klinikka");
    me(&app, &issuer.machine()).expect(200);
    let (stop, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    let wrong = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut wrong = Vec::new();
                    let mut token = issuer.machine();
                    let mut used = 0;
                    while !stop.load(Ordering::Relaxed) {
                        // Every token is used for a while, so that those of the key before are among the calls.
                        if used % 5 == 0 {
                            token = issuer.machine();
                        }
                        used += 1;
                        let reply = me(&app, &token);
                        calls.fetch_add(1, Ordering::Relaxed);
                        if reply.status != 200 {
                            wrong.push(reply.text);
                        }
                    }
                    wrong
                })
            })
            .collect();
        let mut wrong = Vec::new();
        for _ in 0..20 {
            issuer.control("rotate");
            let wanted = calls.load(Ordering::Relaxed) + 60;
            let reply = me(&app, &issuer.machine());
            if reply.status != 200 {
                wrong.push(reply.text);
            }
            while calls.load(Ordering::Relaxed) < wanted && !callers.iter().any(std::thread::ScopedJoinHandle::is_finished) {
                std::thread::yield_now();
            }
        }
        stop.store(true, Ordering::Relaxed);
        wrong.extend(callers.into_iter().flat_map(|caller| caller.join().unwrap()));
        wrong
    });
    let (calls, reads) = (calls.into_inner(), issuer.counts().keys);
    println!("{calls} calls while 20 keys came and went, {reads} reads of the keys, {} refused", wrong.len());
    assert!(wrong.is_empty(), "{} of {calls}: {:?}", wrong.len(), wrong.first());
    assert!(calls >= 1200, "{calls}");
    assert_eq!(reads, 21, "one for the first key, and one for each that came");
}

#[test]
fn ten_thousand_made_up_keys_make_the_issuer_be_asked_once_in_a_cool_down() {
    let issuer = RealIssuer::start();
    let app = trusting(Kind::Sqlite, &issuer, &["api_clients"]);
    link_machine(&app, &issuer.issuer, "klinikka");
    let token = issuer.machine();
    me(&app, &token).expect(200);
    let before = issuer.counts();
    let claims = encoded(json!({"iss": issuer.issuer, "sub": "klinikka"}).to_string());
    let flood = |from: usize| {
        std::thread::scope(|scope| {
            for part in 0..4 {
                let (app, claims) = (&app, &claims);
                scope.spawn(move || {
                    for number in (from + part..from + 10_000).step_by(4) {
                        let header = json!({"typ": "at+jwt", "alg": "ES256", "kid": format!("random-{number}")});
                        let reply = me(app, &format!("{}.{claims}.{}", encoded(header.to_string()), encoded([1; 64])));
                        assert_eq!(reply.status, 401, "{}", reply.text);
                    }
                });
            }
        });
    };
    flood(0);
    let first = issuer.counts();
    assert_eq!(first.keys - before.keys, 1, "ten thousand names, one look");
    me(&app, &token).expect(200);
    seconds(&app, 10);
    flood(10_000);
    assert_eq!(issuer.counts().keys - first.keys, 1, "and one in the next cool-down");
    // Meanwhile the issuer gets a new key; it is found when the cool-down is over.
    issuer.control("rotate");
    let new = issuer.machine();
    me(&app, &new).problem(401, "invalid_token");
    seconds(&app, 10);
    me(&app, &new).expect(200);
    me(&app, &token).expect(200);
}

#[test]
fn while_the_issuer_is_down_known_keys_go_on_and_a_removed_key_ends_with_its_time() {
    let issuer = RealIssuer::start();
    issuer.control("cache/max-age%3D60");
    let app = trusting(Kind::Sqlite, &issuer, &["api_clients"]);
    link_machine(&app, &issuer.issuer, "klinikka");
    let token = issuer.machine();
    me(&app, &token).expect(200);
    let before = issuer.counts();
    issuer.control("down");
    // The token lives for ten minutes; the keys are past their time after one.
    for _ in 0..18 {
        seconds(&app, 30);
        me(&app, &token).expect(200);
    }
    let stranger = Forge::es("unknown");
    let claims = json!({
        "iss": issuer.issuer, "sub": "klinikka", "aud": "lahete-api", "client_id": "klinikka", "iat": super::now_of(&app),
        "exp": super::now_of(&app) + 300, "jti": "1"
    });
    let made_up = stranger.token(&json!({"typ": "at+jwt", "alg": "ES256", "kid": "unknown"}), &claims);
    me(&app, &made_up).problem(401, "invalid_token");
    issuer.control("up");
    assert_eq!(issuer.counts().keys, before.keys, "nobody was reached");

    // The key is lost to a thief: the issuer publishes another one alone, and what the old one signed ends within the time that it had given.
    issuer.control("rotate");
    set_clock(&app, &issuer);
    let token = issuer.machine();
    me(&app, &token).expect(200);
    issuer.control("replace");
    seconds(&app, 61);
    me(&app, &token).problem(401, "invalid_token");
    let new = issuer.machine();
    me(&app, &new).expect(200);
}

/// The issuer speaks TLS, and only whoever is told which authority to believe believes it.
#[test]
fn keys_are_fetched_by_tls_from_an_issuer_with_a_certificate_of_the_right_authority() {
    let issuer = RealIssuer::start_with_tls();
    let certificate = issuer.certificate();
    for (ca_file, trusted) in [(Some(certificate.as_str()), true), (None, false)] {
        let mut table = json!({"issuer": issuer.issuer, "algorithms": ["ES256"], "callers": ["api_clients"]});
        if let Some(ca_file) = ca_file {
            table["ca_file"] = json!(ca_file);
        }
        let app = TestApp::start_with(Kind::Sqlite, &[("issuers", &json!([table]).to_string())]);
        set_clock(&app, &issuer);
        link_machine(&app, &issuer.issuer, "klinikka");
        let reply = me(&app, &issuer.machine());
        if trusted {
            assert_eq!(reply.expect(200)["kind"], "api_client");
        } else {
            reply.problem(401, "invalid_token");
        }
    }
    assert_eq!(issuer.counts().keys, 1);
}

/// An issuer that calls itself otherwise in its document is not believed, and what it would have signed is refused.
#[test]
fn a_document_of_another_issuer_is_not_used() {
    let issuer = RealIssuer::start();
    let other = issuer.issuer.replace("127.0.0.1", "localhost");
    let table = json!({
        "issuer": other, "discovery": format!("{}/.well-known/openid-configuration", issuer.issuer), "algorithms": ["ES256"],
        "callers": ["api_clients"]
    });
    let app = TestApp::start_with(Kind::Sqlite, &[("issuers", &json!([table]).to_string())]);
    set_clock(&app, &issuer);
    link_machine(&app, &other, "klinikka");
    link_machine(&app, &issuer.issuer, "klinikka");
    me(&app, &issuer.machine()).problem(401, "invalid_token");
    let key = Forge::es("x");
    let now = super::now_of(&app);
    let claims = json!({
        "iss": other, "sub": "klinikka", "aud": "lahete-api", "client_id": "klinikka", "iat": now, "exp": now + 300, "jti": "1"
    });
    me(&app, &key.token(&json!({"typ": "at+jwt", "alg": "ES256", "kid": "x"}), &claims)).problem(401, "invalid_token");
    let counts = issuer.counts();
    assert_eq!((counts.discovery, counts.keys), (1, 0), "the document was read, and its keys were not asked for");
}
