//! The house as it was drawn: which crate may know which, under which licences, and what may stand in which file. A rule that breaks here was
//! agreed on; to change it is a decision, to be made in the commit that needs it, with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// What each crate may depend on directly. `domain` is pure: nothing for databases, HTTP, serialization or randomness.
const DIRECT: &[(&str, &[&str])] = &[
    ("lahete-domain", &["chrono", "chrono-tz", "thiserror", "uuid"]),
    (
        "lahete-persistence",
        &[
            "aes-gcm-siv",
            "base64",
            "chrono",
            "diesel",
            "diesel_migrations",
            "getrandom",
            "hmac",
            "lahete-domain",
            "libsqlite3-sys",
            "log",
            "openssl-sys",
            "pq-sys",
            "r2d2",
            "rusqlite",
            "secrecy",
            "serde_json",
            "sha2",
            "thiserror",
            "tokio",
            "uuid",
            "zeroize",
        ],
    ),
    (
        "lahete-api",
        &[
            "actix-cors",
            "actix-web",
            "argon2",
            "aws-lc-rs",
            "base64",
            "chrono",
            "clap",
            "csv",
            "env_logger",
            "flate2",
            "futures-util",
            "getrandom",
            "governor",
            "hmac",
            "jsonschema",
            "jsonwebtoken",
            "lahete-domain",
            "lahete-persistence",
            "log",
            "rustls",
            "secrecy",
            "serde",
            "serde_json",
            "sha2",
            "socket2",
            "subtle",
            "thiserror",
            "tokio",
            "toml",
            "ureq",
            "utoipa",
            "utoipa-actix-web",
            "utoipa-swagger-ui",
            "uuid",
            "validator",
        ],
    ),
];

/// Who in the whole tree may depend on the two that must stay behind one crate of ours.
const BEHIND: &[(&str, &[&str])] = &[
    ("diesel", &["diesel_migrations", "lahete-persistence"]),
    ("rusqlite", &["lahete-persistence"]),
    ("actix-web", &["actix-cors", "lahete-api", "utoipa-actix-web", "utoipa-swagger-ui"]),
];

/// Licences that ask for nothing that the EUPL of the whole could not keep.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "PostgreSQL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Folders of `api/src` that are not rooms: the shell, sign-in, work without a caller, the demo world.
const NOT_ROOMS: &[&str] = &["cli", "auth", "demo", "http", "jobs"];

/// Rooms that show what is built into the program, so that there is no case to decide.
const WITHOUT_CASES: &[&str] = &["code_lists", "health", "municipalities"];

/// Rooms that show rows of other rooms, from another side.
const WITHOUT_ROWS: &[&str] = &["code_lists", "health", "me", "municipalities", "public"];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "manager", "managers", "service", "services", "misc"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// What cargo knows of the tree, for this machine alone: crates of other systems need not be there.
fn metadata() -> &'static Value {
    static METADATA: OnceLock<Value> = OnceLock::new();
    METADATA.get_or_init(|| {
        let host = Command::new("rustc").arg("-vV").output().expect("rustc");
        let host = String::from_utf8(host.stdout).unwrap();
        let host = host.lines().find_map(|line| line.strip_prefix("host: ")).expect("the host of rustc").to_owned();
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform", &host])
            .current_dir(root())
            .output()
            .expect("cargo");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    })
}

fn packages() -> &'static Vec<Value> {
    metadata()["packages"].as_array().unwrap()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}"))
}

#[test]
fn each_crate_depends_on_what_is_listed_and_on_nothing_else() {
    for (name, allowed) in DIRECT {
        let package = packages().iter().find(|package| package["name"] == *name).unwrap_or_else(|| panic!("no crate {name}"));
        let direct: BTreeSet<&str> = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| text(dependency, "name"))
            .collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert_eq!(direct, allowed, "dependencies of {name}");
    }
    assert_eq!(metadata()["workspace_members"].as_array().unwrap().len(), DIRECT.len(), "three crates, and each of them listed");
}

#[test]
fn databases_stay_behind_the_store_and_http_behind_the_api() {
    let names: BTreeMap<&str, &str> = packages().iter().map(|package| (text(package, "id"), text(package, "name"))).collect();
    for (hidden, allowed) in BEHIND {
        for node in metadata()["resolve"]["nodes"].as_array().unwrap() {
            let user = names[text(node, "id")];
            // What only tests and benchmarks use is no part of the program.
            let built_in = |deps: &Value| deps["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"] != "dev");
            let uses = node["deps"].as_array().unwrap().iter().any(|deps| names[text(deps, "pkg")] == *hidden && built_in(deps));
            assert!(!uses || allowed.contains(&user), "{user} depends on {hidden}");
        }
    }
}

#[test]
fn the_whole_tree_is_under_licences_that_go_with_ours() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages() {
        let name = text(package, "name");
        let licence = package["license"].as_str().unwrap_or_else(|| panic!("{name} names no licence"));
        *seen.entry(licence).or_default() += 1;
        if package["source"].is_null() {
            assert_eq!(licence, "EUPL-1.2", "{name} is ours");
            assert_eq!(package["publish"], serde_json::json!([]), "{name} is not for the registry");
        } else {
            assert!(spdx::permits(licence, |one| PERMISSIVE.contains(&one)), "{name} is under {licence}");
            let source = text(package, "source");
            assert!(source.starts_with("registry+https://github.com/rust-lang/crates.io-index"), "{name} comes from {source}");
        }
    }
    println!("licences of {} crates: {seen:?}", packages().len());
    let licence = std::fs::read_to_string(root().join("LICENSE")).expect("LICENSE");
    assert!(licence.starts_with("EUROPEAN UNION PUBLIC LICENCE v. 1.2") && licence.contains("Compatible Licences"), "the whole text");
}

#[test]
fn a_choice_of_licences_is_understood() {
    let permits = |text| spdx::permits(text, |one| one == "MIT" || one == "ISC");
    for good in ["MIT", "MIT OR GPL-3.0-only", "GPL-2.0/MIT", "ISC AND (GPL-3.0-only OR MIT)", "(MIT)", "MIT WITH any-exception"] {
        assert!(permits(good), "{good}");
    }
    for bad in ["GPL-3.0-only", "MIT AND LGPL-2.1-only", "AGPL-3.0-only OR SSPL-1.0", "ISC AND (GPL-3.0-only OR MPL-2.0)", ""] {
        assert!(!permits(bad), "{bad}");
    }
}

/// As much of SPDX expressions as a yes or no needs.
mod spdx {
    /// Whether the licences that one may choose suffice.
    pub fn permits(expression: &str, permissive: impl Fn(&str) -> bool) -> bool {
        let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut rest = words.as_slice();
        let outcome = either(&mut rest, &permissive);
        outcome && rest.is_empty()
    }

    fn either(words: &mut &[&str], permissive: &impl Fn(&str) -> bool) -> bool {
        let mut outcome = both(words, permissive);
        while let ["OR", rest @ ..] = words {
            *words = rest;
            // Read in any case: the words have to be used up.
            let right = both(words, permissive);
            outcome = outcome || right;
        }
        outcome
    }

    fn both(words: &mut &[&str], permissive: &impl Fn(&str) -> bool) -> bool {
        let mut outcome = one(words, permissive);
        while let ["AND", rest @ ..] = words {
            *words = rest;
            let right = one(words, permissive);
            outcome = outcome && right;
        }
        outcome
    }

    fn one(words: &mut &[&str], permissive: &impl Fn(&str) -> bool) -> bool {
        match words {
            ["(", rest @ ..] => {
                *words = rest;
                let outcome = either(words, permissive);
                if let [")", rest @ ..] = words {
                    *words = rest;
                    outcome
                } else {
                    false
                }
            }
            // An exception gives more rights, never fewer.
            [name, "WITH", _, rest @ ..] => {
                *words = rest;
                permissive(name)
            }
            [name, rest @ ..] => {
                *words = rest;
                permissive(name)
            }
            [] => false,
        }
    }
}

/// A source file of the program, without its unit tests and comments.
struct Source {
    path: String,
    code: String,
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> &'static Vec<Source> {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let mut found = Vec::new();
        for part in ["api/src", "domain/src", "persistence/src"] {
            files(&root().join(part), &mut found);
        }
        let of = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).unwrap();
            // Unit tests stand at the end of a file.
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            Source { path: path.strip_prefix(root()).unwrap().to_string_lossy().into_owned(), code }
        };
        let is_test = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"));
        found.iter().filter(|path| !is_test(path)).map(of).collect()
    })
}

/// Refuses some words in all files but those that are named.
#[track_caller]
pub fn only_in(words: &[&str], allowed: impl Fn(&str) -> bool, reason: &str) {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !allowed(&source.path)) {
        for (number, line) in source.code.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                found.push(format!("{} (about line {}): {word}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{reason}:\n{}", found.join("\n"));
}

#[test]
fn each_thing_has_one_place() {
    assert!(sources().len() > 100, "the sources are where this test looks for them");
    only_in(&["diesel::", "use diesel", "r2d2::"], |path| path.starts_with("persistence/"), "diesel is the store's own matter");
    only_in(&["actix_web", "HttpResponse", "utoipa"], |path| path.starts_with("api/"), "HTTP is the API's own matter");
    only_in(&["SystemTime::now", "Utc::now", "Local::now"], |path| path == "api/src/clock.rs", "the present comes from the Clock");
    only_in(&["now_v7", "new_v4", "new_v7"], |path| path == "api/src/id_source.rs", "new ids come from the IdSource");
    only_in(&["env::var", "env::vars"], |path| path == "api/src/config.rs", "the environment is read in one place");
    only_in(
        &["SELECT ", "INSERT INTO", "DELETE FROM", "CREATE TABLE", "PRAGMA ", "sql_query", "dsl::sql"],
        |path| path.starts_with("persistence/"),
        "SQL is the store's own matter",
    );
    only_in(&["unsafe ", "transmute"], |_| false, "there is no unsafe code");
    only_in(&["f32", "f64"], |path| path.starts_with("api/src/http/"), "money, minutes, kilometres and scores are whole numbers");
    only_in(
        &["#[get(", "#[post(", "#[patch(", "#[put(", "#[delete("],
        |path| path.ends_with("/routes.rs") || path.starts_with("api/src/http/"),
        "only routes.rs knows a path",
    );
}

#[test]
fn a_use_case_knows_no_http() {
    let words = ["actix_web", "HttpRe", "StatusCode", "utoipa", "http::extract", "PathId", "ValidJson", "http::answer"];
    only_in(&words, |path| !path.starts_with("api/src/") || !path.ends_with("/cases.rs"), "cases.rs has the use cases, without HTTP");
}

#[test]
fn whoever_silences_a_lint_says_why() {
    for source in sources() {
        for (start, _) in source.code.match_indices("[allow(").chain(source.code.match_indices("[expect(")) {
            let attribute: &str = source.code[start..].split(")]").next().unwrap();
            assert!(attribute.contains("reason = \""), "{}: {attribute}", source.path);
        }
        assert!(!source.code.contains("[allow("), "{}: `expect` says when it is needed no longer", source.path);
    }
}

#[test]
fn names_say_what_is_inside() {
    for source in sources() {
        for part in Path::new(&source.path).with_extension("").iter() {
            assert!(!EMPTY_NAMES.contains(&part.to_str().unwrap()), "{}", source.path);
        }
        for line in source.code.lines() {
            let named = ["struct ", "enum ", "trait "].iter().find_map(|word| line.trim_start_matches("pub ").strip_prefix(word));
            let name = named.map_or("", |rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap());
            let empty = ["Manager", "Helper", "Utils", "Util", "Service"].iter().any(|end| name.ends_with(end));
            assert!(!empty, "{}: {line}", source.path);
        }
    }
}

#[test]
fn rooms_are_built_alike_and_bear_the_same_name_at_every_level() {
    let rooms: Vec<String> = std::fs::read_dir(root().join("api/src"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !NOT_ROOMS.contains(&name.as_str()))
        .collect();
    assert!(rooms.len() > 15, "{rooms:?}");
    let registered = std::fs::read_to_string(root().join("api/src/rooms.rs")).unwrap();
    for room in &rooms {
        let has = |file: &str| root().join("api/src").join(room).join(file).is_file();
        assert!(has("mod.rs") && has("routes.rs") && has("wire.rs"), "{room} has mod.rs, routes.rs and wire.rs");
        assert_eq!(has("cases.rs"), !WITHOUT_CASES.contains(&room.as_str()), "cases.rs of {room}");
        let listed = ["configure", "routes::configure"].iter().any(|function| registered.contains(&format!("crate::{room}::{function}")));
        assert!(listed, "{room} is registered in rooms.rs");
        // The trail is called by its short name where it is kept.
        let rows = if room == "audit_events" { "audit" } else { room };
        let kept = root().join("persistence/src/repo").join(format!("{rows}.rs")).is_file();
        assert_eq!(kept, !WITHOUT_ROWS.contains(&room.as_str()), "rows of {room}");
    }
}

#[test]
fn migrations_come_in_pairs_and_can_be_taken_back() {
    let names = |database: &str| -> BTreeSet<String> {
        let folder = root().join("migrations").join(database);
        let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap());
        let names: BTreeSet<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        for name in &names {
            for file in ["up.sql", "down.sql"] {
                let text = std::fs::read_to_string(folder.join(name).join(file)).unwrap_or_default();
                assert!(!text.trim().is_empty(), "{database}/{name}/{file}");
            }
        }
        names
    };
    let sqlite = names("sqlite");
    assert_eq!(sqlite, names("postgresql"), "a migration stands in both folders");
    assert!(!sqlite.is_empty());
}
