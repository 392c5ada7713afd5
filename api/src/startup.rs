//! From settings to a running server, and from a signal to a quiet end.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::body::BoxBody;
use actix_web::dev::{Server, ServerHandle, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Condition, from_fn};
use actix_web::web::Data;
use actix_web::{App, Error, HttpServer};
use lahete_domain::ids::IdSource;
use lahete_domain::time::{Clock, Instant};
use lahete_persistence::repo::trail::TrailKey;
use lahete_persistence::{CipherError, DbUrl, DbUrlError, Keys, SchemaState, Store, StoreError, StoreOptions};
use secrecy::ExposeSecret as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::auth::demo_accounts::{DEMO_ACCOUNTS, DEMO_PASSWORD};
use crate::auth::keys::{DataKeys, KeyError, SigningKey};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::fitness::{self, Unfit};
use crate::http::registry::Registry;
use crate::http::{docs, problem_pages, shell};
use crate::id_source::UuidV7;
use crate::rooms;
use crate::state::{AppState, Secrets, StateError};

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a quiet connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// How long to wait before a database that cannot be reached is tried again.
const DATABASE_PAUSE: Duration = Duration::from_secs(2);

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key of the wrong length.
    #[error(transparent)]
    Cipher(#[from] CipherError),
    /// The database URL.
    #[error("setting database: {0}")]
    Url(#[from] DbUrlError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address, or the server itself.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The API document, or an issuer of the settings.
    #[error(transparent)]
    State(#[from] StateError),
    /// The people of the demo.
    #[error("the demo cannot be set up: {0}")]
    Demo(String),
    /// Outside the demo, and not fit for the data of real people.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

/// Reads the keys; in demo mode makes those that are missing.
///
/// # Errors
/// [`KeyError`].
pub fn load_secrets(config: &Config) -> Result<Secrets, StartError> {
    Ok(Secrets { signing_key: SigningKey::load(&config.signing_key_file, config.demo)?, data_keys: load_data_keys(config)? })
}

/// Reads the data keys, from the environment if they are there, otherwise from their file.
///
/// # Errors
/// [`KeyError`].
pub fn load_data_keys(config: &Config) -> Result<DataKeys, KeyError> {
    match &config.data_key {
        Some(text) => DataKeys::parse(text.expose_secret(), "LAHETE_DATA_KEY"),
        None => DataKeys::load(&config.data_key_file, config.demo),
    }
}

/// The keys for the store. Those from a file are read anew when others seal with newer ones.
fn store_keys(config: &Config, data_keys: &DataKeys) -> Result<Keys, CipherError> {
    let keys = Keys::from_masters(data_keys.masters())?;
    if config.data_key.is_some() {
        return Ok(keys);
    }
    let path = config.data_key_file.clone();
    Ok(keys.with_source(Box::new(move || match DataKeys::load(&path, false) {
        Ok(keys) => Some(keys.masters().to_vec()),
        // Without a file there is nothing that is newer.
        Err(KeyError::Missing(_)) => None,
        Err(error) => {
            log::error!("{error}");
            None
        }
    })))
}

/// Opens the store that the settings name. A PostgreSQL server need not be up yet.
///
/// # Errors
/// When the URL cannot be read or a SQLite file cannot be opened.
pub fn open_store(config: &Config, secrets: &Secrets, ids: Arc<dyn IdSource>) -> Result<Store, StartError> {
    let url = DbUrl::parse(config.database.expose_secret())?;
    if let Some(folder) = url.sqlite_path().and_then(|path| path.parent()).filter(|folder| !folder.as_os_str().is_empty()) {
        // What is in it is nobody's business but the program's.
        std::os::unix::fs::DirBuilderExt::mode(std::fs::DirBuilder::new().recursive(true), 0o700).create(folder)?;
    }
    if let Some(path) = url.sqlite_path() {
        // Whatever the umask says; the files beside it get the same rights. One that is there keeps its own.
        std::os::unix::fs::OpenOptionsExt::mode(std::fs::OpenOptions::new().write(true).create(true).truncate(false), 0o600).open(path)?;
    }
    let keys = store_keys(config, &secrets.data_keys)?;
    let mut options = StoreOptions::new(Arc::new(keys), ids);
    let size = usize::try_from(config.pool_size).unwrap_or(usize::MAX);
    options.readers = size;
    options.connections = size;
    options.in_flight = config.max_in_flight;
    options.reserve = config.disk_reserve;
    Ok(Store::open(&url, options)?)
}

/// The application around a state: for the server, and for tests that call it without a socket.
pub fn build_app(
    state: Data<AppState>,
) -> App<impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<BoxBody>, Error = Error, InitError = ()>> {
    let cors = Condition::new(!state.config.cors_origins.is_empty(), cors(&state.config));
    let serve_docs = state.config.docs;
    App::new()
        .app_data(state)
        .configure(|config| rooms::configure(&mut Registry::router(config)))
        .configure(problem_pages::configure)
        .configure(move |config| {
            if serve_docs {
                docs::configure(config);
            }
        })
        .wrap(from_fn(shell::inner))
        .wrap(cors)
        .wrap(from_fn(shell::outer))
}

/// The listed origins and no other.
fn cors(config: &Config) -> Cors {
    let listed = config.cors_origins.iter().fold(Cors::default(), |cors, origin| cors.allowed_origin(origin));
    listed
        .allowed_methods(["GET", "POST", "PATCH", "PUT", "DELETE"])
        .allowed_headers([
            "accept",
            "accept-language",
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
            "x-access-reason",
            "x-request-id",
        ])
        .expose_headers(["content-language", "etag", "idempotent-replayed", "link", "location", "retry-after", "x-request-id"])
        .max_age(3600)
}

/// A server that listens but does not serve yet.
pub struct Application {
    state: Data<AppState>,
    listener: TcpListener,
    addr: SocketAddr,
}

impl Application {
    /// Prepares everything: keys, store, schema, address.
    ///
    /// # Errors
    /// As [`StartError`] says.
    pub async fn build(config: Config) -> Result<Self, StartError> {
        let secrets = load_secrets(&config)?;
        fitness::expect_settings(&config, &DbUrl::parse(config.database.expose_secret())?, &secrets)?;
        let ids: Arc<dyn IdSource> = Arc::new(UuidV7);
        let store = open_store(&config, &secrets, Arc::clone(&ids))?;
        Self::with(config, store, Arc::new(SystemClock), ids, &secrets).await
    }

    /// As [`Application::build`], with parts that the caller brings along.
    ///
    /// # Errors
    /// As [`StartError`] says.
    pub async fn with(
        config: Config,
        store: Store,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        secrets: &Secrets,
    ) -> Result<Self, StartError> {
        if config.migrate {
            migrate(&store).await?;
        } else {
            expect_not_newer(&store).await?;
        }
        expect_fit_database(&config, &store).await?;
        expect_our_keys(&store, clock.now()).await?;
        if config.demo {
            // Without its people the demo cannot be signed in to: it does not start without a database.
            if crate::demo::seed(&store, Arc::clone(&ids), clock.now()).await.map_err(|error| StartError::Demo(format!("{error:?}")))? {
                log::info!("the demo world was seeded");
            }
        }
        let listener = TcpListener::bind(config.bind)?;
        let addr = listener.local_addr()?;
        let state = AppState::new(config, store, clock, ids, secrets)?;
        Ok(Self { state: Data::new(state), listener, addr })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What the handlers share.
    #[must_use]
    pub fn state(&self) -> &Data<AppState> {
        &self.state
    }

    /// The server, listening. Whoever drives it stops it through its handle; [`Application::run`] does so at a signal.
    ///
    /// # Errors
    /// When the socket cannot be used.
    pub fn server(self) -> Result<Server, StartError> {
        let state = self.state;
        let for_workers = state.clone();
        let send_timeout = state.config.send_timeout;
        let mut server = HttpServer::new(move || build_app(for_workers.clone()))
            .on_connect(move |connection, _| cut_off_whoever_does_not_read(connection, send_timeout))
            .client_request_timeout(HEAD_TIMEOUT)
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(state.config.shutdown_timeout.as_secs())
            .disable_signals();
        if state.config.workers > 0 {
            server = server.workers(state.config.workers);
        }
        Ok(server.listen(self.listener)?.run())
    }

    /// Serves until SIGTERM or SIGINT, then: not ready, wait, accept no more, finish, close the store.
    ///
    /// # Errors
    /// When the server breaks down.
    pub async fn run(self) -> Result<(), StartError> {
        let (state, addr) = (self.state.clone(), self.addr);
        let server = self.server()?;
        let expiries = crate::jobs::expiries::spawn(state.store.clone(), Arc::clone(&state.clock), Arc::clone(&state.ids));
        let keys = crate::jobs::data_keys::spawn(state.store.clone(), Arc::clone(&state.clock));
        let checkpoints = crate::jobs::checkpoints::spawn(state.clone());
        let imports = crate::activity_imports::run::spawn(state.clone());
        let retention = state.config.retention_daily.then(|| {
            let key: Arc<dyn TrailKey> = Arc::new(state.checkpoints.keys().clone());
            crate::jobs::retention::spawn(state.store.clone(), Arc::clone(&state.clock), Arc::clone(&state.ids), key)
        });
        let stopper = actix_web::rt::spawn(stop_on_signal(state.clone(), server.handle()));
        if state.config.demo {
            print_welcome(addr);
        }
        log::info!("listening on {addr}{}", if state.config.demo { " in demo mode" } else { "" });
        let served = server.await;
        stopper.abort();
        expiries.abort();
        keys.abort();
        checkpoints.abort();
        imports.abort();
        if let Some(retention) = retention {
            retention.abort();
        }
        state.store.close().await;
        // The last word on every chain of this program: whatever comes after it was not written by us.
        state.checkpoints.write(&state.store.trail_heads(), state.clock.now());
        let stats = state.store.stats();
        log::info!("stopped; made durable: {} calls by {} commits", stats.commits_requested, stats.groups);
        Ok(served?)
    }
}

/// The framework writes an answer for as long as it takes. So the system is told to give a connection up when nothing of what was sent is taken.
fn cut_off_whoever_does_not_read(connection: &dyn std::any::Any, after: Duration) {
    #[cfg(target_os = "linux")]
    if let Some(stream) = connection.downcast_ref::<actix_web::rt::net::TcpStream>()
        && let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(after))
    {
        log::warn!("a connection has no time limit for sending: {error}");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (connection, after);
}

/// Brings the schema up to date. While the database cannot be reached it is tried again in the background: the server lives, but is not ready.
async fn migrate(store: &Store) -> Result<(), StoreError> {
    match store.migrate().await {
        Ok(versions) => {
            versions.iter().for_each(|version| log::info!("migrated: {version}"));
            Ok(())
        }
        Err(StoreError::Unavailable | StoreError::Busy | StoreError::DeadlineExceeded) => {
            let store = store.clone();
            actix_web::rt::spawn(async move {
                loop {
                    tokio::time::sleep(DATABASE_PAUSE).await;
                    match store.migrate().await {
                        Ok(_) => return,
                        Err(error) => log::warn!("the schema cannot be brought up to date yet: {error}"),
                    }
                }
            });
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// A schema of a newer program may mean something else by the same names: not even reading is safe. A database that cannot be reached yet is asked
/// again by the readiness check.
async fn expect_not_newer(store: &Store) -> Result<(), StoreError> {
    match store.schema_state().await {
        Ok(SchemaState::TooNew(version)) => Err(StoreError::SchemaTooNew { version }),
        _ => Ok(()),
    }
}

/// A database that cannot be reached yet is asked when it comes. Should it hold the demo then, the program ends: nothing that it says is to be believed.
async fn expect_fit_database(config: &Config, store: &Store) -> Result<(), StartError> {
    match fitness::fault_of_database(config, store).await {
        Ok(None) => Ok(()),
        Ok(Some(unfit)) => Err(unfit.into()),
        Err(_) => {
            let (config, store) = (config.clone(), store.clone());
            actix_web::rt::spawn(async move {
                loop {
                    tokio::time::sleep(DATABASE_PAUSE).await;
                    match fitness::fault_of_database(&config, &store).await {
                        Ok(None) => return,
                        Ok(Some(unfit)) => {
                            log::error!("{unfit}");
                            std::process::exit(1);
                        }
                        Err(_) => {}
                    }
                }
            });
            Ok(())
        }
    }
}

/// What was sealed with other keys could not be opened, and would be stored a second time. A database that cannot be reached yet is asked again by
/// the background.
async fn expect_our_keys(store: &Store, now: Instant) -> Result<(), StoreError> {
    if !matches!(store.schema_state().await, Ok(SchemaState::Current)) {
        return Ok(());
    }
    match store.look_at_keys(now).await {
        Ok(_) => Ok(()),
        Err(error @ (StoreError::WrongDataKey { .. } | StoreError::MissingDataKey { .. })) => Err(error),
        Err(error) => {
            log::warn!("the data keys could not be looked at yet: {error}");
            Ok(())
        }
    }
}

async fn stop_on_signal(state: Data<AppState>, server: ServerHandle) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        log::error!("signals cannot be received: the server can only be killed");
        return;
    };
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    log::info!("stopping");
    state.drain();
    // A second signal means: do not wait for the load balancer.
    tokio::select! { () = tokio::time::sleep(state.config.drain) => {}, _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    server.stop(true).await;
}

/// Tells whoever has just started the demo where to go on. On standard output, because the log may be off.
fn print_welcome(addr: SocketAddr) {
    use std::io::Write as _;
    let mut text = format!(
        "\nlahete is running in demo mode.\n\n  Swagger UI   http://{addr}/docs\n  Sign in      choose a person in the bar at the top of that page;\n               with curl: the login and the password {DEMO_PASSWORD}\n\n"
    );
    for account in DEMO_ACCOUNTS {
        text.push_str(&format!("  {:<8} {}\n", account.login, account.description));
    }
    let _ = writeln!(std::io::stdout(), "{text}");
}
