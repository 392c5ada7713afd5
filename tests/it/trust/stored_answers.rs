//! Answers that are kept under an idempotency key: given again to the byte, and readable in no dump.

use lahete_persistence::{Db, StoreError};
use serde_json::json;

use crate::http::cases::about_the_client;
use crate::support::app::text;
use crate::support::database::wait;
use crate::support::{Kind, TestApp, on_both};

fn rows(app: &TestApp) -> Vec<String> {
    let columns = ["caller", "operation", "key", "fingerprint", "id", "client_id", "answer"];
    wait(app.store.read(move |db: &mut Db<'_>| -> Result<Vec<String>, StoreError> { db.schema_rows("idempotency_keys", &columns) }))
        .unwrap()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

on_both! {
    fn they_are_sealed_and_given_again_to_the_byte(app: TestApp) {
        let referrer = app.user(app.world.own.referrer);
        let send = || referrer.post("/v1/referrals").key("sealed-1").json(about_the_client()).send();
        let (first, again) = (send(), send());
        assert_eq!((first.status, again.status), (201, 201));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!((&first.text, first.header("etag"), first.header("location")), (&again.text, again.header("etag"), again.header("location")));
        let kept = rows(&app);
        assert_eq!(kept.len(), 1);
        let name = "Esimerkki";
        assert!(first.text.contains(name));
        let kept = kept.join("\n").to_lowercase();
        assert!(!kept.contains(&name.to_lowercase()) && !kept.contains(&hex(name)), "{kept}");
        assert!(kept.contains(&text(&first.json()["client"], "id")), "it is tied to the client");
    }
}

on_both! {
    fn the_answer_about_a_draft_follows_its_client(app: TestApp) {
        let referrer = app.user(app.world.own.referrer);
        let known = referrer.post("/v1/referrals").json(about_the_client()).send().expect(201);
        let mut body = about_the_client();
        body["submit"] = json!(false);
        let draft = referrer.post("/v1/referrals").key("draft-1").json(body).send().expect(201);
        assert_ne!(draft["client"]["id"], known["client"]["id"]);
        let path = format!("/v1/referrals/{}/submit", text(&draft, "id"));
        let sent = referrer.post(&path).if_match(1).key("draft-2").send();
        assert_eq!(sent.status, 200, "{}", sent.text);
        let kept = rows(&app);
        let client = text(&known["client"], "id");
        assert_eq!(kept.len(), 2);
        assert!(kept.iter().all(|row| row.contains(&client)), "{kept:?}");
    }
}

#[test]
fn a_copied_answer_is_not_given() {
    let app = TestApp::start(Kind::Sqlite);
    let referrer = app.user(app.world.own.referrer);
    for (key, name) in [("a", "Aino"), ("b", "Bertta")] {
        let mut body = crate::http::complete_referral();
        body["client"]["given_name"] = json!(name);
        referrer.post("/v1/referrals").key(key).json(body).send().expect(201);
    }
    // Somebody who can write to the database puts the answer of one key behind another.
    let path = app.database.url.strip_prefix("sqlite:").unwrap().to_owned();
    let raw = rusqlite::Connection::open(path).unwrap();
    raw.execute("UPDATE idempotency_keys SET answer = (SELECT answer FROM idempotency_keys WHERE key = 'a') WHERE key = 'b'", ()).unwrap();
    drop(raw);
    let mut body = crate::http::complete_referral();
    body["client"]["given_name"] = json!("Bertta");
    let reply = referrer.post("/v1/referrals").key("b").json(body).send();
    assert_eq!(reply.status, 500, "{}", reply.text);
    assert!(!reply.text.contains("Aino"));
}
