//! The demo world as it is stored, and the rooms of administration tried on it.

use super::*;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::Data;
use actix_web::{Error, body::MessageBody};
use secrecy::SecretSlice;
use serde_json::{Value, json};

use crate::auth::keys::SigningKey;
use crate::auth::token::{Audience, Claims, sign};
use crate::config::Config;
use crate::id_source::UuidV7;
use crate::startup::build_app;
use crate::state::{AppState, Secrets};
use lahete_domain::access::{Action, Visibility, visibility};
use lahete_domain::actor::Caller;
use lahete_domain::codes::{Code as _, ReferralStateCode};
use lahete_domain::ids::{ReferralId, RoleAssignmentId, UserId};
use lahete_persistence::repo::referrals::ReferralFilter;
use lahete_persistence::{DbUrl, Keys, PageRequest, StoreError, StoreOptions};

fn at(text: &str) -> Instant {
    Instant::new(text.parse().expect("an instant"))
}

async fn world(name: &str) -> (Store, std::path::PathBuf) {
    let path = std::env::temp_dir().join(format!("lahete-demo-{}-{name}.db", std::process::id()));
    let keys = Arc::new(Keys::from_bytes(1, &[7; 32]).expect("a key"));
    let store = Store::open(&DbUrl::Sqlite(path.clone()), StoreOptions::new(keys, Arc::new(UuidV7))).expect("a store");
    store.migrate().await.expect("migrated");
    (store, path)
}

fn forget(path: &std::path::Path) {
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}

#[actix_web::test]
async fn the_world_is_made_once_and_gives_a_coordinator_something_to_do() {
    let (store, path) = world("once").await;
    let now = at("2026-11-22T10:00:00Z");
    assert!(seed(&store, Arc::new(UuidV7), now).await.expect("seeded"));
    assert!(!seed(&store, Arc::new(UuidV7), now).await.expect("seeded"));
    let states = store
        .read(move |db: &mut Db<'_>| -> Result<Vec<ReferralStateCode>, StoreError> {
            let kaisa = db.actor(Caller::User(id(0x0021)), now.helsinki_date())?;
            let visible: Visibility = visibility(&kaisa, Action::ReferralView);
            let page = db.referral_list(&visible, &ReferralFilter::default(), now.helsinki_date(), &PageRequest::first(50))?;
            let mut states: Vec<_> = page.items.iter().map(|case| case.referral.state.code()).collect();
            states.sort_unstable();
            Ok(states)
        })
        .await
        .expect("listed");
    let names: Vec<_> = states.iter().map(|state| state.as_str()).collect();
    let expected = ["submitted", "in_review", "in_review", "awaiting_information", "waitlisted", "in_support", "directly_guided"];
    assert_eq!(names, expected);
    let aino = store.read(|db: &mut Db<'_>| db.referral_case(id::<ReferralId>(0x0060))).await.expect("read").expect("there");
    assert_eq!(aino.referral.client, id(0x0050));
    assert_eq!(aino.link_worker_user, Some(id(0x0022)));
    assert!(store.read(|db: &mut Db<'_>| db.audit_verify()).await.expect("checked").is_sound());
    store.close().await;
    forget(&path);
}

#[actix_web::test]
async fn before_the_first_day_there_are_no_roles_and_a_closed_account_has_none() {
    let (store, path) = world("roles").await;
    assert!(seed(&store, Arc::new(UuidV7), at("2022-01-03T10:00:00Z")).await.expect("seeded"));
    let grants = store
        .write(|db: &mut Db<'_>| -> Result<Vec<usize>, StoreError> {
            let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
            let antti: UserId = id(0x0026);
            let mut found = vec![
                db.actor(Caller::User(antti), day("2021-12-31"))?.grants.len(),
                db.actor(Caller::User(antti), day("2022-01-01"))?.grants.len(),
                db.actor(Caller::ApiClient(id(0x0028)), day("2022-01-01"))?.grants.len(),
                db.actor(Caller::Anonymous, day("2022-01-01"))?.grants.len(),
            ];
            let admins = db.admins_on(programme(), day("2022-01-01"))?;
            assert_eq!(admins, [(id::<RoleAssignmentId>(0x0076), antti)]);
            let user = db.user_get(antti)?.expect("there");
            db.user_update(&User { active: false, ..user.clone() }, user.version)?;
            found.push(db.actor(Caller::User(antti), day("2022-01-01"))?.grants.len());
            assert!(db.admins_on(programme(), day("2022-01-01"))?.is_empty());
            let client = db.api_client_get(id(0x0028))?.expect("there");
            db.api_client_update(&ApiClient { active: false, ..client.clone() }, client.version, None)?;
            found.push(db.actor(Caller::ApiClient(id(0x0028)), day("2022-01-01"))?.grants.len());
            assert!(matches!(db.api_client_update(&client, client.version, None), Err(StoreError::Stale)));
            Ok(found)
        })
        .await
        .expect("asked");
    assert_eq!(grants, [0, 1, 1, 0, 0, 0]);
    store.close().await;
    forget(&path);
}

struct Fixed(Instant);

impl lahete_domain::time::Clock for Fixed {
    fn now(&self) -> Instant {
        self.0
    }
}

struct Reply {
    status: u16,
    etag: Option<String>,
    body: Value,
}

impl Reply {
    #[track_caller]
    fn good(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    #[track_caller]
    fn problem(self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
    }
}

struct Caller2<'a> {
    key: &'a SigningKey,
    now: Instant,
}

impl Caller2<'_> {
    fn token(&self, tail: u16) -> String {
        let now = self.now.utc().timestamp();
        let claims = Claims {
            iss: "http://lahete.test".to_owned(),
            sub: format!("user:{}", id::<UserId>(tail)),
            aud: Audience::One("lahete-api".to_owned()),
            client_id: "test".to_owned(),
            iat: now,
            exp: now + 300,
            nbf: None,
            jti: "1".to_owned(),
        };
        sign(self.key, &claims).expect("signed")
    }

    async fn call<S, B>(&self, app: &S, user: u16, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Reply
    where
        S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody,
    {
        let mut request = TestRequest::with_uri(path)
            .peer_addr(([127, 0, 0, 1], 4000).into())
            .insert_header(("authorization", format!("Bearer {}", self.token(user))));
        if let Some(body) = body {
            let media = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
            request = request.insert_header(("content-type", media)).set_payload(body.to_string());
        }
        for header in headers {
            request = request.insert_header(*header);
        }
        let response = call_service(app, request.method(method).to_request()).await;
        let status = response.status().as_u16();
        let etag = response.headers().get("etag").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let bytes = read_body(response).await;
        Reply { status, etag, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }
}
