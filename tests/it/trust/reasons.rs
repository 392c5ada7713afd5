//! Reading outside one's own relation to the case needs a stated reason, and is listed for the privacy officer.

use serde_json::{Value, json};

use crate::http::cases::{Built, CLIENT_CODE, Origin, Stage, prepare};
use crate::support::app::{Caller, text};
use crate::support::{TestApp, on_both};

const WHY: &str = "Complaint 2027-3";

/// What belongs to a case that ended after support.
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
    "/v1/support-periods/{support_period_id}",
    "/v1/support-periods/{support_period_id}/goals",
    "/v1/support-periods/{support_period_id}/visits",
    "/v1/support-periods/{support_period_id}/measures",
    "/v1/goals/{goal_id}",
    "/v1/visits/{visit_id}",
    "/v1/measures/{measure_id}",
];

fn path(pattern: &str, built: &Built) -> String {
    let mut path = pattern.to_owned();
    while let Some((before, rest)) = path.split_once('{') {
        let (name, after) = rest.split_once('}').unwrap();
        path = format!("{before}{}{after}", built.id(name));
    }
    path
}

fn search(caller: &Caller<'_>, app: &TestApp, why: Option<&str>) -> crate::support::Reply {
    let body = json!({"programme_id": app.world.own.programme.to_string(), "personal_identity_code": CLIENT_CODE});
    let call = caller.post("/v1/clients/search").json(body);
    match why {
        Some(why) => call.header("x-access-reason", why).send(),
        None => call.send(),
    }
}

/// A case that has just ended, and the day on which it can last be read without a reason.
fn ended(app: &TestApp) -> Built {
    prepare(app);
    let built = Built::new(app, Origin::Referrer, Stage::InSupport);
    built.finish(app);
    built
}

on_both! {
    fn an_old_case_is_read_for_a_reason_alone(app: TestApp) {
        let people = app.world.own;
        let built = ended(&app);
        let officer = |query: &str| {
            let trail = app.user(people.privacy_officer).get(&format!("/v1/audit-events?limit=200&{query}")).send().expect(200);
            trail["items"].as_array().unwrap().clone()
        };
        app.clock.set_day("2026-12-22");
        for pattern in CASE {
            let reply = app.user(people.coordinator).get(&path(pattern, &built)).send();
            assert_eq!(reply.status, 200, "the last day on which it could be opened again: {pattern}: {reply:?}");
        }
        assert_eq!(search(&app.user(people.coordinator), &app, None).expect(200)["items"].as_array().unwrap().len(), 1);
        assert_eq!(officer("with_reason=true"), Vec::<Value>::new());

        app.clock.set_day("2026-12-23");
        let coordinator = app.user(people.coordinator);
        for pattern in CASE {
            let problem = coordinator.get(&path(pattern, &built)).send().problem(403, "access_reason_required");
            assert!(problem["detail"].as_str().unwrap().contains("X-Access-Reason"), "it says how: {problem}");
        }
        search(&coordinator, &app, None).problem(403, "access_reason_required");
        let denied = officer(&format!("outcome=denied&client_id={}", built.id("client_id")));
        assert_eq!(denied.len(), CASE.len() + 1, "each try is on record");

        for pattern in CASE {
            let reply = coordinator.get(&path(pattern, &built)).header("x-access-reason", WHY).send();
            assert_eq!(reply.status, 200, "{pattern}: {reply:?}");
        }
        search(&coordinator, &app, Some(WHY)).expect(200);
        let listed = officer("with_reason=true");
        assert_eq!(listed.len(), CASE.len() + 1);
        for event in &listed {
            assert_eq!((&event["reason"], &event["user_id"]), (&json!(WHY), &json!(people.coordinator.to_string())), "{event}");
            assert_eq!((&event["outcome"], &event["client_id"]), (&json!("allowed"), &json!(built.id("client_id"))), "{event}");
        }
        assert!(officer("with_reason=false").iter().all(|event| event["reason"] == Value::Null));
        let log = app.user(people.client).get("/v1/me/access-log?limit=200").send().expect(200);
        let told = log["items"].as_array().unwrap().iter().filter(|entry| entry["reason"] == WHY).count();
        assert_eq!(told, listed.len(), "the client reads the reason, too");
    }
}

on_both! {
    fn nobody_else_has_something_to_explain(app: TestApp) {
        let people = app.world.own;
        let built = ended(&app);
        app.clock.set_day("2027-12-23");
        let referral = path("/v1/referrals/{referral_id}", &built);
        for user in [people.referrer, people.client] {
            let reply = app.user(user).get(&referral).send();
            assert_eq!(reply.status, 200, "one's own stays one's own: {reply:?}");
        }
        app.user(people.privacy_officer).get(&path("/v1/clients/{client_id}/access-log", &built)).send().expect(200);
        // A reason opens nothing to those who may not see it.
        for user in [people.link_worker, people.other_referrer, people.admin, people.report_reader, app.world.other.coordinator] {
            let reply = app.user(user).get(&referral).header("x-access-reason", WHY).send();
            assert_eq!(reply.status, 404, "{reply:?}");
        }
        for value in ["", " ", &"a".repeat(201)] {
            let reply = app.user(people.coordinator).get(&referral).header("x-access-reason", value).send();
            assert!(matches!(reply.status, 400 | 403), "{value:?}: {reply:?}");
        }
    }
}

on_both! {
    fn lists_hold_old_cases_without_the_person(app: TestApp) {
        let people = app.world.own;
        let built = ended(&app);
        app.clock.set_day("2026-12-23");
        let open = Built::new(&app, Origin::Referrer, Stage::Submitted);
        app.clock.advance_days(40);
        let coordinator = app.user(people.coordinator);
        let row = |list: &Value, id: &str| list["items"].as_array().unwrap().iter().find(|item| item["id"] == id).cloned();
        let list = coordinator.get("/v1/referrals").send().expect(200);
        let (old, current) = (row(&list, built.id("referral_id")).unwrap(), row(&list, open.id("referral_id")).unwrap());
        for member in ["client_name", "municipality"] {
            assert_eq!(old[member], Value::Null, "{old}");
            assert_ne!(current[member], Value::Null, "a colleague's open case is everybody's in the programme: {current}");
        }
        assert_eq!((&old["reasons"], &old["state"]), (&json!([]), &json!("closed")));
        let of_client = coordinator.get(&format!("/v1/referrals?client_id={}", built.id("client_id"))).send().expect(200);
        assert!(row(&of_client, built.id("referral_id")).is_none(), "nor is it told whose it was: {of_client}");
        for (list, id, members) in [
            ("/v1/support-periods", "support_period_id", &["pause_reason", "end_proposal"][..]),
            ("/v1/visits", "visit_id", &["note", "absent_party", "over_limit_reason"]),
            ("/v1/assignments", "assignment_id", &["message", "municipality", "age_group", "language", "referral_id", "client_id"]),
        ] {
            let found = row(&coordinator.get(list).send().expect(200), built.id(id)).unwrap();
            for member in members {
                assert_eq!(found[member], Value::Null, "{list}: {found}");
            }
        }
        let trail = app.user(people.privacy_officer).get("/v1/audit-events?limit=200").send().expect(200);
        let of_lists = |outcome: &Value| {
            outcome["items"].as_array().unwrap().iter().filter(|event| {
                event["referral_id"] == built.id("referral_id") && text(event, "operation").ends_with("_list") && event["at"].as_str().unwrap() > "2027"
            }).count()
        };
        assert_eq!(of_lists(&trail), 0, "what is not shown is not read");

        let whole = coordinator.get("/v1/referrals").header("x-access-reason", WHY).send().expect(200);
        assert_eq!(row(&whole, built.id("referral_id")).unwrap()["client_name"], "Aino Esimerkki");
        let visits = coordinator.get("/v1/visits").header("x-access-reason", WHY).send().expect(200);
        assert!(visits.to_string().contains("Juttelimme"), "{visits}");
        let listed = app.user(people.privacy_officer).get("/v1/audit-events?with_reason=true").send().expect(200);
        assert!(listed["items"].as_array().unwrap().iter().all(|event| event["reason"] == WHY));
        assert!(listed["items"].as_array().unwrap().len() >= 2, "{listed}");
    }
}

on_both! {
    fn a_client_with_an_open_case_is_read_by_every_coordinator(app: TestApp) {
        let people = app.world.own;
        let old = ended(&app);
        app.clock.set_day("2027-03-01");
        let client = path("/v1/clients/{client_id}", &old);
        let coordinator = app.user(people.coordinator);
        coordinator.get(&client).send().problem(403, "access_reason_required");
        let open = Built::new(&app, Origin::Referrer, Stage::Submitted);
        assert_eq!(open.id("client_id"), old.id("client_id"));
        coordinator.get(&client).send().expect(200);
        search(&coordinator, &app, None).expect(200);
        coordinator.get(&path("/v1/referrals/{referral_id}", &old)).send().problem(403, "access_reason_required");
    }
}

on_both! {
    fn what_was_written_in_a_role_that_is_over_is_not_about_the_writer(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        // Somebody who writes referrals becomes a client, and writes no more.
        let admin = app.user(people.admin);
        let role = json!({"programme_id": people.programme.to_string(), "user_id": people.other_referrer.to_string(), "role": "client"});
        admin.post("/v1/role-assignments").json(role).send().expect(201);
        let written = app.user(people.other_referrer).post("/v1/referrals").json(crate::http::complete_referral()).send().expect(201);
        let id = text(&written, "id");
        assert!(app.user(people.other_referrer).get("/v1/referrals").send().text.contains(&id));
        let roles = admin.get(&format!("/v1/role-assignments?user_id={}", people.other_referrer)).send().expect(200);
        let role = roles["items"].as_array().unwrap().iter().find(|role| role["role"] == "referrer").unwrap().clone();
        let path = format!("/v1/role-assignments/{}", text(&role, "id"));
        let version = admin.get(&path).send().version();
        admin.post(&format!("{path}/end")).if_match(version).json(json!({})).send().expect(200);
        let client = app.user(people.other_referrer);
        for list in ["/v1/referrals", "/v1/me/referrals", "/v1/me/consents"] {
            let reply = client.get(list).send();
            assert!(reply.status == 200 && !reply.text.contains(&id), "{list}: {reply:?}");
        }
        assert_eq!(client.get(&format!("/v1/referrals/{id}")).send().status, 404);
    }
}
