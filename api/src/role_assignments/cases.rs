//! What is done with role assignments.

use lahete_domain::access::{Action, Subject};
use lahete_domain::actor::Validity;
use lahete_domain::codes::AuditAction;
use lahete_domain::ids::{Id, OrganisationId, ProgrammeId, RoleAssignmentId, UserId};
use lahete_domain::time::plus_days;
use lahete_domain::user::{Giving, Organisation, RoleAssignment, User};
use lahete_domain::version::Version;
use lahete_persistence::repo::role_assignments::RoleAssignmentFilter;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{RoleAssignmentEnd, RoleAssignmentNew, RoleAssignmentQuery};
use crate::error::{AppError, Fault};
use crate::operation::OpContext;
use crate::programmes::reachable;

pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &RoleAssignmentQuery, page: &PageRequest) -> Result<Page<RoleAssignment>, AppError> {
    let filter = RoleAssignmentFilter {
        programmes: reachable(ctx, Action::RoleAssignmentManage, query.programme_id.map(ProgrammeId::from_uuid)),
        user: query.user_id.map(UserId::from_uuid),
        role: query.role.map(|code| code.0),
        on: query.active_on,
    };
    Ok(db.role_assignment_list(&filter, page)?)
}

pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: RoleAssignmentId) -> Result<RoleAssignment, AppError> {
    let assignment = db.role_assignment_get(id)?.ok_or(AppError::NotFound(RoleAssignmentId::RESOURCE))?;
    ctx.require(db, Action::RoleAssignmentManage, &Subject::of_programme(assignment.programme), None, None)?;
    Ok(assignment)
}

fn unknown(pointer: &'static str) -> AppError {
    AppError::fault(Fault::new(pointer, "not_found", "There is no such thing, or you may not see it."))
}

fn user_of(db: &mut Db<'_>, ctx: &OpContext, id: UserId) -> Result<User, AppError> {
    let user = db.user_get(id)?.ok_or_else(|| unknown("/user_id"))?;
    if reachable(ctx, Action::UserManage, Some(user.programme)).is_empty() {
        return Err(unknown("/user_id"));
    }
    Ok(user)
}

fn organisation_of(db: &mut Db<'_>, ctx: &OpContext, id: OrganisationId) -> Result<Organisation, AppError> {
    let organisation = db.organisation_get(id)?.ok_or_else(|| unknown("/organisation_id"))?;
    if reachable(ctx, Action::OrganisationView, Some(organisation.programme)).is_empty() {
        return Err(unknown("/organisation_id"));
    }
    Ok(organisation)
}

pub fn create(db: &mut Db<'_>, ctx: &OpContext, new: &RoleAssignmentNew) -> Result<RoleAssignment, AppError> {
    let programme = ProgrammeId::from_uuid(new.programme_id);
    let grant = ctx.require(db, Action::RoleAssignmentManage, &Subject::of_programme(programme), None, None)?;
    let user = user_of(db, ctx, UserId::from_uuid(new.user_id))?;
    let organisation = match new.organisation_id {
        Some(id) => Some(organisation_of(db, ctx, OrganisationId::from_uuid(id))?),
        None => None,
    };
    let assignment = RoleAssignment {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme,
        user: user.id,
        role: new.role.0,
        organisation: organisation.as_ref().map(|organisation| organisation.id),
        validity: Validity { from: new.valid_from.unwrap_or_else(|| ctx.now.helsinki_date()), until: new.valid_until },
        given_by: ctx.actor.user(),
        given_at: ctx.now,
    };
    let present = db.role_assignments_of_user(user.id)?;
    assignment.check_new(Giving { user: &user, organisation: organisation.as_ref(), present: &present })?;
    db.role_assignment_insert(&assignment)?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(assignment)
}

pub fn end(db: &mut Db<'_>, ctx: &OpContext, id: RoleAssignmentId, end: &RoleAssignmentEnd) -> Result<RoleAssignment, AppError> {
    let present = db.role_assignment_get(id)?.ok_or(AppError::NotFound(RoleAssignmentId::RESOURCE))?;
    let grant = ctx.require(db, Action::RoleAssignmentManage, &Subject::of_programme(present.programme), None, None)?;
    ctx.expect_version(present.version)?;
    let today = ctx.now.helsinki_date();
    let first_day_without = end.last_day.map_or(today, |last| plus_days(last, 1));
    let admin_remains = db.admins_on(present.programme, first_day_without)?.iter().any(|(other, _)| *other != id);
    let ended = present.ended(end.last_day, today, admin_remains)?;
    db.role_assignment_update(&ended, present.version)?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok(RoleAssignment { version: present.version.next(), ..ended })
}
