//! What is done with link workers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use lahete_domain::access::{self, Action, Subject};
use lahete_domain::actor::Validity;
use lahete_domain::codes::LinkWorkerStatus;
use lahete_domain::ids::{Id, LinkWorkerId, OrganisationId, ProgrammeId, UserId};
use lahete_domain::link_worker::{Absence, Contract, LinkWorker, Training, refresher_due_on};
use lahete_domain::money::Cents;
use lahete_domain::programme::{DEFAULT_REFRESHER_MONTHS, MunicipalityCode};
use lahete_domain::retention::last_day_due;
use lahete_domain::time::{Instant, Month};
use lahete_domain::version::Version;
use lahete_persistence::repo::link_workers::{LinkWorkerFilter, Standing};
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{LinkWorkerQuery, LinkWorkerUpdate, NewContract, NewLinkWorker, NewTraining};
use crate::error::{AppError, Fault, RuleProblem};
use crate::operation::OpContext;

/// A link worker with contracts, trainings, clients and hours.
#[derive(Clone, Debug)]
pub struct LinkWorkerCard {
    /// The record.
    pub link_worker: LinkWorker,
    /// What is known besides.
    pub standing: Standing,
    /// Absences that are not over.
    pub absences: Vec<Absence>,
    /// When the training is to be refreshed.
    pub refresher_due_on: Option<NaiveDate>,
}

/// A link worker as the access policy sees them: their own record is theirs.
fn subject(worker: &LinkWorker) -> Subject {
    Subject { link_worker: Some(worker.user), ..Subject::of_programme(worker.programme) }
}

fn month_of(now: Instant) -> Month {
    Month::of(now.helsinki_date())
}

fn card(db: &mut Db<'_>, now: Instant, link_worker: LinkWorker) -> Result<LinkWorkerCard, AppError> {
    let id = link_worker.id;
    let standing = db.link_worker_standings(&[id], month_of(now))?.remove(&id).unwrap_or_default();
    let absences = db.absences_from(&[id], now.helsinki_date())?.remove(&id).unwrap_or_default();
    let months = refresher_months(db, link_worker.programme)?;
    let refresher_due_on = refresher_due_on(&standing.trainings, months);
    Ok(LinkWorkerCard { link_worker, standing, absences, refresher_due_on })
}

/// After how many months a programme has trainings refreshed.
fn refresher_months(db: &mut Db<'_>, programme: ProgrammeId) -> Result<u32, AppError> {
    Ok(db.programme_get(programme)?.map_or(DEFAULT_REFRESHER_MONTHS, |programme| programme.refresher_months))
}

/// A link worker for an action.
///
/// # Errors
/// 404 when there is none or the caller may not see them, 403 when they may see them but not do this.
pub(crate) fn find(db: &mut Db<'_>, ctx: &OpContext, action: Action, id: LinkWorkerId) -> Result<LinkWorker, AppError> {
    let worker = db.link_worker_get(id)?.ok_or(AppError::NotFound(LinkWorkerId::RESOURCE))?;
    ctx.require(db, action, &subject(&worker), None, None)?;
    Ok(worker)
}

/// One link worker.
///
/// # Errors
/// 404 when there is none, or it is not the caller's own record or programme.
pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: LinkWorkerId) -> Result<LinkWorkerCard, AppError> {
    let worker = find(db, ctx, Action::LinkWorkerView, id)?;
    card(db, ctx.now, worker)
}

/// The link workers that the caller may see.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &LinkWorkerQuery, page: &PageRequest) -> Result<Page<LinkWorkerCard>, AppError> {
    let visible = access::visibility(&ctx.actor, Action::LinkWorkerView);
    let wanted = query.programme_id.map(ProgrammeId::from_uuid);
    let keep = |programme: &ProgrammeId| wanted.is_none_or(|wanted| wanted == *programme);
    let filter = LinkWorkerFilter {
        programmes: visible.programmes.into_iter().filter(keep).collect(),
        own: visible.assigned_to.map(|(user, programmes)| (user, programmes.into_iter().filter(keep).collect())),
        municipality: query.municipality.as_ref().map(|municipality| municipality.0.clone()),
        status: query.status.map(|status| status.0),
        language: query.language.as_ref().map(|tag| tag.as_str().to_owned()),
        available_on: query.available_on,
        trained_until: None,
    };
    let programmes: BTreeSet<ProgrammeId> =
        filter.programmes.iter().chain(filter.own.iter().flat_map(|(_, programmes)| programmes)).copied().collect();
    let mut months = BTreeMap::new();
    for programme in programmes {
        months.insert(programme, refresher_months(db, programme)?);
    }
    let last_day = |before: NaiveDate, months: u32| last_day_due(before.pred_opt().unwrap_or(before), months);
    let trained_until =
        query.refresher_due_before.map(|before| months.iter().map(|(programme, months)| (*programme, last_day(before, *months))).collect());
    let found = db.link_worker_list(&LinkWorkerFilter { trained_until, ..filter }, page)?;
    let ids: Vec<_> = found.items.iter().map(|worker| worker.id).collect();
    let mut standings = db.link_worker_standings(&ids, month_of(ctx.now))?;
    let mut absences = db.absences_from(&ids, ctx.now.helsinki_date())?;
    found.try_map(|link_worker| {
        let standing = standings.remove(&link_worker.id).unwrap_or_default();
        let months = months.get(&link_worker.programme).copied().unwrap_or(DEFAULT_REFRESHER_MONTHS);
        let refresher_due_on = refresher_due_on(&standing.trainings, months);
        let absences = absences.remove(&link_worker.id).unwrap_or_default();
        Ok(LinkWorkerCard { link_worker, standing, absences, refresher_due_on })
    })
}

/// Adds a link worker.
///
/// # Errors
/// 404 outside the caller's programmes; 422 when the sign-in is not one of the programme; 409 when that person is a link worker already.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, new: &NewLinkWorker) -> Result<LinkWorkerCard, AppError> {
    let programme = ProgrammeId::from_uuid(new.programme_id);
    ctx.require(db, Action::LinkWorkerManage, &Subject::of_programme(programme), None, None)?;
    let user = UserId::from_uuid(new.user_id);
    if db.user_get(user)?.is_none_or(|found| found.programme != programme) {
        return Err(AppError::fault(Fault::new("/user_id", "not_found", "The programme has no such user.")));
    }
    if db.link_worker_by_user(user, programme)?.is_some() {
        return Err(RuleProblem::new("link_worker_exists", "This person is a link worker of the programme already.").into());
    }
    let worker = LinkWorker {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme,
        user,
        name: new.name.as_str().to_owned(),
        status: LinkWorkerStatus::Active,
        municipalities: new.municipalities.0.iter().map(|place| place.0.clone()).collect(),
        languages: new.languages.0.iter().map(|tag| tag.as_str().to_owned()).collect(),
        interests: new.interests.as_ref().map(|text| text.as_str().to_owned()),
        max_clients: new.max_clients.0,
        hours_per_month: new.hours_per_month.0,
    };
    db.link_worker_insert(&worker)?;
    card(db, ctx.now, worker)
}

/// Changes a link worker. Languages and interests are the link worker's own to say, too.
///
/// # Errors
/// 404, 403; 412 and 428 by the version.
pub fn update(db: &mut Db<'_>, ctx: &OpContext, id: LinkWorkerId, change: &LinkWorkerUpdate) -> Result<LinkWorkerCard, AppError> {
    let action = if change.is_own() { Action::LinkWorkerOwnUpdate } else { Action::LinkWorkerManage };
    let present = find(db, ctx, action, id)?;
    ctx.expect_version(present.version)?;
    let expected = present.version;
    let places = change.municipalities.clone().map(|set| set.0.into_iter().map(|place| place.0).collect::<BTreeSet<MunicipalityCode>>());
    let tags = change.languages.clone().map(|set| set.0.into_iter().map(|tag| tag.into_string()).collect());
    let changed = LinkWorker {
        version: expected.next(),
        name: change.name.clone().map(String::from).apply(present.name),
        status: change.status.map(|status| status.0).apply(present.status),
        municipalities: places.apply(present.municipalities),
        languages: tags.apply(present.languages),
        interests: change.interests.clone().map(String::from).apply(present.interests),
        max_clients: change.max_clients.map(|count| count.0).apply(present.max_clients),
        hours_per_month: change.hours_per_month.map(|count| count.0).apply(present.hours_per_month),
        ..present
    };
    db.link_worker_update(&changed, expected)?;
    card(db, ctx.now, changed)
}

/// A page of a link worker's contracts.
///
/// # Errors
/// 404 when there is no such link worker, or the caller may not see them.
pub fn contracts(db: &mut Db<'_>, ctx: &OpContext, id: LinkWorkerId, page: &PageRequest) -> Result<Page<Contract>, AppError> {
    find(db, ctx, Action::LinkWorkerView, id)?;
    Ok(db.contract_list(id, page)?)
}

/// Adds a contract. The terms of an earlier one stay as they were: a changed contract is a new one.
///
/// # Errors
/// 404, 403; 422 when the employer is no organisation of the programme.
pub fn add_contract(db: &mut Db<'_>, ctx: &OpContext, id: LinkWorkerId, new: &NewContract) -> Result<Contract, AppError> {
    let worker = find(db, ctx, Action::LinkWorkerManage, id)?;
    let employer = OrganisationId::from_uuid(new.employer_id);
    if db.organisation_get(employer)?.is_none_or(|organisation| organisation.programme != worker.programme) {
        return Err(AppError::fault(Fault::new("/employer_id", "not_found", "The programme has no such organisation.")));
    }
    let contract = Contract {
        id: ctx.ids.next(),
        link_worker: id,
        kind: new.kind.0,
        employer,
        validity: Validity { from: new.valid_from, until: new.valid_until },
        fee_per_hour: new.fee_per_hour.map(|fee| Cents(fee.hundredths())),
        insurance_note: new.insurance_note.as_ref().map(|text| text.as_str().to_owned()),
    };
    db.contract_insert(&contract)?;
    Ok(contract)
}

/// A page of a link worker's trainings.
///
/// # Errors
/// 404 when there is no such link worker, or the caller may not see them.
pub fn trainings(db: &mut Db<'_>, ctx: &OpContext, id: LinkWorkerId, page: &PageRequest) -> Result<Page<Training>, AppError> {
    find(db, ctx, Action::LinkWorkerView, id)?;
    Ok(db.training_list(id, page)?)
}

/// Adds a completed training.
///
/// # Errors
/// 404, 403; 422 when it lies in the future.
pub fn add_training(db: &mut Db<'_>, ctx: &OpContext, id: LinkWorkerId, new: &NewTraining) -> Result<Training, AppError> {
    find(db, ctx, Action::LinkWorkerManage, id)?;
    if new.completed_on > ctx.now.helsinki_date() {
        return Err(AppError::fault(Fault::new("/completed_on", "in_the_future", "A training is recorded when it has been completed.")));
    }
    let credits = new.credits.map(|credits| u32::try_from(credits.hundredths() / 10)).transpose();
    let training = Training {
        id: ctx.ids.next(),
        link_worker: id,
        kind: new.kind.0,
        provider: new.provider.as_str().to_owned(),
        completed_on: new.completed_on,
        credits_tenths: credits.map_err(AppError::internal)?,
    };
    db.training_insert(&training)?;
    Ok(training)
}
