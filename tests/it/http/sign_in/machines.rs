//! Machines prove who they are: by a key, by a secret that ends and overlaps with the next, or at another issuer.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::{me, now_of};
use crate::support::app::text;
use crate::support::tokens::Forge;
use crate::support::world::MACHINE_SECRET;
use crate::support::{Kind, Reply, TestApp, on_both};

const TYPE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
const ISSUER: &str = "http://lahete.test";

fn ask(app: &TestApp, form: &str) -> Reply {
    app.nobody().post("/oauth/token").raw("application/x-www-form-urlencoded", form.as_bytes().to_vec()).send()
}

fn by_secret(app: &TestApp, machine: &str, secret: &str) -> Reply {
    ask(app, &format!("grant_type=client_credentials&client_id={machine}&client_secret={secret}"))
}

fn by_assertion(app: &TestApp, assertion: &str) -> Reply {
    ask(app, &format!("grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={assertion}"))
}

fn header(algorithm: &str, kid: &str) -> Value {
    json!({"typ": "JWT", "alg": algorithm, "kid": kid})
}

fn claims(app: &TestApp, machine: &str) -> Value {
    let now = now_of(app);
    json!({
        "iss": machine, "sub": machine, "aud": ISSUER, "iat": now, "exp": now + 60, "jti": uuid::Uuid::now_v7().to_string()
    })
}

/// Adds a key to the machine of the world; gives its path.
fn add_key(app: &TestApp, key: &Forge, algorithm: Option<&str>) -> String {
    let mut jwk = key.jwk();
    if let Some(algorithm) = algorithm {
        jwk["alg"] = json!(algorithm);
    }
    let path = format!("/v1/api-clients/{}/keys", app.world.own.machine);
    let made = app.user(app.world.own.admin).post(&path).json(json!({"jwk": jwk})).send().expect(201);
    format!("{path}/{}", text(&made, "id"))
}

on_both! {
    fn a_machine_proves_itself_by_a_key(app: TestApp) {
        let machine = app.world.own.machine.to_string();
        let (es, rsa) = (Forge::es("es"), Forge::rsa("rsa"));
        let path = add_key(&app, &es, None);
        add_key(&app, &rsa, Some("RS256"));
        for (key, algorithm) in [(&es, "ES256"), (&rsa, "RS256")] {
            let answer = by_assertion(&app, &key.token(&header(algorithm, &key.kid), &claims(&app, &machine))).expect(200);
            assert_eq!(me(&app, &text(&answer, "access_token")).expect(200)["id"], machine);
        }
        for audience in [json!("http://lahete.test/oauth/token"), json!([ISSUER])] {
            let mut claims = claims(&app, &machine);
            claims["aud"] = audience;
            let unnamed = json!({"alg": "ES256"});
            by_assertion(&app, &es.token(&unnamed, &claims)).expect(200);
        }
        let now = now_of(&app);
        let base = claims(&app, &machine);
        let other = app.world.other.machine.to_string();
        for (name, bad) in [
            ("iss", json!(other)),
            ("sub", json!(other)),
            ("iss", json!("x")),
            ("aud", json!("http://other.test")),
            ("aud", json!("http://lahete.test/")),
            ("aud", json!([ISSUER, "http://other.test"])),
            ("exp", json!(now - 5)),
            ("exp", json!(now + 66)),
            ("exp", json!("x")),
            ("iat", json!(now - 60)),
            ("iat", json!(now + 6)),
            ("nbf", json!(now + 6)),
            ("jti", json!("")),
            ("jti", json!("x".repeat(256))),
            ("jti", json!(1)),
        ] {
            let mut claims = base.clone();
            claims[name] = bad.clone();
            let reply = by_assertion(&app, &es.token(&header("ES256", "es"), &claims));
            assert_eq!(reply.status, 401, "{name} = {bad}: {}", reply.text);
            reply.problem(401, "invalid_client");
        }
        for name in ["iss", "sub", "aud", "exp", "jti"] {
            let mut claims = base.clone();
            claims.as_object_mut().unwrap().remove(name);
            by_assertion(&app, &es.token(&header("ES256", "es"), &claims)).problem(401, "invalid_client");
        }
        for (what, assertion) in [
            ("another key", Forge::es("es").token(&header("ES256", "es"), &base)),
            ("a key of another name", es.token(&header("ES256", "rsa"), &base)),
            ("an algorithm that the key is not for", rsa.token(&header("PS256", "rsa"), &base)),
            ("none", es.token(&header("none", "es"), &base)),
            ("a shared secret", es.token(&header("HS256", "es"), &base)),
            ("a key brought along", es.token(&json!({"alg": "ES256", "kid": "es", "jwk": es.jwk()}), &base)),
            ("an access token", es.token(&json!({"alg": "ES256", "kid": "es", "typ": "at+jwt"}), &base)),
            ("a claim twice", es.sign(&header("ES256", "es").to_string(), &base.to_string().replacen('{', "{\"sub\":\"x\",", 1))),
            ("nothing", "..".to_owned()),
        ] {
            let reply = by_assertion(&app, &assertion);
            assert_eq!(reply.status, 401, "{what}: {}", reply.text);
        }
        // The assertion itself opens nothing but the token endpoint.
        me(&app, &es.token(&header("ES256", "es"), &base)).problem(401, "invalid_token");
        let both = es.token(&header("ES256", "es"), &claims(&app, &machine));
        ask(&app, &format!("grant_type=client_credentials&client_secret=x&client_assertion_type={TYPE}&client_assertion={both}"))
            .problem(400, "malformed_request");
        ask(&app, &format!("grant_type=client_credentials&client_assertion={both}")).problem(400, "malformed_request");
        ask(&app, &format!("grant_type=client_credentials&client_id={other}&client_assertion_type={TYPE}&client_assertion={both}"))
            .problem(401, "invalid_client");
        by_assertion(&app, &both).expect(200);

        // A key that is removed opens nothing.
        app.user(app.world.own.admin).post(&format!("{path}/remove")).send().expect(200);
        by_assertion(&app, &es.token(&header("ES256", "es"), &claims(&app, &machine))).problem(401, "invalid_client");
        by_assertion(&app, &rsa.token(&header("RS256", "rsa"), &claims(&app, &machine))).expect(200);
    }
}

on_both! {
    fn keys_are_looked_after_by_administrators(app: TestApp) {
        let people = app.world.own;
        let path = format!("/v1/api-clients/{}/keys", people.machine);
        let admin = app.user(people.admin);
        let key = Forge::es("first");
        let made = add_key(&app, &key, None);
        admin.post(&path).json(json!({"jwk": key.jwk()})).send().problem(409, "key_name_in_use");
        let with = |name: &str, value: Value| {
            let mut jwk = Forge::es("second").jwk();
            jwk[name] = value;
            json!({"jwk": jwk})
        };
        for bad in [
            with("d", json!("AAAA")),
            with("alg", json!("HS256")),
            with("alg", json!("RS256")),
            with("crv", json!("P-384")),
            with("kty", json!("oct")),
            with("use", json!("enc")),
            with("x", json!("AAAA")),
            with("y", Value::Null),
            json!({"jwk": with("kid", json!("third"))["jwk"], "expires_at": "2026-11-22T10:00:00Z"}),
        ] {
            admin.post(&path).json(bad).send().problem(422, "invalid");
        }
        let other = app.user(app.world.other.admin);
        other.get(&path).send().problem(404, "not_found");
        other.post(&format!("{made}/remove")).send().problem(404, "not_found");
        let foreign = made.replace(&people.machine.to_string(), &app.world.other.machine.to_string());
        other.post(&format!("{foreign}/remove")).send().problem(404, "not_found");
        let ends = json!({"jwk": Forge::es("ends").jwk(), "expires_at": "2026-11-23T10:00:00Z"});
        admin.post(&path).json(ends).send().expect(201);
        for number in 2..10 {
            admin.post(&path).json(json!({"jwk": Forge::es(&format!("k{number}")).jwk()})).send().expect(201);
        }
        admin.post(&path).json(json!({"jwk": Forge::es("eleventh").jwk()})).send().problem(409, "api_client_keys_full");
        let page = admin.get(&format!("{path}?limit=3")).send().expect(200);
        assert_eq!(page["items"][0]["kid"], "first");
        assert_eq!(page["items"][0]["algorithm"], "ES256");
        let next = text(&page["page"], "next");
        assert_eq!(admin.get(&next).send().expect(200)["items"].as_array().unwrap().len(), 3);
        let version = admin.get(&format!("/v1/api-clients/{}", people.machine)).send().version();
        admin.post(&format!("/v1/api-clients/{}/revoke", people.machine)).if_match(version).send().expect(200);
        admin.post(&path).json(json!({"jwk": Forge::es("late").jwk()})).send().problem(409, "api_client_revoked");
        let machine = people.machine.to_string();
        by_assertion(&app, &key.token(&header("ES256", "first"), &claims(&app, &machine))).problem(401, "invalid_client");
    }
}

/// One assertion, sent to two servers many times at once: it opens once.
#[test]
fn an_assertion_opens_once_on_all_servers() {
    for kind in [Kind::Sqlite, Kind::Postgresql] {
        let here = TestApp::start(kind);
        let there = (kind == Kind::Postgresql).then(|| here.beside(&[]));
        let machine = here.world.own.machine.to_string();
        let key = Forge::es("es");
        add_key(&here, &key, None);
        for _ in 0..5 {
            let assertion = key.token(&header("ES256", "es"), &claims(&here, &machine));
            let seen = Mutex::new(Vec::new());
            std::thread::scope(|scope| {
                for number in 0..8 {
                    let app = if number % 2 == 0 { &here } else { there.as_ref().unwrap_or(&here) };
                    let (seen, assertion) = (&seen, &assertion);
                    scope.spawn(move || seen.lock().unwrap().push(by_assertion(app, assertion).status));
                }
            });
            let mut seen = seen.into_inner().unwrap();
            seen.sort_unstable();
            assert_eq!(seen, [200, 401, 401, 401, 401, 401, 401, 401], "{kind:?}");
        }
        drop(there);
    }
}

on_both! {
    fn a_secret_ends_and_works_beside_the_next_one_for_as_long_as_was_said(app: TestApp) {
        let people = app.world.own;
        let machine = people.machine.to_string();
        let admin = app.user(people.admin);
        let path = format!("/v1/api-clients/{machine}");
        by_secret(&app, &machine, MACHINE_SECRET).expect(200);
        let seen = admin.get(&path).send().expect(200);
        assert_eq!(seen["secret_used_at"], "2026-11-22T10:00:00.000000Z");
        app.clock.advance_minutes(30);
        by_secret(&app, &machine, MACHINE_SECRET).expect(200);
        assert_eq!(admin.get(&path).send().expect(200)["secret_used_at"], "2026-11-22T10:00:00.000000Z", "to the hour");
        app.clock.advance_minutes(31);
        by_secret(&app, &machine, MACHINE_SECRET).expect(200);
        assert_eq!(admin.get(&path).send().expect(200)["secret_used_at"], "2026-11-22T11:01:00.000000Z");

        let rotated = admin.post(&format!("{path}/rotate-secret")).if_match(1).json(json!({"overlap_hours": 2})).send();
        let version = rotated.version();
        let rotated = rotated.expect(200);
        let second = text(&rotated, "client_secret");
        assert!(second.starts_with("lahete_") && second.len() == 50, "256 bits behind a prefix by which it is found");
        assert_eq!(rotated["secret_expires_at"], "2027-11-22T11:01:00.000000Z", "a year, when nobody says otherwise");
        assert_eq!(rotated["old_secret_until"], "2026-11-22T13:01:00.000000Z");
        by_secret(&app, &machine, MACHINE_SECRET).expect(200);
        by_secret(&app, &machine, &second).expect(200);
        // A third one within the time: of the first nothing is left.
        let third = admin.post(&format!("{path}/rotate-secret")).if_match(version).json(json!({"overlap_hours": 1})).send().expect(200);
        let third = text(&third, "client_secret");
        by_secret(&app, &machine, MACHINE_SECRET).problem(401, "invalid_client");
        by_secret(&app, &machine, &second).expect(200);
        app.clock.advance_minutes(60);
        by_secret(&app, &machine, &second).problem(401, "invalid_client");
        by_secret(&app, &machine, &third).expect(200);
        app.clock.advance_days(366);
        by_secret(&app, &machine, &third).problem(401, "invalid_client");
        for bad in [json!({"overlap_hours": 721}), json!({"overlap_hours": -1}), json!({"secret_expires_at": "2036-01-01T00:00:00Z"})] {
            admin.post(&format!("{path}/rotate-secret")).if_match(version + 1).json(bad).send().problem(422, "invalid");
        }

        // One that is to prove itself otherwise gets no secret, and none opens it.
        let new = json!({
            "programme_id": people.programme.to_string(), "name": "Avaimella", "source_system": "avain-ehr",
            "organisation_ids": [people.organisation.to_string()], "with_secret": false
        });
        let made = admin.post("/v1/api-clients").json(new).send().expect(201);
        assert_eq!((&made["client_secret"], &made["secret_expires_at"]), (&Value::Null, &Value::Null));
        for secret in ["x", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"] {
            by_secret(&app, &text(&made, "id"), secret).problem(401, "invalid_client");
        }
    }
}

on_both! {
    fn a_machine_ends_its_own_tokens_and_no_others(app: TestApp) {
        let machine = app.world.own.machine.to_string();
        let other = app.world.other.machine.to_string();
        let token = text(&by_secret(&app, &machine, MACHINE_SECRET).expect(200), "access_token");
        let end = |machine: &str, secret: &str| {
            let form = format!("token={token}&client_id={machine}&client_secret={secret}");
            app.nobody().post("/oauth/revoke").raw("application/x-www-form-urlencoded", form.into_bytes()).send()
        };
        end(&other, MACHINE_SECRET).problem(401, "invalid_client");
        end(&machine, "wrong").problem(401, "invalid_client");
        me(&app, &token).expect(200);
        end(&machine, MACHINE_SECRET).expect(200);
        me(&app, &token).problem(401, "invalid_token");
        let discovery = app.nobody().get("/.well-known/openid-configuration").send().expect(200);
        assert_eq!(discovery["revocation_endpoint"], "http://lahete.test/oauth/revoke");
        assert_eq!(discovery["token_endpoint_auth_methods_supported"][0], "private_key_jwt");
    }
}
