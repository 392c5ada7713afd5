//! A person whose data must not get out: through the log, or through the words of a problem.

use std::sync::{Mutex, Once};

use serde_json::{Value, json};

use crate::support::app::{Call, text};
use crate::support::{Kind, TestApp, on_both};

/// Part of each name, so that even a piece of one is found. Nobody has such a name.
pub const CANARY: &str = "Kanariini";

/// The identity code of a person who does not exist; it comes nowhere else in the tests.
const IDENTITY_CODE: &str = "131052-308T";

/// What must stand in no log record and in no problem.
const SECRETS: &[&str] = &[CANARY, "kanariini", "%4Banariini", "131052", "308T", "7773141", "Sirkutuskatu", "1952-10-13"];

static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());
static ACCESS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps the records in which a canary sings, and the lines of the access log.
struct Listener;

impl log::Log for Listener {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        // The test's own client and the words of other programs while somebody looks for a fault are not what runs in production.
        !metadata.target().starts_with("ureq") && (metadata.target().starts_with("lahete") || metadata.level() <= log::Level::Debug)
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = format!("{} {} {}", record.level(), record.target(), record.args());
        if SECRETS.iter().any(|secret| line.contains(secret)) {
            FOUND.lock().unwrap().push(line);
        } else if record.target() == "access" {
            ACCESS.lock().unwrap().push(line);
        }
    }

    fn flush(&self) {}
}

/// Begins to listen, once for all tests.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_boxed_logger(Box::new(Listener)).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// The records so far in which a canary sings.
pub fn sung() -> Vec<String> {
    FOUND.lock().unwrap().clone()
}

fn canary() -> Value {
    json!({
        "client": {
            "given_name": format!("{CANARY}a"), "family_name": format!("{CANARY}nen"), "birth_date": "1952-10-13",
            "personal_identity_code": IDENTITY_CODE, "municipality": "758", "phone": "+358 40 7773141", "email": "kanariini@example.org",
            "address": "Sirkutuskatu 7"
        },
        "referrer": {"name": format!("{CANARY} Lähettäjä"), "contact": "kanariini@example.org"},
        "reasons": ["loneliness"],
        "wish": format!("{CANARY} haluaa laulaa."),
        "background": format!("Soita {CANARY}lle."),
        "not_a_service_acknowledged": true,
        "consent": {
            "purposes": ["process_referral", "share_with_link_worker"], "text_version": "2026-1", "language": "fi", "method": "written",
            "given_with": format!("{CANARY} Lähettäjä")
        },
        "submit": true
    })
}

/// The same from a patient system, which has an id of its own for it.
fn pushed(number: u32) -> Value {
    let mut body = canary();
    body["source"] = json!({"system": "ehr-own", "id": format!("{CANARY}-{number}")});
    body
}

/// Sends a call. When it fails, the problem is silent about the person; the path, which the caller chose, is left out of that.
#[track_caller]
fn quiet(call: Call<'_>, status: u16) -> Value {
    let id = format!("canary-{}", uuid::Uuid::now_v7());
    let reply = call.header("x-request-id", &id).send();
    assert_eq!(reply.status, status, "{}", reply.text);
    let mut body = if reply.text.is_empty() { Value::Null } else { reply.json() };
    if status >= 400 {
        body["instance"] = Value::Null;
        let problem = body.to_string();
        for secret in SECRETS {
            assert!(!problem.contains(secret), "{secret} stands in {problem}");
        }
    }
    assert!(ACCESS.lock().unwrap().iter().any(|line| line.contains(&id)), "the log has no line for {id}");
    body
}

fn changed(pointer: &str, value: Value) -> Value {
    let mut body = canary();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = value;
    body
}

on_both! {
    fn neither_log_nor_problem_names_a_person(app: TestApp) {
        listen();
        let people = app.world.own;
        let (referrer, coordinator) = (app.user(people.referrer), app.user(people.coordinator));
        let machine = app.machine(people.machine);
        let create = |body: Value| referrer.post("/v1/referrals").json(body);
        let referral = quiet(create(canary()), 201);
        let path = format!("/v1/referrals/{}", text(&referral, "id"));
        // Everything that a body can have wrong with it, each time with the person in it.
        quiet(create(pushed(1)), 422);
        quiet(machine.post("/v1/referrals").key(CANARY).json(pushed(1)), 201);
        quiet(machine.post("/v1/referrals").key(CANARY).json(canary()), 422);
        quiet(machine.post("/v1/referrals").key("another").json(pushed(1)), 409);
        quiet(machine.post("/v1/referrals").key(&format!("\"{CANARY}")).json(canary()), 400);
        for (pointer, value) in [
            ("/admin", json!(CANARY)),
            ("/client/sex", json!(CANARY)),
            ("/client/birth_date", json!(CANARY)),
            ("/client/birth_date", json!("1952-10-14")),
            ("/client/municipality", json!(CANARY)),
            ("/client/given_name", json!(format!("{CANARY}\u{0}"))),
            ("/client/given_name", json!(CANARY.repeat(100))),
            ("/client/family_name", json!({CANARY: CANARY})),
            ("/client/personal_identity_code", json!("131052-308X")),
            ("/client/personal_identity_code", json!(format!("{IDENTITY_CODE}{IDENTITY_CODE}"))),
            ("/reasons", json!([CANARY])),
            ("/previous_referral_id", json!(CANARY)),
        ] {
            quiet(create(changed(pointer, value)), 422);
        }
        quiet(create(changed("/client/municipality", json!("148"))), 409);
        for (kind, body, status) in [
            ("application/json", format!("{{\"client\": \"{CANARY}"), 400),
            ("application/json", CANARY.to_owned(), 400),
            ("text/plain", CANARY.to_owned(), 415),
            ("application/json", CANARY.repeat(40_000), 413),
        ] {
            quiet(referrer.post("/v1/referrals").raw(kind, body.into_bytes()), status);
        }
        // In places where no personal data belongs, but where somebody will put it one day.
        quiet(coordinator.get(&format!("/v1/referrals/{CANARY}")), 404);
        quiet(coordinator.get(&format!("/v1/clients/{IDENTITY_CODE}")), 404);
        quiet(coordinator.get(&format!("/v1/{CANARY}")), 404);
        quiet(coordinator.call("PUT", &format!("/v1/clients/{CANARY}")), 405);
        quiet(coordinator.get(&format!("/v1/referrals?{CANARY}=1")), 400);
        quiet(coordinator.get(&format!("/v1/referrals?state={CANARY}")), 400);
        quiet(coordinator.get(&format!("/v1/referrals?cursor={CANARY}")), 400);
        quiet(coordinator.get(&format!("/v1/referrals?limit={CANARY}")), 400);
        quiet(coordinator.get(&format!("/v1/referrals?municipality={CANARY}")), 400);
        quiet(coordinator.get(&path).header("authorization", format!("Bearer {CANARY}")), 401);
        quiet(coordinator.get(&path).header("authorization", format!("Basic {CANARY}")), 401);
        quiet(coordinator.get(&path).header("accept", format!("text/{CANARY}")), 406);
        quiet(coordinator.get(&path).header("accept-language", CANARY), 200);
        quiet(coordinator.post(&format!("{path}/review")).header("if-match", CANARY).json(json!({})), 400);
        let sign_in = format!("grant_type=password&client_id=lahete-demo&username={CANARY}&password={CANARY}");
        let answer = app.nobody().post("/oauth/token").raw("application/x-www-form-urlencoded", sign_in.into_bytes()).send();
        assert!(answer.status >= 400 && !answer.text.contains(CANARY), "{}", answer.text);
        // What works.
        quiet(coordinator.get("/v1/referrals"), 200);
        quiet(coordinator.get(&path).header("x-access-reason", format!("{CANARY} soitti")), 200);
        quiet(coordinator.get(&format!("{path}/timeline")), 200);
        let search = |code: &str| json!({"programme_id": people.programme.to_string(), "personal_identity_code": code});
        let found = quiet(coordinator.post("/v1/clients/search").json(search(IDENTITY_CODE)), 200);
        assert!(found.to_string().contains(CANARY), "{found}");
        quiet(coordinator.post("/v1/clients/search").json(search("131052-308X")), 422);
        quiet(app.user(app.world.other.coordinator).post("/v1/clients/search").json(search(IDENTITY_CODE)), 404);
        let version = coordinator.get(&path).send().version();
        quiet(coordinator.post(&format!("{path}/review")).if_match(version + 5).json(json!({"comment": CANARY})), 412);
        quiet(coordinator.post(&format!("{path}/review")).if_match(version).json(json!({"comment": CANARY})), 200);
        let user = json!({"programme_id": people.programme.to_string(), "login": "kanariini", "name": CANARY});
        quiet(app.user(people.admin).post("/v1/users").json(user.clone()), 201);
        quiet(app.user(people.admin).post("/v1/users").json(user), 409);
        // A fault of ours in the middle of it.
        let call = create(canary());
        app.clock.set_broken(true);
        quiet(call, 500);
        app.clock.set_broken(false);
        quiet(app.nobody().post("/v1/public/referrals").json(canary()), 422);
        std::thread::scope(|scope| {
            for number in 0..10 {
                let (machine, body) = (machine.clone(), pushed(2));
                scope.spawn(move || machine.post("/v1/referrals").key(&format!("{CANARY}-{number}")).json(body).send());
            }
        });
        let found = FOUND.lock().unwrap();
        assert!(found.is_empty(), "the log names a person:\n{}", found.join("\n"));
    }
}

/// The database fails in the middle of the work: its own words may hold the row.
#[test]
fn a_database_that_fails_is_not_quoted() {
    listen();
    let app = TestApp::start(Kind::Sqlite);
    let file = app.database.folder.join("lahete.db");
    let referrer = app.user(app.world.own.referrer);
    quiet(referrer.post("/v1/referrals").json(canary()), 201);
    crate::support::database::wait(app.store.close());
    let unavailable = referrer.post("/v1/referrals").json(canary()).send();
    assert!(unavailable.header("retry-after").is_some());
    let problem = unavailable.problem(503, "unavailable");
    assert!(!problem.to_string().contains(CANARY) && !problem.to_string().contains(&file.display().to_string()), "{problem}");
    let found = FOUND.lock().unwrap();
    assert!(found.is_empty(), "the log names a person:\n{}", found.join("\n"));
}
