//! Visits, who made them, and the sums of their minutes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use lahete_domain::access::Visibility;
use lahete_domain::codes::{
    AbsentParty, Barrier, Code, SupportKind, UnmetNeed, VisitAbsenceReason, VisitMode, VisitPurpose, VisitStateCode,
};
use lahete_domain::ids::{ClientId, Id, LinkWorkerId, ProgrammeId, ReferralId, SupportPeriodId, VisitId};
use lahete_domain::money::Cents;
use lahete_domain::time::Month;
use lahete_domain::version::Version;
use lahete_domain::visit::{Visit, VisitContent, VisitState, VisitWorker, counts_against_limit, is_paid};

use super::support_periods::visible_rows;
use crate::among::{among, among_codes};
use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest, merged};
use crate::schema::{clients, link_workers, referrals, support_periods, visit_workers, visits};
use crate::spelled::spelled;
use crate::sql_types::{CodeCol, CodeSetCol, IdCol, InstantCol, VersionCol};

const TABLE: &str = "visits";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = visits, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct VisitRow {
    id: IdCol<VisitId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    referral_id: IdCol<ReferralId>,
    client_id: IdCol<ClientId>,
    support_period_id: IdCol<SupportPeriodId>,
    visit_on: NaiveDate,
    minutes: i64,
    mode: CodeCol<VisitMode>,
    purpose: CodeCol<VisitPurpose>,
    support_kinds: CodeSetCol<SupportKind>,
    travel_metres: i64,
    travel_minutes: i64,
    note: Option<String>,
    barriers: CodeSetCol<Barrier>,
    state: CodeCol<VisitStateCode>,
    recorded_at: Option<InstantCol>,
    over_limit_reason: Option<String>,
    absent_party: Option<CodeCol<AbsentParty>>,
    /// What an hour of all its workers together costs, so that the report need not look them up; nothing when it is not paid.
    worker_cents_per_hour: i64,
    absence_reason: Option<CodeCol<VisitAbsenceReason>>,
    unmet_needs: CodeSetCol<UnmetNeed>,
    travel_passengers: i64,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = visit_workers, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct VisitWorkerRow {
    visit_id: IdCol<VisitId>,
    link_worker_id: IdCol<LinkWorkerId>,
    fee_cents_per_hour: i64,
    drives: bool,
}

impl VisitRow {
    fn of(visit: &Visit, version: Version) -> Self {
        let (recorded_at, over_limit_reason) =
            visit.state.held().map_or((None, None), |(at, reason)| (Some(at), reason.map(str::to_owned)));
        let (absent_party, absence_reason) = visit.state.absence().map_or((None, None), |(by, reason)| (Some(by), reason));
        let content = &visit.content;
        Self {
            id: IdCol(visit.id),
            version: VersionCol(version),
            programme_id: IdCol(visit.programme),
            referral_id: IdCol(visit.referral),
            client_id: IdCol(visit.client),
            support_period_id: IdCol(visit.support_period),
            visit_on: content.on,
            minutes: i64::from(content.minutes),
            mode: CodeCol(content.mode),
            purpose: CodeCol(content.purpose),
            support_kinds: content.support_kinds.iter().copied().collect::<Vec<_>>().into(),
            travel_metres: i64::from(content.travel_metres),
            travel_minutes: i64::from(content.travel_minutes),
            note: content.note.clone(),
            barriers: content.barriers.iter().copied().collect::<Vec<_>>().into(),
            state: CodeCol(visit.state_code()),
            recorded_at: recorded_at.map(InstantCol),
            over_limit_reason,
            absent_party: absent_party.map(CodeCol),
            worker_cents_per_hour: if is_paid(content.mode) { visit.workers.iter().map(|worker| worker.fee_per_hour.0).sum() } else { 0 },
            absence_reason: absence_reason.map(CodeCol),
            unmet_needs: content.unmet_needs.iter().copied().collect::<Vec<_>>().into(),
            travel_passengers: i64::from(content.travel_passengers),
        }
    }

    fn with_workers(self, workers: Vec<VisitWorker>) -> Result<Visit, StoreError> {
        let corrupt = |column| StoreError::corrupt(TABLE, column, self.id.0);
        let number = |value: i64, column| u32::try_from(value).map_err(|_| corrupt(column));
        let absent = || self.absent_party.map(|code| code.0).ok_or_else(|| corrupt("absent_party"));
        let state = match self.state.0 {
            VisitStateCode::Planned => VisitState::Planned,
            VisitStateCode::Held => VisitState::Held {
                recorded_at: self.recorded_at.ok_or_else(|| corrupt("recorded_at"))?.0,
                over_limit_reason: self.over_limit_reason.clone(),
            },
            VisitStateCode::Cancelled => VisitState::Cancelled { by: absent()?, reason: self.absence_reason.map(|code| code.0) },
            VisitStateCode::NotAttended => {
                let reason = self.absence_reason.map_or(VisitAbsenceReason::Unknown, |code| code.0);
                VisitState::NotAttended { by: absent()?, reason }
            }
        };
        let content = VisitContent {
            on: self.visit_on,
            minutes: number(self.minutes, "minutes")?,
            mode: self.mode.0,
            purpose: self.purpose.0,
            support_kinds: Vec::from(self.support_kinds.clone()).into_iter().collect::<BTreeSet<_>>(),
            travel_metres: number(self.travel_metres, "travel_metres")?,
            travel_minutes: number(self.travel_minutes, "travel_minutes")?,
            travel_passengers: number(self.travel_passengers, "travel_passengers")?,
            note: self.note.clone(),
            barriers: Vec::from(self.barriers.clone()).into_iter().collect::<BTreeSet<_>>(),
            unmet_needs: Vec::from(self.unmet_needs.clone()).into_iter().collect::<BTreeSet<_>>(),
        };
        Ok(Visit {
            id: self.id.0,
            version: self.version.0,
            programme: self.programme_id.0,
            referral: self.referral_id.0,
            client: self.client_id.0,
            support_period: self.support_period_id.0,
            workers,
            content,
            state,
        })
    }
}

/// Which visits are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct VisitFilter {
    /// On this day or later.
    pub from: Option<NaiveDate>,
    /// On this day or earlier.
    pub until: Option<NaiveDate>,
    /// In this state.
    pub state: Option<VisitStateCode>,
    /// Of this support period.
    pub support_period: Option<SupportPeriodId>,
}

/// What the held visits of a support period come to in one calendar month.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MonthTotals {
    /// The month.
    pub month: Month,
    /// How many visits.
    pub visits: i64,
    /// Minutes that count against the month's hours.
    pub counted_minutes: i64,
    /// Minutes on the phone and with messages, which do not.
    pub phone_minutes: i64,
    /// Metres travelled.
    pub travel_metres: i64,
    /// Minutes travelled.
    pub travel_minutes: i64,
    /// Visits that a coordinator recorded with a reason for passing the month's hours.
    pub over_limit_visits: i64,
    /// The day of the last visit.
    pub last_on: NaiveDate,
}

impl MonthTotals {
    fn nothing(month: Month) -> Self {
        Self {
            month,
            visits: 0,
            counted_minutes: 0,
            phone_minutes: 0,
            travel_metres: 0,
            travel_minutes: 0,
            over_limit_visits: 0,
            last_on: month.first_day(),
        }
    }
}

/// The modes that count against the month's hours.
fn counted_modes() -> impl Iterator<Item = VisitMode> {
    VisitMode::ALL.iter().copied().filter(|mode| counts_against_limit(*mode))
}

const SUM_OF_MINUTES: &str = "COALESCE(CAST(SUM(visits.minutes) AS BIGINT), 0)";

impl Db<'_> {
    /// Writes a new visit with those who make it.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn visit_insert(&mut self, visit: &Visit) -> Result<(), StoreError> {
        diesel::insert_into(visits::table).values(VisitRow::of(visit, visit.version)).execute(self.conn())?;
        self.visit_workers_insert(visit)?;
        self.visit_told(visit)
    }

    /// Keeps right since when nobody has visited: after a visit was held, and after the day of a held one was corrected. A held visit stays one.
    fn visit_told(&mut self, visit: &Visit) -> Result<(), StoreError> {
        if !matches!(visit.state, VisitState::Held { .. }) {
            return Ok(());
        }
        let last = self.visit_last_held_on(visit.support_period)?;
        diesel::update(support_periods::table.find(IdCol(visit.support_period)))
            .set(support_periods::quiet_since.eq(last))
            .execute(self.conn())?;
        Ok(())
    }

    fn visit_workers_insert(&mut self, visit: &Visit) -> Result<(), StoreError> {
        for worker in &visit.workers {
            let row = VisitWorkerRow {
                visit_id: IdCol(visit.id),
                link_worker_id: IdCol(worker.link_worker),
                fee_cents_per_hour: worker.fee_per_hour.0,
                drives: worker.drives,
            };
            diesel::insert_into(visit_workers::table).values(row).execute(self.conn())?;
        }
        Ok(())
    }

    /// Reads a visit.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn visit_get(&mut self, id: VisitId) -> Result<Option<Visit>, StoreError> {
        let row = visits::table.find(IdCol(id)).select(VisitRow::as_select()).first::<VisitRow>(self.conn()).optional()?;
        // Asked also for a visit that is not there: to find nothing takes as long as to find what one may not see.
        let workers = self.workers_of(&[id])?.remove(&id).unwrap_or_default();
        row.map(|row| row.with_workers(workers)).transpose()
    }

    fn workers_of(&mut self, visits: &[VisitId]) -> Result<BTreeMap<VisitId, Vec<VisitWorker>>, StoreError> {
        let rows = visit_workers::table
            .filter(among(visit_workers::visit_id, visits.iter().copied()))
            .order((visit_workers::visit_id.asc(), visit_workers::link_worker_id.asc()))
            .select(VisitWorkerRow::as_select())
            .load::<VisitWorkerRow>(self.conn())?;
        let mut workers: BTreeMap<VisitId, Vec<VisitWorker>> = BTreeMap::new();
        for row in rows {
            let worker = VisitWorker { link_worker: row.link_worker_id.0, fee_per_hour: Cents(row.fee_cents_per_hour), drives: row.drives };
            workers.entry(row.visit_id.0).or_default().push(worker);
        }
        Ok(workers)
    }

    /// Writes a changed visit over the version that it was made from.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn visit_update(&mut self, visit: &Visit, expected: Version) -> Result<(), StoreError> {
        let stored = visits::table.find(IdCol(visit.id)).filter(visits::version.eq(VersionCol(expected)));
        if diesel::update(stored).set(VisitRow::of(visit, expected.next())).execute(self.conn())? == 0 {
            return Err(StoreError::Stale);
        }
        diesel::delete(visit_workers::table.filter(visit_workers::visit_id.eq(IdCol(visit.id)))).execute(self.conn())?;
        self.visit_workers_insert(visit)?;
        self.visit_told(visit)
    }

    /// A page of the visits that a caller may see, newest first.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn visit_list(
        &mut self,
        visibility: &Visibility,
        today: NaiveDate,
        filter: VisitFilter,
        request: &PageRequest,
    ) -> Result<Page<Visit>, StoreError> {
        let order = |one: &VisitRow, other: &VisitRow| (other.visit_on, other.id).cmp(&(one.visit_on, one.id));
        let rows = merged(visibility.branches(), request, |branch| self.visit_rows(&branch, today, filter, request), order)?;
        let cursor = |row: &VisitRow| Cursor { sort: row.visit_on.to_string(), id: row.id.0.as_uuid() };
        let page = Page::from_rows(rows, request, cursor);
        let ids: Vec<VisitId> = page.items.iter().map(|row| row.id.0).collect();
        let mut workers = self.workers_of(&ids)?;
        page.try_map(|row| {
            let workers = workers.remove(&row.id.0).unwrap_or_default();
            row.with_workers(workers)
        })
    }

    fn visit_rows(
        &mut self,
        visibility: &Visibility,
        today: NaiveDate,
        filter: VisitFilter,
        request: &PageRequest,
    ) -> Result<Vec<VisitRow>, StoreError> {
        let Some(visible) = visible_rows!(visits, visibility, today) else { return Ok(Vec::new()) };
        let mut query = visits::table.select(VisitRow::as_select()).filter(visible).into_boxed::<MultiBackend>();
        if let Some(from) = filter.from {
            query = query.filter(visits::visit_on.ge(from));
        }
        if let Some(until) = filter.until {
            query = query.filter(visits::visit_on.le(until));
        }
        if let Some(state) = filter.state {
            query = query.filter(visits::state.eq(CodeCol(state)));
        }
        if let Some(period) = filter.support_period {
            query = query.filter(visits::support_period_id.eq(IdCol(period)));
        }
        if let Some(cursor) = &request.after {
            // A cursor that no list gave out ends the list: there is nothing behind it.
            let Ok(on) = cursor.sort.parse::<NaiveDate>() else { return Ok(Vec::new()) };
            let behind = visits::visit_on.lt(on).or(visits::id.lt(IdCol(VisitId::from_uuid(cursor.id))));
            query = query.filter(visits::visit_on.le(on)).filter(behind);
        }
        Ok(query.order((visits::visit_on.desc(), visits::id.desc())).limit(request.fetch()).load(self.conn())?)
    }

    /// How many visits of a support period are still planned.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn visits_planned(&mut self, period: SupportPeriodId) -> Result<u32, StoreError> {
        let planned = visits::table
            .filter(visits::support_period_id.eq(IdCol(period)))
            .filter(visits::state.eq(CodeCol(VisitStateCode::Planned)))
            .count()
            .get_result::<i64>(self.conn())?;
        Ok(u32::try_from(planned).unwrap_or(u32::MAX))
    }

    /// The day of the last visit of a support period that was held.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn visit_last_held_on(&mut self, period: SupportPeriodId) -> Result<Option<NaiveDate>, StoreError> {
        Ok(visits::table
            .filter(visits::support_period_id.eq(IdCol(period)))
            .filter(visits::state.eq(CodeCol(VisitStateCode::Held)))
            .order((visits::visit_on.desc(), visits::id.desc()))
            .select(visits::visit_on)
            .first(self.conn())
            .optional()?)
    }

    /// The visits of a support period that are still planned, the earliest first.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn visits_planned_of(&mut self, period: SupportPeriodId) -> Result<Vec<Visit>, StoreError> {
        let rows = visits::table
            .filter(visits::support_period_id.eq(IdCol(period)))
            .filter(visits::state.eq(CodeCol(VisitStateCode::Planned)))
            .order((visits::visit_on.asc(), visits::id.asc()))
            .select(VisitRow::as_select())
            .load::<VisitRow>(self.conn())?;
        let ids: Vec<VisitId> = rows.iter().map(|row| row.id.0).collect();
        let mut workers = self.workers_of(&ids)?;
        rows.into_iter()
            .map(|row| {
                let workers = workers.remove(&row.id.0).unwrap_or_default();
                row.with_workers(workers)
            })
            .collect()
    }

    /// The minutes of a client in a month that count against the month's hours, over all of the client's support periods.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn client_minutes_in_month(&mut self, client: ClientId, month: Month, except: Option<VisitId>) -> Result<i64, StoreError> {
        let mut query = visits::table
            .filter(visits::client_id.eq(IdCol(client)))
            .filter(visits::visit_on.ge(month.first_day()))
            .filter(visits::visit_on.lt(month.next_first_day()))
            .filter(visits::state.eq(CodeCol(VisitStateCode::Held)))
            .filter(among_codes(visits::mode, counted_modes()))
            .select(spelled::<BigInt>(SUM_OF_MINUTES))
            .into_boxed::<MultiBackend>();
        if let Some(except) = except {
            query = query.filter(visits::id.ne(IdCol(except)));
        }
        Ok(query.get_result::<i64>(self.conn())?)
    }

    /// As [`Db::client_minutes_in_month`], for several clients; those without any are left out.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn clients_minutes_in_month(&mut self, clients: &[ClientId], month: Month) -> Result<BTreeMap<ClientId, i64>, StoreError> {
        let rows = visits::table
            .filter(among(visits::client_id, clients.iter().copied()))
            .filter(visits::visit_on.ge(month.first_day()))
            .filter(visits::visit_on.lt(month.next_first_day()))
            .filter(visits::state.eq(CodeCol(VisitStateCode::Held)))
            .filter(among_codes(visits::mode, counted_modes()))
            .group_by(visits::client_id)
            .select((visits::client_id, spelled::<BigInt>(SUM_OF_MINUTES)))
            .load::<(IdCol<ClientId>, i64)>(self.conn())?;
        Ok(rows.into_iter().map(|(client, minutes)| (client.0, minutes)).collect())
    }

    /// The names of some link workers.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn link_worker_names(&mut self, ids: &[LinkWorkerId]) -> Result<BTreeMap<LinkWorkerId, String>, StoreError> {
        let rows = link_workers::table
            .filter(among(link_workers::id, ids.iter().copied()))
            .select((link_workers::id, link_workers::name))
            .load::<(IdCol<LinkWorkerId>, String)>(self.conn())?;
        Ok(rows.into_iter().map(|(id, name)| (id.0, name)).collect())
    }

    /// What the held visits of some support periods come to, for each of them month by month.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn visit_totals(&mut self, periods: &[SupportPeriodId]) -> Result<BTreeMap<SupportPeriodId, Vec<MonthTotals>>, StoreError> {
        let rows = visits::table
            .filter(among(visits::support_period_id, periods.iter().copied()))
            .filter(visits::state.eq(CodeCol(VisitStateCode::Held)))
            .order((visits::support_period_id.asc(), visits::visit_on.asc()))
            .select((
                visits::support_period_id,
                visits::visit_on,
                visits::mode,
                visits::minutes,
                visits::travel_metres,
                visits::travel_minutes,
                visits::over_limit_reason.is_not_null(),
            ))
            .load::<(IdCol<SupportPeriodId>, NaiveDate, CodeCol<VisitMode>, i64, i64, i64, bool)>(self.conn())?;
        let mut totals: BTreeMap<SupportPeriodId, Vec<MonthTotals>> = BTreeMap::new();
        for (period, on, mode, minutes, travel_metres, travel_minutes, over_limit) in rows {
            let months = totals.entry(period.0).or_default();
            let month = Month::of(on);
            if months.last().is_none_or(|last| last.month != month) {
                months.push(MonthTotals::nothing(month));
            }
            let Some(total) = months.last_mut() else { continue };
            total.visits += 1;
            if counts_against_limit(mode.0) {
                total.counted_minutes += minutes;
            } else {
                total.phone_minutes += minutes;
            }
            total.travel_metres += travel_metres;
            total.travel_minutes += travel_minutes;
            total.over_limit_visits += i64::from(over_limit);
            total.last_on = on;
        }
        Ok(totals)
    }
}
