//! A thousand identity codes and contacts come in through HTTP. Then every byte that is left anywhere is looked at.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Seed, Site, get, is_long, post, progress};
use crate::support::Kind;
use crate::support::postgresql::Cluster;

/// Whether calls carry an idempotency key: then their answers are stored, too.
const WITH_IDEMPOTENCY_KEYS: bool = true;

const SEEDS: usize = 1000;

/// What must not be found.
struct Secrets(HashSet<Vec<u8>>);

/// What each kind of value begins with and how far it goes, so that a file is read once and not once for each value.
const SIGNS: [(&[u8], usize); 3] = [(b"+358 40 7", 15), (b"asukas", 30), ("Kätköpolku ".as_bytes(), 20)];

impl Secrets {
    fn of(seeds: &[Seed]) -> Self {
        Self(seeds.iter().flat_map(Seed::secrets).map(|value| value.as_bytes().to_vec()).collect())
    }

    /// The secrets that stand in some bytes.
    fn found_in(&self, bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        let mut keep = |value: &[u8]| {
            if self.0.contains(value) {
                found.push(String::from_utf8_lossy(value).into_owned());
            }
        };
        for (at, byte) in bytes.iter().enumerate() {
            let rest = &bytes[at..];
            // Of a code only its separator is sure; an upper-case one is what is stored.
            if *byte == b'-' && at >= 6 && rest.len() >= 5 {
                keep(&bytes[at - 6..at + 5].to_ascii_uppercase());
            }
            for (sign, longest) in SIGNS {
                if rest.starts_with(sign) {
                    (sign.len()..=longest.min(rest.len())).for_each(|length| keep(&rest[..length]));
                }
            }
        }
        found
    }
}

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files_below(&entry.path(), files);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
}

/// Writes every seed down, as people do it: a referral, a look, a search, a correction.
fn write_down(site: &Site, server: &super::Served, seeds: &[Seed]) {
    std::thread::scope(|scope| {
        for part in seeds.chunks(seeds.len().div_ceil(4)) {
            scope.spawn(move || {
                let mut wire = server.wire();
                for (number, seed) in part.iter().enumerate() {
                    let key = format!("seed-{}", seed.phone.replace(' ', ""));
                    let mut headers = vec![("authorization", site.referrer.as_str())];
                    if WITH_IDEMPOTENCY_KEYS {
                        headers.push(("idempotency-key", &key));
                    }
                    let sent = wire.call("POST", "/v1/referrals", &headers, Some(&seed.referral().to_string())).unwrap();
                    assert_eq!(sent.status, 201, "{sent:?}");
                    if number % 10 != 0 {
                        continue;
                    }
                    let body =
                        json!({"programme_id": site.people.programme.to_string(), "personal_identity_code": seed.code.to_lowercase()});
                    let found = post(&mut wire, &site.coordinator, "/v1/clients/search", &body).json();
                    let client = &found["items"][0];
                    assert_eq!(client["contact"]["phone"], json!(seed.phone), "{found}");
                    let path = format!("/v1/clients/{}", client["id"].as_str().unwrap());
                    assert_eq!(get(&mut wire, &site.coordinator, &path).json()["contact"]["address"], json!(seed.address));
                    // A code that is refused, a code where none belongs, a code of nobody.
                    let mut wrong = seed.referral();
                    wrong["client"]["birth_date"] = json!("1999-01-01");
                    assert_eq!(post(&mut wire, &site.referrer, "/v1/referrals", &wrong).status, 422);
                    assert_eq!(get(&mut wire, &site.coordinator, &format!("/v1/clients/{}", number)).status, 404);
                }
            });
        }
    });
}

fn expect_nothing(secrets: &Secrets, what: &str, bytes: &[u8]) {
    let found = secrets.found_in(bytes);
    assert!(found.is_empty(), "{} values stand in {what}, as {:?}", found.len(), found.first());
}

/// The words of the settings under which the program says the most.
const LOUD: &[(&str, &str)] = &[("log", "info,lahete_api=trace,lahete_persistence=trace,diesel=trace,r2d2=trace")];

#[test]
fn the_search_is_not_blind() {
    let seeds: Vec<Seed> = (0..SEEDS).map(Seed::new).collect();
    let secrets = Secrets::of(&seeds);
    let text: String =
        seeds.iter().map(|seed| format!("x{}y{}z{}\0{}\n", seed.code.to_lowercase(), seed.phone, seed.email, seed.address)).collect();
    let found: HashSet<String> = secrets.found_in(text.as_bytes()).into_iter().collect();
    assert_eq!((secrets.0.len(), found.len()), (4 * SEEDS, 4 * SEEDS));
}

#[test]
fn no_code_and_no_contact_is_left_on_sqlite() {
    let site = Site::new(Kind::Sqlite);
    let seeds: Vec<Seed> = (0..SEEDS).map(Seed::new).collect();
    let secrets = Secrets::of(&seeds);
    let server = site.serve("loud", LOUD);
    write_down(&site, &server, &seeds);
    let copy = site.folder.join("copy.db");
    site.command_works(&["backup", copy.to_str().unwrap()]);
    let wal = site.folder.join("lahete.db-wal");
    assert!(std::fs::metadata(&wal).unwrap().len() > 100_000, "there is a log to be searched");
    let search = |files: &[PathBuf]| {
        let mut bytes_searched = 0;
        for file in files.iter().filter(|file| !file.ends_with("lahete.db-reserve")) {
            let bytes = std::fs::read(file).unwrap();
            bytes_searched += bytes.len();
            expect_nothing(&secrets, &file.display().to_string(), &bytes);
        }
        bytes_searched
    };
    let mut files = Vec::new();
    files_below(&site.folder, &mut files);
    let while_it_runs = search(&files);
    server.stop();
    files.clear();
    files_below(&site.folder, &mut files);
    let afterwards = search(&files);
    let database = std::fs::read(site.folder.join("lahete.db")).unwrap();
    // What is not sealed is there: these are the files in which the others would be.
    for file in [&database, &std::fs::read(&copy).unwrap()] {
        assert!(file.windows(6).filter(|window| window == b"Siemen").count() >= SEEDS, "the rows are in this file");
    }
    println!("{SEEDS} codes and {} contacts in none of {} files, {while_it_runs} and {afterwards} bytes", 3 * SEEDS, files.len());
    progress(&format!("SQLite: {} bytes searched, long form: {}", while_it_runs + afterwards, is_long()));
}

#[test]
fn no_code_and_no_contact_is_left_on_postgresql() {
    let cluster = Cluster::start();
    let folder = std::env::temp_dir().join(format!("lahete-bytes-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let site = Site::on(cluster.url(), folder, None);
    let seeds: Vec<Seed> = (0..SEEDS).map(Seed::new).collect();
    let secrets = Secrets::of(&seeds);
    let server = site.serve("loud", LOUD);
    write_down(&site, &server, &seeds);
    server.stop();
    let dump = cluster.dump();
    assert!(dump.matches("Siemen").count() >= SEEDS, "the rows are in the dump");
    expect_nothing(&secrets, "the dump", dump.as_bytes());
    let mut files = Vec::new();
    files_below(&site.folder, &mut files);
    cluster.stop_in_peace();
    files_below(&cluster.data(), &mut files);
    let (mut bytes_searched, mut rows) = (0, 0);
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        bytes_searched += bytes.len();
        rows += bytes.windows(6).filter(|window| window == b"Siemen").count();
        expect_nothing(&secrets, &file.display().to_string(), &bytes);
    }
    // In the tables and in the log, where some are cut in two by the end of a page.
    assert!(rows > SEEDS + SEEDS / 2, "the rows are in these files: {rows}");
    println!("{SEEDS} codes and {} contacts in none of {} files and in no dump, {bytes_searched} bytes", 3 * SEEDS, files.len());
    let _ = std::fs::remove_dir_all(&site.folder);
}
