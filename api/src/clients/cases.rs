//! Reading, finding and correcting clients; who has read about them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Months;
use lahete_domain::access::{self, Action, Subject};
use lahete_domain::actor::{Caller, Grant};
use lahete_domain::client::Client;
use lahete_domain::codes::{AuditAction, ClientStanding, Role};
use lahete_domain::ids::{ClientId, Id as _, ProgrammeId, ReferralId, UserId};
use lahete_domain::time::Instant;
use lahete_persistence::repo::audit::{AuditFilter, AuditNames, StoredAuditEvent};
use lahete_persistence::repo::client_changes::{ChangeDetails, ClientChange};
use lahete_persistence::{Constraint, Db, Page, PageRequest, StoreError};
use serde_json::Value;

use super::deeds;
use super::wire::{AccessLogEntry, ClientChangeView, ClientSearch, ClientUpdate, ClientView, identity_code};
use crate::code_lists::labels::label;
use crate::error::{AppError, RuleProblem};
use crate::operation::OpContext;

/// The name of a client, as lists show it.
#[must_use]
pub fn name_of(client: &Client) -> String {
    format!("{} {}", client.data.given_name, client.data.family_name)
}

/// Whether all referrals of a client lie behind those who worked on them.
fn is_past(db: &mut Db<'_>, ctx: &OpContext, id: ClientId) -> Result<bool, AppError> {
    let today = ctx.now.helsinki_date();
    Ok(db.client_standings(id)?.into_iter().all(|(state, since)| access::is_past(state, since, today)))
}

/// A client whom the caller may work with in a way.
///
/// # Errors
/// 404 when the caller may not know of them, 403 when they may not do this.
pub fn open_client(db: &mut Db<'_>, ctx: &OpContext, action: Action, id: ClientId) -> Result<(Client, Grant), AppError> {
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
        standing: client.standing,
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
    let (client, grant) = open_client(db, ctx, Action::ClientView, id)?;
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
    let (mut client, grant) = open_client(db, ctx, Action::ClientUpdate, id)?;
    ctx.expect_version(client.version)?;
    let before = client.clone();
    let reason = body.reason.clone().map(Into::into);
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
    keep_history(db, ctx, &grant, &before, &client, reason)?;
    ctx.audit(db, &grant, AuditAction::Changed, Some(id), None);
    Ok(client)
}

/// The members of a client that can be corrected, by name.
fn members(client: &Client) -> Result<BTreeMap<String, Value>, AppError> {
    let Value::Object(mut shown) = serde_json::to_value(ClientView::from(client)).map_err(AppError::internal)? else {
        return Err(AppError::internal("a client that is no object"));
    };
    let contact = shown.remove("contact");
    for name in ["id", "version", "programme_id", "user_id", "standing", "personal_identity_code_known"] {
        shown.remove(name);
    }
    let contact = contact.and_then(|contact| if let Value::Object(contact) = contact { Some(contact) } else { None });
    Ok(shown.into_iter().chain(contact.into_iter().flatten()).collect())
}

/// Keeps what was before a correction. The identity code itself is not kept, only that it was another one.
fn keep_history(
    db: &mut Db<'_>,
    ctx: &OpContext,
    grant: &Grant,
    before: &Client,
    after: &Client,
    reason: Option<String>,
) -> Result<(), AppError> {
    let (was, is) = (members(before)?, members(after)?);
    let mut details = ChangeDetails { reason, ..ChangeDetails::default() };
    for name in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
        let (old, new) = (was.get(name), is.get(name));
        if old != new {
            details.before.insert(name.clone(), old.cloned().unwrap_or(Value::Null));
            details.after.insert(name.clone(), new.cloned().unwrap_or(Value::Null));
        }
    }
    if before.data.identity_code != after.data.identity_code {
        let told = |client: &Client| if client.data.identity_code.is_some() { "known" } else { "not known" };
        details.before.insert("personal_identity_code".to_owned(), told(before).into());
        details.after.insert("personal_identity_code".to_owned(), told(after).into());
    }
    if details.before.is_empty() {
        return Ok(());
    }
    note_correction(db, ctx, grant, after, None, details)
}

/// Keeps what was before a correction of a client's data, or of the words of a referral.
///
/// # Errors
/// When the database fails.
pub fn note_correction(
    db: &mut Db<'_>,
    ctx: &OpContext,
    grant: &Grant,
    client: &Client,
    referral: Option<ReferralId>,
    details: ChangeDetails,
) -> Result<(), AppError> {
    db.client_change_insert(&ClientChange {
        id: ctx.ids.next(),
        programme: client.programme,
        client: client.id,
        referral,
        at: ctx.now,
        user: ctx.actor.user(),
        role: grant.role,
        details,
    })?;
    Ok(())
}

/// What was before corrections of a client's data.
///
/// # Errors
/// 404 when the caller may not see it.
pub fn history(db: &mut Db<'_>, ctx: &OpContext, id: ClientId, page: &PageRequest) -> Result<Page<ClientChangeView>, AppError> {
    let (client, grant) = open_client(db, ctx, Action::ClientHistoryView, id)?;
    ctx.audit(db, &grant, AuditAction::Read, Some(id), None);
    history_of(db, &client, page)
}

/// The corrections of a client whose history the caller may read.
///
/// # Errors
/// When the database fails.
pub fn history_of(db: &mut Db<'_>, client: &Client, page: &PageRequest) -> Result<Page<ClientChangeView>, AppError> {
    db.client_change_list(client.id, page)?.try_map(|change| {
        let who = match change.user {
            Some(user) if Some(user) != client.user => db.user_get(user)?.map(|user| user.name),
            _ => None,
        };
        Ok(ClientChangeView::of(change, who))
    })
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
    // Restricted data are stored, and not found.
    Ok(found.filter(|client| client.standing == ClientStanding::Open))
}

/// Says whose sign-in a client is, so that they see their own matters.
///
/// # Errors
/// 409 when the sign-in belongs to another client of the programme, 412 for another version, 404 for a user who is none.
pub fn link_user(db: &mut Db<'_>, ctx: &OpContext, id: ClientId, user: UserId) -> Result<Client, AppError> {
    let (mut client, grant) = open_client(db, ctx, Action::ClientUpdate, id)?;
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

/// For how many months back a client's log is read without a reason: 703/2023 § 11 asks for a special one beyond two years.
const FREE_MONTHS: u32 = 24;

/// Who has read and changed the client's data, the newest first; what is older than two years only when asked for, with a stated reason.
///
/// # Errors
/// 404 when the caller is neither the client nor the privacy officer; [`AppError::Rule`] for old events without a reason.
pub fn access_log(
    db: &mut Db<'_>,
    ctx: &OpContext,
    id: ClientId,
    older: bool,
    page: &PageRequest,
) -> Result<Page<AccessLogEntry>, AppError> {
    let (client, grant) = open_client(db, ctx, Action::AccessLogView, id)?;
    ctx.audit(db, &grant, AuditAction::Read, Some(id), None);
    log_of(db, ctx, &client, LogReach { older, whole: grant.role == Role::PrivacyOfficer }, page)
}

/// How much of a log is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LogReach {
    /// Also what is older than two years, for a stated reason.
    pub older: bool,
    /// Also what was done with concerns that the client may not know of yet. For the privacy officer alone.
    pub whole: bool,
}

/// How the names of all operations with concerns begin.
const CONCERNS: &str = "concern_";
/// The list of the concerns of a referral.
const CONCERNS_OF_REFERRAL: &str = "referral_concern_";

/// The log of a client that the caller may read.
///
/// # Errors
/// [`AppError::Rule`] for old events without a reason; when the database fails.
pub fn log_of(
    db: &mut Db<'_>,
    ctx: &OpContext,
    client: &Client,
    reach: LogReach,
    page: &PageRequest,
) -> Result<Page<AccessLogEntry>, AppError> {
    let older = reach.older;
    if older && ctx.reason.is_none() {
        return Err(
            RuleProblem::new("access_reason_required", "What is older than two years needs a stated reason in X-Access-Reason.").into()
        );
    }
    let from = ctx.now.utc().checked_sub_months(Months::new(FREE_MONTHS)).filter(|_| !older).map(Instant::new);
    let hidden = !reach.whole && db.has_unreleased_concern(client.id)?;
    let without = if hidden { &[CONCERNS, CONCERNS_OF_REFERRAL][..] } else { &[] };
    let filter = AuditFilter { client: Some(client.id), programme: Some(client.programme), from, without, ..AuditFilter::default() };
    let events = db.audit_list(filter, page)?;
    let names = db.audit_names(&events.items)?;
    Ok(Page { items: events.items.into_iter().map(|event| entry(&names, ctx, client, event)).collect(), next: events.next })
}

fn entry(names: &AuditNames, ctx: &OpContext, client: &Client, event: StoredAuditEvent) -> AccessLogEntry {
    let own = client.user.is_some_and(|user| event.caller == Caller::User(user));
    let name = match event.caller {
        Caller::User(id) if !own => names.users.get(&id),
        Caller::ApiClient(id) => names.api_clients.get(&id),
        Caller::User(_) | Caller::Anonymous | Caller::Clock => None,
    };
    let role = event.role.map(|role| label(role, ctx.language));
    let who = match (name, role, event.caller) {
        (Some(name), Some(role), _) => format!("{role} {name}"),
        (Some(name), None, _) => name.clone(),
        (None, _, Caller::Anonymous) => deeds::words("who_nobody", ctx.language).to_owned(),
        (None, _, Caller::Clock) => deeds::words("who_clock", ctx.language).to_owned(),
        (None, Some(role), _) => role,
        (None, None, _) => deeds::words("who_unknown", ctx.language).to_owned(),
    };
    let who = if own { None } else { Some(who) };
    AccessLogEntry {
        at: event.at.into(),
        text: deeds::sentence(&event.operation, event.action, event.outcome, who.as_deref(), ctx.language),
        who: name.cloned(),
        role: event.role.map(Into::into),
        organisation: event.organisation.and_then(|id| names.organisations.get(&id).cloned()),
        action: event.action.into(),
        outcome: event.outcome.into(),
        purpose: deeds::purpose(event.role, ctx.language).map(str::to_owned),
        operation: event.operation,
        referral_id: event.referral.map(|id| id.as_uuid()),
        reason: event.reason,
    }
}
