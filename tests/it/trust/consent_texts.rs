//! What clients agree to, word for word: published once, never changed, named by every consent.

use serde_json::{Value, json};

use crate::http::cases::{Built, Origin, Stage, about_the_client, prepare};
use crate::support::app::text;
use crate::support::{TestApp, on_both};

fn new_text(app: &TestApp, version: &str, language: &str) -> Value {
    json!({
        "programme_id": app.world.own.programme.to_string(), "version": version, "language": language,
        "body": "Suostun lähetteeseen ja voin perua sen.\nMilloin tahansa.", "valid_from": "2026-12-01"
    })
}

on_both! {
    fn a_text_is_published_once_and_read_by_everybody(app: TestApp) {
        let people = app.world.own;
        let admin = app.user(people.admin);
        let created = admin.post("/v1/consent-texts").json(new_text(&app, "2026-3", "sv")).send();
        let location = created.header("location").unwrap().to_owned();
        let created = created.expect(201);
        let mut shown = app.nobody().get(&location).send().expect(200);
        assert_eq!(shown, created);
        assert_eq!(shown["body"].take(), "Suostun lähetteeseen ja voin perua sen.\nMilloin tahansa.");
        admin.post("/v1/consent-texts").json(new_text(&app, "2026-3", "sv")).send().problem(409, "consent_text_exists");
        admin.post("/v1/consent-texts").json(new_text(&app, "2026-3", "se")).send().expect(201);
        for method in ["PUT", "PATCH", "DELETE"] {
            app.user(people.admin).call(method, &location).header("if-match", "\"1\"").send().problem(405, "method_not_allowed");
        }
        let mut late = new_text(&app, "2026-4", "fi");
        late["valid_from"] = json!("2026-11-21");
        let fault = admin.post("/v1/consent-texts").json(late).send().problem(422, "invalid");
        assert_eq!(fault["errors"][0]["pointer"], "/valid_from");
        for (user, status) in [(people.coordinator, 404), (people.privacy_officer, 404), (app.world.other.admin, 404)] {
            assert_eq!(app.user(user).post("/v1/consent-texts").json(new_text(&app, "2026-5", "fi")).send().status, status);
        }
        app.nobody().post("/v1/consent-texts").json(new_text(&app, "2026-5", "fi")).send().problem(401, "unauthenticated");

        let list = |query: &str| {
            let list = app.nobody().get(&format!("/v1/consent-texts?limit=200&{query}")).send().expect(200);
            list["items"].as_array().unwrap().iter().map(|item| format!("{} {}", text(item, "version"), text(item, "language"))).collect::<Vec<_>>()
        };
        let own = format!("programme_id={}", people.programme);
        assert_eq!(list(&format!("{own}&language=sv")), ["2026-2 sv", "2026-1 sv"], "in use today");
        assert_eq!(list(&format!("{own}&language=sv&usable=false")), ["2027-1 sv", "2026-3 sv", "2026-2 sv", "2026-1 sv"]);
        assert_eq!(list("municipality=758&version=2026-1").len(), 6, "a form knows where the client lives");
        assert_eq!(list("municipality=148&language=fi").len(), 2);
        assert_eq!(list(&format!("municipality=148&{own}")), Vec::<String>::new());
    }
}

on_both! {
    fn a_consent_names_a_text_that_there_is(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let refused = |version: &str, language: &str| {
            let mut body = about_the_client();
            body["consent"]["text_version"] = json!(version);
            body["consent"]["language"] = json!(language);
            let fault = app.user(people.referrer).post("/v1/referrals").json(body).send().problem(422, "invalid");
            let fault = fault["errors"][0].clone();
            assert_eq!((&fault["pointer"], &fault["code"]), (&json!("/consent/text_version"), &json!("unknown_consent_text")), "{fault}");
            assert!(fault["params"]["available"].as_array().unwrap().contains(&json!({"text_version": "2026-1", "language": "fi"})), "{fault}");
        };
        refused("1999-1", "fi");
        refused("2027-1", "fi");
        app.user(people.admin).post("/v1/consent-texts").json(new_text(&app, "2026-3", "sv")).send().expect(201);
        refused("2026-3", "sv");
        refused("2026-3", "fi");
        app.clock.set_day("2026-12-01");
        let mut body = about_the_client();
        body["consent"]["text_version"] = json!("2026-3");
        body["consent"]["language"] = json!("sv");
        let sent = app.user(people.referrer).post("/v1/referrals").json(body).send().expect(201);
        let path = format!("/v1/referrals/{}/consents", text(&sent, "id"));
        let consents = app.user(people.coordinator).get(&path).send().expect(200);
        assert_eq!((&consents["items"][0]["text_version"], &consents["items"][0]["language"]), (&json!("2026-3"), &json!("sv")));

        // Whichever way it comes: by the coordinator, into a draft, without a sign-in.
        let built = Built::new(&app, Origin::Referrer, Stage::InReview);
        let unknown = json!({"purposes": ["process_referral"], "text_version": "x", "language": "fi", "method": "oral"});
        let place = format!("/v1/referrals/{}/consents", built.id("referral_id"));
        let fault = app.user(people.coordinator).post(&place).json(unknown.clone()).send().problem(422, "invalid");
        assert_eq!(fault["errors"][0]["pointer"], "/text_version");
        let draft = Built::new(&app, Origin::Referrer, Stage::Draft);
        let place = format!("/v1/referrals/{}", draft.id("referral_id"));
        let change = app.user(people.referrer).patch(&place).if_match(draft.version("referral_id")).json(json!({"consent": unknown}));
        assert_eq!(change.send().problem(422, "invalid")["errors"][0]["pointer"], "/consent/text_version");
        let open = json!({
            "client": {"given_name": "Eino", "family_name": "Esimerkki", "birth_year": 1950, "municipality": "758"},
            "referrer": {"sector": "parish"}, "reasons": ["loneliness"], "not_a_service_acknowledged": true,
            "consent": {"purposes": ["process_referral"], "text_version": "x", "language": "fi"}
        });
        let fault = app.nobody().post("/v1/public/referrals").json(open).send().problem(422, "invalid");
        assert_eq!(fault["errors"][0]["pointer"], "/consent/text_version");
    }
}

on_both! {
    fn the_database_itself_keeps_what_was_published(app: TestApp) {
        use lahete_persistence::{Db, StoreError};
        for statement in ["UPDATE consent_texts SET body = 'toinen'", "DELETE FROM consent_texts"] {
            let tried: Result<(), StoreError> = crate::support::database::wait(app.store.write(move |db: &mut Db<'_>| db.schema_try(statement)));
            assert!(tried.is_err(), "{statement}");
        }
        assert_eq!(app.nobody().get("/v1/consent-texts?usable=false&limit=200").send().expect(200)["items"].as_array().unwrap().len(), 36);
    }
}
