//! What is done with users.

use lahete_domain::access::{Action, Subject};
use lahete_domain::actor::Caller;
use lahete_domain::codes::{AuditAction, Role};
use lahete_domain::ids::{Id, ProgrammeId, UserId};
use lahete_domain::user::{User, check_deactivation};
use lahete_domain::version::Version;
use lahete_persistence::repo::users::UserFilter;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{UserNew, UserQuery, UserUpdate};
use crate::auth::revocations::of_caller;
use crate::error::{AppError, RuleProblem};
use crate::operation::OpContext;
use crate::programmes::reachable;

pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &UserQuery, page: &PageRequest) -> Result<Page<User>, AppError> {
    let programmes = reachable(ctx, Action::UserManage, query.programme_id.map(ProgrammeId::from_uuid));
    Ok(db.user_list(&UserFilter { programmes, active: query.active }, page)?)
}

pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: UserId) -> Result<User, AppError> {
    let user = db.user_get(id)?.ok_or(AppError::NotFound(UserId::RESOURCE))?;
    ctx.require(db, Action::UserManage, &Subject::of_programme(user.programme), None, None)?;
    Ok(user)
}

pub fn create(db: &mut Db<'_>, ctx: &OpContext, new: &UserNew) -> Result<User, AppError> {
    let programme = ProgrammeId::from_uuid(new.programme_id);
    let grant = ctx.require(db, Action::UserManage, &Subject::of_programme(programme), None, None)?;
    if db.user_by_login(new.login.as_str())?.is_some() {
        return Err(RuleProblem::new("login_in_use", "Somebody signs in with this name already.").into());
    }
    let user = User {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme,
        login: new.login.as_str().to_owned(),
        name: new.name.as_str().to_owned(),
        active: true,
    };
    db.user_insert(&user, None)?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(user)
}

/// Whether some programme would be without an administrator if this account were closed.
fn is_last_admin(db: &mut Db<'_>, ctx: &OpContext, user: UserId) -> Result<bool, AppError> {
    let today = ctx.now.helsinki_date();
    for assignment in db.role_assignments_of_user(user)? {
        if assignment.role == Role::Admin
            && assignment.validity.covers(today)
            && !db.admins_on(assignment.programme, today)?.iter().any(|(_, other)| *other != user)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

pub fn update(db: &mut Db<'_>, ctx: &OpContext, id: UserId, patch: UserUpdate) -> Result<User, AppError> {
    let present = db.user_get(id)?.ok_or(AppError::NotFound(UserId::RESOURCE))?;
    let grant = ctx.require(db, Action::UserManage, &Subject::of_programme(present.programme), None, None)?;
    ctx.expect_version(present.version)?;
    let expected = present.version;
    let user = User {
        version: expected.next(),
        name: patch.name.map(String::from).apply(present.name.clone()),
        active: patch.active.apply(present.active),
        ..present.clone()
    };
    if present.active && !user.active {
        check_deactivation(is_last_admin(db, ctx, id)?)?;
    }
    db.user_update(&user, expected)?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok(user)
}

/// Ends every token that the user holds. `life_max` is the longest life of a token, in seconds.
pub fn end_sessions(db: &mut Db<'_>, ctx: &OpContext, id: UserId, life_max: i64) -> Result<User, AppError> {
    let user = db.user_get(id)?.ok_or(AppError::NotFound(UserId::RESOURCE))?;
    let grant = ctx.require(db, Action::UserManage, &Subject::of_programme(user.programme), None, None)?;
    db.revocation_put(&of_caller(Caller::User(id), life_max, ctx.now))?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok(user)
}
