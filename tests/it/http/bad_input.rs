//! What must be refused: each with a clear problem, and with nothing written.

use std::io::Write as _;
use std::time::{Duration, Instant};

use lahete_domain::time::Clock as _;
use serde_json::{Value, json};

use super::referrals::complete;
use crate::support::app::{Call, Reply, text};
use crate::support::raw::Raw;
use crate::support::{Kind, TestApp, on_both};

const INVALID_CODES: &str = include_str!("../../../domain/src/identity_code/invalid.csv");

/// Does something, and makes sure that nothing became durable: no row, no audit event.
#[track_caller]
fn writes_nothing<T>(app: &TestApp, what: impl FnOnce() -> T) -> T {
    let marks = || {
        let stats = app.store.stats();
        (stats.commits_requested, stats.journal_events)
    };
    let before = marks();
    let result = what();
    assert_eq!(before, marks(), "something was written");
    result
}

/// A call that is refused; gives the problem back.
#[track_caller]
fn refused(app: &TestApp, call: Call<'_>, status: u16, code: &str) -> Value {
    writes_nothing(app, || call.send()).problem(status, code)
}

fn post(app: &TestApp, body: Value) -> Call<'_> {
    app.user(app.world.own.referrer).post("/v1/referrals").json(body)
}

fn post_raw<'a>(app: &'a TestApp, body: &str) -> Call<'a> {
    app.user(app.world.own.referrer).post("/v1/referrals").raw("application/json", body.as_bytes().to_vec())
}

/// How many referrals there are, drafts too: all tests write as one referrer, or as the machine.
fn count(app: &TestApp) -> usize {
    let mut ids = std::collections::BTreeSet::new();
    for user in [app.world.own.referrer, app.world.own.coordinator] {
        let list = app.user(user).get("/v1/referrals?limit=200").send().expect(200);
        ids.extend(list["items"].as_array().unwrap().iter().map(|item| text(item, "id")));
    }
    ids.len()
}

/// The faults of a 422 as `pointer code`, sorted.
fn faults(problem: &Value) -> Vec<String> {
    let mut found: Vec<String> =
        problem["errors"].as_array().unwrap().iter().map(|fault| format!("{} {}", text(fault, "pointer"), text(fault, "code"))).collect();
    found.sort();
    found
}

fn with(pointer: &str, value: Value) -> Value {
    let mut body = complete();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = value;
    body
}

fn client(members: Value) -> Value {
    let mut body = complete();
    body["client"] = json!({"given_name": "Aino", "family_name": "Esimerkki", "municipality": "758"});
    for (name, value) in members.as_object().unwrap() {
        body["client"][name] = value.clone();
    }
    body
}

on_both! {
    fn one_fault_is_named_with_its_place(app: TestApp) {
        let long = "a".repeat(10_000);
        for (pointer, value, code) in [
            ("/wish", json!("a\u{0}b"), "nul_character"),
            ("/client/given_name", json!("\u{0}"), "nul_character"),
            ("/consent/given_with", json!("Riikka\u{0}"), "nul_character"),
            ("/admin", json!(true), "unknown_member"),
            ("/client/admin", json!(true), "unknown_member"),
            ("/consent/verified_at", json!("2026-11-22T10:00:00Z"), "unknown_member"),
            ("/state", json!("closed"), "unknown_member"),
            ("/client", json!("Aino"), "wrong_type"),
            ("/client/given_name", json!(5), "wrong_type"),
            ("/reasons", json!({"0": "loneliness"}), "wrong_type"),
            ("/submit", json!("true"), "wrong_type"),
            ("/submit", json!(1), "wrong_type"),
            ("/client/birth_date", json!("2023-02-29"), "bad_format"),
            ("/client/birth_date", json!("7.5.1942"), "bad_format"),
            ("/client/birth_date", json!(""), "bad_format"),
            ("/client/sex", json!("nainen"), "not_in_list"),
            ("/client/municipality", json!("75"), "too_short"),
            ("/client/municipality", json!("7581"), "too_long"),
            ("/client/municipality", json!("999"), "not_in_list"),
            ("/client/family_name", json!(""), "too_short"),
            ("/client/family_name", json!(" "), "no_match"),
            ("/client/family_name", json!("a\nb"), "no_match"),
            ("/client/family_name", json!(long), "too_long"),
            ("/wish", json!(long), "too_long"),
            ("/previous_referral_id", json!("1"), "bad_format"),
            ("/previous_referral_id", json!("01900000-0000-7000-8000-00000000dead"), "not_found"),
        ] {
            let problem = refused(&app, post(&app, with(pointer, value.clone())), 422, "invalid");
            let found = faults(&problem);
            assert!(found.contains(&format!("{pointer} {code}")), "{pointer} {value}: {found:?}");
            assert!(found.iter().all(|fault| fault.starts_with(pointer)), "{pointer} {value}: {found:?}");
        }
        for member in ["client", "client/given_name", "client/municipality", "consent/text_version"] {
            let mut body = complete();
            let (parent, name) = member.rsplit_once('/').map_or(("", member), |(parent, name)| (parent, name));
            let parent = if parent.is_empty() { &mut body } else { &mut body[parent] };
            parent.as_object_mut().unwrap().remove(name);
            let problem = refused(&app, post(&app, body), 422, "invalid");
            assert_eq!(faults(&problem), [format!("/{member} required")]);
        }
        for body in [json!([]), json!("text"), json!(null), json!(12)] {
            let problem = refused(&app, post(&app, body), 422, "invalid");
            assert_eq!(faults(&problem), [" wrong_type"]);
        }
        assert_eq!(count(&app), 0);
    }
}

on_both! {
    fn five_faults_come_at_once_and_their_pointers_resolve(app: TestApp) {
        let body = json!({
            "client": {"given_name": "Aino\u{0}", "family_name": 5, "birth_date": "eilen", "municipality": "758"},
            "reasons": ["loneliness", "boredom"],
            "a/b~c": {"admin": true}
        });
        let problem = refused(&app, post(&app, body.clone()), 422, "invalid");
        let found = problem["errors"].as_array().unwrap();
        let places: std::collections::BTreeSet<String> = found.iter().map(|fault| text(fault, "pointer")).collect();
        let wanted = ["/a~1b~0c", "/client/birth_date", "/client/family_name", "/client/given_name", "/reasons/1"];
        assert_eq!(places, wanted.map(str::to_owned).into());
        for fault in found {
            assert!(body.pointer(&text(fault, "pointer")).is_some(), "{fault}");
            assert!(!text(fault, "detail").is_empty(), "{fault}");
        }
        assert!(!problem.to_string().contains("eilen") && !problem.to_string().contains("Aino"), "values are not repeated: {problem}");
    }
}

on_both! {
    fn a_draft_is_not_changed_by_a_bad_patch(app: TestApp) {
        let mut draft = complete();
        draft["submit"] = json!(false);
        let reply = post(&app, draft).send();
        let version = reply.version();
        let path = format!("/v1/referrals/{}", text(&reply.expect(201), "id"));
        let writer = app.user(app.world.own.referrer);
        let before = writer.get(&path).send().expect(200);
        let patch = |body: Value| writer.patch(&path).if_match(version).json(body);
        for (body, fault) in [
            (json!({"wish": "a\u{0}b"}), "/wish nul_character"),
            (json!({"state": "closed"}), "/state unknown_member"),
            (json!({"written_together": "yes"}), "/written_together wrong_type"),
            (json!({"client": {"given_name": null}}), "/client/given_name wrong_type"),
            (json!({"client": {"municipality": "999"}}), "/client/municipality not_in_list"),
            (json!({"client": {"personal_identity_code": "010190-999X"}}), "/client/personal_identity_code bad_identity_code"),
        ] {
            let problem = refused(&app, patch(body.clone()), 422, "invalid");
            assert_eq!(faults(&problem), [fault], "{body}");
        }
        let whole = app.user(app.world.own.referrer).call("PATCH", &path).if_match(version).json(json!({"wish": "x"}));
        let reply = writes_nothing(&app, || whole.send());
        assert_eq!(reply.header("accept-patch"), Some("application/merge-patch+json"));
        reply.problem(415, "unsupported_media_type");
        assert_eq!(writer.get(&path).send().expect(200), before);
    }
}

on_both! {
    fn what_is_no_json_is_malformed(app: TestApp) {
        let deep = |levels: usize| format!("{{\"client\": {}{}}}", "[".repeat(levels), "]".repeat(levels));
        for body in [
            String::new(),
            "{".into(),
            "{\"client\": }".into(),
            "nul".into(),
            "{} {}".into(),
            "{'client': 1}".into(),
            "{\"a\": \"\\ud800\"}".into(),
            "{\"a\": 1e400}".into(),
            deep(32),
            deep(10_000),
            "[".repeat(10_000),
            "{\"a\":".repeat(10_000),
        ] {
            let problem = refused(&app, post_raw(&app, &body), 400, "malformed_json");
            let detail = text(&problem, "detail");
            assert!(!detail.contains("expected") && !detail.contains("recursion"), "no words of the parser: {detail}");
        }
        let latin = app.user(app.world.own.referrer).post("/v1/referrals").raw("application/json", b"{\"wish\": \"\xe4\"}".to_vec());
        refused(&app, latin, 400, "malformed_json");
        refused(&app, app.user(app.world.own.referrer).post("/v1/referrals").header("content-type", "application/json"), 400, "malformed_json");
        assert_eq!(count(&app), 0);
    }
}

on_both! {
    fn a_member_that_stands_twice_is_refused(app: TestApp) {
        let body = complete().to_string();
        let inner = body.replacen("\"client\":{", "\"client\":{\"phone\":\"1\",\"phone\":\"2\",", 1);
        assert_ne!(inner, body);
        for twice in [body.replacen('{', "{\"wish\": \"ensin\", ", 1), format!("{}, \"submit\": true}}", &body[..body.len() - 1]), inner] {
            let problem = refused(&app, post_raw(&app, &twice), 400, "malformed_json");
            assert!(text(&problem, "detail").starts_with("A member stands more than once"), "{problem}");
        }
        assert_eq!(count(&app), 0);
    }
}

/// `{}` in the form of gzip, stored without compression: the server must not even look into it.
fn gzip(text: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    let length = u16::try_from(text.len()).unwrap();
    out.write_all(&length.to_le_bytes()).unwrap();
    out.write_all(&(!length).to_le_bytes()).unwrap();
    out.write_all(text).unwrap();
    let crc = !text.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    });
    out.write_all(&crc.to_le_bytes()).unwrap();
    out.write_all(&u32::from(length).to_le_bytes()).unwrap();
    out
}

on_both! {
    fn another_content_type_or_encoding_is_refused(app: TestApp) {
        let writer = app.user(app.world.own.referrer);
        let body = complete().to_string().into_bytes();
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=iso-8859-1", "application/jsonx", "json", ""] {
            let problem = refused(&app, writer.post("/v1/referrals").raw(kind, body.clone()), 415, "unsupported_media_type");
            assert_eq!(problem["params"]["accepted"], "application/json", "{kind}");
        }
        for encoding in ["gzip", "br", "deflate", "gzip, identity"] {
            let call = writer.post("/v1/referrals").raw("application/json", gzip(&body)).header("content-encoding", encoding);
            refused(&app, call, 415, "unsupported_media_type");
        }
        assert_eq!(count(&app), 0);
        writer.post("/v1/referrals").raw("Application/JSON; charset=\"UTF-8\"", body).header("content-encoding", "identity").send().expect(201);
    }
}

fn head(app: &TestApp, more: &str) -> String {
    let token = app.token(&format!("user:{}", lahete_domain::ids::Id::as_uuid(app.world.own.referrer)));
    format!(
        "POST /v1/referrals HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n{more}\r\n\r\n",
        app.addr
    )
}

on_both! {
    fn two_mebibytes_are_too_large(app: TestApp) {
        let size = 2 * 1024 * 1024;
        // Well-behaved callers send the whole body before they read: the answer must be there all the same, each time.
        for _ in 0..10 {
            writes_nothing(&app, || {
                let mut announced = Raw::open(&app);
                announced.send(head(&app, &format!("content-length: {size}")).as_bytes());
                announced.send(&vec![b' '; size]);
                let problem = announced.reply().problem(413, "too_large");
                assert_eq!(problem["params"]["limit_bytes"], 262_144);
                let mut chunked = Raw::open(&app);
                chunked.send(head(&app, "transfer-encoding: chunked").as_bytes());
                for _ in 0..size / 0x1_0000 {
                    chunked.send(b"10000\r\n");
                    chunked.send(&vec![b' '; 0x1_0000]);
                    chunked.send(b"\r\n");
                }
                chunked.send(b"0\r\n\r\n");
                chunked.reply().problem(413, "too_large");
            });
        }
        let padded = format!("{}{}", complete(), " ".repeat(262_144 - complete().to_string().len()));
        let over = format!("{padded} ");
        refused(&app, post_raw(&app, &over), 413, "too_large");
        post_raw(&app, &padded).send().expect(201);
        assert_eq!(count(&app), 1);
    }
}

#[test]
fn a_body_sent_one_byte_a_moment_is_cut_off_and_others_are_served() {
    let app = TestApp::start_with(Kind::Sqlite, &[("body_timeout_seconds", "1"), ("workers", "1")]);
    let started = Instant::now();
    writes_nothing(&app, || {
        std::thread::scope(|scope| {
            let slow: Vec<_> = (0..16)
                .map(|_| {
                    let app = &app;
                    scope.spawn(move || {
                        let mut raw = Raw::open(app);
                        raw.send(head(app, "content-length: 1000").as_bytes());
                        assert!(raw.drip(Duration::from_millis(100), Duration::from_secs(20)), "no answer");
                        raw.reply().problem(408, "request_timeout");
                    })
                })
                .collect();
            while started.elapsed() < Duration::from_millis(900) {
                let asked = Instant::now();
                app.nobody().get("/livez").send().expect(200);
                assert!(asked.elapsed() < Duration::from_millis(700), "others had to wait: {:?}", asked.elapsed());
            }
            slow.into_iter().for_each(|thread| thread.join().unwrap());
        });
    });
    assert!(started.elapsed() < Duration::from_secs(10), "cut off late: {:?}", started.elapsed());
    app.nobody().get("/livez").send().expect(200);
    assert_eq!(count(&app), 0);
}

#[test]
fn a_body_that_breaks_off_writes_nothing() {
    let app = TestApp::start(Kind::Sqlite);
    writes_nothing(&app, || {
        let body = complete().to_string();
        let mut raw = Raw::open(&app);
        raw.send(head(&app, &format!("content-length: {}", body.len() + 1)).as_bytes());
        raw.send(body.as_bytes());
        raw.end();
        drop(raw);
        std::thread::sleep(Duration::from_millis(300));
    });
    assert_eq!(count(&app), 0);
}

on_both! {
    fn a_bad_identity_code_is_refused_and_never_repeated(app: TestApp) {
        let people = app.world.own;
        let mut lines = 0;
        for line in INVALID_CODES.lines().skip(1) {
            let (code, why) = line.split_once(',').unwrap();
            lines += 1;
            let reply = writes_nothing(&app, || post(&app, client(json!({"personal_identity_code": code}))).send());
            assert!(!reply.text.contains(code), "{code} stands in the answer");
            let problem = reply.problem(422, "invalid");
            assert_eq!(faults(&problem), ["/client/personal_identity_code bad_identity_code"], "{code}: {why}");
            let body = json!({"programme_id": people.programme.to_string(), "personal_identity_code": code});
            let reply = writes_nothing(&app, || app.user(people.coordinator).post("/v1/clients/search").json(body).send());
            assert!(!reply.text.contains(code), "{code} stands in the answer");
            assert_eq!(faults(&reply.problem(422, "invalid")), ["/personal_identity_code bad_identity_code"], "{code}: {why}");
        }
        assert!(lines >= 15, "the table is there");
        let contradiction = client(json!({"personal_identity_code": "010190-999W", "birth_date": "1990-01-02"}));
        let problem = refused(&app, post(&app, contradiction), 422, "invalid");
        assert!(!problem.to_string().contains("010190"), "{problem}");
        assert_eq!(count(&app), 0);
    }
}

on_both! {
    fn a_minor_gets_no_referral_until_the_birthday_in_finland(app: TestApp) {
        let born = |day: &str| client(json!({"birth_date": day}));
        // Noon on 22 November in Finland.
        refused(&app, post(&app, born("2009-05-01")), 409, "client_is_minor");
        refused(&app, post(&app, born("2008-11-23")), 409, "client_is_minor");
        post(&app, born("2008-11-22")).send().expect(201);
        let mut draft = born("2008-11-23");
        draft["submit"] = json!(false);
        let reply = post(&app, draft).send();
        let version = reply.version();
        let path = format!("/v1/referrals/{}", text(&reply.expect(201), "id"));
        let submit = || app.user(app.world.own.referrer).post(&format!("{path}/submit")).if_match(version);
        refused(&app, submit(), 409, "client_is_minor");
        app.clock.set("2026-11-22T21:59:59Z");
        refused(&app, submit(), 409, "client_is_minor");
        // Midnight in Finland; in UTC it is still the day before.
        app.clock.set("2026-11-22T22:00:00Z");
        let sent = submit().send().expect(200);
        assert_eq!(sent["state"], "submitted");
        for day in ["2026-11-24", "2090-01-01"] {
            let problem = refused(&app, post(&app, born(day)), 422, "invalid");
            assert_eq!(faults(&problem), ["/client/birth_date out_of_range"], "{day}");
        }
    }
}

on_both! {
    fn a_change_needs_the_version_that_was_read(app: TestApp) {
        let coordinator = app.user(app.world.own.coordinator);
        let reply = post(&app, complete()).send();
        let version = reply.version();
        let path = format!("/v1/referrals/{}", text(&reply.expect(201), "id"));
        let review = || coordinator.post(&format!("{path}/review")).json(json!({}));
        refused(&app, review(), 428, "precondition_required");
        refused(&app, review().if_match(version + 1), 412, "stale_version");
        refused(&app, review().if_match(version - 1), if version == 1 { 400 } else { 412 }, if version == 1 { "if_match_invalid" } else { "stale_version" });
        for bad in ["3", "W/\"3\"", "*", "\"\"", "\"x\"", "\"1\", \"2\"", "\"-1\"", "\"01\"", "\"99999999999999999999\"", "\"1"] {
            refused(&app, review().header("if-match", bad), 400, "if_match_invalid");
        }
        let taken = review().if_match(version).send();
        let next = taken.version();
        assert_eq!(next, version + 1);
        taken.expect(200);
        refused(&app, coordinator.post(&format!("{path}/waitlist")).json(json!({})).if_match(version), 412, "stale_version");
        let seen = coordinator.get(&path).send();
        assert_eq!((seen.version(), &seen.json()["state"]), (next, &json!("in_review")));
    }
}

on_both! {
    fn a_key_stands_for_one_request(app: TestApp) {
        let first = post(&app, complete()).key("k-1").send();
        assert_eq!(first.header("idempotent-replayed"), None);
        assert_eq!(first.status, 201, "{}", first.text);
        let events = app.store.stats().journal_events;
        let again = post(&app, complete()).key("k-1").send();
        assert_eq!(app.store.stats().journal_events, events, "a replay does nothing");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        for name in ["etag", "location", "content-type"] {
            assert_eq!(again.header(name), first.header(name), "{name}");
        }
        let other = with("/wish", json!("Jotain muuta."));
        refused(&app, post(&app, other.clone()).key("k-1"), 422, "idempotency_key_reused");
        let long = "x".repeat(256);
        for bad in ["", "\"", "\"a\"b\"", long.as_str()] {
            refused(&app, post(&app, other.clone()).key(bad), 400, "idempotency_key_invalid");
        }
        // A failed request keeps no key: the caller mends it and sends it again under the same one.
        refused(&app, post(&app, client(json!({"birth_date": "2015-01-01"}))).key("k-2"), 409, "client_is_minor");
        post(&app, complete()).key("k-2").send().expect(201);
        assert_eq!(count(&app), 2);
        let machine = app.machine(app.world.own.machine);
        refused(&app, machine.post("/v1/referrals").json(complete()), 400, "idempotency_key_required");
    }
}

/// The same call twenty times at once.
fn twenty(call: impl Fn(usize) -> Reply + Sync) -> Vec<Reply> {
    std::thread::scope(|scope| {
        let call = &call;
        let threads: Vec<_> = (0..20).map(|number| scope.spawn(move || call(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

on_both! {
    fn twenty_at_once_with_one_key_make_one_referral(app: TestApp) {
        let replies = twenty(|_| post(&app, complete()).key("one").send());
        let first = replies.iter().find(|reply| reply.header("idempotent-replayed").is_none()).expect("one that was no replay");
        for reply in &replies {
            assert_eq!((reply.status, &reply.text), (201, &first.text));
        }
        assert_eq!(replies.iter().filter(|reply| reply.header("idempotent-replayed").is_none()).count(), 1);
        assert_eq!(count(&app), 1);
    }
}

on_both! {
    fn twenty_at_once_with_one_source_make_one_referral(app: TestApp) {
        let machine = app.machine(app.world.own.machine);
        let mut body = complete();
        body["source"] = json!({"system": "ehr-own", "id": "REF-2026-0117"});
        let replies = twenty(|number| machine.post("/v1/referrals").key(&format!("key-{number}")).json(body.clone()).send());
        let made = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(made, 1, "{:?}", replies.iter().map(|reply| (reply.status, &reply.text)).collect::<Vec<_>>());
        for reply in replies.into_iter().filter(|reply| reply.status != 201) {
            reply.problem(409, "duplicate_source");
        }
        assert_eq!(count(&app), 1);
    }
}

/// A referral that a link worker has accepted: its path and version.
fn accepted(app: &TestApp) -> (String, i64) {
    let people = app.world.own;
    let coordinator = app.user(people.coordinator);
    let reply = post(app, complete()).send();
    let mut version = reply.version();
    let path = format!("/v1/referrals/{}", text(&reply.expect(201), "id"));
    for verb in ["review", "waitlist"] {
        let reply = coordinator.post(&format!("{path}/{verb}")).if_match(version).json(json!({})).send();
        version = reply.version();
        reply.expect(200);
    }
    let proposal = coordinator.post(&format!("{path}/assignments")).json(json!({"link_worker_id": people.worker.to_string()})).send();
    let version = proposal.version();
    let accept = format!("/v1/assignments/{}/accept", text(&proposal.expect(201), "id"));
    app.user(people.link_worker).post(&accept).if_match(version).send().expect(200);
    let version = app.user(people.link_worker).get(&path).send().version();
    (path, version)
}

fn start(starts_on: &str, planned_end_on: &str) -> Value {
    json!({
        "starts_on": starts_on, "planned_end_on": planned_end_on,
        "first_visit": {"on": starts_on, "minutes": 60, "mode": "home_visit"},
        "start_measure": {"missing_reason": "not_asked"}
    })
}

/// A support period that has begun, by its path. Its first visit took an hour on the first day.
fn begun(app: &TestApp, starts_on: &str, planned_end_on: &str) -> String {
    // The referral was sent, and the link worker found, on the first day.
    let today = app.clock.now();
    app.clock.set_day(starts_on);
    let (path, version) = accepted(app);
    app.clock.set(&today.to_string());
    let call = app.user(app.world.own.link_worker).post(&format!("{path}/support-period"));
    let period = call.if_match(version).json(start(starts_on, planned_end_on)).send().expect(201);
    format!("/v1/support-periods/{}", text(&period, "id"))
}

fn held(on: &str, minutes: u32) -> Value {
    json!({"state": "held", "on": on, "minutes": minutes, "mode": "home_visit"})
}

on_both! {
    fn ten_hours_a_month_and_not_a_minute_more(app: TestApp) {
        let people = app.world.own;
        let visits = format!("{}/visits", begun(&app, "2026-11-02", "2027-02-02"));
        let (worker, coordinator) = (app.user(people.link_worker), app.user(people.coordinator));
        let by_worker = |body: Value| worker.post(&visits).json(body);
        by_worker(held("2026-11-09", 480)).send().expect(201);
        let too_long = refused(&app, by_worker(held("2026-11-10", 61)), 409, "monthly_hours_exceeded");
        assert_eq!(too_long["params"], json!({"minutes_left": 60, "limit_minutes": 600}));
        // A planned visit counts when it was held.
        let reply = by_worker(json!({"state": "planned", "on": "2026-11-20", "minutes": 61, "mode": "home_visit"})).send();
        let version = reply.version();
        let planned = format!("/v1/visits/{}", text(&reply.expect(201), "id"));
        refused(&app, worker.post(&format!("{planned}/hold")).if_match(version).json(json!({})), 409, "monthly_hours_exceeded");
        by_worker(json!({"state": "held", "on": "2026-11-11", "minutes": 30, "mode": "phone"})).send().expect(201);
        let reply = by_worker(held("2026-11-10", 60)).send();
        let version = reply.version();
        let full = format!("/v1/visits/{}", text(&reply.expect(201), "id"));
        let none_left = refused(&app, by_worker(held("2026-11-12", 1)), 409, "monthly_hours_exceeded");
        assert_eq!(none_left["params"]["minutes_left"], 0);
        refused(&app, worker.patch(&full).if_match(version).json(json!({"minutes": 61})), 409, "monthly_hours_exceeded");
        refused(&app, coordinator.post(&visits).json(held("2026-11-12", 1)), 409, "monthly_hours_exceeded");
        let mut with_reason = held("2026-11-12", 1);
        with_reason["over_limit_reason"] = json!("Lääkärikäynti, jolle ei löytynyt muuta saattajaa.");
        by_worker(with_reason.clone()).send().problem(403, "forbidden");
        let over = coordinator.post(&visits).json(with_reason).send().expect(201);
        assert_eq!(over["over_limit_reason"], "Lääkärikäynti, jolle ei löytynyt muuta saattajaa.");
        let list = worker.get(&visits).send().expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 6, "{list}");
        for (member, value, code) in [
            ("minutes", json!(0), "too_small"),
            ("minutes", json!(1441), "too_large"),
            ("minutes", json!(1.5), "wrong_type"),
            ("minutes", json!("60"), "wrong_type"),
            ("minutes", json!(99_999_999_999_999_999_999.0), "too_large"),
            ("travel_metres", json!(-1), "too_small"),
            ("on", json!("2026-11-31"), "bad_format"),
            ("mode", json!("fax"), "not_in_list"),
        ] {
            let mut body = held("2026-11-12", 60);
            body[member] = value.clone();
            let problem = refused(&app, by_worker(body), 422, "invalid");
            assert_eq!(faults(&problem), [format!("/{member} {code}")], "{value}");
        }
        refused(&app, by_worker(held("2026-11-23", 10)), 409, "visit_in_future");
        let outside = refused(&app, by_worker(held("2026-11-01", 10)), 409, "visit_outside_period");
        assert_eq!(outside["params"]["from"], "2026-11-02");
    }
}

on_both! {
    fn the_hours_of_a_month_end_with_the_year(app: TestApp) {
        app.clock.set_day("2027-01-05");
        let visits = format!("{}/visits", begun(&app, "2026-12-15", "2027-03-15"));
        let worker = app.user(app.world.own.link_worker);
        let visit = |on: &str, minutes| worker.post(&visits).json(held(on, minutes));
        let december = visit("2026-12-31", 540).send().expect(201);
        assert_eq!(december["month_hours"]["month"], "2026-12", "{december}");
        refused(&app, visit("2026-12-30", 1), 409, "monthly_hours_exceeded");
        let january = visit("2027-01-01", 600).send().expect(201);
        assert_eq!(january["month_hours"]["month"], "2027-01", "{january}");
        refused(&app, visit("2027-01-02", 1), 409, "monthly_hours_exceeded");
        refused(&app, visit("2026-12-31", 1), 409, "monthly_hours_exceeded");
    }
}

on_both! {
    fn a_support_period_ends_within_six_months(app: TestApp) {
        // Sent in August, so that the support may begin on any day since.
        app.clock.set_day("2026-08-30");
        let (path, version) = accepted(&app);
        app.clock.set_day("2026-11-22");
        let worker = app.user(app.world.own.link_worker);
        let begin = |from: &str, until: &str| worker.post(&format!("{path}/support-period")).if_match(version).json(start(from, until));
        let seven = refused(&app, begin("2026-11-20", "2027-06-20"), 409, "planned_end_out_of_range");
        assert_eq!(seven["params"], json!({"earliest": "2026-12-20", "latest": "2027-05-20"}));
        refused(&app, begin("2026-11-20", "2027-05-21"), 409, "planned_end_out_of_range");
        refused(&app, begin("2026-11-20", "2026-12-19"), 409, "planned_end_out_of_range");
        refused(&app, begin("2026-11-20", "2026-11-01"), 409, "planned_end_out_of_range");
        refused(&app, begin("2026-11-23", "2027-01-23"), 409, "support_starts_in_future");
        let no_such_day = refused(&app, begin("2026-08-31", "2027-02-29"), 422, "invalid");
        assert_eq!(faults(&no_such_day), ["/planned_end_on bad_format"]);
        // Six months after 31 August is the last day of February, whichever that is.
        let short = refused(&app, begin("2026-08-31", "2027-03-01"), 409, "planned_end_out_of_range");
        assert_eq!(short["params"]["latest"], "2027-02-28");
        let seen = worker.get(&path).send();
        assert_eq!(seen.version(), version);
        app.clock.set_day("2027-09-05");
        let version = worker.get(&path).send().version();
        let begin = |from: &str, until: &str| worker.post(&format!("{path}/support-period")).if_match(version).json(start(from, until));
        let leap = refused(&app, begin("2027-08-31", "2028-03-01"), 409, "planned_end_out_of_range");
        assert_eq!(leap["params"]["latest"], "2028-02-29");
        let period = begin("2027-08-31", "2028-02-29").send().expect(201);
        assert_eq!(period["planned_end_on"], "2028-02-29");
        let extend = format!("/v1/support-periods/{}/extend", text(&period, "id"));
        let version = worker.get(&format!("/v1/support-periods/{}", text(&period, "id"))).send().version();
        let longer = json!({"planned_end_on": "2028-03-31", "reason": "Kerho alkaa vasta maaliskuussa."});
        let coordinator = app.user(app.world.own.coordinator);
        refused(&app, coordinator.post(&extend).if_match(version).json(longer), 409, "planned_end_out_of_range");
    }
}
