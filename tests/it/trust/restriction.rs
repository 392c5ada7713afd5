//! Restricted data are stored, and nothing else is done with them.

use serde_json::{Value, json};

use super::data_requests::{ask, step};
use crate::http::cases::{Built, CLIENT_CODE, Origin, Stage, prepare};
use crate::support::on_both;

const READ: &[&str] = &[
    "/v1/referrals/{referral_id}",
    "/v1/referrals/{referral_id}/timeline",
    "/v1/referrals/{referral_id}/messages",
    "/v1/referrals/{referral_id}/contact-attempts",
    "/v1/referrals/{referral_id}/consents",
    "/v1/referrals/{referral_id}/activity-links",
    "/v1/referrals/{referral_id}/assignments",
    "/v1/clients/{client_id}",
    "/v1/clients/{client_id}/history",
    "/v1/assignments/{assignment_id}",
    "/v1/support-periods/{support_period_id}",
    "/v1/support-periods/{support_period_id}/goals",
    "/v1/support-periods/{support_period_id}/visits",
    "/v1/support-periods/{support_period_id}/measures",
    "/v1/goals/{goal_id}",
    "/v1/visits/{visit_id}",
    "/v1/measures/{measure_id}",
];

const LISTS: &[&str] = &["/v1/referrals", "/v1/assignments", "/v1/support-periods", "/v1/visits"];

fn filled(pattern: &str, built: &Built) -> String {
    let mut path = pattern.to_owned();
    while let Some((before, rest)) = path.split_once('{') {
        let (name, after) = rest.split_once('}').unwrap();
        path = format!("{before}{}{after}", built.id(name));
    }
    path
}

on_both! {
    fn staff_can_do_nothing_until_it_is_lifted_and_the_client_can(app: TestApp) {
        prepare(&app);
        let people = app.world.own;
        let built = Built::new(&app, Origin::Referrer, Stage::InSupport);
        let client_id = built.id("client_id");
        let (officer, coordinator, own) = (app.user(people.privacy_officer), app.user(people.coordinator), app.user(people.client));
        let readable = |user| READ.iter().filter(|path| app.user(user).get(&filled(path, &built)).send().status == 200).count();
        let shown = |user| LISTS.iter().filter(|list| app.user(user).get(list).send().text.contains(built.id("referral_id"))).count();
        let before: Vec<_> = [people.coordinator, people.link_worker, people.referrer, people.client].iter().map(|user| (readable(*user), shown(*user))).collect();
        assert!(before[0].0 == READ.len() && before[0].1 == 4 && before[1].0 > 8 && before[1].1 == 4 && before[2].0 > 0, "{before:?}");

        let asked = ask(&app, client_id, "restriction");
        step(&app, &asked, "start", Value::Null).expect(200);
        step(&app, &asked, "fulfil", json!({"decision": "Käyttöä rajoitetaan selvityksen ajaksi."})).expect(200);
        for user in [people.coordinator, people.link_worker, people.referrer] {
            assert_eq!((readable(user), shown(user)), (0, 0), "{user}");
        }
        for path in READ {
            coordinator.get(&filled(path, &built)).send().problem(403, "restricted");
        }
        app.user(people.link_worker).get(&filled("/v1/visits/{visit_id}", &built)).send().problem(403, "restricted");
        app.user(people.link_worker).get(&filled("/v1/assignments/{assignment_id}", &built)).send().problem(403, "restricted");
        app.user(people.other_link_worker).get(&filled("/v1/visits/{visit_id}", &built)).send().problem(404, "not_found");
        let write = |path: &str, body: Value| coordinator.post(&filled(path, &built)).if_match(1).json(body).send();
        write("/v1/support-periods/{support_period_id}/goals", json!({"words": "Ei."})).problem(403, "restricted");
        write("/v1/referrals/{referral_id}/contact-attempts", json!({"channel": "phone", "result": "reached"})).problem(403, "restricted");
        write("/v1/referrals/{referral_id}/rectify", json!({"wish": "x", "reason": "y"})).problem(403, "restricted");
        coordinator.patch(&filled("/v1/clients/{client_id}", &built)).if_match(1).json(json!({"phone": "1"})).send().problem(403, "restricted");
        let search = json!({"programme_id": people.programme.to_string(), "personal_identity_code": CLIENT_CODE});
        assert_eq!(coordinator.post("/v1/clients/search").json(search).send().expect(200)["items"], json!([]));
        // The client still sees everything that is theirs, and the officer works on their requests.
        assert_eq!((readable(people.client), shown(people.client)), before[3]);
        assert!(own.get("/v1/me/data-copy").send().expect(200)["records"].as_array().unwrap().len() > 8);
        officer.get(&format!("/v1/clients/{client_id}/access-log")).send().expect(200);
        // A refused try is on record.
        let denied = officer.get(&format!("/v1/audit-events?client_id={client_id}&outcome=denied&limit=200")).send().expect(200);
        assert!(denied["items"].as_array().unwrap().len() > READ.len(), "{denied}");

        let path = format!("/v1/clients/{client_id}/restriction");
        let restriction = coordinator.get(&path).send().expect(200);
        assert_eq!(restriction["reason"], "Käyttöä rajoitetaan selvityksen ajaksi.");
        officer.post(&path).json(json!({"reason": "Uudestaan."})).send().problem(409, "restricted_already");
        coordinator.post(&format!("{path}/lift")).if_match(1).send().problem(409, "restriction_not_released");
        officer.post(&format!("{path}/release")).if_match(1).json(json!({"reason": "Tiedot ovat oikein."})).send().expect(200);
        assert_eq!(own.get(&path).send().expect(200)["release_reason"], "Tiedot ovat oikein.", "the person hears before it is lifted");
        assert_eq!(readable(people.coordinator), 0);
        coordinator.post(&format!("{path}/lift")).if_match(2).send().expect(200);
        let after: Vec<_> = [people.coordinator, people.link_worker, people.referrer, people.client].iter().map(|user| (readable(*user), shown(*user))).collect();
        assert_eq!(after, before);
        coordinator.get(&path).send().problem(404, "not_found");
    }
}

on_both! {
    fn an_objection_restricts_too_and_another_programme_sees_nothing_of_it(app: TestApp) {
        let built = Built::new(&app, Origin::Referrer, Stage::Stranger);
        let client = built.id("client_id");
        let asked = ask(&app, client, "objection");
        step(&app, &asked, "start", Value::Null).expect(200);
        step(&app, &asked, "fulfil", json!({})).expect(200);
        app.user(app.world.own.coordinator).get(&format!("/v1/clients/{client}")).send().problem(403, "restricted");
        for user in [app.world.other.coordinator, app.world.other.privacy_officer] {
            app.user(user).get(&format!("/v1/clients/{client}/restriction")).send().problem(404, "not_found");
            app.user(user).get(&format!("/v1/clients/{client}")).send().problem(404, "not_found");
        }
    }
}
