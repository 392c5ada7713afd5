//! Other issuers whose tokens are trusted, as the settings name them: `[[issuers]]` tables of the file, or a JSON list in the variable.

use std::net::IpAddr;
use std::path::PathBuf;

use lahete_domain::user::{ISSUER_MAX, KeyAlgorithm};
use serde::Deserialize;
use uuid::Uuid;

use super::token::TOKEN_TYPE;

/// The longest life of another issuer's access token that can be allowed, in minutes.
pub const FOREIGN_TOKEN_MINUTES_MAX: i64 = 60;

/// Most issuers.
const ISSUERS_MAX: usize = 20;

/// Who may call with tokens of an issuer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerKind {
    /// People whose account an administrator has linked with their name there.
    Users,
    /// Machines that an administrator has linked with their name there.
    ApiClients,
    /// Clients, found by their personal identity code.
    Clients,
}

/// One table.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSettings {
    /// `iss`, letter by letter.
    pub issuer: String,
    /// The `aud` that a token must name; the setting `audience` when left out.
    pub audience: Option<String>,
    /// The address of the discovery document, when it is not `<issuer>/.well-known/openid-configuration`.
    pub discovery: Option<String>,
    /// A key-set file in place of discovery.
    pub jwks_file: Option<PathBuf>,
    /// The authorities that may have signed the issuer's certificate, PEM; those of the system when left out.
    pub ca_file: Option<PathBuf>,
    /// The algorithms of the issuer, of one family.
    pub algorithms: Vec<String>,
    /// The `typ` of its access tokens.
    #[serde(default = "token_types")]
    pub token_types: Vec<String>,
    /// Who may call with its tokens.
    #[serde(default = "callers")]
    pub callers: Vec<CallerKind>,
    /// The claim with the personal identity code; for `clients`.
    pub identity_code_claim: Option<String>,
    /// How strongly one must have signed in: one of these must stand in `acr`. Any when empty.
    #[serde(default)]
    pub acr: Vec<String>,
    /// The longest life of its access tokens, in minutes.
    #[serde(default = "token_minutes")]
    pub token_minutes: i64,
    /// Seconds between two looks for a key that is not there.
    #[serde(default = "cool_down_seconds")]
    pub cool_down_seconds: i64,
    /// For `clients`: the programme to which a person who is nobody's client yet may write for themself.
    pub home_programme: Option<Uuid>,
}

fn token_types() -> Vec<String> {
    vec![TOKEN_TYPE.to_owned()]
}

fn callers() -> Vec<CallerKind> {
    vec![CallerKind::Users]
}

fn token_minutes() -> i64 {
    15
}

fn cool_down_seconds() -> i64 {
    30
}

impl IssuerSettings {
    /// The algorithms.
    #[must_use]
    pub fn algorithms(&self) -> Vec<KeyAlgorithm> {
        self.algorithms.iter().filter_map(|name| KeyAlgorithm::parse(name)).collect()
    }

    /// Where the discovery document is.
    #[must_use]
    pub fn discovery_url(&self) -> String {
        self.discovery.clone().unwrap_or_else(|| format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/')))
    }

    fn check(&self, own: &str, demo: bool) -> Result<(), String> {
        let allowed = |url: &str| is_allowed_url(url, demo);
        if self.issuer.len() > ISSUER_MAX || !allowed(&self.issuer) || self.issuer.contains(['?', '#']) {
            return Err("issuer must be an https:// address (http:// on this machine or in demo mode alone) without ? and #".into());
        }
        if self.issuer == own {
            return Err("issuer is our own".into());
        }
        if self.discovery.as_ref().is_some_and(|url| !allowed(url)) {
            return Err("discovery must be an https:// address".into());
        }
        if self.jwks_file.is_some() && (self.discovery.is_some() || self.ca_file.is_some()) {
            return Err("jwks_file stands in place of discovery and ca_file".into());
        }
        if self.audience.as_ref().is_some_and(String::is_empty) {
            return Err("audience is empty".into());
        }
        for name in &self.algorithms {
            if KeyAlgorithm::parse(name).is_none() {
                return Err("algorithms may name ES256, EdDSA, RS256 and PS256; none and those with a shared secret are never taken".into());
            }
        }
        let known = self.algorithms();
        let Some(first) = known.first() else { return Err("algorithms are missing".into()) };
        if known.iter().any(|one| !one.is_kin(*first)) {
            return Err("algorithms are of one family: ES256, or EdDSA, or RS256 and PS256".into());
        }
        if self.token_types.is_empty() || self.token_types.iter().any(String::is_empty) {
            return Err("token_types are missing".into());
        }
        let clients = self.callers.contains(&CallerKind::Clients);
        if self.callers.is_empty() || (clients && self.callers.len() > 1) {
            return Err("callers are users, api_clients or both, or clients alone".into());
        }
        if clients != self.identity_code_claim.as_ref().is_some_and(|name| !name.is_empty()) {
            return Err("identity_code_claim goes with callers = [\"clients\"]".into());
        }
        if self.home_programme.is_some() && !clients {
            return Err("home_programme goes with callers = [\"clients\"]".into());
        }
        if !(1..=FOREIGN_TOKEN_MINUTES_MAX).contains(&self.token_minutes) {
            return Err(format!("token_minutes must lie between 1 and {FOREIGN_TOKEN_MINUTES_MAX}"));
        }
        if !(10..=60).contains(&self.cool_down_seconds) {
            return Err("cool_down_seconds must lie between 10 and 60".into());
        }
        Ok(())
    }
}

/// Whether an address may be asked for keys: by TLS, or on this machine, or in demo mode.
#[must_use]
pub fn is_allowed_url(url: &str, demo: bool) -> bool {
    let host = |rest: &str| -> Option<String> {
        let authority = rest.split(['/', '?', '#']).next()?;
        if authority.is_empty() || authority.contains('@') || url.chars().any(|letter| !letter.is_ascii_graphic()) {
            return None;
        }
        match authority.strip_prefix('[') {
            Some(v6) => v6.split(']').next().map(str::to_owned),
            None => authority.split(':').next().map(str::to_owned),
        }
    };
    if let Some(rest) = url.strip_prefix("https://") {
        return host(rest).is_some();
    }
    let Some(host) = url.strip_prefix("http://").and_then(host) else { return false };
    demo || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Reads the list.
///
/// # Errors
/// What is wrong, and at which issuer.
pub fn parse(json: &str, own: &str, demo: bool) -> Result<Vec<IssuerSettings>, String> {
    if json.trim().is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<IssuerSettings> = serde_json::from_str(json).map_err(|error| error.to_string())?;
    if all.len() > ISSUERS_MAX {
        return Err(format!("at most {ISSUERS_MAX} issuers"));
    }
    for (place, one) in all.iter().enumerate() {
        one.check(own, demo).map_err(|reason| format!("{}: {reason}", one.issuer))?;
        if all.iter().skip(place + 1).any(|other| other.issuer == one.issuer) {
            return Err(format!("{} stands twice", one.issuer));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(change: Value) -> Result<Vec<IssuerSettings>, String> {
        let mut table = json!({"issuer": "https://id.example", "algorithms": ["ES256"]});
        for (name, value) in change.as_object().expect("an object") {
            table[name] = value.clone();
        }
        parse(&json!([table]).to_string(), "https://lahete.example", false)
    }

    #[test]
    fn a_short_table_has_the_strict_defaults() {
        let all = read(json!({})).expect("an issuer");
        let one = &all[0];
        assert_eq!((one.token_types.as_slice(), one.token_minutes, one.cool_down_seconds), (&["at+jwt".to_owned()][..], 15, 30));
        assert_eq!(one.callers, [CallerKind::Users]);
        assert_eq!(one.discovery_url(), "https://id.example/.well-known/openid-configuration");
        assert_eq!(parse("", "x", false), Ok(Vec::new()));
    }

    #[test]
    fn what_would_weaken_the_checks_is_refused() {
        for good in [
            json!({"algorithms": ["RS256", "PS256"], "callers": ["users", "api_clients"], "token_minutes": 60}),
            json!({"callers": ["clients"], "identity_code_claim": "urn:oid:1.2.246.21", "acr": ["urn:suomi:strong"]}),
            json!({"issuer": "http://127.0.0.1:9000"}),
            json!({"issuer": "http://[::1]:9000/realm"}),
            json!({"jwks_file": "/etc/lahete/keys.json"}),
        ] {
            assert!(read(good.clone()).is_ok(), "{good}: {:?}", read(good.clone()));
        }
        for bad in [
            json!({"algorithms": []}),
            json!({"algorithms": ["none"]}),
            json!({"algorithms": ["HS256"]}),
            json!({"algorithms": ["ES256", "RS256"]}),
            json!({"algorithms": ["EdDSA", "ES256"]}),
            json!({"algorithms": ["es256"]}),
            json!({"issuer": "http://id.example"}),
            json!({"issuer": "http://127.0.0.1.evil.example"}),
            json!({"issuer": "http://127.0.0.1@evil.example"}),
            json!({"issuer": "ftp://id.example"}),
            json!({"issuer": "https://id.example/?a"}),
            json!({"issuer": "https://"}),
            json!({"issuer": "https://id.example/ä"}),
            json!({"issuer": "https://lahete.example"}),
            json!({"discovery": "http://id.example/x"}),
            json!({"jwks_file": "a", "discovery": "https://id.example/x"}),
            json!({"token_types": []}),
            json!({"callers": []}),
            json!({"callers": ["everybody"]}),
            json!({"callers": ["clients", "users"], "identity_code_claim": "hetu"}),
            json!({"callers": ["clients"]}),
            json!({"identity_code_claim": "hetu"}),
            json!({"home_programme": "01900000-0000-7000-8000-000000000001"}),
            json!({"token_minutes": 61}),
            json!({"token_minutes": 0}),
            json!({"cool_down_seconds": 9}),
            json!({"audience": ""}),
            json!({"leeway": 300}),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
        let twice =
            json!([{"issuer": "https://a.example", "algorithms": ["ES256"]}, {"issuer": "https://a.example", "algorithms": ["ES256"]}]);
        assert!(parse(&twice.to_string(), "x", false).is_err());
        assert!(is_allowed_url("http://id.example", true), "in demo mode");
    }
}
