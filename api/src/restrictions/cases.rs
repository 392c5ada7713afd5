//! Beginning a restriction, deciding that it ends, and lifting it.

use lahete_domain::access::{Action, Subject};
use lahete_domain::actor::Grant;
use lahete_domain::client::Client;
use lahete_domain::codes::{AuditAction, ClientStanding};
use lahete_domain::ids::{ClientId, Id as _, RestrictionId};
use lahete_domain::version::Version;
use lahete_persistence::Db;
use lahete_persistence::repo::restrictions::Restriction;

use crate::clients::cases::open_client;
use crate::error::{AppError, RuleProblem};
use crate::operation::OpContext;

/// Restricts the use of a client's data, unless it is restricted already.
///
/// # Errors
/// 409 when there is nothing left to restrict.
pub fn begin(db: &mut Db<'_>, ctx: &OpContext, client: &Client, reason: String) -> Result<Restriction, AppError> {
    if client.standing == ClientStanding::Erased {
        return Err(RuleProblem::new("client_erased", "What was known of the client is erased.").into());
    }
    if let Some(present) = db.restriction_open(client.id)? {
        return Ok(present);
    }
    let restriction = Restriction {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme: client.programme,
        client: client.id,
        reason,
        restricted_at: ctx.now,
        restricted_by: ctx.user()?,
        release_reason: None,
        released: None,
        lifted: None,
    };
    db.restriction_insert(&restriction)?;
    db.client_set_standing(client.id, ClientStanding::Restricted)?;
    Ok(restriction)
}

/// Restricts a client's data without a request of theirs, as while it is checked whether they are right.
///
/// # Errors
/// 404 for a client who is none, 409 when they are restricted already.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, id: ClientId, reason: String) -> Result<Restriction, AppError> {
    let (client, grant) = open_client(db, ctx, Action::ClientRestrict, id)?;
    if client.standing == ClientStanding::Restricted {
        return Err(RuleProblem::new("restricted_already", "The client's data are restricted already.").into());
    }
    let restriction = begin(db, ctx, &client, reason)?;
    ctx.audit(db, &grant, AuditAction::Created, Some(id), None);
    Ok(restriction)
}

fn open(db: &mut Db<'_>, ctx: &OpContext, action: Action, id: ClientId) -> Result<(Client, Grant, Restriction), AppError> {
    // All is asked before anything is decided, as for the client.
    let found = db.client_get(id)?;
    let provisional = db.client_is_provisional(id)?;
    let Some(client) = found.filter(|_| !provisional) else { return Err(ctx.absent(db, action)) };
    let subject = Subject { client: client.user, standing: client.standing, ..Subject::of_programme(client.programme) };
    let grant = ctx.require(db, action, &subject, Some(id), None)?;
    let restriction = db.restriction_open(id)?.ok_or(AppError::NotFound(RestrictionId::RESOURCE))?;
    Ok((client, grant, restriction))
}

/// The restriction that a client's data are under.
///
/// # Errors
/// 404 when there is none, or the caller may not see it.
pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: ClientId) -> Result<Restriction, AppError> {
    let (_, grant, restriction) = open(db, ctx, Action::DataRequestView, id)?;
    ctx.audit(db, &grant, AuditAction::Read, Some(id), None);
    Ok(restriction)
}

/// Decides that a restriction ends: the person is told before it is lifted (GDPR 18(3)). It may be decided anew, with other words, until then.
///
/// # Errors
/// 404 when there is none, 412 for another version.
pub fn release(db: &mut Db<'_>, ctx: &OpContext, id: ClientId, reason: String) -> Result<Restriction, AppError> {
    let (_, grant, restriction) = open(db, ctx, Action::ClientRestrict, id)?;
    ctx.expect_version(restriction.version)?;
    let expected = restriction.version;
    let after = Restriction { release_reason: Some(reason), released: Some((ctx.now, ctx.user()?)), ..restriction };
    db.restriction_update(&after, expected)?;
    ctx.audit(db, &grant, AuditAction::Changed, Some(id), None);
    Ok(Restriction { version: expected.next(), ..after })
}

/// Lifts a restriction whose end was decided.
///
/// # Errors
/// 404 when there is none, 409 before the decision, 412 for another version.
pub fn lift(db: &mut Db<'_>, ctx: &OpContext, id: ClientId) -> Result<Restriction, AppError> {
    let (_, grant, restriction) = open(db, ctx, Action::ClientRestrictionLift, id)?;
    ctx.expect_version(restriction.version)?;
    if restriction.released.is_none() {
        let text = "The privacy officer has not decided that the restriction ends.";
        return Err(RuleProblem::new("restriction_not_released", text).into());
    }
    let expected = restriction.version;
    let after = Restriction { lifted: Some((ctx.now, ctx.user()?)), ..restriction };
    db.restriction_update(&after, expected)?;
    db.client_set_standing(id, ClientStanding::Open)?;
    ctx.audit(db, &grant, AuditAction::Changed, Some(id), None);
    Ok(Restriction { version: expected.next(), ..after })
}
