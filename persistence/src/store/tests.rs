use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::SimpleConnection;
use diesel::sql_types::Integer;
use lahete_domain::actor::Caller;
use lahete_domain::audit::AuditEvent;
use lahete_domain::codes::{AuditAction, AuditOutcome, ReferralReason, Role};
use lahete_domain::ids::{ClientId, Id, ProgrammeId, UserId};
use lahete_domain::time::Instant;
use lahete_domain::version::Version;
use uuid::Uuid;

use super::*;
use crate::connection::KEPT_MAX;
use crate::constraint::Constraint;
use crate::page::PageRequest;
use crate::repo::audit::{AuditFilter, StoredAuditEvent};
use crate::repo::idempotency::{StoredAnswer, Told};
use crate::repo::trail::{ChainFaultKind, VerifyReport};
use crate::spelled::spelled;
use crate::sql_types::{CodeCol, CodeSetCol, IdCol, InstantCol, JsonCol, VersionCol};

struct Numbers(AtomicU64);

impl IdSource for Numbers {
    fn next_uuid(&self) -> Uuid {
        Uuid::from_u128((u128::from(self.0.fetch_add(1, Ordering::Relaxed)) << 64) | 1)
    }
}

static NEXT_FILE: AtomicU64 = AtomicU64::new(0);
static NUMBERS: Numbers = Numbers(AtomicU64::new(1));

struct SharedNumbers;

impl IdSource for SharedNumbers {
    fn next_uuid(&self) -> Uuid {
        NUMBERS.next_uuid()
    }
}

/// A store over a file of its own, which is removed in the end.
struct TestStore {
    store: Store,
    path: PathBuf,
}

impl std::ops::Deref for TestStore {
    type Target = Store;
    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", self.path.display()));
        }
    }
}

fn options() -> StoreOptions {
    StoreOptions::new(Arc::new(Keys::from_bytes(1, &[7; 32]).unwrap()), Arc::new(SharedNumbers))
}

async fn open_with(options: StoreOptions) -> TestStore {
    let path = std::env::temp_dir().join(format!("lahete-store-{}-{}.db", std::process::id(), NEXT_FILE.fetch_add(1, Ordering::Relaxed)));
    let store = Store::open(&DbUrl::Sqlite(path.clone()), options).unwrap();
    let store = TestStore { store, path };
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Behind);
    assert!(!store.migrate().await.unwrap().is_empty());
    store
}

async fn open() -> TestStore {
    open_with(options()).await
}

fn at(text: &str) -> Instant {
    Instant::new(text.parse().unwrap())
}

fn now() -> Instant {
    at("2026-11-22T10:00:00.123456Z")
}

fn event(outcome: AuditOutcome, request: &str) -> AuditEvent {
    AuditEvent {
        at: now(),
        caller: Caller::User(UserId::from_uuid(Uuid::from_u128(5))),
        role: (outcome == AuditOutcome::Allowed).then_some(Role::Coordinator),
        organisation: None,
        programme: Some(ProgrammeId::from_uuid(Uuid::from_u128(6))),
        client: Some(ClientId::from_uuid(Uuid::from_u128(7))),
        referral: None,
        operation: "referral_view",
        action: AuditAction::Read,
        outcome,
        reason: None,
        request_id: request.to_owned(),
    }
}

fn answer(body: &str) -> StoredAnswer {
    StoredAnswer {
        fingerprint: vec![0, 1, 255],
        status: 201,
        told: Some(Told { headers: vec![("ETag".into(), "\"1\"".into())], body: body.into() }),
        created_at: now(),
    }
}

async fn keep(store: &Store, key: &str) -> Result<(), StoreError> {
    let key = key.to_owned();
    store.write(move |db| db.idempotency_insert("user:1", "referral_create", &key, &answer("{}"))).await
}

async fn find(store: &Store, key: &str) -> Option<StoredAnswer> {
    let key = key.to_owned();
    store.read(move |db| db.idempotency_find("user:1", "referral_create", &key)).await.unwrap()
}

async fn trail(store: &Store) -> Vec<StoredAuditEvent> {
    store.read(|db| db.audit_list(AuditFilter::default(), &PageRequest::first(1000))).await.unwrap().items
}

async fn check(store: &Store) -> VerifyReport {
    store.read(|db| db.audit_verify()).await.unwrap()
}

/// A second, unguarded way into the file.
fn raw(store: &TestStore, sql: &str) {
    let mut session = store.inner.options.opener(&store.inner.url, Purpose::Migrate).open().unwrap();
    session.conn.batch_execute(sql).unwrap();
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    samples (id) {
        id -> DbUuid,
        at -> DbInstant,
        later -> Nullable<DbInstant>,
        data -> DbJson,
        role -> Text,
        reasons -> Text,
        version -> BigInt,
        day -> Date,
        maybe -> Nullable<DbUuid>,
    }
}

#[derive(Queryable, Insertable, Debug, PartialEq, Clone)]
#[diesel(table_name = samples)]
struct Sample {
    id: IdCol<ClientId>,
    at: InstantCol,
    later: Option<InstantCol>,
    data: JsonCol,
    role: CodeCol<Role>,
    reasons: CodeSetCol<ReferralReason>,
    version: VersionCol,
    day: chrono::NaiveDate,
    maybe: Option<IdCol<UserId>>,
}

/// The types of columns on one database: written, found, changed and read back.
async fn types_survive(store: &Store, create: &'static str) {
    let id = store.inner.options.ids.next::<ClientId>();
    let sample = Sample {
        id: IdCol(id),
        at: InstantCol(now()),
        later: None,
        data: JsonCol(serde_json::json!({"a": [1, "ä"]})),
        role: CodeCol(Role::LinkWorker),
        reasons: CodeSetCol::from(vec![ReferralReason::Outdoors, ReferralReason::Loneliness, ReferralReason::Outdoors]),
        version: VersionCol(Version::FIRST),
        day: "2026-02-28".parse().unwrap(),
        maybe: None,
    };
    let expected = sample.clone();
    store.with_own_connection(move |session| Ok(session.conn.batch_execute(create)?)).await.unwrap();
    let back = store
        .write(move |db| -> Result<Sample, StoreError> {
            diesel::insert_into(samples::table).values(sample.clone()).execute(db.conn())?;
            let guard = samples::table.filter(samples::id.eq(IdCol(id)).and(samples::version.eq(VersionCol(Version::FIRST))));
            let change = (
                samples::version.eq(VersionCol(Version::FIRST.next())),
                samples::later.eq(Some(InstantCol(now().plus_days(1)))),
                samples::maybe.eq(Some(IdCol(UserId::from_uuid(Uuid::from_u128(9))))),
            );
            assert_eq!(diesel::update(guard).set(change).execute(db.conn())?, 1);
            assert_eq!(diesel::update(guard).set(change).execute(db.conn())?, 0);
            Ok(samples::table
                .filter(samples::id.eq_any([IdCol(id)]))
                .filter(samples::role.eq(CodeCol(Role::LinkWorker)))
                .filter(samples::at.le(InstantCol(now())))
                .filter(samples::later.gt(InstantCol(now())))
                .filter(samples::day.lt(chrono::NaiveDate::MAX.min("2027-01-01".parse().unwrap())))
                .first::<Sample>(db.conn())?)
        })
        .await
        .unwrap();
    let mut expected = expected;
    expected.version = VersionCol(Version::FIRST.next());
    expected.later = Some(InstantCol(now().plus_days(1)));
    expected.maybe = Some(IdCol(UserId::from_uuid(Uuid::from_u128(9))));
    assert_eq!(back, expected);
    let reasons: Vec<ReferralReason> = back.reasons.into();
    assert_eq!(reasons, [ReferralReason::Loneliness, ReferralReason::Outdoors]);

    let error = store
        .write(|db| -> Result<Sample, StoreError> {
            diesel::update(samples::table).set(samples::role.eq("emperor")).execute(db.conn())?;
            Ok(samples::table.first::<Sample>(db.conn())?)
        })
        .await
        .unwrap_err();
    assert!(error.to_string().contains("holds no Role"), "{error}");
    assert!(!error.to_string().contains("emperor"), "{error}");
}

#[tokio::test]
async fn column_types_survive_a_round_trip() {
    let store = open().await;
    let create = "CREATE TABLE samples (id TEXT PRIMARY KEY NOT NULL, at TEXT NOT NULL, later TEXT, data TEXT NOT NULL, role TEXT NOT NULL, \
                  reasons TEXT NOT NULL, version INTEGER NOT NULL, day TEXT NOT NULL, maybe TEXT) STRICT";
    types_survive(&store, create).await;
}

#[tokio::test]
async fn each_connection_is_durable_and_checks_references() {
    let store = open().await;
    for purpose in [Purpose::Write, Purpose::Read] {
        let mut session = store.inner.options.opener(&store.inner.url, purpose).open().unwrap();
        let mut ask = |pragma: &str| {
            diesel::dsl::sql::<diesel::sql_types::Text>(&format!("SELECT CAST({pragma} AS TEXT) FROM pragma_{pragma}"))
                .get_result::<String>(&mut session.conn)
                .unwrap()
        };
        assert_eq!(ask("journal_mode"), "wal");
        assert_eq!(ask("synchronous"), "2");
        assert_eq!(ask("foreign_keys"), "1");
    }
}

#[tokio::test]
async fn plans_do_not_depend_on_bound_values() {
    let store = open().await;
    let options = store
        .read(|db| -> Result<Vec<String>, StoreError> {
            Ok(diesel::dsl::sql::<diesel::sql_types::Text>("SELECT compile_options FROM pragma_compile_options")
                .load::<String>(db.conn())?)
        })
        .await
        .unwrap();
    assert!(options.iter().any(|option| option == "ENABLE_QPSG"), "{options:?}");
    assert!(!options.iter().any(|option| option == "ENABLE_STAT4"), "{options:?}");
}

#[tokio::test]
async fn a_connection_does_not_keep_statements_without_end() {
    let mut options = options();
    options.readers = 1;
    let store = open_with(options).await;
    let mark = |db: &mut Db<'_>| -> Result<i32, StoreError> { Ok(diesel::dsl::sql::<Integer>("PRAGMA cache_size").get_result(db.conn())?) };
    store.read(|db| -> Result<(), StoreError> { Ok(db.conn().batch_execute("PRAGMA cache_size = 77")?) }).await.unwrap();
    let ask = |times: usize| {
        move |db: &mut Db<'_>| -> Result<(), StoreError> {
            for number in 0..times {
                let text: &'static str = Box::leak(number.to_string().into_boxed_str());
                assert_eq!(diesel::select(spelled::<Integer>(text)).get_result::<i32>(db.conn())?, i32::try_from(number).unwrap());
            }
            Ok(())
        }
    };
    store.read(ask(KEPT_MAX / 2)).await.unwrap();
    store.read(ask(KEPT_MAX / 2)).await.unwrap();
    assert_eq!(store.read(mark).await.unwrap(), 77, "what is asked again is kept once");
    store.read(ask(KEPT_MAX + 1)).await.unwrap();
    assert_ne!(store.read(mark).await.unwrap(), 77, "another connection has taken its place");
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let store = open().await;
    let error = store.read(|db| db.idempotency_insert("u", "o", "k", &answer(""))).await.unwrap_err();
    assert!(matches!(error, StoreError::Database(_)), "{error:?}");
}

async fn failures_stay_alone(store: &Store) {
    let (first, second, third) = tokio::join!(
        keep(store, "one"),
        store.write(|db| -> Result<(), StoreError> {
            db.idempotency_insert("user:1", "referral_create", "two", &answer("{}"))?;
            Err(StoreError::Stale)
        }),
        keep(store, "three"),
    );
    first.unwrap();
    assert!(matches!(second, Err(StoreError::Stale)));
    third.unwrap();
    assert_eq!(find(store, "one").await, Some(answer("{}")));
    assert_eq!(find(store, "two").await, None);
    assert!(find(store, "three").await.is_some());

    let taken = keep(store, "one").await.unwrap_err();
    assert!(matches!(taken, StoreError::Constraint(Constraint::IdempotencyKeyTaken)), "{taken:?}");
    let purged = store.write(|db| db.idempotency_purge(now().plus_minutes(1))).await.unwrap();
    assert_eq!(purged, 2);
}

#[tokio::test]
async fn a_failed_write_in_a_group_is_rolled_back_alone() {
    failures_stay_alone(&open().await.store).await;
}

async fn panics_are_survived(store: &Store, threads: usize) {
    for _ in 0..threads * 2 {
        let read: Result<(), StoreError> = store.read(|_| panic!("a fault in a read")).await;
        assert!(matches!(read, Err(StoreError::Panicked)), "{read:?}");
        let write: Result<(), StoreError> = store
            .write(|db| {
                db.idempotency_insert("user:1", "referral_create", "lost", &answer("{}"))?;
                panic!("a fault in a write")
            })
            .await;
        assert!(matches!(write, Err(StoreError::Panicked)), "{write:?}");
    }
    assert_eq!(find(store, "lost").await, None);
    keep(store, "kept").await.unwrap();
    assert!(find(store, "kept").await.is_some());
    assert_eq!(store.stats().panics, threads as u64 * 4);
}

#[tokio::test]
async fn a_panic_in_a_closure_ends_nothing_but_the_closure() {
    let store = open().await;
    panics_are_survived(&store, store.inner.options.readers).await;
}

/// 64 writers at once, each of which reads first; gives the counts.
async fn many_writers(store: &Store, each: usize) -> StoreStats {
    let mut writers = Vec::new();
    for writer in 0..64 {
        let store = store.clone();
        writers.push(tokio::spawn(async move {
            for n in 0..each {
                let key = format!("{writer}-{n}");
                store
                    .write(move |db| -> Result<(), StoreError> {
                        assert_eq!(db.idempotency_find("user:1", "referral_create", &key)?, None);
                        db.audit(event(AuditOutcome::Allowed, &key));
                        db.idempotency_insert("user:1", "referral_create", &key, &answer("{}"))
                    })
                    .await?;
            }
            Ok::<(), StoreError>(())
        }));
    }
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    store.stats()
}

#[tokio::test]
async fn writers_at_once_share_their_commits() {
    let store = open().await;
    let begin = std::time::Instant::now();
    let stats = many_writers(&store, 20).await;
    println!(
        "64 writers: {} commits asked for, {} syncs, largest group {}, {:?}",
        stats.commits_requested,
        stats.groups,
        stats.largest_group,
        begin.elapsed()
    );
    assert_eq!(stats.commits_requested, 64 * 20);
    assert!(stats.groups * 4 < stats.commits_requested, "{stats:?}");
    assert_eq!((stats.refused, stats.expired, stats.journal_events), (0, 0, 64 * 20));
    let report = check(&store).await;
    assert_eq!((report.events, report.chains, report.is_sound()), (64 * 20, 1, true));
}

async fn reads_are_audited(store: &Store) {
    store
        .read(|db| -> Result<(), StoreError> {
            db.audit(event(AuditOutcome::Allowed, "read-1"));
            db.audit(event(AuditOutcome::Allowed, "read-2"));
            Ok(())
        })
        .await
        .unwrap();
    let events = trail(store).await;
    assert_eq!(events.len(), 2);
    let seen = events.iter().find(|event| event.request_id == "read-1").unwrap();
    let wanted = event(AuditOutcome::Allowed, "read-1");
    assert_eq!(
        (seen.at, seen.caller, seen.role, seen.client, seen.action),
        (wanted.at, wanted.caller, wanted.role, wanted.client, wanted.action)
    );

    let denied: Result<(), StoreError> = store
        .write(|db| {
            db.audit(event(AuditOutcome::Allowed, "never-happened"));
            db.audit(event(AuditOutcome::Denied, "denied-write"));
            db.idempotency_insert("user:1", "referral_create", "denied", &answer("{}"))?;
            Err(StoreError::Stale)
        })
        .await;
    assert!(matches!(denied, Err(StoreError::Stale)));
    let denied: Result<(), StoreError> = store
        .read(|db| {
            db.audit(event(AuditOutcome::Denied, "denied-read"));
            Err(StoreError::Stale)
        })
        .await;
    assert!(matches!(denied, Err(StoreError::Stale)));
    assert_eq!(find(store, "denied").await, None);
    let mut requests: Vec<_> = trail(store).await.into_iter().map(|event| event.request_id).collect();
    requests.sort();
    assert_eq!(requests, ["denied-read", "denied-write", "read-1", "read-2"]);
    assert!(check(store).await.is_sound());
}

#[tokio::test]
async fn accesses_are_durable_before_the_answer_and_denials_outlive_the_failure() {
    reads_are_audited(&open().await.store).await;
}

async fn lists_by_page(store: &Store) {
    for n in 0..7_i64 {
        let mut event = event(AuditOutcome::Allowed, &n.to_string());
        // Two and two at the same instant: the id has to tell them apart.
        event.at = now().plus_minutes(n / 2);
        store
            .read(move |db| -> Result<(), StoreError> {
                db.audit(event.clone());
                Ok(())
            })
            .await
            .unwrap();
    }
    let filter = AuditFilter {
        client: event(AuditOutcome::Allowed, "").client,
        programme: event(AuditOutcome::Allowed, "").programme,
        ..AuditFilter::default()
    };
    let mut request = PageRequest::first(2);
    let mut seen = Vec::new();
    loop {
        let wanted = request.clone();
        let page = store.read(move |db| db.audit_list(filter, &wanted)).await.unwrap();
        seen.extend(page.items.into_iter().map(|event| event.request_id));
        let Some(next) = page.next else { break };
        request.after = Some(next);
    }
    assert_eq!(seen, ["6", "5", "4", "3", "2", "1", "0"]);
    let other = AuditFilter { client: Some(ClientId::from_uuid(Uuid::from_u128(999))), ..AuditFilter::default() };
    let page = store.read(move |db| db.audit_list(other, &PageRequest::first(2))).await.unwrap();
    assert!(page.items.is_empty() && page.next.is_none());
}

#[tokio::test]
async fn the_trail_is_listed_page_by_page() {
    lists_by_page(&open().await.store).await;
}

#[tokio::test]
async fn a_changed_or_missing_event_is_found() {
    let store = open().await;
    many_writers(&store, 1).await;
    assert_eq!(check(&store).await, VerifyReport { events: 64, chains: 1, ..VerifyReport::default() });

    let refused = store
        .write(|db| -> Result<usize, StoreError> { Ok(diesel::delete(crate::schema::audit_events::table).execute(db.conn())?) })
        .await
        .unwrap_err();
    assert!(matches!(refused, StoreError::Constraint(Constraint::AuditAppendOnly)), "{refused:?}");

    raw(&store, "DROP TRIGGER audit_events_no_update; UPDATE audit_events SET outcome = 'denied' WHERE seq = 10");
    let report = check(&store).await;
    assert_eq!(report.faults.iter().map(|fault| (fault.seq, fault.kind)).collect::<Vec<_>>(), [(10, ChainFaultKind::WrongHash)]);

    raw(&store, "DROP TRIGGER audit_events_no_delete; DELETE FROM audit_events WHERE seq = 20");
    let report = check(&store).await;
    assert_eq!(
        report.faults.iter().map(|fault| (fault.seq, fault.kind)).collect::<Vec<_>>(),
        [(10, ChainFaultKind::WrongHash), (20, ChainFaultKind::Gap)]
    );
}

#[tokio::test]
async fn a_full_queue_answers_at_once_and_a_slow_closure_meets_its_deadline() {
    let store = open_with(StoreOptions { write_queue: 2, deadline: Duration::from_millis(200), ..options() }).await;
    let slow = |store: Store| async move {
        store
            .write(|_| -> Result<(), StoreError> {
                std::thread::sleep(Duration::from_millis(400));
                Ok(())
            })
            .await
    };
    let first = tokio::spawn(slow(store.clone()));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let waiting = [tokio::spawn(slow(store.clone())), tokio::spawn(slow(store.clone()))];
    tokio::time::sleep(Duration::from_millis(20)).await;
    let begin = std::time::Instant::now();
    assert!(matches!(keep(&store, "x").await, Err(StoreError::Busy)));
    assert!(begin.elapsed() < Duration::from_millis(50));
    assert!(matches!(first.await.unwrap(), Err(StoreError::DeadlineExceeded)));
    for call in waiting {
        assert!(matches!(call.await.unwrap(), Err(StoreError::DeadlineExceeded)));
    }
    // The two that waited were given up by their callers before they began, so the writer is free again.
    tokio::time::sleep(Duration::from_millis(200)).await;
    keep(&store, "y").await.unwrap();
}

#[tokio::test]
async fn a_full_disk_fails_the_write_and_nothing_else() {
    let store = open().await;
    keep(&store, "before").await.unwrap();
    // The limit belongs to the connection, and so is set inside the writer's own: room for a small row, not for a big one.
    store
        .write(|db| -> Result<(), StoreError> {
            let pages: i64 = diesel::dsl::sql::<diesel::sql_types::BigInt>("PRAGMA page_count").get_result(db.conn())?;
            Ok(db.conn().batch_execute(&format!("PRAGMA max_page_count = {}", pages + 20))?)
        })
        .await
        .unwrap();
    let big = store.write(|db| db.idempotency_insert("u", "o", "big", &answer(&"x".repeat(400_000))));
    let (small, big) = tokio::join!(keep(&store, "with-it"), big);
    assert!(matches!(big, Err(StoreError::StorageFull)), "{big:?}");
    assert!(small.is_ok() || matches!(small, Err(StoreError::StorageFull)), "{small:?}");
    assert_eq!(find(&store, "with-it").await.is_some(), small.is_ok());
    assert!(find(&store, "before").await.is_some());
    // Writes are refused until the disk was looked at again, and found to have room.
    assert!(matches!(keep(&store, "at-once").await, Err(StoreError::StorageFull)));
    assert!(!store.has_room().await);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(store.has_room().await);
    keep(&store, "after").await.unwrap();
    assert!(check(&store).await.is_sound());
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_migrations_can_be_taken_back() {
    let store = open().await;
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Current);
    assert!(store.migrate().await.unwrap().is_empty());
    raw(&store, "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')");
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::TooNew("29991231000001".into()));
    assert!(matches!(store.migrate().await, Err(StoreError::SchemaTooNew { version }) if version == "29991231000001"));
    raw(&store, "DELETE FROM __diesel_schema_migrations WHERE version = '29991231000001'");
    let count = store.revert_migrations().await.unwrap().len();
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Behind);
    assert_eq!(store.migrate().await.unwrap().len(), count);
}

#[tokio::test]
async fn closing_finishes_what_was_accepted_and_refuses_the_rest() {
    let store = open().await;
    let under_way: Vec<_> = (0..20)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { keep(&store, &n.to_string()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    store.close().await;
    for call in under_way {
        call.await.unwrap().unwrap();
    }
    assert!(matches!(keep(&store, "late").await, Err(StoreError::Unavailable)));
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable)));
    let again = Store::open(store.url(), options()).unwrap();
    assert!(find(&again, "19").await.is_some());
    again.close().await;
}

/// A new database on the server that `tests/with_postgresql.sh` has started.
#[expect(clippy::disallowed_methods, reason = "where the server is, is no setting of the program")]
fn on_a_server() -> String {
    let (Ok(socket), Ok(programs)) = (std::env::var("LAHETE_TEST_POSTGRESQL_SOCKET"), std::env::var("LAHETE_TEST_POSTGRESQL_PROGRAMS"))
    else {
        panic!("no PostgreSQL to test with: run `make test`, or `tests/with_postgresql.sh cargo test`, which start one of their own")
    };
    let name = format!("store_{}", std::process::id());
    let made = std::process::Command::new(PathBuf::from(programs).join("createdb")).args(["-h", &socket, "-U", "lahete", &name]).status();
    assert!(made.unwrap().success());
    format!("postgresql:///{name}?host={}&user=lahete", socket.replace('/', "%2F"))
}

/// The same behaviour on a server.
#[tokio::test]
async fn a_postgresql_server_behaves_the_same() {
    let url = on_a_server();
    // On an empty table all keys lie on one page of the index, where serializable writers collide far more than on a table in use.
    let options = StoreOptions { retries: 10, ..options() };
    let store = Store::open(&DbUrl::parse(&url).unwrap(), options).unwrap();
    store.revert_migrations().await.unwrap();
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Behind);
    assert!(!store.migrate().await.unwrap().is_empty());
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Current);
    store.ping().await.unwrap();

    let create = "DROP TABLE IF EXISTS samples; CREATE TABLE samples (id uuid PRIMARY KEY NOT NULL, at timestamptz NOT NULL, \
                  later timestamptz, data jsonb NOT NULL, role text NOT NULL, reasons text NOT NULL, version bigint NOT NULL, \
                  day date NOT NULL, maybe uuid)";
    types_survive(&store, create).await;
    failures_stay_alone(&store).await;
    panics_are_survived(&store, 10).await;
    reads_are_audited(&store).await;
    let error = store.read(|db| db.idempotency_insert("u", "o", "k", &answer(""))).await.unwrap_err();
    assert!(matches!(error, StoreError::Database(_)), "{error:?}");
    let refused = store
        .write(|db| -> Result<usize, StoreError> { Ok(diesel::delete(crate::schema::audit_events::table).execute(db.conn())?) })
        .await
        .unwrap_err();
    assert!(matches!(refused, StoreError::Constraint(Constraint::AuditAppendOnly)), "{refused:?}");

    // An error that the closure passes over must not be answered as done.
    keep(&store, "taken").await.unwrap();
    let swallowed = store
        .write(|db| -> Result<(), StoreError> {
            let _ = db.idempotency_insert("user:1", "referral_create", "taken", &answer("{}"));
            Ok(())
        })
        .await;
    assert!(matches!(swallowed, Err(StoreError::Constraint(Constraint::IdempotencyKeyTaken))), "{swallowed:?}");

    let begin = std::time::Instant::now();
    let before = store.stats();
    let stats = many_writers(&store, 20).await;
    println!("postgresql: 64 writers, {} commits, {} retries, {:?}", stats.groups - before.groups, stats.retries, begin.elapsed());
    let report = check(&store).await;
    assert!(report.is_sound() && report.events == 64 * 20 + 4 && report.chains > 2, "{report:?}");

    // Sixteen that each add one to what they read: none may be lost, whatever collides.
    store
        .write(|db| -> Result<(), StoreError> { Ok(db.conn().batch_execute("UPDATE samples SET version = 1, role = 'admin'")?) })
        .await
        .unwrap();
    let mut adders = Vec::new();
    for _ in 0..16 {
        let store = store.clone();
        adders.push(tokio::spawn(async move {
            store
                .write(|db| -> Result<(), StoreError> {
                    let VersionCol(seen) = samples::table.select(samples::version).first::<VersionCol>(db.conn())?;
                    db.audit(event(AuditOutcome::Allowed, "adder"));
                    diesel::update(samples::table).set(samples::version.eq(VersionCol(seen.next()))).execute(db.conn())?;
                    Ok(())
                })
                .await
        }));
    }
    let mut added = 0;
    for adder in adders {
        match adder.await.unwrap() {
            Ok(()) => added += 1,
            Err(error) => assert!(matches!(error, StoreError::Busy), "{error:?}"),
        }
    }
    let last: i64 =
        store.read(|db| -> Result<i64, StoreError> { Ok(samples::table.select(samples::version).first(db.conn())?) }).await.unwrap();
    println!("postgresql: {added} of 16 adders, {} retries", store.stats().retries);
    assert_eq!(last, 1 + added);
    assert!(check(&store).await.is_sound());

    // All connections of the pool die at once: nobody notices.
    raw_postgresql(
        &store,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    for n in 0..20 {
        keep(&store, &format!("after-{n}")).await.unwrap();
        store.ping().await.unwrap();
    }
    // A connection that dies under the closure: it is run again.
    let tries = Arc::new(AtomicU64::new(0));
    let seen = tries.clone();
    store
        .write(move |db| -> Result<(), StoreError> {
            if seen.fetch_add(1, Ordering::Relaxed) == 0 {
                db.conn().batch_execute("SELECT pg_terminate_backend(pg_backend_pid())")?;
            }
            db.idempotency_insert("user:1", "referral_create", "revived", &answer("{}"))
        })
        .await
        .unwrap();
    assert_eq!(tries.load(Ordering::Relaxed), 2);
    assert!(find(&store, "revived").await.is_some());
    store.close().await;
}

fn raw_postgresql(store: &Store, sql: &str) {
    let mut session = store.inner.options.opener(&store.inner.url, Purpose::Migrate).open().unwrap();
    session.conn.batch_execute(sql).unwrap();
}
