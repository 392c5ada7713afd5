//! What is done with programmes.

use std::collections::BTreeSet;

use lahete_domain::access::{Action, Subject, visibility};
use lahete_domain::actor::Validity;
use lahete_domain::codes::{AuditAction, Role};
use lahete_domain::ids::{Id, ProgrammeId};
use lahete_domain::money::Cents;
use lahete_domain::programme::{DEFAULT_REFRESHER_MONTHS, MunicipalityCode, Programme, Terms};
use lahete_domain::user::RoleAssignment;
use lahete_domain::version::Version;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{ProgrammeNew, ProgrammeUpdate, TermsNew, WebAddress};
use crate::error::{AppError, Fault, RuleProblem};
use crate::http::wire_sets::Municipality;
use crate::municipalities::register;
use crate::operation::OpContext;

/// The programmes in which the caller may do something with everything; only the wanted one, if one is wanted.
#[must_use]
pub fn reachable(ctx: &OpContext, action: Action, wanted: Option<ProgrammeId>) -> Vec<ProgrammeId> {
    let mut programmes = visibility(&ctx.actor, action).programmes;
    programmes.retain(|programme| wanted.is_none_or(|wanted| wanted == *programme));
    programmes
}

/// The codes of municipalities that there are: a mistyped one would leave people without a programme, and nobody would know why.
fn codes(municipalities: impl IntoIterator<Item = Municipality>) -> Result<BTreeSet<MunicipalityCode>, AppError> {
    let known = |(index, municipality): (usize, Municipality)| {
        if register::find(municipality.0.as_str()).is_some() {
            return Ok(municipality.0);
        }
        Err(AppError::fault(Fault::new(format!("/municipalities/{index}"), "not_in_list", "There is no such municipality.")))
    };
    municipalities.into_iter().enumerate().map(known).collect()
}

pub fn list(db: &mut Db<'_>, ctx: &OpContext, page: &PageRequest) -> Result<Page<Programme>, AppError> {
    Ok(db.programme_list(&reachable(ctx, Action::ProgrammeView, None), page)?)
}

pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: ProgrammeId) -> Result<Programme, AppError> {
    ctx.require(db, Action::ProgrammeView, &Subject::of_programme(id), None, None)?;
    db.programme_get(id)?.ok_or(AppError::NotFound(ProgrammeId::RESOURCE))
}

pub fn create(db: &mut Db<'_>, ctx: &OpContext, new: &ProgrammeNew) -> Result<Programme, AppError> {
    // An administrator of any programme may add one. Somebody with other roles is told that theirs do not suffice.
    let user = ctx.user()?;
    let home = ctx.actor.programmes(Role::Admin).first().copied().or_else(|| ctx.actor.grants.first().map(|grant| grant.programme));
    let home = home.ok_or(AppError::Forbidden { action: Action::ProgrammeManage.as_str() })?;
    let grant = ctx.require(db, Action::ProgrammeManage, &Subject::of_programme(home), None, None)?;
    let programme = Programme {
        id: ctx.ids.next(),
        version: Version::FIRST,
        name: new.name.as_str().to_owned(),
        controller: new.controller.as_str().to_owned(),
        privacy_notice_url: new.privacy_notice_url.clone().map(WebAddress::into_string),
        municipalities: codes(new.municipalities.iter().cloned())?,
        active: true,
        refresher_months: DEFAULT_REFRESHER_MONTHS,
    };
    db.programme_insert(&programme)?;
    db.role_assignment_insert(&RoleAssignment {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme: programme.id,
        user,
        role: Role::Admin,
        organisation: None,
        validity: Validity { from: ctx.now.helsinki_date(), until: None },
        given_by: Some(user),
        given_at: ctx.now,
    })?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(programme)
}

pub fn update(db: &mut Db<'_>, ctx: &OpContext, id: ProgrammeId, patch: ProgrammeUpdate) -> Result<Programme, AppError> {
    let grant = ctx.require(db, Action::ProgrammeManage, &Subject::of_programme(id), None, None)?;
    let present = db.programme_get(id)?.ok_or(AppError::NotFound(ProgrammeId::RESOURCE))?;
    ctx.expect_version(present.version)?;
    let expected = present.version;
    let municipalities = patch.municipalities.given().map(codes).transpose()?;
    let programme = Programme {
        id,
        version: expected.next(),
        name: patch.name.map(String::from).apply(present.name),
        controller: patch.controller.map(String::from).apply(present.controller),
        privacy_notice_url: patch.privacy_notice_url.map(WebAddress::into_string).apply(present.privacy_notice_url),
        municipalities: municipalities.unwrap_or(present.municipalities),
        active: patch.active.apply(present.active),
        refresher_months: patch.refresher_months.map(|months| months.0).apply(present.refresher_months),
    };
    db.programme_update(&programme, expected)?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok(programme)
}

pub fn list_terms(db: &mut Db<'_>, ctx: &OpContext, id: ProgrammeId, page: &PageRequest) -> Result<Page<Terms>, AppError> {
    let programme = view(db, ctx, id)?;
    Ok(db.terms_list(programme.id, page)?)
}

pub fn create_terms(db: &mut Db<'_>, ctx: &OpContext, id: ProgrammeId, new: &TermsNew) -> Result<Terms, AppError> {
    let grant = ctx.require(db, Action::ProgrammeManage, &Subject::of_programme(id), None, None)?;
    let programme = db.programme_get(id)?.ok_or(AppError::NotFound(ProgrammeId::RESOURCE))?;
    if db.terms_of(id)?.iter().any(|terms| terms.valid_from == new.valid_from) {
        let problem = RuleProblem::new("period_overlaps", "Other terms of the programme begin on this day already.");
        return Err(problem.with("valid_from", new.valid_from.to_string()).into());
    }
    let terms = Terms {
        id: ctx.ids.next(),
        programme: programme.id,
        valid_from: new.valid_from,
        max_months: new.max_months,
        max_minutes_per_month: new.max_minutes_per_month,
        fee_per_hour: Cents(new.fee_per_hour.hundredths()),
    };
    db.terms_insert(&terms)?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(terms)
}
