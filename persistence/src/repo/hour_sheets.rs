//! Hour sheets with their lines. Lines come and go on open sheets alone; a trigger of the schema holds that, too.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use lahete_domain::access::Visibility;
use lahete_domain::codes::{ContractKind, HourSheetLineKind, HourSheetStateCode, Vehicle};
use lahete_domain::hour_sheet::{Corrected, HourSheet, HourSheetState, Line, Mileage, Returned, Step, Totals, Work, WorkTerms};
use lahete_domain::ids::{
    ClientId, HourSheetId, HourSheetLineId, Id, LinkWorkerId, MileageRateId, OrganisationId, ProgrammeId, ReferralId, UserId, VisitId,
};
use lahete_domain::mileage::YearMetres;
use lahete_domain::money::Cents;
use lahete_domain::time::Month;
use lahete_domain::version::Version;

use crate::among::among;
use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest, merged};
use crate::schema::{clients, hour_sheet_lines, hour_sheets, visits};
use crate::spelled::spelled;
use crate::sql_types::{CodeCol, IdCol, InstantCol, VersionCol};

const TABLE: &str = "hour_sheets";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = hour_sheets, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct SheetRow {
    id: IdCol<HourSheetId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    link_worker_id: IdCol<LinkWorkerId>,
    link_worker_user_id: IdCol<UserId>,
    month: NaiveDate,
    state: CodeCol<HourSheetStateCode>,
    minutes: i64,
    phone_minutes: i64,
    travel_minutes: i64,
    metres: i64,
    fee_cents: i64,
    mileage_cents: i64,
    submitted_at: Option<InstantCol>,
    submitted_by: Option<IdCol<UserId>>,
    approved_at: Option<InstantCol>,
    approved_by: Option<IdCol<UserId>>,
    paid_on: Option<NaiveDate>,
    paid_at: Option<InstantCol>,
    paid_by: Option<IdCol<UserId>>,
    returned_at: Option<InstantCol>,
    returned_by: Option<IdCol<UserId>>,
    return_reason: Option<String>,
}

type StepCols = (Option<InstantCol>, Option<IdCol<UserId>>);

fn step_cols(step: Option<Step>) -> StepCols {
    (step.map(|step| InstantCol(step.at)), step.map(|step| IdCol(step.by)))
}

fn step(columns: StepCols) -> Option<Step> {
    columns.0.zip(columns.1).map(|(at, by)| Step { at: at.0, by: by.0 })
}

impl SheetRow {
    fn of(sheet: &HourSheet, version: Version) -> Self {
        let (submitted, approved, paid, paid_on) = match sheet.state {
            HourSheetState::Open => (None, None, None, None),
            HourSheetState::Submitted(submitted) => (Some(submitted), None, None, None),
            HourSheetState::Approved { submitted, approved } => (Some(submitted), Some(approved), None, None),
            HourSheetState::Paid { submitted, approved, noted, on } => (Some(submitted), Some(approved), Some(noted), Some(on)),
        };
        let ((submitted_at, submitted_by), (approved_at, approved_by)) = (step_cols(submitted), step_cols(approved));
        let ((paid_at, paid_by), (returned_at, returned_by)) =
            (step_cols(paid), step_cols(sheet.returned.as_ref().map(|returned| returned.step)));
        Self {
            id: IdCol(sheet.id),
            version: VersionCol(version),
            programme_id: IdCol(sheet.programme),
            link_worker_id: IdCol(sheet.link_worker),
            link_worker_user_id: IdCol(sheet.link_worker_user),
            month: sheet.month.first_day(),
            state: CodeCol(sheet.state_code()),
            minutes: sheet.totals.minutes,
            phone_minutes: sheet.totals.phone_minutes,
            travel_minutes: sheet.totals.travel_minutes,
            metres: sheet.totals.metres,
            fee_cents: sheet.totals.fee.0,
            mileage_cents: sheet.totals.mileage.0,
            submitted_at,
            submitted_by,
            approved_at,
            approved_by,
            paid_on,
            paid_at,
            paid_by,
            returned_at,
            returned_by,
            return_reason: sheet.returned.as_ref().map(|returned| returned.reason.clone()),
        }
    }

    fn into_domain(self) -> Result<HourSheet, StoreError> {
        let missing = |column| StoreError::corrupt(TABLE, column, self.id.0);
        let submitted = || step((self.submitted_at, self.submitted_by)).ok_or_else(|| missing("submitted_at"));
        let approved = || step((self.approved_at, self.approved_by)).ok_or_else(|| missing("approved_at"));
        let state = match self.state.0 {
            HourSheetStateCode::Open => HourSheetState::Open,
            HourSheetStateCode::Submitted => HourSheetState::Submitted(submitted()?),
            HourSheetStateCode::Approved => HourSheetState::Approved { submitted: submitted()?, approved: approved()? },
            HourSheetStateCode::Paid => HourSheetState::Paid {
                submitted: submitted()?,
                approved: approved()?,
                noted: step((self.paid_at, self.paid_by)).ok_or_else(|| missing("paid_at"))?,
                on: self.paid_on.ok_or_else(|| missing("paid_on"))?,
            },
        };
        let returned = step((self.returned_at, self.returned_by)).zip(self.return_reason);
        Ok(HourSheet {
            id: self.id.0,
            version: self.version.0,
            programme: self.programme_id.0,
            link_worker: self.link_worker_id.0,
            link_worker_user: self.link_worker_user_id.0,
            month: Month::of(self.month),
            state,
            totals: Totals {
                minutes: self.minutes,
                phone_minutes: self.phone_minutes,
                travel_minutes: self.travel_minutes,
                metres: self.metres,
                fee: Cents(self.fee_cents),
                mileage: Cents(self.mileage_cents),
            },
            returned: returned.map(|(step, reason)| Returned { step, reason }),
        })
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = hour_sheet_lines, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct LineRow {
    id: IdCol<HourSheetLineId>,
    hour_sheet_id: IdCol<HourSheetId>,
    link_worker_id: IdCol<LinkWorkerId>,
    visit_id: IdCol<VisitId>,
    kind: CodeCol<HourSheetLineKind>,
    corrects_sheet_id: Option<IdCol<HourSheetId>>,
    corrects_line_id: Option<IdCol<HourSheetLineId>>,
    visit_on: NaiveDate,
    fee_cents_per_hour: i64,
    contract_kind: CodeCol<ContractKind>,
    payer_id: Option<IdCol<OrganisationId>>,
    vehicle: CodeCol<Vehicle>,
    minutes: i64,
    phone_minutes: i64,
    travel_minutes: i64,
    fee_cents: i64,
    metres: i64,
    passengers: i64,
    rate_id: Option<IdCol<MileageRateId>>,
    metres_before: i64,
    metres_above: i64,
    mileage_cents: i64,
}

impl From<&Line> for LineRow {
    fn from(line: &Line) -> Self {
        let (work, terms) = (&line.work, &line.work.terms);
        Self {
            id: IdCol(line.id),
            hour_sheet_id: IdCol(line.sheet),
            link_worker_id: IdCol(line.link_worker),
            visit_id: IdCol(line.visit),
            kind: CodeCol(line.kind()),
            corrects_sheet_id: line.corrects.map(|corrected| IdCol(corrected.sheet)),
            corrects_line_id: line.corrects.map(|corrected| IdCol(corrected.line)),
            visit_on: terms.on,
            fee_cents_per_hour: terms.fee_per_hour.0,
            contract_kind: CodeCol(terms.contract),
            payer_id: terms.payer.map(IdCol),
            vehicle: CodeCol(terms.vehicle),
            minutes: work.minutes,
            phone_minutes: work.phone_minutes,
            travel_minutes: work.travel_minutes,
            fee_cents: line.fee.0,
            metres: work.metres,
            passengers: work.passengers,
            rate_id: line.mileage.rate.map(IdCol),
            metres_before: line.mileage.before,
            metres_above: line.mileage.metres_above,
            mileage_cents: line.mileage.cents.0,
        }
    }
}

impl From<LineRow> for Line {
    fn from(row: LineRow) -> Self {
        let corrects = row.corrects_sheet_id.zip(row.corrects_line_id);
        Self {
            id: row.id.0,
            sheet: row.hour_sheet_id.0,
            link_worker: row.link_worker_id.0,
            visit: row.visit_id.0,
            corrects: corrects.map(|(sheet, line)| Corrected { sheet: sheet.0, line: line.0 }),
            work: Work {
                terms: WorkTerms {
                    on: row.visit_on,
                    fee_per_hour: Cents(row.fee_cents_per_hour),
                    contract: row.contract_kind.0,
                    payer: row.payer_id.map(|id| id.0),
                    vehicle: row.vehicle.0,
                },
                minutes: row.minutes,
                phone_minutes: row.phone_minutes,
                travel_minutes: row.travel_minutes,
                metres: row.metres,
                passengers: row.passengers,
            },
            fee: Cents(row.fee_cents),
            mileage: Mileage {
                rate: row.rate_id.map(|id| id.0),
                before: row.metres_before,
                metres_above: row.metres_above,
                cents: Cents(row.mileage_cents),
            },
        }
    }
}

/// Which hour sheets are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HourSheetFilter {
    /// Of this programme.
    pub programme: Option<ProgrammeId>,
    /// Of this month.
    pub month: Option<Month>,
    /// In this state.
    pub state: Option<HourSheetStateCode>,
    /// Of this link worker.
    pub link_worker: Option<LinkWorkerId>,
}

/// A sheet of a link worker, as far as the place of a line depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SheetPlace {
    /// The sheet.
    pub id: HourSheetId,
    /// Its month.
    pub month: Month,
    /// Where it stands.
    pub state: HourSheetStateCode,
}

/// Whom a visit was with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VisitAbout {
    /// The client.
    pub client: ClientId,
    /// The referral.
    pub referral: ReferralId,
}

impl Db<'_> {
    /// Opens a sheet.
    ///
    /// # Errors
    /// Whatever the database says; a second sheet of a link worker and a month breaks a constraint.
    pub fn hour_sheet_insert(&mut self, sheet: &HourSheet) -> Result<(), StoreError> {
        diesel::insert_into(hour_sheets::table).values(SheetRow::of(sheet, sheet.version)).execute(self.conn())?;
        Ok(())
    }

    /// One sheet.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn hour_sheet_get(&mut self, id: HourSheetId) -> Result<Option<HourSheet>, StoreError> {
        let row = hour_sheets::table.find(IdCol(id)).select(SheetRow::as_select()).first::<SheetRow>(self.conn()).optional()?;
        row.map(SheetRow::into_domain).transpose()
    }

    /// Writes a changed sheet over the version that it was made from.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn hour_sheet_update(&mut self, sheet: &HourSheet, expected: Version) -> Result<(), StoreError> {
        let stored = hour_sheets::table.find(IdCol(sheet.id)).filter(hour_sheets::version.eq(VersionCol(expected)));
        match diesel::update(stored).set(SheetRow::of(sheet, expected.next())).execute(self.conn())? {
            0 => Err(StoreError::Stale),
            _ => Ok(()),
        }
    }

    /// All sheets of a link worker, the oldest first: one for each month of work.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn hour_sheets_of(&mut self, link_worker: LinkWorkerId) -> Result<Vec<SheetPlace>, StoreError> {
        let rows = hour_sheets::table
            .filter(hour_sheets::link_worker_id.eq(IdCol(link_worker)))
            .order(hour_sheets::month.asc())
            .select((hour_sheets::id, hour_sheets::month, hour_sheets::state))
            .load::<(IdCol<HourSheetId>, NaiveDate, CodeCol<HourSheetStateCode>)>(self.conn())?;
        Ok(rows.into_iter().map(|(id, month, state)| SheetPlace { id: id.0, month: Month::of(month), state: state.0 }).collect())
    }

    /// The link workers of a programme who have an open sheet.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn hour_sheet_open_workers(&mut self, programme: ProgrammeId) -> Result<Vec<LinkWorkerId>, StoreError> {
        let rows = hour_sheets::table
            .filter(hour_sheets::programme_id.eq(IdCol(programme)))
            .filter(hour_sheets::state.eq(CodeCol(HourSheetStateCode::Open)))
            .select(hour_sheets::link_worker_id)
            .distinct()
            .load::<IdCol<LinkWorkerId>>(self.conn())?;
        Ok(rows.into_iter().map(|id| id.0).collect())
    }

    /// A page of the sheets that a caller may see, the newest month first.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn hour_sheet_list(
        &mut self,
        visibility: &Visibility,
        filter: HourSheetFilter,
        request: &PageRequest,
    ) -> Result<Page<HourSheet>, StoreError> {
        let order = |one: &SheetRow, other: &SheetRow| (other.month, other.id).cmp(&(one.month, one.id));
        let rows = merged(visibility.branches(), request, |branch| self.hour_sheet_rows(&branch, filter, request), order)?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.month.to_string(), id: row.id.0.as_uuid() });
        page.try_map(SheetRow::into_domain)
    }

    fn hour_sheet_rows(
        &mut self,
        branch: &Visibility,
        filter: HourSheetFilter,
        request: &PageRequest,
    ) -> Result<Vec<SheetRow>, StoreError> {
        let mut query = hour_sheets::table.select(SheetRow::as_select()).into_boxed::<MultiBackend>();
        query = match &branch.assigned_to {
            None => of_programmes!(query, hour_sheets::programme_id, branch.programmes.iter().copied().map(IdCol).collect()),
            Some((user, programmes)) => {
                let own = query.filter(hour_sheets::link_worker_user_id.eq(IdCol(*user)));
                of_programmes!(own, hour_sheets::programme_id, programmes.iter().copied().map(IdCol).collect())
            }
        };
        if let Some(programme) = filter.programme {
            query = query.filter(hour_sheets::programme_id.eq(IdCol(programme)));
        }
        if let Some(month) = filter.month {
            query = query.filter(hour_sheets::month.eq(month.first_day()));
        }
        if let Some(state) = filter.state {
            query = query.filter(hour_sheets::state.eq(CodeCol(state)));
        }
        if let Some(link_worker) = filter.link_worker {
            query = query.filter(hour_sheets::link_worker_id.eq(IdCol(link_worker)));
        }
        if let Some(cursor) = &request.after {
            let Ok(month) = cursor.sort.parse::<NaiveDate>() else { return Ok(Vec::new()) };
            let behind = hour_sheets::month.lt(month).or(hour_sheets::id.lt(IdCol(HourSheetId::from_uuid(cursor.id))));
            query = query.filter(hour_sheets::month.le(month)).filter(behind);
        }
        Ok(query.order((hour_sheets::month.desc(), hour_sheets::id.desc())).limit(request.fetch()).load(self.conn())?)
    }

    /// All sheets of a programme and a month: one for each link worker.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn hour_sheets_of_month(
        &mut self,
        programme: ProgrammeId,
        month: Month,
        state: Option<HourSheetStateCode>,
    ) -> Result<Vec<HourSheet>, StoreError> {
        let mut query = hour_sheets::table
            .filter(hour_sheets::programme_id.eq(IdCol(programme)))
            .filter(hour_sheets::month.eq(month.first_day()))
            .select(SheetRow::as_select())
            .into_boxed::<MultiBackend>();
        if let Some(state) = state {
            query = query.filter(hour_sheets::state.eq(CodeCol(state)));
        }
        query.order(hour_sheets::id.asc()).load::<SheetRow>(self.conn())?.into_iter().map(SheetRow::into_domain).collect()
    }

    /// Adds a line.
    ///
    /// # Errors
    /// Whatever the database says; when its sheet is not open.
    pub fn hour_sheet_line_insert(&mut self, line: &Line) -> Result<(), StoreError> {
        diesel::insert_into(hour_sheet_lines::table).values(LineRow::from(line)).execute(self.conn())?;
        Ok(())
    }

    /// Writes a line anew.
    ///
    /// # Errors
    /// Whatever the database says; when its sheet is not open.
    pub fn hour_sheet_line_update(&mut self, line: &Line) -> Result<(), StoreError> {
        diesel::update(hour_sheet_lines::table.find(IdCol(line.id))).set(LineRow::from(line)).execute(self.conn())?;
        Ok(())
    }

    /// Takes a line away.
    ///
    /// # Errors
    /// Whatever the database says; when its sheet is not open.
    pub fn hour_sheet_line_delete(&mut self, id: HourSheetLineId) -> Result<(), StoreError> {
        diesel::delete(hour_sheet_lines::table.find(IdCol(id))).execute(self.conn())?;
        Ok(())
    }

    /// The lines of some sheets, by day.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn hour_sheet_lines(&mut self, sheets: &[HourSheetId]) -> Result<Vec<Line>, StoreError> {
        let rows = hour_sheet_lines::table
            .filter(among(hour_sheet_lines::hour_sheet_id, sheets.iter().copied()))
            .order((hour_sheet_lines::visit_on.asc(), hour_sheet_lines::id.asc()))
            .select(LineRow::as_select())
            .load::<LineRow>(self.conn())?;
        Ok(rows.into_iter().map(Line::from).collect())
    }

    /// All lines that stand for some visits, the oldest first, each with whether its sheet is open.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn hour_sheet_lines_of_visits(&mut self, wanted: &[VisitId]) -> Result<Vec<(Line, bool)>, StoreError> {
        let rows = hour_sheet_lines::table
            .inner_join(hour_sheets::table)
            .filter(among(hour_sheet_lines::visit_id, wanted.iter().copied()))
            .order(hour_sheet_lines::id.asc())
            .select((LineRow::as_select(), hour_sheets::state))
            .load::<(LineRow, CodeCol<HourSheetStateCode>)>(self.conn())?;
        Ok(rows.into_iter().map(|(row, state)| (Line::from(row), state.0 == HourSheetStateCode::Open)).collect())
    }

    /// The metres of a link worker in some years, for each payer, without those that stand on some sheets.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn hour_sheet_metres(&mut self, of: LinkWorkerId, years: &[i32], without: &[HourSheetId]) -> Result<YearMetres, StoreError> {
        let mut all = YearMetres::default();
        for year in years {
            let (Some(first), Some(last)) = (NaiveDate::from_ymd_opt(*year, 1, 1), NaiveDate::from_ymd_opt(*year, 12, 31)) else {
                continue;
            };
            let rows = hour_sheet_lines::table
                .filter(hour_sheet_lines::link_worker_id.eq(IdCol(of)))
                .filter(hour_sheet_lines::visit_on.ge(first))
                .filter(hour_sheet_lines::visit_on.le(last))
                .filter(hour_sheet_lines::hour_sheet_id.ne_all(without.iter().copied().map(IdCol).collect::<Vec<_>>()))
                .group_by(hour_sheet_lines::payer_id)
                .select((hour_sheet_lines::payer_id, spelled::<BigInt>("COALESCE(CAST(SUM(hour_sheet_lines.metres) AS BIGINT), 0)")))
                .load::<(Option<IdCol<OrganisationId>>, i64)>(self.conn())?;
            for (payer, metres) in rows {
                all.count(first, payer.map(|id| id.0), metres);
            }
        }
        Ok(all)
    }

    /// What volunteers' kilometres of a link worker come to in a calendar year, for each payer.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn hour_sheet_volunteer_mileage(
        &mut self,
        of: LinkWorkerId,
        day: NaiveDate,
    ) -> Result<BTreeMap<OrganisationId, Cents>, StoreError> {
        let year = day.year();
        let (Some(first), Some(last)) = (NaiveDate::from_ymd_opt(year, 1, 1), NaiveDate::from_ymd_opt(year, 12, 31)) else {
            return Ok(BTreeMap::new());
        };
        let rows = hour_sheet_lines::table
            .filter(hour_sheet_lines::link_worker_id.eq(IdCol(of)))
            .filter(hour_sheet_lines::visit_on.ge(first))
            .filter(hour_sheet_lines::visit_on.le(last))
            .filter(hour_sheet_lines::contract_kind.eq(CodeCol(ContractKind::Volunteer)))
            .group_by(hour_sheet_lines::payer_id)
            .select((hour_sheet_lines::payer_id, spelled::<BigInt>("COALESCE(CAST(SUM(hour_sheet_lines.mileage_cents) AS BIGINT), 0)")))
            .load::<(Option<IdCol<OrganisationId>>, i64)>(self.conn())?;
        Ok(rows.into_iter().filter_map(|(payer, cents)| Some((payer?.0, Cents(cents)))).collect())
    }

    /// Whom some visits were with.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn visits_about(&mut self, wanted: &[VisitId]) -> Result<BTreeMap<VisitId, VisitAbout>, StoreError> {
        let rows = visits::table
            .filter(among(visits::id, wanted.iter().copied()))
            .select((visits::id, visits::client_id, visits::referral_id))
            .load::<(IdCol<VisitId>, IdCol<ClientId>, IdCol<ReferralId>)>(self.conn())?;
        Ok(rows.into_iter().map(|(id, client, referral)| (id.0, VisitAbout { client: client.0, referral: referral.0 })).collect())
    }

    /// The names of some clients.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn client_names(&mut self, wanted: &[ClientId]) -> Result<BTreeMap<ClientId, String>, StoreError> {
        let rows = clients::table
            .filter(among(clients::id, wanted.iter().copied()))
            .select((clients::id, clients::given_name, clients::family_name))
            .load::<(IdCol<ClientId>, String, String)>(self.conn())?;
        Ok(rows.into_iter().map(|(id, given, family)| (id.0, format!("{given} {family}"))).collect())
    }
}
