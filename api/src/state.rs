//! What all handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::web::Bytes;
use chrono::NaiveDate;
use lahete_domain::ids::IdSource;
use lahete_domain::time::Clock;
use lahete_persistence::Store;

use crate::audit_events::checkpoint_file::{CheckpointFile, TrailKeys};
use crate::auth::demo_accounts;
use crate::auth::issuers::{Issuers, TrustedIssuer};
use crate::auth::keys::{DataKeys, SigningKey};
use crate::auth::rate_limit::{AddressLimit, CallerLimit, MissLimit};
use crate::auth::revocations::Revocations;
use crate::config::Config;
use crate::http::extract::paging::CursorKey;
use crate::http::openapi::{DocumentFormat, served_document, write_document};
use crate::http::route_table::RouteTable;
use crate::under_way::UnderWay;

/// The limits for each address or caller.
#[derive(Debug)]
pub struct Limits {
    /// Token requests.
    pub token: AddressLimit,
    /// Requests to the open intake.
    pub public: AddressLimit,
    /// Searches by identity code.
    pub search: CallerLimit,
    /// Questions for what is not there.
    pub misses: MissLimit,
}

/// The API document, written once.
#[derive(Debug)]
pub struct Documents {
    /// As JSON.
    pub json: Bytes,
    /// As YAML.
    pub yaml: Bytes,
}

/// The secrets that the program holds.
pub struct Secrets {
    /// Signs tokens.
    pub signing_key: SigningKey,
    /// The master keys of the data.
    pub data_keys: DataKeys,
}

/// Why the state cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The API document.
    #[error("the API document cannot be written: {0}")]
    Document(String),
    /// An issuer of the settings.
    #[error("the issuer {0} cannot be used: {1}")]
    Issuer(String, String),
}

/// What all handlers share.
pub struct AppState {
    /// The settings.
    pub config: Config,
    /// The database.
    pub store: Store,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// Whose tokens are trusted.
    pub issuers: Issuers,
    /// Tokens that were ended before their time.
    pub revocations: Revocations,
    /// The key of our own tokens.
    pub signing_key: SigningKey,
    /// Signs cursors.
    pub cursor_key: CursorKey,
    /// Where the audit trail is signed.
    pub checkpoints: Arc<CheckpointFile>,
    /// Limits for each address.
    pub limits: Limits,
    /// The API document.
    pub documents: Documents,
    /// What there is to call.
    pub routes: &'static RouteTable,
    /// The address by which callers reach us.
    pub base_url: Arc<str>,
    /// The reads that have begun and have no answer yet.
    pub under_way: UnderWay,
    draining: AtomicBool,
}

impl AppState {
    /// Puts the state together.
    ///
    /// # Errors
    /// When the API document cannot be written, or an issuer of the settings cannot be used.
    pub fn new(config: Config, store: Store, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>, secrets: &Secrets) -> Result<Self, StateError> {
        let (routes, documents) = Self::described(&config, clock.now().helsinki_date())?;
        let mut issuers = Issuers::built_in(
            &config.issuer,
            &config.audience,
            &secrets.signing_key,
            config.leeway_seconds,
            i64::from(config.token_minutes) * 60,
        );
        for settings in &config.issuers {
            let trusted = TrustedIssuer::of(settings, &config.audience, config.demo);
            issuers = issuers.with(trusted.map_err(|reason| StateError::Issuer(settings.issuer.clone(), reason))?);
        }
        Ok(Self {
            issuers,
            revocations: Revocations::default(),
            signing_key: secrets.signing_key.clone(),
            cursor_key: CursorKey::derive(secrets.data_keys.eldest()),
            checkpoints: Arc::new(CheckpointFile::new(config.audit_checkpoint_file.clone(), TrailKeys::of(&secrets.signing_key))),
            limits: Limits {
                token: AddressLimit::per_minute(config.token_requests_per_minute),
                public: AddressLimit::per_minute(config.public_requests_per_minute),
                search: CallerLimit::per_minute(config.search_requests_per_minute),
                misses: MissLimit::per_minute(config.misses_per_minute),
            },
            base_url: Arc::from(config.base_url.as_str()),
            under_way: UnderWay::default(),
            documents,
            routes,
            config,
            store,
            clock,
            ids,
            draining: AtomicBool::new(false),
        })
    }

    /// What there is to call, for the shell and for callers. The document itself is given up: nobody asks for more of it than these.
    fn described(config: &Config, today: NaiveDate) -> Result<(&'static RouteTable, Documents), StateError> {
        let addition = config.demo.then(demo_accounts::description);
        let document = served_document(addition.as_deref().map(|addition| (addition, today)));
        let documents = Documents {
            json: write_document(&document, DocumentFormat::Json).map_err(StateError::Document)?.into(),
            yaml: write_document(&document, DocumentFormat::Yaml).map_err(StateError::Document)?.into(),
        };
        Ok((RouteTable::of(&document), documents))
    }

    /// Says that the server is about to stop: from now on it is not ready.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Whether the server is about to stop.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::id_source::UuidV7;
    use crate::startup::open_store;
    use actix_web::web::Data;
    use std::sync::atomic::AtomicUsize;

    static COUNT: AtomicUsize = AtomicUsize::new(0);

    /// A state over a new SQLite file.
    pub(crate) async fn state(settings: &[(&str, &str)]) -> Data<AppState> {
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("lahete-api-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let database = format!("sqlite:{}/test.db", folder.display());
        let mut pairs = vec![("database", database.as_str()), ("disk_reserve_mib", "0")];
        pairs.extend_from_slice(settings);
        let config = Config::from_pairs(&pairs).expect("settings");
        let secrets = Secrets { signing_key: SigningKey::generate().expect("a key"), data_keys: DataKeys::single(&[7; 32]) };
        let store = open_store(&config, &secrets, Arc::new(UuidV7)).expect("a store");
        store.migrate().await.expect("migrated");
        Data::new(AppState::new(config, store, Arc::new(SystemClock), Arc::new(UuidV7), &secrets).expect("a state"))
    }
}
