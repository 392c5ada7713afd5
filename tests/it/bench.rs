//! `make bench` is run by hand. What it depends on is tried here with a handful of referrals: the rows that it makes still fit the tables, the program
//! lists and reports them, and every statement of its floors still runs.
#![expect(dead_code, clippy::float_arithmetic, reason = "parts of the benchmark, of which a test needs less than a run")]

use std::path::PathBuf;
use std::time::Duration;

use lahete_persistence::{Db, DbUrl, StoreError};
use serde_json::Value;
use workload::{Page, Target, Work};

use crate::support::Kind;
use crate::support::database::{TestDatabase, open, wait};
use crate::support::process::Server;

#[path = "../../api/benches/bench/dataset.rs"]
mod dataset;
#[path = "../../api/benches/bench/driver.rs"]
mod driver;
#[path = "../../api/benches/bench/postgresql.rs"]
mod postgresql;
#[path = "../../api/benches/bench/progress.rs"]
mod progress;
#[path = "../../api/benches/bench/report.rs"]
mod report;
#[path = "../../api/benches/bench/sqlite.rs"]
mod sqlite;
#[path = "../../api/benches/bench/workload.rs"]
mod workload;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Enough for every kind of row, and for a second page.
const DATA: dataset::Dataset = dataset::Dataset { total: 300 };

/// The demo with the benchmark's referrals beside its own.
fn filled(kind: Kind) -> TestDatabase {
    let database = TestDatabase::new(kind);
    Server::start(&database.folder, &database.url, &[]).stop();
    match kind {
        Kind::Sqlite => sqlite::fill(&file(&database), DATA),
        Kind::Postgresql => postgresql::Cluster::of_this_run().and_then(|cluster| cluster.fill(database.server_name(), DATA)),
    }
    .unwrap();
    database
}

fn file(database: &TestDatabase) -> PathBuf {
    DbUrl::parse(&database.url).unwrap().sqlite_path().unwrap().to_owned()
}

fn floor(database: &TestDatabase, work: Work, page: &Page) -> driver::Measured {
    match database.kind {
        Kind::Sqlite => sqlite::floor(&file(database), DATA, work, page, 16, Duration::from_millis(10)),
        Kind::Postgresql => postgresql::Cluster::of_this_run()
            .and_then(|cluster| cluster.floor(database.server_name(), &database.folder, DATA, work, page, Duration::from_secs(1))),
    }
    .unwrap_or_else(|error| panic!("{work:?} after {page:?}: {error}"))
}

fn the_benchmark_fits_the_program(kind: Kind) {
    let database = filled(kind);
    let server = Server::start(&database.folder, &database.url, &[]);
    let target = Target::new(server.addr, DATA).unwrap();
    let answer = |work: Work| -> Value { serde_json::from_slice(&target.sample(work, 7).unwrap()).unwrap() };
    assert_eq!(answer(Work::Write)["state"], "submitted");
    assert_eq!(answer(Work::Read)["programme_id"], dataset::PROGRAMME.to_string());
    assert_eq!(answer(Work::List)["items"].as_array().unwrap().len(), 20);
    assert!(answer(Work::Report)["submitted"]["count"].as_i64().unwrap() > 10, "a tenth of the referrals are of the year of the report");
    let (_, second) = target.turn(2).unwrap();
    assert!(server.stop().success());

    for (work, page) in [(Work::Read, Page::First), (Work::List, Page::First), (Work::List, second), (Work::Write, Page::First)] {
        assert!(floor(&database, work, &page).answers > 0, "{work:?} after {page:?} did nothing");
    }
    let seconds = match kind {
        Kind::Sqlite => sqlite::report(&file(&database)),
        Kind::Postgresql => postgresql::Cluster::of_this_run().and_then(|cluster| cluster.report(database.server_name())),
    };
    assert!(seconds.unwrap() > 0.0);
    let store = open(&database.url);
    let faults =
        wait(store.read(|db: &mut Db<'_>| -> Result<_, StoreError> { Ok([db.integrity_faults()?, db.snapshot_faults()?].concat()) }))
            .unwrap();
    assert_eq!(faults, Vec::<String>::new());
    wait(store.close());
}

#[test]
fn the_benchmark_fits_the_program_sqlite() {
    the_benchmark_fits_the_program(Kind::Sqlite);
}

#[test]
fn the_benchmark_fits_the_program_postgresql() {
    the_benchmark_fits_the_program(Kind::Postgresql);
}
