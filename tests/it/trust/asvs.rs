//! OWASP ASVS 5.0, level 2: the table in `tests/asvs-5.0.md` is whole, and the tests that it names are there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::architecture::only_in;
use crate::support::{Kind, TestApp};

/// Every requirement of levels 1 and 2 with its level.
const REQUIREMENTS: &str = include_str!("../golden/asvs_ids.txt");

/// How many rows say "not yet". There may only be fewer: whoever makes one true writes the smaller number here.
const NOT_YET: usize = 26;

/// Crates by which something would come in that the table says is not there.
const ABSENT: &[(&str, &[&str])] = &[
    ("files from callers, and folders of files", &["actix-files", "actix-multipart", "multer"]),
    ("sessions and cookies", &["actix-session", "actix-identity"]),
    ("WebSockets and WebRTC", &["actix-ws", "actix-web-actors", "tungstenite", "webrtc", "str0m", "turn"]),
    ("GraphQL", &["async-graphql", "juniper"]),
    ("XML and SAML", &["quick-xml", "xml-rs", "roxmltree", "libxml", "sxd-xpath", "samael"]),
    ("mail, LDAP and memcache", &["lettre", "mail-send", "ldap3", "memcache"]),
    ("templates and markup", &["tera", "handlebars", "minijinja", "askama", "liquid", "pulldown-cmark", "comrak"]),
    ("code that was data", &["rhai", "mlua", "boa_engine", "deno_core", "pyo3"]),
    ("hashes that are broken", &["md-5", "md5", "sha1", "sha-1", "sha1_smol"]),
];

/// A row of the table.
struct Row<'t> {
    id: &'t str,
    asks: &'t str,
    level: &'t str,
    held_by: &'t str,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn row(line: &str) -> Row<'_> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    assert_eq!(cells.len(), 6, "a row has four cells: {line}");
    Row { id: cells[1], asks: cells[2], level: cells[3], held_by: cells[4] }
}

fn rows(table: &str) -> Vec<Row<'_>> {
    table.lines().filter(|line| line.starts_with("| V")).map(row).collect()
}

/// The tests that a row names: whatever is set as code and is a path.
fn named(held_by: &str) -> impl Iterator<Item = &str> {
    held_by.split('`').skip(1).step_by(2).filter(|name| name.contains("::"))
}

/// The file of a module.
fn file_of(sources: &Path, modules: &[&str]) -> Option<PathBuf> {
    let place = modules.iter().fold(sources.to_path_buf(), |place, module| place.join(module));
    [place.with_extension("rs"), place.join("mod.rs")].into_iter().find(|file| file.is_file())
}

/// Whether a line makes what follows a test: an attribute, or a macro that is given nothing else, as `on_both!`.
fn makes_a_test(line: &str) -> bool {
    line.ends_with("! {") || (line.starts_with("#[") && line.contains("test"))
}

/// Whether a text has a test of that name.
fn has_test(text: &str, function: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let heads = [format!("fn {function}("), format!("async fn {function}(")];
    // In a list that a macro makes tests of, each with the function that it runs.
    let entry = format!("{function}: ");
    lines.iter().enumerate().any(|(place, line)| {
        let mut above = lines[..place].iter().rev();
        if line.starts_with(entry.as_str()) {
            return line.ends_with(';') && above.find(|line| !line.ends_with(';')).is_some_and(|line| makes_a_test(line));
        }
        heads.iter().any(|head| line.starts_with(head.as_str()))
            && above
                .take_while(|line| makes_a_test(line) || line.starts_with("#[") || line.starts_with("///"))
                .any(|line| makes_a_test(line))
    })
}

/// Looks a test up by its name: the crate, the modules, the function. Without a crate it stands in this program.
fn look_up(name: &str) -> Result<(), String> {
    let mut modules: Vec<&str> = name.split("::").collect();
    let function = modules.pop().unwrap_or_default();
    let sources = match modules.first() {
        Some(&"lahete_api") => "api/src",
        Some(&"lahete_domain") => "domain/src",
        Some(&"lahete_persistence") => "persistence/src",
        _ => "tests/it",
    };
    if sources != "tests/it" {
        modules.remove(0);
    }
    // As much of the path as leads to a file; what is left are modules inside of it.
    for length in (1..=modules.len()).rev() {
        let (outside, inside) = modules.split_at(length);
        if let Some(file) = file_of(&root().join(sources), outside) {
            let text = std::fs::read_to_string(file).unwrap();
            let there = inside.iter().all(|module| text.contains(&format!("mod {module} {{"))) && has_test(&text, function);
            return if there { Ok(()) } else { Err(format!("there is no test {name}")) };
        }
    }
    Err(format!("there is no module of {name}"))
}

#[test]
fn each_requirement_has_one_row_and_each_test_that_is_named_is_there() {
    let table = std::fs::read_to_string(root().join("tests/asvs-5.0.md")).unwrap();
    let rows = rows(&table);
    let wanted: BTreeMap<&str, &str> = REQUIREMENTS.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert_eq!(wanted.len(), 253, "requirements of levels 1 and 2");
    let (mut faults, mut tests) = (Vec::new(), BTreeSet::new());
    let (mut held, mut apart, mut not_yet) = (0, 0, 0);
    for (id, level) in &wanted {
        let found: Vec<&Row<'_>> = rows.iter().filter(|row| row.id == *id).collect();
        if found.len() != 1 || found[0].level != *level {
            faults.push(format!("{id} has {} rows; it needs one of level {level}", found.len()));
        }
    }
    for row in &rows {
        tests.extend(named(row.held_by));
        let names_tests = named(row.held_by).next().is_some();
        let says_why = row.held_by.strip_prefix("— ").is_some_and(|reason| !reason.trim().is_empty());
        if row.held_by.contains("not yet:") {
            not_yet += 1;
        } else if says_why {
            apart += 1;
        } else if names_tests {
            held += 1;
        } else {
            faults.push(format!("{} names neither a test nor a reason", row.id));
        }
        if !wanted.contains_key(row.id) || row.asks.is_empty() {
            faults.push(format!("{} is no requirement of level 2, or nobody says what it asks for", row.id));
        }
    }
    faults.extend(tests.iter().filter_map(|name| look_up(name).err()));
    println!("ASVS 5.0, level 2: {held} held by {} tests, {apart} do not apply or are somebody else's, {not_yet} not yet", tests.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(not_yet, NOT_YET, "rows that say \"not yet\": if there are fewer, write that number into NOT_YET; there must not be more");
}

/// The test above is worth something only if a name without a test is seen as one.
#[test]
fn a_name_without_a_test_is_seen() {
    for good in [
        "trust::asvs::a_name_without_a_test_is_seen",
        "trust::origins::the_list_is_empty_by_default",
        "trust::open_door::words_of_a_stranger_stay_words",
        "http::journeys::machines::a_secret_is_changed_and_a_system_is_shut_out",
        "store::transactions::a_change_of_an_older_version_is_refused",
        "lahete_api::auth::token::tests::property_no_made_up_token_passes",
        "lahete_api::operation::tests::a_repeated_request_gets_the_first_answer",
        "lahete_domain::referral::tests::every_transition_from_every_state",
        "lahete_persistence::store::tests::a_postgresql_server_behaves_the_same",
        "trust::sealing::two_ciphertexts_exchanged_are_an_error",
    ] {
        assert_eq!(look_up(good), Ok(()));
    }
    for bad in [
        "trust::asvs::no_such_test",
        "trust::asvs::look_up",
        "trust::sealing::exchanged_values_are_refused",
        "trust::asvs::id",
        "trust::origins::tests::the_list_is_empty_by_default",
        "trust::nowhere::the_list_is_empty_by_default",
        "origins::the_list_is_empty_by_default",
        "lahete_api::auth::token::property_no_made_up_token",
        "lahete_api::auth::token::tests::sign",
        "lahete_api::auth::token::other::forged_signatures_are_refused",
        "lahete_domain::auth::token::tests::forged_signatures_are_refused",
    ] {
        assert!(look_up(bad).is_err(), "{bad}");
    }
}

/// Rows say of some things that they are not there. This is where that is looked after.
#[test]
fn what_is_said_not_to_be_there_is_not_there() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let crates: BTreeSet<&str> = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    assert!(crates.contains("actix-web"), "this is how crates stand in the lock file");
    for (what, names) in ABSENT {
        let found: Vec<&&str> = names.iter().filter(|name| crates.contains(**name)).collect();
        assert!(found.is_empty(), "{what}: {found:?}");
    }
    only_in(&["Command::new", "process::Command"], |_| false, "it starts no other program");
    only_in(
        &["TcpStream::connect", "UnixStream::connect", "UdpSocket", "ureq::", "reqwest::", "hyper::", "awc::", "to_socket_addrs"],
        |path| ["api/src/auth/key_source.rs", "api/src/activity_imports/source.rs"].contains(&path),
        "it calls nobody but its database, the issuers that it trusts, and the directory of its settings",
    );
    only_in(&["Cookie", "cookie"], |_| false, "it lives on no cookies");
    only_in(&["Multipart", "multipart"], |_| false, "it takes no files");
    only_in(&["Regex"], |_| false, "it makes no expressions from input");
    only_in(
        &["PermanentRedirect", "TemporaryRedirect", "MovedPermanently", "SeeOther", "HttpResponse::Found"],
        |path| path == "api/src/http/docs.rs",
        "it sends nobody elsewhere",
    );
}

#[test]
fn transport_security_is_asked_for_with_all_subdomains() {
    let app = TestApp::start_with(Kind::Sqlite, &[("base_url", "https://lahete.example")]);
    for path in ["/livez", "/v1/referrals", "/v1/municipalities", "/docs/", "/problems", "/nowhere"] {
        let reply = app.nobody().get(path).send();
        assert_eq!(reply.header("strict-transport-security"), Some("max-age=31536000; includeSubDomains"), "{path}: {reply:?}");
    }
}
