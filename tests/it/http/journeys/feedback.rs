//! What client, referrer and link worker say about a referral, and what a referrer is told at its milestones.

use lahete_domain::ids::UserId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{about, assigned, each, end, in_support, items, send, sign_in_of, step, taken};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::{Reply, TestApp, on_both};

fn said(stage: &str, statement: &str, words: &str) -> Value {
    json!({"stage": stage, "ratings": [{"statement": statement, "rating": 4}], "words": words})
}

fn give(app: &TestApp, who: UserId, referral: &str, body: Value) -> Reply {
    app.user(who).post(&format!("{referral}/feedback")).json(body).send()
}

/// The words that somebody reads about a referral.
fn reads(app: &TestApp, who: UserId, referral: &str) -> Vec<String> {
    each(app.user(who).get(&format!("{referral}/feedback")).send(), "words")
}

/// Takes one purpose of the client's consent back, or all.
fn withdraw(app: &TestApp, referral: &str, purposes: &[&str]) {
    let coordinator = app.user(app.world.own.coordinator);
    let consent = text(&items(coordinator.get(&format!("{referral}/consents")).send())[0], "id");
    let version = coordinator.get(referral).send().version();
    let body = json!({"purposes": purposes});
    coordinator.post(&format!("{referral}/consents/{consent}/withdraw")).if_match(version).json(body).send().expect(200);
}

on_both! {
    fn each_speaks_in_their_own_form_and_reads_what_is_theirs(app: TestApp) {
        let people = app.world.own;
        let (referral, _) = in_support(&app, complete());
        sign_in_of(&app, &referral, people.client);
        let client = give(&app, people.client, &referral, said("during", "client_was_heard", "Asiakas puhuu.")).expect(201);
        assert_eq!((&client["party"], &client["author_role"], &client["version"]), (&json!("client"), &json!("client"), &json!(1)));
        give(&app, people.referrer, &referral, said("during", "referrer_easy_to_refer", "Lähettäjä puhuu.")).expect(201);
        give(&app, people.link_worker, &referral, said("during", "worker_matched", "Linkki puhuu.")).expect(201);
        for (who, statement) in [(people.client, "worker_matched"), (people.referrer, "client_was_heard"), (people.link_worker, "referrer_easy_to_refer")] {
            let problem = give(&app, who, &referral, said("end", statement, "Ei.")).problem(422, "invalid");
            assert_eq!(problem["errors"][0]["code"], "wrong_statement");
        }
        give(&app, people.client, &referral, said("during", "client_was_heard", "Taas.")).problem(409, "feedback_exists");
        let nothing = give(&app, people.client, &referral, json!({"stage": "end"})).problem(422, "invalid");
        assert_eq!(nothing["errors"][0]["code"], "nothing_said");
        let twice = json!({"stage": "end", "ratings": [{"statement": "client_was_heard", "rating": 1}, {"statement": "client_was_heard", "rating": 2}]});
        give(&app, people.client, &referral, twice).problem(422, "invalid");
        let off = json!({"stage": "end", "ratings": [{"statement": "client_was_heard", "rating": 6}]});
        give(&app, people.client, &referral, off).problem(422, "invalid");
        let mut foreign = said("end", "client_was_heard", "Ei.");
        foreign["party"] = json!("referrer");
        assert_eq!(give(&app, people.client, &referral, foreign).problem(422, "invalid")["errors"][0]["code"], "not_yours");

        let (asiakas, lahettaja, linkki) = ("Asiakas puhuu.", "Lähettäjä puhuu.", "Linkki puhuu.");
        assert_eq!(reads(&app, people.coordinator, &referral), [asiakas, lahettaja, linkki]);
        assert_eq!(reads(&app, people.client, &referral), [asiakas]);
        assert_eq!(reads(&app, people.link_worker, &referral), [linkki]);
        assert_eq!(reads(&app, people.referrer, &referral), [asiakas, lahettaja], "the client lets the referrer hear");
        for stranger in [people.other_referrer, people.other_link_worker, people.other_client, app.world.other.coordinator] {
            app.user(stranger).get(&format!("{referral}/feedback")).send().problem(404, "not_found");
            give(&app, stranger, &referral, said("during", "client_was_heard", "Ei.")).problem(404, "not_found");
        }
        let path = format!("/v1/feedback/{}", text(&client, "id"));
        for (who, status) in [(people.coordinator, 200), (people.referrer, 200), (people.client, 200), (people.link_worker, 404), (people.other_client, 404)] {
            assert_eq!(app.user(who).get(&path).send().status, status);
        }
        withdraw(&app, &referral, &["feedback_to_referrer"]);
        assert_eq!(reads(&app, people.referrer, &referral), [lahettaja], "asked anew at each access");
        app.user(people.referrer).get(&path).send().problem(404, "not_found");
        assert_eq!(app.user(people.referrer).get(&format!("/v1/feedback/{}", Uuid::now_v7())).send().problem(404, "not_found")["code"], "not_found");

        let kinds = each(app.user(people.coordinator).get(&format!("{referral}/timeline")).send(), "kind");
        assert_eq!(kinds.iter().filter(|kind| *kind == "feedback_given").count(), 3);
        assert!(!each(app.user(people.referrer).get(&format!("{referral}/timeline")).send(), "kind").contains(&"feedback_given".to_owned()));
    }
}

on_both! {
    fn feedback_is_changed_by_its_giver_for_a_while(app: TestApp) {
        let people = app.world.own;
        let (referral, period) = in_support(&app, complete());
        sign_in_of(&app, &referral, people.client);
        let client = app.user(people.client);
        let before = send(&app, about("Alku"));
        give(&app, people.referrer, &before, said("end", "referrer_easy_to_refer", "Ei vielä.")).problem(409, "feedback_stage_wrong");
        let path = format!("{}/feedback", referral.replace("/v1/", "/v1/me/"));
        let made = client.post(&path).json(said("end", "client_joins_more", "Kiitos.")).send().expect(201);
        app.user(people.coordinator).post(&path).json(said("during", "client_joins_more", "Ei.")).send().problem(404, "not_found");
        app.user(people.other_client).post(&path).json(said("during", "client_joins_more", "Ei.")).send().problem(404, "not_found");
        assert_eq!(each(client.get("/v1/me/feedback").send(), "words"), ["Kiitos."]);
        assert!(items(app.user(people.other_client).get("/v1/me/feedback").send()).is_empty());
        assert!(items(app.user(people.coordinator).get("/v1/me/feedback").send()).is_empty());

        let one = format!("/v1/feedback/{}", text(&made, "id"));
        let words = json!({"words": "Kiitos kaikesta."});
        client.patch(&one).json(words.clone()).send().problem(428, "precondition_required");
        client.patch(&one).if_match(7).json(words.clone()).send().problem(412, "stale_version");
        app.user(people.coordinator).patch(&one).if_match(1).json(words.clone()).send().problem(403, "forbidden");
        app.user(people.link_worker).patch(&one).if_match(1).json(words.clone()).send().problem(404, "not_found");
        let changed = client.patch(&one).if_match(1).json(words.clone()).send().expect(200);
        assert_eq!((&changed["version"], &changed["words"], &changed["ratings"]), (&json!(2), &json!("Kiitos kaikesta."), &made["ratings"]));
        let less = client.patch(&one).if_match(2).json(json!({"words": null})).send().expect(200);
        assert_eq!(less["words"], Value::Null);
        client.patch(&one).if_match(3).json(json!({"ratings": []})).send().problem(422, "invalid");

        // A link worker speaks before the end: their access ends with it.
        give(&app, people.link_worker, &referral, said("end", "worker_had_time", "Aikaa oli.")).expect(201);
        step(&app, people.coordinator, &period, "end", end("2026-11-22")).expect(200);
        app.user(people.link_worker).get(&format!("{referral}/feedback")).send().problem(404, "not_found");
        give(&app, people.link_worker, &referral, said("during", "worker_had_time", "Myöhässä.")).problem(404, "not_found");
        give(&app, people.referrer, &referral, said("during", "referrer_easy_to_refer", "Myöhässä.")).problem(409, "feedback_stage_wrong");
        give(&app, people.referrer, &referral, said("end", "referrer_easy_to_refer", "Hyvä.")).expect(201);
        app.clock.advance_days(30);
        client.patch(&one).if_match(3).json(words.clone()).send().expect(200);
        app.clock.advance_minutes(1);
        client.patch(&one).if_match(4).json(words).send().problem(409, "feedback_too_old");
    }
}

on_both! {
    fn a_coordinator_writes_down_what_a_client_says(app: TestApp) {
        let people = app.world.own;
        let (referral, _) = in_support(&app, complete());
        let made = give(&app, people.coordinator, &referral, said("during", "client_support_fitted", "Puhelimessa.")).expect(201);
        assert_eq!((&made["party"], &made["author_role"]), (&json!("client"), &json!("coordinator")));
        give(&app, people.coordinator, &referral, said("end", "worker_matched", "Ei.")).problem(422, "invalid");
        sign_in_of(&app, &referral, people.client);
        assert_eq!(reads(&app, people.client, &referral), ["Puhelimessa."]);
        give(&app, people.client, &referral, said("during", "client_was_heard", "Itse.")).problem(409, "feedback_exists");
        let one = format!("/v1/feedback/{}", text(&made, "id"));
        app.user(people.client).patch(&one).if_match(1).json(json!({"words": "Itse."})).send().problem(403, "forbidden");
        app.user(people.coordinator).patch(&one).if_match(1).json(json!({"words": "Tarkennus."})).send().expect(200);
    }
}

/// Milestones of one referral, or of all.
fn told(app: &TestApp, who: UserId, path: &str) -> Vec<String> {
    each(app.user(who).get(path).send(), "milestone")
}

on_both! {
    fn a_referrer_hears_at_each_milestone_as_long_as_the_client_lets_them(app: TestApp) {
        let people = app.world.own;
        let path = send(&app, complete());
        let milestones = format!("{path}/milestones");
        assert!(told(&app, people.referrer, &milestones).is_empty());
        app.clock.advance_minutes(1);
        step(&app, people.coordinator, &path, "review", json!({})).expect(200);
        app.clock.advance_minutes(1);
        step(&app, people.coordinator, &path, "waitlist", json!({})).expect(200);
        let list = app.user(people.referrer).get(&milestones).header("accept-language", "en").send();
        assert_eq!(list.header("content-language"), Some("en"));
        let list = items(list);
        assert_eq!(list.iter().map(|one| text(one, "milestone")).collect::<Vec<_>>(), ["in_review", "waitlisted"]);
        assert_eq!(list[1]["text"], "The client is waiting for a link worker.");
        assert_eq!(list[1]["at"], "2026-11-22T10:02:00.000000Z");
        for language in ["fi", "sv", "se", "smn", "sms"] {
            let other = items(app.user(people.referrer).get(&milestones).header("accept-language", language).send());
            assert_ne!(other[1]["text"], list[1]["text"], "{language}");
        }
        for (who, status) in [(people.coordinator, 403), (people.other_referrer, 404), (people.link_worker, 404), (app.world.other.referrer, 404)] {
            assert_eq!(app.user(who).get(&milestones).send().status, status);
        }

        let (second, period) = in_support(&app, about("Toinen"));
        let all = ["in_review", "waitlisted", "in_review", "link_worker_found", "support_started"];
        assert_eq!(told(&app, people.referrer, "/v1/milestones"), all);
        assert!(told(&app, people.other_referrer, "/v1/milestones").is_empty() && told(&app, people.coordinator, "/v1/milestones").is_empty());
        assert_eq!(told(&app, people.referrer, "/v1/milestones?since=2026-11-22T10:02:00Z"), all[1..]);

        // Acknowledged once and for all; the list goes on page by page.
        let first = text(&items(app.user(people.referrer).get("/v1/milestones").send())[0], "id");
        let acknowledge = format!("/v1/milestones/{first}/acknowledge");
        app.clock.advance_minutes(1);
        let seen = app.user(people.referrer).post(&acknowledge).send().expect(200);
        app.clock.advance_minutes(1);
        assert_eq!(app.user(people.referrer).post(&acknowledge).send().expect(200)["acknowledged_at"], seen["acknowledged_at"]);
        assert_eq!(told(&app, people.referrer, "/v1/milestones?unread=true"), all[1..]);
        assert_eq!(told(&app, people.referrer, "/v1/milestones?unread=false"), all[..1]);
        for (who, status) in [(people.coordinator, 403), (people.other_referrer, 404), (app.world.other.referrer, 404)] {
            assert_eq!(app.user(who).post(&acknowledge).send().status, status);
        }
        app.user(people.referrer).post(&format!("/v1/milestones/{}/acknowledge", Uuid::now_v7())).send().problem(404, "not_found");
        let mut page = app.user(people.referrer).get("/v1/milestones?limit=2").send().expect(200);
        let mut found = Vec::new();
        loop {
            found.extend(page["items"].as_array().unwrap().iter().map(|one| text(one, "milestone")));
            let Some(next) = page["page"]["next"].as_str().map(str::to_owned) else { break };
            page = app.user(people.referrer).get(&next).send().expect(200);
        }
        assert_eq!(found, all);

        // How it ended; never what the work was like.
        step(&app, people.coordinator, &period, "end", end("2026-11-22")).expect(200);
        let list = items(app.user(people.referrer).get(&format!("{second}/milestones")).header("accept-language", "en").send());
        let last = list.last().unwrap();
        assert_eq!((&last["milestone"], &last["outcome"]), (&json!("closed"), &json!("completed_as_planned")));
        assert_eq!(last["text"], "The referral has been closed. (Completed as planned)");
        assert_eq!(list[list.len() - 2]["milestone"], "support_ended");
        assert!(!list.iter().any(|one| one.to_string().contains("Tutustuttiin")));

        // Without the consent nothing is told, neither of before nor of after.
        withdraw(&app, &path, &["feedback_to_referrer"]);
        assert!(told(&app, people.referrer, &milestones).is_empty());
        app.user(people.referrer).post(&acknowledge).send().problem(404, "not_found");
        let propose = json!({"link_worker_id": people.worker.to_string()});
        app.user(people.coordinator).post(&format!("{path}/assignments")).json(propose).send().expect(201);
        assert_eq!(told(&app, people.referrer, "/v1/milestones").len(), list.len());
        withdraw(&app, &path, &["process_referral"]);
        assert!(told(&app, people.referrer, &milestones).is_empty(), "the end of it neither");
    }
}

on_both! {
    fn who_does_not_want_to_hear_hears_nothing(app: TestApp) {
        let people = app.world.own;
        let mut body = about("Hiljainen");
        body["referrer"]["feedback_wanted"] = json!(false);
        let quiet = taken(&app, body);
        assert!(told(&app, people.referrer, &format!("{quiet}/milestones")).is_empty());
        let gone = taken(&app, about("Perunut"));
        step(&app, people.coordinator, &gone, "withdraw", json!({})).expect(200);
        let ended = items(app.user(people.referrer).get(&format!("{gone}/milestones")).send());
        assert_eq!((&ended[1]["milestone"], &ended[1]["outcome"]), (&json!("closed"), &json!("withdrawn")), "a withdrawn one has ended");
        withdraw(&app, &gone, &["feedback_to_referrer"]);
        let mut body = about("Suostumaton");
        body["consent"]["purposes"] = json!(["process_referral", "share_with_link_worker"]);
        let (closed, _) = assigned(&app, body);
        assert!(told(&app, people.referrer, &format!("{closed}/milestones")).is_empty());
        // A consent that is given later opens what was reached before, until its last day.
        let later = json!({
            "purposes": ["process_referral", "feedback_to_referrer"], "text_version": "2026-1", "language": "fi", "method": "oral", "valid_until": "2026-11-30"
        });
        app.user(people.coordinator).post(&format!("{closed}/consents")).json(later).send().expect(201);
        assert_eq!(told(&app, people.referrer, "/v1/milestones"), ["in_review", "link_worker_found"]);
        app.clock.advance_days(8);
        assert_eq!(told(&app, people.referrer, "/v1/milestones").len(), 2, "the last day");
        app.clock.advance_days(1);
        assert!(told(&app, people.referrer, "/v1/milestones").is_empty());
    }
}
