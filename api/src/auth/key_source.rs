//! Where an issuer's keys come from: its discovery document and its key set by HTTPS, or a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lahete_domain::user::KeyAlgorithm;
use serde_json::Value;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::issuer_settings::{IssuerSettings, is_allowed_url};
use super::key_set::{TrustedKey, parse_set};
use crate::http::extract::valid_json::unambiguous;

/// For one document: name, connection, answer.
const TIME_MAX: Duration = Duration::from_secs(5);

/// A discovery document or a key set is a few kilobytes.
const BYTES_MAX: u64 = 256 * 1024;

/// How long a set is kept when the issuer does not say.
pub const KEPT_SECONDS: i64 = 15 * 60;

/// The longest time for which a set is kept, whatever the issuer says.
pub const KEPT_SECONDS_MAX: i64 = 24 * 60 * 60;

/// A file is looked at so often.
const FILE_KEPT_SECONDS: i64 = 60;

/// Where the system keeps the authorities that it trusts.
const SYSTEM_AUTHORITIES: [&str; 4] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

/// A set as it was read.
#[derive(Debug)]
pub struct Fetched {
    /// The keys.
    pub keys: Vec<TrustedKey>,
    /// For how many seconds they may be kept.
    pub kept: i64,
}

/// Where the keys come from.
#[derive(Clone)]
pub enum KeySource {
    /// From the issuer.
    Issuer {
        /// `issuer`, which the document must name letter by letter.
        issuer: String,
        /// Where the document is.
        discovery: String,
        /// Asks by HTTPS.
        agent: ureq::Agent,
        /// Whether http:// may be asked beyond this machine.
        demo: bool,
    },
    /// From a file.
    File(PathBuf),
}

impl KeySource {
    /// The source that the settings name.
    ///
    /// # Errors
    /// When the authorities for TLS cannot be read.
    pub fn of(settings: &IssuerSettings, demo: bool) -> Result<Self, String> {
        if let Some(file) = &settings.jwks_file {
            return Ok(Self::File(file.clone()));
        }
        let discovery = settings.discovery_url();
        let agent = agent(&discovery, settings.ca_file.as_deref())?;
        Ok(Self::Issuer { issuer: settings.issuer.clone(), discovery, agent, demo })
    }

    /// Reads the keys. Blocks.
    ///
    /// # Errors
    /// What went wrong, for the log.
    pub fn fetch(&self, allowed: &[KeyAlgorithm]) -> Result<Fetched, String> {
        match self {
            Self::File(path) => {
                let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
                let keys = parse_set(&unambiguous(&text)?, allowed)?;
                Ok(Fetched { keys, kept: FILE_KEPT_SECONDS })
            }
            Self::Issuer { issuer, discovery, agent, demo } => {
                let (document, _) = get(agent, discovery)?;
                if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
                    return Err("the discovery document is another issuer's".to_owned());
                }
                let keys_at = document.get("jwks_uri").and_then(Value::as_str).ok_or("the discovery document names no keys")?;
                if !is_allowed_url(keys_at, *demo) || (discovery.starts_with("https://") && !keys_at.starts_with("https://")) {
                    return Err("the keys are not at an https:// address".to_owned());
                }
                let (set, kept) = get(agent, keys_at)?;
                Ok(Fetched { keys: parse_set(&set, allowed)?, kept })
            }
        }
    }
}

fn agent(url: &str, ca_file: Option<&Path>) -> Result<ureq::Agent, String> {
    let mut config = ureq::Agent::config_builder()
        .timeout_global(Some(TIME_MAX))
        .max_redirects(0)
        .http_status_as_error(true)
        .proxy(None)
        .max_idle_connections(0)
        .user_agent("lahete");
    if url.starts_with("https://") {
        // "Unversioned" because the type is of rustls: a new rustls shows here when it is compiled.
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .root_certs(authorities(ca_file)?)
            .build();
        config = config.tls_config(tls).https_only(true);
    }
    Ok(config.build().new_agent())
}

pub(crate) fn authorities(ca_file: Option<&Path>) -> Result<RootCerts, String> {
    let path = match ca_file {
        Some(path) => path.to_owned(),
        None => SYSTEM_AUTHORITIES
            .iter()
            .map(PathBuf::from)
            .find(|path| path.exists())
            .ok_or("the system keeps no list of authorities for TLS: name one in ca_file")?,
    };
    let pem = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(format!("{} holds no certificate", path.display()));
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

fn get(agent: &ureq::Agent, url: &str) -> Result<(Value, i64), String> {
    let mut response = agent.get(url).header("accept", "application/json").call().map_err(|error| format!("{url}: {error}"))?;
    // A redirect is not followed and is no answer.
    if response.status().as_u16() != 200 {
        return Err(format!("{url}: status {}", response.status().as_u16()));
    }
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let kept = kept_seconds(header("cache-control").as_deref(), header("age").as_deref());
    let body = response.body_mut().with_config().limit(BYTES_MAX).read_to_vec().map_err(|error| format!("{url}: {error}"))?;
    Ok((unambiguous(&body).map_err(|reason| format!("{url}: {reason}"))?, kept))
}

/// For how long an answer may be kept (RFC 9111), in seconds: what the issuer says, within a day.
fn kept_seconds(cache_control: Option<&str>, age: Option<&str>) -> i64 {
    let Some(text) = cache_control else { return KEPT_SECONDS };
    let directives: Vec<String> = text.split(',').map(|one| one.trim().to_ascii_lowercase()).collect();
    if directives.iter().any(|one| one == "no-store" || one == "no-cache") {
        return 0;
    }
    let age = age.and_then(|age| age.trim().parse::<i64>().ok()).unwrap_or(0).max(0);
    directives
        .iter()
        .find_map(|one| one.strip_prefix("max-age=")?.trim_matches('"').parse::<i64>().ok())
        .map_or(KEPT_SECONDS, |seconds| seconds.saturating_sub(age).clamp(0, KEPT_SECONDS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_issuer_says_counts_within_a_day() {
        for (control, age, kept) in [
            (None, None, 900),
            (Some("max-age=60"), None, 60),
            (Some("public, MAX-AGE=3600, must-revalidate"), Some("600"), 3000),
            (Some("max-age=999999999"), None, 86_400),
            (Some("max-age=99999999999999999999"), None, 900),
            (Some("no-store"), None, 0),
            (Some("no-cache, max-age=60"), None, 0),
            (Some("max-age=60"), Some("-5"), 60),
            (Some("max-age=60"), Some("600"), 0),
            (Some("private"), None, 900),
        ] {
            assert_eq!(kept_seconds(control, age), kept, "{control:?} {age:?}");
        }
    }
}
