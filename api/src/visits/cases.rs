//! What can be done with visits.

use std::collections::BTreeMap;

use lahete_domain::access::{Action, Visibility};
use lahete_domain::codes::{AuditAction, Code as _, EventKind, Role};
use lahete_domain::ids::{ClientId, Id as _, LinkWorkerId, ProgrammeId, ReferralId, SupportPeriodId, VisitId};
use lahete_domain::link_worker::contract_on;
use lahete_domain::money::Cents;
use lahete_domain::support_period::SupportPeriod;
use lahete_domain::time::Month;
use lahete_domain::version::Version;
use lahete_domain::visit::{MonthHours, Visit, VisitContent, VisitState, VisitWorker, driver, expect_in_period};
use lahete_persistence::repo::referrals::Case;
use lahete_persistence::repo::visits::VisitFilter;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{MonthHoursView, NewVisitState, Reader, VisitCancel, VisitCreate, VisitHold, VisitNotAttended, VisitUpdate, VisitView};
use crate::error::{AppError, Fault, RuleProblem};
use crate::hour_sheets;
use crate::http::wire::{LongText, Patch};
use crate::operation::OpContext;
use crate::referrals::case::{self, OpenCase};
use crate::support_periods::cases::{OpenPeriod, audit_list, open_period, terms_on_day, visibility};

/// A visit to write down.
#[derive(Clone, Debug)]
pub(crate) struct NewVisit {
    /// What it is.
    pub content: VisitContent,
    /// Who makes it; the assigned link worker when nobody says otherwise.
    pub workers: Option<Vec<LinkWorkerId>>,
    /// Who drove, if somebody says so.
    pub driver: Option<LinkWorkerId>,
    /// Whether it took place already.
    pub held: bool,
    /// Why it may pass the month's hours.
    pub over_limit_reason: Option<String>,
}

/// The hours of a client in the month of a visit, without one visit.
fn month_hours(
    db: &mut Db<'_>,
    programme: ProgrammeId,
    client: ClientId,
    content: &VisitContent,
    except: Option<VisitId>,
) -> Result<MonthHours, AppError> {
    let limit = terms_on_day(db, programme, content.on)?.max_minutes_per_month;
    Ok(MonthHours { used: db.client_minutes_in_month(client, Month::of(content.on), except)?, limit })
}

/// The link workers of a visit. What an hour is paid is settled when the visit was held, by contract and terms of its day.
fn workers(
    db: &mut Db<'_>,
    programme: ProgrammeId,
    ids: &[LinkWorkerId],
    content: &VisitContent,
    held: bool,
) -> Result<Vec<VisitWorker>, AppError> {
    for (index, id) in ids.iter().enumerate() {
        if db.link_worker_get(*id)?.is_none_or(|worker| worker.programme != programme) {
            let fault = Fault::new(format!("/workers/{index}"), "unknown_link_worker", "The programme has no such link worker.");
            return Err(AppError::fault(fault));
        }
    }
    if !held {
        return Ok(ids.iter().map(|id| VisitWorker { link_worker: *id, fee_per_hour: Cents::default(), drives: false }).collect());
    }
    let programme_fee = terms_on_day(db, programme, content.on)?.fee_per_hour;
    let standings = db.link_worker_standings(ids, Month::of(content.on))?;
    ids.iter()
        .map(|id| {
            let contract = standings.get(id).and_then(|standing| contract_on(&standing.contracts, content.on));
            let fee_per_hour = contract.map(|contract| contract.fee(programme_fee)).ok_or_else(|| {
                RuleProblem::new("no_contract_on_visit_day", "the link worker has no contract that is in force on the day of the visit")
            })?;
            Ok(VisitWorker { link_worker: *id, fee_per_hour, drives: false })
        })
        .collect()
}

/// The link workers of a visit with the one who drove: the kilometres are theirs. Whoever drove before drives still, or else the assigned one.
fn with_driver(
    db: &mut Db<'_>,
    case: &Case,
    mut workers: Vec<VisitWorker>,
    named: Option<LinkWorkerId>,
    before: Option<LinkWorkerId>,
) -> Result<Vec<VisitWorker>, AppError> {
    let ids: Vec<_> = workers.iter().map(|worker| worker.link_worker).collect();
    let mut likely: Vec<_> = before.into_iter().collect();
    if ids.len() > 1 {
        likely.extend(assigned_worker(db, case)?);
    }
    let driver =
        driver(&ids, named, &likely).map_err(|error| AppError::fault(Fault::new("/driver_id", "not_among_workers", error.to_string())))?;
    for worker in &mut workers {
        worker.drives = driver == Some(worker.link_worker);
    }
    Ok(workers)
}

fn assigned_worker(db: &mut Db<'_>, case: &Case) -> Result<Vec<LinkWorkerId>, AppError> {
    let Some(assignment) = case.referral.state.assignment() else { return Ok(Vec::new()) };
    Ok(db.assignment_get(assignment)?.into_iter().map(|assignment| assignment.link_worker).collect())
}

/// Writes a visit down under the rules of the month and of the support period. The line of the timeline and the audit event are the
/// caller's.
///
/// # Errors
/// When a rule says no.
pub(crate) fn record(db: &mut Db<'_>, ctx: &OpContext, case: &Case, period: &SupportPeriod, new: NewVisit) -> Result<Visit, AppError> {
    period.expect_running()?;
    expect_in_period(new.content.on, period)?;
    let ids = match new.workers {
        Some(ids) => ids,
        None => assigned_worker(db, case)?,
    };
    let there = workers(db, period.programme, &ids, &new.content, new.held)?;
    let planned = Visit {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme: period.programme,
        referral: period.referral,
        client: period.client,
        support_period: period.id,
        workers: with_driver(db, case, there, new.driver, None)?,
        content: new.content,
        state: VisitState::Planned,
    };
    let visit = if new.held {
        let hours = month_hours(db, period.programme, period.client, &planned.content, None)?;
        let content = planned.content.clone();
        planned.hold(content, hours, new.over_limit_reason, ctx.now)?
    } else {
        planned
    };
    db.visit_insert(&visit)?;
    hour_sheets::cases::follow(db, ctx, &visit)?;
    Ok(visit)
}

/// A visit as it was just written, with what the hour sheet comes to: the caller's own, or for a coordinator that of whoever drove.
fn written(db: &mut Db<'_>, open: &OpenCase, visit: &Visit) -> Result<VisitView, AppError> {
    let mut view = one(db, open, visit)?;
    let whose = match open.role() {
        Some(Role::LinkWorker) => assigned_worker(db, &open.case)?.first().copied(),
        Some(Role::Coordinator) => visit.driver().or_else(|| visit.workers.first().map(|worker| worker.link_worker)),
        _ => None,
    };
    if let Some(worker) = whose.filter(|_| matches!(visit.state, VisitState::Held { .. })) {
        view.hour_sheet = hour_sheets::cases::sheet_of_visit(db, visit.id, worker)?.as_ref().map(Into::into);
    }
    Ok(view)
}

fn one(db: &mut Db<'_>, open: &OpenCase, visit: &Visit) -> Result<VisitView, AppError> {
    let hours = month_hours(db, visit.programme, visit.client, &visit.content, None)?;
    let ids: Vec<_> = visit.workers.iter().map(|worker| worker.link_worker).collect();
    let names = db.link_worker_names(&ids)?;
    let month = MonthHoursView::new(Month::of(visit.content.on), hours);
    let reader = match open.role() {
        Some(Role::Coordinator) => Reader::Coordinator,
        Some(Role::LinkWorker) => assigned_worker(db, &open.case)?.first().copied().map_or(Reader::Client, Reader::LinkWorker),
        _ => Reader::Client,
    };
    Ok(VisitView::new(visit, &names, reader, Some(month)))
}

/// A link worker writes down their own visits, and plans that nobody has carried out yet; not what another one has done before them.
fn expect_own(db: &mut Db<'_>, open: &OpenCase, visit: &Visit) -> Result<(), AppError> {
    let held = matches!(visit.state, VisitState::Held { .. });
    if !open.is(Role::LinkWorker) || !held || names_self(&assigned_worker(db, &open.case)?, &ids_of(visit)) {
        return Ok(());
    }
    Err(AppError::Forbidden { action: Action::VisitWrite.as_str() })
}

fn names_self(own: &[LinkWorkerId], workers: &[LinkWorkerId]) -> bool {
    own.iter().any(|own| workers.contains(own))
}

/// Whoever is named as a worker is paid: a link worker names themself, beside others if there were any.
fn expect_named(db: &mut Db<'_>, open: &OpenCase, workers: &[LinkWorkerId]) -> Result<(), AppError> {
    if !open.is(Role::LinkWorker) || names_self(&assigned_worker(db, &open.case)?, workers) {
        return Ok(());
    }
    Err(AppError::fault(Fault::new("/workers", "not_yours", "You write down visits of your own: name yourself among the workers.")))
}

/// Passing the limit is a right of its own.
fn writing(over_limit_reason: Option<&LongText<{ lahete_domain::text::REASON_MAX }>>) -> Action {
    if over_limit_reason.is_some() { Action::VisitOverrideLimit } else { Action::VisitWrite }
}

/// Writes a visit down.
///
/// # Errors
/// 404 and 403 by the policy, 409 when a rule says no, 422 for an unknown link worker.
pub(crate) fn create(db: &mut Db<'_>, ctx: &OpContext, id: SupportPeriodId, body: &VisitCreate) -> Result<(VisitView, Version), AppError> {
    let OpenPeriod { open, period } = open_period(db, ctx, writing(body.over_limit_reason.as_ref()), id)?;
    if let Some(workers) = &body.workers {
        expect_named(db, &open, &workers.ids())?;
    }
    let new = NewVisit {
        content: body.content(),
        workers: body.workers.as_ref().map(super::wire::Workers::ids),
        driver: body.driver_id.map(LinkWorkerId::from_uuid),
        held: body.state == NewVisitState::Held,
        over_limit_reason: body.over_limit_reason.clone().map(LongText::into_string),
    };
    let visit = record(db, ctx, &open.case, &period, new)?;
    db.support_period_moved_on(period.id)?;
    let kind = if body.state == NewVisitState::Held { EventKind::VisitHeld } else { EventKind::VisitPlanned };
    case::note(db, ctx, &open, kind, None, None)?;
    Ok((written(db, &open, &visit)?, visit.version))
}

/// Reads a visit.
///
/// # Errors
/// 404 when there is none or the caller may not see it.
pub(crate) fn view(db: &mut Db<'_>, ctx: &OpContext, id: VisitId) -> Result<(VisitView, Version), AppError> {
    let found = db.visit_get(id)?;
    let open = case::open(db, ctx, Action::VisitView, found.as_ref().map_or_else(ReferralId::nil, |visit| visit.referral))?;
    let visit = found.ok_or(AppError::NotFound(VisitId::RESOURCE))?;
    case::audit(db, ctx, &open, AuditAction::Read);
    Ok((one(db, &open, &visit)?, visit.version))
}

/// Lists the visits that the caller may see.
///
/// # Errors
/// When the database fails.
pub(crate) fn list(db: &mut Db<'_>, ctx: &OpContext, filter: VisitFilter, request: &PageRequest) -> Result<Page<VisitView>, AppError> {
    let page = db.visit_list(&visibility(ctx, Action::VisitView), ctx.now.helsinki_date(), filter, request)?;
    let people: Vec<_> = page.items.iter().map(|visit| (visit.programme, visit.client, visit.referral)).collect();
    let veiled = audit_list(db, ctx, Action::VisitView, &people)?;
    let mut page = views(db, ctx, page)?;
    for view in page.items.iter_mut().filter(|view| veiled.contains(&ReferralId::from_uuid(view.referral_id))) {
        view.veil();
    }
    Ok(page)
}

/// A page of the visits that a visibility opens, as the client themself reads them. The line in the audit trail is the caller's.
///
/// # Errors
/// When the database fails.
pub(crate) fn page_for_client(
    db: &mut Db<'_>,
    ctx: &OpContext,
    visibility: &Visibility,
    filter: VisitFilter,
    request: &PageRequest,
) -> Result<Page<VisitView>, AppError> {
    let page = db.visit_list(visibility, ctx.now.helsinki_date(), filter, request)?;
    let names = db.link_worker_names(&workers_of(&page))?;
    page.try_map(|visit| Ok(VisitView::new(&visit, &names, Reader::Client, None)))
}

/// Lists the visits of a support period.
///
/// # Errors
/// 404 when there is no such support period or the caller may not see it.
pub(crate) fn list_of(db: &mut Db<'_>, ctx: &OpContext, id: SupportPeriodId, request: &PageRequest) -> Result<Page<VisitView>, AppError> {
    let OpenPeriod { open, .. } = open_period(db, ctx, Action::VisitView, id)?;
    let filter = VisitFilter { support_period: Some(id), ..VisitFilter::default() };
    let page = db.visit_list(&visibility(ctx, Action::VisitView), ctx.now.helsinki_date(), filter, request)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    views(db, ctx, page)
}

fn workers_of(page: &Page<Visit>) -> Vec<LinkWorkerId> {
    let mut ids: Vec<_> = page.items.iter().flat_map(|visit| &visit.workers).map(|worker| worker.link_worker).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn views(db: &mut Db<'_>, ctx: &OpContext, page: Page<Visit>) -> Result<Page<VisitView>, AppError> {
    let names = db.link_worker_names(&workers_of(&page))?;
    let mut own = BTreeMap::new();
    if let Some(user) = ctx.actor.user() {
        for programme in ctx.actor.programmes(Role::LinkWorker) {
            if let Some(worker) = db.link_worker_by_user(user, programme)? {
                own.insert(programme, worker.id);
            }
        }
    }
    page.try_map(|visit| {
        let reader = if ctx.actor.has(Role::Coordinator, visit.programme) {
            Reader::Coordinator
        } else {
            own.get(&visit.programme).copied().map_or(Reader::Client, Reader::LinkWorker)
        };
        Ok(VisitView::new(&visit, &names, reader, None))
    })
}

/// A visit that the caller may change, in its support period, at the version that they read.
fn open_visit(db: &mut Db<'_>, ctx: &OpContext, action: Action, id: VisitId) -> Result<(OpenCase, SupportPeriod, Visit), AppError> {
    let found = db.visit_get(id)?;
    let period = found.as_ref().map_or_else(SupportPeriodId::nil, |visit| visit.support_period);
    let OpenPeriod { open, period } = open_period(db, ctx, action, period)?;
    let visit = found.ok_or(AppError::NotFound(VisitId::RESOURCE))?;
    expect_own(db, &open, &visit)?;
    ctx.expect_version(visit.version)?;
    period.expect_running()?;
    Ok((open, period, visit))
}

fn store(
    db: &mut Db<'_>,
    ctx: &OpContext,
    open: &OpenCase,
    visit: Visit,
    kind: EventKind,
    reason: Option<&'static str>,
) -> Result<(VisitView, Version), AppError> {
    let expected = visit.version;
    db.visit_update(&visit, expected)?;
    db.support_period_moved_on(visit.support_period)?;
    case::note(db, ctx, open, kind, reason, None)?;
    let stored = Visit { version: expected.next(), ..visit };
    hour_sheets::cases::follow(db, ctx, &stored)?;
    Ok((written(db, open, &stored)?, stored.version))
}

fn ids_of(visit: &Visit) -> Vec<LinkWorkerId> {
    visit.workers.iter().map(|worker| worker.link_worker).collect()
}

/// Corrects a planned or held visit.
///
/// # Errors
/// 404 and 403 by the policy, 409 when a rule says no, 412 and 428 by the version, 422 for a member that cannot be taken away.
pub(crate) fn update(db: &mut Db<'_>, ctx: &OpContext, id: VisitId, body: &VisitUpdate) -> Result<(VisitView, Version), AppError> {
    let (open, period, mut visit) = open_visit(db, ctx, writing(body.over_limit_reason.as_ref()), id)?;
    let content = body.content(visit.content.clone())?;
    expect_in_period(content.on, &period)?;
    let held = matches!(visit.state, VisitState::Held { .. });
    let ids = match &body.workers {
        Patch::Absent => ids_of(&visit),
        Patch::Null => Vec::new(),
        Patch::Value(workers) => workers.ids(),
    };
    if !body.workers.is_absent() {
        expect_named(db, &open, &ids)?;
    }
    let before = visit.driver();
    // A fee was settled for the day and the people of the visit; it changes only with them.
    if ids != ids_of(&visit) || content.on != visit.content.on {
        visit.workers = workers(db, visit.programme, &ids, &content, held)?;
    }
    visit.workers = with_driver(db, &open.case, visit.workers, body.driver_id.map(LinkWorkerId::from_uuid), before)?;
    let hours = month_hours(db, visit.programme, visit.client, &content, Some(id))?;
    let reason = body.over_limit_reason.clone().map(LongText::into_string);
    let visit = visit.correct(content, hours, reason, ctx.now.helsinki_date())?;
    store(db, ctx, &open, visit, EventKind::VisitChanged, None)
}

/// Records that a planned visit took place.
///
/// # Errors
/// 404 and 403 by the policy, 409 when a rule says no, 412 and 428 by the version, 422 for an unknown link worker.
pub(crate) fn hold(db: &mut Db<'_>, ctx: &OpContext, id: VisitId, body: &VisitHold) -> Result<(VisitView, Version), AppError> {
    let (open, period, mut visit) = open_visit(db, ctx, writing(body.over_limit_reason.as_ref()), id)?;
    let content = body.content(&visit.content);
    expect_in_period(content.on, &period)?;
    let ids = body.workers.as_ref().map_or_else(|| ids_of(&visit), super::wire::Workers::ids);
    expect_named(db, &open, &ids)?;
    let hours = month_hours(db, visit.programme, visit.client, &content, Some(id))?;
    let before = visit.driver();
    let there = workers(db, visit.programme, &ids, &content, true)?;
    visit.workers = with_driver(db, &open.case, there, body.driver_id.map(LinkWorkerId::from_uuid), before)?;
    let reason = body.over_limit_reason.clone().map(LongText::into_string);
    let visit = visit.hold(content, hours, reason, ctx.now)?;
    store(db, ctx, &open, visit, EventKind::VisitHeld, None)
}

/// Calls a planned visit off.
///
/// # Errors
/// 404 and 403 by the policy, 409 when it is not planned any more, 412 and 428 by the version.
pub(crate) fn cancel(db: &mut Db<'_>, ctx: &OpContext, id: VisitId, body: &VisitCancel) -> Result<(VisitView, Version), AppError> {
    let (open, _, visit) = open_visit(db, ctx, Action::VisitWrite, id)?;
    let visit = visit.cancel(body.by.0, body.reason.map(|reason| reason.0))?;
    store(db, ctx, &open, visit, EventKind::VisitCancelled, Some(body.by.0.as_str()))
}

/// Records that somebody did not come.
///
/// # Errors
/// 404 and 403 by the policy, 409 when it is not planned any more or still to come, 412 and 428 by the version.
pub(crate) fn not_attended(
    db: &mut Db<'_>,
    ctx: &OpContext,
    id: VisitId,
    body: &VisitNotAttended,
) -> Result<(VisitView, Version), AppError> {
    let (open, _, visit) = open_visit(db, ctx, Action::VisitWrite, id)?;
    let visit = visit.not_attended(body.by.0, body.reason.0, ctx.now.helsinki_date())?;
    store(db, ctx, &open, visit, EventKind::VisitNotAttended, Some(body.by.0.as_str()))
}
