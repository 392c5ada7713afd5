//! Settings: one declared table, three layers (default, TOML file, environment; the command line on top), parsed once at start.
//!
//! This is the only module that reads the environment. A setting that is not in [`SETTINGS`] is refused, so that a misspelt name cannot leave a
//! limit at its default without anybody noticing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use lahete_domain::activity_import::is_web_address;
use secrecy::{ExposeSecret as _, SecretString};

use crate::auth::issuer_settings::{self, IssuerSettings};

/// The prefix of every environment variable that the program reads.
pub const ENV_PREFIX: &str = "LAHETE_";

/// The variable that names the TOML file, and the command line option `--config`.
pub const CONFIG_FILE_VARIABLE: &str = "LAHETE_CONFIG";

/// The longest life of an access token.
pub const TOKEN_MINUTES_MAX: u32 = 15;

/// The open API of the national service directory.
pub const PTV_URL: &str = "https://api.palvelutietovaranto.suomi.fi/api/v11/";

/// One setting, as the table in the README shows it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name in the TOML file; the variable is `LAHETE_` and the name in capitals.
    pub name: &'static str,
    /// The value when nobody says otherwise; empty means "none".
    pub default: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// Whether the value must never be printed.
    pub secret: bool,
}

impl Setting {
    /// The environment variable of this setting.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{ENV_PREFIX}{}", self.name.to_ascii_uppercase())
    }
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, meaning, secret: false }
}

/// Every setting there is.
pub const SETTINGS: &[Setting] = &[
    setting("bind", "127.0.0.1:8080", "Address and port to listen on; port 0 takes a free one."),
    Setting {
        name: "database",
        default: "sqlite:./data/lahete.db",
        meaning: "`sqlite:<file>` or `postgres://<user>:<password>@<host>/<name>`.",
        secret: true,
    },
    setting(
        "plain_database",
        "false",
        "Allow a PostgreSQL server behind a network without TLS. Outside the demo the program otherwise refuses to start.",
    ),
    setting("pool_size", "8", "Database connections for reading (SQLite) or in all (PostgreSQL)."),
    setting(
        "max_in_flight",
        "64",
        "Calls that may be under way in the store, waiting ones included; whoever comes beyond that is told to come again, at once.",
    ),
    setting(
        "disk_reserve_mib",
        "16",
        "SQLite: MiB kept free beside the database, so that reads can still be put on record when the disk is full; 0 keeps none.",
    ),
    setting("base_url", "http://127.0.0.1:8080", "The address by which callers reach the server; the start of each problem `type`."),
    setting(
        "demo",
        "false",
        "Demo mode: demo accounts may sign in with a password, missing keys are made, answers say `X-Environment: demo`.",
    ),
    setting("migrate", "true", "Bring the database schema up to date at start."),
    setting("data_dir", "./data", "Where keys made in demo mode and the checkpoints of the audit trail are kept."),
    setting("issuer", "", "The `iss` of our own tokens; `base_url` when empty."),
    setting("audience", "lahete-api", "The `aud` that a token must name."),
    setting(
        "issuers",
        "",
        "Other issuers whose tokens are trusted: `[[issuers]]` tables in the file, a JSON list in the variable; see *Sign-in*.",
    ),
    setting("signing_key_file", "", "PEM file (PKCS #8, Ed25519) that signs tokens; `<data_dir>/signing-key.pem` when empty."),
    setting(
        "data_key_file",
        "",
        "File with the master keys of the data, one a line as `<id>:<32 bytes in base64>`, the one that seals first; `<data_dir>/data-key` when empty.",
    ),
    Setting {
        name: "data_key",
        default: "",
        meaning: "The same keys, separated by commas, in place of the file: for the environment, never for a settings file.",
        secret: true,
    },
    setting(
        "audit_checkpoint_file",
        "",
        "File to which signed checkpoints of the audit trail are added; `<data_dir>/audit-checkpoints.jsonl` when empty.",
    ),
    setting("audit_checkpoint_minutes", "5", "How often the audit trail is signed, when something was added to it."),
    setting("audit_checkpoint_events", "10000", "After how many events it is signed before that."),
    setting("token_minutes", "15", "Life of an access token in minutes, at most 15."),
    setting("leeway_seconds", "5", "How far the clocks of issuer and server may differ, at most 30."),
    setting("body_limit", "262144", "Largest request body in bytes."),
    setting("json_depth", "32", "Deepest nesting of a JSON body."),
    setting("body_timeout_seconds", "15", "Time for a whole request body to arrive."),
    setting("send_timeout_seconds", "20", "How long a client may leave an answer unread before the connection is cut off (on Linux)."),
    setting("handler_timeout_seconds", "30", "Time for an answer to be made."),
    setting("drain_seconds", "5", "How long `/readyz` says 503 before the server stops accepting connections."),
    setting("shutdown_timeout_seconds", "25", "How long requests under way may take to finish after that."),
    setting("workers", "0", "Worker threads; 0 takes one for each processor core."),
    setting("cors_origins", "", "Origins of browser programs that may call the API, separated by commas; none when empty."),
    setting("docs", "true", "Serve `/docs`, `/openapi.json` and `/openapi.yaml`."),
    setting("log", "info", "Log filter, as `info` or `lahete_api=debug,warn`."),
    setting("trusted_proxies", "", "Addresses or networks (`10.0.0.0/8`) whose `X-Forwarded-For` is believed, separated by commas."),
    setting("token_requests_per_minute", "20", "Token requests allowed for one address in a minute."),
    setting(
        "retention_daily",
        "false",
        "Take out each day what has been kept long enough, by the retention policies. Look at `lahete retention run --dry-run` before you switch it on.",
    ),
    setting("ptv_url", PTV_URL, "Where the open API of the national service directory (PTV) is; imports ask nowhere else."),
    setting(
        "ptv_retry_ms",
        "1000,2000,5000,10000,30000,60000",
        "How long an import waits before it asks again for a page that did not come, each time in milliseconds; after the last one it gives up.",
    ),
    setting("public_requests_per_minute", "20", "Requests to the open intake allowed for one address in a minute."),
    setting("search_requests_per_minute", "30", "Searches by identity code allowed for one caller in a minute."),
    setting(
        "misses_per_minute",
        "60",
        "How many things that are not there one caller (or address) may ask for in a minute; whoever guesses on is told to wait.",
    ),
];

/// Why the settings cannot be used. The message names the setting, never a secret value.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the settings file {path} cannot be read: {reason}")]
    File {
        /// Which file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// There is no such setting.
    #[error("unknown setting {name} in {place}")]
    Unknown {
        /// As it was written.
        name: String,
        /// Where it was found.
        place: String,
    },
    /// The value does not fit.
    #[error("setting {name}: {reason}")]
    Value {
        /// Which one.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// Values by name, before they are parsed, each with the place that it came from.
#[derive(Clone, Debug, Default)]
pub struct RawSettings(BTreeMap<&'static str, (SecretString, &'static str)>);

impl RawSettings {
    /// Default values alone.
    #[must_use]
    pub fn defaults() -> Self {
        Self(SETTINGS.iter().map(|s| (s.name, (SecretString::from(s.default), "default"))).collect())
    }

    /// Sets one value.
    ///
    /// # Errors
    /// [`ConfigError::Unknown`] when there is no such setting.
    pub fn set(&mut self, name: &str, value: &str, place: &'static str) -> Result<(), ConfigError> {
        let setting = SETTINGS
            .iter()
            .find(|setting| setting.name == name)
            .ok_or_else(|| ConfigError::Unknown { name: name.to_owned(), place: place.to_owned() })?;
        self.0.insert(setting.name, (SecretString::from(value), place));
        Ok(())
    }

    /// Takes over what a TOML file says.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, or names an unknown setting.
    pub fn read_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let fault = |reason: String| ConfigError::File { path: path.display().to_string(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        // The parser's message quotes the line, which may hold a password: only the position is told.
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            fault(format!("not TOML{}", error.span().map(|span| format!(", near byte {}", span.start)).unwrap_or_default()))
        })?;
        for (name, value) in table {
            if name == "data_key" {
                return Err(ConfigError::Value {
                    name: "data_key",
                    reason: "keys do not belong into a settings file; name data_key_file".into(),
                });
            }
            let value = match value {
                // Tables of settings of their own: what is in them is checked where they are read.
                toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
                    serde_json::to_string(&items).map_err(|_| fault(format!("{name} cannot be read")))?
                }
                toml::Value::String(text) => text,
                toml::Value::Array(items) => {
                    items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect::<Vec<_>>().join(",")
                }
                other => other.to_string(),
            };
            self.set(&name, &value, "file")?;
        }
        Ok(())
    }

    /// Takes over the `LAHETE_` variables of the environment.
    ///
    /// # Errors
    /// When a variable with our prefix names no setting.
    pub fn read_environment(&mut self) -> Result<(), ConfigError> {
        for (key, value) in std::env::vars_os() {
            let Some(key) = key.to_str().filter(|key| *key != CONFIG_FILE_VARIABLE) else { continue };
            let Some(name) = key.strip_prefix(ENV_PREFIX) else { continue };
            self.set(&name.to_ascii_lowercase(), &value.to_string_lossy(), "environment")?;
        }
        Ok(())
    }

    /// What `lahete config` prints: one line for each setting, secrets hidden.
    #[must_use]
    pub fn listing(&self) -> String {
        let mut lines = String::new();
        for setting in SETTINGS {
            let (value, place) = match self.0.get(setting.name) {
                Some((value, place)) if setting.secret && *place != "default" && !value.expose_secret().is_empty() => ("<hidden>", *place),
                Some((value, place)) => (value.expose_secret(), *place),
                None => (setting.default, "default"),
            };
            let _ = writeln!(lines, "{} = {value:?}  # {place}", setting.name);
        }
        lines
    }

    fn text(&self, name: &'static str) -> &str {
        self.0.get(name).map_or("", |(value, _)| value.expose_secret().trim())
    }

    fn parsed<T: FromStr>(&self, name: &'static str, wanted: &str) -> Result<T, ConfigError> {
        self.text(name).parse().map_err(|_| ConfigError::Value { name, reason: format!("not {wanted}") })
    }

    fn number(&self, name: &'static str, least: u32, most: u32) -> Result<u32, ConfigError> {
        let number: u32 = self.parsed(name, "a whole number")?;
        if (least..=most).contains(&number) {
            Ok(number)
        } else {
            Err(ConfigError::Value { name, reason: format!("must lie between {least} and {most}") })
        }
    }

    fn seconds(&self, name: &'static str, least: u32, most: u32) -> Result<Duration, ConfigError> {
        Ok(Duration::from_secs(self.number(name, least, most)?.into()))
    }

    fn list(&self, name: &'static str) -> Vec<String> {
        self.text(name).split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}

/// The table of all settings in Markdown, as it stands in the README.
#[must_use]
pub fn settings_table() -> String {
    let mut table = String::from("| Setting | Variable | Default | Meaning |\n| --- | --- | --- | --- |\n");
    for setting in SETTINGS {
        let default = if setting.default.is_empty() { "–".to_owned() } else { format!("`{}`", setting.default) };
        let _ = writeln!(table, "| `{}` | `{}` | {default} | {} |", setting.name, setting.variable(), setting.meaning);
    }
    table
}

/// A network whose machines may tell us the address of the real caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let kept = |width: u32| u32::from(self.bits).min(width);
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - kept(32)).unwrap_or(0);
                u32::from(net) & mask == u32::from(other) & mask
            }
            (IpAddr::V6(net), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - kept(128)).unwrap_or(0);
                u128::from(net) & mask == u128::from(other) & mask
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), str::parse).map_err(|_| ())?;
        if bits <= width { Ok(Self { address, bits }) } else { Err(()) }
    }
}

/// The settings in the types that the program works with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub bind: SocketAddr,
    /// The database, which may hold a password.
    pub database: SecretString,
    /// Whether what is said to the database may cross a network in the clear.
    pub plain_database: bool,
    /// Connections for reading.
    pub pool_size: u32,
    /// Calls under way in the store.
    pub max_in_flight: usize,
    /// Bytes kept free beside the database.
    pub disk_reserve: u64,
    /// The address by which callers reach us, without a slash at the end.
    pub base_url: String,
    /// Demo mode.
    pub demo: bool,
    /// Bring the schema up to date at start.
    pub migrate: bool,
    /// Where keys are made in demo mode.
    pub data_dir: PathBuf,
    /// `iss` of our tokens.
    pub issuer: String,
    /// `aud` of our tokens.
    pub audience: String,
    /// Other issuers whose tokens are trusted.
    pub issuers: Vec<IssuerSettings>,
    /// The key that signs tokens.
    pub signing_key_file: PathBuf,
    /// The file with the master keys of the data.
    pub data_key_file: PathBuf,
    /// The master keys themselves, when they come from the environment.
    pub data_key: Option<SecretString>,
    /// Where checkpoints of the audit trail go.
    pub audit_checkpoint_file: PathBuf,
    /// Time from one checkpoint to the next.
    pub audit_checkpoint_every: Duration,
    /// Events from one checkpoint to the next.
    pub audit_checkpoint_events: u64,
    /// Life of an access token.
    pub token_minutes: u32,
    /// Difference of clocks in seconds.
    pub leeway_seconds: i64,
    /// Largest body in bytes.
    pub body_limit: usize,
    /// Deepest JSON.
    pub json_depth: usize,
    /// Time for a body to arrive.
    pub body_timeout: Duration,
    /// Time for an answer to be taken.
    pub send_timeout: Duration,
    /// Time for an answer.
    pub handler_timeout: Duration,
    /// Time between "not ready" and "not listening".
    pub drain: Duration,
    /// Time for requests under way.
    pub shutdown_timeout: Duration,
    /// Whether the retention runs each day.
    pub retention_daily: bool,
    /// The open API of the national service directory.
    pub ptv_url: String,
    /// Waits before a page of it is asked for again.
    pub ptv_waits: Vec<Duration>,
    /// Worker threads, 0 for one on each core.
    pub workers: usize,
    /// Browser origins.
    pub cors_origins: Vec<String>,
    /// Serve the documentation.
    pub docs: bool,
    /// Log filter.
    pub log: String,
    /// Proxies to believe.
    pub trusted_proxies: Vec<Network>,
    /// Token requests per address and minute.
    pub token_requests_per_minute: u32,
    /// Open intake requests per address and minute.
    pub public_requests_per_minute: u32,
    /// Searches by identity code per caller and minute.
    pub search_requests_per_minute: u32,
    /// Answers 404 per caller and minute.
    pub misses_per_minute: u32,
}

impl Config {
    /// Parses the gathered values.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for the first value that does not fit.
    pub fn from_raw(raw: &RawSettings) -> Result<Self, ConfigError> {
        let base_url = raw.text("base_url").trim_end_matches('/').to_owned();
        if !(base_url.starts_with("http://") || base_url.starts_with("https://")) {
            return Err(ConfigError::Value { name: "base_url", reason: "must begin with http:// or https://".into() });
        }
        let data_dir = PathBuf::from(raw.text("data_dir"));
        let file = |name: &'static str, default: &str| match raw.text(name) {
            "" => data_dir.join(default),
            path => PathBuf::from(path),
        };
        let trusted_proxies = raw
            .list("trusted_proxies")
            .iter()
            .map(|item| {
                item.parse()
                    .map_err(|()| ConfigError::Value { name: "trusted_proxies", reason: "not a list of addresses or networks".into() })
            })
            .collect::<Result<_, _>>()?;
        let issuer = match raw.text("issuer") {
            "" => base_url.clone(),
            issuer => issuer.to_owned(),
        };
        let demo = raw.parsed("demo", "true or false")?;
        let issuers =
            issuer_settings::parse(raw.text("issuers"), &issuer, demo).map_err(|reason| ConfigError::Value { name: "issuers", reason })?;
        let ptv_url = raw.text("ptv_url").to_owned();
        if !is_web_address(&ptv_url) {
            return Err(ConfigError::Value { name: "ptv_url", reason: "must begin with https:// or http://".into() });
        }
        let wait = |text: &String| text.parse::<u64>().ok().filter(|wait| *wait <= 600_000).map(Duration::from_millis);
        let ptv_waits = raw.list("ptv_retry_ms").iter().map(wait).collect::<Option<Vec<_>>>().ok_or_else(|| ConfigError::Value {
            name: "ptv_retry_ms",
            reason: "not a list of milliseconds, each at most ten minutes".into(),
        })?;
        let size = |name, least, most| raw.number(name, least, most).map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        Ok(Self {
            bind: raw.parsed("bind", "an address with a port")?,
            database: SecretString::from(raw.text("database")),
            plain_database: raw.parsed("plain_database", "true or false")?,
            pool_size: raw.number("pool_size", 1, 200)?,
            max_in_flight: size("max_in_flight", 1, 10_000)?,
            disk_reserve: u64::from(raw.number("disk_reserve_mib", 0, 4096)?) * 1024 * 1024,
            demo,
            migrate: raw.parsed("migrate", "true or false")?,
            issuer,
            issuers,
            base_url,
            audience: raw.text("audience").to_owned(),
            signing_key_file: file("signing_key_file", "signing-key.pem"),
            data_key_file: file("data_key_file", "data-key"),
            data_key: Some(raw.text("data_key")).filter(|text| !text.is_empty()).map(SecretString::from),
            audit_checkpoint_file: file("audit_checkpoint_file", "audit-checkpoints.jsonl"),
            audit_checkpoint_every: Duration::from_secs(u64::from(raw.number("audit_checkpoint_minutes", 1, 1440)?) * 60),
            audit_checkpoint_events: raw.number("audit_checkpoint_events", 1, 1_000_000)?.into(),
            token_minutes: raw.number("token_minutes", 1, TOKEN_MINUTES_MAX)?,
            leeway_seconds: raw.number("leeway_seconds", 0, 30)?.into(),
            body_limit: size("body_limit", 1024, 16 * 1024 * 1024)?,
            json_depth: size("json_depth", 2, 100)?,
            body_timeout: raw.seconds("body_timeout_seconds", 1, 300)?,
            send_timeout: raw.seconds("send_timeout_seconds", 1, 300)?,
            handler_timeout: raw.seconds("handler_timeout_seconds", 1, 300)?,
            drain: raw.seconds("drain_seconds", 0, 300)?,
            shutdown_timeout: raw.seconds("shutdown_timeout_seconds", 1, 300)?,
            retention_daily: raw.parsed("retention_daily", "true or false")?,
            ptv_url,
            ptv_waits,
            workers: size("workers", 0, 512)?,
            cors_origins: raw.list("cors_origins"),
            docs: raw.parsed("docs", "true or false")?,
            log: raw.text("log").to_owned(),
            trusted_proxies,
            token_requests_per_minute: raw.number("token_requests_per_minute", 1, 1_000_000)?,
            public_requests_per_minute: raw.number("public_requests_per_minute", 1, 1_000_000)?,
            search_requests_per_minute: raw.number("search_requests_per_minute", 1, 1_000_000)?,
            misses_per_minute: raw.number("misses_per_minute", 1, 1_000_000)?,
            data_dir,
        })
    }

    /// Settings from pairs over the defaults, for a program that starts the server inside itself, as the tests do.
    ///
    /// # Errors
    /// As [`Config::from_raw`].
    pub fn from_pairs(pairs: &[(&str, &str)]) -> Result<Self, ConfigError> {
        let mut raw = RawSettings::defaults();
        for (name, value) in pairs {
            raw.set(name, value, "argument")?;
        }
        Self::from_raw(&raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_parse() {
        let config = Config::from_pairs(&[]).expect("defaults");
        assert_eq!(config.bind.port(), 8080);
        assert_eq!(config.issuer, "http://127.0.0.1:8080");
        assert!(config.cors_origins.is_empty());
        assert!(!config.demo);
    }

    #[test]
    fn a_misspelt_setting_is_refused() {
        assert!(matches!(Config::from_pairs(&[("body_limti", "1")]), Err(ConfigError::Unknown { .. })));
    }

    #[test]
    fn a_token_never_lives_longer_than_the_limit() {
        assert!(matches!(Config::from_pairs(&[("token_minutes", "16")]), Err(ConfigError::Value { name: "token_minutes", .. })));
    }

    #[test]
    fn issuers_are_tables_of_the_file_and_are_listed() {
        let path = std::env::temp_dir().join(format!("lahete-issuers-{}.toml", std::process::id()));
        let text = "audience = \"api\"\n[[issuers]]\nissuer = \"https://id.example\"\nalgorithms = [\"RS256\", \"PS256\"]\n\n\
                    [[issuers]]\nissuer = \"https://suomi.example\"\nalgorithms = [\"ES256\"]\ncallers = [\"clients\"]\n\
                    identity_code_claim = \"urn:oid:1.2.246.21\"\n";
        let read = |text: &str| {
            std::fs::write(&path, text).expect("written");
            let mut raw = RawSettings::defaults();
            raw.read_file(&path).map(|()| raw)
        };
        let raw = read(text).expect("read");
        let config = Config::from_raw(&raw).expect("settings");
        assert_eq!(
            config.issuers.iter().map(|one| one.issuer.as_str()).collect::<Vec<_>>(),
            ["https://id.example", "https://suomi.example"]
        );
        assert!(raw.listing().contains("https://suomi.example"), "{}", raw.listing());
        let unknown = read("[[issuers]]\nissuer = \"https://id.example\"\nalgorithms = [\"ES256\"]\nverify = false\n").expect("read");
        assert!(matches!(Config::from_raw(&unknown), Err(ConfigError::Value { name: "issuers", .. })));
        std::fs::remove_file(&path).expect("removed");
    }

    #[test]
    fn secrets_are_not_listed() {
        let mut raw = RawSettings::defaults();
        raw.set("database", "postgres://u:hunter2@h/d", "file").expect("known");
        assert!(!raw.listing().contains("hunter2"));
        assert!(!format!("{raw:?}").contains("hunter2"));
    }

    #[test]
    fn networks_hold_their_addresses() {
        let net: Network = "10.0.0.0/8".parse().expect("a network");
        assert!(net.contains("10.9.8.7".parse().expect("an address")));
        assert!(net.contains("::ffff:10.9.8.7".parse().expect("an address")));
        assert!(!net.contains("11.0.0.1".parse().expect("an address")));
        let one: Network = "::1".parse().expect("an address");
        assert!(one.contains("::1".parse().expect("an address")));
        let all: Network = "0.0.0.0/0".parse().expect("a network");
        assert!(all.contains("8.8.8.8".parse().expect("an address")));
        assert!("10.0.0.0/33".parse::<Network>().is_err());
    }

    #[test]
    fn every_setting_is_in_the_table_once() {
        let table = settings_table();
        for setting in SETTINGS {
            assert_eq!(table.matches(&format!("`{}` |", setting.variable())).count(), 1, "{}", setting.name);
        }
    }
}
