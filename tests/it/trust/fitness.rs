//! What the program refuses to start with outside the demo, and what it never prints.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::Kind;
use crate::support::database::TestDatabase;
use crate::support::process::{Server, Signer, lahete, lay_data_key};

/// Longer than any start takes: whoever still runs then has not refused.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tries to serve outside the demo; what was said when it ended by itself. One that goes on serving is a fault.
fn refused(folder: &Path, database: &str, settings: &[(&str, &str)]) -> String {
    let mut command = lahete(folder, settings);
    command.args(["serve", "--database", database, "--bind", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it serves");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    assert!(!status.success());
    format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr))
}

/// A folder with keys as an operator makes them.
fn with_keys(database: &TestDatabase) -> &Path {
    lay_data_key(&database.folder);
    let _ = Signer::of(&database.folder);
    &database.folder
}

#[test]
fn it_does_not_start_without_keys_or_with_keys_that_others_read() {
    let database = TestDatabase::new(Kind::Sqlite);
    let said = refused(&database.folder, &database.url, &[]);
    assert!(said.contains("signing-key.pem") || said.contains("data-key"), "{said}");
    let folder = with_keys(&database);
    for name in ["data-key", "signing-key.pem"] {
        let path = folder.join(name);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o604)).unwrap();
        let said = refused(folder, &database.url, &[]);
        assert!(said.contains(name), "{said}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    Server::start_plain(folder, &database.url, &[]).stop();
}

#[test]
fn it_does_not_start_with_a_key_that_somebody_thought_up() {
    use base64::Engine as _;
    let database = TestDatabase::new(Kind::Sqlite);
    let folder = with_keys(&database);
    for typed in [[0_u8; 32], *b"changeme changeme changeme chang"] {
        let text = base64::engine::general_purpose::STANDARD.encode(typed);
        std::fs::write(folder.join("data-key"), &text).unwrap();
        let said = refused(folder, &database.url, &[]);
        assert!(said.contains("not random") && !said.contains(&text), "{said}");
    }
    for broken in ["", "c2hvcnQ=", "not base64 at all"] {
        std::fs::write(folder.join("data-key"), broken).unwrap();
        let said = refused(folder, &database.url, &[]);
        assert!(said.contains("data-key") && (broken.is_empty() || !said.contains(broken)), "{said}");
    }
}

#[test]
fn the_database_is_its_owners_alone() {
    let database = TestDatabase::new(Kind::Sqlite);
    let folder = with_keys(&database);
    let file = folder.join("new.db");
    let server = Server::start_plain(folder, &format!("sqlite:{}", file.display()), &[("drain_seconds", "0")]);
    for name in ["new.db", "new.db-wal", "new.db-shm"] {
        let mode = std::fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
    server.stop();
}

#[test]
fn it_does_not_tell_callers_to_come_in_the_clear() {
    let database = TestDatabase::new(Kind::Sqlite);
    let folder = with_keys(&database);
    let said = refused(folder, &database.url, &[("base_url", "http://lahete.example")]);
    assert!(said.contains("must begin with https://"), "{said}");
}

/// First the demo is tried out, then the same database is taken for real people.
fn the_demo_never_becomes_the_real_thing(kind: Kind) {
    let database = TestDatabase::new(kind);
    let folder = with_keys(&database);
    Server::start(folder, &database.url, &[("drain_seconds", "0")]).stop();
    let said = refused(folder, &database.url, &[]);
    assert!(said.contains("holds the demo"), "{said}");
}

#[test]
fn the_demo_never_becomes_the_real_thing_sqlite() {
    the_demo_never_becomes_the_real_thing(Kind::Sqlite);
}

#[test]
fn the_demo_never_becomes_the_real_thing_postgresql() {
    the_demo_never_becomes_the_real_thing(Kind::Postgresql);
}

#[test]
fn it_does_not_talk_to_a_far_database_in_the_clear() {
    let database = TestDatabase::new(Kind::Sqlite);
    let folder = with_keys(&database);
    for far in [
        "postgres://lahete:hunter2secret@db.invalid/lahete",
        "postgres://lahete:hunter2secret@192.0.2.1/lahete?sslmode=disable",
        "postgres://lahete:hunter2secret@localhost/lahete?host=db.invalid",
        "postgres://lahete:hunter2secret@db.invalid/lahete?sslmode=prefer",
    ] {
        let said = refused(folder, far, &[]);
        assert!(said.contains("verify-full") && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn no_secret_is_ever_printed() {
    let database = TestDatabase::new(Kind::Sqlite);
    let folder = with_keys(&database);
    let key = std::fs::read_to_string(folder.join("data-key")).unwrap();
    let pem = std::fs::read_to_string(folder.join("signing-key.pem")).unwrap();
    let secrets: Vec<&str> = ["hunter2secret", key.trim()].into_iter().chain(pem.lines().filter(|line| !line.starts_with('-'))).collect();
    let url = "postgres://lahete:hunter2secret@localhost:1/lahete";
    let file = folder.join("lahete.toml");
    std::fs::write(&file, format!("database = \"{url}\"\nlog = \"trace\"\nhunter2secret = \n")).unwrap();
    let file = file.to_str().unwrap();
    let run = |arguments: &[&str], settings: &[(&str, &str)]| {
        let output = lahete(folder, settings).args(arguments).output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let everything = [("database", url), ("log", "trace")];
    for said in [
        run(&["config"], &everything),
        run(&["config", "--table"], &everything),
        run(&["migrate"], &everything),
        run(&["audit", "verify"], &everything),
        run(&["backup", "copy.db"], &everything),
        run(&["config"], &[("database", "mysql://lahete:hunter2secret@h/d")]),
        run(&["migrate"], &[("database", "mysql://lahete:hunter2secret@h/d")]),
        run(&["--config", file, "config"], &[]),
        run(&["serve", "--bind", "hunter2"], &everything),
    ] {
        assert!(!said.is_empty());
        for secret in &secrets {
            assert!(!said.contains(secret), "{said}");
        }
    }
    // A server that runs with everything logged.
    let server = Server::start(folder, &database.url, &[("log", "trace"), ("drain_seconds", "0")]);
    let agent = crate::support::process::agent(Duration::from_secs(20));
    let token = agent
        .post(server.url("/oauth/token"))
        .send_form([("grant_type", "password"), ("username", "kaisa"), ("password", "hyvinvointilahete-demo")])
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    let token: serde_json::Value = serde_json::from_str(&token).unwrap();
    let token = token["access_token"].as_str().unwrap().to_owned();
    for path in ["/v1/me", "/v1/referrals"] {
        let reply = agent.get(server.url(path)).header("authorization", format!("Bearer {token}")).call().unwrap();
        assert_eq!(reply.status(), 200);
    }
    let lines = server.all_lines();
    server.stop();
    assert!(lines.contains("access"), "{lines}");
    for secret in secrets.iter().chain(&[token.as_str(), "hyvinvointilahete-demo"]) {
        assert!(!lines.contains(secret), "the log holds a secret");
    }
}
