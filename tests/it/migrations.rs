//! The schema: up, down and up again, the same on both databases, known to the program in every column, and refused when it is newer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use lahete_api::audit_events::checkpoint_file::TrailKeys;
use lahete_api::auth::keys::SigningKey;
use lahete_api::clock::SystemClock;
use lahete_api::id_source::UuidV7;
use lahete_domain::ids::{ApiClientId, Id as _, UserId};
use lahete_domain::time::Clock as _;
use lahete_persistence::repo::revocations::Revocation;
use lahete_persistence::{Db, SchemaState, Store, StoreError};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::Kind;
use crate::support::database::{TestDatabase, open, wait};
use crate::support::process::{Server, Signer, lahete, lay_data_key};
use crate::support::wire::Wire;
use crate::support::world;

const BOTH: [Kind; 2] = [Kind::Sqlite, Kind::Postgresql];

fn description(store: &lahete_persistence::Store) -> Vec<String> {
    wait(store.read(|db: &mut Db<'_>| db.schema_description())).unwrap()
}

/// The columns of each table, by the description of the schema.
fn columns(store: &Store) -> BTreeMap<String, Vec<String>> {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in description(store) {
        if let Some((table, column)) = line.strip_prefix("column ").and_then(|rest| rest.split(' ').next()?.split_once('.')) {
            tables.entry(table.to_owned()).or_default().push(column.to_owned());
        }
    }
    tables
}

/// All rows of each table, by some of its columns.
fn rows(store: &Store, columns: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let columns = columns.clone();
    wait(store.read(move |db: &mut Db<'_>| -> Result<_, StoreError> {
        let of = |db: &mut Db<'_>, (table, columns): (&String, &Vec<String>)| {
            let names: Vec<&str> = columns.iter().map(String::as_str).collect();
            Ok((table.clone(), db.schema_rows(table, &names)?))
        };
        columns.iter().map(|entry| of(db, entry)).collect()
    }))
    .unwrap()
}

/// A row in every table: the demo with its cases, and what only happens over HTTP or by chance.
fn fill(database: &TestDatabase) {
    let store = open(&database.url);
    let now = SystemClock.now();
    assert!(wait(lahete_api::demo::seed(&store, Arc::new(UuidV7), now)).unwrap());
    world::build(&store, now);
    let key = TrailKeys::of(&SigningKey::generate().unwrap());
    let forgotten = wait(store.write(move |db: &mut Db<'_>| db.audit_forget_before(now.plus_days(1), now, &key, 1))).unwrap();
    assert_eq!(forgotten.events, 1, "a chain has a beginning");
    wait(store.write(move |db: &mut Db<'_>| -> Result<(), StoreError> {
        let until = now.plus_minutes(10);
        db.revocation_put(&Revocation { subject: "user:01900000-0000-7000-8000-0000000000ee".to_owned(), not_before: now, until })?;
        db.assertion_use(ApiClientId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0028)), &[7; 32], until)
    }))
    .unwrap();
    wait(store.close());
    lay_data_key(&database.folder);
    let signer = Signer::of(&database.folder);
    let server = Server::start(&database.folder, &database.url, &[("log", "warn,lahete_api::startup=info")]);
    server.until_ready();
    let mut wire = Wire::open(server.addr, Duration::from_secs(20)).unwrap();
    let demo = |tail: u128| UserId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + tail));
    let (referrer, coordinator) = (signer.user(demo(0x20)), signer.user(demo(0x21)));
    let body = crate::http::complete_referral().to_string();
    let headers = [("authorization", referrer.as_str()), ("idempotency-key", "filling")];
    let made = wire.call("POST", "/v1/referrals", &headers, Some(&body)).unwrap();
    assert_eq!(made.status, 201, "{made:?}");
    let path = format!("/v1/referrals/{}", made.json()["id"].as_str().unwrap());
    let mut step = |path: String, version: &str, body: Value| {
        let headers = [("authorization", coordinator.as_str()), ("if-match", version)];
        let answer = wire.call("POST", &path, &headers, Some(&body.to_string())).unwrap();
        assert!(matches!(answer.status, 200 | 201), "{path}: {answer:?}");
    };
    step(format!("{path}/review"), "\"2\"", json!({}));
    step(format!("{path}/contact-attempts"), "\"3\"", json!({"channel": "phone", "result": "left_message"}));
    step(format!("{path}/request-information"), "\"3\"", json!({"recipient": "referrer", "question": "Mihin aikaan voi soittaa?"}));
    assert!(server.stop().success());
}

#[test]
fn up_down_and_up_again_on_full_data() {
    for kind in BOTH {
        let database = TestDatabase::empty(kind);
        let store = open(&database.url);
        assert_eq!(wait(store.schema_state()).unwrap(), SchemaState::Behind);
        let run = wait(store.migrate()).unwrap();
        assert!(run.len() >= 2, "{run:?}");
        assert_eq!(wait(store.schema_state()).unwrap(), SchemaState::Current);
        let first = description(&store);
        fill(&database);
        let tables = columns(&store);
        let full = rows(&store, &tables);
        let empty: Vec<_> = full.iter().filter(|(_, rows)| rows.is_empty()).map(|(table, _)| table).collect();
        assert!(empty.is_empty(), "no row in {empty:?} on {kind:?}: this test is for full data");

        // One step down and up again after the other, from the newest on: what was there before a step is there after it, too.
        for steps in 1..run.len() {
            let mut reverted: Vec<_> = (0..steps).map(|_| wait(store.revert_newest_migration()).unwrap()).collect();
            reverted.reverse();
            assert_eq!(reverted, run[run.len() - steps..]);
            assert_eq!(wait(store.schema_state()).unwrap(), SchemaState::Behind);
            let old = columns(&store);
            let kept: BTreeMap<String, Vec<String>> = old
                .iter()
                .filter_map(|(table, columns)| {
                    let now = tables.get(table)?;
                    Some((table.clone(), columns.iter().filter(|column| now.contains(column)).cloned().collect()))
                })
                .collect();
            let before = rows(&store, &kept);
            assert!(before.values().all(|rows| !rows.is_empty()), "taking back {reverted:?} has emptied an older table on {kind:?}");
            assert_eq!(wait(store.migrate()).unwrap(), reverted);
            assert_eq!(description(&store), first);
            assert!(rows(&store, &kept) == before, "bringing {reverted:?} onto older data has changed it on {kind:?}");
        }

        let mut reverted = wait(store.revert_migrations()).unwrap();
        reverted.reverse();
        assert_eq!(reverted, run);
        assert_eq!(description(&store), Vec::<String>::new(), "nothing is left on {kind:?}");
        assert_eq!(wait(store.schema_state()).unwrap(), SchemaState::Behind);
        assert_eq!(wait(store.migrate()).unwrap(), run);
        assert_eq!(description(&store), first);
        fill(&database);
        wait(store.close());
        println!(
            "{kind:?}: {} tables, {} rows, {} migrations down and up",
            full.len(),
            full.values().map(Vec::len).sum::<usize>(),
            run.len()
        );
    }
}

#[test]
fn both_databases_have_the_same_tables() {
    let [sqlite, postgresql] = BOTH.map(|kind| {
        let database = TestDatabase::new(kind);
        let store = open(&database.url);
        let lines: BTreeSet<String> = description(&store).into_iter().collect();
        wait(store.close());
        lines
    });
    let alone = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect::<Vec<_>>();
    assert_eq!(alone(&sqlite, &postgresql), Vec::<String>::new(), "on SQLite alone");
    assert_eq!(alone(&postgresql, &sqlite), Vec::<String>::new(), "on PostgreSQL alone");
    let count = |word: &str| sqlite.iter().filter(|line| line.starts_with(word)).count();
    println!(
        "{} columns, {} primary keys, {} unique indexes, {} other indexes, {} references, the same on both",
        count("column "),
        count("primary key "),
        count("unique "),
        count("index "),
        count("reference ")
    );
    assert!(count("column ") > 200 && count("unique ") >= 10 && count("reference ") > 30, "{sqlite:#?}");
}

#[test]
fn the_program_knows_every_table_and_no_column_too_many() {
    for kind in BOTH {
        let database = TestDatabase::new(kind);
        let store = open(&database.url);
        let known: BTreeSet<String> =
            wait(store.read(|db: &mut Db<'_>| db.schema_known())).unwrap().into_iter().map(str::to_owned).collect();
        let tables: BTreeSet<String> = description(&store)
            .iter()
            .filter_map(|line| line.strip_prefix("column ")?.split_once('.').map(|(table, _)| table.to_owned()))
            .collect();
        assert_eq!(known, tables, "{kind:?}");
        wait(store.close());
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_as_it_is() {
    for kind in BOTH {
        let database = TestDatabase::new(kind);
        let store = open(&database.url);
        wait(store.write(|db: &mut Db<'_>| db.schema_pretend("29991231000001"))).unwrap();
        assert_eq!(wait(store.schema_state()).unwrap(), SchemaState::TooNew("29991231000001".to_owned()));
        let refused = wait(store.migrate()).unwrap_err();
        assert!(matches!(refused, StoreError::SchemaTooNew { .. }), "{refused:?}");
        let before = description(&store);
        wait(store.close());
        lay_data_key(&database.folder);
        for migrate in ["true", "false"] {
            let output = lahete(&database.folder, &[("migrate", migrate)])
                .args(["serve", "--demo", "--database", &database.url, "--bind", "127.0.0.1:0"])
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success(), "{kind:?}, migrate={migrate}: {said}");
            assert!(said.contains("lahete: the schema is at version 29991231000001, which this program does not know"), "{said}");
        }
        let store = open(&database.url);
        assert_eq!(description(&store), before);
        wait(store.close());
    }
}
