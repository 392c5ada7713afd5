//! Consent at work: each purpose opens exactly what it should, given, not given, run out or taken back; and what a stranger asserts opens nothing to
//! anybody but the coordinator until it is verified.

use lahete_domain::time::Clock as _;
use serde_json::{Value, json};

use crate::http::cases::{Built, Origin, Stage, about_the_client, prepare, start_of_support};
use crate::support::app::text;
use crate::support::{TestApp, on_both};

const PURPOSES: [&str; 5] = ["process_referral", "share_with_link_worker", "share_with_activity", "feedback_to_referrer", "evaluation"];

/// How a purpose stands when it is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stand {
    Given,
    NotGiven,
    RunOut,
    TakenBack,
}

/// What is open: a link worker is let in, the activity may be told, the referrer hears the end, the answers are counted.
#[derive(PartialEq, Eq, Debug)]
struct Open {
    link_worker: bool,
    activity: bool,
    feedback: bool,
    evaluation: bool,
}

fn pairs(app: &TestApp) -> i64 {
    let report = format!("/v1/reports/outcomes?programme_id={}&from=2026-01-01&until=2026-12-31", app.world.own.programme);
    let report = app.user(app.world.own.coordinator).get(&report).send().expect(200);
    let measures = report["measures"].as_array().unwrap();
    measures.iter().find(|row| row["instrument"] == "recommendation").unwrap()["pairs"]["count"].as_i64().unwrap()
}

fn version(app: &TestApp, path: &str) -> i64 {
    app.user(app.world.own.coordinator).get(path).send().version()
}

/// Goes through a whole case in which one purpose stands otherwise than the rest, and says what was open.
fn whole_case(app: &TestApp, purpose: &str, stand: Stand) -> Open {
    let today = app.clock.now().helsinki_date().to_string();
    let people = app.world.own;
    let (coordinator, worker, referrer) = (app.user(people.coordinator), app.user(people.link_worker), app.user(people.referrer));
    let before = pairs(app);
    let mut body = about_the_client();
    let with = |without: Option<&str>| -> Vec<&str> { PURPOSES.iter().copied().filter(|name| Some(*name) != without).collect() };
    body["consent"]["purposes"] = json!(with(matches!(stand, Stand::NotGiven | Stand::RunOut).then_some(purpose)));
    let sent = referrer.post("/v1/referrals").json(body).send().expect(201);
    let referral = format!("/v1/referrals/{}", text(&sent, "id"));
    coordinator.post(&format!("{referral}/review")).if_match(version(app, &referral)).json(json!({})).send().expect(200);
    if stand == Stand::RunOut {
        let more = json!({
            "purposes": ["process_referral", purpose], "text_version": "2026-1", "language": "fi", "method": "oral", "valid_until": today
        });
        coordinator.post(&format!("{referral}/consents")).json(more).send().expect(201);
    }
    let proposal = json!({"link_worker_id": people.worker.to_string()});
    let proposed = coordinator.post(&format!("{referral}/assignments")).json(proposal).send();
    if purpose == "share_with_link_worker" && stand == Stand::NotGiven {
        proposed.problem(409, "consent_missing");
        let link = json!({"activity_id": people.activity.to_string()});
        let link = coordinator.post(&format!("{referral}/activity-links")).json(link).send().expect(201);
        let close = json!({"outcome": "redirected", "end_reason": "health_service"});
        coordinator.post(&format!("{referral}/close")).if_match(version(app, &referral)).json(close).send().expect(200);
        let heard = referrer.get(&referral).send().expect(200);
        // Without support there are no answers to count, so that is not looked at here.
        return Open {
            link_worker: false,
            activity: link["may_be_told"] == true,
            feedback: heard["closure"] != Value::Null,
            evaluation: true,
        };
    }
    let assignment = format!("/v1/assignments/{}", text(&proposed.expect(201), "id"));
    worker.post(&format!("{assignment}/accept")).if_match(1).send().expect(200);
    let mut start = start_of_support();
    start["starts_on"] = json!(today);
    start["first_visit"]["on"] = json!(today);
    start["start_recommendation"] = json!({"answers": [6], "mode": "self"});
    let period = worker.post(&format!("{referral}/support-period")).if_match(version(app, &referral)).json(start).send().expect(201);
    let period = format!("/v1/support-periods/{}", text(&period, "id"));
    let link = json!({"activity_id": people.activity.to_string()});
    coordinator.post(&format!("{referral}/activity-links")).json(link).send().expect(201);
    if stand == Stand::RunOut {
        app.clock.advance_days(1);
    }
    if stand == Stand::TakenBack {
        let consents = coordinator.get(&format!("{referral}/consents")).send().expect(200);
        let path = format!("{referral}/consents/{}/withdraw", text(&consents["items"][0], "id"));
        let back = app.user(people.client).post(&path).if_match(version(app, &referral)).json(json!({"purposes": [purpose]})).send();
        back.expect(200);
    }
    // The tokens are of the day before.
    let (coordinator, worker, referrer) = (app.user(people.coordinator), app.user(people.link_worker), app.user(people.referrer));
    let reads = worker.get(&referral).send().status;
    let writes = worker.post(&format!("{period}/goals")).json(json!({"words": "Kerhoon."})).send().status;
    let lists = worker.get("/v1/referrals").send().expect(200)["items"].as_array().unwrap().len();
    assert!(matches!((reads, writes, lists), (200, 201, 1) | (404, 404, 0)), "{purpose} {stand:?}: {reads} {writes} {lists}");
    let links = coordinator.get(&format!("{referral}/activity-links")).send().expect(200);
    let shown = app.user(people.client).get("/v1/me/support-periods").send().expect(200);
    let mine = shown["items"].as_array().unwrap().iter().find(|item| period.ends_with(item["id"].as_str().unwrap())).unwrap();
    assert_eq!(mine["activity_links"][0]["may_be_told"], links["items"][0]["may_be_told"]);
    let today = app.clock.now().helsinki_date().to_string();
    let end = json!({
        "outcome": "completed_as_planned", "end_reason": "goals_reached", "ended_on": today,
        "end_measure": {"missing_reason": "not_asked"}, "end_recommendation": {"answers": [9], "mode": "self"}
    });
    coordinator.post(&format!("{period}/end")).if_match(version(app, &period)).json(end).send().expect(200);
    let heard = referrer.get(&referral).send().expect(200);
    assert_eq!(heard["state"], "closed", "where it stands is always the referrer's to see");
    Open {
        link_worker: reads == 200,
        activity: links["items"][0]["may_be_told"] == true,
        feedback: heard["closure"] != Value::Null,
        evaluation: pairs(app) == before + 1,
    }
}

on_both! {
    fn each_purpose_opens_exactly_what_it_should(app: TestApp) {
        prepare(&app);
        for purpose in &PURPOSES[1..] {
            for stand in [Stand::Given, Stand::NotGiven, Stand::RunOut, Stand::TakenBack] {
                let given = stand == Stand::Given;
                let wanted = Open {
                    link_worker: given || *purpose != "share_with_link_worker",
                    activity: given || *purpose != "share_with_activity",
                    feedback: given || *purpose != "feedback_to_referrer",
                    evaluation: given || *purpose != "evaluation",
                };
                assert_eq!(whole_case(&app, purpose, stand), wanted, "{purpose} {stand:?}");
            }
        }
    }
}

on_both! {
    fn without_the_processing_there_is_no_referral(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let mut body = about_the_client();
        body["consent"]["purposes"] = json!(&PURPOSES[1..]);
        let refused = app.user(people.referrer).post("/v1/referrals").json(body.clone()).send().problem(409, "consent_missing");
        assert_eq!(refused["params"]["purpose"], "process_referral", "{refused}");
        // A draft whose consent has run out is not sent any more.
        body["consent"]["purposes"] = json!(PURPOSES);
        body["consent"]["valid_until"] = json!("2026-11-22");
        body["submit"] = json!(false);
        let draft = app.user(people.referrer).post("/v1/referrals").json(body).send();
        let version = draft.version();
        let path = format!("/v1/referrals/{}/submit", text(&draft.expect(201), "id"));
        app.clock.advance_days(1);
        app.user(people.referrer).post(&path).if_match(version).send().problem(409, "consent_missing");
    }
}

on_both! {
    fn taking_the_processing_back_ends_everything_at_once(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        for stage in [Stage::Submitted, Stage::InReview, Stage::AskedReferrer, Stage::Deferred, Stage::Proposed, Stage::Assigned, Stage::InSupport, Stage::Paused] {
            let built = Built::new(&app, Origin::Referrer, stage);
            let referral = format!("/v1/referrals/{}", built.id("referral_id"));
            let client = app.user(people.client);
            let path = format!("/v1/me/consents/{}/withdraw", built.id("consent_id"));
            client.post(&path).if_match(version(&app, &referral)).json(json!({"purposes": ["process_referral"]})).send().expect(200);
            let closed = app.user(people.coordinator).get(&referral).send().expect(200);
            assert_eq!((&closed["state"], &closed["closure"]["outcome"]), (&json!("closed"), &json!("withdrawn")), "{stage:?}");
            assert_eq!((&closed["consented_purposes"], &closed["assignment_id"]), (&json!([]), &Value::Null), "{stage:?}: {closed}");
            let worker = app.user(people.link_worker);
            for list in ["/v1/referrals", "/v1/assignments", "/v1/support-periods", "/v1/visits"] {
                assert_eq!(worker.get(list).send().expect(200)["items"], json!([]), "{stage:?}: {list}");
            }
            assert_eq!(worker.get(&referral).send().status, 404, "{stage:?}");
            let heard = app.user(people.referrer).get(&referral).send().expect(200);
            assert_eq!(heard["closure"], Value::Null, "{stage:?}: the feedback went with it");
            if let Some(period) = built.ids().find(|(name, _)| *name == "support_period_id").map(|(_, id)| id.to_owned()) {
                let ended = app.user(people.coordinator).get(&format!("/v1/support-periods/{period}")).send().expect(200);
                assert_eq!(ended["state"], "ended");
            }
        }
    }
}

on_both! {
    fn what_a_stranger_asserts_opens_nothing_but_the_coordinators_desk(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let body = json!({
            "client": {"given_name": "Eino", "family_name": "Varjolintu", "birth_year": 1950, "municipality": "758", "phone": "+358 40 555 0103"},
            "referrer": {"sector": "parish", "name": "Diakoni Dora"}, "reasons": ["loneliness"], "not_a_service_acknowledged": true,
            "consent": {"purposes": PURPOSES, "text_version": "2026-1", "language": "fi"}
        });
        app.nobody().post("/v1/public/referrals").json(body).send().expect(201);
        let coordinator = app.user(people.coordinator);
        let found = coordinator.get("/v1/referrals?state=submitted&limit=1").send().expect(200);
        let id = text(&found["items"][0], "id");
        let referral = format!("/v1/referrals/{id}");
        let nobody_else = |why: &str| {
            for user in [
                people.referrer, people.other_referrer, people.link_worker, people.other_link_worker, people.client, people.other_client,
                people.report_reader, people.admin, app.world.other.coordinator,
            ] {
                assert_eq!(app.user(user).get(&referral).send().status, 404, "{why}");
                for list in ["/v1/referrals", "/v1/assignments", "/v1/support-periods", "/v1/visits", "/v1/me/referrals"] {
                    let reply = app.user(user).get(list).send();
                    assert!(!reply.text.contains(&id) && !reply.text.contains("Varjolintu"), "{why}: {list}: {reply:?}");
                }
            }
        };
        nobody_else("asserted");
        coordinator.post(&format!("{referral}/review")).if_match(version(&app, &referral)).json(json!({})).send().expect(200);
        let proposal = json!({"link_worker_id": people.worker.to_string()});
        coordinator.post(&format!("{referral}/assignments")).json(proposal.clone()).send().problem(409, "consent_not_verified");
        let link = json!({"activity_id": people.activity.to_string()});
        let link = coordinator.post(&format!("{referral}/activity-links")).json(link).send().expect(201);
        assert_eq!(link["may_be_told"], false, "the club hears nothing either");
        let counted = |app: &TestApp| {
            let rows = evaluation_rows(app);
            rows.iter().any(|row| row.contains(&id) && (row.ends_with("'true'") || row.ends_with(",1")))
        };
        assert!(!counted(&app), "nor is it evaluated");
        nobody_else("taken by the coordinator, still asserted");

        let consents = coordinator.get(&format!("{referral}/consents")).send().expect(200);
        let path = format!("{referral}/consents/{}/verify", text(&consents["items"][0], "id"));
        for user in [people.client, people.link_worker, people.referrer, people.admin, people.privacy_officer] {
            let refused = app.user(user).post(&path).if_match(version(&app, &referral)).send();
            assert_eq!(refused.status, 404, "{refused:?}");
        }
        coordinator.post(&path).if_match(version(&app, &referral)).send().expect(200);
        let links = coordinator.get(&format!("{referral}/activity-links")).send().expect(200);
        assert_eq!(links["items"][0]["may_be_told"], true);
        assert!(counted(&app));
        let proposed = coordinator.post(&format!("{referral}/assignments")).json(proposal).send().expect(201);
        let shown = app.user(people.link_worker).get(&format!("/v1/assignments/{}", text(&proposed, "id"))).send();
        assert!(shown.status == 200 && !shown.text.contains("Varjolintu"), "{shown:?}");
    }
}

fn evaluation_rows(app: &TestApp) -> Vec<String> {
    use lahete_persistence::{Db, StoreError};
    let rows: Result<Vec<String>, StoreError> = crate::support::database::wait(
        app.store.read(|db: &mut Db<'_>| db.schema_rows("referral_snapshots", &["referral_id", "evaluation"])),
    );
    rows.unwrap()
}
