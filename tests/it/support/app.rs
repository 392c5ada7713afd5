//! A server on a free port, and callers who talk to it over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use lahete_api::auth::keys::{DataKeys, SigningKey};
use lahete_api::auth::token::{self, Audience, Claims};
use lahete_api::config::Config;
use lahete_api::id_source::UuidV7;
use lahete_api::startup::Application;
use lahete_api::state::Secrets;
use lahete_domain::ids::{Id, UserId};
use lahete_domain::time::Clock as _;
use lahete_persistence::{Db, DbUrl, Store, StoreError, StoreOptions};
use serde_json::Value;
use uuid::Uuid;

use super::clock::TestClock;
use super::database::{DATA_KEY, Kind, TestDatabase, options, wait};
use super::world::{self, World};

const ISSUER: &str = "http://lahete.test";

/// A running server with a world in it.
pub struct TestApp {
    pub clock: TestClock,
    pub world: World,
    pub store: Store,
    pub addr: SocketAddr,
    pub database: Arc<TestDatabase>,
    pub agent: ureq::Agent,
    key: SigningKey,
    stop: Option<actix_web::dev::ServerHandle>,
    thread: Option<JoinHandle<()>>,
}

/// When every test begins, unless it moves the clock.
pub const BEGINNING: &str = "2026-11-22T10:00:00Z";

impl TestApp {
    /// Starts a server with the usual world.
    pub fn start(kind: Kind) -> Self {
        Self::start_with(kind, &[])
    }

    /// Starts a server with some settings of its own.
    pub fn start_with(kind: Kind, settings: &[(&str, &str)]) -> Self {
        Self::start_on(kind, settings, options())
    }

    /// Starts a server on a store with options of its own.
    pub fn start_on(kind: Kind, settings: &[(&str, &str)], options: StoreOptions) -> Self {
        let database = TestDatabase::new(kind);
        let clock = TestClock::at(BEGINNING);
        let store = Store::open(&DbUrl::parse(&database.url).unwrap(), options).unwrap();
        let world = world::build(&store, clock.now());
        let key = SigningKey::generate().unwrap();
        Self::serve(Arc::new(database), store, world, clock, key, settings)
    }

    /// Starts another server beside this one: on the same database, with the same key and the same clock.
    pub fn beside(&self, settings: &[(&str, &str)]) -> Self {
        let store = Store::open(&DbUrl::parse(&self.database.url).unwrap(), options()).unwrap();
        Self::serve(Arc::clone(&self.database), store, self.world, self.clock.clone(), self.key.clone(), settings)
    }

    fn serve(
        database: Arc<TestDatabase>,
        store: Store,
        world: World,
        clock: TestClock,
        key: SigningKey,
        settings: &[(&str, &str)],
    ) -> Self {
        let mut pairs = vec![
            ("database", database.url.as_str()),
            ("bind", "127.0.0.1:0"),
            ("base_url", ISSUER),
            ("issuer", ISSUER),
            ("migrate", "false"),
            ("token_requests_per_minute", "100000"),
            ("public_requests_per_minute", "100000"),
            ("search_requests_per_minute", "100000"),
            ("misses_per_minute", "100000"),
            // Nobody listens there: a test that imports says where from.
            ("ptv_url", "http://127.0.0.1:9/"),
            ("ptv_retry_ms", ""),
        ];
        pairs.extend_from_slice(settings);
        let config = Config::from_pairs(&pairs).unwrap();
        let secrets = Secrets { signing_key: key.clone(), data_keys: DataKeys::single(&DATA_KEY) };
        let (send, receive) = std::sync::mpsc::channel();
        let (server_clock, server_store) = (clock.clone(), store.clone());
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = Application::with(config, server_store, Arc::new(server_clock), Arc::new(UuidV7), &secrets).await.unwrap();
                let addr = app.addr();
                let server = app.server().unwrap();
                send.send((addr, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (addr, stop) = receive.recv().unwrap();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(std::time::Duration::from_secs(60)))
            .allow_non_standard_methods(true)
            .build()
            .new_agent();
        Self { clock, world, store, addr, database, agent, key, stop: Some(stop), thread: Some(thread) }
    }

    /// A token for a subject, as the built-in issuer signs it.
    pub fn token(&self, subject: &str) -> String {
        let now = self.clock.now().utc().timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: subject.to_owned(),
            aud: Audience::One("lahete-api".to_owned()),
            client_id: "lahete-test".to_owned(),
            iat: now,
            exp: now + 300,
            nbf: None,
            jti: Uuid::now_v7().to_string(),
        };
        token::sign(&self.key, &claims).unwrap()
    }

    /// Somebody who calls as a user.
    pub fn user(&self, id: UserId) -> Caller<'_> {
        Caller { app: self, subject: Some(format!("user:{}", id.as_uuid())) }
    }

    /// A machine that calls.
    pub fn machine(&self, id: Uuid) -> Caller<'_> {
        Caller { app: self, subject: Some(format!("client:{id}")) }
    }

    /// Somebody without a token.
    pub fn nobody(&self) -> Caller<'_> {
        Caller { app: self, subject: None }
    }

    /// Asks the server to stop: it takes no more connections, finishes what is under way, and then the thread ends.
    pub fn stop_gracefully(&mut self) -> JoinHandle<()> {
        let stopped = self.stop.take().unwrap().stop(true);
        std::thread::spawn(move || wait(stopped))
    }

    /// Whether the server's thread has ended.
    pub fn has_stopped(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            wait(stop.stop(false));
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        // Whatever a test has done with its referrals, the report counts them as they stand.
        if !std::thread::panicking() {
            // Some tests take the database away; then there is nothing to look at.
            match wait(self.store.read(|db: &mut Db<'_>| db.snapshot_faults())) {
                Ok(faults) => assert_eq!(faults, Vec::<String>::new()),
                Err(error) => assert!(matches!(error, StoreError::Unavailable), "{error}"),
            }
        }
        wait(self.store.close());
    }
}

/// Who calls.
#[derive(Clone)]
pub struct Caller<'a> {
    app: &'a TestApp,
    subject: Option<String>,
}

impl<'a> Caller<'a> {
    pub fn get(&self, path: &str) -> Call<'a> {
        self.call("GET", path)
    }

    pub fn post(&self, path: &str) -> Call<'a> {
        self.call("POST", path)
    }

    pub fn patch(&self, path: &str) -> Call<'a> {
        self.call("PATCH", path).header("content-type", "application/merge-patch+json")
    }

    pub fn call(&self, method: &str, path: &str) -> Call<'a> {
        let mut headers = Vec::new();
        if let Some(subject) = &self.subject {
            headers.push(("authorization".to_owned(), format!("Bearer {}", self.app.token(subject))));
        }
        Call { app: self.app, method: method.to_owned(), path: path.to_owned(), headers, body: None }
    }
}

/// A call that is being put together.
#[must_use]
pub struct Call<'a> {
    app: &'a TestApp,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Call<'_> {
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self
    }

    /// The version that the change is meant for.
    pub fn if_match(self, version: i64) -> Self {
        self.header("if-match", format!("\"{version}\""))
    }

    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub fn json(mut self, body: Value) -> Self {
        if !self.headers.iter().any(|(name, _)| name == "content-type") {
            self = self.header("content-type", "application/json");
        }
        self.body = Some(body.to_string().into_bytes());
        self
    }

    pub fn raw(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self = self.header("content-type", content_type);
        self.body = Some(body);
        self
    }

    pub fn send(self) -> Reply {
        let mut request = ureq::http::Request::builder().method(self.method.as_str()).uri(self.app.url(&self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let what = format!("{} {}", self.method, self.path);
        let response = match self.body {
            Some(body) => self.app.agent.run(request.body(body).unwrap()),
            None => self.app.agent.run(request.body(()).unwrap()),
        };
        let mut response = response.unwrap_or_else(|error| panic!("{what}: {error}"));
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().unwrap_or_default();
        Reply { what, status, headers, text }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    what: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{}: {error}: {}", self.what, self.text))
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// A problem with this status and code; gives it back.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}: {}", self.what, self.text);
        let problem = self.json();
        assert_eq!(problem["code"], code, "{}: {problem}", self.what);
        assert_eq!(problem["status"], status, "{}: {problem}", self.what);
        assert!(problem["type"].as_str().unwrap().ends_with(&format!("/problems/{code}")), "{problem}");
        assert!(!problem["title"].as_str().unwrap().is_empty(), "{problem}");
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"), "{problem}");
        problem
    }

    /// The version in the `ETag`.
    #[track_caller]
    pub fn version(&self) -> i64 {
        let etag = self.header("etag").unwrap_or_else(|| panic!("{}: no ETag: {}", self.what, self.text));
        let tag = etag.trim_matches('"');
        tag.split_once(';').map_or(tag, |(version, _)| version).parse().unwrap()
    }
}

/// A member of an answer that is an id or another text.
#[track_caller]
pub fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no text {member} in {value}")).to_owned()
}
