//! The open door under somebody who wants more from it than it gives: bounds, proxies, oracles, codes.

use std::collections::BTreeSet;

use lahete_persistence::Statements;
use serde_json::{Value, json};

use crate::http::anonymous_referral;
use crate::support::app::{Reply, text};
use crate::support::database::options;
use crate::support::{Kind, TestApp, on_both};

const SEND: &str = "/v1/public/referrals";
const ASK: &str = "/v1/public/referrals/status";

fn ask(app: &TestApp, code: &str) -> Reply {
    app.nobody().post(ASK).json(json!({"tracking_code": code})).send()
}

/// A problem without what differs from call to call.
fn bare(reply: &Reply) -> Value {
    let mut body = reply.json();
    body["request_id"] = Value::Null;
    body
}

#[test]
fn the_limit_is_of_the_address_that_a_trusted_proxy_names() {
    // The tests call from 127.0.0.1, which is the proxy here.
    let app = TestApp::start_with(Kind::Sqlite, &[("public_requests_per_minute", "2"), ("trusted_proxies", "127.0.0.1/32, 10.0.0.0/8")]);
    let send =
        |forwarded: &str| app.nobody().post(ASK).header("x-forwarded-for", forwarded).json(json!({"tracking_code": "LAH"})).send().status;
    for _ in 0..2 {
        assert_eq!(send("203.0.113.7"), 404);
    }
    assert_eq!(send("203.0.113.7"), 429);
    // Whatever the caller puts in front says nothing, nor does a further proxy of ours behind it.
    for forged in ["198.51.100.1, 203.0.113.7", "198.51.100.2,203.0.113.7, 10.1.2.3", "unknown, 203.0.113.7", "::ffff:203.0.113.7"] {
        assert_eq!(send(forged), 429, "{forged}");
    }
    assert_eq!(send("203.0.113.8"), 404);
    // One household is one: a /64 of IPv6.
    assert_eq!((send("2001:db8::1"), send("2001:db8::2"), send("2001:db8::3"), send("2001:db8:0:1::1")), (404, 404, 429, 404));
}

#[test]
fn without_a_trusted_proxy_the_header_means_nothing() {
    let app = TestApp::start_with(Kind::Sqlite, &[("public_requests_per_minute", "2")]);
    let send = |forwarded: &str| app.nobody().post(ASK).header("x-forwarded-for", forwarded).json(json!({"tracking_code": "LAH"})).send();
    assert_eq!((send("203.0.113.1").status, send("203.0.113.2").status), (404, 404));
    let refused = send("203.0.113.3");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    refused.problem(429, "rate_limited");
}

#[test]
fn whoever_guesses_codes_or_ids_waits_before_any_further_answer() {
    let app = TestApp::start_with(Kind::Sqlite, &[("misses_per_minute", "5")]);
    let code = text(&app.nobody().post(SEND).json(anonymous_referral()).send().expect(201), "tracking_code");
    let mut refused = 0;
    for number in 0..12 {
        match ask(&app, &format!("LAH-{number:04}-0000-0000-0000-0000-0000-0000-0000")).status {
            404 => {}
            429 => refused += 1,
            status => panic!("{status}"),
        }
    }
    assert!(refused >= 5, "{refused}");
    // What is there is not told from what is not.
    let right = ask(&app, &code);
    assert!(right.header("retry-after").is_some());
    right.problem(429, "rate_limited");
    // A person with a token has a measure of their own, wherever they call from.
    let (one, other) = (app.user(app.world.own.coordinator), app.user(app.world.own.referrer));
    let miss = |caller: &crate::support::app::Caller<'_>, number: u128| {
        caller.get(&format!("/v1/referrals/{}", uuid::Uuid::from_u128(number))).send().status
    };
    let answers: Vec<u16> = (0..12).map(|number| miss(&one, number)).collect();
    assert!(answers.contains(&429), "{answers:?}");
    assert_eq!(miss(&other, 99), 404);
    assert_eq!(other.get("/v1/me").send().status, 200);
}

#[test]
fn a_search_by_identity_code_has_a_measure_of_its_own() {
    let app = TestApp::start_with(Kind::Sqlite, &[("search_requests_per_minute", "3")]);
    let coordinator = app.user(app.world.own.coordinator);
    let search = || {
        let body = json!({"programme_id": app.world.own.programme.to_string(), "personal_identity_code": "070542-902F"});
        coordinator.post("/v1/clients/search").json(body).send()
    };
    for _ in 0..3 {
        assert_eq!(search().status, 200);
    }
    search().problem(429, "rate_limited");
    assert_eq!(coordinator.get("/v1/referrals").send().status, 200, "only the search is measured");
}

on_both! {
    fn too_much_or_odd_content_is_refused_and_nothing_written(app: TestApp) {
        let people = app.world.own;
        let with = |pointer: &str, value: Value| {
            let mut body = anonymous_referral();
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            body.pointer_mut(parent).unwrap()[name] = value;
            body
        };
        for (pointer, value) in [
            ("/wish", json!("a".repeat(100_000))),
            ("/wish", json!("a\u{0}b")),
            ("/client/given_name", json!("")),
            ("/client/given_name", json!("x".repeat(1000))),
            ("/client/given_name", json!(["Eino"])),
            ("/client/phone", json!({"$ne": null})),
            ("/client/user_id", json!(people.client.to_string())),
            ("/client/personal_identity_code", json!("070542-902F")),
            ("/client/birth_year", json!(-1)),
            ("/client/birth_year", json!(1e300)),
            ("/reasons", json!(vec!["loneliness"; 1000])),
            ("/reasons", json!(["' OR 1=1 --"])),
            ("/consent/purposes", json!([])),
            ("/programme_id", json!(people.programme.to_string())),
            ("/source", json!({"system": "x", "id": "1"})),
            ("/state", json!("in_review")),
            ("/submit", json!(false)),
            ("/__proto__", json!({"admin": true})),
        ] {
            let reply = app.nobody().post(SEND).json(with(pointer, value)).send();
            assert_eq!(reply.status, 422, "{pointer}: {reply:?}");
        }
        let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
        for (kind, body, status) in [
            ("application/json", deep.into_bytes(), 400),
            ("application/json", vec![b' '; 300 * 1024], 413),
            ("application/json", b"{\"client\": 1, \"client\": 2}".to_vec(), 400),
            ("application/json", vec![0xff, 0xfe, b'{', b'}'], 400),
            ("application/xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>".to_vec(), 415),
            ("multipart/form-data; boundary=x", b"--x--".to_vec(), 415),
            ("application/x-www-form-urlencoded", b"a=b".to_vec(), 415),
        ] {
            let reply = app.nobody().post(SEND).raw(kind, body).send();
            assert_eq!(reply.status, status, "{kind}: {}", reply.text);
        }
        // Compressed content would be bounded only after it has grown.
        let zipped = app.nobody().post(SEND).header("content-encoding", "gzip").raw("application/json", vec![0x1f, 0x8b, 8, 0]).send();
        assert_eq!(zipped.status, 415, "{zipped:?}");
        let list = app.user(people.coordinator).get("/v1/referrals").send().expect(200);
        assert_eq!(list["items"], json!([]));
    }
}

on_both! {
    fn words_of_a_stranger_stay_words(app: TestApp) {
        let mut body = anonymous_referral();
        let hostile = "<script>alert(1)</script> '; DROP TABLE referrals; -- {{7*7}} ${jndi:ldap://x} =CMD|' /C calc'!A0 \u{202e}txt";
        body["wish"] = json!(hostile);
        app.nobody().post(SEND).json(body).send().expect(201);
        let coordinator = app.user(app.world.own.coordinator);
        let list = coordinator.get("/v1/referrals").send().expect(200);
        let reply = coordinator.get(&format!("/v1/referrals/{}", text(&list["items"][0], "id"))).send();
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.json()["wish"], hostile);
    }
}

/// A caller who wants to know whether a person is known here.
fn sending_tells_nothing(kind: Kind) {
    let statements = Statements::default();
    let mut options = options();
    options.statements = Some(statements.clone());
    let app = TestApp::start_on(kind, &[], options);
    let known = crate::http::complete_referral();
    app.user(app.world.own.referrer).post("/v1/referrals").json(known.clone()).send().expect(201);
    let mut about_the_known = anonymous_referral();
    for member in ["given_name", "family_name", "phone", "birth_date"] {
        about_the_known["client"][member] = known["client"][member].clone();
    }
    about_the_known["client"].as_object_mut().unwrap().remove("birth_year");
    let mut about_a_stranger = about_the_known.clone();
    about_a_stranger["client"]["given_name"] = json!("Tuntematon");
    about_a_stranger["client"]["phone"] = json!("+358 40 555 9999");
    let mut told = BTreeSet::new();
    for body in [about_the_known, about_a_stranger] {
        // Twice each: the second one of the same person must not be told from the first, either.
        for _ in 0..2 {
            drop(statements.take());
            let receipt = app.nobody().post(SEND).json(body.clone()).send().expect(201);
            let members: Vec<String> = receipt.as_object().unwrap().keys().cloned().collect();
            told.insert((members, receipt["tracking_code"].as_str().unwrap().len(), statements.take().len()));
        }
    }
    assert_eq!(told.len(), 1, "{told:?}");

    // A code that never was, one that is none, and those of a referral that was taken back or written in error: only the last two have a state.
    let code = text(&app.nobody().post(SEND).json(anonymous_referral()).send().expect(201), "tracking_code");
    let mut absent = BTreeSet::new();
    for other in ["LAH-0000-0000-0000-0000-0000-0000-0000-0000", "LAH", "x", &code[..code.len() - 1], "' OR '1'='1", "%", "ÄÖ"] {
        drop(statements.take());
        let reply = ask(&app, other);
        assert_eq!(reply.status, 404, "{other}: {reply:?}");
        absent.insert((bare(&reply).to_string(), statements.take().len()));
    }
    assert_eq!(absent.len(), 1, "{absent:?}");
    let state = ask(&app, &code).expect(200);
    assert_eq!(state.as_object().unwrap().keys().collect::<Vec<_>>(), ["since", "state"]);
}

#[test]
fn sending_and_asking_tell_nothing_of_who_is_known_sqlite() {
    sending_tells_nothing(Kind::Sqlite);
}

#[test]
fn sending_and_asking_tell_nothing_of_who_is_known_postgresql() {
    sending_tells_nothing(Kind::Postgresql);
}

on_both! {
    fn strangers_with_the_same_key_do_not_hear_of_each_other(app: TestApp) {
        let send = |name: &str| {
            let mut body = anonymous_referral();
            body["client"]["given_name"] = json!(name);
            app.nobody().post(SEND).key("1").json(body).send()
        };
        let (one, other, again) = (send("Eino"), send("Toinen"), send("Eino"));
        assert_eq!((one.status, other.status), (201, 201), "{other:?}");
        assert_ne!(one.json()["tracking_code"], other.json()["tracking_code"]);
        assert_eq!((again.header("idempotent-replayed"), again.json()), (Some("true"), one.json()), "whoever repeats gets the first answer");
    }
}

on_both! {
    fn a_tracking_code_is_long_new_each_time_and_shown_once(app: TestApp) {
        let mut seen = BTreeSet::new();
        for _ in 0..20 {
            let receipt = app.nobody().post(SEND).json(anonymous_referral()).send().expect(201);
            let code = text(&receipt, "tracking_code");
            // Thirty-two letters of an alphabet of thirty-two: 160 bits.
            let letters: Vec<char> = code.trim_start_matches("LAH").chars().filter(|letter| *letter != '-').collect();
            assert_eq!(letters.len(), 32, "{code}");
            assert!(letters.iter().collect::<BTreeSet<_>>().len() > 8, "{code}");
            assert!(seen.insert(code));
        }
        // Nobody is shown it again: neither who handles the referral nor who asks for its state.
        let coordinator = app.user(app.world.own.coordinator);
        let list = coordinator.get("/v1/referrals").send();
        let referral = format!("/v1/referrals/{}", text(&list.json()["items"][0], "id"));
        for path in [referral.clone(), format!("{referral}/timeline"), format!("{referral}/messages")] {
            let shown = coordinator.get(&path).send().text;
            assert!(!seen.iter().any(|code| shown.contains(code.as_str())) && !shown.contains("tracking"), "{shown}");
        }
        for code in &seen {
            let state = ask(&app, code);
            assert_eq!(state.status, 200);
            assert!(!state.text.contains(code.as_str()));
        }
    }
}
