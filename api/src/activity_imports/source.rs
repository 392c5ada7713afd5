//! Where the pages of an import come from: the open API by HTTPS, or files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lahete_domain::activity_import::OVERLAP_MINUTES;
use lahete_domain::codes::ActivityImportPhase;
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::time::Instant;
use serde_json::Value;
use ureq::tls::TlsConfig;

use super::ptv::id_of;
use crate::auth::key_source::authorities;

/// For one page: name, connection, answer.
const TIME_MAX: Duration = Duration::from_secs(60);

/// A page of a hundred services is half a megabyte.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Ids that are asked for in one request: with more of them an address grows too long.
const IDS_AT_ONCE: usize = 50;

/// The longest time that a server may ask us to wait.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(120);

/// One list of pages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What is in it.
    pub phase: ActivityImportPhase,
    listing: Listing,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Listing {
    /// Everything for the people of a municipality, and of the whole country when `country` says so.
    Of { municipality: MunicipalityCode, country: bool },
    /// Everything that has changed.
    Changed,
    /// What is not offered any more.
    Gone,
    /// Files, a page each.
    Files(Vec<PathBuf>),
    /// One page that somebody holds.
    Held,
}

impl Step {
    /// A list of one page that its source holds.
    #[must_use]
    pub fn held(phase: ActivityImportPhase) -> Self {
        Self { phase, listing: Listing::Held }
    }
}

/// A page as it was read.
#[derive(Clone, PartialEq, Debug)]
pub struct Fetched {
    /// Its items.
    pub items: Vec<Value>,
    /// How many pages there are in the list, 0 when it is empty.
    pages: u32,
}

impl Fetched {
    /// The only page of a list.
    #[must_use]
    pub fn whole(items: Vec<Value>) -> Self {
        Self { pages: u32::from(!items.is_empty()), items }
    }

    /// How many pages the list has.
    #[must_use]
    pub fn pages(&self) -> u32 {
        self.pages
    }
}

/// Why there is no page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FetchError {
    /// It may be there when it is asked for again, after this time if the server named one.
    Later(String, Option<Duration>),
    /// It is there, but is none.
    NoPage(String),
    /// It will not be there, however often it is asked for.
    Never(String),
}

impl FetchError {
    /// What went wrong, for people. No more than a line, and nothing of what was read.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Later(reason, _) | Self::NoPage(reason) | Self::Never(reason) => reason,
        }
    }
}

/// Where pages come from. Each of them blocks.
pub trait PageSource: Send {
    /// The lists, in the order in which they are read: first what services name, then services.
    fn steps(&self) -> &[Step];

    /// One page of a list, from 1.
    ///
    /// # Errors
    /// [`FetchError`].
    fn page(&self, step: usize, page: u32) -> Result<Fetched, FetchError>;
}

/// The lists of an import over HTTP.
fn plan(municipalities: &BTreeSet<MunicipalityCode>, since: Option<Instant>) -> Vec<Step> {
    use ActivityImportPhase::{Archived, Channels, Organisations, Services, Withdrawn};
    let mut steps = Vec::new();
    for phase in [Organisations, Channels, Services] {
        if since.is_some() {
            steps.push(Step { phase, listing: Listing::Changed });
            continue;
        }
        for (at, municipality) in municipalities.iter().enumerate() {
            steps.push(Step { phase, listing: Listing::Of { municipality: municipality.clone(), country: at == 0 } });
        }
    }
    steps.extend([Archived, Withdrawn].map(|phase| Step { phase, listing: Listing::Gone }));
    steps
}

/// Reads the envelope of a page: `pageCount` and `itemList`, or an array of items.
fn envelope(value: Value) -> Result<Fetched, FetchError> {
    match value {
        Value::Array(items) => Ok(Fetched::whole(items)),
        Value::Object(mut members) => {
            let pages = members.get("pageCount").and_then(Value::as_u64).and_then(|pages| u32::try_from(pages).ok());
            match (members.remove("itemList"), pages) {
                (Some(Value::Array(items)), Some(pages)) => Ok(Fetched { items, pages }),
                (Some(Value::Null) | None, Some(pages)) => Ok(Fetched { items: Vec::new(), pages }),
                _ => Err(FetchError::NoPage("no pageCount and itemList".to_owned())),
            }
        }
        _ => Err(FetchError::NoPage("neither an object nor an array".to_owned())),
    }
}

/// The open API.
pub struct Http {
    agent: ureq::Agent,
    base: String,
    steps: Vec<Step>,
    since: Option<Instant>,
}

impl Http {
    /// Pages from an address, which ends with the version: `https://api.palvelutietovaranto.suomi.fi/api/v11/`.
    ///
    /// # Errors
    /// When it is no address, or the authorities for TLS cannot be read.
    pub fn new(base: &str, municipalities: &BTreeSet<MunicipalityCode>, since: Option<Instant>) -> Result<Self, String> {
        let mut config = ureq::Agent::config_builder()
            .timeout_global(Some(TIME_MAX))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .user_agent("lahete");
        if base.starts_with("https://") {
            // As for the keys of issuers.
            let tls = TlsConfig::builder()
                .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .root_certs(authorities(None)?)
                .build();
            config = config.tls_config(tls).https_only(true);
        } else if !base.starts_with("http://") {
            return Err(format!("{base} is no address"));
        }
        let base = format!("{}/", base.trim_end_matches('/'));
        Ok(Self { agent: config.build().new_agent(), base, steps: plan(municipalities, since), since })
    }

    fn get(&self, path: &str) -> Result<Value, FetchError> {
        let later = |reason: String| FetchError::Later(reason, None);
        let url = format!("{}{path}", self.base);
        let mut response = self.agent.get(&url).header("accept", "application/json").call().map_err(|error| later(error.to_string()))?;
        let status = response.status().as_u16();
        match status {
            200 => {}
            // There is nothing for the municipality.
            404 => return Ok(Value::Array(Vec::new())),
            408 | 425 | 429 | 500..=599 => {
                let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
                let wait = wait.map(|seconds| Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
                return Err(FetchError::Later(format!("status {status}"), wait));
            }
            _ => return Err(FetchError::Never(format!("status {status} for {}", path.split('?').next().unwrap_or_default()))),
        }
        // An answer that breaks off may be whole the next time; one that is no JSON is none.
        let body = response.body_mut().with_config().limit(BYTES_MAX).read_to_vec().map_err(|error| later(error.to_string()))?;
        serde_json::from_slice(&body).map_err(|_| FetchError::NoPage("not JSON".to_owned()))
    }

    /// `&date=…` as the API wants it: UTC without a zone, an hour before what was asked for.
    fn window(&self) -> String {
        self.since
            .map_or_else(String::new, |since| format!("&date={}", since.plus_minutes(-OVERLAP_MINUTES).utc().format("%Y-%m-%dT%H:%M:%S")))
    }
}

const fn entity(phase: ActivityImportPhase) -> &'static str {
    match phase {
        ActivityImportPhase::Organisations => "Organization",
        ActivityImportPhase::Channels => "ServiceChannel",
        ActivityImportPhase::Services | ActivityImportPhase::Archived | ActivityImportPhase::Withdrawn => "Service",
    }
}

impl PageSource for Http {
    fn steps(&self) -> &[Step] {
        &self.steps
    }

    fn page(&self, step: usize, page: u32) -> Result<Fetched, FetchError> {
        let Some(Step { phase, listing }) = self.steps.get(step) else { return Err(FetchError::Never("no such list".to_owned())) };
        let name = entity(*phase);
        match listing {
            Listing::Of { municipality, country } => {
                let country =
                    if *phase == ActivityImportPhase::Services { format!("&includeWholeCountry={country}") } else { String::new() };
                envelope(self.get(&format!("{name}/list/area/Municipality/code/{}?page={page}{country}", municipality.as_str()))?)
            }
            Listing::Gone => {
                let status = if *phase == ActivityImportPhase::Archived { "Archived" } else { "Withdrawn" };
                envelope(self.get(&format!("{name}?page={page}&status={status}{}", self.window()))?)
            }
            Listing::Changed => {
                let named = envelope(self.get(&format!("{name}?page={page}&status=Published{}", self.window()))?)?;
                let ids: Vec<String> = named.items.iter().filter_map(id_of).map(|id| id.to_string()).collect();
                let mut items = Vec::new();
                for some in ids.chunks(IDS_AT_ONCE) {
                    items.extend(envelope(self.get(&format!("{name}/list?guids={}", some.join(",")))?)?.items);
                }
                Ok(Fetched { items, pages: named.pages })
            }
            Listing::Files(_) | Listing::Held => Err(FetchError::Never("a list from elsewhere".to_owned())),
        }
    }
}

/// Files.
pub struct Files {
    steps: Vec<Step>,
}

/// What a file holds, by its name or by its first item.
fn phase_of(path: &Path) -> Option<ActivityImportPhase> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let begins = [
        ("organi", ActivityImportPhase::Organisations),
        ("servicechannel", ActivityImportPhase::Channels),
        ("channel", ActivityImportPhase::Channels),
        ("service", ActivityImportPhase::Services),
        ("archived", ActivityImportPhase::Archived),
        ("withdrawn", ActivityImportPhase::Withdrawn),
    ];
    if let Some((_, phase)) = begins.iter().find(|(begin, _)| name.starts_with(begin)) {
        return Some(*phase);
    }
    let text = std::fs::read(path).ok()?;
    let page = envelope(serde_json::from_slice(&text).ok()?).ok()?;
    let first = page.items.first()?;
    let has = |member: &str| first.get(member).is_some();
    if has("serviceNames") {
        Some(ActivityImportPhase::Services)
    } else if has("serviceChannelType") || has("serviceChannelNames") {
        Some(ActivityImportPhase::Channels)
    } else if has("organizationNames") {
        Some(ActivityImportPhase::Organisations)
    } else {
        None
    }
}

impl Files {
    /// Pages from a file, or from all `.json` files of a folder in the order of their names.
    ///
    /// # Errors
    /// When it cannot be read, or a file does not tell what is in it.
    pub fn new(path: &Path) -> Result<Self, String> {
        let named = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut all = vec![path.to_owned()];
        if std::fs::metadata(path).map_err(named)?.is_dir() {
            all = std::fs::read_dir(path)
                .map_err(named)?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<_, _>>()
                .map_err(named)?;
            all.retain(|path| path.extension().is_some_and(|end| end == "json"));
            all.sort();
        }
        let mut lists: Vec<(ActivityImportPhase, Vec<PathBuf>)> = Vec::new();
        for path in all {
            let phase = phase_of(&path).ok_or_else(|| {
                format!(
                    "{}: neither its name (organizations…, channels…, services…, archived…, withdrawn…) nor its first item tells what it holds",
                    path.display()
                )
            })?;
            match lists.iter_mut().find(|(known, _)| *known == phase) {
                Some((_, paths)) => paths.push(path),
                None => lists.push((phase, vec![path])),
            }
        }
        lists.sort_by_key(|(phase, _)| *phase);
        Ok(Self { steps: lists.into_iter().map(|(phase, paths)| Step { phase, listing: Listing::Files(paths) }).collect() })
    }
}

impl PageSource for Files {
    fn steps(&self) -> &[Step] {
        &self.steps
    }

    fn page(&self, step: usize, page: u32) -> Result<Fetched, FetchError> {
        let Some(Step { listing: Listing::Files(paths), .. }) = self.steps.get(step) else {
            return Err(FetchError::Never("no such list".to_owned()));
        };
        let pages = u32::try_from(paths.len()).unwrap_or(u32::MAX);
        let path = usize::try_from(page).ok().and_then(|page| paths.get(page.checked_sub(1)?));
        let Some(path) = path else { return Ok(Fetched { items: Vec::new(), pages }) };
        let text = std::fs::read(path).map_err(|error| FetchError::Never(format!("{}: {error}", path.display())))?;
        let value = serde_json::from_slice(&text).map_err(|_| FetchError::NoPage(format!("{}: not JSON", path.display())))?;
        envelope(value).map(|page| Fetched { items: page.items, pages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_plan_reads_what_services_name_before_services() {
        let municipalities: BTreeSet<_> = ["758", "261"].into_iter().filter_map(MunicipalityCode::parse).collect();
        let phases = |since| plan(&municipalities, since).iter().map(|step| step.phase as u8).collect::<Vec<_>>();
        assert_eq!(phases(None), [0, 0, 1, 1, 2, 2, 3, 4]);
        assert_eq!(phases(Some(Instant::new("2026-11-01T00:30:00Z".parse().expect("a time")))), [0, 1, 2, 3, 4]);
        let http = Http::new("http://x/v11", &municipalities, Some(Instant::new("2026-11-01T00:30:00Z".parse().expect("a time"))))
            .expect("a source");
        assert_eq!((http.window().as_str(), http.base.as_str()), ("&date=2026-10-31T23:30:00", "http://x/v11/"));
        assert!(Http::new("file:///etc/passwd", &municipalities, None).is_err());
    }

    #[test]
    fn a_page_has_an_envelope_or_is_a_list() {
        assert_eq!(
            envelope(json!({"pageNumber": 1, "pageSize": 10, "pageCount": 3, "itemList": [1]})),
            Ok(Fetched { items: vec![json!(1)], pages: 3 })
        );
        assert_eq!(envelope(json!({"pageCount": 0, "itemList": null})), Ok(Fetched { items: vec![], pages: 0 }));
        assert_eq!(envelope(json!([1, 2])).map(|page| page.pages), Ok(1));
        for wrong in [json!({"itemList": {}, "pageCount": 1}), json!({"error": "x"}), json!("x"), json!({"itemList": []})] {
            assert!(matches!(envelope(wrong.clone()), Err(FetchError::NoPage(_))), "{wrong}");
        }
    }
}
