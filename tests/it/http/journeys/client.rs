//! What a client sees of their own matters.

use serde_json::{Value, json};

use super::{about, each, id, in_support, items, send, sign_in_of, step, version};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::on_both;
use lahete_domain::ids::Id as _;

on_both! {
    fn a_client_reads_their_plan_their_visits_and_who_has_read(app: TestApp) {
        let people = app.world.own;
        let client = app.user(people.client);
        let me = client.get("/v1/me").send().expect(200);
        assert_eq!((&me["kind"], &me["roles"][0]["role"]), (&json!("user"), &json!("client")));
        for list in ["referrals", "support-periods", "visits", "consents", "access-log"] {
            assert!(items(client.get(&format!("/v1/me/{list}")).send()).is_empty(), "nothing is about them yet: {list}");
        }
        let (referral, period) = in_support(&app, complete());
        let (other, _) = in_support(&app, about("Toinen"));
        sign_in_of(&app, &referral, people.client);
        let worker = app.user(people.link_worker);
        let goal = json!({"words": "Uskallan mennä kerhoon yksin.", "steps": [{"words": "Soitetaan yhdessä"}]});
        worker.post(&format!("{period}/goals")).json(goal).send().expect(201);
        worker.post(&format!("{referral}/activity-links")).json(json!({"activity_id": people.activity.as_uuid()})).send().expect(201);
        let plan = json!({"state": "planned", "on": "2026-11-29", "minutes": 60, "mode": "activity_together"});
        worker.post(&format!("{period}/visits")).json(plan).send().expect(201);

        assert_eq!(each(client.get("/v1/me/referrals").send(), "id"), [id(&referral)]);
        let plans = items(client.get("/v1/me/support-periods").send());
        assert_eq!(plans.len(), 1);
        let mine = &plans[0];
        assert_eq!((text(mine, "id").as_str(), &mine["link_worker"]["name"]), (id(&period), &json!("Liisa Linkki")));
        assert_eq!(mine["goals"][0]["words"], "Uskallan mennä kerhoon yksin.");
        assert_eq!((&mine["activity_links"][0]["activity_name"], &mine["activity_links"][0]["state"]), (&json!("Torstaikerho"), &json!("proposed")));
        assert_eq!(mine["month_hours"]["left_minutes"], 540);
        let visits = items(client.get("/v1/me/visits").send());
        assert_eq!(visits.iter().map(|visit| text(visit, "state")).collect::<Vec<_>>(), ["planned", "held"]);
        assert_eq!(visits[1]["note"], "Tutustuttiin.");
        assert_eq!(visits[1]["workers"][0]["name"], "Liisa Linkki");
        assert_eq!(visits[1]["workers"][0]["fee_per_hour"], Value::Null, "what is paid is not the client's to read");
        assert_eq!(each(client.get("/v1/me/visits?state=planned").send(), "on"), ["2026-11-29"]);
        client.get(&other).send().problem(404, "not_found");

        for stranger in [people.coordinator, people.link_worker, people.other_client, people.referrer] {
            for list in ["referrals", "support-periods", "visits", "consents"] {
                assert!(items(app.user(stranger).get(&format!("/v1/me/{list}")).send()).is_empty(), "{list} are only about oneself");
            }
        }

        app.clock.advance_minutes(5);
        worker.get(&referral).send().expect(200);
        app.user(people.other_referrer).get(&referral).send().problem(404, "not_found");
        let reply = client.get("/v1/me/access-log").header("accept-language", "fi").send();
        assert_eq!(reply.header("content-language"), Some("fi"));
        let log = items(reply);
        let read = log.iter().find(|line| line["who"] == "link-worker (own)" && line["operation"] == "referral_view").unwrap();
        assert_eq!((&read["role"], &read["action"]), (&json!("link_worker"), &json!("read")));
        assert!(text(read, "text").contains("inkkihenkilö"), "{read}");
        assert!(log.iter().any(|line| line["who"] == "other-referrer (own)"), "who was turned away is there, too: {log:?}");
        let swedish = items(client.get("/v1/me/access-log").header("accept-language", "sv").send());
        assert_ne!(swedish.last().unwrap()["text"], log.last().unwrap()["text"]);
        app.user(people.coordinator).get(&format!("/v1/clients/{}/access-log", text(mine, "client_id"))).send().problem(404, "not_found");
        let seen = items(app.user(people.privacy_officer).get(&format!("/v1/clients/{}/access-log", text(mine, "client_id"))).send());
        assert!(seen.len() >= log.len());
    }
}

on_both! {
    fn a_client_writes_about_themself_and_takes_back_one_purpose(app: TestApp) {
        let people = app.world.own;
        let client = app.user(people.client);
        let mut body = complete();
        body["referrer"] = json!({"feedback_wanted": false});
        body["submit"] = json!(false);
        let draft = client.post("/v1/referrals").json(body).send();
        let begun = draft.version();
        let draft = draft.expect(201);
        assert_eq!((&draft["referrer"]["channel"], &draft["referrer"]["sector"]), (&json!("self"), &json!("self")));
        let path = format!("/v1/referrals/{}", text(&draft, "id"));
        assert_eq!(each(client.get("/v1/me/referrals").send(), "state"), ["draft"]);
        app.user(people.other_client).get(&path).send().problem(404, "not_found");
        client.post(&format!("{path}/submit")).if_match(begun).send().expect(200);
        let consent = items(client.get("/v1/me/consents").send()).remove(0);
        assert_eq!(text(&consent, "referral_id"), id(&path));
        let withdraw = format!("/v1/me/consents/{}/withdraw", text(&consent, "id"));
        let purpose = json!({"purposes": ["evaluation"]});
        client.post(&withdraw).json(purpose.clone()).send().problem(428, "precondition_required");
        app.user(people.other_client).post(&withdraw).if_match(version(&app, &path)).json(purpose.clone()).send().problem(404, "not_found");
        let less = client.post(&withdraw).if_match(version(&app, &path)).json(purpose).send().expect(200);
        assert_eq!(less["withdrawn_purposes"], json!(["evaluation"]));
        assert_eq!(client.get(&path).send().expect(200)["state"], "submitted");
        step(&app, people.coordinator, &path, "review", json!({})).expect(200);
        assert_eq!(items(client.get(&format!("{path}/timeline")).send()).last().unwrap()["kind"], "review_started");
        send(&app, complete());
        assert_eq!(items(client.get("/v1/me/referrals").send()).len(), 1, "another with the same name is another person");
    }
}
