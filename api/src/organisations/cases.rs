//! What is done with organisations.

use lahete_domain::access::{Action, Subject};
use lahete_domain::codes::AuditAction;
use lahete_domain::ids::{Id, OrganisationId, ProgrammeId};
use lahete_domain::user::Organisation;
use lahete_domain::version::Version;
use lahete_persistence::repo::organisations::OrganisationFilter;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{OrganisationNew, OrganisationQuery, OrganisationUpdate};
use crate::error::AppError;
use crate::operation::OpContext;
use crate::programmes::reachable;

pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &OrganisationQuery, page: &PageRequest) -> Result<Page<Organisation>, AppError> {
    let filter = OrganisationFilter {
        programmes: reachable(ctx, Action::OrganisationView, query.programme_id.map(ProgrammeId::from_uuid)),
        kind: query.kind.map(|code| code.0),
        municipality: query.municipality.as_ref().map(|municipality| municipality.0.clone()),
        active: query.active,
    };
    Ok(db.organisation_list(&filter, page)?)
}

pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: OrganisationId) -> Result<Organisation, AppError> {
    let organisation = db.organisation_get(id)?.ok_or(AppError::NotFound(OrganisationId::RESOURCE))?;
    ctx.require(db, Action::OrganisationView, &Subject::of_programme(organisation.programme), None, None)?;
    Ok(organisation)
}

pub fn create(db: &mut Db<'_>, ctx: &OpContext, new: &OrganisationNew) -> Result<Organisation, AppError> {
    let programme = ProgrammeId::from_uuid(new.programme_id);
    let grant = ctx.require(db, Action::OrganisationManage, &Subject::of_programme(programme), None, None)?;
    let organisation = Organisation {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme,
        name: new.name.as_str().to_owned(),
        kind: new.kind.0,
        sector: new.sector.map(|code| code.0),
        municipality: new.municipality.as_ref().map(|municipality| municipality.0.clone()),
        active: true,
    };
    db.organisation_insert(&organisation)?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(organisation)
}

pub fn update(db: &mut Db<'_>, ctx: &OpContext, id: OrganisationId, patch: OrganisationUpdate) -> Result<Organisation, AppError> {
    let present = db.organisation_get(id)?.ok_or(AppError::NotFound(OrganisationId::RESOURCE))?;
    let grant = ctx.require(db, Action::OrganisationManage, &Subject::of_programme(present.programme), None, None)?;
    ctx.expect_version(present.version)?;
    let expected = present.version;
    let organisation = Organisation {
        id,
        version: expected.next(),
        programme: present.programme,
        name: patch.name.map(String::from).apply(present.name),
        kind: patch.kind.map(|code| code.0).apply(present.kind),
        sector: patch.sector.map(|code| code.0).apply(present.sector),
        municipality: patch.municipality.map(|municipality| municipality.0).apply(present.municipality),
        active: patch.active.apply(present.active),
    };
    db.organisation_update(&organisation, expected)?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok(organisation)
}
