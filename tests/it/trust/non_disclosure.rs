//! Non-disclosure (turvakielto): where somebody lives, and how to reach them, is for the coordinator, the link worker who has accepted, and themself.

use serde_json::{Value, json};

use crate::http::cases::{Built, Origin, Stage, about_the_client, prepare};
use crate::support::app::Caller;
use crate::support::on_both;

const SECRETS: &[&str] = &["\"758\"", "555 0101", "lintu@posti.example", "Linnunpesä"];

fn protected() -> Value {
    let mut body = about_the_client();
    body["client"]["non_disclosure"] = json!(true);
    body["client"]["email"] = json!("lintu@posti.example");
    body["client"]["address"] = json!("Linnunpesä 3");
    body
}

fn path(pattern: &str, built: &Built) -> String {
    let mut path = pattern.to_owned();
    while let Some((before, rest)) = path.split_once('{') {
        let (name, after) = rest.split_once('}').unwrap();
        path = format!("{before}{}{after}", built.id(name));
    }
    path
}

#[track_caller]
fn shows_no_place(caller: &Caller<'_>, place: &str) -> String {
    let reply = caller.get(place).send();
    assert_eq!(reply.status, 200, "{place}: {reply:?}");
    for secret in SECRETS {
        assert!(!reply.text.contains(secret), "{secret} in {place}: {}", reply.text);
    }
    reply.text
}

fn count(caller: &Caller<'_>, list: &str) -> usize {
    caller.get(list).send().expect(200)["items"].as_array().unwrap().len()
}

on_both! {
    fn whoever_sent_the_referral_does_not_see_the_place(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        for origin in [Origin::Referrer, Origin::Machine] {
            let built = Built::of(&app, protected(), origin, Stage::InSupport);
            let sender = if origin == Origin::Machine { app.machine(people.machine) } else { app.user(people.referrer) };
            let seen = shows_no_place(&sender, &path("/v1/referrals/{referral_id}", &built));
            assert!(seen.contains("\"non_disclosure\":true"), "they are told that it holds: {seen}");
            for list in ["/v1/referrals", "/v1/referrals?state=in_support", "/v1/referrals?open=true"] {
                assert!(shows_no_place(&sender, list).contains(built.id("referral_id")), "{list}");
            }
            if origin == Origin::Referrer {
                shows_no_place(&sender, &path("/v1/referrals/{referral_id}/timeline", &built));
            }
            // A filter tells no more than the list: the referral is in no place.
            for place in ["758", "261", "148"] {
                let found = sender.get(&format!("/v1/referrals?municipality={place}&limit=1")).send();
                assert!(!found.text.contains(built.id("referral_id")), "{place}: {found:?}");
                assert_eq!(found.json()["page"]["next"], Value::Null, "{place}: {found:?}");
            }
            assert_eq!(count(&app.user(people.coordinator), "/v1/referrals?municipality=758&state=in_support"), 1);
            built.finish(&app);
        }
    }
}

on_both! {
    fn a_link_worker_sees_the_place_once_they_have_accepted(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let worker = app.user(people.link_worker);
        let open = Built::new(&app, Origin::Referrer, Stage::Proposed);
        let usual = worker.get(&path("/v1/assignments/{assignment_id}", &open)).send().expect(200);
        assert_eq!(usual["municipality"], "758", "without non-disclosure the area is part of the question");
        open.finish(&app);

        let built = Built::of(&app, protected(), Origin::Referrer, Stage::Proposed);
        let proposal = path("/v1/assignments/{assignment_id}", &built);
        shows_no_place(&worker, &proposal);
        for list in ["/v1/assignments", "/v1/assignments?state=proposed"] {
            assert!(shows_no_place(&worker, list).contains(built.id("assignment_id")), "{list}");
        }
        let accepted = worker.post(&format!("{proposal}/accept")).if_match(built.version("assignment_id")).send().expect(200);
        assert_eq!(accepted["municipality"], "758");
        for pattern in ["/v1/referrals/{referral_id}", "/v1/clients/{client_id}"] {
            let whole = worker.get(&path(pattern, &built)).send();
            for secret in SECRETS {
                assert!(whole.text.contains(secret), "who goes there must find it: {secret} in {whole:?}");
            }
        }
        assert_eq!(count(&worker, "/v1/referrals?municipality=758"), 1);
        built.finish(&app);
        assert_eq!(count(&worker, "/v1/referrals?municipality=758"), 0);
    }
}

on_both! {
    fn coordinator_and_client_see_everything_and_the_report_tells_nothing(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let built = Built::of(&app, protected(), Origin::Referrer, Stage::InSupport);
        for user in [people.coordinator, people.client] {
            for pattern in ["/v1/referrals/{referral_id}", "/v1/clients/{client_id}"] {
                let whole = app.user(user).get(&path(pattern, &built)).send();
                for secret in SECRETS {
                    assert!(whole.text.contains(secret), "{secret} in {whole:?}");
                }
            }
        }
        assert_eq!(count(&app.user(people.client), "/v1/me/referrals"), 2);
        let report = format!("/v1/reports/outcomes?programme_id={}&from=2026-01-01&until=2026-12-31", people.programme);
        let shown = app.user(people.report_reader).get(&report).send().expect(200);
        for cell in shown["municipalities"].as_array().unwrap() {
            assert_eq!((&cell["count"], &cell["suppressed"]), (&Value::Null, &json!(true)), "nobody is found in a cell of few: {shown}");
        }
    }
}

on_both! {
    fn it_is_lifted_by_a_coordinator_who_says_why(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let built = Built::of(&app, protected(), Origin::Referrer, Stage::Submitted);
        let client = path("/v1/clients/{client_id}", &built);
        let change = |user, flag: bool, why: Option<&str>| {
            let version = app.user(people.coordinator).get(&client).send().version();
            let call = app.user(user).patch(&client).if_match(version).json(json!({"non_disclosure": flag}));
            match why {
                Some(why) => call.header("x-access-reason", why).send(),
                None => call.send(),
            }
        };
        for (user, status) in [(people.client, 403), (people.referrer, 404), (people.link_worker, 404), (people.admin, 404)] {
            let refused = change(user, false, Some("Because"));
            assert_eq!(refused.status, status, "{refused:?}");
        }
        change(people.coordinator, false, None).problem(403, "access_reason_required");
        assert_eq!(app.user(people.coordinator).get(&client).send().expect(200)["non_disclosure"], true, "nothing was changed");
        // A new referral that does not know of it takes it away no more.
        let again = Built::new(&app, Origin::Referrer, Stage::Submitted);
        assert_eq!(again.id("client_id"), built.id("client_id"));
        assert_eq!(app.user(people.coordinator).get(&client).send().expect(200)["non_disclosure"], true);
        let lifted = change(people.coordinator, false, Some("Certificate of the register office")).expect(200);
        assert_eq!(lifted["non_disclosure"], false);
        let sender = app.user(people.referrer).get(&path("/v1/referrals/{referral_id}", &built)).send().expect(200);
        assert_eq!(sender["client"]["municipality"], "758");
        change(people.coordinator, true, None).expect(200);
        let listed = app.user(people.privacy_officer).get("/v1/audit-events?with_reason=true").send().expect(200);
        let events = listed["items"].as_array().unwrap();
        assert!(events.iter().any(|event| event["action"] == "changed" && event["outcome"] == "allowed"), "{listed}");
    }
}

on_both! {
    fn a_sender_is_not_told_where_the_client_has_moved(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let built = Built::new(&app, Origin::Referrer, Stage::Submitted);
        let client = path("/v1/clients/{client_id}", &built);
        let version = app.user(people.coordinator).get(&client).send().version();
        app.user(people.coordinator).patch(&client).if_match(version).json(json!({"municipality": "261"})).send().expect(200);
        let sender = app.user(people.referrer);
        let seen = sender.get(&path("/v1/referrals/{referral_id}", &built)).send().expect(200);
        assert_eq!(seen["client"]["municipality"], "758", "what they have sent");
        let has = |caller: &Caller<'_>, place: &str| {
            caller.get(&format!("/v1/referrals?municipality={place}")).send().text.contains(built.id("referral_id"))
        };
        assert_eq!((has(&sender, "758"), has(&sender, "261")), (true, false));
        let coordinator = app.user(people.coordinator);
        assert_eq!((has(&coordinator, "758"), has(&coordinator, "261")), (false, true));
    }
}
