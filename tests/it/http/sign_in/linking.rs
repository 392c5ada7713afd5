//! Who may say that a name at an issuer is somebody here.

use lahete_domain::actor::Validity;
use lahete_domain::codes::Role;
use lahete_domain::ids::Id as _;
use lahete_domain::user::RoleAssignment;
use lahete_domain::version::Version;
use lahete_persistence::{Db, StoreError};
use serde_json::json;

use super::{Issuer, link_user, me, now_of};
use crate::support::app::text;
use crate::support::database::wait;
use crate::support::{Kind, TestApp, on_both};

const A: &str = "https://a.example";

on_both! {
    fn a_name_belongs_to_one_account_and_is_never_an_identity_code(app: TestApp) {
        let people = app.world.own;
        let admin = app.user(people.admin);
        let path = format!("/v1/users/{}/identities", people.coordinator);
        let link = link_user(&app, people.coordinator, A, "kaisa");
        let again = json!({"issuer": A, "subject": "kaisa"});
        admin.post(&path).json(again.clone()).send().problem(409, "identity_in_use");
        admin.post(&format!("/v1/users/{}/identities", people.referrer)).json(again).send().problem(409, "identity_in_use");
        link_user(&app, people.referrer, "https://b.example", "kaisa");
        for bad in [
            json!({"issuer": A, "subject": "070542-902F"}),
            json!({"issuer": A, "subject": "070542-902f"}),
            json!({"issuer": A, "subject": ""}),
            json!({"issuer": A, "subject": "a b"}),
            json!({"issuer": A, "subject": "x".repeat(256)}),
            json!({"issuer": "a.example", "subject": "x"}),
            json!({"issuer": "https://", "subject": "x"}),
            json!({"issuer": "https://a@b.example", "subject": "x"}),
            json!({"issuer": A}),
            json!({"issuer": A, "subject": "x", "role": "admin"}),
        ] {
            let refused = admin.post(&path).json(bad.clone()).send();
            assert!(!refused.text.contains("070542"), "{}", refused.text);
            refused.problem(422, "invalid");
        }
        // A link is taken away where it hangs, by whoever looks after the account.
        let elsewhere = link.replace(&people.coordinator.to_string(), &people.referrer.to_string());
        admin.post(&format!("{elsewhere}/remove")).send().problem(404, "not_found");
        app.user(app.world.other.admin).post(&format!("{link}/remove")).send().problem(404, "not_found");
        let removed = admin.post(&format!("{link}/remove")).send().expect(200);
        assert_eq!(removed["subject"], "kaisa");
        admin.post(&format!("{link}/remove")).send().problem(404, "not_found");
        assert_eq!(admin.get(&path).send().expect(200)["items"], json!([]));
        let relinked = link_user(&app, people.report_reader, A, "kaisa");
        let seen = admin.get(&format!("/v1/users/{}/identities", people.report_reader)).send().expect(200);
        assert_eq!(text(&seen["items"][0], "created_by"), people.admin.to_string());
        assert!(relinked.ends_with(&text(&seen["items"][0], "id")));
    }
}

on_both! {
    fn whoever_opens_an_account_administers_every_programme_that_it_works_in(app: TestApp) {
        let (people, other) = (app.world.own, app.world.other);
        let since = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let now = now_of(&app);
        let role = RoleAssignment {
            id: lahete_domain::ids::RoleAssignmentId::from_uuid(uuid::Uuid::now_v7()),
            version: Version::FIRST,
            programme: other.programme,
            user: people.coordinator,
            role: Role::Coordinator,
            organisation: None,
            validity: Validity { from: since, until: None },
            given_by: None,
            given_at: lahete_domain::time::Instant::new(chrono::DateTime::from_timestamp(now, 0).unwrap()),
        };
        wait(app.store.write(move |db: &mut Db<'_>| -> Result<(), StoreError> { db.role_assignment_insert(&role) })).unwrap();
        let path = format!("/v1/users/{}/identities", people.coordinator);
        let body = json!({"issuer": A, "subject": "mine"});
        // Otherwise an administrator here could call as a coordinator there.
        app.user(people.admin).post(&path).json(body.clone()).send().problem(403, "forbidden");
        app.user(other.admin).post(&path).json(body).send().problem(404, "not_found");
    }
}

/// A link that is taken away and given to another account: whoever comes with that name is the other one from then on, and never the first again.
#[test]
fn a_name_that_moves_to_another_account_never_opens_the_first_again() {
    for kind in [Kind::Sqlite, Kind::Postgresql] {
        let issuer = Issuer::es(A, "a1");
        let issuers = json!([issuer.table(&["ES256"], json!({}))]).to_string();
        let app = TestApp::start_with(kind, &[("issuers", &issuers)]);
        let people = app.world.own;
        let token = |app: &TestApp| issuer.key.token(&issuer.header("ES256"), &issuer.claims(app, "kaisa"));
        let link = link_user(&app, people.coordinator, A, "kaisa");
        let before = token(&app);
        assert_eq!(me(&app, &before).expect(200)["id"], people.coordinator.to_string());
        app.user(people.admin).post(&format!("{link}/remove")).send().expect(200);
        me(&app, &before).problem(401, "identity_not_linked");
        app.clock.advance_minutes(1);
        link_user(&app, people.referrer, A, "kaisa");
        assert_eq!(me(&app, &token(&app)).expect(200)["id"], people.referrer.to_string());
        assert_eq!(me(&app, &before).expect(200)["id"], people.referrer.to_string(), "it says kaisa, and kaisa is the referrer now");
    }
}
