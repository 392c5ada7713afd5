//! What a database says of itself, in words that are the same for both: for the tests that compare the two sets of migrations with each other
//! and with the program. Nothing here is part of the work.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use lahete_domain::time::Instant;
use uuid::Uuid;

use crate::connection::AnyConnection;
use crate::sql_types::UuidCol;
use crate::{Db, StoreError, migrations, schema};

/// Each line of the description as SQLite's own catalogue gives it.
const SQLITE: [&str; 3] = [
    "SELECT 'column ' || t.name || '.' || c.name || ' ' || lower(c.type) || CASE WHEN c.\"notnull\" THEN ' not null' ELSE '' END
     FROM sqlite_master t JOIN pragma_table_info(t.name) c
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND t.name NOT LIKE '!_!_%' ESCAPE '!'",
    "SELECT CASE WHEN i.origin = 'pk' THEN 'primary key ' WHEN i.\"unique\" THEN 'unique ' ELSE 'index ' END || t.name || ' (' ||
        (SELECT group_concat(name, ', ') FROM (SELECT c.name FROM pragma_index_info(i.name) c ORDER BY c.seqno)) || ')' ||
        CASE WHEN i.partial THEN ' partial' ELSE '' END
     FROM sqlite_master t JOIN pragma_index_list(t.name) i
     WHERE t.type = 'table' AND t.name NOT LIKE '!_!_%' ESCAPE '!'",
    "SELECT 'reference ' || t.name || '.' || f.\"from\" || ' to ' || f.\"table\" || '.' || f.\"to\"
     FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'",
];

/// The same lines from PostgreSQL's, with the types by which SQLite keeps such values.
const POSTGRESQL: [&str; 3] = [
    "SELECT ('column ' || table_name || '.' || column_name || ' ' ||
        CASE data_type WHEN 'bigint' THEN 'integer' WHEN 'smallint' THEN 'integer' WHEN 'boolean' THEN 'integer' WHEN 'bytea' THEN 'blob' WHEN 'uuid' THEN 'text'
            WHEN 'jsonb' THEN 'text' WHEN 'date' THEN 'text' WHEN 'timestamp with time zone' THEN 'text' ELSE data_type END ||
        CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END)::text
     FROM information_schema.columns WHERE table_schema = current_schema() AND left(table_name, 2) <> '__'",
    "SELECT (CASE WHEN i.indisprimary THEN 'primary key ' WHEN i.indisunique THEN 'unique ' ELSE 'index ' END || t.relname || ' (' ||
        (SELECT string_agg(a.attname::text, ', ' ORDER BY k.place) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(number, place)
            JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number) || ')' ||
        CASE WHEN i.indpred IS NOT NULL THEN ' partial' ELSE '' END)::text
     FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
     WHERE n.nspname = current_schema() AND left(t.relname, 2) <> '__'",
    "SELECT ('reference ' || t.relname || '.' || a.attname || ' to ' || r.relname || '.' || b.attname)::text
     FROM pg_constraint f JOIN pg_class t ON t.oid = f.conrelid JOIN pg_class r ON r.oid = f.confrelid
         JOIN pg_namespace n ON n.oid = t.relnamespace
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = f.conkey[1]
         JOIN pg_attribute b ON b.attrelid = r.oid AND b.attnum = f.confkey[1]
     WHERE f.contype = 'f' AND n.nspname = current_schema()",
];

/// Snapshots that do not say what their referrals do, and visits that do not say what their workers cost. Both databases keep the reasons of a set
/// in the order of their texts.
const SNAPSHOTS: [&str; 3] = [
    "SELECT 'snapshot of ' || CAST(r.id AS TEXT) || ' beside ' || r.state FROM referrals r LEFT JOIN referral_snapshots s ON s.referral_id = r.id
     WHERE (r.submitted_at IS NULL) <> (s.referral_id IS NULL) OR r.state <> s.state OR coalesce(r.outcome, '') <> coalesce(s.outcome, '')
        OR coalesce(r.route, '') <> coalesce(s.route, '') OR r.sector <> s.sector OR r.programme_id <> s.programme_id
        OR (SELECT coalesce(sum(length(w.reason) + 1), 1) FROM referral_reasons w WHERE w.referral_id = r.id) <> length(s.reasons || ',')
        OR EXISTS (SELECT 1 FROM referral_reasons w WHERE w.referral_id = r.id AND ',' || s.reasons || ',' NOT LIKE '%,' || w.reason || ',%')",
    "SELECT 'link worker of ' || CAST(s.referral_id AS TEXT) FROM referral_snapshots s
     WHERE s.assigned <> (EXISTS (SELECT 1 FROM support_periods p WHERE p.referral_id = s.referral_id)
        OR EXISTS (SELECT 1 FROM assignments a
            WHERE a.referral_id = s.referral_id AND a.state IN ('accepted', 'ended') AND a.answered_at IS NOT NULL))",
    "SELECT 'workers of visit ' || CAST(v.id AS TEXT) FROM visits v
     WHERE v.worker_cents_per_hour <> CASE WHEN v.mode IN ('phone', 'message') THEN 0
        ELSE (SELECT coalesce(sum(w.fee_cents_per_hour), 0) FROM visit_workers w WHERE w.visit_id = v.id) END",
];

/// Asks for all columns of tables that the program knows, and for no row.
macro_rules! ask_for_all_columns {
    ($conn:expr, $($table:ident),* $(,)?) => {{
        $(schema::$table::table.select(schema::$table::all_columns).limit(0).execute($conn)?;)*
        vec![$(stringify!($table)),*]
    }};
}

/// What must never be found, whatever ended the program: each query names what is only half there. The same text for both databases.
const HALVES: [(&str, &str); 8] = [
    ("without details", "NOT EXISTS (SELECT 1 FROM referral_details d WHERE d.referral_id = r.id)"),
    ("without a reason", "NOT EXISTS (SELECT 1 FROM referral_reasons x WHERE x.referral_id = r.id)"),
    ("without a consent", "NOT EXISTS (SELECT 1 FROM consents c WHERE c.referral_id = r.id)"),
    ("sent without a snapshot", "r.submitted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM referral_snapshots s WHERE s.referral_id = r.id)"),
    ("without its first event", "NOT EXISTS (SELECT 1 FROM events e WHERE e.referral_id = r.id AND e.kind = 'referral_created')"),
    (
        "in another state than its events say",
        "r.state <> (SELECT e.to_state FROM events e WHERE e.referral_id = r.id AND e.to_state IS NOT NULL ORDER BY e.at DESC, e.id DESC LIMIT 1)",
    ),
    (
        "with a gap between its events",
        "EXISTS (SELECT 1 FROM (SELECT e.from_state, e.to_state, lag(e.to_state) OVER (ORDER BY e.at, e.id) AS before FROM events e
            WHERE e.referral_id = r.id AND e.to_state IS NOT NULL) AS steps WHERE before IS NOT NULL AND from_state <> before)",
    ),
    (
        "twice from the same sender",
        "EXISTS (SELECT 1 FROM referral_details d JOIN referral_details o ON o.source_system = d.source_system AND o.source_id = d.source_id
            WHERE d.referral_id = r.id AND o.referral_id <> r.id)",
    ),
];

/// The texts of the statements that a store has run, without the values that were bound to them; and of those that its connections keep prepared.
#[derive(Clone, Debug, Default)]
pub struct Statements(Arc<Mutex<Texts>>);

#[derive(Debug, Default)]
struct Texts {
    run: Vec<String>,
    kept: BTreeSet<String>,
}

impl Statements {
    fn texts(&self) -> MutexGuard<'_, Texts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note_run(&self, shown: &str) {
        let text = shown.split_once(" -- binds:").map_or(shown, |(text, _)| text);
        self.texts().run.push(text.to_owned());
    }

    pub(crate) fn note_kept(&self, text: &str) {
        self.texts().kept.insert(text.to_owned());
    }

    /// What was run since this was last asked.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.texts().run)
    }

    /// Whether connections keep a statement prepared. One that they do not is parsed and planned anew each time that it is run.
    #[must_use]
    pub fn keeps(&self, text: &str) -> bool {
        self.texts().kept.contains(text)
    }
}

/// How many parameters a statement has on PostgreSQL.
fn parameters(text: &str) -> usize {
    let numbers = text.split('$').skip(1).filter_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().ok()
    });
    numbers.max().unwrap_or_default()
}

impl Db<'_> {
    /// How the database would run a statement, whatever is bound to it: on SQLite the lines of its plan, on PostgreSQL one text of JSON. PostgreSQL
    /// is told to do without all that needs a whole table, so what it still does so cannot be done otherwise.
    ///
    /// # Errors
    /// Whatever the database says.
    #[doc(hidden)]
    pub fn statement_plan(&mut self, text: &str) -> Result<Vec<String>, StoreError> {
        #[derive(QueryableByName)]
        struct Line {
            #[diesel(sql_type = Text)]
            detail: String,
        }
        match self.conn() {
            AnyConnection::Sqlite(c) => {
                let lines = diesel::sql_query(format!("EXPLAIN QUERY PLAN {text}")).load::<Line>(c)?;
                Ok(lines.into_iter().map(|line| line.detail).collect())
            }
            AnyConnection::Postgresql(c) => {
                let nothing = vec!["NULL"; parameters(text)].join(", ");
                let arguments = if nothing.is_empty() { String::new() } else { format!("({nothing})") };
                // What is grouped may be sorted for it; a page may not, so there the planner shall find another way if there is one.
                let sort = if text.to_uppercase().contains("LIMIT") { "off" } else { "on" };
                c.batch_execute(&format!(
                    "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = {sort}; \
                     SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_material = off; \
                     PREPARE looked_at AS {text}"
                ))?;
                let plan = diesel::dsl::sql::<diesel::sql_types::Json>(&format!("EXPLAIN (FORMAT JSON) EXECUTE looked_at{arguments}"))
                    .load::<serde_json::Value>(c)?;
                c.batch_execute("DEALLOCATE looked_at")?;
                Ok(plan.iter().map(ToString::to_string).collect())
            }
        }
    }

    /// What is only half there among the referrals that were written since an instant; nothing, if each write was done as a whole.
    ///
    /// # Errors
    /// Whatever the database says.
    #[doc(hidden)]
    pub fn half_effects(&mut self, since: Instant) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        for (what, condition) in HALVES {
            let query = format!("SELECT CAST(r.id AS TEXT) FROM referrals r WHERE r.created_at >= '{since}' AND {condition}");
            let ids = diesel::dsl::sql::<Text>(&query).load::<String>(self.conn())?;
            found.extend(ids.into_iter().map(|id| format!("referral {id} is {what}")));
        }
        Ok(found)
    }

    /// The ids of all requests of which the audit trail knows, in the chains from one on.
    ///
    /// # Errors
    /// Whatever the database says.
    #[doc(hidden)]
    pub fn audited_requests(&mut self, first: Uuid) -> Result<Vec<String>, StoreError> {
        let events = schema::audit_events::table.filter(schema::audit_events::writer_id.ge(UuidCol(first)));
        Ok(events.select(schema::audit_events::request_id).distinct().load::<String>(self.conn())?)
    }

    /// Runs a statement as somebody would who has the database in their hands; gives how many rows it touched.
    ///
    /// # Errors
    /// Whatever the database says.
    #[doc(hidden)]
    pub fn tamper(&mut self, statement: &str) -> Result<usize, StoreError> {
        Ok(diesel::sql_query(statement).execute(self.conn())?)
    }

    /// The rows of a table, some columns of each as text, sorted.
    ///
    /// # Errors
    /// Whatever the database says.
    #[doc(hidden)]
    pub fn schema_rows(&mut self, table: &str, columns: &[&str]) -> Result<Vec<String>, StoreError> {
        let words: Vec<String> = match self.conn() {
            AnyConnection::Sqlite(_) => columns.iter().map(|column| format!("quote(\"{column}\")")).collect(),
            AnyConnection::Postgresql(_) => columns.iter().map(|column| format!("quote_nullable(\"{column}\"::text)")).collect(),
        };
        let query = format!("SELECT {} FROM {table}", words.join(" || ',' || "));
        let mut rows = diesel::dsl::sql::<Text>(&query).load::<String>(self.conn())?;
        rows.sort_unstable();
        Ok(rows)
    }

    /// Tables, columns, indexes and references of the database, one on each line, sorted.
    ///
    /// # Errors
    /// Whatever the database says.
    #[doc(hidden)]
    pub fn schema_description(&mut self) -> Result<Vec<String>, StoreError> {
        // Each database keeps its catalogue elsewhere.
        let queries = match self.conn() {
            AnyConnection::Sqlite(_) => SQLITE,
            AnyConnection::Postgresql(_) => POSTGRESQL,
        };
        let mut lines = Vec::new();
        for query in queries {
            lines.extend(diesel::dsl::sql::<Text>(query).load::<String>(self.conn())?);
        }
        lines.sort_unstable();
        Ok(lines)
    }

    /// Asks the database for every column that the program knows; gives the names of the tables.
    ///
    /// # Errors
    /// When a table or a column is missing.
    #[doc(hidden)]
    pub fn schema_known(&mut self) -> Result<Vec<&'static str>, StoreError> {
        Ok(ask_for_all_columns!(
            self.conn(),
            activities,
            activity_links,
            activity_sources,
            activity_import_records,
            activity_imports,
            theme_mappings,
            api_client_organisations,
            identities,
            revocations,
            api_client_keys,
            used_assertions,
            api_clients,
            assignments,
            audit_beginnings,
            audit_events,
            client_changes,
            client_restrictions,
            clients,
            consent_texts,
            consents,
            contact_attempts,
            contracts,
            data_keys,
            data_requests,
            events,
            goals,
            hour_sheet_lines,
            hour_sheets,
            idempotency_keys,
            legal_holds,
            link_worker_municipalities,
            link_workers,
            measures,
            measure_instruments,
            measure_texts,
            individual_uses,
            group_answers,
            feedback,
            milestones,
            messages,
            mileage_rates,
            organisations,
            programme_municipalities,
            programme_terms,
            programmes,
            referral_details,
            referral_reasons,
            referral_snapshots,
            referrals,
            retention_policies,
            retention_runs,
            role_assignments,
            support_periods,
            trainings,
            users,
            visit_workers,
            visits,
            absences,
            mentoring_sessions,
            programme_breaks,
            concern_guidance,
            concerns,
            referral_closings,
            time_entries,
        ))
    }

    /// Where what the report adds up is not what the referrals, the assignments and the visits say; nothing when all is well.
    ///
    /// # Errors
    /// Whatever the database says.
    #[doc(hidden)]
    pub fn snapshot_faults(&mut self) -> Result<Vec<String>, StoreError> {
        let mut faults = Vec::new();
        for query in SNAPSHOTS {
            faults.extend(diesel::dsl::sql::<Text>(query).load::<String>(self.conn())?);
        }
        Ok(faults)
    }

    /// Tries a statement that the program itself never runs.
    ///
    /// # Errors
    /// Whatever the database says.
    #[doc(hidden)]
    pub fn schema_try(&mut self, statement: &str) -> Result<(), StoreError> {
        Ok(self.conn().batch_execute(statement)?)
    }

    /// Ends all roles of all people on a day.
    ///
    /// # Errors
    /// Whatever the database says.
    #[doc(hidden)]
    pub fn schema_end_all_roles(&mut self, day: &str) -> Result<(), StoreError> {
        let day = day.parse::<chrono::NaiveDate>().map_err(|_| StoreError::corrupt("role_assignments", "valid_until", day.to_owned()))?;
        diesel::update(schema::role_assignments::table).set(schema::role_assignments::valid_until.eq(Some(day))).execute(self.conn())?;
        Ok(())
    }

    /// Makes the database look as if a newer program had migrated it.
    ///
    /// # Errors
    /// Whatever the database says.
    #[doc(hidden)]
    pub fn schema_pretend(&mut self, version: &str) -> Result<(), StoreError> {
        migrations::pretend(self.conn(), version)
    }

    /// What is wrong with the database's file; nothing when it is sound. A PostgreSQL server looks after its files itself.
    ///
    /// # Errors
    /// Whatever the database says.
    #[doc(hidden)]
    pub fn integrity_faults(&mut self) -> Result<Vec<String>, StoreError> {
        if matches!(self.conn(), AnyConnection::Postgresql(_)) {
            return Ok(Vec::new());
        }
        let mut faults = diesel::dsl::sql::<Text>("SELECT integrity_check FROM pragma_integrity_check").load::<String>(self.conn())?;
        faults.retain(|fault| fault != "ok");
        faults.extend(
            diesel::dsl::sql::<Text>("SELECT \"table\" || ' refers to a missing row of ' || parent FROM pragma_foreign_key_check")
                .load::<String>(self.conn())?,
        );
        Ok(faults)
    }
}
