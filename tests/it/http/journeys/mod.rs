//! The work of each role from its beginning to its end, as product §3–§6 tells it. What a role would complain about is a failure here.

mod activities;
mod activity_imports;
mod administration;
mod assignments;
mod client;
mod drafts;
mod endings;
mod feedback;
mod guidance;
mod hour_sheets;
mod known_clients;
mod machines;
mod measures;
mod open_door;
mod people;
mod questions;
mod six_months;
mod support;
mod visits;
mod waiting;
mod work;

use lahete_domain::ids::{Id, LinkWorkerId, UserId};
use serde_json::{Value, json};

use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::{Reply, TestApp};

/// A referral about another person than [`complete`]'s.
pub fn about(given_name: &str) -> Value {
    let mut body = complete();
    body["client"]["given_name"] = json!(given_name);
    body
}

/// A nurse sends a referral; gives its path.
pub fn send(app: &TestApp, body: Value) -> String {
    let sent = app.user(app.world.own.referrer).post("/v1/referrals").json(body).send().expect(201);
    assert_eq!(sent["state"], "submitted");
    format!("/v1/referrals/{}", text(&sent, "id"))
}

/// The version of a thing, as the coordinator reads it.
#[track_caller]
pub fn version(app: &TestApp, path: &str) -> i64 {
    app.user(app.world.own.coordinator).get(path).send().version()
}

/// Somebody takes a step with a thing, at its present version.
#[track_caller]
pub fn step(app: &TestApp, who: UserId, path: &str, verb: &str, body: Value) -> Reply {
    let call = app.user(who).post(&format!("{path}/{verb}")).if_match(version(app, path));
    if body.is_null() { call.send() } else { call.json(body).send() }
}

/// A referral that the coordinator has taken.
pub fn taken(app: &TestApp, body: Value) -> String {
    let path = send(app, body);
    step(app, app.world.own.coordinator, &path, "review", json!({})).expect(200);
    path
}

/// The coordinator proposes a link worker; gives the path of the assignment.
#[track_caller]
pub fn propose(app: &TestApp, referral: &str, worker: LinkWorkerId) -> String {
    let body = json!({"link_worker_id": worker.as_uuid()});
    let made = app.user(app.world.own.coordinator).post(&format!("{referral}/assignments")).json(body).send().expect(201);
    format!("/v1/assignments/{}", text(&made, "id"))
}

/// A referral whose proposal the link worker has accepted; gives the path of the referral and of the assignment.
#[track_caller]
pub fn assigned(app: &TestApp, body: Value) -> (String, String) {
    let people = app.world.own;
    let referral = taken(app, body);
    let assignment = propose(app, &referral, people.worker);
    step(app, people.link_worker, &assignment, "accept", Value::Null).expect(200);
    (referral, assignment)
}

/// How a support period starts today, planned for two months.
pub fn start() -> Value {
    json!({
        "starts_on": "2026-11-22", "planned_end_on": "2027-01-22",
        "first_visit": {"on": "2026-11-22", "minutes": 60, "mode": "home_visit", "note": "Tutustuttiin."},
        "start_measure": {"mode": "helped", "answers": [3, 3, 2, 3, 3, 2, 3]}
    })
}

/// A referral in support; gives the path of the referral and of the support period.
#[track_caller]
pub fn in_support(app: &TestApp, body: Value) -> (String, String) {
    let (referral, _) = assigned(app, body);
    let started = step(app, app.world.own.link_worker, &referral, "support-period", start()).expect(201);
    (referral, format!("/v1/support-periods/{}", text(&started, "id")))
}

/// Everything that an end needs; as planned.
pub fn end(on: &str) -> Value {
    json!({
        "outcome": "completed_as_planned", "end_reason": "goals_reached", "ended_on": on,
        "end_measure": {"mode": "helped", "answers": [4, 3, 3, 4, 3, 3, 4]}, "end_recommendation": {"mode": "self", "answers": [9]}
    })
}

/// The coordinator says which sign-in is the client's; gives the path of the client.
#[track_caller]
pub fn sign_in_of(app: &TestApp, referral: &str, user: UserId) -> String {
    let coordinator = app.world.own.coordinator;
    let seen = app.user(coordinator).get(referral).send().expect(200);
    let client = format!("/v1/clients/{}", text(&seen["client"], "id"));
    step(app, coordinator, &client, "link-user", json!({"user_id": user.as_uuid()})).expect(200);
    client
}

/// The last part of a path.
pub fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// The items of a list.
#[track_caller]
pub fn items(reply: Reply) -> Vec<Value> {
    reply.expect(200)["items"].as_array().unwrap().clone()
}

/// One member of each item of a list.
#[track_caller]
pub fn each(reply: Reply, member: &str) -> Vec<String> {
    items(reply).iter().map(|item| text(item, member)).collect()
}

/// What the clock does when it looks.
pub fn the_clock_looks(app: &TestApp) -> lahete_api::jobs::expiries::Expired {
    use lahete_domain::time::Clock as _;
    let ids = std::sync::Arc::new(lahete_api::id_source::UuidV7);
    crate::support::database::wait(lahete_api::jobs::expiries::run_once(&app.store, app.clock.now(), ids)).unwrap()
}
