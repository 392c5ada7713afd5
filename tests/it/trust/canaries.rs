//! Words and ids of one case, looked for in everything that everybody can read: every operation that reads, with every filter, by every role. Whoever
//! has nothing to do with the case finds none of them, and whoever has finds no more than what is theirs.

use lahete_domain::codes::Role;
use serde_json::{Value, json};

use crate::http::cases::{Built, Origin, Stage, about_the_client, prepare};
use crate::http::matrix::{EVERYBODY, Who};
use crate::http::plans::readings;
use crate::support::{TestApp, on_both};

/// A word of the case, and the roles that may read it when the case is theirs.
const WORDS: &[(&str, &[Role])] = &[
    ("Kanarialintu", &[Role::Coordinator, Role::Referrer, Role::LinkWorker, Role::Client]),
    ("toivelintu", &[Role::Coordinator, Role::Referrer, Role::LinkWorker, Role::Client]),
    ("taustalintu", &[Role::Coordinator, Role::Referrer, Role::LinkWorker, Role::Client]),
    ("555 9911", &[Role::Coordinator, Role::LinkWorker, Role::Client]),
    ("lintu@posti.example", &[Role::Coordinator, Role::LinkWorker, Role::Client]),
    ("Linnunpesä 3", &[Role::Coordinator, Role::LinkWorker, Role::Client]),
    ("1942-05-07", &[Role::Coordinator, Role::LinkWorker, Role::Client]),
    ("070542", &[]),
    ("902F", &[]),
    ("Kerhoon", &[Role::Coordinator, Role::LinkWorker, Role::Client]),
    ("Juttelimme", &[Role::Coordinator, Role::LinkWorker, Role::Client]),
    ("Sovittu.", &[Role::Coordinator, Role::LinkWorker, Role::Client]),
    ("yrityslintu", &[Role::Coordinator]),
    ("huomautuslintu", &[Role::Coordinator, Role::LinkWorker, Role::Client]),
    ("joka laulaa", &[Role::Coordinator, Role::LinkWorker]),
];

const IDS: &[&str] = &[
    "referral_id",
    "client_id",
    "support_period_id",
    "visit_id",
    "goal_id",
    "measure_id",
    "assignment_id",
    "activity_link_id",
    "consent_id",
];

fn rich() -> Value {
    let mut body = about_the_client();
    body["client"]["family_name"] = json!("Kanarialintu");
    body["client"]["phone"] = json!("+358 40 555 9911");
    body["client"]["email"] = json!("lintu@posti.example");
    body["client"]["address"] = json!("Linnunpesä 3");
    body["wish"] = json!("Ulos, toivelintu.");
    body["background"] = json!("Asuu yksin, taustalintu.");
    body
}

/// Adds what only a coordinator writes.
fn remark(app: &TestApp, built: &Built) {
    let coordinator = app.user(app.world.own.coordinator);
    let attempts = format!("/v1/referrals/{}/contact-attempts", built.id("referral_id"));
    coordinator
        .post(&attempts)
        .json(json!({"channel": "phone", "result": "not_reached", "note": "Ei vastannut, yrityslintu."}))
        .send()
        .expect(201);
    let period = format!("/v1/support-periods/{}", built.id("support_period_id"));
    let version = coordinator.get(&period).send().version();
    let pause = json!({"reason": "client_ill", "comment": "Flunssa, huomautuslintu."});
    coordinator.post(&format!("{period}/pause")).if_match(version).json(pause).send().expect(200);
}

fn owns(who: &Who, ended: bool) -> bool {
    let works = who.role != Some(Role::LinkWorker) || !ended;
    who.own_programme
        && who.first
        && works
        && matches!(who.role, Some(Role::Referrer | Role::Coordinator | Role::LinkWorker | Role::Client))
}

/// Whether the trail is this caller's to read: it names whom something was about, by id.
fn reads_trail(who: &Who) -> bool {
    who.own_programme && who.role == Some(Role::PrivacyOfficer)
}

fn look_everywhere(app: &TestApp, built: &Built, ended: bool) -> usize {
    let mut faults = Vec::new();
    let mut calls = 0;
    for reading in readings(app, built) {
        let mut queries = vec![String::new()];
        queries.extend(reading.filters.iter().flat_map(|(name, values)| values.iter().map(move |value| format!("{name}={value}&"))));
        for who in EVERYBODY {
            let caller = who.caller(app);
            for query in &queries {
                calls += 1;
                let reply = caller.get(&format!("{}?{}{query}", reading.path, reading.required)).send();
                let at = || format!("{} ?{query} by {}", reading.name, who.name);
                if reply.status >= 500 {
                    faults.push(format!("{}: {reply:?}", at()));
                }
                if reply.status != 200 {
                    break;
                }
                for (word, roles) in WORDS {
                    // A copy holds all that is kept about the person, whoever has written it (GDPR 15).
                    let own_copy = reading.name == "me_data_copy" && who.role == Some(Role::Client);
                    let may = owns(who, ended) && (own_copy || who.role.is_some_and(|role| roles.contains(&role)));
                    if !may && reply.text.contains(word) {
                        faults.push(format!("{}: {word}: {}", at(), reply.text));
                    }
                }
                // Whoever has recorded a concern keeps it, with what it is about.
                let reported = matches!(reading.name.as_str(), "concern_list" | "concern_view")
                    && who.own_programme
                    && who.first
                    && who.role == Some(Role::LinkWorker);
                for name in IDS.iter().filter(|_| !owns(who, ended) && !reads_trail(who) && !reported) {
                    if reply.text.contains(built.id(name)) {
                        faults.push(format!("{}: {name}: {}", at(), reply.text));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} of {calls}:\n{}", faults.len(), faults.join("\n"));
    calls
}

on_both! {
    fn nobody_finds_a_word_that_is_not_theirs(app: TestApp) {
        prepare(&app);
        let mut built = Built::of(&app, rich(), Origin::Referrer, Stage::InSupport);
        for stage in [Stage::Settings, Stage::Asked, Stage::Held, Stage::Restricted] {
            built.add(&Built::new(&app, Origin::Referrer, stage));
        }
        remark(&app, &built);
        // The words are there to be found.
        let whole: String = ["timeline", "contact-attempts", "assignments"]
            .iter()
            .map(|part| app.user(app.world.own.coordinator).get(&format!("/v1/referrals/{}/{part}", built.id("referral_id"))).send().text)
            .collect();
        for word in ["yrityslintu", "huomautuslintu", "joka laulaa"] {
            assert!(whole.contains(word), "{word} in {whole}");
        }
        let before = look_everywhere(&app, &built, false);
        built.finish(&app);
        let after = look_everywhere(&app, &built, true);
        println!("{} reads, none with a foreign word", before + after);
    }
}
