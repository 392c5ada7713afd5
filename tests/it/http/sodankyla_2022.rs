//! The Sodankylä project of 2022 once more: its 31 referrals through HTTP, each step by the one whose step it is and on its day, and the report that
//! the project wrote by hand. The persons and the single visits are invented so that they add up to the totals of the source.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::app::text;
use crate::support::{TestApp, on_both};

const DATA: &str = include_str!("../data/sodankyla_2022.json");
const BEFORE: &str = "2022-02-01";

/// What happens on a day, in the order in which it happens within the day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Submit,
    Review,
    Waitlist,
    Propose,
    Visit(usize),
    Defer,
    Close,
    EndSupport,
}

/// What became of a referral on the way.
#[derive(Default)]
struct Track {
    referral: String,
    version: i64,
    period: String,
}

struct Worker {
    user: lahete_domain::ids::UserId,
    id: String,
}

fn day_after(day: &str, days: i64) -> String {
    let day: chrono::NaiveDate = day.parse().unwrap();
    (day + chrono::Duration::days(days)).to_string()
}

/// The link workers sign in, are trained and under contract before the project begins.
fn workers(app: &TestApp) -> Vec<Worker> {
    let people = app.world.own;
    let (admin, coordinator) = (app.user(people.admin), app.user(people.coordinator));
    let programme = people.programme.to_string();
    (1..=9)
        .map(|number| {
            let name = format!("Linkki {number}");
            let user = admin
                .post("/v1/users")
                .json(json!({"programme_id": programme, "login": format!("linkki-{number}"), "name": name}))
                .send()
                .expect(201);
            let user_id = text(&user, "id");
            let role = json!({"programme_id": programme, "user_id": user_id, "role": "link_worker", "valid_from": BEFORE});
            admin.post("/v1/role-assignments").json(role).send().expect(201);
            let worker = json!({
                "programme_id": programme, "user_id": user_id, "name": name, "municipalities": ["758"], "languages": ["fi"],
                "max_clients": 6, "hours_per_month": 60
            });
            let worker = coordinator.post("/v1/link-workers").json(worker).send().expect(201);
            let id = text(&worker, "id");
            let contract = json!({"kind": "fee", "employer_id": people.employer.to_string(), "valid_from": BEFORE});
            coordinator.post(&format!("/v1/link-workers/{id}/contracts")).json(contract).send().expect(201);
            let training = json!({"kind": "basic_course", "provider": "Lapin AMK", "completed_on": BEFORE});
            coordinator.post(&format!("/v1/link-workers/{id}/trainings")).json(training).send().expect(201);
            Worker { user: lahete_domain::ids::Id::from_uuid(user_id.parse().unwrap()), id }
        })
        .collect()
}

fn steps(referrals: &[Value]) -> Vec<(String, Step, usize)> {
    let mut all = Vec::new();
    for (index, referral) in referrals.iter().enumerate() {
        let submitted = text(referral, "submitted_on");
        let mut add = |day: String, step| all.push((day, step, index));
        add(submitted.clone(), Step::Submit);
        add(submitted.clone(), Step::Review);
        match referral["outcome"].as_str().unwrap() {
            "deferred" => add(submitted, Step::Defer),
            "not_started" | "redirected" => add(day_after(&submitted, 7), Step::Close),
            _ => {
                add(submitted, Step::Waitlist);
                add(text(referral, "support_starts_on"), Step::Propose);
                for (number, visit) in referral["visits"].as_array().unwrap().iter().enumerate() {
                    add(text(visit, "on"), Step::Visit(number));
                }
                if let Some(day) = referral["ended_on"].as_str() {
                    add(day.to_owned(), Step::EndSupport);
                }
            }
        }
    }
    all.sort();
    all
}

fn answers(referral: &Value, timepoint: &str) -> Value {
    match referral["swemwbs"][timepoint].as_array() {
        Some(answers) => json!({"mode": "helped", "answers": answers}),
        None => json!({"missing_reason": "not_asked"}),
    }
}

fn play(app: &TestApp, workers: &[Worker], step: Step, referral: &Value, track: &mut Track) {
    let people = app.world.own;
    let coordinator = app.user(people.coordinator);
    let worker = referral["link_worker"].as_u64().map(|number| &workers[usize::try_from(number).unwrap() - 1]);
    let path = format!("/v1/referrals/{}", track.referral);
    match step {
        Step::Submit => {
            let client = &referral["client"];
            let reply = app
                .user(people.referrer)
                .post("/v1/referrals")
                .json(json!({
                    "client": {
                        "given_name": client["given_name"], "family_name": client["family_name"], "birth_date": client["birth_date"],
                        "personal_identity_code": client["personal_identity_code"], "sex": client["sex"],
                        "municipality": client["municipality"], "language": client["language"]
                    },
                    "referrer": {"sector": referral["referrer_sector"]},
                    "reasons": referral["reasons"],
                    "written_together": true,
                    "not_a_service_acknowledged": true,
                    "consent": {
                        "purposes": ["process_referral", "share_with_link_worker", "feedback_to_referrer", "evaluation"],
                        "text_version": "2022-1", "language": "fi", "method": "written"
                    },
                    "submit": true
                }))
                .send();
            track.version = reply.version();
            track.referral = text(&reply.expect(201), "id");
        }
        Step::Review => track.version = transition(&coordinator, &path, "review", track.version, json!({})),
        Step::Waitlist => track.version = transition(&coordinator, &path, "waitlist", track.version, json!({})),
        Step::Defer => {
            let body = json!({"resume_on": referral["resume_on"]});
            track.version = transition(&coordinator, &path, "defer", track.version, body);
        }
        Step::Close => {
            if referral["end_reason"] == "not_reached" {
                let close = json!({"outcome": referral["outcome"], "end_reason": referral["end_reason"]});
                let early = coordinator.post(&format!("{path}/close")).if_match(track.version).json(close).send();
                early.problem(409, "contact_attempts_missing");
                for _ in 0..3 {
                    let attempt = json!({"channel": "phone", "result": "not_reached"});
                    coordinator.post(&format!("{path}/contact-attempts")).json(attempt).send().expect(201);
                }
            }
            let body = json!({"outcome": referral["outcome"], "end_reason": referral["end_reason"]});
            track.version = transition(&coordinator, &path, "close", track.version, body);
        }
        Step::Propose => {
            let worker = worker.unwrap();
            let proposal = coordinator.post(&format!("{path}/assignments")).json(json!({"link_worker_id": worker.id})).send();
            let version = proposal.version();
            let proposal = proposal.expect(201);
            let accept = format!("/v1/assignments/{}/accept", text(&proposal, "id"));
            app.user(worker.user).post(&accept).if_match(version).send().expect(200);
            track.version = app.user(worker.user).get(&path).send().version();
        }
        Step::Visit(number) => {
            let worker = app.user(worker.unwrap().user);
            let visit = &referral["visits"][number];
            if number == 0 {
                let reply = worker
                    .post(&format!("{path}/support-period"))
                    .if_match(track.version)
                    .json(json!({
                        "starts_on": referral["support_starts_on"], "planned_end_on": referral["planned_end_on"], "first_visit": visit,
                        "start_measure": answers(referral, "start")
                    }))
                    .send();
                track.period = text(&reply.expect(201), "id");
            } else {
                let mut body = visit.clone();
                body["state"] = json!("held");
                worker.post(&format!("/v1/support-periods/{}/visits", track.period)).json(body).send().expect(201);
            }
        }
        Step::EndSupport => {
            let period = format!("/v1/support-periods/{}", track.period);
            let version = coordinator.get(&period).send().version();
            let body = json!({
                "outcome": referral["outcome"], "end_reason": referral["end_reason"], "ended_on": referral["ended_on"],
                "end_measure": answers(referral, "end"), "end_recommendation": {"missing_reason": "not_asked"}
            });
            coordinator.post(&format!("{period}/end")).if_match(version).json(body).send().expect(200);
        }
    }
}

fn transition(caller: &crate::support::app::Caller<'_>, path: &str, verb: &str, version: i64, body: Value) -> i64 {
    let reply = caller.post(&format!("{path}/{verb}")).if_match(version).json(body).send();
    let version = reply.version();
    reply.expect(200);
    version
}

/// A table of the report as the source writes it: only what there is.
fn table(cells: &Value) -> BTreeMap<String, i64> {
    cells
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|cell| Some((text(cell, "code"), cell["count"].as_i64().filter(|count| *count > 0)?)))
        .collect()
}

fn expected(value: &Value) -> BTreeMap<String, i64> {
    value.as_object().unwrap().iter().map(|(code, count)| (code.clone(), count.as_i64().unwrap())).collect()
}

on_both! {
    fn the_report_of_the_project_is_reproduced_to_the_last_number(app: TestApp) {
        let data: Value = serde_json::from_str(DATA).unwrap();
        let (referrals, wanted) = (data["referrals"].as_array().unwrap(), &data["expected"]);
        app.clock.set_day(BEFORE);
        let text = json!({"programme_id": app.world.own.programme.to_string(), "version": "2022-1", "language": "fi", "body": "Suostun lähetteeseen."});
        app.user(app.world.own.admin).post("/v1/consent-texts").json(text).send().expect(201);
        let workers = workers(&app);
        let mut tracks: Vec<Track> = referrals.iter().map(|_| Track::default()).collect();
        for (day, step, index) in steps(referrals) {
            app.clock.set_day(&day);
            play(&app, &workers, step, &referrals[index], &mut tracks[index]);
        }
        app.clock.set_day("2022-12-31");

        let people = app.world.own;
        let report = |until: &str| {
            let query = format!("programme_id={}&from=2022-02-18&until={until}&visits_until=2022-12-31", people.programme);
            app.user(people.coordinator).get(&format!("/v1/reports/outcomes?{query}")).send().expect(200)
        };
        let whole = report("2022-12-08");
        assert_eq!(whole["submitted"]["count"], wanted["referrals"]);
        let mut outcomes = table(&whole["outcomes"]);
        let closed: i64 = outcomes.values().sum();
        assert_eq!(closed + whole["open"]["count"].as_i64().unwrap(), whole["submitted"]["count"].as_i64().unwrap(), "open + Σ outcomes = submitted");
        outcomes.extend(table(&whole["open_by_state"]));
        assert_eq!(outcomes, expected(&wanted["outcomes"]));
        assert_eq!(table(&whole["sex"]), expected(&wanted["sex"]));
        assert_eq!(whole["age"]["min"], wanted["age"]["min"]);
        assert_eq!(whole["age"]["max"], wanted["age"]["max"]);
        assert_eq!(whole["age"]["mean"], wanted["age"]["mean"]);
        assert_eq!(table(&report("2022-08-30")["sectors"]), expected(&wanted["first_26_by_sector"]));
        assert_eq!(whole["visits"]["home_visits"]["count"], wanted["home_visits"]);
        assert_eq!(whole["visits"]["hours"], wanted["hours"]);
        assert_eq!(whole["visits"]["fee_eur"], wanted["fee_eur"]);
        assert_eq!(whole["link_workers"]["involved"]["count"], wanted["link_workers"]);
        assert_eq!(whole["link_workers"]["agreements_min"], wanted["agreements_per_link_worker"]["min"]);
        assert_eq!(whole["link_workers"]["agreements_max"], wanted["agreements_per_link_worker"]["max"]);
        let swemwbs = whole["measures"].as_array().unwrap().iter().find(|measure| measure["instrument"] == "swemwbs").unwrap();
        assert_eq!(swemwbs["pairs"]["count"], wanted["swemwbs_pairs"]);
        assert_eq!(swemwbs["mean_change"], mean_change(referrals));

        nobody_is_recognised(&app);
    }
}

/// The mean change over the pairs, computed here from the raw answers by the published table.
fn mean_change(referrals: &[Value]) -> Value {
    let metric = |answers: &Value| -> i64 {
        let raw: i64 = answers.as_array().unwrap().iter().map(|answer| answer.as_i64().unwrap()).sum();
        i64::from(lahete_domain::measure::swemwbs::metric_hundredths(i32::try_from(raw).unwrap()).unwrap())
    };
    let changes: Vec<i64> = referrals
        .iter()
        .filter(|referral| referral["swemwbs"].is_object())
        .map(|referral| metric(&referral["swemwbs"]["end"]) - metric(&referral["swemwbs"]["start"]))
        .collect();
    let (sum, count) = (changes.iter().sum::<i64>(), i64::try_from(changes.len()).unwrap());
    // Hundredths already: the mean has none of its own.
    let rounded: i64 = lahete_domain::money::mean(sum, count, 0).unwrap().parse().unwrap();
    Value::from(lahete_domain::money::hundredths(rounded))
}

/// The same report for a decision-maker: no small number, and none that follows from the others.
fn nobody_is_recognised(app: &TestApp) {
    let people = app.world.own;
    let query = format!("programme_id={}&from=2022-02-18&until=2022-12-08&visits_until=2022-12-31", people.programme);
    let report = app.user(people.report_reader).get(&format!("/v1/reports/outcomes?{query}")).send().expect(200);
    assert_eq!(report["suppressed"], true);
    assert_eq!(report["submitted"]["count"], 31);
    assert_eq!(report["age"]["min"], Value::Null);
    for name in ["outcomes", "open_by_state", "sex", "sectors", "reasons", "routes", "municipalities"] {
        let cells = report[name].as_array().unwrap();
        let hidden = cells.iter().filter(|cell| cell["suppressed"] == true).count();
        assert_ne!(hidden, 1, "{name}: a single hidden cell follows from the total");
        for cell in cells {
            let count = cell["count"].as_i64();
            assert!(count.is_none_or(|count| count == 0 || count >= 5), "{name}: {cell}");
            assert_eq!(count.is_none(), cell["suppressed"] == true, "{name}: {cell}");
        }
    }
    app.user(app.world.other.report_reader).get(&format!("/v1/reports/outcomes?{query}")).send().problem(404, "not_found");
    app.user(people.link_worker).get(&format!("/v1/reports/outcomes?{query}")).send().problem(404, "not_found");
}
