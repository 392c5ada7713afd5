//! The demo world as it is stored, and the rooms of administration tried on it.

use super::*;
use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::Data;
use serde_json::{Value, json};

use crate::auth::keys::{DataKeys, SigningKey};
use crate::auth::token::{Audience, Claims, sign};
use crate::config::Config;
use crate::id_source::UuidV7;
use crate::startup::build_app;
use crate::state::{AppState, Secrets};
use lahete_domain::access::{Action, Visibility, visibility};
use lahete_domain::actor::Caller;
use lahete_domain::codes::ReferralStateCode;
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
    let expected = [
        "submitted",
        "submitted",
        "in_review",
        "in_review",
        "awaiting_information",
        "waitlisted",
        "deferred",
        "assigned",
        "in_support",
        "in_support",
        "in_support",
        "in_support",
        "directly_guided",
        "closed",
    ];
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

fn token(key: &SigningKey, tail: u16, now: Instant) -> String {
    let now = now.utc().timestamp();
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
    sign(key, &claims).expect("signed")
}

#[actix_web::test]
async fn the_rooms_of_administration_do_their_work() {
    const ANTTI: u16 = 0x0026;
    const KAISA: u16 = 0x0021;
    const TIINA: u16 = 0x0025;
    let (store, path) = world("rooms").await;
    let now = at("2026-11-22T10:00:00Z");
    assert!(seed(&store, Arc::new(UuidV7), now).await.expect("seeded"));
    let key = SigningKey::generate().expect("a key");
    let secrets = Secrets { signing_key: key.clone(), data_keys: DataKeys::single(&[7; 32]) };
    let config =
        Config::from_pairs(&[("database", "sqlite::unused"), ("issuer", "http://lahete.test"), ("base_url", "http://lahete.test")]);
    let state = AppState::new(config.expect("settings"), store.clone(), Arc::new(Fixed(now)), Arc::new(UuidV7), &secrets).expect("a state");
    let app = init_service(build_app(Data::new(state))).await;

    macro_rules! call {
        ($user:expr, $method:ident $path:expr $(, $name:literal = $value:expr)* $(; $body:expr)?) => {{
            let request = TestRequest::with_uri(&$path)
                .method(Method::$method)
                .peer_addr(([127, 0, 0, 1], 4000).into())
                .insert_header(("authorization", format!("Bearer {}", token(&key, $user, now))));
            $(let request = request.insert_header(($name, $value));)*
            $(
                let media = if Method::$method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
                let request = request.insert_header(("content-type", media)).set_payload($body.to_string());
            )?
            let response = call_service(&app, request.to_request()).await;
            let status = response.status().as_u16();
            let etag = response.headers().get("etag").and_then(|value| value.to_str().ok()).map(str::to_owned);
            let bytes = read_body(response).await;
            Reply { status, etag, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
        }};
    }
    let programme_id = programme().to_string();

    // Programmes and terms.
    let programmes = call!(KAISA, GET "/v1/programmes").good(200);
    assert_eq!(programmes["items"][0]["municipalities"], json!(["261", "320", "742", "758"]));
    let path_of = format!("/v1/programmes/{programme_id}");
    call!(KAISA, PATCH path_of, "if-match" = "\"1\""; json!({"active": false})).problem(403, "forbidden");
    call!(ANTTI, PATCH path_of; json!({"active": false})).problem(428, "precondition_required");
    call!(ANTTI, PATCH path_of, "if-match" = "\"2\""; json!({"active": false})).problem(412, "stale_version");
    call!(ANTTI, PATCH path_of, "if-match" = "\"1\""; json!({"name": null})).problem(422, "invalid");
    let changed = call!(ANTTI, PATCH path_of, "if-match" = "\"1\""; json!({"municipalities": ["758", "890"], "privacy_notice_url": null}));
    assert_eq!(changed.etag.as_deref(), Some("\"2\""));
    let changed = changed.good(200);
    assert_eq!((&changed["municipalities"], &changed["privacy_notice_url"]), (&json!(["758", "890"]), &Value::Null));
    let terms = json!({"valid_from": "2027-01-01", "max_months": 6, "max_minutes_per_month": 600, "fee_per_hour": "13.50"});
    call!(ANTTI, POST format!("{path_of}/terms"); terms).good(201);
    call!(ANTTI, POST format!("{path_of}/terms"); terms).problem(409, "period_overlaps");
    let dear = json!({"valid_from": "2028-01-01", "max_months": 7, "max_minutes_per_month": 600, "fee_per_hour": "-1.00"});
    call!(ANTTI, POST format!("{path_of}/terms"); dear).problem(422, "invalid");
    let page = call!(KAISA, GET format!("{path_of}/terms?limit=1")).good(200);
    assert_eq!(page["items"][0]["valid_from"], "2027-01-01");
    let next = page["page"]["next"].as_str().expect("a second page").to_owned();
    assert_eq!(call!(KAISA, GET next).good(200)["items"][0]["valid_from"], "2022-01-01");
    let new = json!({"name": "Kittilän hyvinvointilähete", "controller": "Kittilän kunta", "municipalities": ["261"]});
    call!(KAISA, POST "/v1/programmes"; new).problem(403, "forbidden");
    let kittila = call!(ANTTI, POST "/v1/programmes"; new).good(201);
    assert_eq!(call!(ANTTI, GET "/v1/programmes").good(200)["items"].as_array().map(Vec::len), Some(2));
    let kittila = kittila["id"].as_str().expect("an id").to_owned();
    call!(KAISA, GET format!("/v1/programmes/{kittila}")).problem(404, "not_found");

    // Organisations.
    let found = call!(KAISA, GET "/v1/organisations?kind=parish&active=true&municipality=758").good(200);
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(call!(KAISA, GET format!("/v1/organisations?programme_id={kittila}")).good(200)["items"], json!([]));
    let library = json!({"programme_id": programme_id, "name": "Kirjasto", "kind": "municipality", "sector": "education_culture"});
    call!(KAISA, POST "/v1/organisations"; library).problem(403, "forbidden");
    let library = call!(ANTTI, POST "/v1/organisations"; library).good(201);
    let library = library["id"].as_str().expect("an id").to_owned();
    let closed = call!(ANTTI, PATCH format!("/v1/organisations/{library}"), "if-match" = "\"1\""; json!({"active": false, "sector": null}));
    assert_eq!(closed.good(200)["sector"], Value::Null);

    // Users and roles.
    let new = json!({"programme_id": programme_id, "login": "kerttu", "name": "Kerttu Kotihoito"});
    call!(ANTTI, POST "/v1/users"; json!({"programme_id": programme_id, "login": "Kerttu", "name": "K", "password": "x"}))
        .problem(422, "invalid");
    let kerttu = call!(ANTTI, POST "/v1/users"; new).good(201);
    call!(ANTTI, POST "/v1/users"; new).problem(409, "login_in_use");
    call!(KAISA, GET "/v1/users/01900000-0000-7000-8000-000000000020").problem(404, "not_found");
    assert_eq!(call!(ANTTI, GET "/v1/users").good(200)["items"].as_array().map(Vec::len), Some(12));
    let kerttu = kerttu["id"].as_str().expect("an id").to_owned();
    let role = |role: &str| json!({"programme_id": programme_id, "user_id": kerttu, "role": role});
    call!(ANTTI, POST "/v1/role-assignments"; role("integration")).problem(409, "role_for_machines");
    let mut with_library = role("referrer");
    with_library["organisation_id"] = json!(library);
    call!(ANTTI, POST "/v1/role-assignments"; with_library).problem(409, "organisation_not_in_programme");
    let given = call!(ANTTI, POST "/v1/role-assignments"; role("coordinator")).good(201);
    call!(ANTTI, POST "/v1/role-assignments"; role("coordinator")).problem(409, "role_already_given");
    let given = format!("/v1/role-assignments/{}", given["id"].as_str().expect("an id"));
    call!(ANTTI, POST format!("{given}/end"), "if-match" = "\"1\""; json!({"last_day": "2026-01-01"}))
        .problem(409, "last_day_out_of_range");
    call!(ANTTI, POST format!("{given}/end"); json!({})).problem(428, "precondition_required");
    let ended = call!(ANTTI, POST format!("{given}/end"), "if-match" = "\"1\""; json!({})).good(200);
    assert_eq!(ended["valid_until"], "2026-11-21");
    call!(ANTTI, POST format!("{given}/end"), "if-match" = "\"2\""; json!({})).problem(409, "role_already_ended");
    let own = "/v1/role-assignments/01900000-0000-7000-8000-000000000076";
    call!(ANTTI, POST format!("{own}/end"), "if-match" = "\"1\""; json!({})).problem(409, "last_admin");
    let antti = "/v1/users/01900000-0000-7000-8000-000000000026";
    call!(ANTTI, PATCH antti, "if-match" = "\"1\""; json!({"active": false})).problem(409, "last_admin");
    let listed = call!(ANTTI, GET format!("/v1/role-assignments?user_id={kerttu}&active_on=2026-11-22")).good(200);
    assert_eq!(listed["items"], json!([]));

    // Machines.
    let new = json!({
        "programme_id": programme_id, "name": "Toinen järjestelmä", "source_system": "other-ehr",
        "organisation_ids": ["01900000-0000-7000-8000-000000000011"]
    });
    let first = call!(ANTTI, POST "/v1/api-clients", "idempotency-key" = "a-1"; new).good(201);
    let again = call!(ANTTI, POST "/v1/api-clients", "idempotency-key" = "a-1"; new).good(201);
    assert!(first["client_secret"].as_str().is_some_and(|secret| secret.starts_with("lahete_")));
    assert_eq!((&again["id"], &again["client_secret"]), (&first["id"], &Value::Null));
    let machine = format!("/v1/api-clients/{}", first["id"].as_str().expect("an id"));
    let rotated = call!(ANTTI, POST format!("{machine}/rotate-secret"), "if-match" = "\"1\""; json!({})).good(200);
    assert_ne!(rotated["client_secret"], first["client_secret"]);
    call!(ANTTI, POST format!("{machine}/rotate-secret"), "if-match" = "\"2\""; json!({"secret_expires_at": "2020-01-01T00:00:00Z"}))
        .problem(422, "invalid");
    assert_eq!(call!(ANTTI, POST format!("{machine}/revoke"), "if-match" = "\"2\"").good(200)["active"], false);
    call!(ANTTI, POST format!("{machine}/rotate-secret"), "if-match" = "\"3\""; json!({})).problem(409, "api_client_revoked");
    assert_eq!(call!(KAISA, GET "/v1/api-clients").good(200)["items"], json!([]));

    // The trail, and the instruments.
    let about_aino = "/v1/audit-events?client_id=01900000-0000-7000-8000-000000000050&outcome=allowed&from=2022-01-01T00:00:00Z&limit=2";
    let trail = call!(TIINA, GET about_aino).good(200);
    assert_eq!(trail["items"].as_array().map(Vec::len), Some(2));
    assert!(trail["page"]["next"].is_string());
    assert_eq!(call!(ANTTI, GET about_aino).good(200)["items"], json!([]));
    let trail = call!(TIINA, GET about_aino).good(200);
    assert_eq!(trail["items"][0]["operation"], "audit_event_list");
    let instruments = call!(KAISA, GET "/v1/measure-instruments").good(200);
    assert_eq!(instruments["items"][0]["items"].as_array().map(Vec::len), Some(7));
    store.close().await;
    forget(&path);
}
