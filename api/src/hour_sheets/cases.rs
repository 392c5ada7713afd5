//! What is done with hour sheets, and how they follow the visits.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, NaiveDate};
use lahete_domain::access::{self, Action, Decision, Subject};
use lahete_domain::actor::Grant;
use lahete_domain::codes::{AuditAction, ContractKind, HourSheetLineKind, HourSheetStateCode, Role, Vehicle};
use lahete_domain::hour_sheet::{
    HourSheet, Line, Owed, Step, Totals, Work, WorkTerms, is_non_profit, owed, passes_volunteer_cap, place, reckon,
};
use lahete_domain::ids::{ClientId, HourSheetId, Id as _, LinkWorkerId, MileageRateId, ProgrammeId, ReferralId, VisitId};
use lahete_domain::link_worker::contract_on;
use lahete_domain::mileage::MileageRate;
use lahete_domain::money::Cents;
use lahete_domain::time::Month;
use lahete_domain::visit::{Visit, VisitState, VisitWorker};
use lahete_persistence::repo::hour_sheets::HourSheetFilter;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{HourSheetExportQuery, HourSheetMarkPaid, HourSheetQuery, HourSheetReturn, HourSheetSubmit};
use crate::error::AppError;
use crate::operation::OpContext;

/// A sheet with all that is shown of it.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    /// The sheet.
    pub sheet: HourSheet,
    /// Whose it is, by name.
    pub name: String,
    /// Its lines, by day.
    pub lines: Vec<Line>,
    /// The rates by which they were reckoned.
    pub rates: BTreeMap<MileageRateId, MileageRate>,
    /// With whom the visits were, where the caller may know it.
    pub about: BTreeMap<VisitId, (ClientId, ReferralId, String)>,
    /// What the mileage of the calendar year comes to, when it passes what a volunteer gets free of tax.
    pub volunteer_year: Option<Cents>,
}

// How sheets follow visits.

/// The terms of some work: contract and payer of the day, unless a line for the same day and fee has settled them already.
fn terms(db: &mut Db<'_>, visit: &Visit, worker: VisitWorker, lines: &[&Line]) -> Result<WorkTerms, AppError> {
    let on = visit.content.on;
    let same = |line: &&&Line| line.work.terms.on == on && line.work.terms.fee_per_hour == worker.fee_per_hour;
    if let Some(line) = lines.iter().find(same) {
        return Ok(line.work.terms);
    }
    let contracts = db.contracts_of(worker.link_worker)?;
    let contract = contract_on(&contracts, on);
    Ok(WorkTerms {
        on,
        fee_per_hour: worker.fee_per_hour,
        contract: contract.map_or(ContractKind::Fee, |contract| contract.kind),
        payer: contract.map(|contract| contract.employer),
        vehicle: Vehicle::Car,
    })
}

/// Makes the hour sheets say what a held visit says now: in the same transaction in which it was written. Open sheets are changed; where lines stand
/// already, the difference comes to the next open sheet.
///
/// # Errors
/// When the database fails.
pub(crate) fn follow(db: &mut Db<'_>, ctx: &OpContext, visit: &Visit) -> Result<(), AppError> {
    if !matches!(visit.state, VisitState::Held { .. }) {
        return Ok(());
    }
    let all = db.hour_sheet_lines_of_visits(&[visit.id])?;
    let mut workers: BTreeSet<LinkWorkerId> = visit.workers.iter().map(|worker| worker.link_worker).collect();
    workers.extend(all.iter().map(|(line, _)| line.link_worker));
    for id in workers {
        let own: Vec<&(Line, bool)> = all.iter().filter(|(line, _)| line.link_worker == id).collect();
        let now = match visit.workers.iter().find(|worker| worker.link_worker == id) {
            Some(worker) => {
                let lines: Vec<&Line> = own.iter().map(|(line, _)| line).collect();
                Some(Work::of(&visit.content, worker.drives, terms(db, visit, *worker, &lines)?))
            }
            None => None,
        };
        let settled: Vec<Line> = own.iter().filter(|(_, open)| !open).map(|(line, _)| line.clone()).collect();
        let open: Vec<&Line> = own.iter().filter(|(_, open)| *open).map(|(line, _)| line).collect();
        let touched = follow_worker(db, ctx, visit, id, owed(now.as_ref(), &settled), open)?;
        if !touched.is_empty() {
            reckon_worker(db, visit.programme, id, touched)?;
        }
    }
    Ok(())
}

/// Puts what is owed to a link worker for a visit on open sheets. Gives the sheets that had to be changed.
fn follow_worker(
    db: &mut Db<'_>,
    ctx: &OpContext,
    visit: &Visit,
    worker: LinkWorkerId,
    owed: Vec<Owed>,
    mut open: Vec<&Line>,
) -> Result<BTreeSet<HourSheetId>, AppError> {
    let mut touched = BTreeSet::new();
    // The visit itself stays where it is; a second line on the same terms is left from a sheet that was given back.
    open.sort_by_key(|line| (line.kind() == HourSheetLineKind::Correction, line.id));
    for one in owed {
        let found = open.iter().position(|line| line.work.terms == one.work.terms).map(|at| open.remove(at));
        match found {
            Some(line) if line.work == one.work && line.corrects == one.corrects => {}
            Some(line) => {
                db.hour_sheet_line_update(&Line { work: one.work, corrects: one.corrects, ..line.clone() })?;
                touched.insert(line.sheet);
            }
            None => {
                let sheet = sheet_for(db, ctx, visit, worker, Month::of(one.work.terms.on))?;
                db.hour_sheet_line_insert(&Line::new(ctx.ids.next(), sheet, worker, visit.id, &one))?;
                touched.insert(sheet);
            }
        }
    }
    for line in open {
        db.hour_sheet_line_delete(line.id)?;
        touched.insert(line.sheet);
    }
    Ok(touched)
}

/// The open sheet that a new line comes to; a new one when there is none.
fn sheet_for(db: &mut Db<'_>, ctx: &OpContext, visit: &Visit, worker: LinkWorkerId, month: Month) -> Result<HourSheetId, AppError> {
    let sheets = db.hour_sheets_of(worker)?;
    let places: Vec<_> = sheets.iter().map(|sheet| (sheet.month, sheet.state)).collect();
    let month = place(month, &places, ctx.now.helsinki_date());
    if let Some(sheet) = sheets.iter().find(|sheet| sheet.month == month) {
        return Ok(sheet.id);
    }
    let user = db.link_worker_get(worker)?.ok_or_else(|| AppError::internal("a visit by a link worker who is not there"))?.user;
    let sheet = HourSheet::new(ctx.ids.next(), visit.programme, worker, user, month);
    db.hour_sheet_insert(&sheet)?;
    Ok(sheet.id)
}

/// Reckons the open sheets of a link worker anew: kilometres in the order of their days, fees, totals. The version of each sheet moves on of which a line
/// has changed, now or already (`touched`).
fn reckon_worker(
    db: &mut Db<'_>,
    programme: ProgrammeId,
    worker: LinkWorkerId,
    mut touched: BTreeSet<HourSheetId>,
) -> Result<(), AppError> {
    let open: Vec<HourSheetId> =
        db.hour_sheets_of(worker)?.iter().filter(|sheet| sheet.state == HourSheetStateCode::Open).map(|sheet| sheet.id).collect();
    let lines = db.hour_sheet_lines(&open)?;
    let years: BTreeSet<i32> = lines.iter().map(|line| line.work.terms.on.year()).collect();
    let metres = db.hour_sheet_metres(worker, &years.into_iter().collect::<Vec<_>>(), &open)?;
    let corrected: BTreeSet<VisitId> = lines.iter().filter(|line| line.corrects.is_some()).map(|line| line.visit).collect();
    let settled: Vec<Line> = if corrected.is_empty() {
        Vec::new()
    } else {
        let all = db.hour_sheet_lines_of_visits(&corrected.into_iter().collect::<Vec<_>>())?;
        all.into_iter().filter(|(line, open)| !open && line.link_worker == worker).map(|(line, _)| line).collect()
    };
    let rates = db.mileage_rates_of(programme)?;
    let reckoned = reckon(lines.clone(), &settled, metres, &rates);
    for line in &reckoned {
        if !lines.contains(line) {
            db.hour_sheet_line_update(line)?;
            touched.insert(line.sheet);
        }
    }
    for id in touched {
        let Some(sheet) = db.hour_sheet_get(id)? else { continue };
        let totals = Totals::of(reckoned.iter().filter(|line| line.sheet == id));
        let expected = sheet.version;
        db.hour_sheet_update(&HourSheet { totals, ..sheet }, expected)?;
    }
    Ok(())
}

/// Reckons all open sheets of a programme anew: there is a new rate.
///
/// # Errors
/// When the database fails.
pub(crate) fn reckon_open_sheets(db: &mut Db<'_>, programme: ProgrammeId) -> Result<(), AppError> {
    for worker in db.hour_sheet_open_workers(programme)? {
        reckon_worker(db, programme, worker, BTreeSet::new())?;
    }
    Ok(())
}

/// The sheet on which a visit of a link worker stands: the open one, if it stands on several.
///
/// # Errors
/// When the database fails.
pub(crate) fn sheet_of_visit(db: &mut Db<'_>, visit: VisitId, worker: LinkWorkerId) -> Result<Option<HourSheet>, AppError> {
    let lines = db.hour_sheet_lines_of_visits(&[visit])?;
    let own = lines.iter().filter(|(line, _)| line.link_worker == worker);
    let Some(id) = own.max_by_key(|(line, open)| (*open, line.id)).map(|(line, _)| line.sheet) else { return Ok(None) };
    Ok(db.hour_sheet_get(id)?)
}

// What people do with them.

/// A sheet as the access policy sees it: a link worker's own, whatever has become of the clients.
fn subject(sheet: &HourSheet) -> Subject {
    Subject { link_worker: Some(sheet.link_worker_user), ..Subject::of_programme(sheet.programme) }
}

fn find(db: &mut Db<'_>, ctx: &OpContext, action: Action, id: HourSheetId) -> Result<(HourSheet, Grant), AppError> {
    let sheet = db.hour_sheet_get(id)?.ok_or(AppError::NotFound(HourSheetId::RESOURCE))?;
    let grant = ctx.require(db, action, &subject(&sheet), None, None)?;
    Ok((sheet, grant))
}

/// The sheets that the caller may see.
///
/// # Errors
/// When the database fails.
pub(crate) fn list(
    db: &mut Db<'_>,
    ctx: &OpContext,
    query: &HourSheetQuery,
    page: &PageRequest,
) -> Result<Page<(HourSheet, String)>, AppError> {
    let filter = HourSheetFilter {
        programme: query.programme_id.map(ProgrammeId::from_uuid),
        month: query.month.map(|month| month.0),
        state: query.state.map(|code| code.0),
        link_worker: query.link_worker_id.map(LinkWorkerId::from_uuid),
    };
    let found = db.hour_sheet_list(&access::visibility(&ctx.actor, Action::HourSheetView), filter, page)?;
    let workers: BTreeSet<LinkWorkerId> = found.items.iter().map(|sheet| sheet.link_worker).collect();
    let names = db.link_worker_names(&workers.into_iter().collect::<Vec<_>>())?;
    found.try_map(|sheet| {
        let name = names.get(&sheet.link_worker).cloned().unwrap_or_default();
        Ok((sheet, name))
    })
}

/// A sheet with its lines, which name nobody.
fn card(db: &mut Db<'_>, sheet: HourSheet) -> Result<Card, AppError> {
    let name = db.link_worker_names(&[sheet.link_worker])?.remove(&sheet.link_worker).unwrap_or_default();
    let lines = db.hour_sheet_lines(&[sheet.id])?;
    let rates = db.mileage_rates_of(sheet.programme)?.into_iter().map(|rate| (rate.id, rate)).collect();
    let volunteer_year = volunteer_year(db, &sheet, &lines)?;
    Ok(Card { sheet, name, lines, rates, about: BTreeMap::new(), volunteer_year })
}

/// The mileage of the year when a volunteer of a non-profit body has passed what is free of tax.
fn volunteer_year(db: &mut Db<'_>, sheet: &HourSheet, lines: &[Line]) -> Result<Option<Cents>, AppError> {
    if !lines.iter().any(|line| line.work.terms.contract == ContractKind::Volunteer) {
        return Ok(None);
    }
    let mut passed = None;
    for (payer, cents) in db.hour_sheet_volunteer_mileage(sheet.link_worker, sheet.month.first_day())? {
        let kind = db.organisation_get(payer)?.map(|organisation| organisation.kind);
        if kind.is_some_and(is_non_profit) && passes_volunteer_cap(cents) {
            passed = passed.max(Some(cents));
        }
    }
    Ok(passed)
}

/// Reads a sheet. With whom a visit was is told where the caller may know it still; each client that is named is read about.
///
/// # Errors
/// 404 when there is none or the caller may not see it.
pub(crate) fn view(db: &mut Db<'_>, ctx: &OpContext, id: HourSheetId) -> Result<Card, AppError> {
    let (sheet, _) = find(db, ctx, Action::HourSheetView, id)?;
    let mut card = card(db, sheet)?;
    let visits: BTreeSet<VisitId> = card.lines.iter().map(|line| line.visit).collect();
    let about = db.visits_about(&visits.into_iter().collect::<Vec<_>>())?;
    let referrals: BTreeSet<ReferralId> = about.values().map(|about| about.referral).collect();
    let (mut known, mut noted) = (BTreeSet::new(), BTreeSet::new());
    for referral in referrals {
        let Some(case) = db.referral_case(referral)? else { continue };
        let subject = case.subject(ctx.now.helsinki_date());
        let Decision::Allowed(grant) = access::decide(&ctx.actor, Action::VisitView, &subject) else { continue };
        // Whose own data these are is another role's business than whose sheet this is.
        if grant.role == Role::Client || ctx.veils(grant.role, subject.past) {
            continue;
        }
        known.insert(referral);
        if noted.insert(case.referral.client) {
            ctx.audit(db, &grant, AuditAction::Read, Some(case.referral.client), Some(referral));
        }
    }
    let names = db.client_names(&noted.into_iter().collect::<Vec<_>>())?;
    card.about = about
        .into_iter()
        .filter(|(_, about)| known.contains(&about.referral))
        .map(|(visit, about)| (visit, (about.client, about.referral, names.get(&about.client).cloned().unwrap_or_default())))
        .collect();
    Ok(card)
}

/// A sheet for its CSV, which names no client.
///
/// # Errors
/// As [`view`].
pub(crate) fn for_csv(db: &mut Db<'_>, ctx: &OpContext, id: HourSheetId) -> Result<Card, AppError> {
    let (sheet, _) = find(db, ctx, Action::HourSheetView, id)?;
    card(db, sheet)
}

/// All sheets of a programme and a month.
///
/// # Errors
/// 404 and 403 by the policy.
pub(crate) fn export(db: &mut Db<'_>, ctx: &OpContext, query: &HourSheetExportQuery) -> Result<Vec<(HourSheet, String)>, AppError> {
    let programme = ProgrammeId::from_uuid(query.programme_id);
    ctx.require(db, Action::HourSheetExport, &Subject::of_programme(programme), None, None)?;
    let sheets = db.hour_sheets_of_month(programme, query.month.0, query.state.map(|code| code.0))?;
    let names = db.link_worker_names(&sheets.iter().map(|sheet| sheet.link_worker).collect::<Vec<_>>())?;
    let mut rows: Vec<_> = sheets
        .into_iter()
        .map(|sheet| {
            let name = names.get(&sheet.link_worker).cloned().unwrap_or_default();
            (sheet, name)
        })
        .collect();
    rows.sort_by(|(one, name), (other, other_name)| (name, one.id).cmp(&(other_name, other.id)));
    Ok(rows)
}

fn step(ctx: &OpContext) -> Result<Step, AppError> {
    Ok(Step { at: ctx.now, by: ctx.user()? })
}

/// Opens a sheet at the version that the caller has read, takes a step, and writes it back.
fn take(
    db: &mut Db<'_>,
    ctx: &OpContext,
    action: Action,
    id: HourSheetId,
    decide: impl FnOnce(HourSheet, &[Line], Step) -> Result<HourSheet, lahete_domain::hour_sheet::HourSheetError>,
) -> Result<HourSheet, AppError> {
    let (sheet, grant) = find(db, ctx, action, id)?;
    ctx.expect_version(sheet.version)?;
    let expected = sheet.version;
    let lines = db.hour_sheet_lines(&[id])?;
    let after = decide(sheet, &lines, step(ctx)?)?;
    db.hour_sheet_update(&after, expected)?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok(HourSheet { version: expected.next(), ..after })
}

/// Hands a sheet in.
///
/// # Errors
/// 404 and 403 by the policy, 409 when a rule says no, 412 and 428 by the version.
pub(crate) fn submit(db: &mut Db<'_>, ctx: &OpContext, id: HourSheetId, body: &HourSheetSubmit) -> Result<Card, AppError> {
    let nothing_more = body.nothing_more_this_month.unwrap_or_default();
    let sheet = take(db, ctx, Action::HourSheetSubmit, id, |sheet, lines, step| sheet.submit(lines, nothing_more, step))?;
    card(db, sheet)
}

/// Gives a sheet back. What was corrected meanwhile stands on it again.
///
/// # Errors
/// As [`submit`].
pub(crate) fn give_back(db: &mut Db<'_>, ctx: &OpContext, id: HourSheetId, body: &HourSheetReturn) -> Result<Card, AppError> {
    let reason = body.reason.as_str().to_owned();
    let back = take(db, ctx, Action::HourSheetApprove, id, |sheet, _, step| sheet.give_back(reason, step))?;
    let visits: BTreeSet<VisitId> = db.hour_sheet_lines(&[id])?.iter().map(|line| line.visit).collect();
    for visit in visits {
        if let Some(visit) = db.visit_get(visit)? {
            follow(db, ctx, &visit)?;
        }
    }
    reckon_worker(db, back.programme, back.link_worker, BTreeSet::new())?;
    let (reckoned, _) = find(db, ctx, Action::HourSheetApprove, id)?;
    card(db, reckoned)
}

/// Approves a sheet.
///
/// # Errors
/// As [`submit`].
pub(crate) fn approve(db: &mut Db<'_>, ctx: &OpContext, id: HourSheetId) -> Result<Card, AppError> {
    let sheet = take(db, ctx, Action::HourSheetApprove, id, |sheet, _, step| sheet.approve(step))?;
    card(db, sheet)
}

/// Notes that a sheet was paid.
///
/// # Errors
/// As [`submit`]; 422 for a day before the approval or in the future.
pub(crate) fn mark_paid(db: &mut Db<'_>, ctx: &OpContext, id: HourSheetId, body: &HourSheetMarkPaid) -> Result<Card, AppError> {
    let on: NaiveDate = body.paid_on;
    let sheet = take(db, ctx, Action::HourSheetApprove, id, |sheet, _, step| sheet.mark_paid(on, step))?;
    card(db, sheet)
}
