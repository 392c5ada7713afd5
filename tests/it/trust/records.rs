//! The registry of records against the schema: what is not in it would be in no copy, and outlive its person.

use std::collections::{BTreeMap, BTreeSet};

use lahete_persistence::repo::records::{Kind as Shown, OTHER_TABLES, TABLES};
use lahete_persistence::{Db, StoreError};

use crate::support::Kind;
use crate::support::database::{TestDatabase, open, wait};

fn columns(kind: Kind) -> BTreeMap<String, BTreeSet<String>> {
    let database = TestDatabase::new(kind);
    let store = open(&database.url);
    let lines = wait(store.read(|db: &mut Db<'_>| -> Result<Vec<String>, StoreError> { db.schema_description() })).unwrap();
    wait(store.close());
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in lines {
        if let Some((table, column)) = line.strip_prefix("column ").and_then(|rest| rest.split(' ').next()?.split_once('.')) {
            tables.entry(table.to_owned()).or_default().insert(column.to_owned());
        }
    }
    tables
}

#[test]
fn every_table_and_every_column_has_its_place() {
    for kind in [Kind::Sqlite, Kind::Postgresql] {
        let schema = columns(kind);
        assert!(schema.len() > 30, "{schema:?}");
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for table in TABLES {
            let columns: BTreeSet<String> = table.columns.iter().map(|column| column.name.to_owned()).collect();
            assert_eq!(columns.len(), table.columns.len(), "{} names a column twice", table.name);
            assert!(known.insert(table.name.to_owned(), columns).is_none(), "{} is there twice", table.name);
        }
        for (name, what) in OTHER_TABLES {
            assert!(!what.is_empty() && !known.contains_key(*name), "{name}");
            let all = schema.get(*name).unwrap_or_else(|| panic!("there is no table {name}"));
            known.insert((*name).to_owned(), all.clone());
        }
        assert_eq!(known, schema, "{kind:?}: say in repo/records.rs what each table and column means for a person's rights");
    }
}

/// Free text is what a person may stand in; each column of it in the registry either goes, or its row does, or it holds no words.
#[test]
fn what_is_shown_of_a_code_has_a_list() {
    let lists: BTreeSet<&str> = lahete_domain::codes::all_lists().into_iter().map(|(name, _)| name).collect();
    for table in TABLES {
        for column in table.columns {
            if let Shown::Code(list) | Shown::Codes(list) = column.kind {
                assert!(lists.contains(list), "{}.{}: there is no list {list}", table.name, column.name);
            }
        }
    }
}
