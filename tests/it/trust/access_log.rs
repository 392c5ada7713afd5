//! The client's own view of who has seen their data: two years freely, older events for a stated reason.

use serde_json::json;

use crate::http::cases::{Built, Origin, Stage, prepare};
use crate::support::on_both;

on_both! {
    fn two_years_are_free_and_older_ones_need_a_reason(app: TestApp) {
        let people = app.world.own;
        prepare(&app);
        let built = Built::new(&app, Origin::Referrer, Stage::InReview);
        let client = format!("/v1/clients/{}", built.id("client_id"));
        app.user(people.coordinator).get(&client).send().expect(200);
        let own = app.user(people.client);
        let looks = |path: &str, reason: Option<&str>| {
            let call = own.get(path);
            let log = reason.into_iter().fold(call, |call, reason| call.header("x-access-reason", reason)).send().expect(200);
            let items = log["items"].as_array().unwrap().clone();
            items.into_iter().filter(|item| item["operation"] == "client_view" && item["who"] == "coordinator (own)").count()
        };
        let now = looks("/v1/me/access-log", None);
        assert!(now > 0);
        app.clock.set("2028-11-21T10:00:00Z");
        assert_eq!(looks("/v1/me/access-log", None), now, "not yet two years");
        app.clock.set("2028-11-23T10:00:00Z");
        assert_eq!(looks("/v1/me/access-log", None), 0, "older than two years");
        own.get("/v1/me/access-log?older=true").send().problem(403, "access_reason_required");
        assert_eq!(looks("/v1/me/access-log?older=true", Some("Valitus vuodelta 2026")), now);
        assert_eq!(looks("/v1/me/access-log?older=false", None), 0);
        let officer = app.user(people.privacy_officer);
        officer.get(&format!("{client}/access-log?older=true")).send().problem(403, "access_reason_required");
        let log = officer.get(&format!("{client}/access-log?older=true")).header("x-access-reason", "Valitus").send().expect(200);
        assert!(log["items"].as_array().unwrap().iter().any(|item| item["operation"] == "client_view"));
        // The reason is on record, for the client to see.
        let seen = own.get("/v1/me/access-log").send().expect(200);
        let look = seen["items"].as_array().unwrap().iter().find(|item| item["role"] == "privacy_officer").unwrap().clone();
        assert_eq!((&look["reason"], &look["operation"]), (&json!("Valitus"), &json!("client_access_log")));
        own.get("/v1/me/access-log?older=perhaps").send().problem(400, "invalid_parameter");
    }
}
