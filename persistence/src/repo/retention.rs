//! Retention: the policies of the controllers, whose time is over, and what each run has done.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use lahete_domain::codes::{RecordClass, RetentionStart};
use lahete_domain::ids::{ClientId, Id, ProgrammeId, ReferralId, RetentionPolicyId, RetentionRunId, UserId};
use lahete_domain::retention::Policy;
use lahete_domain::time::Instant;
use serde_json::Value;
use uuid::Uuid;

use super::records::{Counts, Whose};
use crate::among::among;
use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::{audit_events, legal_holds, retention_policies, retention_runs};
use crate::sql_types::{CodeCol, IdCol, InstantCol, JsonCol, parse_instant};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = retention_policies, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct PolicyRow {
    id: IdCol<RetentionPolicyId>,
    programme_id: IdCol<ProgrammeId>,
    record_class: CodeCol<RecordClass>,
    valid_from: NaiveDate,
    keep_months: Option<i64>,
    statutory: bool,
    legal_basis: String,
    given_at: InstantCol,
    given_by: IdCol<UserId>,
}

impl TryFrom<PolicyRow> for Policy {
    type Error = StoreError;

    fn try_from(row: PolicyRow) -> Result<Self, StoreError> {
        let keep_months = row.keep_months.map(u32::try_from).transpose();
        Ok(Self {
            id: Some(row.id.0),
            programme: row.programme_id.0,
            class: row.record_class.0,
            valid_from: row.valid_from,
            keep_months: keep_months.map_err(|_| StoreError::corrupt("retention_policies", "keep_months", row.id.0))?,
            statutory: row.statutory,
            legal_basis: row.legal_basis,
            given: Some((row.given_at.0, row.given_by.0)),
        })
    }
}

/// One run of the retention for one programme.
#[derive(Clone, PartialEq, Debug)]
pub struct RetentionRun {
    /// Its id.
    pub id: RetentionRunId,
    /// The programme.
    pub programme: ProgrammeId,
    /// By the policies and the calendar of this day.
    pub on: NaiveDate,
    /// Whether it only says what would be done.
    pub dry_run: bool,
    /// When it began.
    pub started_at: Instant,
    /// When it was through.
    pub finished_at: Option<Instant>,
    /// What it has done: counts and nothing of a person.
    pub report: Value,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = retention_runs, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct RunRow {
    id: IdCol<RetentionRunId>,
    programme_id: IdCol<ProgrammeId>,
    on_day: NaiveDate,
    dry_run: bool,
    started_at: InstantCol,
    finished_at: Option<InstantCol>,
    report: JsonCol,
}

impl From<RunRow> for RetentionRun {
    fn from(row: RunRow) -> Self {
        Self {
            id: row.id.0,
            programme: row.programme_id.0,
            on: row.on_day,
            dry_run: row.dry_run,
            started_at: row.started_at.0,
            finished_at: row.finished_at.map(|at| at.0),
            report: row.report.0,
        }
    }
}

/// A referral or a client whose time is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// The referral, when it is one.
    pub referral: Option<ReferralId>,
    /// The client.
    pub client: ClientId,
    /// Whether something holds it: a legal hold, a restriction, a data request that is not decided.
    pub held: bool,
    /// Its place in the walk.
    pub place: (String, Uuid),
}

/// Which ones of a programme are due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DueScope {
    /// The programme.
    pub programme: ProgrammeId,
    /// From when the time is counted.
    pub start: RetentionStart,
    /// What happened before this instant is due.
    pub cutoff: Instant,
    /// The day by which holds are judged.
    pub on: NaiveDate,
}

/// An ended referral.
const ENDED: &str = "r.state IN ('closed', 'entered_in_error')";

fn holds(on: NaiveDate, referral: &str) -> String {
    format!(
        "(c.standing = 'restricted'
          OR EXISTS (SELECT 1 FROM data_requests q WHERE q.client_id = c.id AND q.decided_at IS NULL)
          OR EXISTS (SELECT 1 FROM legal_holds h WHERE h.client_id = c.id AND h.ended_at IS NULL
                     AND (h.hold_until IS NULL OR h.hold_until >= '{on}'){referral}))"
    )
}

impl DueScope {
    /// Whether the units are referrals, and not clients.
    fn of_referrals(&self) -> bool {
        self.start == RetentionStart::ReferralEnd
    }

    /// What makes a referral or a client due, beside its programme.
    fn condition(&self) -> String {
        let (cutoff, on) = (self.cutoff, self.on);
        match self.start {
            RetentionStart::Decision => format!(
                "NOT EXISTS (SELECT 1 FROM data_requests d WHERE d.client_id = c.id AND (d.decided_at IS NULL OR d.decided_at >= '{cutoff}'))
                 AND NOT EXISTS (SELECT 1 FROM client_restrictions x WHERE x.client_id = c.id AND (x.lifted_at IS NULL OR x.lifted_at >= '{cutoff}'))
                 AND NOT EXISTS (SELECT 1 FROM legal_holds y WHERE y.client_id = c.id AND (y.ended_at >= '{cutoff}'
                     OR (y.ended_at IS NULL AND (y.hold_until IS NULL OR y.hold_until >= '{on}'))))"
            ),
            RetentionStart::LastReferralEnd => format!(
                "c.created_at < '{cutoff}' AND NOT EXISTS
                 (SELECT 1 FROM referrals r WHERE r.client_id = c.id AND NOT ({ENDED} AND r.state_since < '{cutoff}'))"
            ),
            _ => format!("{ENDED} AND r.state_since < '{cutoff}'"),
        }
    }
}

fn parse_due(line: &str) -> Option<Due> {
    let mut parts = line.split('|');
    let mut next = || parts.next();
    let (id, client, held, sort) = (next()?, next()?, next()?, next()?);
    let (id, client) = (Uuid::parse_str(id).ok()?, Uuid::parse_str(client).ok()?);
    let referral = (id != client).then(|| ReferralId::from_uuid(id));
    Some(Due { referral, client: ClientId::from_uuid(client), held: held == "1", place: (sort.to_owned(), id) })
}

impl Db<'_> {
    /// All policies that controllers have given for some programmes, those that are over and those to come too.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn retention_policies_of(&mut self, programmes: &[ProgrammeId]) -> Result<Vec<Policy>, StoreError> {
        let rows: Vec<PolicyRow> = retention_policies::table
            .filter(among(retention_policies::programme_id, programmes.iter().copied()))
            .order((retention_policies::programme_id, retention_policies::record_class, retention_policies::valid_from))
            .select(PolicyRow::as_select())
            .load(self.conn())?;
        rows.into_iter().map(Policy::try_from).collect()
    }

    /// Gives a policy.
    ///
    /// # Errors
    /// [`crate::Constraint::RetentionPolicyDayTaken`] when one begins on that day already; whatever else the database says.
    pub fn retention_policy_insert(&mut self, id: RetentionPolicyId, policy: &Policy, at: Instant, by: UserId) -> Result<(), StoreError> {
        let row = PolicyRow {
            id: IdCol(id),
            programme_id: IdCol(policy.programme),
            record_class: CodeCol(policy.class),
            valid_from: policy.valid_from,
            keep_months: policy.keep_months.map(i64::from),
            statutory: policy.statutory,
            legal_basis: policy.legal_basis.clone(),
            given_at: InstantCol(at),
            given_by: IdCol(by),
        };
        diesel::insert_into(retention_policies::table).values(row).execute(self.conn())?;
        Ok(())
    }

    /// Notes a run.
    ///
    /// # Errors
    /// [`crate::Constraint::RetentionRunOpen`] when another one of the programme is not through; whatever else the database says.
    pub fn retention_run_insert(&mut self, run: &RetentionRun) -> Result<(), StoreError> {
        let row = RunRow {
            id: IdCol(run.id),
            programme_id: IdCol(run.programme),
            on_day: run.on,
            dry_run: run.dry_run,
            started_at: InstantCol(run.started_at),
            finished_at: run.finished_at.map(InstantCol),
            report: JsonCol(run.report.clone()),
        };
        diesel::insert_into(retention_runs::table).values(row).execute(self.conn())?;
        Ok(())
    }

    /// Notes how far a run is.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn retention_run_update(&mut self, id: RetentionRunId, report: Value, finished_at: Option<Instant>) -> Result<(), StoreError> {
        diesel::update(retention_runs::table.find(IdCol(id)))
            .set((retention_runs::report.eq(JsonCol(report)), retention_runs::finished_at.eq(finished_at.map(InstantCol))))
            .execute(self.conn())?;
        Ok(())
    }

    /// One run.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn retention_run_get(&mut self, id: RetentionRunId) -> Result<Option<RetentionRun>, StoreError> {
        let row = retention_runs::table.find(IdCol(id)).select(RunRow::as_select()).first(self.conn()).optional()?;
        Ok(row.map(RetentionRun::from))
    }

    /// The run of a programme that has begun and is not through.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn retention_run_open(&mut self, programme: ProgrammeId) -> Result<Option<RetentionRun>, StoreError> {
        let row = retention_runs::table
            .filter(retention_runs::programme_id.eq(IdCol(programme)))
            .filter(retention_runs::finished_at.is_null())
            .select(RunRow::as_select())
            .first(self.conn())
            .optional()?;
        Ok(row.map(RetentionRun::from))
    }

    /// Whether a run of a programme by the calendar of a day is through; dry runs do not count.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn retention_run_made(&mut self, programme: ProgrammeId, on: NaiveDate) -> Result<bool, StoreError> {
        let found: Option<IdCol<RetentionRunId>> = retention_runs::table
            .filter(retention_runs::programme_id.eq(IdCol(programme)))
            .filter(retention_runs::on_day.ge(on))
            .filter(retention_runs::dry_run.eq(false))
            .filter(retention_runs::finished_at.is_not_null())
            .select(retention_runs::id)
            .first(self.conn())
            .optional()?;
        Ok(found.is_some())
    }

    /// A page of the runs of some programmes, the newest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn retention_run_list(&mut self, programmes: &[ProgrammeId], request: &PageRequest) -> Result<Page<RetentionRun>, StoreError> {
        let programmes: Vec<_> = programmes.iter().copied().map(IdCol).collect();
        let mut query = retention_runs::table.select(RunRow::as_select()).into_boxed::<MultiBackend>();
        query = of_programmes!(query, retention_runs::programme_id, programmes);
        if let Some(cursor) = &request.after {
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind =
                retention_runs::started_at.lt(InstantCol(at)).or(retention_runs::id.lt(IdCol(RetentionRunId::from_uuid(cursor.id))));
            query = query.filter(retention_runs::started_at.le(InstantCol(at))).filter(behind);
        }
        let rows = query
            .order((retention_runs::started_at.desc(), retention_runs::id.desc()))
            .limit(request.fetch())
            .load::<RunRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.started_at.0.to_string(), id: row.id.0.as_uuid() });
        page.try_map(|row| Ok(row.into()))
    }

    /// The next referrals or clients of a scope that are due, behind a place of the walk.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn retention_due(&mut self, scope: DueScope, after: Option<&(String, Uuid)>, limit: u16) -> Result<Vec<Due>, StoreError> {
        let programme = scope.programme.as_uuid().hyphenated().to_string();
        let condition = scope.condition();
        let (from, id, sort, held) = if scope.of_referrals() {
            let own = " AND (h.referral_id IS NULL OR h.referral_id = r.id)";
            (
                format!("referrals r JOIN clients c ON c.id = r.client_id WHERE r.programme_id = '{programme}' AND {condition}"),
                "r.id",
                "r.state_since",
                holds(scope.on, own),
            )
        } else {
            (
                format!("clients c WHERE c.programme_id = '{programme}' AND NOT c.provisional AND {condition}"),
                "c.id",
                "c.created_at",
                holds(scope.on, ""),
            )
        };
        let behind = after.map_or_else(String::new, |(at, last)| {
            format!(" AND {sort} >= '{at}' AND ({sort} > '{at}' OR {id} > '{}')", last.hyphenated())
        });
        let shown = if matches!(self.conn(), crate::connection::AnyConnection::Postgresql(_)) {
            format!("to_char({sort} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        } else {
            sort.to_owned()
        };
        let query = format!(
            "SELECT CAST({id} AS TEXT) || '|' || CAST(c.id AS TEXT) || '|' || CASE WHEN {held} THEN '1' ELSE '0' END || '|' || {shown}
             FROM {from}{behind} ORDER BY {sort}, {id} LIMIT {limit}"
        );
        let lines = diesel::dsl::sql::<Text>(&query).load::<String>(self.conn())?;
        lines.iter().map(|line| parse_due(line).ok_or_else(|| StoreError::corrupt("referrals", "id", "of a due one"))).collect()
    }

    /// Does with the records of some classes of what is due as the registry says; gives how many rows of each class it was.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn retention_erase(&mut self, classes: &[RecordClass], due: &[&Due]) -> Result<Counts, StoreError> {
        self.record_erase(classes, &whose(due))
    }

    /// How many rows [`Db::retention_erase`] would do something with.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn retention_count(&mut self, classes: &[RecordClass], due: &[&Due]) -> Result<Counts, StoreError> {
        self.record_count(classes, &whose(due))
    }

    /// How many rows of some classes are kept because their time is not over. It counts through whole tables.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn retention_kept(&mut self, classes: &[RecordClass], scope: DueScope) -> Result<Counts, StoreError> {
        let (programme, condition) = (scope.programme.as_uuid().hyphenated().to_string(), scope.condition());
        let others = if scope.of_referrals() {
            Whose::ReferralsThat(format!(
                "SELECT r.id FROM referrals r WHERE r.programme_id = '{programme}' AND r.state <> 'draft' AND NOT ({condition})"
            ))
        } else {
            Whose::ClientsThat(format!(
                "SELECT c.id FROM clients c WHERE c.programme_id = '{programme}' AND NOT c.provisional AND NOT ({condition})"
            ))
        };
        self.record_count(classes, &others)
    }

    /// The first event from before an instant that is about somebody under a legal hold: the trail is kept from there on.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn access_log_held_from(&mut self, before: Instant, on: NaiveDate) -> Result<Option<Instant>, StoreError> {
        let held = legal_holds::table
            .filter(legal_holds::ended_at.is_null())
            .filter(legal_holds::hold_until.is_null().or(legal_holds::hold_until.ge(on)))
            .select(legal_holds::client_id.nullable());
        let first = audit_events::table
            .filter(audit_events::client_id.eq_any(held))
            .filter(audit_events::at.lt(InstantCol(before)))
            .order(audit_events::at.asc())
            .select(audit_events::at)
            .first::<InstantCol>(self.conn())
            .optional()?;
        Ok(first.map(|at| at.0))
    }

    /// How many events of the audit trail of a programme are older than an instant.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn retention_access_log(&mut self, programme: ProgrammeId, before: Option<Instant>) -> Result<i64, StoreError> {
        let programme = programme.as_uuid().hyphenated().to_string();
        let older = before.map_or_else(String::new, |before| format!(" AND at < '{before}'"));
        let query = format!("SELECT CAST(count(*) AS BIGINT) FROM audit_events WHERE programme_id = '{programme}'{older}");
        Ok(diesel::dsl::sql::<BigInt>(&query).get_result::<i64>(self.conn())?)
    }
}

fn whose(due: &[&Due]) -> Whose {
    if due.iter().any(|due| due.referral.is_some()) {
        Whose::Referrals(due.iter().filter_map(|due| due.referral).collect())
    } else {
        Whose::Clients(due.iter().map(|due| due.client).collect())
    }
}
