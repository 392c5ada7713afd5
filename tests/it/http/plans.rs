//! How the database finds what is asked for. Every statement that the program runs, while every operation of the document is called by everybody
//! with every filter, is given back to the database with `EXPLAIN`: no plan may read a whole table that grows, and no page of a list may need its
//! rows sorted first. What does so all the same stands in `golden/plans_*.txt`, which may only grow shorter. A new operation comes into the net by itself, since the calls are made from the document; a new table counts as growing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use lahete_domain::actor::Validity;
use lahete_domain::codes::Role;
use lahete_domain::ids::{ProgrammeId, UserId};
use lahete_domain::time::Clock as _;
use lahete_domain::user::RoleAssignment;
use lahete_domain::version::Version;
use lahete_persistence::{Db, Statements, Store, StoreError};
use serde_json::Value;

use super::cases::{Built, Origin, Stage, prepare};
use super::journeys::the_clock_looks;
use crate::support::app::Caller;
use crate::support::database::{TestDatabase, open, options, wait};
use crate::support::{Kind, TestApp, golden};

/// Tables that administrators and coordinators fill by hand, a row for each partner or colleague, and the lists of the schema itself. Every
/// other table grows with the referrals.
const SMALL: [&str; 23] = [
    "data_keys",
    "programmes",
    "programme_municipalities",
    "programme_terms",
    "mileage_rates",
    "consent_texts",
    "organisations",
    "api_clients",
    "api_client_organisations",
    "role_assignments",
    "link_workers",
    "link_worker_municipalities",
    "contracts",
    "trainings",
    "absences",
    "mentoring_sessions",
    "programme_breaks",
    "concern_guidance",
    "measure_instruments",
    "measure_texts",
    "individual_uses",
    "sqlite_master",
    "__diesel_schema_migrations",
];

/// The table that a statement reads or writes first.
fn first_table(text: &str) -> &str {
    let words = ["FROM ", "INTO ", "UPDATE "];
    let at = words.iter().filter_map(|word| text.find(word).map(|at| at + word.len())).min().unwrap_or_default();
    let rest = text[at..].trim_start_matches(['(', '`', '"', ' ']);
    rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// Asks for nothing, as a list does of somebody who may see nothing: the database looks at no row, whatever its plan says.
fn asks_for_nothing(text: &str) -> bool {
    text.contains("(1=0)") && !text.contains(" OR (")
}

/// What was run, and on whose behalf.
#[derive(Default)]
struct Seen {
    /// For each statement the calls that ran it; a call of a list that comes in pages is marked.
    statements: BTreeMap<String, BTreeSet<(String, bool)>>,
    /// Lists whose later pages took more statements than the first.
    growing: Vec<String>,
}

impl Seen {
    fn note(&mut self, texts: Vec<String>, what: &str, paged: bool) -> usize {
        let mut count = 0;
        for text in texts {
            let word = text.split_whitespace().next().unwrap_or_default().to_uppercase();
            if matches!(word.as_str(), "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "WITH") {
                count += 1;
                self.statements.entry(text).or_default().insert((what.to_owned(), paged));
            }
        }
        count
    }
}

/// An operation that reads, as the document has it.
pub(crate) struct Reading {
    pub(crate) name: String,
    pub(crate) path: String,
    /// Each query parameter with values for it.
    pub(crate) filters: Vec<(String, Vec<String>)>,
    pub(crate) required: String,
    paged: bool,
}

/// Values for a parameter, from its schema or its name.
fn values(document: &Value, parameter: &Value, app: &TestApp, built: &Built) -> Vec<String> {
    let name = parameter["name"].as_str().unwrap();
    let mut schema = &parameter["schema"];
    if let Some(reference) = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str()) {
        schema = document.pointer(reference.trim_start_matches('#')).unwrap();
    }
    if let Some(codes) = schema["enum"].as_array() {
        // Which code is asked for makes no other statement, but which order does.
        let wanted = if name == "order" { codes.len() } else { 1 };
        return codes.iter().take(wanted).map(|code| code.as_str().unwrap().to_owned()).collect();
    }
    let people = app.world.own;
    let one = |value: &str| vec![value.to_owned()];
    match name {
        "programme_id" => one(&people.programme.to_string()),
        "coordinator_id" | "user_id" => one(&people.coordinator.to_string()),
        "link_worker_id" => one(&people.worker.to_string()),
        "client_id" | "support_period_id" => one(built.id(name)),
        "from" => one(&if is_instant(schema) { "2026-01-01T00:00:00Z".to_owned() } else { "2026-01-01".to_owned() }),
        "until" => one(&if is_instant(schema) { "2026-12-31T00:00:00Z".to_owned() } else { "2026-12-31".to_owned() }),
        "on" => one("2026-12-31"),
        "available_on" | "refresher_due_before" | "link_worker_absent_on" => one("2026-12-31"),
        "month" => one("2026-11"),
        "due_within_days" => one("30"),
        "no_visit_for_days" => one("0"),
        "ends_within_days" => one("366"),
        "checked_before" => one("2026-11-22"),
        "visits_until" | "ends_before" | "active_on" => one("2026-12-31"),
        "municipality" => one(people.municipality),
        "wellbeing_county" => one("21"),
        "language" => one("fi"),
        "version" => one("2026-1"),
        "instrument_version" => one("1"),
        "since" => one("2026-01-01T00:00:00Z"),
        "q" => one("kerho"),
        "min_days_in_state" => one("0"),
        _ if schema["type"] == "boolean" => vec!["true".to_owned(), "false".to_owned()],
        _ => panic!("{name}: say here what to ask for: {parameter}"),
    }
}

fn is_instant(schema: &Value) -> bool {
    schema["format"] == "date-time"
}

/// All operations of the document that read.
pub(crate) fn readings(app: &TestApp, built: &Built) -> Vec<Reading> {
    let document = serde_json::to_value(lahete_api::http::openapi::api_document()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(operation) = item.get("get") else { continue };
        let mut reading = Reading {
            name: operation["operationId"].as_str().unwrap().to_owned(),
            path: path.clone(),
            filters: Vec::new(),
            required: String::new(),
            paged: false,
        };
        while let Some((before, rest)) = reading.path.split_once('{') {
            let (name, after) = rest.split_once('}').unwrap();
            let name = if reading.name.starts_with("client_restriction") { "restricted_client" } else { name };
            reading.path = format!("{before}{}{after}", built.id(name));
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            match name {
                "cursor" => reading.paged = true,
                "limit" => {}
                _ if parameter["required"] == true => {
                    reading.required += &format!("{name}={}&", values(&document, parameter, app, built)[0]);
                }
                _ => reading.filters.push((name.to_owned(), values(&document, parameter, app, built))),
            }
        }
        all.push(reading);
    }
    all
}

impl Reading {
    /// The queries to ask with: nothing, each value of each filter, and each pair of filters, since an index for one may not serve with another.
    fn queries(&self) -> Vec<String> {
        let mut all = vec![String::new()];
        for (place, (name, values)) in self.filters.iter().enumerate() {
            all.extend(values.iter().map(|value| format!("{name}={value}&")));
            for (other, others) in &self.filters[place + 1..] {
                // Orders are forms of the statement; of other codes any one will do.
                let each = |name: &str, values: &[String]| if name == "order" { values.to_vec() } else { vec![values[0].clone()] };
                for value in each(name, values) {
                    all.extend(each(other, others).iter().map(|second| format!("{name}={value}&{other}={second}&")));
                }
            }
        }
        all
    }
}

fn grant(app: &TestApp, user: UserId, programme: ProgrammeId, role: Role) {
    let from = NaiveDate::from_ymd_opt(2022, 1, 1).unwrap();
    let (now, organisation) = (app.clock.now(), app.world.own.organisation);
    wait(app.store.write(move |db: &mut Db<'_>| {
        db.role_assignment_insert(&RoleAssignment {
            id: db.ids().next(),
            version: Version::FIRST,
            programme,
            user,
            role,
            organisation: (role == Role::Referrer).then_some(organisation),
            validity: Validity { from, until: None },
            given_by: None,
            given_at: now,
        })
    }))
    .unwrap();
}

/// One of each role, somebody with several of them, and somebody with the same one in two programmes.
fn everybody(app: &TestApp) -> Vec<(&'static str, Caller<'_>)> {
    let (own, other) = (app.world.own, app.world.other);
    for role in [Role::LinkWorker, Role::Client, Role::Coordinator] {
        grant(app, own.other_referrer, own.programme, role);
    }
    for role in [Role::LinkWorker, Role::Referrer] {
        grant(app, own.other_client, own.programme, role);
    }
    for role in [Role::Coordinator, Role::Admin, Role::PrivacyOfficer, Role::ReportReader] {
        grant(app, other.coordinator, own.programme, role);
        if role != Role::Coordinator {
            grant(app, other.coordinator, other.programme, role);
        }
    }
    for role in [Role::LinkWorker, Role::Client, Role::Referrer] {
        grant(app, other.link_worker, own.programme, role);
    }
    vec![
        ("a coordinator", app.user(own.coordinator)),
        ("a referrer", app.user(own.referrer)),
        ("a link worker", app.user(own.link_worker)),
        ("a client", app.user(own.client)),
        ("a report reader", app.user(own.report_reader)),
        ("a privacy officer", app.user(own.privacy_officer)),
        ("an administrator", app.user(own.admin)),
        ("a machine", app.machine(own.machine)),
        ("a coordinator who has other roles too", app.user(own.other_referrer)),
        ("a client who writes and walks along", app.user(own.other_client)),
        ("a coordinator of two programmes", app.user(other.coordinator)),
        ("a link worker of two programmes", app.user(other.link_worker)),
        ("nobody", app.nobody()),
    ]
}

/// Calls everything; and follows the pages of lists.
fn record(app: &TestApp, statements: &Statements) -> Seen {
    let mut seen = Seen::default();
    prepare(app);
    use Origin::{Anonymous, Client, Machine, Referrer};
    for (origin, stage) in [
        (Referrer, Stage::Draft),
        (Client, Stage::Submitted),
        (Machine, Stage::Submitted),
        (Anonymous, Stage::Submitted),
        (Referrer, Stage::InReview),
        (Referrer, Stage::AskedReferrer),
        (Referrer, Stage::AskedClient),
        (Referrer, Stage::Deferred),
        (Referrer, Stage::Proposed),
        (Machine, Stage::Assigned),
        (Client, Stage::NothingPlanned),
        (Referrer, Stage::Paused),
        (Referrer, Stage::Closed),
    ] {
        Built::new(app, origin, stage);
    }
    let mut built = Built::new(app, Referrer, Stage::InSupport);
    for stage in [Stage::Settings, Stage::Fulfilled, Stage::Held, Stage::Restricted] {
        built.add(&Built::new(app, Referrer, stage));
    }
    Built::new(app, Referrer, Stage::InSupport).finish(app);
    seen.note(statements.take(), "making cases", false);
    let callers = everybody(app);
    let mut found = BTreeSet::new();
    for reading in readings(app, &built) {
        for (who, caller) in &callers {
            for query in reading.queries() {
                let what = format!("{} by {who} with {query}", reading.name);
                let ask = |more: &str| {
                    drop(statements.take());
                    caller.get(&format!("{}?{}{query}{more}", reading.path, reading.required)).send()
                };
                let mut reply = ask(if reading.paged { "limit=1" } else { "" });
                let mut counts = vec![seen.note(statements.take(), &what, reading.paged)];
                assert!(reply.status != 400 && reply.status < 500, "{what}: {reply:?}");
                if reply.status != 200 {
                    break;
                }
                found.insert(reading.name.clone());
                while reading.paged && counts.len() < 4 {
                    let Some(next) = reply.json()["page"]["next"].as_str().map(str::to_owned) else { break };
                    let path = next.find("/v1/").map_or(next.as_str(), |at| &next[at..]).to_owned();
                    drop(statements.take());
                    reply = caller.get(&path).send();
                    counts.push(seen.note(statements.take(), &what, true));
                }
                // A page whose items say less may ask for less; none may ask for more because others come before it.
                if counts.iter().any(|count| *count > counts[0] + 1) {
                    seen.growing.push(format!("{what}: statements page by page: {counts:?}"));
                }
            }
        }
        assert!(found.contains(&reading.name), "nobody was answered by {}", reading.name);
    }
    app.clock.advance_days(60);
    drop(statements.take());
    the_clock_looks(app);
    seen.note(statements.take(), "the clock", false);
    seen
}

/// What is wrong with a plan of SQLite.
fn sqlite_faults(plan: &[String], paged: bool) -> Vec<String> {
    // What a part of the statement has put together itself is as long as that part made it.
    let made: BTreeSet<&str> =
        plan.iter().filter_map(|line| line.strip_prefix("CO-ROUTINE ").or_else(|| line.strip_prefix("MATERIALIZE "))).collect();
    let harmless = |name: &str| SMALL.contains(&name) || made.contains(name) || ["CONSTANT", "json_each"].contains(&name);
    plan.iter()
        // The index of words answers a question: what it looks at is what it finds.
        .filter(|line| !(line.starts_with("SCAN __activity_search") && line.contains("VIRTUAL TABLE INDEX 0:M")))
        .filter(|line| match line.strip_prefix("SCAN ") {
            Some(rest) => !harmless(rest) && !harmless(rest.split_whitespace().next().unwrap_or_default()),
            None => (paged && line.starts_with("USE TEMP B-TREE") && line.ends_with("ORDER BY")) || line.contains("AUTOMATIC"),
        })
        .cloned()
        .collect()
}

/// What is wrong with a node of a plan of PostgreSQL and with those below it.
fn postgresql_faults(node: &Value, below_limit: bool, faults: &mut Vec<String>) {
    let kind = node["Node Type"].as_str().unwrap_or_default();
    let table = node["Relation Name"].as_str().unwrap_or_default();
    let indexed = matches!(kind, "Index Scan" | "Index Only Scan" | "Bitmap Index Scan") && node.get("Index Cond").is_none();
    // A scan for a bitmap names the index alone, which is called after its table.
    let read = if table.is_empty() { node["Index Name"].as_str().unwrap_or_default() } else { table };
    if (kind == "Seq Scan" || indexed) && !SMALL.iter().any(|small| read == *small || read.starts_with(&format!("{small}_pkey"))) {
        faults.push(format!("reads all of {read}"));
    }
    if below_limit && matches!(kind, "Sort" | "Incremental Sort") {
        faults.push("sorts below a limit".to_owned());
    }
    for child in node["Plans"].as_array().into_iter().flatten() {
        postgresql_faults(child, below_limit || kind == "Limit", faults);
    }
}

fn faults(kind: Kind, plan: &[String], paged: bool) -> Vec<String> {
    match kind {
        Kind::Sqlite => sqlite_faults(plan, paged),
        Kind::Postgresql => {
            let mut faults = Vec::new();
            for text in plan {
                let value: Value = serde_json::from_str(text).unwrap();
                for one in value.as_array().unwrap() {
                    postgresql_faults(&one["Plan"], false, &mut faults);
                }
            }
            if !paged {
                faults.retain(|fault| !fault.ends_with("below a limit"));
            }
            faults
        }
    }
}

fn plan(store: &Store, text: &str) -> Vec<String> {
    let asked = text.to_owned();
    let result: Result<Vec<String>, StoreError> = wait(store.write(move |db: &mut Db<'_>| db.statement_plan(&asked)));
    result.unwrap_or_else(|error| panic!("{error:?}: {text}"))
}

/// A statement that a connection keeps is parsed and planned once. What is not kept stands in `golden/unkept_*.txt`, which may only grow shorter.
fn every_statement_is_kept(kind: Kind, seen: &Seen, statements: &Statements) {
    let mut anew: BTreeMap<String, &str> = BTreeMap::new();
    for (text, calls) in seen.statements.iter().filter(|(text, _)| !statements.keeps(text)) {
        for (what, _) in calls {
            let operation = what.split_once(" by ").map_or(what.as_str(), |(operation, _)| operation);
            anew.entry(format!("{operation}: {} {}", text.split_whitespace().next().unwrap_or_default(), first_table(text)))
                .or_insert(text);
        }
    }
    may_only_grow_shorter(
        &format!("unkept_{kind:?}.txt").to_lowercase(),
        anew.into_iter().map(|(line, text)| (line, text.to_owned())).collect(),
    );
}

/// Holds lines, each with what is told about it, against a golden file in which no line may come to stand.
fn may_only_grow_shorter(name: &str, mut lines: BTreeMap<String, String>) {
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        golden::expect(name, &lines.keys().map(|line| format!("{line}\n")).collect::<String>());
        return;
    }
    let known = std::fs::read_to_string(golden::path(name)).unwrap();
    lines.retain(|line, _| !known.lines().any(|other| other == line));
    let told: Vec<String> = lines.iter().map(|(line, told)| format!("{line}\n    {told}")).collect();
    assert!(told.is_empty(), "{} that were not there before in {name}:\n{}", told.len(), told.join("\n"));
}

fn every_plan_is_good(kind: Kind) {
    let statements = Statements::default();
    let mut options = options();
    options.statements = Some(statements.clone());
    let app = TestApp::start_on(kind, &[], options);
    let seen = record(&app, &statements);
    assert_eq!(seen.growing, Vec::<String>::new());
    every_statement_is_kept(kind, &seen, &statements);
    // In a database without rows: PostgreSQL assumes some pages of a table that it has never counted, but reads one of twenty rows from end to end.
    let empty = TestDatabase::new(kind);
    let store = open(&empty.url);
    let mut wrong = BTreeMap::new();
    for (text, calls) in seen.statements.iter().filter(|(text, _)| !asks_for_nothing(text)) {
        let paged = calls.iter().any(|(_, paged)| *paged) && text.to_uppercase().contains("LIMIT") && !SMALL.contains(&first_table(text));
        let plan = plan(&store, text);
        for fault in faults(kind, &plan, paged) {
            for (what, _) in calls {
                let who = what.split_once(" with ").map_or(what.as_str(), |(who, _)| who);
                wrong.entry(format!("{who}: {fault}")).or_insert_with(|| format!("{what}\n    {text}\n    {}", plan.join(" / ")));
            }
        }
    }
    wait(store.close());
    println!("{kind:?}: {} statements looked at, {} kinds of badly planned ones", seen.statements.len(), wrong.len());
    may_only_grow_shorter(&format!("plans_{kind:?}.txt").to_lowercase(), wrong);
}

#[test]
fn sqlite_reads_no_growing_table_as_a_whole() {
    every_plan_is_good(Kind::Sqlite);
}

#[test]
fn postgresql_reads_no_growing_table_as_a_whole() {
    every_plan_is_good(Kind::Postgresql);
}

/// The test above is worth something only if a bad plan is seen as one.
#[test]
fn a_scan_and_a_sort_are_seen() {
    for kind in [Kind::Sqlite, Kind::Postgresql] {
        let empty = TestDatabase::new(kind);
        let store = open(&empty.url);
        for (text, paged, good) in [
            ("SELECT id FROM referrals WHERE id = $1", false, true),
            ("SELECT id FROM referrals WHERE end_reason = $1", false, false),
            ("SELECT id FROM referrals", false, false),
            ("SELECT id FROM programmes WHERE name = $1", false, true),
            ("SELECT id FROM visits WHERE programme_id = $1 ORDER BY visit_on DESC, id DESC LIMIT $2", true, true),
            ("SELECT id FROM visits WHERE programme_id = $1 ORDER BY minutes LIMIT $2", true, false),
        ] {
            assert_eq!(faults(kind, &plan(&store, text), paged).is_empty(), good, "{kind:?}: {text}: {:?}", plan(&store, text));
        }
        wait(store.close());
    }
}
