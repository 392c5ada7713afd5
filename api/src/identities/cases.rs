//! What is done with links between the names of other issuers and the accounts here.

use lahete_domain::access::{Action, Subject};
use lahete_domain::actor::{Caller, Grant};
use lahete_domain::codes::AuditAction;
use lahete_domain::ids::{ApiClientId, Id, IdentityId, ProgrammeId, UserId};
use lahete_domain::user::{Identity, is_subject};
use lahete_persistence::{Constraint, Db, Page, PageRequest, StoreError};

use super::wire::IdentityNew;
use crate::auth::issuer_settings::is_allowed_url;
use crate::auth::revocations::of_caller;
use crate::error::{AppError, Fault, RuleProblem};
use crate::operation::OpContext;
use crate::programmes::reachable;

/// The programme whose administrators look after an account, and the action that it takes.
fn home(db: &mut Db<'_>, of: Caller) -> Result<(ProgrammeId, Action), AppError> {
    match of {
        Caller::User(id) => {
            let user = db.user_get(id)?.ok_or(AppError::NotFound(UserId::RESOURCE))?;
            Ok((user.programme, Action::UserManage))
        }
        Caller::ApiClient(id) => {
            let machine = db.api_client_get(id)?.ok_or(AppError::NotFound(ApiClientId::RESOURCE))?;
            Ok((machine.programme, Action::ApiClientManage))
        }
        Caller::Anonymous | Caller::Clock => Err(AppError::NotFound(UserId::RESOURCE)),
    }
}

/// Whoever can sign in as somebody can do all that they may do, so it takes an administrator of every programme in which they hold a role.
fn require(db: &mut Db<'_>, ctx: &OpContext, of: Caller) -> Result<Grant, AppError> {
    let (programme, action) = home(db, of)?;
    let grant = ctx.require(db, action, &Subject::of_programme(programme), None, None)?;
    if let Caller::User(id) = of {
        let today = ctx.now.helsinki_date();
        for held in db.role_assignments_of_user(id)? {
            let over = held.validity.until.is_some_and(|until| until < today);
            if !over && reachable(ctx, action, Some(held.programme)).is_empty() {
                return Err(AppError::Forbidden { action: action.as_str() });
            }
        }
    }
    Ok(grant)
}

pub fn list(db: &mut Db<'_>, ctx: &OpContext, of: Caller, page: &PageRequest) -> Result<Page<Identity>, AppError> {
    let (programme, action) = home(db, of)?;
    ctx.require(db, action, &Subject::of_programme(programme), None, None)?;
    Ok(db.identity_list(of, page)?)
}

pub fn create(db: &mut Db<'_>, ctx: &OpContext, of: Caller, new: &IdentityNew) -> Result<Identity, AppError> {
    let grant = require(db, ctx, of)?;
    let (issuer, subject) = (new.issuer.as_str(), new.subject.as_str());
    let mut faults = Vec::new();
    if !is_allowed_url(issuer, true) {
        faults.push(Fault::new("/issuer", "bad_issuer", "An issuer is named by its https:// address."));
    }
    if !is_subject(subject) {
        faults.push(Fault::new("/subject", "bad_subject", "A personal identity code is not taken as a subject."));
    }
    if !faults.is_empty() {
        return Err(AppError::Invalid(faults));
    }
    let identity = Identity {
        id: ctx.ids.next(),
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        of,
        created_by: ctx.actor.user(),
        created_at: ctx.now,
    };
    db.identity_insert(&identity).map_err(|error| match error {
        StoreError::Constraint(Constraint::IdentityTaken) => {
            RuleProblem::new("identity_in_use", "This subject of the issuer is linked with an account already.").into()
        }
        other => AppError::from(other),
    })?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(identity)
}

/// Takes a link away, and ends what was signed in with it. `life_max` is the longest life of a token, in seconds.
pub fn remove(db: &mut Db<'_>, ctx: &OpContext, of: Caller, id: IdentityId, life_max: i64) -> Result<Identity, AppError> {
    let (programme, action) = home(db, of)?;
    let grant = ctx.require(db, action, &Subject::of_programme(programme), None, None)?;
    let identity = db.identity_get(id)?.filter(|identity| identity.of == of).ok_or(AppError::NotFound(IdentityId::RESOURCE))?;
    db.identity_delete(id)?;
    db.revocation_put(&of_caller(of, life_max, ctx.now))?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok(identity)
}
