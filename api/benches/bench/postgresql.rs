//! PostgreSQL without the program: the data, and the floors under its figures.
//!
//! A floor is `pgbench` with prepared statements: those that the program runs for one call, in its order, on as many connections as its pool has.

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Outcome;
use super::dataset::{COORDINATOR, Cell, Dataset, MUNICIPALITY, ORGANISATION, PROGRAMME, REFERRER, STATE, TABLES};
use super::driver::Measured;
use super::progress::Progress;
use super::report;
use super::workload::{ANSWER, Page, SEALED_PHONE, Work};

/// Connections of the program's pool.
pub const CONNECTIONS: u64 = 10;

/// A server that stands ready.
pub struct Cluster {
    socket: String,
    programs: PathBuf,
}

impl Cluster {
    /// The throw-away server around this run.
    pub fn of_this_run() -> Outcome<Self> {
        let socket = std::env::var("LAHETE_TEST_POSTGRESQL_SOCKET");
        let programs = std::env::var("LAHETE_TEST_POSTGRESQL_PROGRAMS");
        match (socket, programs) {
            (Ok(socket), Ok(programs)) => Ok(Self { socket, programs: PathBuf::from(programs) }),
            _ => Err("no PostgreSQL: run `make bench`, which starts one".into()),
        }
    }

    /// The address of a database for the program.
    pub fn url(&self, name: &str) -> String {
        format!("postgresql:///{name}?host={}&user=lahete", self.socket.replace('/', "%2F"))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(["-h", &self.socket, "-U", "lahete"]);
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Outcome<String> {
        let output = self.command(program).args(arguments).output()?;
        if !output.status.success() {
            return Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Makes an empty database.
    pub fn create(&self, name: &str) -> Outcome<()> {
        self.run("createdb", &[name]).map(drop)
    }

    /// Takes a database away.
    pub fn discard(&self, name: &str) -> Outcome<()> {
        self.run("dropdb", &["--force", name]).map(drop)
    }

    /// Runs a statement; gives what it prints.
    pub fn ask(&self, name: &str, sql: &str) -> Outcome<String> {
        self.run("psql", &["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, name])
    }

    /// Fills a database that has the schema and the demo's people: every table by a COPY of its own, side by side in one transaction each.
    pub fn fill(&self, name: &str, data: Dataset) -> Outcome<()> {
        let mut copies = Vec::new();
        for table in TABLES {
            let sql = format!(
                "SET session_replication_role = replica; SET synchronous_commit = off; COPY {} ({}) FROM STDIN",
                table.name,
                table.columns.join(", ")
            );
            let mut statements = sql.split("; ");
            let mut command = self.command("psql");
            command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]);
            for statement in statements.by_ref() {
                command.args(["-c", statement]);
            }
            let mut child = command.arg(name).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
            let pipe = BufWriter::with_capacity(1 << 18, child.stdin.take().ok_or("no pipe")?);
            copies.push((table.name, child, pipe));
        }
        let progress = Progress::new("PostgreSQL: filling", data.total);
        let mut line = String::new();
        for number in 0..data.total {
            data.rows(number, |table, cells| -> Outcome<()> {
                line.clear();
                for (place, cell) in cells.iter().enumerate() {
                    if place > 0 {
                        line.push('\t');
                    }
                    copy_text(&mut line, cell)?;
                }
                line.push('\n');
                let Some((_, _, pipe)) = copies.get_mut(table as usize) else { return Ok(()) };
                Ok(pipe.write_all(line.as_bytes())?)
            })?;
            progress.at(number);
        }
        drop(progress);
        for (table, mut child, mut pipe) in copies {
            pipe.flush()?;
            drop(pipe);
            if !child.wait()?.success() {
                return Err(format!("COPY {table} failed").into());
            }
        }
        self.ask(name, "VACUUM ANALYZE").map(drop)
    }

    /// Seconds that the report's aggregates take, by the clock of `psql`.
    pub fn report(&self, name: &str) -> Outcome<f64> {
        let mut arguments = vec!["-X".to_owned(), "-q".to_owned()];
        let mut statements = vec![report::cases(true)];
        statements.extend(report::support(true));
        arguments.extend(["-c".to_owned(), "\\timing on".to_owned()]);
        for _ in 0..3 {
            arguments.extend(statements.iter().flat_map(|sql| ["-c".to_owned(), sql.clone()]));
        }
        arguments.push(name.to_owned());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let text = self.run("psql", &arguments)?;
        let times: Vec<f64> =
            text.lines().filter_map(|line| line.strip_prefix("Time: ")?.split_whitespace().next()?.parse().ok()).collect();
        let least = times.chunks(statements.len()).map(|run| run.iter().sum::<f64>()).fold(f64::MAX, f64::min);
        Ok(least / 1000.0)
    }

    /// Calls by `pgbench`, which gives no times of single ones.
    pub fn floor(&self, name: &str, folder: &Path, data: Dataset, work: Work, page: &Page, time: Duration) -> Outcome<Measured> {
        let scripts: &[(Work, u32)] = match work {
            Work::Mixed => &[(Work::Read, 7), (Work::List, 2), (Work::Write, 1)],
            Work::Read => &[(Work::Read, 1)],
            Work::List => &[(Work::List, 1)],
            _ => &[(Work::Write, 1)],
        };
        let mut command = self.command("pgbench");
        command.args([
            "-n",
            "-M",
            "prepared",
            "--max-tries",
            "9",
            "-j",
            "2",
            "-c",
            &CONNECTIONS.to_string(),
            "-T",
            &time.as_secs().max(1).to_string(),
        ]);
        for (work, weight) in scripts {
            let path = folder.join(format!("{work:?}.sql"));
            std::fs::write(&path, script(*work, data, page))?;
            command.arg("-f").arg(format!("{}@{weight}", path.display()));
        }
        // As the program's connections are set.
        command.env(
            "PGOPTIONS",
            "-c enable_seqscan=off -c jit=off -c plan_cache_mode=force_generic_plan -c max_parallel_workers_per_gather=0",
        );
        let output = command.arg(name).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(format!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr)).into());
        }
        let first_word = |label: &str| text.lines().find_map(|line| line.strip_prefix(label)?.split_whitespace().next());
        let answers = first_word("number of transactions actually processed: ").and_then(|word| word.parse::<u64>().ok());
        let rate = first_word("tps = ").and_then(|word| word.parse::<f64>().ok());
        let (Some(answers), Some(rate)) = (answers, rate) else { return Err(format!("pgbench: {text}").into()) };
        Ok(Measured { answers, elapsed: Duration::from_secs_f64(answers as f64 / rate.max(1e-9)), ..Measured::default() })
    }
}

fn copy_text(line: &mut String, cell: &Cell) -> std::fmt::Result {
    match cell {
        Cell::Null => line.write_str("\\N"),
        Cell::Int(value) => write!(line, "{value}"),
        Cell::Bool(value) => line.write_str(if *value { "t" } else { "f" }),
        Cell::Text(value) => line.write_str(value),
        Cell::Words(value) => line.write_str(value),
        Cell::Id(id) => write!(line, "{id}"),
        Cell::Day(day) => write!(line, "{day}"),
        Cell::At(at) => write!(line, "{}", at.to_rfc3339()),
    }
}

fn roles(user: impl std::fmt::Display) -> String {
    format!(
        "SELECT role_assignments.role, role_assignments.programme_id, role_assignments.organisation_id, organisations.sector FROM role_assignments JOIN users ON users.id = role_assignments.user_id LEFT JOIN organisations ON organisations.id = role_assignments.organisation_id WHERE role_assignments.user_id = '{user}' AND users.active = true AND role_assignments.valid_from <= current_date AND (role_assignments.valid_until IS NULL OR role_assignments.valid_until >= current_date) ORDER BY role_assignments.valid_from, role_assignments.id;\n"
    )
}

// The last two columns decide what else is read.
const CASE: &str = "SELECT referrals.*, referral_details.*, clients.user_id, clients.standing, referral_snapshots.submitted_on, referral_snapshots.age, referral_snapshots.sex, referral_snapshots.municipality, (referrals.state = 'closed')::int AS closed, (referrals.state IN ('closed', 'waitlisted'))::int AS counted FROM referrals JOIN referral_details ON referral_details.referral_id = referrals.id JOIN clients ON clients.id = referrals.client_id LEFT JOIN referral_snapshots ON referral_snapshots.referral_id = referrals.id WHERE referrals.id = ANY";
const CLIENT: &str = "SELECT id, version, programme_id, user_id, given_name, family_name, phone, email, address, client_will_contact, birth_date, birth_year, identity_code_cipher, identity_code_index, identity_code_index_2, sex, municipality, language, interpreter_needed, non_disclosure, lives_at_home, standing FROM clients WHERE id";
const LISTED_CLIENT: &str = "SELECT id, given_name, family_name, municipality, non_disclosure FROM clients WHERE id";
const AUDIT: &str = "INSERT INTO audit_events (id, writer_id, seq, prev_hash, hash, at, caller_kind, user_id, role, organisation_id, programme_id, client_id, referral_id, operation, action, outcome, request_id)";

fn audit_values(user: impl std::fmt::Display, role: &str, client: &str, referral: &str, operation: &str, action: &str) -> String {
    format!(
        "gen_random_uuid(), gen_random_uuid(), 1, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'), now(), 'user', '{user}', '{role}', '{ORGANISATION}', '{PROGRAMME}', {client}, {referral}, '{operation}', '{action}', 'allowed', gen_random_uuid()::text"
    )
}

/// The statements of one call in the language of `pgbench`.
fn script(work: Work, data: Dataset, page: &Page) -> String {
    let mut text = String::new();
    match work {
        Work::Read => {
            let id = |kind: u32| {
                format!(
                    "(lpad(to_hex(:ms::bigint), 12, '0') || '700{kind}' || lpad(to_hex((:n * 16)::bigint | (1::bigint << 63)), 16, '0'))::uuid"
                )
            };
            let (referral, client) = (id(2), id(1));
            text += &format!(
                "\\set n random(0, {})\n\\set ms 1483257600000 + {} * :n / {}\n",
                data.total - 1,
                3590_i64 * 86_400_000,
                data.total
            );
            text += "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n";
            text += &roles(COORDINATOR);
            text += &format!(
                "{CASE}(ARRAY[{referral}]) \\gset\nSELECT referral_id, reason FROM referral_reasons WHERE referral_id = ANY(ARRAY[{referral}]);\n"
            );
            text += &format!(
                "SELECT id, referral_id, purposes, withdrawn_purposes, text_version, language, method, given_with, given_at, valid_until, recorded_by, verified_at, verified_by, withdrawn_at FROM consents WHERE referral_id = {referral} ORDER BY given_at, id;\n"
            );
            text += &format!("{CLIENT} = {client} LIMIT 1;\n");
            text += &format!(
                "\\if :counted\nSELECT id, version, programme_id, from_day, until_day, reason, words FROM programme_breaks WHERE programme_id = '{PROGRAMME}' ORDER BY from_day, id;\n\\endif\n"
            );
            text += &format!(
                "\\if :closed\nSELECT referral_id, barriers, unmet_needs FROM referral_closings WHERE referral_id = {referral} LIMIT 1;\nSELECT referral_id, COUNT(*) FROM activity_links WHERE referral_id = ANY(ARRAY[{referral}]) AND state <> 'stopped' AND continues IS NULL GROUP BY referral_id;\n\\endif\n"
            );
            text += "ROLLBACK;\nBEGIN;\n";
            text += &format!(
                "{AUDIT} VALUES ({});\nCOMMIT;\n",
                audit_values(COORDINATOR, "coordinator", &client, &referral, "referral_view", "read")
            );
        }
        Work::List => {
            let behind = match page {
                Page::First => String::new(),
                Page::After { at, id } => format!(" AND created_at <= '{at}' AND (created_at < '{at}' OR id < '{id}')"),
            };
            text += "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n";
            text += &roles(COORDINATOR);
            text += &format!(
                "SELECT array_agg(id) AS ids, array_agg(client_id) AS clients FROM (SELECT id, client_id, created_at, state_since, queue_accepted_at, queue_priority FROM referrals WHERE programme_id = '{PROGRAMME}' AND state <> 'draft' AND client_id NOT IN (SELECT id FROM clients WHERE programme_id = ANY('{{{PROGRAMME}}}'::uuid[]) AND standing = 'restricted') AND state = '{STATE}' AND municipality = '{MUNICIPALITY}'{behind} ORDER BY created_at DESC, id DESC LIMIT 20) page \\gset\n"
            );
            text += &format!(
                "{CASE}(:ids::uuid[]);\nSELECT referral_id, reason FROM referral_reasons WHERE referral_id = ANY(:ids::uuid[]);\n{LISTED_CLIENT} = ANY(:clients::uuid[]);\nROLLBACK;\nBEGIN;\n"
            );
            text += &format!(
                "{AUDIT} SELECT {} FROM unnest(:ids::uuid[], :clients::uuid[]) page(referral, client);\nCOMMIT;\n",
                audit_values(COORDINATOR, "coordinator", "client", "referral", "referral_list", "read")
            );
        }
        _ => {
            let fresh = |name: &str| {
                format!(
                    "('01a2' || lpad(to_hex(:{name}::bigint & 281474976710655), 12, '0') || lpad(to_hex(:{name}b::bigint), 16, '0'))::uuid"
                )
            };
            let (client, referral) = (fresh("c"), fresh("r"));
            for name in ["c", "cb", "r", "rb", "k"] {
                text += &format!("\\set {name} random(1, 9223372036854775806)\n");
            }
            let key = "'user:' || :k::text";
            text += "BEGIN ISOLATION LEVEL REPEATABLE READ;\n";
            text += &roles(REFERRER);
            text += &format!(
                "SELECT id, fingerprint, status, answer, created_at FROM idempotency_keys WHERE caller = 'user:{REFERRER}' AND operation = 'referral_create' AND key = {key} LIMIT 1;\n"
            );
            text += &format!(
                "SELECT programmes.id FROM programme_municipalities JOIN programmes ON programmes.id = programme_municipalities.programme_id WHERE programme_municipalities.municipality = '{MUNICIPALITY}' AND programmes.active = true ORDER BY programmes.id;\n"
            );
            text += &format!(
                "SELECT valid_from FROM consent_texts WHERE programme_id = '{PROGRAMME}' AND version = '2026-1' AND language = 'fi' LIMIT 1;\n"
            );
            text += &format!(
                "SELECT id, version, name, controller, privacy_notice_url, active FROM programmes WHERE id = '{PROGRAMME}' LIMIT 1;\nSELECT programme_id, municipality FROM programme_municipalities WHERE programme_id = ANY(ARRAY['{PROGRAMME}'::uuid]);\n"
            );
            text += &format!(
                "INSERT INTO clients (id, version, programme_id, given_name, family_name, phone, client_will_contact, birth_date, sex, municipality, language, interpreter_needed, non_disclosure, lives_at_home, standing, provisional, created_at) VALUES ({client}, 1, '{PROGRAMME}', 'Aino', 'Esimerkki', '{SEALED_PHONE}', false, '1942-05-07', 'female', '{MUNICIPALITY}', 'fi', false, false, true, 'open', false, now());\n"
            );
            text += &format!(
                "INSERT INTO referrals (id, version, programme_id, client_id, channel, referrer_user_id, organisation_id, sector, municipality, state, state_since, created_at, submitted_at, shared_until) VALUES ({referral}, 2, '{PROGRAMME}', {client}, 'signed_in', '{REFERRER}', '{ORGANISATION}', 'elderly', '{MUNICIPALITY}', 'submitted', now(), now(), now(), '9999-12-31');\n"
            );
            text += &format!(
                "INSERT INTO referral_details (referral_id, referrer_name, referrer_contact, feedback_wanted, wish, written_together, joint_meeting_wished, not_a_service_acknowledged) VALUES ({referral}, 'Riikka Lähettäjä', 'riikka@example.org', true, 'Haluaisin taas ulkoilemaan jonkun kanssa.', true, false, true);\n"
            );
            for reason in ["loneliness", "outdoors"] {
                text += &format!("INSERT INTO referral_reasons (referral_id, reason) VALUES ({referral}, '{reason}');\n");
            }
            text += &format!(
                "INSERT INTO consents (id, referral_id, purposes, withdrawn_purposes, text_version, language, method, given_with, given_at, recorded_by) VALUES (gen_random_uuid(), {referral}, 'evaluation,feedback_to_referrer,process_referral,share_with_link_worker', '', '2026-1', 'fi', 'written', 'Riikka Lähettäjä', now(), '{REFERRER}');\n"
            );
            text += &format!(
                "INSERT INTO referral_snapshots (referral_id, programme_id, submitted_on, age, sex, municipality, evaluation, state, outcome, route, sector, reasons, assigned) VALUES ({referral}, '{PROGRAMME}', current_date, 84, 'female', '{MUNICIPALITY}', true, 'submitted', NULL, NULL, 'elderly', 'loneliness,outdoors', false);\n"
            );
            for (kind, to) in [("referral_created", "draft"), ("referral_submitted", "submitted")] {
                text += &format!(
                    "INSERT INTO events (id, referral_id, programme_id, kind, at, caller_kind, user_id, api_client_id, role, from_state, to_state, reason, comment) VALUES (gen_random_uuid(), {referral}, '{PROGRAMME}', '{kind}', now(), 'user', '{REFERRER}', NULL, 'referrer', 'draft', '{to}', NULL, NULL);\n"
                );
            }
            text += &format!(
                "INSERT INTO idempotency_keys (caller, operation, key, fingerprint, status, created_at, id, client_id, answer) VALUES ('user:{REFERRER}', 'referral_create', {key}, decode(repeat('00', 32), 'hex'), 201, now(), gen_random_uuid(), {client}, convert_to('{}', 'UTF8'));\n",
                ANSWER.replace(':', "\\u003a").replace('\'', "''")
            );
            for action in ["created", "changed"] {
                text +=
                    &format!("{AUDIT} VALUES ({});\n", audit_values(REFERRER, "referrer", &client, &referral, "referral_create", action));
            }
            text += "COMMIT;\n";
        }
    }
    text
}
