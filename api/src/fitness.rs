//! Whether settings, keys and database are fit for the data of real people. The demo is not asked; everybody else is, before the first call is taken.

use std::net::IpAddr;

use lahete_persistence::{DbUrl, POSTGRES_TLS, Store, StoreError};
use secrecy::ExposeSecret as _;

use crate::config::Config;
use crate::demo;
use crate::state::Secrets;

/// A key of 32 random bytes has about thirty different ones; fewer than these are no accident.
const DIFFERENT_BYTES_MIN: usize = 16;

/// Why the program does not start outside the demo. Nothing secret is repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    /// The master key is a word, a pattern or zeroes.
    #[error("the data key is not random: make one with `openssl rand -base64 32`")]
    GuessableDataKey,
    /// What is said to the database could be read on the way.
    #[error(
        "setting database: a PostgreSQL server behind a network needs TLS with sslmode=verify-full{}; set plain_database = true to go without",
        if POSTGRES_TLS { "" } else { ", which this program was built without (cargo feature postgres-tls)" }
    )]
    PlainDatabase,
    /// Callers would be told to send tokens and data in the clear.
    #[error("setting base_url: it must begin with https:// unless it names this machine; put a proxy that speaks TLS in front")]
    PlainAddress,
    /// The people of the demo may sign in with a password that everybody knows.
    #[error(
        "the database holds the demo, whose accounts and keys everybody knows: it cannot become the database of real people; make a new one"
    )]
    DemoInDatabase,
}

/// What can be told from settings and keys alone.
///
/// # Errors
/// [`Unfit`].
pub fn expect_settings(config: &Config, url: &DbUrl, secrets: &Secrets) -> Result<(), Unfit> {
    if config.demo {
        return Ok(());
    }
    if secrets.data_keys.masters().iter().any(|(_, key)| is_guessable(key.expose_secret())) {
        return Err(Unfit::GuessableDataKey);
    }
    if is_plain_address(&config.base_url) {
        return Err(Unfit::PlainAddress);
    }
    if url.is_plain_over_a_network() && !config.plain_database {
        return Err(Unfit::PlainDatabase);
    }
    Ok(())
}

/// Whether an address is reached over a network without TLS.
fn is_plain_address(base_url: &str) -> bool {
    let Some(rest) = base_url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    !(host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback()))
}

/// Whether a key looks typed rather than drawn. A random one is taken for that once in more than 10^13 times.
fn is_guessable(key: &[u8]) -> bool {
    let mut seen = key.to_vec();
    seen.sort_unstable();
    seen.dedup();
    seen.len() < DIFFERENT_BYTES_MIN || key.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
}

/// What only the database can tell.
///
/// # Errors
/// `Ok(Some(…))` says that it is not fit; an error that it cannot be asked now.
pub async fn fault_of_database(config: &Config, store: &Store) -> Result<Option<Unfit>, StoreError> {
    if config.demo {
        return Ok(None);
    }
    Ok(demo::is_there(store).await?.then_some(Unfit::DemoInDatabase))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::keys::{DataKeys, SigningKey};

    #[test]
    fn a_key_that_somebody_thought_up_is_told_from_a_drawn_one() {
        for typed in [[0_u8; 32], [7; 32], *b"correct horse battery staple 123", *b"abcdefghijklmnopqrstuvwxyz012345"] {
            assert!(is_guessable(&typed));
        }
        for _ in 0..1000 {
            let mut drawn = [0_u8; 32];
            getrandom::fill(&mut drawn).expect("random bytes");
            assert!(!is_guessable(&drawn));
        }
    }

    #[test]
    fn an_address_without_tls_is_of_this_machine_alone() {
        for plain in [
            "http://lahete.example",
            "http://10.0.0.5:8080",
            "http://localhost.example",
            "http://127.0.0.1.example/",
            "http://[2001:db8::1]:80",
        ] {
            assert!(is_plain_address(plain), "{plain}");
        }
        for fit in ["https://lahete.example", "http://127.0.0.1:8080", "http://localhost", "http://LOCALHOST:1/x", "http://[::1]:8080"] {
            assert!(!is_plain_address(fit), "{fit}");
        }
    }

    #[test]
    fn the_demo_may_do_what_nobody_else_may() {
        let secrets = |key: &[u8]| Secrets { signing_key: SigningKey::generate().expect("a key"), data_keys: DataKeys::single(key) };
        let drawn: Vec<u8> = (100..132).collect();
        let far = DbUrl::parse("postgres://db.example/lahete").expect("a URL");
        let near = DbUrl::parse("sqlite:lahete.db").expect("a URL");
        let config = |pairs: &[(&str, &str)]| Config::from_pairs(pairs).expect("settings");
        let check = |pairs: &[(&str, &str)], url: &DbUrl, key: &[u8]| expect_settings(&config(pairs), url, &secrets(key));
        assert_eq!(check(&[], &near, &drawn), Ok(()));
        assert_eq!(check(&[], &near, &[7; 32]), Err(Unfit::GuessableDataKey));
        assert_eq!(check(&[("base_url", "http://lahete.example")], &near, &drawn), Err(Unfit::PlainAddress));
        assert_eq!(check(&[("demo", "true"), ("base_url", "http://lahete.example")], &far, &[7; 32]), Ok(()));
        assert_eq!(check(&[], &far, &drawn), if POSTGRES_TLS { Ok(()) } else { Err(Unfit::PlainDatabase) });
        assert_eq!(check(&[("plain_database", "true")], &far, &drawn), Ok(()));
    }
}
