//! What can be done with support periods, and how the other rooms of the support work get at one.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use lahete_domain::access::{self, Action, Scope, Visibility};
use lahete_domain::actor::Grant;
use lahete_domain::codes::{AuditAction, Code as _, EventKind, Instrument, Role, Timepoint};
use lahete_domain::ids::{ClientId, Id as _, ProgrammeId, ProgrammeTermsId, ReferralId, SupportPeriodId};
use lahete_domain::link_worker::absence_from;
use lahete_domain::programme::{DEFAULT_FEE_PER_HOUR, DEFAULT_MAX_MINUTES_PER_MONTH, DEFAULT_MAX_MONTHS, Terms, terms_on};
use lahete_domain::programme_break::break_on;
use lahete_domain::support_period::{EndFacts, EndProposal, Start, SupportPeriod};
use lahete_domain::time::Month;
use lahete_domain::visit::MonthHours;
use lahete_persistence::repo::support_periods::SupportPeriodFilter;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{
    SupportPeriodChangeLinkWorker, SupportPeriodEnd, SupportPeriodExtend, SupportPeriodPause, SupportPeriodProposeEnd, SupportPeriodStart,
    SupportPeriodView, Surroundings,
};
use crate::activity_links;
use crate::assignments;
use crate::error::AppError;
use crate::hour_sheets;
use crate::http::wire::LongText;
use crate::measures;
use crate::operation::OpContext;
use crate::referrals::case::{self, OpenCase};
use crate::referrals::wire::ClosingNeedsView;
use crate::visits::cases::{NewVisit, record};
use crate::visits::wire::MonthHoursView;

/// A support period that the caller may work on.
#[derive(Clone, Debug)]
pub(crate) struct OpenPeriod {
    /// The case that it belongs to.
    pub open: OpenCase,
    /// The support period.
    pub period: SupportPeriod,
}

/// Opens a support period for an action.
///
/// # Errors
/// 404 when there is none or the caller may not know of it, 403 when they may see it but not do this.
pub(crate) fn open_period(db: &mut Db<'_>, ctx: &OpContext, action: Action, id: SupportPeriodId) -> Result<OpenPeriod, AppError> {
    let found = db.support_period_get(id)?;
    let open = case::open(db, ctx, action, found.as_ref().map_or_else(ReferralId::nil, |period| period.referral))?;
    let period = found.ok_or(AppError::NotFound(SupportPeriodId::RESOURCE))?;
    Ok(OpenPeriod { open, period })
}

/// The limits and fees of a programme on a day; the pilot's own where the programme has set none by then.
///
/// # Errors
/// When the database fails.
pub(crate) fn terms_on_day(db: &mut Db<'_>, programme: ProgrammeId, day: NaiveDate) -> Result<Terms, AppError> {
    let all = db.terms_of(programme)?;
    Ok(terms_on(&all, day).cloned().unwrap_or_else(|| Terms {
        id: ProgrammeTermsId::from_uuid(programme.as_uuid()),
        programme,
        valid_from: day,
        max_months: DEFAULT_MAX_MONTHS,
        max_minutes_per_month: DEFAULT_MAX_MINUTES_PER_MONTH,
        fee_per_hour: DEFAULT_FEE_PER_HOUR,
    }))
}

/// Which rows of a list the caller may see.
pub(crate) fn visibility(ctx: &OpContext, action: Action) -> Visibility {
    access::visibility(&ctx.actor, action)
}

/// The role by which a list shows its rows of a programme: the one that reaches farthest.
fn list_grant(ctx: &OpContext, action: Action, programme: ProgrammeId) -> Option<&Grant> {
    let grants = ctx.actor.grants.iter().filter(|grant| grant.programme == programme);
    let reach = |grant: &&Grant| match access::scope(grant.role, action) {
        Scope::None => 0,
        Scope::Own => 1,
        Scope::Programme => 2,
    };
    grants.filter(|grant| reach(grant) > 0).max_by_key(reach)
}

/// Notes in the audit trail that a list was read: one event for each client in it. Gives the referrals that lie behind the caller, who has given no
/// reason to look at them: their rows are shown without what was said about the client, and are no reading about the client.
///
/// # Errors
/// When the database fails.
pub(crate) fn audit_list(
    db: &mut Db<'_>,
    ctx: &OpContext,
    action: Action,
    people: &[(ProgrammeId, ClientId, ReferralId)],
) -> Result<BTreeSet<ReferralId>, AppError> {
    let today = ctx.now.helsinki_date();
    let coordinates = people.iter().any(|(programme, ..)| ctx.actor.has(Role::Coordinator, *programme));
    let past: BTreeSet<ReferralId> = if coordinates && ctx.reason.is_none() {
        let ids: BTreeSet<ReferralId> = people.iter().map(|(.., referral)| *referral).collect();
        let standings = db.referral_standings(&ids.into_iter().collect::<Vec<_>>())?;
        standings.into_iter().filter(|(_, (state, since))| access::is_past(*state, *since, today)).map(|(id, _)| id).collect()
    } else {
        BTreeSet::new()
    };
    let (mut noted, mut veiled) = (BTreeSet::new(), BTreeSet::new());
    for (programme, client, referral) in people {
        let Some(grant) = list_grant(ctx, action, *programme) else { continue };
        if ctx.veils(grant.role, past.contains(referral)) {
            veiled.insert(*referral);
        } else if noted.insert(*client) {
            ctx.audit(db, grant, AuditAction::Read, Some(*client), Some(*referral));
        }
    }
    Ok(veiled)
}

fn views(db: &mut Db<'_>, ctx: &OpContext, periods: &[SupportPeriod]) -> Result<Vec<SupportPeriodView>, AppError> {
    let today = ctx.now.helsinki_date();
    let month = Month::of(today);
    let referrals: Vec<_> = periods.iter().map(|period| period.referral).collect();
    let ids: Vec<_> = periods.iter().map(|period| period.id).collect();
    let clients: Vec<_> = periods.iter().map(|period| period.client).collect::<BTreeSet<_>>().into_iter().collect();
    let companions = db.companions(&referrals)?;
    let totals = db.visit_totals(&ids)?;
    let used = db.clients_minutes_in_month(&clients, month)?;
    let unanswered = db.activity_links_unanswered(&referrals)?;
    let mut limits: BTreeMap<ProgrammeId, i64> = BTreeMap::new();
    let running: Vec<_> = periods.iter().filter(|period| period.expect_running().is_ok()).collect();
    let breaks = db.breaks_of_all(running.iter().map(|period| period.programme))?;
    let walking: Vec<_> = companions.iter().filter(|companion| companion.current).map(|companion| companion.link_worker).collect();
    let absences = db.absences_from(&walking, today)?;
    for period in periods {
        if let Entry::Vacant(place) = limits.entry(period.programme) {
            place.insert(terms_on_day(db, period.programme, today)?.max_minutes_per_month);
        }
    }
    let view = |period: &SupportPeriod| {
        let hours = MonthHours {
            used: used.get(&period.client).copied().unwrap_or_default(),
            limit: limits.get(&period.programme).copied().unwrap_or(DEFAULT_MAX_MINUTES_PER_MONTH),
        };
        let companion = companions.iter().find(|companion| companion.referral == period.referral);
        let away = companion.filter(|companion| companion.current).and_then(|companion| absences.get(&companion.link_worker));
        let around = Surroundings {
            programme_break: breaks.get(&period.programme).filter(|_| period.expect_running().is_ok()).and_then(|all| break_on(all, today)),
            absence: away.and_then(|all| absence_from(all, today)),
            today,
            companion,
            month_hours: MonthHoursView::new(month, hours),
            months: totals.get(&period.id).map_or(&[], Vec::as_slice),
            unanswered_links: unanswered.get(&period.referral).copied().unwrap_or_default(),
        };
        SupportPeriodView::new(period, around)
    };
    Ok(periods.iter().map(view).collect())
}

/// The stored support period as it is shown after a change.
fn stored(db: &mut Db<'_>, ctx: &OpContext, id: SupportPeriodId) -> Result<(SupportPeriodView, SupportPeriod), AppError> {
    let period = db.support_period_get(id)?.ok_or(AppError::NotFound(SupportPeriodId::RESOURCE))?;
    let found = views(db, ctx, std::slice::from_ref(&period))?.pop();
    let mut view = found.ok_or_else(|| AppError::internal("a support period without a view"))?;
    if period.expect_running().is_err() {
        view.needs = Some(ClosingNeedsView::from(&db.referral_closing(period.referral)?));
    }
    Ok((view, period))
}

/// Starts the support (product §4 row 10): the period, its first visit, the measures of the start, and the referral's new state, all or
/// nothing.
///
/// # Errors
/// 404 and 403 by the policy, 409 when a rule says no, 412 and 428 by the referral's version, 422 when answers do not fit.
pub(crate) fn start(
    db: &mut Db<'_>,
    ctx: &OpContext,
    id: ReferralId,
    body: &SupportPeriodStart,
) -> Result<(SupportPeriodView, SupportPeriod), AppError> {
    let open = case::open(db, ctx, Action::SupportStart, id)?;
    ctx.expect_version(open.case.referral.version)?;
    let (programme, client) = (open.case.referral.programme, open.case.referral.client);
    let period_id: SupportPeriodId = ctx.ids.next();
    let changed = open.case.referral.clone().start_support(period_id, ctx.now)?;
    let terms = terms_on_day(db, programme, body.starts_on)?;
    let today = ctx.now.helsinki_date();
    let start = Start {
        starts_on: body.starts_on,
        planned_end_on: body.planned_end_on,
        submitted_on: open.case.referral.submission.as_ref().map(|submission| submission.on),
    };
    let period = SupportPeriod::start(period_id, programme, id, client, start, &terms, today)?;
    let swemwbs = measures::cases::in_use(db, programme, Instrument::Swemwbs)?;
    let measure = body.start_measure.scored(&swemwbs, "/start_measure")?;
    let recommendation = match &body.start_recommendation {
        Some(answer) => {
            let recommendation = measures::cases::in_use(db, programme, Instrument::Recommendation)?;
            let scored = answer.scored(&recommendation, "/start_recommendation")?;
            Some((recommendation, scored))
        }
        None => None,
    };
    db.support_period_insert(&period)?;
    let first = NewVisit { content: body.first_visit.content(), workers: None, driver: None, held: true, over_limit_reason: None };
    let visit = record(db, ctx, &open.case, &period, first)?;
    measures::cases::record(db, ctx, &period, &swemwbs, Timepoint::Start, measure)?;
    if let Some((recommendation, answer)) = recommendation {
        measures::cases::record(db, ctx, &period, &recommendation, Timepoint::Start, answer)?;
    }
    case::commit(db, ctx, &open, changed, None)?;
    case::line(db, ctx, &open, EventKind::VisitHeld)?;
    case::line(db, ctx, &open, EventKind::MeasureRecorded)?;
    let (mut view, period) = stored(db, ctx, period_id)?;
    // The first visit is made by the assigned link worker alone.
    if let Some(worker) = visit.workers.first() {
        view.hour_sheet = hour_sheets::cases::sheet_of_visit(db, visit.id, worker.link_worker)?.as_ref().map(Into::into);
    }
    Ok((view, period))
}

/// Reads a support period.
///
/// # Errors
/// 404 when there is none or the caller may not see it.
pub(crate) fn view(db: &mut Db<'_>, ctx: &OpContext, id: SupportPeriodId) -> Result<(SupportPeriodView, SupportPeriod), AppError> {
    let OpenPeriod { open, .. } = open_period(db, ctx, Action::SupportView, id)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    stored(db, ctx, id)
}

/// Lists the support periods that the caller may see.
///
/// # Errors
/// When the database fails.
pub(crate) fn list(
    db: &mut Db<'_>,
    ctx: &OpContext,
    filter: SupportPeriodFilter,
    request: &PageRequest,
) -> Result<Page<SupportPeriodView>, AppError> {
    let mut page = page_of(db, ctx, &visibility(ctx, Action::SupportView), filter, request)?;
    let people: Vec<_> = page.items.iter().map(whose).collect();
    let veiled = audit_list(db, ctx, Action::SupportView, &people)?;
    for view in page.items.iter_mut().filter(|view| veiled.contains(&ReferralId::from_uuid(view.referral_id))) {
        view.veil();
    }
    Ok(page)
}

fn whose(view: &SupportPeriodView) -> (ProgrammeId, ClientId, ReferralId) {
    (ProgrammeId::from_uuid(view.programme_id), ClientId::from_uuid(view.client_id), ReferralId::from_uuid(view.referral_id))
}

/// A page of what a visibility opens. The line in the audit trail is the caller's.
///
/// # Errors
/// When the database fails.
pub(crate) fn page_of(
    db: &mut Db<'_>,
    ctx: &OpContext,
    visibility: &Visibility,
    filter: SupportPeriodFilter,
    request: &PageRequest,
) -> Result<Page<SupportPeriodView>, AppError> {
    let page = db.support_period_list(visibility, ctx.now.helsinki_date(), filter, request)?;
    Ok(Page { items: views(db, ctx, &page.items)?, next: page.next })
}

fn open_at_version(db: &mut Db<'_>, ctx: &OpContext, action: Action, id: SupportPeriodId) -> Result<OpenPeriod, AppError> {
    let found = open_period(db, ctx, action, id)?;
    ctx.expect_version(found.period.version)?;
    Ok(found)
}

fn words(text: Option<&LongText<{ lahete_domain::text::REASON_MAX }>>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

/// Stops for a while. The end date stays.
///
/// # Errors
/// 404 and 403 by the policy, 409 when it is not active, 412 and 428 by the version.
pub(crate) fn pause(
    db: &mut Db<'_>,
    ctx: &OpContext,
    id: SupportPeriodId,
    body: &SupportPeriodPause,
) -> Result<(SupportPeriodView, SupportPeriod), AppError> {
    let OpenPeriod { open, period } = open_at_version(db, ctx, Action::SupportPause, id)?;
    let expected = period.version;
    let paused = period.pause(body.reason.0, ctx.now)?;
    db.support_period_update(&paused, expected)?;
    case::note(db, ctx, &open, EventKind::SupportPaused, Some(body.reason.0.as_str()), words(body.comment.as_ref()))?;
    stored(db, ctx, id)
}

/// Goes on after a pause.
///
/// # Errors
/// 404 and 403 by the policy, 409 when it is not paused, 412 and 428 by the version.
pub(crate) fn resume(db: &mut Db<'_>, ctx: &OpContext, id: SupportPeriodId) -> Result<(SupportPeriodView, SupportPeriod), AppError> {
    let OpenPeriod { open, period } = open_at_version(db, ctx, Action::SupportPause, id)?;
    let expected = period.version;
    let resumed = period.resume()?;
    db.support_period_update(&resumed, expected)?;
    case::note(db, ctx, &open, EventKind::SupportResumed, None, None)?;
    stored(db, ctx, id)
}

/// Moves the planned end. The terms of the day on which it started decide how far.
///
/// # Errors
/// 404 and 403 by the policy, 409 when it has ended or the new end is out of range, 412 and 428 by the version.
pub(crate) fn extend(
    db: &mut Db<'_>,
    ctx: &OpContext,
    id: SupportPeriodId,
    body: &SupportPeriodExtend,
) -> Result<(SupportPeriodView, SupportPeriod), AppError> {
    let OpenPeriod { open, period } = open_at_version(db, ctx, Action::SupportExtend, id)?;
    let terms = terms_on_day(db, period.programme, period.starts_on)?;
    let expected = period.version;
    let extended = period.extend(body.planned_end_on, &terms, ctx.now.helsinki_date())?;
    db.support_period_update(&extended, expected)?;
    case::note(db, ctx, &open, EventKind::SupportExtended, None, words(Some(&body.reason)))?;
    stored(db, ctx, id)
}

/// Releases today's link worker and proposes another one. The end date stays.
///
/// # Errors
/// 404 and 403 by the policy, 409 when a rule says no, 412 and 428 by the version, 422 for an unknown link worker.
pub(crate) fn change_link_worker(
    db: &mut Db<'_>,
    ctx: &OpContext,
    id: SupportPeriodId,
    body: &SupportPeriodChangeLinkWorker,
) -> Result<(SupportPeriodView, SupportPeriod), AppError> {
    let OpenPeriod { open, period } = open_at_version(db, ctx, Action::SupportChangeLinkWorker, id)?;
    period.expect_running()?;
    if open.case.referral.state.assignment().is_some() {
        let changed = open.case.referral.clone().release_link_worker(body.reason.0)?;
        case::commit(db, ctx, &open, changed, None)?;
    }
    let proposal = assignments::wire::NewAssignment { link_worker_id: body.link_worker_id, message: body.message.clone() };
    assignments::cases::propose(db, ctx, period.referral, &proposal)?;
    db.support_period_moved_on(id)?;
    stored(db, ctx, id)
}

/// The link worker proposes to end.
///
/// # Errors
/// 404 and 403 by the policy, 409 when it has ended, 412 and 428 by the version.
pub(crate) fn propose_end(
    db: &mut Db<'_>,
    ctx: &OpContext,
    id: SupportPeriodId,
    body: &SupportPeriodProposeEnd,
) -> Result<(SupportPeriodView, SupportPeriod), AppError> {
    let OpenPeriod { open, period } = open_at_version(db, ctx, Action::SupportProposeEnd, id)?;
    let by = ctx.user()?;
    let expected = period.version;
    let proposed = period.propose_end(EndProposal { by, at: ctx.now, reason: body.reason.as_str().to_owned() })?;
    db.support_period_update(&proposed, expected)?;
    case::note(db, ctx, &open, EventKind::EndProposed, None, words(Some(&body.reason)))?;
    stored(db, ctx, id)
}

/// Ends the support, when everything that must be known is known, and closes the referral (product §4 row 12).
///
/// # Errors
/// 404 and 403 by the policy, 409 when a rule says no, 412 and 428 by the version, 422 when answers do not fit.
pub(crate) fn end(
    db: &mut Db<'_>,
    ctx: &OpContext,
    id: SupportPeriodId,
    body: &SupportPeriodEnd,
) -> Result<(SupportPeriodView, SupportPeriod), AppError> {
    let OpenPeriod { open, period } = open_at_version(db, ctx, Action::SupportEnd, id)?;
    period.expect_running()?;
    let given = [
        (Instrument::Swemwbs, &body.end_measure, "/end_measure"),
        (Instrument::Recommendation, &body.end_recommendation, "/end_recommendation"),
    ];
    for (instrument, answer, pointer) in given {
        if let Some(answer) = answer {
            let instrument = measures::cases::in_use(db, period.programme, instrument)?;
            let scored = answer.scored(&instrument, pointer)?;
            measures::cases::record(db, ctx, &period, &instrument, Timepoint::End, scored)?;
        }
    }
    activity_links::cases::answer(db, ctx, &open, &body.activity_links)?;
    db.referral_closing_put(period.referral, &body.needs())?;
    let measures = db.measures_of(id)?;
    let facts = EndFacts { measures: &measures, planned_visits: db.visits_planned(id)?, last_visit_on: db.visit_last_held_on(id)? };
    let expected = period.version;
    let ended = period.end(body.ended_on, facts, ctx.now.helsinki_date())?;
    let by = open.closed_by(ctx)?;
    let changed = open.case.referral.clone().end_support(body.outcome.0, body.end_reason.0, by, ctx.now)?;
    db.support_period_update(&ended, expected)?;
    case::line(db, ctx, &open, EventKind::SupportEnded)?;
    case::commit(db, ctx, &open, changed, words(body.comment.as_ref()))?;
    stored(db, ctx, id)
}
