//! The schema: up, down and up again, the same on both databases, known to the program in every column, and refused when it is newer.

use std::collections::BTreeSet;

use lahete_persistence::{Db, SchemaState, StoreError};

use crate::support::Kind;
use crate::support::database::{TestDatabase, open, wait};
use crate::support::process::{lahete, lay_data_key};
use crate::support::{clock, world};

const BOTH: [Kind; 2] = [Kind::Sqlite, Kind::Postgresql];

fn description(store: &lahete_persistence::Store) -> Vec<String> {
    wait(store.read(|db: &mut Db<'_>| db.schema_description())).unwrap()
}

#[test]
fn up_down_and_up_again_on_a_filled_database() {
    for kind in BOTH {
        let database = TestDatabase::empty(kind);
        let store = open(&database.url);
        assert_eq!(wait(store.schema_state()).unwrap(), SchemaState::Behind);
        let run = wait(store.migrate()).unwrap();
        assert!(run.len() >= 2, "{run:?}");
        assert_eq!(wait(store.schema_state()).unwrap(), SchemaState::Current);
        let first = description(&store);
        world::build(&store, clock::instant("2026-11-22T10:00:00Z"));
        let mut reverted = wait(store.revert_migrations()).unwrap();
        reverted.reverse();
        assert_eq!(reverted, run);
        assert_eq!(description(&store), Vec::<String>::new(), "nothing is left on {kind:?}");
        assert_eq!(wait(store.schema_state()).unwrap(), SchemaState::Behind);
        assert_eq!(wait(store.migrate()).unwrap(), run);
        assert_eq!(description(&store), first);
        world::build(&store, clock::instant("2026-11-22T10:00:00Z"));
        wait(store.close());
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
