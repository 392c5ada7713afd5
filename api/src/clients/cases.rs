//! Reading, finding and correcting clients; who has read about them.

use lahete_domain::access::{self, Action, Subject};
use lahete_domain::actor::{Caller, Grant};
use lahete_domain::client::Client;
use lahete_domain::codes::{AuditAction, AuditOutcome, Role};
use lahete_domain::ids::{ClientId, Id as _, ProgrammeId, UserId};
use lahete_persistence::repo::audit::{AuditFilter, StoredAuditEvent};
use lahete_persistence::{Constraint, Db, Page, PageRequest, StoreError};

use super::wire::{AccessLogEntry, ClientSearch, ClientUpdate, identity_code};
use crate::code_lists::labels::label;
use crate::error::{AppError, RuleProblem};
use crate::operation::OpContext;

/// Whether all referrals of a client lie behind those who worked on them.
fn is_past(db: &mut Db<'_>, ctx: &OpContext, id: ClientId) -> Result<bool, AppError> {
    let today = ctx.now.helsinki_date();
    Ok(db.client_standings(id)?.into_iter().all(|(state, since)| access::is_past(state, since, today)))
}

fn open(db: &mut Db<'_>, ctx: &OpContext, action: Action, id: ClientId) -> Result<(Client, Grant), AppError> {
    // All is asked before anything is decided: whether there is no such client or another's cannot be told by how much is asked.
    let found = db.client_get(id)?;
    // The client of a draft is seen with the draft, by its writer alone.
    let provisional = db.client_is_provisional(id)?;
    let assigned = match ctx.actor.user() {
        Some(user) => db.client_shared_with(id, user, ctx.now.helsinki_date())?.then_some(user),
        None => None,
    };
    let past = is_past(db, ctx, id)?;
    let Some(client) = found.filter(|_| !provisional) else { return Err(ctx.absent(db, action)) };
    let subject = Subject {
        client: client.user,
        link_worker: assigned,
        shared_with_link_worker: assigned.is_some(),
        past,
        ..Subject::of_programme(client.programme)
    };
    let grant = ctx.require(db, action, &subject, Some(id), None)?;
    Ok((client, grant))
}

/// One client.
///
/// # Errors
/// 404 when the caller may not see them.
pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: ClientId) -> Result<Client, AppError> {
    let (client, grant) = open(db, ctx, Action::ClientView, id)?;
    ctx.audit(db, &grant, AuditAction::Read, Some(id), None);
    Ok(client)
}

fn stored(error: StoreError) -> AppError {
    match error {
        StoreError::Constraint(Constraint::IdentityCodeTaken) => {
            RuleProblem::new("duplicate_identity_code", "Another client of the programme has this identity code.").into()
        }
        other => other.into(),
    }
}

/// Corrects a client's data.
///
/// # Errors
/// 409 when another client has the identity code, 412 for another version, 422 for faults, 403 for lifting a non-disclosure without a reason.
pub fn update(db: &mut Db<'_>, ctx: &OpContext, id: ClientId, body: ClientUpdate) -> Result<Client, AppError> {
    let (mut client, grant) = open(db, ctx, Action::ClientUpdate, id)?;
    ctx.expect_version(client.version)?;
    let protected = client.data.non_disclosure;
    client.data = body.apply(client.data, ctx.now.helsinki_date(), "")?;
    // From now on many more may learn where they live: that shall not happen by the way.
    if protected && !client.data.non_disclosure {
        ctx.expect_reason()?;
    }
    if let Some(code) = &client.data.identity_code
        && db.client_by_identity_code(client.programme, code)?.is_some_and(|other| other.id != id)
    {
        return Err(stored(StoreError::Constraint(Constraint::IdentityCodeTaken)));
    }
    let expected = client.version;
    db.client_update(&client, expected).map_err(stored)?;
    db.referral_move_client(id, &client.data.municipality)?;
    client.version = expected.next();
    ctx.audit(db, &grant, AuditAction::Changed, Some(id), None);
    Ok(client)
}

/// Finds a client by identity code.
///
/// # Errors
/// 404 for a programme that is not the caller's, 422 for a code that is none, 403 for a client whose cases ended long ago when no reason is stated.
pub fn search(db: &mut Db<'_>, ctx: &OpContext, body: &ClientSearch) -> Result<Option<Client>, AppError> {
    let programme = ProgrammeId::from_uuid(body.programme_id);
    let grant = ctx.require(db, Action::ClientSearch, &Subject::of_programme(programme), None, None)?;
    let code = identity_code(body.personal_identity_code.as_str(), ctx.now.helsinki_date(), "/personal_identity_code")?;
    let found = db.client_by_identity_code(programme, &code)?;
    if let Some(client) = &found {
        let subject = Subject { past: is_past(db, ctx, client.id)?, ..Subject::of_programme(programme) };
        ctx.require(db, Action::ClientSearch, &subject, Some(client.id), None)?;
        ctx.audit(db, &grant, AuditAction::Searched, Some(client.id), None);
    }
    Ok(found)
}

/// Says whose sign-in a client is, so that they see their own matters.
///
/// # Errors
/// 409 when the sign-in belongs to another client of the programme, 412 for another version, 404 for a user who is none.
pub fn link_user(db: &mut Db<'_>, ctx: &OpContext, id: ClientId, user: UserId) -> Result<Client, AppError> {
    let (mut client, grant) = open(db, ctx, Action::ClientUpdate, id)?;
    ctx.expect_version(client.version)?;
    let known = db.user_get(user)?.filter(|user| user.active && user.programme == client.programme);
    if known.is_none() {
        return Err(AppError::fault(crate::error::Fault::new("/user_id", "not_found", "There is no such user in the programme.")));
    }
    if db.clients_of_user(user)?.iter().any(|other| other.id != id && other.programme == client.programme) {
        return Err(RuleProblem::new("user_already_linked", "The user is another client of the programme.").into());
    }
    let expected = client.version;
    client.user = Some(user);
    db.client_update(&client, expected)?;
    client.version = expected.next();
    ctx.audit(db, &grant, AuditAction::Changed, Some(id), None);
    Ok(client)
}

/// Who has read and changed the client's data, the newest first.
///
/// # Errors
/// 404 when the caller is neither the client nor the privacy officer.
pub fn access_log(db: &mut Db<'_>, ctx: &OpContext, id: ClientId, page: &PageRequest) -> Result<Page<AccessLogEntry>, AppError> {
    let (client, grant) = open(db, ctx, Action::AccessLogView, id)?;
    ctx.audit(db, &grant, AuditAction::Read, Some(id), None);
    log_of(db, ctx, &client, page)
}

/// The log of a client that the caller may read.
///
/// # Errors
/// When the database fails.
pub fn log_of(db: &mut Db<'_>, ctx: &OpContext, client: &Client, page: &PageRequest) -> Result<Page<AccessLogEntry>, AppError> {
    let filter = AuditFilter { client: Some(client.id), programme: Some(client.programme), ..AuditFilter::default() };
    let events = db.audit_list(filter, page)?;
    events.try_map(|event| entry(db, ctx, client, event))
}

fn entry(db: &mut Db<'_>, ctx: &OpContext, client: &Client, event: StoredAuditEvent) -> Result<AccessLogEntry, AppError> {
    let who = match event.caller {
        Caller::User(id) if Some(id) == client.user => None,
        Caller::User(id) => db.user_get(id)?.map(|user| user.name),
        Caller::ApiClient(id) => db.api_client_get(id)?.map(|machine| machine.name),
        Caller::Anonymous | Caller::Clock => None,
    };
    let own = client.user.is_some_and(|user| event.caller == Caller::User(user));
    Ok(AccessLogEntry {
        at: event.at.into(),
        text: plain_words(ctx, event.role, event.action, event.outcome, own),
        who,
        role: event.role.map(Into::into),
        action: event.action.into(),
        operation: event.operation.to_string(),
        referral_id: event.referral.map(|id| id.as_uuid()),
        reason: event.reason,
    })
}

/// One line in plain words: the role, and what it did.
fn plain_words(ctx: &OpContext, role: Option<Role>, action: AuditAction, outcome: AuditOutcome, own: bool) -> String {
    let who = match role {
        _ if own => label(Role::Client, ctx.language),
        Some(role) => label(role, ctx.language),
        None => "–".to_owned(),
    };
    let what = label(action, ctx.language);
    match outcome {
        AuditOutcome::Allowed => format!("{who}: {what}"),
        AuditOutcome::Denied => format!("{who}: {what} ({})", label(outcome, ctx.language)),
    }
}
