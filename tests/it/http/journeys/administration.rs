//! What an administrator sets up and changes.

use lahete_domain::ids::Id as _;
use serde_json::json;

use super::{each, id, in_support, items, step};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::on_both;

on_both! {
    fn a_new_fee_is_paid_for_visits_from_its_day_on(app: TestApp) {
        let people = app.world.own;
        let admin = app.user(people.admin);
        let terms = format!("/v1/programmes/{}/terms", people.programme);
        let new = json!({"valid_from": "2026-12-01", "max_months": 6, "max_minutes_per_month": 300, "fee_per_hour": "15.00"});
        app.user(people.coordinator).post(&terms).json(new.clone()).send().problem(403, "forbidden");
        admin.post(&terms).json(new.clone()).send().expect(201);
        admin.post(&terms).json(new).send().problem(409, "period_overlaps");
        let (_, period) = in_support(&app, complete());
        app.clock.set_day("2026-12-02");
        let visit = |on: &str, minutes: u32| {
            let body = json!({"state": "held", "on": on, "minutes": minutes, "mode": "home_visit"});
            app.user(people.link_worker).post(&format!("{period}/visits")).json(body).send()
        };
        assert_eq!(visit("2026-11-30", 60).expect(201)["workers"][0]["fee_per_hour"], "13.00");
        let after = visit("2026-12-01", 60).expect(201);
        assert_eq!((&after["workers"][0]["fee_per_hour"], &after["month_hours"]["limit_minutes"]), (&json!("15.00"), &json!(300)));
        assert_eq!(visit("2026-12-02", 241).problem(409, "monthly_hours_exceeded")["params"]["minutes_left"], 240);
        let query = format!("programme_id={}&from=2026-11-01&until=2026-12-31", people.programme);
        let report = app.user(people.coordinator).get(&format!("/v1/reports/outcomes?{query}")).send().expect(200);
        assert_eq!(report["visits"]["fee_eur"], "41.00");
        assert_eq!(items(app.user(people.link_worker).get(&terms).send()).len(), 2);
    }
}

on_both! {
    fn a_role_begins_and_ends_on_its_day(app: TestApp) {
        let people = app.world.own;
        let admin = app.user(people.admin);
        let programme = people.programme.to_string();
        let organisation = json!({
            "programme_id": programme, "name": "Sodankylän kirjasto", "kind": "municipality", "sector": "education_culture", "municipality": "758"
        });
        let organisation = text(&admin.post("/v1/organisations").json(organisation).send().expect(201), "id");
        let user = json!({"programme_id": programme, "login": "kirjasto", "name": "Kirsi Kirjasto"});
        let made = admin.post("/v1/users").json(user.clone()).send().expect(201);
        let taken = admin.post("/v1/users").json(user).send();
        assert_eq!(taken.status, 409, "{taken:?}");
        let kirsi = lahete_domain::ids::UserId::from_uuid(text(&made, "id").parse().unwrap());
        let role = json!({
            "programme_id": programme, "user_id": kirsi.to_string(), "role": "referrer", "organisation_id": organisation, "valid_from": "2026-11-23"
        });
        app.user(people.coordinator).post("/v1/role-assignments").json(role.clone()).send().problem(404, "not_found");
        let given = admin.post("/v1/role-assignments").json(role.clone()).send();
        let version = given.version();
        let given = format!("/v1/role-assignments/{}", text(&given.expect(201), "id"));
        admin.post("/v1/role-assignments").json(role).send().problem(409, "role_already_given");
        let machine = json!({"programme_id": programme, "user_id": kirsi.to_string(), "role": "integration"});
        admin.post("/v1/role-assignments").json(machine).send().problem(409, "role_for_machines");

        let write = || app.user(kirsi).post("/v1/referrals").json(complete()).send();
        write().problem(403, "forbidden");
        assert_eq!(app.user(kirsi).get("/v1/me").send().expect(200)["roles"], json!([]), "tomorrow is not today");
        app.clock.set_day("2026-11-23");
        let sent = write().expect(201);
        assert_eq!((&sent["referrer"]["sector"], &sent["referrer"]["organisation_id"]), (&json!("education_culture"), &json!(organisation)));
        let ended = admin.post(&format!("{given}/end")).if_match(version).json(json!({"last_day": "2026-11-23"})).send();
        assert_eq!(ended.expect(200)["valid_until"], "2026-11-23");
        app.user(kirsi).get(&format!("/v1/referrals/{}", text(&sent, "id"))).send().expect(200);
        app.clock.set_day("2026-11-24");
        write().problem(403, "forbidden");
        app.user(kirsi).get(&format!("/v1/referrals/{}", text(&sent, "id"))).send().problem(404, "not_found");
    }
}

on_both! {
    fn a_user_who_is_shut_out_is_out_on_the_next_request_and_an_administrator_stays(app: TestApp) {
        let people = app.world.own;
        let admin = app.user(people.admin);
        let user = format!("/v1/users/{}", people.referrer);
        let off = admin.patch(&user).if_match(1).json(json!({"active": false})).send().expect(200);
        assert_eq!(off["active"], false);
        app.user(people.referrer).get("/v1/referrals").send().problem(401, "invalid_token");
        let last = admin.patch(&format!("/v1/users/{}", people.admin)).if_match(1).json(json!({"active": false})).send();
        last.problem(409, "last_admin");
        let roles = items(admin.get(&format!("/v1/role-assignments?user_id={}&role=admin", people.admin)).send());
        let role = format!("/v1/role-assignments/{}", text(&roles[0], "id"));
        admin.post(&format!("{role}/end")).if_match(1).json(json!({})).send().problem(409, "last_admin");
        let second = json!({"programme_id": people.programme.to_string(), "user_id": people.coordinator.to_string(), "role": "admin"});
        admin.post("/v1/role-assignments").json(second).send().expect(201);
        app.clock.set_day("2026-11-23");
        admin.post(&format!("{role}/end")).if_match(1).json(json!({})).send().expect(200);
        assert_eq!(app.user(people.coordinator).get(&user).send().status, 200, "rights act on the next request");
    }
}

on_both! {
    fn the_lists_of_an_administrator_are_narrowed_by_what_they_look_for(app: TestApp) {
        let people = app.world.own;
        let admin = app.user(people.admin);
        let programme = people.programme.to_string();
        let count = |path: &str| items(admin.get(path).send()).len();
        assert_eq!(count(&format!("/v1/users?programme_id={programme}&active=true")), 10);
        assert_eq!(count("/v1/users?active=false"), 0);
        assert_eq!(count("/v1/role-assignments?role=referrer"), 2);
        assert_eq!(count(&format!("/v1/role-assignments?user_id={}&active_on=2021-12-31", people.referrer)), 0);
        assert_eq!(count("/v1/organisations?kind=municipality"), 1);
        assert_eq!(count("/v1/organisations?municipality=148"), 0);
        assert_eq!(count(&format!("/v1/api-clients?programme_id={programme}")), 1);
        assert_eq!(count(&format!("/v1/api-clients?programme_id={}", app.world.other.programme)), 0);
        admin.get("/v1/users?login=x").send().problem(400, "unknown_parameter");
        let (referral, _) = in_support(&app, complete());
        let officer = app.user(people.privacy_officer);
        let seen = items(officer.get("/v1/audit-events?outcome=allowed").send());
        assert!(!seen.is_empty());
        assert!(seen.iter().any(|event| event["referral_id"] == id(&referral)), "{seen:?}");
        assert!(each(admin.get("/v1/audit-events").send(), "operation").is_empty(), "the trail is the privacy officer's");
    }
}

on_both! {
    fn a_programme_is_founded_and_another_ones_is_not_touched(app: TestApp) {
        let people = app.world.own;
        let admin = app.user(people.admin);
        let new = json!({"name": "Kittilän hyvinvointilähete", "controller": "Kittilän kunta", "municipalities": ["261"]});
        app.user(people.coordinator).post("/v1/programmes").json(new.clone()).send().problem(403, "forbidden");
        let founded = admin.post("/v1/programmes").json(new).send().expect(201);
        assert_eq!(each(admin.get("/v1/programmes").send(), "id").len(), 2);
        let path = format!("/v1/programmes/{}", text(&founded, "id"));
        let wider = admin.patch(&path).if_match(1).json(json!({"municipalities": ["261", "498"]})).send().expect(200);
        assert_eq!(wider["municipalities"], json!(["261", "498"]));
        admin.patch(&path).if_match(2).json(json!({"municipalities": ["999"]})).send().problem(422, "invalid");
        let other = format!("/v1/programmes/{}", app.world.other.programme);
        admin.get(&other).send().problem(404, "not_found");
        admin.patch(&other).if_match(1).json(json!({"active": false})).send().problem(404, "not_found");

        let own = format!("/v1/programmes/{}", people.programme);
        admin.patch(&own).if_match(1).json(json!({"active": false})).send().expect(200);
        let refused = app.user(people.referrer).post("/v1/referrals").json(complete()).send();
        assert_eq!(refused.status, 409, "{refused:?}");
        assert!(["programme_inactive", "municipality_not_served"].contains(&text(&refused.json(), "code").as_str()), "{refused:?}");
    }
}

on_both! {
    fn an_administrator_sees_no_case(app: TestApp) {
        let people = app.world.own;
        let (referral, period) = in_support(&app, complete());
        let admin = app.user(people.admin);
        for path in [&referral, &period, &format!("{period}/visits"), &format!("{referral}/timeline"), &format!("{referral}/consents")] {
            admin.get(path).send().problem(404, "not_found");
        }
        for list in ["/v1/referrals", "/v1/visits", "/v1/support-periods", "/v1/assignments"] {
            assert!(items(admin.get(list).send()).is_empty(), "{list}");
        }
        step(&app, people.admin, &referral, "close", json!({"outcome": "declined", "end_reason": "other"})).problem(404, "not_found");
        assert!(id(&referral).len() == 36);
    }
}
