//! Which database: the two kinds of URL that the program takes.

use std::fmt;
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
