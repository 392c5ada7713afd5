//! Erasure: afterwards nothing in the database tells of the person, and the statistics say what they said before.

use lahete_persistence::{Db, StoreError};
use serde_json::{Value, json};

use super::data_requests::{ask, step};
use crate::http::cases::{Built, CLIENT_CODE, Origin, Stage, about_the_client, prepare};
use crate::http::journeys::{end, id, in_support, sign_in_of, version};
use crate::support::app::text;
use crate::support::database::wait;
use crate::support::{Kind, TestApp, on_both};

/// Words that stand nowhere but where the person was asked or written about.
struct Canary(Vec<String>);

impl Canary {
    fn new() -> Self {
        Self(Vec::new())
    }

    /// A text that nobody else has.
    fn word(&mut self, place: &str) -> String {
        let word = format!("kanaria{}q{place}q", self.0.len());
        self.0.push(word.clone());
        word
    }
}

/// Every table with every column as text.
fn dump(app: &TestApp) -> Vec<(String, String)> {
    wait(app.store.read(|db: &mut Db<'_>| -> Result<Vec<(String, String)>, StoreError> {
        let mut tables = std::collections::BTreeMap::<String, Vec<String>>::new();
        for line in db.schema_description()? {
            if let Some((table, column)) = line.strip_prefix("column ").and_then(|rest| rest.split(' ').next()?.split_once('.')) {
                tables.entry(table.to_owned()).or_default().push(column.to_owned());
            }
        }
        let mut all = Vec::new();
        for (table, columns) in tables {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            all.extend(db.schema_rows(&table, &columns)?.into_iter().map(|row| (table.clone(), row.to_lowercase())));
        }
        Ok(all)
    }))
    .unwrap()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Where a word stands: the tables of the database, in clear or as bytes.
fn places(dump: &[(String, String)], word: &str) -> Vec<String> {
    let (word, bytes) = (word.to_lowercase(), hex(word));
    dump.iter().filter(|(_, row)| row.contains(&word) || row.contains(&bytes)).map(|(table, _)| table.clone()).collect()
}

/// How often a word stands in the files of a SQLite database, its log too.
fn in_files(app: &TestApp, word: &str) -> usize {
    let mut found = 0;
    for end in ["", "-wal", "-shm"] {
        let path = app.database.url.strip_prefix("sqlite:").unwrap();
        let bytes = std::fs::read(format!("{path}{end}")).unwrap_or_default();
        found += bytes.windows(word.len()).filter(|window| *window == word.as_bytes()).count();
    }
    found
}

fn report(app: &TestApp) -> Value {
    let query = format!("programme_id={}&from=2026-01-01&until=2027-12-31", app.world.own.programme);
    app.user(app.world.own.coordinator).get(&format!("/v1/reports/outcomes?{query}")).send().expect(200)
}

/// A whole case with a word of its own in every place that takes words; gives the path of the client and of the referral.
#[allow(clippy::too_many_lines, reason = "a case from its beginning to its end")]
fn a_whole_case(app: &TestApp, canary: &mut Canary) -> (String, String) {
    let people = app.world.own;
    let (coordinator, worker, officer) = (app.user(people.coordinator), app.user(people.link_worker), app.user(people.privacy_officer));
    let mut body = about_the_client();
    for member in ["given_name", "family_name", "phone", "email", "address"] {
        body["client"][member] = json!(canary.word(member));
    }
    body["client"]["language"] = json!("smn");
    body["wish"] = json!(canary.word("wish"));
    body["background"] = json!(canary.word("background"));
    body["referrer"]["name"] = json!(canary.word("referrer"));
    body["referrer"]["contact"] = json!(canary.word("contact"));
    body["consent"]["given_with"] = json!(canary.word("given_with"));
    let sent = app.user(people.referrer).post("/v1/referrals").key(&canary.word("key")).json(body).send().expect(201);
    let referral = format!("/v1/referrals/{}", text(&sent, "id"));
    let act = |who: &crate::support::app::Caller<'_>, path: &str, verb: &str, key: &str, body: Value| {
        who.post(&format!("{path}/{verb}")).if_match(version(app, path)).key(key).json(body).send()
    };
    let mut number = 0;
    let mut key = || {
        number += 1;
        format!("step-{number}")
    };
    act(&coordinator, &referral, "review", &key(), json!({})).expect(200);
    let attempt = json!({"channel": "phone", "result": "left_message", "note": canary.word("attempt")});
    coordinator.post(&format!("{referral}/contact-attempts")).json(attempt).send().expect(201);
    let question = json!({"recipient": "referrer", "question": canary.word("question")});
    act(&coordinator, &referral, "request-information", &key(), question).expect(200);
    act(&app.user(people.referrer), &referral, "answer", &key(), json!({"answer": canary.word("answer")})).expect(200);
    let defer = json!({"resume_on": "2026-12-01", "comment": canary.word("defer")});
    act(&coordinator, &referral, "defer", &key(), defer).expect(200);
    act(&coordinator, &referral, "resume", &key(), json!({"comment": canary.word("resume")})).expect(200);
    let proposal = json!({"link_worker_id": people.worker.to_string(), "message": canary.word("proposal")});
    let made = coordinator.post(&format!("{referral}/assignments")).key(&key()).json(proposal).send().expect(201);
    worker.post(&format!("/v1/assignments/{}/accept", text(&made, "id"))).if_match(1).send().expect(200);
    let start = json!({
        "starts_on": "2026-11-22", "planned_end_on": "2027-01-22",
        "first_visit": {"on": "2026-11-22", "minutes": 60, "mode": "home_visit", "note": canary.word("first_visit")},
        "start_measure": {"mode": "helped", "answers": [3, 3, 2, 3, 3, 2, 3]}
    });
    let period = act(&worker, &referral, "support-period", &key(), start).expect(201);
    let period = format!("/v1/support-periods/{}", text(&period, "id"));
    let goal = json!({"words": canary.word("goal"), "steps": [{"words": canary.word("goal_step")}]});
    worker.post(&format!("{period}/goals")).key(&key()).json(goal).send().expect(201);
    let visit = json!({
        "state": "held", "on": "2026-11-22", "minutes": 30, "mode": "home_visit", "purpose": "support", "note": canary.word("note"),
        "over_limit_reason": canary.word("over_limit")
    });
    coordinator.post(&format!("{period}/visits")).key(&key()).json(visit).send().expect(201);
    let time = json!({"on": "2026-11-22", "minutes": 30, "kind": "contact", "note": canary.word("time_entry")});
    coordinator.post(&format!("{referral}/time-entries")).key(&key()).json(time).send().expect(201);
    let pause = json!({"reason": "client_ill", "comment": canary.word("pause")});
    act(&coordinator, &period, "pause", &key(), pause).expect(200);
    act(&coordinator, &period, "resume", &key(), Value::Null).expect(200);
    let extend = json!({"planned_end_on": "2027-02-22", "reason": canary.word("extend")});
    act(&coordinator, &period, "extend", &key(), extend).expect(200);
    act(&worker, &period, "propose-end", &key(), json!({"reason": canary.word("propose_end")})).expect(200);

    let client = sign_in_of(app, &referral, people.client);
    let old = canary.word("new_address");
    let change = json!({"address": old, "reason": canary.word("why")});
    coordinator.patch(&client).if_match(version(app, &client)).json(change).send().expect(200);
    let rectify = json!({"background": canary.word("new_background"), "reason": canary.word("why_background")});
    act(&coordinator, &referral, "rectify", &key(), rectify).expect(200);
    let said = json!({"stage": "during", "words": canary.word("feedback")});
    worker.post(&format!("{referral}/feedback")).key(&key()).json(said).send().expect(201);
    let concern = json!({
        "kind": "older_person", "facts": canary.word("facts"), "person_informed": false, "not_informed_reason": canary.word("uninformed"),
        "consulted": canary.word("consulted"), "reported_to": {"where": canary.word("place"), "at": "2026-11-22T09:00:00Z"}
    });
    worker.post(&format!("{referral}/concerns")).key(&key()).json(concern).send().expect(201);
    let mut end = end("2026-11-22");
    end["comment"] = json!(canary.word("end"));
    act(&coordinator, &period, "end", &key(), end).expect(200);

    let own = app.user(people.client);
    let asked =
        own.post("/v1/me/data-requests").key(&key()).json(json!({"kind": "access", "words": canary.word("asked")})).send().expect(201);
    let asked = format!("/v1/data-requests/{}", text(&asked, "id"));
    step(app, &asked, "extend", json!({"reason": canary.word("longer")})).expect(200);
    step(app, &asked, "refuse", json!({"ground": "other", "decision": canary.word("refusal")})).expect(200);
    let restriction = format!("{client}/restriction");
    officer.post(&restriction).key(&key()).json(json!({"reason": canary.word("restrict")})).send().expect(201);
    officer.post(&format!("{restriction}/release")).if_match(1).json(json!({"reason": canary.word("release")})).send().expect(200);
    coordinator.post(&format!("{restriction}/lift")).if_match(2).send().expect(200);
    let hold = json!({"client_id": id(&client), "reason": canary.word("hold")});
    let hold = officer.post("/v1/legal-holds").key(&key()).json(hold).send().expect(201);
    let end = officer.post(&format!("/v1/legal-holds/{}/end", text(&hold, "id"))).if_match(1);
    end.json(json!({"reason": canary.word("hold_end")})).send().expect(200);
    // A draft about the same person, which somebody began and has not sent.
    let mut draft = about_the_client();
    draft["submit"] = json!(false);
    draft["wish"] = json!(canary.word("draft"));
    app.user(people.referrer).post("/v1/referrals").key(&key()).json(draft).send().expect(201);
    (client, referral)
}

/// What is kept in the clear, and must be found before: the search would find it afterwards, too.
const SEALED: &[&str] = &[
    "why",
    "why_background",
    "background",
    "address",
    "phone",
    "email",
    "contact",
    "new_address",
    "facts",
    "uninformed",
    "consulted",
    "place",
];

fn nothing_is_left(app: &TestApp) {
    let people = app.world.own;
    let (coordinator, officer) = (app.user(people.coordinator), app.user(people.privacy_officer));
    // Somebody else, whose data must be what they were.
    let (other, _) = in_support(app, crate::http::journeys::about("Bertta"));
    let mut canary = Canary::new();
    let (client, referral) = a_whole_case(app, &mut canary);
    let client_id = id(&client).to_owned();
    let before = dump(app);
    for word in &canary.0 {
        let sealed = SEALED.iter().any(|place| word.ends_with(&format!("q{place}q")));
        assert_eq!(places(&before, word).is_empty(), sealed, "{word} before the erasure");
    }
    let counted = report(app);
    let seen = coordinator.get(&other).send().expect(200);

    let asked = app.user(people.client).post("/v1/me/data-requests").json(json!({"kind": "erasure", "words": canary.word("erase")})).send();
    let asked = format!("/v1/data-requests/{}", text(&asked.expect(201), "id"));
    step(app, &asked, "start", Value::Null).expect(200);
    let fulfil = officer.post(&format!("{asked}/fulfil")).if_match(2).key("erase-1").json(json!({"decision": canary.word("decision")}));
    let done = fulfil.send().expect(200);
    let class =
        |name: &str| done["erased"].as_array().unwrap().iter().find(|class| class["record_class"] == name).cloned().unwrap_or_default();
    // A question and its answer, what the referrer was told at five milestones, a feedback and a concern.
    assert_eq!((&class("message")["action"], &class("message")["rows"]), (&json!("delete"), &json!(9)));
    assert_eq!((&class("client")["action"], &class("access_log")["why"]), (&json!("pseudonymise"), &json!("statutory_retention")));
    assert_eq!(class("statistics")["why"], "anonymous");

    let after = dump(app);
    let left: Vec<_> = canary.0.iter().map(|word| (word, places(&after, word))).filter(|(_, places)| !places.is_empty()).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(places(&after, CLIENT_CODE).is_empty());
    assert!(places(&after, "'own-client'").is_empty(), "the sign-in");
    let blind = before.iter().filter(|(table, _)| table == "clients").count();
    assert!(
        blind > 0
            && after.iter().filter(|(table, row)| table == "clients" && row.contains(&client_id)).all(|(_, row)| row.contains("'erased'"))
    );
    // The server does so by itself, beside its work; here it is waited for.
    wait(app.store.scrub()).unwrap();
    if app.database.kind == Kind::Sqlite {
        let left: Vec<_> = canary.0.iter().filter(|word| in_files(app, word) > 0).collect();
        assert!(left.is_empty(), "in the file: {left:?}");
        assert!(in_files(app, "Bertta") > 0, "the search finds what is there");
    } else {
        let dump = app.database.dump();
        let left: Vec<_> = canary.0.iter().filter(|word| dump.contains(word.as_str())).collect();
        assert!(left.is_empty() && dump.contains("Bertta"), "in the dump: {left:?}");
    }

    assert_eq!(report(app), counted, "what is counted stays");
    assert_eq!(coordinator.get(&other).send().expect(200), seen, "nobody else has lost anything");
    assert_eq!(coordinator.get(&referral).send().expect(200)["state"], "closed");
    coordinator.patch(&client).if_match(version(app, &client)).json(json!({"phone": "1"})).send().problem(409, "client_erased");
    let rectify = coordinator.post(&format!("{referral}/rectify")).if_match(version(app, &referral));
    rectify.json(json!({"wish": "x", "reason": "y"})).send().problem(409, "client_erased");
    let again = officer.post(&format!("{asked}/fulfil")).if_match(2).key("erase-1").json(json!({"decision": canary.0.last()})).send();
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")), "{}", again.text);
    let later = json!({"client_id": client_id, "kind": "access"});
    officer.post("/v1/data-requests").json(later).send().problem(409, "client_erased");
    // The same person can be referred again, as somebody new.
    let anew = app.user(people.referrer).post("/v1/referrals").json(about_the_client()).send().expect(201);
    assert_ne!(text(&anew["client"], "id"), client_id);
}

on_both! {
    fn nothing_that_tells_of_the_person_is_left(app: TestApp) {
        nothing_is_left(&app);
    }
}

on_both! {
    fn a_legal_hold_an_open_referral_and_the_law_stand_in_the_way(app: TestApp) {
        prepare(&app);
        let people = app.world.own;
        let built = Built::new(&app, Origin::Referrer, Stage::InSupport);
        let client = built.id("client_id");
        let officer = app.user(people.privacy_officer);
        let asked = ask(&app, client, "erasure");
        step(&app, &asked, "start", Value::Null).expect(200);
        let body = json!({"client_id": client, "reason": "Kantelu.", "until": "2026-11-23"});
        let hold = officer.post("/v1/legal-holds").json(body).send().expect(201);
        assert_eq!(hold["holding"], true);
        let problem = step(&app, &asked, "fulfil", json!({"close_open_referrals": true})).problem(409, "legal_hold");
        assert_eq!(problem["params"]["legal_hold_id"], hold["id"]);
        app.clock.set_day("2026-11-24");
        assert_eq!(officer.get(&format!("/v1/legal-holds/{}", text(&hold, "id"))).send().expect(200)["holding"], false);
        assert!(officer.get("/v1/legal-holds?holding=true").send().expect(200)["items"].as_array().unwrap().is_empty());
        let problem = step(&app, &asked, "fulfil", json!({})).problem(409, "referral_still_open");
        assert_eq!(problem["params"]["referral_ids"], json!([built.id("referral_id")]));
        let visit = format!("/v1/visits/{}", built.id("visit_id"));
        assert_eq!(app.user(people.coordinator).get(&visit).send().expect(200)["note"], "Sovittu.", "a refused erasure erases nothing");

        // The controller's own law says that visits stay; the answer says so.
        let policy = json!({
            "programme_id": people.programme.to_string(), "record_class": "visit", "valid_from": "2026-11-24", "keep_months": 72, "statutory": true,
            "legal_basis": "Kirjanpitolaki."
        });
        app.user(people.admin).post("/v1/retention-policies").json(policy).send().expect(201);
        let done = step(&app, &asked, "fulfil", json!({"close_open_referrals": true})).expect(200);
        let class = |name: &str| done["erased"].as_array().unwrap().iter().find(|class| class["record_class"] == name).cloned().unwrap();
        assert_eq!((&class("visit")["action"], &class("visit")["why"]), (&json!("keep"), &json!("statutory_retention")));
        assert_eq!(class("goal")["action"], "delete");
        let coordinator = app.user(people.coordinator);
        assert_eq!(coordinator.get(&visit).send().expect(200)["note"], "Sovittu.");
        let referral = coordinator.get(&format!("/v1/referrals/{}", built.id("referral_id"))).send().expect(200);
        assert_eq!((&referral["closure"]["outcome"], &referral["closure"]["end_reason"]), (&json!("withdrawn"), &json!("client_withdrew")));
        assert_eq!(referral["client"]["given_name"], "–");
        app.user(people.client).get("/v1/me/referrals").send().problem(401, "invalid_token");
    }
}

on_both! {
    fn whoever_works_here_keeps_their_sign_in(app: TestApp) {
        let people = app.world.own;
        let built = Built::new(&app, Origin::Referrer, Stage::Closed);
        sign_in_of(&app, &format!("/v1/referrals/{}", built.id("referral_id")), people.other_referrer);
        let asked = ask(&app, built.id("client_id"), "erasure");
        step(&app, &asked, "start", Value::Null).expect(200);
        step(&app, &asked, "fulfil", json!({})).expect(200);
        assert_eq!(app.user(people.other_referrer).get("/v1/me").send().expect(200)["name"], "other-referrer (own)");
    }
}
