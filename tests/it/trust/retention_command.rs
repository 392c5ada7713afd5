//! `lahete retention run` as an operator runs it.

use std::process::Output;

use serde_json::Value;

use crate::support::Kind;
use crate::support::database::{TestDatabase, open, wait};
use crate::support::process::{lahete, lay_data_key};
use crate::support::world;

fn run(database: &TestDatabase, arguments: &[&str]) -> Output {
    let mut command = lahete(&database.folder, &[("demo", "true"), ("log", "warn")]);
    command.args(["retention", "run", "--database", &database.url]).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn it_prints_a_report_and_does_nothing_ahead_of_its_day() {
    for kind in [Kind::Sqlite, Kind::Postgresql] {
        let database = TestDatabase::new(kind);
        lay_data_key(&database.folder);
        let store = open(&database.url);
        world::build(&store, lahete_domain::time::Clock::now(&lahete_api::clock::SystemClock));
        wait(store.close());

        let dry = run(&database, &["--dry-run", "--json", "--on", "2050-01-31"]);
        assert!(dry.status.success(), "{}", text(&dry.stderr));
        let runs: Value = serde_json::from_slice(&dry.stdout).unwrap();
        assert_eq!(runs.as_array().unwrap().len(), 2, "one for each programme");
        assert_eq!((&runs[0]["on"], &runs[0]["dry_run"]), (&serde_json::json!("2050-01-31"), &serde_json::json!(true)));
        assert!(
            runs[0]["classes"].as_array().unwrap().iter().any(|class| class["record_class"] == "access_log" && class["keep_months"] == 144)
        );

        let ahead = run(&database, &["--on", "2050-01-31"]);
        assert!(!ahead.status.success());
        assert!(text(&ahead.stderr).contains("--dry-run only"), "{}", text(&ahead.stderr));

        let done = run(&database, &[]);
        assert!(done.status.success(), "{}", text(&done.stderr));
        let told = text(&done.stdout);
        for word in ["class", "held", "kept", "client_history", "visit"] {
            assert!(told.contains(word), "{told}");
        }
        let wrong = run(&database, &["--on", "31.1.2050"]);
        assert!(!wrong.status.success());
    }
}
