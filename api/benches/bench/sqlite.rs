//! SQLite without the program: the data, and the floors under its figures.
//!
//! A floor runs the statements that the program runs for one call, in its order, prepared once, through the plain binding, without HTTP, JSON, rules and
//! hashes: once with a commit each, and once with a commit for all calls of a group, as the program's writer would do it in the best case.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, ToSql, params, types::ToSqlOutput};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Outcome;
use super::dataset::{COORDINATOR, Cell, Dataset, MUNICIPALITY, ORGANISATION, PROGRAMME, REFERRER, STATE, TABLES, scatter};
use super::driver::Measured;
use super::progress::Progress;
use super::report;
use super::workload::{Page, SEALED_PHONE, Work};

fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(rusqlite::types::Value::Null),
            Self::Int(value) => ToSqlOutput::from(*value),
            Self::Bool(value) => ToSqlOutput::from(*value),
            Self::Text(value) => ToSqlOutput::from(*value),
            Self::Words(value) => ToSqlOutput::from(value.as_str()),
            Self::Id(id) => ToSqlOutput::from(id.hyphenated().to_string()),
            Self::Day(day) => ToSqlOutput::from(day.to_string()),
            Self::At(at) => ToSqlOutput::from(instant(*at)),
        })
    }
}

/// Fills a database that has the schema and the demo's people.
pub fn fill(path: &Path, data: Dataset) -> Outcome<()> {
    let conn = Connection::open(path)?;
    // As fast as it gets: when the machine stops now, the file is made anew. For each list of codes that is checked SQLite makes and drops a table, which
    // takes most of the time; that all rows are as they should be is asked of the whole file by a test.
    conn.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; \
         PRAGMA cache_size = -1000000; BEGIN",
    )?;
    {
        let mut inserts = TABLES
            .iter()
            .map(|table| {
                let places = vec!["?"; table.columns.len()].join(", ");
                conn.prepare(&format!("INSERT INTO {} ({}) VALUES ({places})", table.name, table.columns.join(", ")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let progress = Progress::new("SQLite: filling", data.total);
        for number in 0..data.total {
            data.rows(number, |table, cells| -> rusqlite::Result<()> {
                let Some(insert) = inserts.get_mut(table as usize) else { return Ok(()) };
                insert.execute(rusqlite::params_from_iter(cells)).map(drop)
            })?;
            progress.at(number);
        }
    }
    conn.execute_batch("COMMIT; PRAGMA journal_mode = WAL")?;
    Ok(())
}

fn open(path: &Path) -> Outcome<Connection> {
    let conn = Connection::open(path)?;
    conn.execute_batch("PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON")?;
    conn.set_prepared_statement_cache_capacity(256);
    Ok(conn)
}

/// The calls of one connection to the database, as the program makes them.
struct Calls<'c> {
    conn: &'c Connection,
    data: Dataset,
    day: String,
    now: String,
    page: Page,
    writer: String,
    seq: i64,
    made: u64,
}

const ROLES: &str = "SELECT role_assignments.role, role_assignments.programme_id, role_assignments.organisation_id, organisations.sector FROM role_assignments JOIN users ON users.id = role_assignments.user_id LEFT JOIN organisations ON organisations.id = role_assignments.organisation_id WHERE role_assignments.user_id = ? AND users.active = ? AND role_assignments.valid_from <= ? AND (role_assignments.valid_until IS NULL OR role_assignments.valid_until >= ?) ORDER BY role_assignments.valid_from, role_assignments.id";
// The last column decides what else is read.
const CASE: &str = "SELECT referrals.*, referral_details.*, clients.user_id, clients.standing, referral_snapshots.submitted_on, referral_snapshots.age, referral_snapshots.sex, referral_snapshots.municipality, referrals.state FROM referrals JOIN referral_details ON referral_details.referral_id = referrals.id JOIN clients ON clients.id = referrals.client_id LEFT JOIN referral_snapshots ON referral_snapshots.referral_id = referrals.id WHERE referrals.id IN";
const CLIENT: &str = "SELECT id, version, programme_id, user_id, given_name, family_name, phone, email, address, client_will_contact, birth_date, birth_year, identity_code_cipher, identity_code_index, identity_code_index_2, sex, municipality, language, interpreter_needed, non_disclosure, lives_at_home, standing FROM clients WHERE id IN";
const LISTED_CLIENT: &str = "SELECT id, given_name, family_name, municipality, non_disclosure FROM clients WHERE id IN";
const AUDIT: &str = "INSERT INTO audit_events (id, writer_id, seq, prev_hash, hash, at, caller_kind, user_id, api_client_id, role, organisation_id, programme_id, client_id, referral_id, operation, action, outcome, reason, reason_salt, reason_hash, request_id) VALUES (?, ?, ?, ?, ?, ?, 'user', ?, NULL, ?, ?, ?, ?, ?, ?, ?, 'allowed', NULL, NULL, NULL, ?)";

fn places(count: usize) -> String {
    format!("({})", vec!["?"; count].join(", "))
}

impl<'c> Calls<'c> {
    fn new(conn: &'c Connection, data: Dataset, page: Page) -> Self {
        let now = Utc::now();
        Self { conn, data, day: now.date_naive().to_string(), now: instant(now), page, writer: Uuid::now_v7().to_string(), seq: 0, made: 0 }
    }

    /// Runs a query and takes every value of every row, as text: that is what the program does with them, too.
    fn all(&self, sql: &str, binds: impl rusqlite::Params) -> Outcome<Vec<Vec<Option<String>>>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query(binds)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let mut values = Vec::with_capacity(columns);
            for column in 0..columns {
                values.push(match row.get_ref(column)? {
                    rusqlite::types::ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                    _ => None,
                });
            }
            found.push(values);
        }
        Ok(found)
    }

    fn run(&self, sql: &str, binds: impl rusqlite::Params) -> Outcome<()> {
        self.conn.prepare_cached(sql)?.execute(binds)?;
        Ok(())
    }

    fn roles(&self, user: Uuid) -> Outcome<()> {
        self.all(ROLES, params![user.to_string(), true, self.day, self.day]).map(drop)
    }

    fn audit(&mut self, user: Uuid, role: &str, client: &str, referral: &str, operation: &str, action: &str) -> Outcome<()> {
        self.seq += 1;
        let zeroes = [0_u8; 32];
        self.run(
            AUDIT,
            params![
                Uuid::now_v7().to_string(),
                self.writer,
                self.seq,
                zeroes,
                zeroes,
                self.now,
                user.to_string(),
                role,
                ORGANISATION.to_string(),
                PROGRAMME.to_string(),
                client,
                referral,
                operation,
                action,
                Uuid::now_v7().to_string(),
            ],
        )
    }

    /// Reads for one referral; gives the client.
    fn read(&mut self) -> Outcome<(String, String)> {
        self.made += 1;
        let id = self.data.referral(scatter(self.made) % self.data.total).to_string();
        self.roles(COORDINATOR)?;
        let case = self.all(&format!("{CASE} (?)"), params![id])?;
        let case = case.first().ok_or("a referral is missing")?;
        let client = case.get(3).cloned().flatten().ok_or("a referral without a client")?;
        let state = case.last().cloned().flatten().ok_or("a referral without a state")?;
        self.all("SELECT referral_id, reason FROM referral_reasons WHERE referral_id IN (?)", params![id])?;
        self.all("SELECT id, referral_id, purposes, withdrawn_purposes, text_version, language, method, given_with, given_at, valid_until, recorded_by, verified_at, verified_by, withdrawn_at FROM consents WHERE referral_id = ? ORDER BY given_at, id", params![id])?;
        self.all(&format!("{CLIENT} (?) LIMIT ?"), params![client, 1])?;
        if matches!(state.as_str(), "closed" | "waitlisted") {
            self.all("SELECT id, version, programme_id, from_day, until_day, reason, words FROM programme_breaks WHERE programme_id = ? ORDER BY from_day, id", params![PROGRAMME.to_string()])?;
        }
        if state == "closed" {
            self.all("SELECT referral_id, barriers, unmet_needs FROM referral_closings WHERE referral_id = ? LIMIT ?", params![id, 1])?;
            self.all("SELECT referral_id, COUNT(*) FROM activity_links WHERE referral_id IN (?) AND state <> ? AND continues IS NULL GROUP BY referral_id", params![id, "stopped"])?;
        }
        Ok((id, client))
    }

    /// Reads for one page of the list; gives referrals and clients.
    fn list(&mut self) -> Outcome<Vec<(String, String)>> {
        self.roles(COORDINATOR)?;
        let head = "SELECT id, created_at, state_since, queue_accepted_at, queue_priority FROM referrals WHERE programme_id IN (?) AND state <> ? AND client_id NOT IN (SELECT id FROM clients WHERE programme_id IN (SELECT value FROM json_each(?)) AND standing = 'restricted') AND state = ? AND municipality = ?";
        let tail = "ORDER BY created_at DESC, id DESC LIMIT ?";
        let programme = PROGRAMME.to_string();
        let programmes = format!("[\"{programme}\"]");
        let keys = match &self.page {
            Page::First => self.all(&format!("{head} {tail}"), params![programme, "draft", programmes, STATE, MUNICIPALITY, 21])?,
            Page::After { at, id } => self.all(
                &format!("{head} AND created_at <= ? AND (created_at < ? OR id < ?) {tail}"),
                params![programme, "draft", programmes, STATE, MUNICIPALITY, at, at, id, 21],
            )?,
        };
        let ids: Vec<String> = keys.into_iter().take(20).filter_map(|row| row.into_iter().next().flatten()).collect();
        let places = places(ids.len());
        let cases = self.all(&format!("{CASE} {places}"), rusqlite::params_from_iter(&ids))?;
        let pairs: Vec<(String, String)> = cases.iter().filter_map(|row| Some((row.first()?.clone()?, row.get(3)?.clone()?))).collect();
        self.all(
            &format!("SELECT referral_id, reason FROM referral_reasons WHERE referral_id IN {places}"),
            rusqlite::params_from_iter(&ids),
        )?;
        self.all(&format!("{LISTED_CLIENT} {places}"), rusqlite::params_from_iter(pairs.iter().map(|(_, client)| client)))?;
        Ok(pairs)
    }

    /// Writes one referral, sent.
    fn write(&mut self) -> Outcome<()> {
        let fresh = || Uuid::now_v7().to_string();
        let (client, referral, now, day) = (fresh(), fresh(), self.now.clone(), self.day.clone());
        let (programme, organisation, referrer) = (PROGRAMME.to_string(), ORGANISATION.to_string(), REFERRER.to_string());
        let key = fresh();
        self.roles(REFERRER)?;
        self.all("SELECT id, fingerprint, status, answer, created_at FROM idempotency_keys WHERE caller = ? AND operation = ? AND key = ? LIMIT ?", params![referrer, "referral_create", key, 1])?;
        self.all("SELECT programmes.id FROM programme_municipalities JOIN programmes ON programmes.id = programme_municipalities.programme_id WHERE programme_municipalities.municipality = ? AND programmes.active = ? ORDER BY programmes.id", params![MUNICIPALITY, true])?;
        let none = None::<String>;
        self.all(
            "SELECT valid_from FROM consent_texts WHERE programme_id = ? AND version = ? AND language = ? LIMIT ?",
            params![programme, "2026-1", "fi", 1],
        )?;
        self.all(
            "SELECT id, version, name, controller, privacy_notice_url, active FROM programmes WHERE id = ? LIMIT ?",
            params![programme, 1],
        )?;
        self.all(
            "SELECT programme_id, municipality FROM programme_municipalities WHERE programme_id IN (SELECT value FROM json_each(?))",
            params![format!("[\"{programme}\"]")],
        )?;
        self.run("INSERT INTO clients (id, version, programme_id, user_id, given_name, family_name, phone, email, address, client_will_contact, birth_date, birth_year, identity_code_cipher, identity_code_index, identity_code_index_2, sex, municipality, language, interpreter_needed, non_disclosure, lives_at_home, standing, provisional, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", params![client, 1, programme, none, "Aino", "Esimerkki", SEALED_PHONE, none, none, false, "1942-05-07", none, none, none, none, "female", MUNICIPALITY, "fi", false, false, true, "open", false, now])?;
        self.run("INSERT INTO referrals (id, version, programme_id, client_id, channel, referrer_user_id, api_client_id, organisation_id, sector, municipality, state, state_since, coordinator_id, asked, queue_accepted_at, queue_priority, resume_on, back_to, assignment_id, support_period_id, follow_up_on, outcome, end_reason, route, closed_at, closed_by_user, closed_by_role, created_at, submitted_at, link_worker_user_id, shared_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", params![referral, 2, programme, client, "signed_in", referrer, none, organisation, "elderly", MUNICIPALITY, "submitted", now, none, none, none, none, none, none, none, none, none, none, none, none, none, none, none, now, now, none, "9999-12-31"])?;
        self.run("INSERT INTO referral_details (referral_id, referrer_name, referrer_contact, feedback_wanted, wish, background, written_together, joint_meeting_wished, not_a_service_acknowledged, source_system, source_id, previous_referral_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", params![referral, "Riikka Lähettäjä", "riikka@example.org", true, "Haluaisin taas ulkoilemaan jonkun kanssa.", none, true, false, true, none, none, none])?;
        for reason in ["loneliness", "outdoors"] {
            self.run("INSERT INTO referral_reasons (referral_id, reason) VALUES (?, ?)", params![referral, reason])?;
        }
        self.run("INSERT INTO consents (id, referral_id, purposes, withdrawn_purposes, text_version, language, method, given_with, given_at, valid_until, recorded_by, verified_at, verified_by, withdrawn_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", params![fresh(), referral, "evaluation,feedback_to_referrer,process_referral,share_with_link_worker", "", "2026-1", "fi", "written", "Riikka Lähettäjä", now, none, referrer, none, none, none])?;
        self.run("INSERT INTO referral_snapshots (referral_id, programme_id, submitted_on, age, sex, municipality, evaluation, evaluation_until, state, outcome, route, sector, reasons, assigned) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", params![referral, programme, day, 84, "female", MUNICIPALITY, true, none, "submitted", none, none, "elderly", "loneliness,outdoors", false])?;
        for (kind, to) in [("referral_created", "draft"), ("referral_submitted", "submitted")] {
            self.run("INSERT INTO events (id, referral_id, programme_id, kind, at, caller_kind, user_id, api_client_id, role, from_state, to_state, reason, comment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", params![fresh(), referral, programme, kind, now, "user", referrer, none, "referrer", "draft", to, none, none])?;
        }
        // The digest of the body is work that every way of keeping keys has to do.
        let fingerprint = Sha256::digest(super::workload::BODY.as_bytes());
        self.run("INSERT INTO idempotency_keys (caller, operation, key, fingerprint, status, created_at, id, client_id, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", params![referrer, "referral_create", key, fingerprint.as_slice(), 201, now, fresh(), client, super::workload::ANSWER.as_bytes()])?;
        for action in ["created", "changed"] {
            self.audit(REFERRER, "referrer", &client, &referral, "referral_create", action)?;
        }
        Ok(())
    }

    /// One call, with the accesses that it must leave in the journal.
    fn call(&mut self, work: Work) -> Outcome<()> {
        match work.at(self.made) {
            Work::Read => {
                let (referral, client) = self.read()?;
                self.audit(COORDINATOR, "coordinator", &client, &referral, "referral_view", "read")
            }
            Work::List => {
                self.made += 1;
                for (referral, client) in self.list()? {
                    self.audit(COORDINATOR, "coordinator", &client, &referral, "referral_list", "read")?;
                }
                Ok(())
            }
            _ => {
                self.made += 1;
                self.write()
            }
        }
    }
}

/// Calls in a second, `group` of them in each commit.
pub fn floor(path: &Path, data: Dataset, work: Work, page: &Page, group: u64, time: Duration) -> Outcome<Measured> {
    let conn = open(path)?;
    let mut calls = Calls::new(&conn, data, page.clone());
    let begin = Instant::now();
    let mut measured = Measured::default();
    while begin.elapsed() < time {
        conn.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..group {
            conn.prepare_cached("SAVEPOINT call")?.execute([])?;
            calls.call(work)?;
            conn.prepare_cached("RELEASE call")?.execute([])?;
        }
        conn.execute_batch("COMMIT")?;
        measured.answers += group;
    }
    measured.elapsed = begin.elapsed();
    Ok(measured)
}

/// Seconds that the report's aggregates take, on a connection that has been used before.
pub fn report(path: &Path) -> Outcome<f64> {
    let conn = open(path)?;
    let mut least = f64::MAX;
    for _ in 0..3 {
        let begin = Instant::now();
        let mut counts: [HashMap<String, i64>; 7] = Default::default();
        let mut ages = 0;
        let mut statement = conn.prepare_cached(&report::cases(false))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for (column, counts) in counts.iter_mut().enumerate() {
                let text = row.get_ref(column)?.as_str_or_null()?.unwrap_or_default();
                match counts.get_mut(text) {
                    Some(count) => *count += 1,
                    None => drop(counts.insert(text.to_owned(), 1)),
                }
            }
            ages += row.get::<_, i64>(7)?;
        }
        std::hint::black_box((&counts, ages));
        for sql in report::support(false) {
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
        }
        least = least.min(begin.elapsed().as_secs_f64());
    }
    Ok(least)
}
