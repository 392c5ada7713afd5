//! A client who signs in with their identity code finds their own, and nobody else's.

use lahete_domain::ids::Id as _;
use serde_json::{Value, json};

use super::{Issuer, as_bearer, me};
use crate::http::cases::{CLIENT_CODE, about_the_client};
use crate::support::app::text;
use crate::support::{Kind, TestApp};

const SUOMI: &str = "https://tunnistus.example";
const CLAIM: &str = "urn:oid:1.2.246.21";

struct Stage {
    app: TestApp,
    issuer: Issuer,
}

impl Stage {
    fn new(kind: Kind, more: Value) -> Self {
        let issuer = Issuer::es(SUOMI, "s1");
        let mut table = json!({"callers": ["clients"], "identity_code_claim": CLAIM});
        for (name, value) in more.as_object().unwrap() {
            table[name] = value.clone();
        }
        let issuers = json!([issuer.table(&["ES256"], table)]);
        let app = TestApp::start_with(kind, &[("issuers", &issuers.to_string()), ("max_in_flight", "200")]);
        Self { app, issuer }
    }

    fn token(&self, subject: &str, code: &str) -> String {
        let mut claims = self.issuer.claims(&self.app, subject);
        claims[CLAIM] = json!(code);
        self.issuer.key.token(&self.issuer.header("ES256"), &claims)
    }

    fn refer(&self) -> Value {
        self.app.user(self.app.world.own.referrer).post("/v1/referrals").json(about_the_client()).send().expect(201)
    }

    fn referrals(&self, token: &str) -> Vec<Value> {
        as_bearer(&self.app, token, "/v1/me/referrals").send().expect(200)["items"].as_array().unwrap().clone()
    }
}

fn both(test: fn(Kind)) {
    test(Kind::Sqlite);
    test(Kind::Postgresql);
}

#[test]
fn the_first_call_finds_the_client_and_every_later_one_the_same() {
    both(|kind| {
        let stage = Stage::new(kind, json!({}));
        let referral = stage.refer();
        let token = stage.token("pairwise-1", CLIENT_CODE);
        // Ten at once, the first of all: one account, one link, one role.
        let answers: Vec<Value> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..10).map(|_| scope.spawn(|| me(&stage.app, &token).expect(200))).collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
        assert_eq!(answers[0]["roles"].as_array().unwrap().len(), 1);
        assert_eq!(answers[0]["roles"][0]["role"], "client");
        let mine = stage.referrals(&token);
        assert_eq!(mine.iter().map(|one| text(one, "id")).collect::<Vec<_>>(), [text(&referral, "id")]);
        // Another token of the same person, an hour later.
        stage.app.clock.advance_minutes(60);
        let later = stage.token("pairwise-1", CLIENT_CODE);
        assert_eq!(me(&stage.app, &later).expect(200)["id"], answers[0]["id"]);
        // And from another program of theirs, under another name at the issuer: the same account.
        let other = stage.token("pairwise-2", &CLIENT_CODE.to_lowercase());
        assert_eq!(me(&stage.app, &other).expect(200)["id"], answers[0]["id"]);
        // The trail tells of the link, once.
        let client = text(&referral["client"], "id");
        let path = format!("/v1/audit-events?client_id={client}&limit=200");
        let trail = stage.app.user(stage.app.world.own.privacy_officer).get(&path).send().expect(200);
        let links = trail["items"].as_array().unwrap().iter().filter(|event| event["operation"] == "sign_in").count();
        assert_eq!(links, 1, "{trail}");
        // An administrator sees that there is an account, and not whose.
        let users = stage.app.user(stage.app.world.own.admin).get("/v1/users?limit=200").send().expect(200);
        let account = users["items"].as_array().unwrap().iter().find(|user| user["id"] == answers[0]["id"]).unwrap().clone();
        assert_eq!(account["name"], "Asiakas");
        assert!(!users.to_string().contains(CLIENT_CODE));
        let identities =
            stage.app.user(stage.app.world.own.admin).get(&format!("/v1/users/{}/identities", text(&account, "id"))).send().expect(200);
        assert!(!identities.to_string().contains(CLIENT_CODE));
        assert_eq!(identities["items"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn somebody_elses_code_opens_somebody_elses_and_a_stranger_sees_nothing() {
    both(|kind| {
        let stage = Stage::new(kind, json!({}));
        stage.refer();
        let stranger = stage.token("stranger", "131052-308T");
        assert_eq!(me(&stage.app, &stranger).expect(200)["roles"], json!([]), "several programmes, and none that is theirs");
        assert!(stage.referrals(&stranger).is_empty());
        // The client's code was written wrongly and is corrected: what was opened by it closes again.
        let token = stage.token("pairwise-1", CLIENT_CODE);
        assert_eq!(stage.referrals(&token).len(), 1);
        let coordinator = stage.app.user(stage.app.world.own.coordinator);
        let list = coordinator.get("/v1/referrals").send().expect(200);
        let client = text(&list["items"][0], "client_id");
        let path = format!("/v1/clients/{client}");
        let version = coordinator.get(&path).send().version();
        let change = json!({"personal_identity_code": "131052-308T", "birth_date": "1952-10-13"});
        coordinator.patch(&path).if_match(version).json(change).send().expect(200);
        stage.app.clock.advance_minutes(1);
        assert!(stage.referrals(&token).is_empty());
        assert_eq!(stage.referrals(&stranger).len(), 1, "and opens for the one whose code it is");
    });
}

#[test]
fn an_account_that_somebody_works_with_is_not_opened_by_an_identity_code() {
    both(|kind| {
        let stage = Stage::new(kind, json!({}));
        let referral = stage.refer();
        let people = stage.app.world.own;
        let coordinator = stage.app.user(people.coordinator);
        let path = format!("/v1/clients/{}", text(&referral["client"], "id"));
        let version = coordinator.get(&path).send().version();
        let body = json!({"user_id": people.referrer.to_string()});
        coordinator.post(&format!("{path}/link-user")).if_match(version).json(body).send().expect(200);
        let token = stage.token("pairwise-1", CLIENT_CODE);
        let seen = me(&stage.app, &token).expect(200);
        assert_ne!(seen["id"], people.referrer.as_uuid().to_string());
        assert_eq!(seen["roles"], json!([]));
        assert!(stage.referrals(&token).is_empty());
    });
}

#[test]
fn a_person_who_is_nobodys_client_yet_writes_for_themself_in_the_home_programme() {
    both(|kind| {
        let stage = Stage::new(kind, json!({"home_programme": "01900000-0000-7000-8000-000000001001"}));
        assert_eq!(stage.app.world.own.programme.to_string(), "01900000-0000-7000-8000-000000001001");
        let token = stage.token("pairwise-9", CLIENT_CODE);
        let seen = me(&stage.app, &token).expect(200);
        assert_eq!((&seen["roles"][0]["role"], seen["roles"].as_array().unwrap().len()), (&json!("client"), 1));
        assert!(stage.referrals(&token).is_empty());
        let mut body = about_the_client();
        body["referrer"] = Value::Null;
        let bearer = format!("Bearer {token}");
        let sent = stage.app.nobody().post("/v1/referrals").header("authorization", bearer.as_str()).json(body).send().expect(201);
        assert_eq!(sent["referrer"]["channel"], "self");
        stage.app.clock.advance_minutes(1);
        assert_eq!(stage.referrals(&token).len(), 1, "now they are a client, and find it");
        // Who took the role away meant it.
        let admin = stage.app.user(stage.app.world.own.admin);
        let roles = admin.get(&format!("/v1/role-assignments?user_id={}", text(&seen, "id"))).send().expect(200);
        let role = format!("/v1/role-assignments/{}", text(&roles["items"][0], "id"));
        stage.app.clock.advance_days(1);
        admin.post(&format!("{role}/end")).if_match(1).json(json!({})).send().expect(200);
        let token = stage.token("pairwise-9", CLIENT_CODE);
        assert_eq!(me(&stage.app, &token).expect(200)["roles"], json!([]));
    });
}
