//! Reading and writing where concerns are reported.

use lahete_domain::access::{Action, Subject};
use lahete_domain::codes::{AuditAction, Code as _, ConcernKind, ContractKind, Role};
use lahete_domain::concern::{Guidance, Obligations, guidance_for, obligations};
use lahete_domain::ids::{ConcernGuidanceId, Id, ProgrammeId};
use lahete_domain::link_worker::contract_on;
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::time::Month;
use lahete_domain::version::Version;
use lahete_persistence::{Constraint, Db, StoreError};

use super::wire::{Asking, GuidanceCreate, GuidanceQuery, GuidanceUpdate, GuidanceView, code};
use crate::error::{AppError, Fault, RuleProblem};
use crate::http::wire::{LongText, Text};
use crate::http::wire_sets::{LanguageTag, SetOf};
use crate::municipalities::register;
use crate::operation::OpContext;
use crate::programmes::reachable;

/// On what footing the caller works in a programme today: link workers by their contract, coordinators as staff.
fn relation(db: &mut Db<'_>, ctx: &OpContext, programme: ProgrammeId) -> Result<Option<ContractKind>, AppError> {
    let today = ctx.now.helsinki_date();
    if let Some(user) = ctx.actor.user().filter(|_| ctx.actor.has(Role::LinkWorker, programme))
        && let Some(worker) = db.link_worker_by_user(user, programme)?
    {
        let standing = db.link_worker_standings(&[worker.id], Month::of(today))?.remove(&worker.id).unwrap_or_default();
        if let Some(contract) = contract_on(&standing.contracts, today) {
            return Ok(Some(contract.kind));
        }
    }
    Ok(ctx.actor.has(Role::Coordinator, programme).then_some(ContractKind::Hourly))
}

fn asking(db: &mut Db<'_>, ctx: &OpContext, programme: ProgrammeId) -> Result<Asking, AppError> {
    Ok(Asking { programme: programme.as_uuid(), language: ctx.language, relation: relation(db, ctx, programme)? })
}

/// The guidance for a place, one for each kind that is asked for: there is always some answer. Nothing for somebody who works in no programme.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &GuidanceQuery) -> Result<Vec<GuidanceView>, AppError> {
    let wanted = query.programme_id.map(ProgrammeId::from_uuid);
    let Some(programme) = reachable(ctx, Action::ConcernGuidanceView, wanted).first().copied() else { return Ok(Vec::new()) };
    let municipality = code(query.municipality.as_ref());
    let rows = db.concern_guidance_of(programme, municipality.as_ref())?;
    let asking = asking(db, ctx, programme)?;
    let kinds = ConcernKind::ALL.iter().copied().filter(|kind| query.kind.is_none_or(|wanted| wanted.0 == *kind));
    let view = |kind| match guidance_for(&rows, kind, municipality.as_ref()) {
        Some(row) => GuidanceView::of(row, &asking),
        None => GuidanceView::national(kind, &asking),
    };
    Ok(kinds.map(view).collect())
}

fn tags<const MAX: usize>(set: SetOf<LanguageTag, MAX>) -> std::collections::BTreeSet<String> {
    set.0.into_iter().map(LanguageTag::into_string).collect()
}

/// Adds a row.
///
/// # Errors
/// 404 outside the caller's programmes, 409 when there is one already, 422 for a municipality that is none.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, body: GuidanceCreate) -> Result<GuidanceView, AppError> {
    let programme = ProgrammeId::from_uuid(body.programme_id);
    let grant = ctx.require(db, Action::ConcernGuidanceManage, &Subject::of_programme(programme), None, None)?;
    let municipality: Option<MunicipalityCode> = code(body.municipality.as_ref());
    if municipality.as_ref().is_some_and(|code| register::find(code.as_str()).is_none()) {
        return Err(AppError::fault(Fault::new("/municipality", "not_in_list", "There is no such municipality.")));
    }
    let kind = body.kind.0;
    let guidance = Guidance {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme,
        municipality,
        kind,
        place: body.place.into_string(),
        contact: body.contact.map(Text::into_string),
        phone: body.phone.map(Text::into_string),
        hours: body.hours.map(Text::into_string),
        law: body.law.map(LongText::into_string),
        languages: tags(body.languages),
        obligations: body.obligations.map_or_else(|| obligations(kind), Obligations::from),
    };
    db.concern_guidance_insert(&guidance).map_err(|error| match error {
        StoreError::Constraint(Constraint::GuidanceTaken) => {
            RuleProblem::new("concern_guidance_exists", "The place has a guidance for this kind of concern already.").into()
        }
        other => AppError::from(other),
    })?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(GuidanceView::of(&guidance, &asking(db, ctx, programme)?))
}

/// Changes a row.
///
/// # Errors
/// 404 and 403 by the policy, 412 and 428 by the version.
pub fn update(db: &mut Db<'_>, ctx: &OpContext, id: ConcernGuidanceId, body: GuidanceUpdate) -> Result<(GuidanceView, Version), AppError> {
    let present = db.concern_guidance_get(id)?.ok_or(AppError::NotFound(ConcernGuidanceId::RESOURCE))?;
    let grant = ctx.require(db, Action::ConcernGuidanceManage, &Subject::of_programme(present.programme), None, None)?;
    ctx.expect_version(present.version)?;
    let expected = present.version;
    let changed = Guidance {
        version: expected.next(),
        place: body.place.map(Text::into_string).apply(present.place),
        contact: body.contact.map(Text::into_string).apply(present.contact),
        phone: body.phone.map(Text::into_string).apply(present.phone),
        hours: body.hours.map(Text::into_string).apply(present.hours),
        law: body.law.map(LongText::into_string).apply(present.law),
        languages: body.languages.map(tags).apply(present.languages),
        obligations: body.obligations.map(Obligations::from).apply(present.obligations),
        ..present
    };
    db.concern_guidance_update(&changed, expected)?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok((GuidanceView::of(&changed, &asking(db, ctx, changed.programme)?), changed.version))
}
