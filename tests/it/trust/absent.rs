//! "Absent" and "not yours" are one answer: the same body, the same statements, the same events, the same syncs. What costs the same cannot be told
//! apart by a clock; the long form looks at one all the same.

use std::time::{Duration, Instant};

use lahete_persistence::Statements;
use serde_json::Value;
use uuid::Uuid;

use super::is_long;
use crate::http::cases::{Built, Origin, Stage, prepare};
use crate::http::matrix::{Documented, Guard, Line, call, documented, lines};
use crate::support::app::Caller;
use crate::support::database::options;
use crate::support::{Kind, Reply, TestApp};

/// What one call came to.
#[derive(PartialEq, Eq, Debug)]
struct Cost {
    status: u16,
    body: Value,
    headers: Vec<String>,
    statements: Vec<String>,
    /// Jobs and journal entries that were made durable, commits for them, and events.
    durable: (u64, u64, u64),
}

/// The case with ids of nothing in place of all that the path names; what a body names stays.
fn elsewhere(built: &Built, operation: &Documented) -> Built {
    let mut built = built.clone();
    for name in operation.path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name) {
        built.set(name, &Uuid::now_v7().to_string());
    }
    built
}

fn plain(reply: &Reply) -> (Value, Vec<String>) {
    let mut body = reply.json();
    for member in ["instance", "request_id"] {
        body.as_object_mut().unwrap().remove(member);
    }
    let mut headers: Vec<String> = reply.headers.iter().map(|(name, _)| name.clone()).collect();
    headers.sort_unstable();
    (body, headers)
}

fn cost(app: &TestApp, statements: &Statements, caller: &Caller<'_>, operation: &Documented, line: &Line, built: &Built) -> Cost {
    let ready = call(caller, operation, line, built);
    drop(statements.take());
    let before = app.store.stats();
    let reply = ready.send();
    let after = app.store.stats();
    let words = ["SELECT", "INSERT", "UPDATE", "DELETE"];
    let kind = |text: &String| words.iter().find(|word| text.trim_start().to_uppercase().starts_with(**word)).map(|_| text.clone());
    let mut run: Vec<String> = statements.take().iter().filter_map(kind).collect();
    run.sort_unstable();
    let (body, headers) = plain(&reply);
    let durable =
        (after.commits_requested - before.commits_requested, after.groups - before.groups, after.journal_events - before.journal_events);
    Cost { status: reply.status, body, headers, statements: run, durable }
}

fn is_of_a_case(line: &Line, operation: &Documented) -> bool {
    matches!(line.guard, Guard::Case(_) | Guard::Programme(_) | Guard::Worker(_)) && operation.path.contains('{')
}

fn same_for_both(kind: Kind) {
    let statements = Statements::default();
    let mut options = options();
    options.statements = Some(statements.clone());
    let app = TestApp::start_on(kind, &[], options);
    prepare(&app);
    let documented = documented();
    let (mut faults, mut tried) = (Vec::new(), 0);
    let mut seen = std::collections::BTreeSet::new();
    for line in lines() {
        let operation = &documented[line.operation];
        if !is_of_a_case(&line, operation) || !seen.insert((line.operation, line.stage, line.origin)) {
            continue;
        }
        let there = Built::new(&app, line.origin, line.stage);
        let nowhere = elsewhere(&there, operation);
        for (name, caller) in [
            ("a coordinator of another programme", app.user(app.world.other.coordinator)),
            ("another link worker", app.user(app.world.own.other_link_worker)),
        ] {
            let foreign = cost(&app, &statements, &caller, operation, &line, &there);
            // Some things of the programme are everybody's in it to see.
            if foreign.status != 404 {
                continue;
            }
            tried += 1;
            let absent = cost(&app, &statements, &caller, operation, &line, &nowhere);
            if foreign != absent {
                faults.push(format!("{} [{}] by {name}:\n  foreign {foreign:?}\n  absent  {absent:?}", line.operation, line.stage.name()));
            }
        }
        there.finish(&app);
    }
    assert!(tried > 60, "{tried} tried");
    assert!(faults.is_empty(), "{} of {tried}:\n{}", faults.len(), faults.join("\n"));
    println!("{kind:?}: {tried} operations refused alike, by body, headers, statements, events and commits");
}

#[test]
fn what_is_not_yours_costs_what_is_not_there_sqlite() {
    same_for_both(Kind::Sqlite);
}

#[test]
fn what_is_not_yours_costs_what_is_not_there_postgresql() {
    same_for_both(Kind::Postgresql);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Prints how long both take; nothing is decided by it.
#[test]
fn the_clock_sees_no_difference() {
    let rounds = if is_long() { 2_000 } else { 20 };
    for kind in [Kind::Sqlite, Kind::Postgresql] {
        let app = TestApp::start(kind);
        prepare(&app);
        let built = Built::new(&app, Origin::Referrer, Stage::InSupport);
        let stranger = app.user(app.world.other.coordinator);
        for (what, name) in [("referrals", "referral_id"), ("clients", "client_id"), ("visits", "visit_id"), ("goals", "goal_id")] {
            let (mut foreign, mut absent) = (Vec::new(), Vec::new());
            for round in 0..rounds {
                let mut pair = [(built.id(name).to_owned(), &mut foreign), (Uuid::now_v7().to_string(), &mut absent)];
                // Neither is always the first.
                if round % 2 == 1 {
                    pair.reverse();
                }
                for (id, times) in pair {
                    let begun = Instant::now();
                    let reply = stranger.get(&format!("/v1/{what}/{id}")).send();
                    times.push(begun.elapsed());
                    assert_eq!(reply.status, 404);
                }
            }
            let (foreign, absent) = (median(foreign), median(absent));
            println!("{kind:?} {what}: foreign {foreign:?}, absent {absent:?}, ratio {:.3}", foreign.as_secs_f64() / absent.as_secs_f64());
        }
    }
}

/// Whoever tries ids out is seen: each try is in the trail of their own programme's privacy officer.
#[test]
fn a_try_at_nothing_is_on_record() {
    let app = TestApp::start(Kind::Sqlite);
    let people = app.world.own;
    for path in ["referrals", "clients", "visits", "goals", "measures", "support-periods", "assignments"] {
        app.user(people.link_worker).get(&format!("/v1/{path}/{}", Uuid::now_v7())).send().problem(404, "not_found");
    }
    let trail = app.user(people.privacy_officer).get("/v1/audit-events?outcome=denied").send().expect(200);
    let tries = trail["items"].as_array().unwrap();
    assert_eq!(tries.len(), 7, "{trail}");
    assert!(tries.iter().all(|event| event["user_id"] == people.link_worker.to_string() && event["client_id"] == Value::Null), "{trail}");
    let elsewhere = app.user(app.world.other.privacy_officer).get("/v1/audit-events?outcome=denied").send().expect(200);
    assert_eq!(elsewhere["items"].as_array().unwrap().len(), 0);
}
