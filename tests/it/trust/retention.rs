//! Retention by the clock: nothing goes a day too early, nothing stays a day too long, and what is held stays.

use std::sync::Arc;

use lahete_api::id_source::UuidV7;
use lahete_api::jobs::retention::{Plan, run_all, run_daily, run_one};
use lahete_api::retention::report::{ClassReport, Report};
use lahete_domain::codes::RecordClass;
use lahete_domain::ids::IdSource;
use lahete_domain::time::Clock as _;
use serde_json::{Value, json};

use super::data_requests::{ask, step};
use crate::http::cases::{Built, Origin, Stage, prepare};
use crate::http::journeys::{about, send, step as take};
use crate::http::trail_key;
use crate::support::app::text;
use crate::support::database::wait;
use crate::support::{TestApp, on_both};

fn ids() -> Arc<dyn IdSource> {
    Arc::new(UuidV7)
}

/// Runs the retention of the own programme on a day.
fn run(app: &TestApp, on: &str, dry_run: bool) -> Report {
    let plan = Plan { on: on.parse().unwrap(), dry_run };
    wait(run_one(&app.store, &ids(), app.world.own.programme, plan, app.clock.now(), |_| {})).unwrap().1
}

fn class(report: &Report, class: RecordClass) -> ClassReport {
    report.classes.iter().find(|found| found.record_class.0 == class).unwrap().clone()
}

fn counts(report: &Report, of: RecordClass) -> (i64, i64, i64) {
    let class = class(report, of);
    (class.done, class.held, class.kept)
}

fn policy(app: &TestApp, class: &str, from: &str, months: u32) {
    let body = json!({
        "programme_id": app.world.own.programme.to_string(), "record_class": class, "valid_from": from, "keep_months": months,
        "legal_basis": "Tiedonohjaussuunnitelma."
    });
    app.user(app.world.own.privacy_officer).post("/v1/retention-policies").json(body).send().expect(201);
}

/// A referral that is closed now, after an attempt to call; gives its path.
fn closed(app: &TestApp, name: &str) -> String {
    let coordinator = app.world.own.coordinator;
    let referral = send(app, about(name));
    take(app, coordinator, &referral, "review", json!({})).expect(200);
    let attempt = json!({"channel": "phone", "result": "left_message", "note": "Soitto ensi viikolla."});
    app.user(coordinator).post(&format!("{referral}/contact-attempts")).json(attempt).send().expect(201);
    take(app, coordinator, &referral, "close", json!({"outcome": "redirected", "end_reason": "health_service"})).expect(200);
    referral
}

fn attempts(app: &TestApp, referral: &str) -> usize {
    let list = app
        .user(app.world.own.coordinator)
        .get(&format!("{referral}/contact-attempts"))
        .header("x-access-reason", "Tarkistus")
        .send()
        .expect(200);
    list["items"].as_array().unwrap().len()
}

on_both! {
    fn months_of_the_calendar_in_finland_decide(app: TestApp) {
        policy(&app, "contact_attempt", "2026-11-22", 1);
        // When it was closed in UTC, the last day on which it stays, the day on which it goes.
        for (closed_at, stays, goes) in [
            // Half an hour before midnight in Helsinki, and half an hour after.
            ("2027-01-30T21:30:00Z", "2027-02-27", "2027-02-28"),
            ("2027-01-31T22:30:00Z", "2027-02-28", "2027-03-01"),
            // The night of the leap day.
            ("2028-01-31T10:00:00Z", "2028-02-28", "2028-02-29"),
            ("2028-02-28T22:30:00Z", "2028-03-28", "2028-03-29"),
            // Closed in winter time, due in summer time; and the other way round.
            ("2028-03-25T22:30:00Z", "2028-04-25", "2028-04-26"),
            ("2028-10-28T21:30:00Z", "2028-11-28", "2028-11-29"),
            ("2028-10-28T20:30:00Z", "2028-11-27", "2028-11-28"),
        ] {
            app.clock.set(closed_at);
            let referral = closed(&app, "Aino");
            app.clock.set(&format!("{stays}T10:00:00Z"));
            assert_eq!(counts(&run(&app, stays, false), RecordClass::ContactAttempt), (0, 0, 1), "{closed_at}: on {stays}");
            assert_eq!(attempts(&app, &referral), 1, "{closed_at}: on {stays}");
            app.clock.set(&format!("{goes}T10:00:00Z"));
            assert_eq!(counts(&run(&app, goes, true), RecordClass::ContactAttempt), (1, 0, 0), "{closed_at}: a dry run on {goes}");
            assert_eq!(attempts(&app, &referral), 1, "a dry run does nothing");
            assert_eq!(counts(&run(&app, goes, false), RecordClass::ContactAttempt), (1, 0, 0), "{closed_at}: on {goes}");
            assert_eq!(attempts(&app, &referral), 0);
            assert_eq!(run(&app, goes, false).done(), 0, "a second run finds nothing");
        }
    }
}

on_both! {
    fn by_default_everything_of_a_case_goes_after_ten_years_and_the_counts_stay(app: TestApp) {
        prepare(&app);
        let people = app.world.own;
        let built = Built::new(&app, Origin::Referrer, Stage::NothingPlanned);
        let (coordinator, officer) = (app.user(people.coordinator), app.user(people.privacy_officer));
        let referral = format!("/v1/referrals/{}", built.id("referral_id"));
        let period = format!("/v1/support-periods/{}", built.id("support_period_id"));
        take(&app, people.coordinator, &period, "end", crate::http::journeys::end("2026-11-22")).expect(200);
        let report = || {
            let query = format!("programme_id={}&from=2026-01-01&until=2026-12-31", people.programme);
            coordinator.get(&format!("/v1/reports/outcomes?{query}")).send().expect(200)
        };
        let counted = report();
        for (day, goes) in [("2036-11-21", false), ("2036-11-22", true)] {
            app.clock.set_day(day);
            let dry = run(&app, day, true);
            let done = run(&app, day, false);
            let rows = |report: &Report| report.classes.iter().map(|class| (class.done, class.held)).collect::<Vec<_>>();
            assert_eq!(rows(&dry), rows(&done), "a dry run says what is done");
            assert_eq!(done.done() > 0, goes, "{day}: {done:?}");
            let words = coordinator.get(&referral).header("x-access-reason", "Tarkistus").send().expect(200);
            assert_eq!(words.get("wish").is_none(), goes, "{words}");
            assert_eq!(words["client"]["given_name"] == "–", goes);
            let goals = coordinator.get(&format!("{period}/goals")).header("x-access-reason", "Tarkistus").send().expect(200);
            assert_eq!(goals["items"].as_array().unwrap().is_empty(), goes);
            assert_eq!(report(), counted);
            // Twelve years for the log of accesses, which is looked after apart.
            assert_eq!(class(&done, RecordClass::AccessLog).held, 0);
            assert!(class(&done, RecordClass::AccessLog).kept > 0);
        }
        app.clock.set_day("2038-11-22");
        assert!(class(&run(&app, "2038-11-22", true), RecordClass::AccessLog).held > 0);
        // What the clock has done is on record, and its report can be read.
        let client = built.id("client_id");
        let trail = officer.get(&format!("/v1/audit-events?client_id={client}&limit=200")).send().expect(200).to_string();
        assert!(trail.contains("retention_run"), "{trail}");
        let runs = officer.get("/v1/retention-runs").send().expect(200);
        assert_eq!(runs["items"].as_array().unwrap().len(), 5);
        let last = officer.get(&format!("/v1/retention-runs/{}", text(&runs["items"][1], "id"))).send().expect(200);
        assert_eq!((&last["dry_run"], &last["on"]), (&json!(false), &json!("2036-11-22")));
        let other = app.user(app.world.other.privacy_officer);
        other.get(&format!("/v1/retention-runs/{}", text(&runs["items"][1], "id"))).send().problem(404, "not_found");
        assert!(other.get("/v1/retention-runs").send().expect(200)["items"].as_array().unwrap().is_empty());
    }
}

on_both! {
    fn what_is_held_restricted_or_asked_about_stays(app: TestApp) {
        let people = app.world.own;
        policy(&app, "contact_attempt", "2026-11-22", 1);
        let referrals: Vec<String> = ["Aino", "Bertta", "Cecilia", "Dagmar"].iter().map(|name| closed(&app, name)).collect();
        let coordinator = app.user(people.coordinator);
        let client = |referral: &str| text(&coordinator.get(referral).send().expect(200)["client"], "id");
        let clients: Vec<String> = referrals.iter().map(|referral| client(referral)).collect();
        let officer = app.user(people.privacy_officer);
        let hold = json!({"client_id": clients[0], "referral_id": crate::http::journeys::id(&referrals[0]), "reason": "Kantelu.", "until": "2026-12-31"});
        officer.post("/v1/legal-holds").json(hold).send().expect(201);
        let asked = ask(&app, &clients[1], "access");
        let path = format!("/v1/clients/{}/restriction", clients[2]);
        officer.post(&path).json(json!({"reason": "Selvitetään."})).send().expect(201);
        app.clock.set_day("2026-12-31");
        assert_eq!(counts(&run(&app, "2026-12-31", false), RecordClass::ContactAttempt), (1, 3, 0));
        // The hold ends with its day, the request is decided, the restriction lifted.
        app.clock.set_day("2027-01-01");
        assert_eq!(counts(&run(&app, "2027-01-01", false), RecordClass::ContactAttempt), (1, 2, 0));
        step(&app, &asked, "withdraw", Value::Null).expect(200);
        assert_eq!(counts(&run(&app, "2027-01-01", false), RecordClass::ContactAttempt), (1, 1, 0));
        officer.post(&format!("{path}/release")).if_match(1).json(json!({"reason": "Selvä."})).send().expect(200);
        coordinator.post(&format!("{path}/lift")).if_match(2).send().expect(200);
        assert_eq!(counts(&run(&app, "2027-01-01", false), RecordClass::ContactAttempt), (1, 0, 0));
    }
}

on_both! {
    fn a_policy_counts_from_its_day_and_no_two_begin_on_one(app: TestApp) {
        let people = app.world.own;
        let officer = app.user(people.privacy_officer);
        let list = |query: &str| officer.get(&format!("/v1/retention-policies?record_class=goal{query}")).send().expect(200)["items"].clone();
        let default = list("");
        assert_eq!((&default[0]["is_default"], &default[0]["keep_months"], &default[0]["action"]), (&json!(true), &json!(120), &json!("delete")));
        policy(&app, "goal", "2027-01-01", 24);
        policy(&app, "goal", "2028-01-01", 12);
        let months = |day: &str| list(&format!("&on={day}"))[0]["keep_months"].clone();
        assert_eq!((months("2026-12-31"), months("2027-01-01"), months("2027-12-31"), months("2028-01-01")), (json!(120), json!(24), json!(24), json!(12)));
        assert_eq!(list("").as_array().unwrap().len(), 3, "those that begin later are shown, too");
        let body = |class: &str, from: &str| {
            json!({
                "programme_id": people.programme.to_string(), "record_class": class, "valid_from": from, "keep_months": 24, "legal_basis": "x"
            })
        };
        officer.post("/v1/retention-policies").json(body("goal", "2027-01-01")).send().problem(409, "retention_policy_day_taken");
        officer.post("/v1/retention-policies").json(body("goal", "2026-11-21")).send().problem(422, "invalid");
        officer.post("/v1/retention-policies").json(body("statistics", "2027-01-01")).send().problem(422, "invalid");
        let mut foreign = body("goal", "2029-01-01");
        foreign["programme_id"] = json!(app.world.other.programme.to_string());
        officer.post("/v1/retention-policies").json(foreign).send().problem(404, "not_found");
    }
}

on_both! {
    fn a_run_that_was_broken_off_goes_on_where_it_stopped(app: TestApp) {
        policy(&app, "contact_attempt", "2026-11-22", 1);
        // More than one step takes on.
        let cases: i64 = if std::env::var("LAHETE_TEST_TRUST").as_deref() == Ok("long") { 1_000 } else { 60 };
        for _ in 0..cases {
            closed(&app, "Aino");
        }
        app.clock.set_day("2026-12-22");
        let (store, programme, now) = (app.store.clone(), app.world.own.programme, app.clock.now());
        let plan = Plan { on: "2026-12-22".parse().unwrap(), dry_run: false };
        let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait(run_one(&store, &ids(), programme, plan, now, |rows| assert!(rows == 0 || rows >= cases, "broken off on purpose")))
        }));
        assert!(broken.is_err(), "it was to be broken off");
        let officer = app.user(app.world.own.privacy_officer);
        let begun = officer.get("/v1/retention-runs").send().expect(200)["items"][0].clone();
        assert!(begun.get("finished_at").is_none(), "{begun}");
        let report = run(&app, "2026-12-22", false);
        assert_eq!(counts(&report, RecordClass::ContactAttempt), (cases, 0, 0), "each is counted once");
        let runs = officer.get("/v1/retention-runs").send().expect(200);
        assert_eq!(runs["items"].as_array().unwrap().len(), 1);
        assert_eq!((&runs["items"][0]["id"], runs["items"][0].get("finished_at").is_some()), (&begun["id"], true));
    }
}

on_both! {
    fn the_clock_runs_it_once_a_day_in_every_programme(app: TestApp) {
        policy(&app, "contact_attempt", "2026-11-22", 1);
        closed(&app, "Aino");
        app.clock.set("2026-12-21T21:59:00Z");
        assert_eq!(wait(run_daily(&app.store, &ids(), &trail_key(), app.clock.now())).unwrap(), Some(0));
        assert_eq!(wait(run_daily(&app.store, &ids(), &trail_key(), app.clock.now())).unwrap(), None);
        // Midnight in Helsinki.
        app.clock.set("2026-12-21T22:00:00Z");
        assert_eq!(wait(run_daily(&app.store, &ids(), &trail_key(), app.clock.now())).unwrap(), Some(1));
        assert_eq!(wait(run_daily(&app.store, &ids(), &trail_key(), app.clock.now())).unwrap(), None);
        for people in [app.world.own, app.world.other] {
            let runs = app.user(people.admin).get("/v1/retention-runs").send().expect(200);
            assert_eq!(runs["items"].as_array().unwrap().len(), 2);
        }
        let plan = Plan { on: app.clock.now().helsinki_date(), dry_run: true };
        assert_eq!(wait(run_all(&app.store, &ids(), &trail_key(), plan, app.clock.now(), |_, _| {})).unwrap().len(), 2);
    }
}
