//! Which database: the two kinds of URL that the program takes.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

/// Where the data lives. Neither `Debug` nor `Display` shows a password.
#[derive(Clone)]
pub enum DbUrl {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// A PostgreSQL server, by a URL as libpq reads it.
    Postgres(SecretString),
}

/// Why a database URL is refused. The URL itself is not repeated, since it may hold a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DbUrlError {
    /// Neither of the known kinds.
    #[error("the database URL must begin with sqlite:, postgres:// or postgresql://")]
    UnknownScheme,
    /// No path behind `sqlite:`.
    #[error("the database URL names no file: write sqlite:path/to/file.db")]
    NoPath,
    /// A database in memory: each connection of the store would see another one.
    #[error("a SQLite database in memory cannot be shared by the store's connections: name a file")]
    InMemory,
    /// A byte that no path and no URL may hold.
    #[error("the database URL holds a NUL byte")]
    Nul,
}

/// Whether this program was built with TLS to PostgreSQL (`--features postgres-tls`).
pub const POSTGRES_TLS: bool = cfg!(feature = "postgres-tls");

/// What a silent server must not do is keep a call for ever; these are added unless the URL sets them itself.
const POSTGRES_DEFAULTS: [(&str, &str); 7] = [
    ("connect_timeout", "2"),
    ("keepalives", "1"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "5000"),
    ("application_name", "lahete"),
];

impl DbUrl {
    /// Reads a database URL: `sqlite:path`, `sqlite://path`, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    /// [`DbUrlError`] when it is of another kind or names no shared database.
    pub fn parse(text: &str) -> Result<Self, DbUrlError> {
        if text.contains('\0') {
            return Err(DbUrlError::Nul);
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(SecretString::from(with_defaults(text))));
        }
        let rest = text.strip_prefix("sqlite:").ok_or(DbUrlError::UnknownScheme)?;
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.is_empty() {
            return Err(DbUrlError::NoPath);
        }
        // SQLite reads `file:…` as a URI of its own, with options that would undo ours.
        if path.contains(":memory:") || path.starts_with("file:") {
            return Err(DbUrlError::InMemory);
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }

    /// The file, when it is a SQLite database.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// Whether what is said to the database can be read, or the database be another than it says, on the way: a PostgreSQL server behind a network,
    /// without TLS that checks whom it talks to. A socket of this machine is no network.
    #[must_use]
    pub fn is_plain_over_a_network(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(url) => {
                let url = url.expose_secret();
                leaves_the_machine(url) && !(POSTGRES_TLS && parameter(url, "sslmode").is_some_and(|mode| mode == "verify-full"))
            }
        }
    }
}

/// The value of a parameter of the URL, as libpq reads it: the last one counts.
fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let pairs = query.split('&').rev().filter_map(|part| part.split_once('='));
    pairs.filter(|(other, _)| *other == name).map(|(_, value)| decoded(value)).next()
}

/// Whether one of the hosts may be another machine. `service` names hosts that stand elsewhere, so it counts as one.
fn leaves_the_machine(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // An unescaped slash or question mark in a password would hide the host behind it.
    let hidden = !authority.contains('@') && rest.contains('@') && parameter(url, "host").is_none();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let named = hosts.split(',').map(without_port).chain(["host", "hostaddr"].iter().flat_map(|name| {
        let value = parameter(url, name).unwrap_or_default();
        value.split(',').map(str::to_owned).collect::<Vec<_>>()
    }));
    hidden || parameter(url, "service").is_some() || named.into_iter().any(|host| !is_of_this_machine(&host))
}

fn without_port(host: &str) -> String {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    decoded(bare)
}

/// Nothing, a folder of sockets, an abstract socket, or the machine's own address.
fn is_of_this_machine(host: &str) -> bool {
    host.is_empty()
        || host.starts_with(['/', '@'])
        || host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Percent escapes undone. What cannot be read so stays as it is, and is then no name of this machine.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = after.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match escape.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

impl std::str::FromStr for DbUrl {
    type Err = DbUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for DbUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_secrets(url.expose_secret())),
        }
    }
}

impl fmt::Debug for DbUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DbUrl({self})")
    }
}

fn with_defaults(url: &str) -> String {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut parameters: Vec<String> = query.split('&').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    for (name, value) in POSTGRES_DEFAULTS {
        if !parameters.iter().any(|part| part.split('=').next() == Some(name)) {
            parameters.push(format!("{name}={value}"));
        }
    }
    // libpq's own default would go on without TLS where the server has none.
    if POSTGRES_TLS && leaves_the_machine(url) && parameter(url, "sslmode").is_none() {
        parameters.push("sslmode=verify-full".to_owned());
    }
    format!("{base}?{}", parameters.join("&"))
}

/// Host and database only: user, password and parameters (one of which may be `password`) are left out.
fn without_secrets(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = match (rest.find('?'), rest.rfind('@')) {
        // Either the password holds a question mark or a parameter an at sign: what is a secret cannot be told.
        (Some(query), Some(at)) if query < at => "…",
        _ => {
            let base = rest.split_once('?').map_or(rest, |(base, _)| base);
            base.rsplit_once('@').map_or(base, |(_, place)| place)
        }
    };
    format!("postgresql://{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_kinds_are_read() {
        assert_eq!(DbUrl::parse("sqlite:data/l.db").unwrap().sqlite_path(), Some(Path::new("data/l.db")));
        assert_eq!(DbUrl::parse("sqlite:///var/l.db").unwrap().sqlite_path(), Some(Path::new("/var/l.db")));
        assert!(matches!(DbUrl::parse("postgresql://localhost/l"), Ok(DbUrl::Postgres(_))));
        assert_eq!(DbUrl::parse("mysql://localhost/l").unwrap_err(), DbUrlError::UnknownScheme);
        assert_eq!(DbUrl::parse("sqlite:").unwrap_err(), DbUrlError::NoPath);
        assert_eq!(DbUrl::parse("sqlite::memory:").unwrap_err(), DbUrlError::InMemory);
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = DbUrl::parse("postgres://lahete:s3cr@et@db.example:5432/lahete?password=s3cr&sslmode=disable").unwrap();
        assert_eq!(url.to_string(), "postgresql://db.example:5432/lahete");
        assert!(!format!("{url:?}").contains("s3cr"));
        let unescaped = DbUrl::parse("postgres://lahete:s3cr?et@db.example/lahete").unwrap();
        assert_eq!(unescaped.to_string(), "postgresql://…");
    }

    #[test]
    fn a_network_is_told_from_the_machine_itself() {
        let plain = |url: &str| DbUrl::parse(url).unwrap().is_plain_over_a_network();
        for near in [
            "sqlite:data/l.db",
            "postgres:///lahete",
            "postgres://lahete@/lahete?host=/run/postgresql",
            "postgres://%2Frun%2Fpostgresql/lahete",
            "postgres://lahete:s@localhost/lahete",
            "postgres://lahete:s@127.0.0.1:5433/lahete",
            "postgres://lahete:s@[::1]:5433/lahete",
            "postgres://localhost,127.0.0.2:5433/lahete",
            "postgres://lahete:p%40ss@LOCALHOST/lahete",
        ] {
            assert!(!plain(near), "{near}");
        }
        for far in [
            "postgres://db.example/lahete",
            "postgres://lahete:s@10.0.0.5/lahete",
            "postgres://lahete:s@[2001:db8::1]:5432/lahete",
            "postgres://localhost,db.example/lahete",
            "postgres://localhost/lahete?host=db.example",
            "postgres://localhost/lahete?hostaddr=10.0.0.5",
            "postgres://localhost.example/lahete",
            "postgres://127.0.0.1.example/lahete",
            "postgres://%6cocalhost%2eexample/lahete",
            "postgres://lahete:s/lahete@db.example/lahete",
            "postgres://localhost/lahete?service=production",
            "postgres://db.example/lahete?sslmode=require",
            "postgres://db.example/lahete?sslmode=disable",
        ] {
            assert!(plain(far) || (POSTGRES_TLS && !far.contains("sslmode")), "{far}");
        }
        let checked = "postgres://db.example/lahete?sslmode=verify-full&sslrootcert=system";
        assert_eq!(plain(checked), !POSTGRES_TLS);
    }

    #[test]
    fn timeouts_are_added_but_never_overruled() {
        let DbUrl::Postgres(url) = DbUrl::parse("postgres://h/d?connect_timeout=9").unwrap() else { panic!("a server") };
        let url = url.expose_secret();
        assert!(url.contains("connect_timeout=9") && !url.contains("connect_timeout=2"), "{url}");
        assert!(url.contains("tcp_user_timeout=5000") && url.contains("keepalives_idle=5"), "{url}");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_no_text_breaks_it_and_only_known_kinds_are_read(text in "(sqlite:(//)?|postgres(ql)?://|SQLITE:|mysql://)?\\PC{0,30}") {
            let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|kind| text.starts_with(kind));
            let read = DbUrl::parse(&text);
            proptest::prop_assert!(known || read.is_err());
            if let Ok(DbUrl::Sqlite(path)) = read {
                proptest::prop_assert!(text.ends_with(path.to_str().unwrap()) && path.as_os_str() != "");
            }
        }

        #[test]
        fn property_a_path_comes_back(path in "[a-zA-Z0-9äö _.][a-zA-Z0-9äö /_.-]{0,30}") {
            let url = DbUrl::parse(&format!("sqlite:{path}")).unwrap();
            proptest::prop_assert_eq!(url.sqlite_path(), Some(Path::new(&path)));
            let again = DbUrl::parse(&url.to_string()).unwrap();
            proptest::prop_assert_eq!(again.sqlite_path(), url.sqlite_path());
        }

        #[test]
        fn property_no_password_is_ever_shown(user in "[a-z@:/%]{0,6}", secret in "[A-Z0-9]{4}[A-Z0-9@:/?&=%]{0,10}[A-Z]", in_query: bool) {
            let text = if in_query {
                format!("postgres://{user}@db.example/lahete?password={secret}")
            } else {
                format!("postgres://{user}:{secret}@db.example/lahete")
            };
            let url = DbUrl::parse(&text).unwrap();
            let shown = format!("{url} {url:?}");
            proptest::prop_assert!(!shown.contains(&secret[..4]), "{}", shown);
        }
    }
}
