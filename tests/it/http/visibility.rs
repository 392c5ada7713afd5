//! What each sees of a case as it goes on, when they stop seeing it, and what is kept of who looked.

use lahete_domain::codes::AuditOutcome;
use lahete_domain::ids::{ClientId, Id, UserId};
use lahete_persistence::repo::audit::{AuditFilter, StoredAuditEvent};
use lahete_persistence::{Db, PageRequest, StoreError};
use serde_json::{Value, json};

use super::cases::{Built, CLIENT_CODE, Origin, Stage, about_the_client, prepare};
use crate::support::app::{Call, Caller, text};
use crate::support::database::wait;
use crate::support::{TestApp, on_both};

/// Everything that can be read about a case in support.
const CASE: &[&str] = &[
    "/v1/referrals/{referral_id}",
    "/v1/referrals/{referral_id}/timeline",
    "/v1/referrals/{referral_id}/messages",
    "/v1/referrals/{referral_id}/contact-attempts",
    "/v1/referrals/{referral_id}/consents",
    "/v1/referrals/{referral_id}/assignments",
    "/v1/referrals/{referral_id}/activity-links",
    "/v1/assignments/{assignment_id}",
    "/v1/clients/{client_id}",
    "/v1/clients/{client_id}/access-log",
    "/v1/support-periods/{support_period_id}",
    "/v1/support-periods/{support_period_id}/goals",
    "/v1/support-periods/{support_period_id}/visits",
    "/v1/support-periods/{support_period_id}/measures",
    "/v1/goals/{goal_id}",
    "/v1/visits/{visit_id}",
    "/v1/measures/{measure_id}",
];

/// The lists of all cases.
const LISTS: &[&str] = &["/v1/referrals", "/v1/assignments", "/v1/support-periods", "/v1/visits", "/v1/me/referrals", "/v1/me/access-log"];

fn path(pattern: &str, built: &Built) -> String {
    let mut path = pattern.to_owned();
    while let Some((before, rest)) = path.split_once('{') {
        let (name, after) = rest.split_once('}').unwrap();
        path = format!("{before}{}{after}", built.id(name));
    }
    path
}

/// What somebody sees of a case: paths that answer, and lists that show something.
fn seen(caller: &Caller<'_>, built: &Built) -> Vec<&'static str> {
    let mut seen = Vec::new();
    for pattern in CASE {
        let reply = caller.get(&path(pattern, built)).send();
        assert!(matches!(reply.status, 200 | 403 | 404), "{pattern}: {reply:?}");
        if reply.status == 200 {
            seen.push(*pattern);
        }
    }
    for list in LISTS {
        let reply = caller.get(list).send();
        assert!(reply.status == 200, "{list}: {reply:?}");
        if !reply.json()["items"].as_array().unwrap().is_empty() {
            seen.push(*list);
        }
    }
    seen
}

/// What a link worker sees of a case that they work on.
const ASSIGNED: &[&str] = &[
    "/v1/referrals/{referral_id}",
    "/v1/referrals/{referral_id}/timeline",
    "/v1/referrals/{referral_id}/assignments",
    "/v1/referrals/{referral_id}/activity-links",
    "/v1/assignments/{assignment_id}",
    "/v1/clients/{client_id}",
    "/v1/support-periods/{support_period_id}",
    "/v1/support-periods/{support_period_id}/goals",
    "/v1/support-periods/{support_period_id}/visits",
    "/v1/support-periods/{support_period_id}/measures",
    "/v1/goals/{goal_id}",
    "/v1/visits/{visit_id}",
    "/v1/measures/{measure_id}",
    "/v1/referrals",
    "/v1/assignments",
    "/v1/support-periods",
    "/v1/visits",
];

#[track_caller]
fn sees_nothing(caller: &Caller<'_>, built: &Built) {
    assert_eq!(seen(caller, built), Vec::<&str>::new());
}

/// The person's role assignment in their programme.
fn role_of(app: &TestApp, user: UserId) -> (String, i64) {
    let admin = app.user(app.world.own.admin);
    let list = admin.get(&format!("/v1/role-assignments?user_id={user}")).send().expect(200);
    let id = text(&list["items"][0], "id");
    let version = admin.get(&format!("/v1/role-assignments/{id}")).send().version();
    (id, version)
}

fn withdraw_purpose(app: &TestApp, built: &Built, purpose: &str) {
    let client = app.user(app.world.own.client);
    let version = client.get(&path("/v1/referrals/{referral_id}", built)).send().version();
    let path = format!("/v1/me/consents/{}/withdraw", built.id("consent_id"));
    client.post(&path).if_match(version).json(json!({"purposes": [purpose]})).send().expect(200);
}

on_both! {
    fn a_draft_is_its_writers_alone(app: TestApp) {
        let people = app.world.own;
        let built = Built::new(&app, Origin::Referrer, Stage::Draft);
        let referral = path("/v1/referrals/{referral_id}", &built);
        let draft = app.user(people.referrer).get(&referral).send().expect(200);
        assert_eq!(draft["client"]["contact"]["phone"], "+358 40 555 0101", "the writer knows what they have written");
        let client = format!("/v1/clients/{}", text(&draft["client"], "id"));
        assert_eq!(app.user(people.referrer).get("/v1/referrals?state=draft").send().expect(200)["items"].as_array().unwrap().len(), 1);
        for user in [
            people.coordinator, people.other_referrer, people.link_worker, people.client, people.report_reader, people.privacy_officer, people.admin,
            app.world.other.coordinator,
        ] {
            let caller = app.user(user);
            caller.get(&referral).send().problem(404, "not_found");
            caller.get(&format!("{referral}/timeline")).send().problem(404, "not_found");
            caller.get(&client).send().problem(404, "not_found");
            for list in ["/v1/referrals", "/v1/referrals?state=draft", "/v1/referrals?open=false", "/v1/me/referrals"] {
                assert_eq!(caller.get(list).send().expect(200)["items"], json!([]), "{list}");
            }
        }
        let report = format!("/v1/reports/outcomes?programme_id={}&from=2026-01-01&until=2026-12-31", people.programme);
        assert_eq!(app.user(people.coordinator).get(&report).send().expect(200)["submitted"]["count"], 0, "a draft is in no statistics");
    }
}

on_both! {
    fn a_referrer_sees_how_it_goes_and_not_the_work(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let mut body = about_the_client();
        body["consent"]["purposes"] = json!(["process_referral", "share_with_link_worker"]);
        let built = Built::of(&app, body, Origin::Referrer, Stage::NothingPlanned);
        let referrer = app.user(people.referrer);
        let visible = seen(&referrer, &built);
        assert_eq!(
            visible,
            ["/v1/referrals/{referral_id}", "/v1/referrals/{referral_id}/timeline", "/v1/referrals/{referral_id}/messages", "/v1/referrals"]
        );
        sees_nothing(&app.user(people.other_referrer), &built);
        let referral = path("/v1/referrals/{referral_id}", &built);
        let seen = referrer.get(&referral).send().expect(200);
        assert_eq!(seen["state"], "in_support");
        for member in ["assignment_id", "support_period_id", "closure"] {
            assert_eq!(seen[member], Value::Null, "{member}");
        }
        assert_eq!(seen["client"]["contact"], Value::Null);
        let timeline = referrer.get(&format!("{referral}/timeline")).send();
        assert!(!timeline.text.contains("Juttelimme") && !timeline.text.contains("comment"), "{timeline:?}");
        let whole = app.user(people.coordinator).get(&path("/v1/support-periods/{support_period_id}/visits", &built)).send();
        assert!(whole.text.contains("Juttelimme"), "there was a note to hide: {whole:?}");

        let version = app.user(people.coordinator).get(&path("/v1/support-periods/{support_period_id}", &built)).send().version();
        let end = json!({
            "outcome": "discontinued", "end_reason": "health_declined", "ended_on": "2026-11-22", "comment": "Voimat eivät riitä.",
            "end_measure": {"missing_reason": "not_asked"}, "end_recommendation": {"missing_reason": "not_asked"}
        });
        let path_of_end = path("/v1/support-periods/{support_period_id}/end", &built);
        app.user(people.coordinator).post(&path_of_end).if_match(version).json(end).send().expect(200);
        let closed = referrer.get(&referral).send();
        let timeline = referrer.get(&format!("{referral}/timeline")).send();
        for reply in [&closed, &timeline] {
            assert!(!reply.text.contains("health_declined") && !reply.text.contains("Voimat"), "no feedback without consent: {reply:?}");
        }
        assert_eq!(closed.json()["state"], "closed");
        assert_eq!(app.user(people.client).get(&referral).send().expect(200)["closure"]["end_reason"], "health_declined");
        sees_nothing(&app.user(people.link_worker), &built);
    }
}

on_both! {
    fn feedback_reaches_the_referrer_when_the_client_wants_it(app: TestApp) {
        prepare(&app);
        let built = Built::new(&app, Origin::Referrer, Stage::Closed);
        let seen = app.user(app.world.own.referrer).get(&path("/v1/referrals/{referral_id}", &built)).send().expect(200);
        assert_eq!(seen["closure"]["outcome"], "redirected");
        withdraw_purpose(&app, &built, "feedback_to_referrer");
        let seen = app.user(app.world.own.referrer).get(&path("/v1/referrals/{referral_id}", &built)).send().expect(200);
        assert_eq!(seen["closure"], Value::Null);
    }
}

on_both! {
    fn a_proposal_shows_the_task_and_not_the_person(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let (worker, coordinator) = (app.user(people.link_worker), app.user(people.coordinator));
        let built = Built::new(&app, Origin::Referrer, Stage::Proposed);
        let proposal = path("/v1/assignments/{assignment_id}", &built);
        for place in [proposal.as_str(), "/v1/assignments"] {
            let reply = worker.get(place).send();
            assert_eq!(reply.status, 200, "{reply:?}");
            assert!(reply.text.contains("Nainen, joka laulaa."), "{reply:?}");
            for secret in ["Aino", "Esimerkki", "555 0101", "070542", built.id("client_id"), "1942-05-07"] {
                assert!(!reply.text.contains(secret), "{secret}: {reply:?}");
            }
        }
        for pattern in CASE.iter().filter(|pattern| pattern.contains("referral_id") || pattern.contains("client_id")) {
            assert_eq!(worker.get(&path(pattern, &built)).send().status, 404, "{pattern}");
        }
        for list in ["/v1/referrals", "/v1/support-periods", "/v1/visits"] {
            assert_eq!(worker.get(list).send().expect(200)["items"], json!([]), "{list}");
        }
        app.user(people.other_link_worker).get(&proposal).send().problem(404, "not_found");

        let gone = |built: &Built, why: &str| {
            assert_eq!(worker.get(&path("/v1/assignments/{assignment_id}", built)).send().status, 404, "{why}");
            assert_eq!(worker.get("/v1/assignments").send().expect(200)["items"], json!([]), "{why}");
            let late = worker.post(&path("/v1/assignments/{assignment_id}/accept", built)).if_match(1).send();
            assert_eq!(late.status, 404, "{why}: {late:?}");
        };
        let declined = worker.post(&format!("{proposal}/decline")).if_match(built.version("assignment_id")).json(json!({"reason": "no_time"})).send();
        assert!((200..300).contains(&declined.status), "{declined:?}");
        gone(&built, "declined");
        let built = Built::new(&app, Origin::Referrer, Stage::Proposed);
        let end = coordinator.post(&path("/v1/assignments/{assignment_id}/end", &built)).if_match(built.version("assignment_id"));
        end.json(json!({"reason": "client_wish"})).send().expect(200);
        gone(&built, "taken back");
        let built = Built::new(&app, Origin::Referrer, Stage::Proposed);
        withdraw_purpose(&app, &built, "share_with_link_worker");
        gone(&built, "no longer shared");
        let built = Built::new(&app, Origin::Referrer, Stage::Proposed);
        app.clock.advance_days(lahete_domain::assignment::PROPOSAL_DAYS);
        gone(&built, "expired");
    }
}

on_both! {
    fn a_link_worker_sees_until_it_ends(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let (worker, coordinator) = (app.user(people.link_worker), app.user(people.coordinator));
        let begin = || {
            let built = Built::new(&app, Origin::Referrer, Stage::InSupport);
            assert_eq!(seen(&worker, &built), ASSIGNED);
            sees_nothing(&app.user(people.other_link_worker), &built);
            built
        };
        let built = begin();
        let contact = worker.get(&path("/v1/referrals/{referral_id}", &built)).send().expect(200);
        assert_eq!(contact["client"]["contact"]["phone"], "+358 40 555 0101", "who walks beside somebody can call them");
        assert_eq!(worker.get(&path("/v1/referrals/{referral_id}/consents", &built)).send().status, 403);

        let end = worker.post(&path("/v1/assignments/{assignment_id}/end", &built)).if_match(built.version("assignment_id"));
        let answer = end.json(json!({"reason": "link_worker_unavailable"})).send();
        assert!((200..300).contains(&answer.status), "{answer:?}");
        sees_nothing(&worker, &built);
        built.finish(&app);

        for purpose in ["share_with_link_worker", "process_referral"] {
            let built = begin();
            withdraw_purpose(&app, &built, purpose);
            sees_nothing(&worker, &built);
            let state = coordinator.get(&path("/v1/referrals/{referral_id}", &built)).send().expect(200);
            assert_eq!(state["state"], if purpose == "process_referral" { "closed" } else { "in_support" });
            built.finish(&app);
        }

        let built = begin();
        built.finish(&app);
        sees_nothing(&worker, &built);
    }
}

on_both! {
    fn a_consent_that_has_run_out_shares_nothing(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let mut body = about_the_client();
        body["consent"]["valid_until"] = json!("2026-11-30");
        let built = Built::of(&app, body, Origin::Referrer, Stage::InSupport);
        let worker = app.user(people.link_worker);
        app.clock.set("2026-11-30T21:59:00Z");
        assert_eq!(seen(&app.user(people.link_worker), &built), ASSIGNED, "its last day, a minute before midnight in Finland");
        app.clock.set("2026-11-30T22:01:00Z");
        sees_nothing(&worker, &built);
        let goal = json!({"words": "Kuoroon."});
        let late = worker.post(&path("/v1/support-periods/{support_period_id}/goals", &built)).json(goal).send();
        late.problem(404, "not_found");
        assert_eq!(app.user(people.coordinator).get(&path("/v1/visits/{visit_id}", &built)).send().status, 200);
    }
}

on_both! {
    fn rights_act_on_the_next_call(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let built = Built::new(&app, Origin::Referrer, Stage::InSupport);
        let admin = app.user(people.admin);
        // The token stays the same: it says only who.
        let worker = app.user(people.link_worker);
        assert_eq!(seen(&worker, &built), ASSIGNED);
        let (role, version) = role_of(&app, people.link_worker);
        admin.post(&format!("/v1/role-assignments/{role}/end")).if_match(version).json(json!({})).send().expect(200);
        sees_nothing(&worker, &built);
        assert_eq!(app.user(people.link_worker).get("/v1/me").send().expect(200)["roles"], json!([]));

        let other = app.user(people.other_referrer);
        let key = "rights-act";
        let draft = other.post("/v1/referrals").key(key).json(about_the_client()).send().expect(201);
        let (role, version) = role_of(&app, people.other_referrer);
        let until = json!({"last_day": "2026-11-30"});
        admin.post(&format!("/v1/role-assignments/{role}/end")).if_match(version).json(until).send().expect(200);
        let own = format!("/v1/referrals/{}", text(&draft, "id"));
        assert_eq!(other.get(&own).send().status, 200, "the last day is still to come");
        app.clock.set_day("2026-12-01");
        let other = app.user(people.other_referrer);
        other.get(&own).send().problem(404, "not_found");
        assert_eq!(other.get("/v1/referrals").send().expect(200)["items"], json!([]));
        other.post("/v1/referrals").key("rights-act-2").json(about_the_client()).send().problem(403, "forbidden");
        let again = other.post("/v1/referrals").key(key).json(about_the_client()).send();
        assert_eq!(again.status, 403, "a stored answer is not given to somebody without rights: {again:?}");

        let user = format!("/v1/users/{}", people.coordinator);
        let coordinator = app.user(people.coordinator);
        assert_eq!(coordinator.get(&path("/v1/clients/{client_id}", &built)).send().status, 200);
        let admin = app.user(people.admin);
        let version = admin.get(&user).send().version();
        admin.patch(&user).if_match(version).json(json!({"active": false})).send().expect(200);
        for pattern in CASE {
            let reply = coordinator.get(&path(pattern, &built)).send();
            assert!(matches!(reply.status, 401 | 404), "{pattern}: {reply:?}");
        }
        let list = coordinator.get("/v1/referrals").send();
        assert!(list.status == 401 || list.json()["items"] == json!([]), "{list:?}");
    }
}

on_both! {
    fn those_with_no_part_in_the_care_see_no_case(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let built = Built::new(&app, Origin::Referrer, Stage::InSupport);
        for user in [people.report_reader, people.admin, people.other_client, people.other_link_worker, people.other_referrer] {
            sees_nothing(&app.user(user), &built);
        }
        sees_nothing(&app.machine(people.machine), &built);
        sees_nothing(&app.user(app.world.other.coordinator), &built);
        assert_eq!(seen(&app.user(people.privacy_officer), &built), ["/v1/clients/{client_id}/access-log"]);
        let log = app.user(people.privacy_officer).get("/v1/audit-events?limit=200").send();
        assert_eq!(log.status, 200);
        for word in ["Aino", "Juttelimme", "070542", "555 0101"] {
            assert!(!log.text.contains(word), "the trail holds no content: {word}");
        }
        let report = format!("/v1/reports/outcomes?programme_id={}&from=2026-01-01&until=2026-12-31", people.programme);
        let reader = app.user(people.report_reader).get(&report).send();
        assert_eq!(reader.status, 200);
        assert!(!reader.text.contains(built.id("client_id")) && !reader.text.contains("Aino"), "{reader:?}");
        app.user(app.world.other.report_reader).get(&report).send().problem(404, "not_found");

        // A filter on what is somebody else's gives an empty list, and no error that would tell.
        let foreign = app.user(app.world.other.coordinator);
        for query in [
            format!("programme_id={}", people.programme),
            format!("client_id={}", built.id("client_id")),
            format!("coordinator_id={}", people.coordinator),
            "state=in_support".to_owned(),
            "municipality=758".to_owned(),
            "reason=loneliness".to_owned(),
        ] {
            assert_eq!(foreign.get(&format!("/v1/referrals?{query}")).send().expect(200)["items"], json!([]), "{query}");
        }
        let trail = app.user(app.world.other.privacy_officer).get(&format!("/v1/audit-events?client_id={}", built.id("client_id"))).send();
        assert_eq!(trail.expect(200)["items"], json!([]));
    }
}

on_both! {
    fn what_a_stranger_asserts_opens_nothing(app: TestApp) {
        let people = app.world.own;
        let built = Built::new(&app, Origin::Anonymous, Stage::Submitted);
        let (referral, coordinator) = (path("/v1/referrals/{referral_id}", &built), app.user(people.coordinator));
        assert_eq!(coordinator.get(&referral).send().expect(200)["consent_verified"], false);
        let version = coordinator.post(&format!("{referral}/review")).if_match(built.version("referral_id")).json(json!({})).send().version();
        let proposal = json!({"link_worker_id": people.worker.to_string()});
        coordinator.post(&format!("{referral}/assignments")).json(proposal.clone()).send().problem(409, "consent_not_verified");
        sees_nothing_of_referral(&app.user(people.link_worker), &referral);
        let consent = path("/v1/referrals/{referral_id}/consents/{consent_id}/verify", &built);
        coordinator.post(&consent).if_match(version).send().expect(200);
        assert_eq!(coordinator.get(&referral).send().expect(200)["consent_verified"], true);
        coordinator.post(&format!("{referral}/assignments")).json(proposal).send().expect(201);

        let status = app.nobody().post("/v1/public/referrals/status").json(json!({"tracking_code": built.id("tracking_code")})).send();
        let status = status.expect(200);
        assert_eq!(status.as_object().unwrap().keys().collect::<Vec<_>>(), ["since", "state"], "the state, and nothing else");
    }
}

on_both! {
    fn what_belongs_to_another_programme_is_not_taken_in(app: TestApp) {
        let (people, other) = (app.world.own, app.world.other);
        prepare(&app);
        let built = Built::new(&app, Origin::Referrer, Stage::InSupport);
        let coordinator = app.user(people.coordinator);
        let links = path("/v1/referrals/{referral_id}/activity-links", &built);
        coordinator.post(&links).json(json!({"activity_id": other.activity.to_string()})).send().problem(422, "invalid");
        built.finish(&app);
        let built = Built::new(&app, Origin::Referrer, Stage::InReview);
        let (referral, version) = (path("/v1/referrals/{referral_id}", &built), built.version("referral_id"));
        let guide = json!({"activity_ids": [other.activity.to_string()], "follow_up_on": "2026-12-22"});
        coordinator.post(&format!("{referral}/guide")).if_match(version).json(guide).send().problem(422, "invalid");
        let proposal = json!({"link_worker_id": other.worker.to_string()});
        coordinator.post(&format!("{referral}/assignments")).json(proposal).send().problem(422, "invalid");
        let mut body = about_the_client();
        body["previous_referral_id"] = json!(built.id("referral_id"));
        body["client"]["municipality"] = json!("148");
        app.user(other.referrer).post("/v1/referrals").json(body).send().problem(422, "invalid");
    }
}

fn sees_nothing_of_referral(caller: &Caller<'_>, referral: &str) {
    caller.get(referral).send().problem(404, "not_found");
    assert_eq!(caller.get("/v1/assignments").send().expect(200)["items"], json!([]));
}

/// The trail of a client, read past the API so that the look leaves no trace of its own. The oldest first.
fn trail(app: &TestApp, client: &str) -> Vec<StoredAuditEvent> {
    let filter = AuditFilter { client: Some(ClientId::from_uuid(client.parse().unwrap())), ..AuditFilter::default() };
    let read = app.store.read(move |db: &mut Db<'_>| -> Result<_, StoreError> { db.audit_list(filter, &PageRequest::first(1000)) });
    let mut events = wait(read).unwrap().items;
    events.reverse();
    events
}

on_both! {
    fn each_look_and_each_change_leaves_one_event(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let built = Built::new(&app, Origin::Referrer, Stage::InSupport);
        let client = built.id("client_id").to_owned();
        let (coordinator, worker, own) = (app.user(people.coordinator), app.user(people.link_worker), app.user(people.client));
        let leaves = |call: Call<'_>, outcome: AuditOutcome, what: &str| {
            let before = trail(&app, &client).len();
            let reply = call.send();
            let request = reply.header("x-request-id").unwrap().to_owned();
            let events = trail(&app, &client);
            let new: Vec<_> = events.iter().filter(|event| event.request_id == request).collect();
            assert_eq!((new.len(), events.len() - before), (1, 1), "{what}: {reply:?}");
            assert_eq!(new[0].outcome, outcome, "{what}: {reply:?}");
            assert_eq!((200..300).contains(&reply.status), outcome == AuditOutcome::Allowed, "{what}: {reply:?}");
            assert_eq!(new[0].role.is_some(), outcome == AuditOutcome::Allowed, "{what}");
            assert!(!new[0].operation.is_empty());
        };
        for pattern in CASE.iter().filter(|pattern| !pattern.ends_with("access-log")) {
            leaves(coordinator.get(&path(pattern, &built)), AuditOutcome::Allowed, pattern);
            leaves(app.user(people.other_referrer).get(&path(pattern, &built)), AuditOutcome::Denied, pattern);
            leaves(app.user(app.world.other.coordinator).get(&path(pattern, &built)), AuditOutcome::Denied, pattern);
        }
        for pattern in ASSIGNED {
            leaves(worker.get(&path(pattern, &built)), AuditOutcome::Allowed, pattern);
        }
        for list in ["/v1/referrals", "/v1/assignments", "/v1/support-periods", "/v1/visits"] {
            leaves(coordinator.get(list), AuditOutcome::Allowed, list);
        }
        leaves(app.user(people.privacy_officer).get(&path("/v1/clients/{client_id}/access-log", &built)), AuditOutcome::Allowed, "the log itself");
        for list in ["/v1/me/referrals", "/v1/me/consents", "/v1/me/access-log"] {
            leaves(own.get(list), AuditOutcome::Allowed, list);
        }

        let visit = path("/v1/visits/{visit_id}", &built);
        let hold = || worker.post(&format!("{visit}/hold")).if_match(built.version("visit_id")).json(json!({}));
        leaves(app.user(people.admin).post(&format!("{visit}/hold")).if_match(1).json(json!({})), AuditOutcome::Denied, "an admin holds a visit");
        leaves(hold(), AuditOutcome::Allowed, "hold");
        let before = trail(&app, &client).len();
        hold().send().problem(412, "stale_version");
        assert_eq!(trail(&app, &client).len(), before, "what changed nothing is no change");
        let goals = path("/v1/support-periods/{support_period_id}/goals", &built);
        leaves(worker.post(&goals).json(json!({"words": "Kuoroon."})), AuditOutcome::Allowed, "goal");
        leaves(app.user(people.other_link_worker).post(&goals).json(json!({"words": "Kuoroon."})), AuditOutcome::Denied, "another's goal");
        let search = json!({"programme_id": people.programme.to_string(), "personal_identity_code": CLIENT_CODE});
        leaves(coordinator.post("/v1/clients/search").json(search), AuditOutcome::Allowed, "search");
        let version = coordinator.get(&path("/v1/clients/{client_id}", &built)).send().version();
        let patch = coordinator.patch(&path("/v1/clients/{client_id}", &built)).if_match(version).json(json!({"phone": "+358 40 555 0102"}));
        leaves(patch, AuditOutcome::Allowed, "correction");

        // A list notes each client in it, once.
        let mut body = about_the_client();
        body["client"]["personal_identity_code"] = Value::Null;
        body["client"]["given_name"] = json!("Eino");
        let other = Built::of(&app, body, Origin::Referrer, Stage::Submitted);
        let before = (trail(&app, &client).len(), trail(&app, other.id("client_id")).len());
        let list = coordinator.get("/v1/referrals?open=true").send().expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 2);
        let after = (trail(&app, &client).len(), trail(&app, other.id("client_id")).len());
        assert_eq!(after, (before.0 + 1, before.1 + 1));
        coordinator.get("/v1/referrals?state=submitted").send().expect(200);
        assert_eq!(trail(&app, &client).len(), after.0, "who is not in the list was not looked at");

        let report = wait(app.store.read(|db: &mut Db<'_>| -> Result<_, StoreError> { db.audit_verify() })).unwrap();
        assert!(report.is_sound(), "{report:?}");
    }
}

on_both! {
    fn the_client_sees_who_has_looked(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let built = Built::new(&app, Origin::Referrer, Stage::InReview);
        let client = path("/v1/clients/{client_id}", &built);
        let own = app.user(people.client);
        app.user(people.coordinator).get(&client).header("x-access-reason", "Puhelu asiakkaalle").send().expect(200);
        app.user(people.other_referrer).get(&client).send().problem(404, "not_found");
        for (language, own_words, looked, denied) in [
            ("fi", "Luit itse tietojasi.", "Koordinaattori coordinator (own) luki yhteystietosi.", "other-referrer (own) yritti katsoa tietojasi, mutta se estettiin."),
            ("sv", "Du läste själv", "Koordinator coordinator (own) läste dina kontaktuppgifter.", "other-referrer (own) försökte se"),
            ("en", "You read your data yourself.", "Coordinator coordinator (own) read your contact details.", "other-referrer (own) tried to see"),
            ("se", "Don lohket ieš", "Koordináhtor coordinator (own) logai", "other-referrer (own) geahččalii"),
            ("smn", "Tun luuhih jieš", "Koordinaattor coordinator (own) luuvâi", "other-referrer (own) keččâlij"),
            ("sms", "Ton looǥǥik jiõčč", "Koordinaattor coordinator (own) looǥǥi", "other-referrer (own) keʹččli"),
        ] {
            let reply = own.get("/v1/me/access-log").header("accept-language", language).send();
            assert_eq!(reply.header("content-language"), Some(language));
            let log = reply.expect(200);
            let items = log["items"].as_array().unwrap();
            let find = |words: &str| {
                let found = items.iter().find(|item| item["text"].as_str().is_some_and(|text| text.starts_with(words)));
                found.unwrap_or_else(|| panic!("{words}: {log}"))
            };
            let line = find(looked);
            assert_eq!((&line["who"], &line["role"], &line["outcome"]), (&json!("coordinator (own)"), &json!("coordinator"), &json!("allowed")));
            assert!(line["purpose"].as_str().is_some() && line["reason"] == "Puhelu asiakkaalle", "{line}");
            assert_eq!(find(denied)["outcome"], "denied");
            assert!(items.iter().any(|item| item["organisation"] == "Vanhuspalvelut"), "the referrer's organisation: {log}");
            // The look before this one.
            if language != "fi" {
                assert_eq!(find(own_words)["role"], "client");
            }
        }
        // The draft of another referral is not mixed up with the client that others know.
        app.user(people.client).post("/v1/referrals").json(json!({
            "client": {"given_name": "Aino", "family_name": "Esimerkki", "birth_year": 1942, "municipality": "758"}
        })).send().expect(201);
        let log = own.get("/v1/me/access-log").send().expect(200);
        assert!(log["items"].as_array().unwrap().iter().any(|item| item["who"] == "coordinator (own)"), "{log}");
    }
}
