//! A referral that is not written in one go.

use serde_json::{Value, json};

use super::{items, taken, the_clock_looks};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::on_both;

on_both! {
    fn a_draft_grows_until_nothing_is_missing_and_each_thing_that_is_missing_is_named(app: TestApp) {
        let people = app.world.own;
        let nurse = app.user(people.referrer);
        let begun = nurse
            .post("/v1/referrals")
            .json(json!({
                "programme_id": people.programme.to_string(),
                "client": {"given_name": "Aino", "family_name": "Esimerkki", "birth_date": "2008-11-23", "municipality": "148"}
            }))
            .send();
        let mut version = begun.version();
        let begun = begun.expect(201);
        assert_eq!(begun["state"], "draft");
        assert_eq!(begun["possible"], json!(["submit", "withdraw"]));
        let path = format!("/v1/referrals/{}", text(&begun, "id"));

        let mut change = |body: Value| {
            let reply = nurse.patch(&path).if_match(version).json(body).send();
            version = reply.version();
            reply.expect(200);
            version
        };
        let submit = |version: i64| nurse.post(&format!("{path}/submit")).if_match(version).send();

        submit(change(json!({"wish": "Haluaisin ulos."}))).problem(409, "client_is_minor");
        let missing = submit(change(json!({"client": {"birth_date": "2008-11-22"}}))).problem(409, "consent_missing");
        assert_eq!(missing["params"]["purpose"], "process_referral");
        let consent = json!({"purposes": ["process_referral"], "text_version": "2026-1", "language": "fi", "method": "oral"});
        submit(change(json!({"consent": consent}))).problem(409, "no_reasons");
        submit(change(json!({"reasons": ["outdoors"]}))).problem(409, "municipality_not_served");
        submit(change(json!({"client": {"municipality": "758"}}))).problem(409, "not_acknowledged");
        let last = change(json!({"not_a_service_acknowledged": true}));

        nurse.post(&format!("{path}/submit")).send().problem(428, "precondition_required");
        submit(last - 1).problem(412, "stale_version");
        app.user(people.other_referrer).get(&path).send().problem(404, "not_found");
        app.user(people.coordinator).get(&path).send().problem(404, "not_found");
        assert!(items(app.user(people.coordinator).get("/v1/referrals").send()).is_empty(), "a draft is its writer's alone");

        let sent = submit(last).expect(200);
        assert_eq!(sent["state"], "submitted");
        assert_eq!(sent["wish"], "Haluaisin ulos.");
        let late = nurse.patch(&path).if_match(last + 1).json(json!({"wish": null})).send().problem(409, "wrong_state");
        assert_eq!(late["params"]["state"], "submitted");
        assert!(late["params"]["allowed"].as_array().unwrap().contains(&json!("withdraw")), "{late}");
    }
}

on_both! {
    fn a_change_that_cannot_be_read_changes_nothing(app: TestApp) {
        let people = app.world.own;
        let nurse = app.user(people.referrer);
        let mut body = complete();
        body["submit"] = json!(false);
        let draft = nurse.post("/v1/referrals").json(body).send();
        let version = draft.version();
        let path = format!("/v1/referrals/{}", text(&draft.expect(201), "id"));
        for (change, pointer) in [
            (json!({"client": {"given_name": null}}), "/client/given_name"),
            (json!({"client": {"personal_identity_code": "131052-308U"}}), "/client/personal_identity_code"),
            (json!({"client": {"municipality": "999"}}), "/client/municipality"),
            (json!({"client": {"birth_date": "2027-01-01"}}), "/client/birth_date"),
            (json!({"reasons": ["boredom"]}), "/reasons/0"),
            (json!({"written_together": null}), "/written_together"),
        ] {
            let problem = nurse.patch(&path).if_match(version).json(change).send().problem(422, "invalid");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        }
        assert_eq!(nurse.get(&path).send().version(), version);
    }
}

on_both! {
    fn the_clock_deletes_an_old_draft_and_closes_nothing_else(app: TestApp) {
        let people = app.world.own;
        let nurse = app.user(people.referrer);
        let mut body = complete();
        body["submit"] = json!(false);
        let draft = format!("/v1/referrals/{}", text(&nurse.post("/v1/referrals").json(body).send().expect(201), "id"));
        let waiting = taken(&app, complete());
        app.clock.advance_days(30);
        assert_eq!(the_clock_looks(&app).drafts, 0, "thirty days are not over");
        app.clock.advance_minutes(1);
        assert_eq!(the_clock_looks(&app).drafts, 1);
        nurse.get(&draft).send().problem(404, "not_found");
        app.clock.advance_days(2000);
        the_clock_looks(&app);
        assert_eq!(app.user(people.coordinator).get(&waiting).send().expect(200)["state"], "in_review");
    }
}

on_both! {
    fn an_answer_is_kept_for_two_days_under_its_key_and_then_forgotten(app: TestApp) {
        let nurse = app.user(app.world.own.referrer);
        let send = || nurse.post("/v1/referrals").key("two-days").json(complete()).send();
        let first = text(&send().expect(201), "id");
        app.clock.advance_minutes(47 * 60);
        assert_eq!(the_clock_looks(&app).answers, 0, "the document promises a day, and gives two");
        assert_eq!(text(&send().expect(201), "id"), first);
        app.clock.advance_minutes(2 * 60);
        assert_eq!(the_clock_looks(&app).answers, 1);
        assert_ne!(text(&send().expect(201), "id"), first, "after that the key is a new one");
    }
}
