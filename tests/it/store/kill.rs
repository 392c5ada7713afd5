//! `kill -9` under load: what was acknowledged is there after the restart, once.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use lahete_domain::access::Visibility;
use lahete_domain::ids::{Id as _, ReferralId};
use lahete_persistence::repo::referrals::ReferralFilter;
use lahete_persistence::{Db, PageRequest};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::Kind;
use crate::support::clock::instant;
use crate::support::database::{TestDatabase, open, wait};
use crate::support::process::{Server, agent, lay_data_key};
use crate::support::world::{self, MACHINE_SECRET, People};

const WRITERS: usize = 16;
/// A machine in the middle of its start-up is slow enough; more would be a fault of ours.
const READY_WITHIN: Duration = Duration::from_secs(5);

fn rounds() -> usize {
    std::env::var("LAHETE_TEST_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

fn token(server: &Server, people: &People) -> String {
    let form = [
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", people.machine.to_string()),
        ("client_secret", MACHINE_SECRET.to_owned()),
    ];
    let mut reply = agent(Duration::from_secs(20)).post(server.url("/oauth/token")).send_form(form).unwrap();
    let body = reply.body_mut().read_to_string().unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    body["access_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

/// Sends one referral; its id when the server has acknowledged it, nothing when nobody knows.
fn send(server_url: &str, agent: &ureq::Agent, token: &str, source: &str) -> Option<ReferralId> {
    let mut body = crate::http::complete_referral();
    body["source"] = json!({"system": "ehr-own", "id": source});
    let request = agent
        .post(format!("{server_url}/v1/referrals"))
        .header("authorization", format!("Bearer {token}"))
        .header("idempotency-key", source)
        .header("content-type", "application/json");
    let mut reply = request.send(body.to_string()).ok()?;
    let status = reply.status().as_u16();
    let body = reply.body_mut().read_to_string().ok()?;
    if status == 503 {
        return None;
    }
    assert_eq!(status, 201, "{source}: {body}");
    let body: Value = serde_json::from_str(&body).ok()?;
    body["id"].as_str().and_then(|id| Uuid::parse_str(id).ok()).map(ReferralId::from_uuid)
}

/// What callers know of what they sent: the id that was acknowledged, or that no answer came.
type Sent = Mutex<BTreeMap<String, Option<ReferralId>>>;

fn load_and_kill(server: Server, people: &People, round: usize, sent: &Sent) {
    let token = token(&server, people);
    let url = server.url("");
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (token, url) = (&token, &url);
            scope.spawn(move || {
                let agent = agent(Duration::from_secs(20));
                for n in 0.. {
                    let source = format!("{round}-{writer}-{n}");
                    sent.lock().unwrap().insert(source.clone(), None);
                    let id = send(url, &agent, token, &source);
                    sent.lock().unwrap().insert(source, id);
                    if id.is_none() {
                        // On PostgreSQL it may have been a collision; then the rest goes unsent, too.
                        break;
                    }
                }
            });
        }
        let acknowledged =
            || sent.lock().unwrap().iter().filter(|(source, id)| id.is_some() && source.starts_with(&format!("{round}-"))).count();
        while acknowledged() < WRITERS {
            std::thread::sleep(Duration::from_millis(10));
        }
        // Somewhere in the middle: the low bits of a new id are as good as any.
        let more = u64::try_from(Uuid::now_v7().as_u128() % 600).unwrap();
        std::thread::sleep(Duration::from_millis(more));
        server.kill();
    });
}

fn check(database: &TestDatabase, people: &People, sent: &BTreeMap<String, Option<ReferralId>>) {
    let store = open(&database.url);
    let visibility = Visibility { programmes: vec![people.programme], ..Visibility::default() };
    let mut by_source: BTreeMap<String, ReferralId> = BTreeMap::new();
    let mut request = PageRequest::first(500);
    loop {
        let (visibility, asked) = (visibility.clone(), request.clone());
        let page = wait(store.read(move |db: &mut Db<'_>| {
            db.referral_list(&visibility, &ReferralFilter::default(), instant("2030-01-01T00:00:00Z").helsinki_date(), &asked)
        }))
        .unwrap();
        for case in page.items {
            let source = case.referral.content.source.expect("a source").id;
            assert!(sent.contains_key(&source), "nobody has sent {source}");
            let twice = by_source.insert(source.clone(), case.referral.id);
            assert_eq!(twice, None, "{source} is there twice");
            let id = case.referral.id;
            let events = wait(store.read(move |db: &mut Db<'_>| db.events_of(id))).unwrap();
            assert_eq!(events.len(), 2, "written and sent, both or none: {events:?}");
        }
        match page.next {
            Some(next) => request = PageRequest { after: Some(next), ..request },
            None => break,
        }
    }
    for (source, id) in sent {
        if let Some(id) = id {
            assert_eq!(by_source.get(source), Some(id), "{source} was acknowledged");
        }
    }
    let report = wait(store.read(|db: &mut Db<'_>| db.audit_verify())).unwrap();
    assert!(report.is_sound() && report.events >= by_source.len() as u64, "{report:?}");
    assert_eq!(wait(store.read(|db: &mut Db<'_>| db.integrity_faults())).unwrap(), Vec::<String>::new());
    wait(store.close());
}

fn killed_under_load(kind: Kind) {
    let database = TestDatabase::new(kind);
    let store = open(&database.url);
    let people = world::build(&store, instant("2026-11-22T10:00:00Z")).own;
    wait(store.close());
    lay_data_key(&database.folder);
    let settings = [("token_requests_per_minute", "100000"), ("log", "warn,lahete_api::startup=info")];
    let sent: Sent = Mutex::new(BTreeMap::new());
    for round in 0..rounds() {
        let server = Server::start(&database.folder, &database.url, &settings);
        server.until_ready();
        load_and_kill(server, &people, round, &sent);
        check(&database, &people, &sent.lock().unwrap());

        let server = Server::start(&database.folder, &database.url, &settings);
        let ready = server.until_ready();
        assert!(ready < READY_WITHIN, "ready after {ready:?}");
        // Whoever got no answer asks again with the same key, and gets one: the first time's, or a new one.
        let token = token(&server, &people);
        let open_questions: Vec<String> =
            sent.lock().unwrap().iter().filter(|(_, id)| id.is_none()).map(|(source, _)| source.clone()).collect();
        for source in &open_questions {
            let id = send(&server.url(""), &agent(Duration::from_secs(20)), &token, source);
            assert!(id.is_some(), "{source}: no answer after the restart: {}", server.last_lines());
            sent.lock().unwrap().insert(source.clone(), id);
        }
        assert!(server.stop().success());
        let sent = sent.lock().unwrap();
        check(&database, &people, &sent);
        println!(
            "{kind:?}, round {round}: {} acknowledged in all, {} asked again, ready after {ready:?}",
            sent.len(),
            open_questions.len()
        );
    }
}

#[test]
fn what_was_acknowledged_on_sqlite_outlives_kill_9() {
    killed_under_load(Kind::Sqlite);
}

#[test]
fn what_was_acknowledged_on_postgresql_outlives_kill_9() {
    killed_under_load(Kind::Postgresql);
}
