//! From a token to the one who calls. What can be said from memory is said at once; the database is asked when a token of another issuer is new
//! here or was looked up half a minute ago, and when the list of ended tokens is that old.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::web::Data;
use chrono::NaiveDate;
use lahete_domain::actor::{Caller, Validity};
use lahete_domain::audit::AuditEvent;
use lahete_domain::client::Client;
use lahete_domain::codes::{AuditAction, AuditOutcome, Role};
use lahete_domain::identity_code::IdentityCode;
use lahete_domain::ids::{Id as _, IdSource, ProgrammeId, UserId};
use lahete_domain::time::Instant;
use lahete_domain::user::{Identity, RoleAssignment, User, is_subject};
use lahete_domain::version::Version;
use lahete_persistence::{Constraint, Db, StoreError};
use serde_json::Value;

use super::issuer_settings::CallerKind;
use super::issuers::{Checked, Linked, OWN, SubjectRule, Verified};
use super::token::claim_of;
use crate::error::{AppError, Unauthenticated};
use crate::state::AppState;

/// For how long it is remembered whom a token of another issuer belongs to, in seconds. A link that was taken away is dead then on every server.
const SETTLED_SECONDS: i64 = 30;

/// What the trail calls a link that came about by a person's own sign-in.
const OPERATION: &str = "sign_in";

/// How an account is called whose person we know by their data as a client alone: administrators see accounts, and clients' names are not for them.
const PERSON: &str = "Asiakas";

fn refuse(reason: &'static str) -> AppError {
    AppError::Unauthenticated(Unauthenticated::Invalid(reason))
}

/// The caller, if memory knows.
///
/// # Errors
/// When the token is refused.
pub fn at_once(state: &Data<AppState>, token: &str, now: Instant) -> Result<Option<Caller>, AppError> {
    let Checked::Good(verified) = state.issuers.check(token, now).map_err(refuse)? else { return Ok(None) };
    if verified.ahead {
        read_keys_beside(state, verified.issuer, now);
    }
    let Some(caller) = settled(&verified, now) else { return Ok(None) };
    if !state.revocations.is_fresh(now) {
        return Ok(None);
    }
    expect_not_ended(state, &verified, caller)?;
    Ok(Some(caller))
}

fn settled(verified: &Verified, now: Instant) -> Option<Caller> {
    let (caller, at) = verified.caller?;
    let age = now.utc().timestamp().saturating_sub(at);
    (at == i64::MAX || (0..SETTLED_SECONDS).contains(&age)).then_some(caller)
}

fn expect_not_ended(state: &AppState, verified: &Verified, caller: Caller) -> Result<(), AppError> {
    // The servers of one installation have one clock; another issuer's may run ahead of it.
    let grace = if verified.issuer == OWN { 0 } else { state.issuers.leeway() };
    if state.revocations.refuses(caller, &verified.mark, verified.claims.iat, grace) {
        return Err(refuse("the token was ended"));
    }
    Ok(())
}

/// The caller, asking whoever must be asked.
///
/// # Errors
/// 401 when the token is refused or its subject is linked with nobody here, 503 when the database cannot be asked.
pub async fn caller(state: &Data<AppState>, token: &str, request_id: &str, now: Instant) -> Result<Caller, AppError> {
    let verified = state.issuers.verify(token, now).await.map_err(refuse)?;
    if verified.ahead {
        read_keys_beside(state, verified.issuer, now);
    }
    let caller = match settled(&verified, now) {
        Some(caller) => caller,
        None => {
            let caller = linked(state, &verified, token, request_id, now).await?;
            state.issuers.remember(&verified, caller, now.utc().timestamp());
            caller
        }
    };
    state.revocations.ensure(&state.store, now).await?;
    expect_not_ended(state, &verified, caller)?;
    Ok(caller)
}

/// The keys of an issuer are read anew before their time is over; no call waits for it.
fn read_keys_beside(state: &Data<AppState>, issuer: usize, now: Instant) {
    if let Some(issuer) = state.issuers.get(issuer) {
        let keys = Arc::clone(&issuer.keys);
        actix_web::rt::spawn(async move { keys.refresh(None, now.utc().timestamp()).await });
    }
}

/// Whom the subject of another issuer belongs to here.
async fn linked(state: &AppState, verified: &Verified, token: &str, request_id: &str, now: Instant) -> Result<Caller, AppError> {
    let issuer = state.issuers.get(verified.issuer).ok_or_else(|| refuse("an unknown issuer"))?;
    let SubjectRule::Linked(rule) = &issuer.subjects else { return Err(refuse("an unknown kind of subject")) };
    let claims = &verified.claims;
    if !is_subject(&claims.sub) {
        return Err(refuse("a subject that is not taken"));
    }
    if rule.callers.contains(&CallerKind::Clients) {
        // A program's own token has nobody's name in it (RFC 9068, 5).
        if claims.sub == claims.client_id {
            return Err(refuse("a machine's token from an issuer of people"));
        }
        let name = rule.identity_code_claim.as_deref().unwrap_or_default();
        let Some(Value::String(code)) = claim_of(token, name) else { return Err(refuse("no identity code")) };
        let code = IdentityCode::parse(&code, now.helsinki_date()).map_err(|_| refuse("an identity code that is none"))?;
        let person = Person {
            issuer: claims.iss.clone(),
            subject: claims.sub.clone(),
            code,
            home: rule.home_programme.map(ProgrammeId::from_uuid),
            request_id: request_id.to_owned(),
            now,
        };
        return person.sign_in(state).await.map(Caller::User);
    }
    let (iss, sub) = (claims.iss.clone(), claims.sub.clone());
    let found = state.store.read(move |db: &mut Db<'_>| -> Result<_, AppError> { Ok(db.identity_find(&iss, &sub)?) }).await?;
    match found {
        Some(caller @ Caller::User(_)) if may_be_user(rule) && claims.sub != claims.client_id => Ok(caller),
        Some(caller @ Caller::ApiClient(_)) if rule.callers.contains(&CallerKind::ApiClients) => Ok(caller),
        _ => Err(AppError::Unauthenticated(Unauthenticated::NotLinked)),
    }
}

fn may_be_user(rule: &Linked) -> bool {
    rule.callers.contains(&CallerKind::Users)
}

/// Somebody who has signed in with their identity code.
#[derive(Clone)]
struct Person {
    issuer: String,
    subject: String,
    code: IdentityCode,
    home: Option<ProgrammeId>,
    request_id: String,
    now: Instant,
}

/// What is to be written so that a person finds their own.
struct Links {
    user: Option<UserId>,
    known: bool,
    home: Option<ProgrammeId>,
    link: Vec<Client>,
    unlink: Vec<Client>,
    roles: BTreeSet<ProgrammeId>,
}

impl Links {
    fn is_done(&self) -> bool {
        self.known && self.link.is_empty() && self.unlink.is_empty() && self.roles.is_empty()
    }
}

impl Person {
    /// The account of the person; at the first sign-in it is made, and linked with the client of each programme that has this identity code. Doing it
    /// again changes nothing, also when several calls come at once.
    async fn sign_in(self, state: &AppState) -> Result<UserId, AppError> {
        // Twice: of two first calls one finds what the other has written.
        for _ in 0..2 {
            let person = self.clone();
            let present = state
                .store
                .read(move |db: &mut Db<'_>| -> Result<_, AppError> {
                    let links = person.links(db)?;
                    Ok(links.user.filter(|_| links.is_done()))
                })
                .await?;
            if let Some(user) = present {
                return Ok(user);
            }
            let (person, ids) = (self.clone(), Arc::clone(&state.ids));
            let written = state.store.write(move |db: &mut Db<'_>| person.settle(db, &ids)).await;
            match written {
                Err(AppError::Store(StoreError::Constraint(Constraint::IdentityTaken))) => {}
                other => return other,
            }
        }
        Err(AppError::Unavailable)
    }

    fn links(&self, db: &mut Db<'_>) -> Result<Links, AppError> {
        let identity = match db.identity_find(&self.issuer, &self.subject)? {
            Some(Caller::User(user)) => Some(user),
            Some(_) => return Err(refuse("a machine's name")),
            None => None,
        };
        let programmes = db.programme_ids()?;
        let clients = db.clients_by_identity_code(&programmes.iter().map(|(id, _)| *id).collect::<Vec<_>>(), &self.code)?;
        let mut user = identity;
        if user.is_none() {
            for own in clients.iter().filter_map(|client| client.user) {
                // An account with which somebody works is never opened by an identity code.
                if db.role_assignments_of_user(own)?.iter().all(|held| held.role == Role::Client) {
                    user = Some(own);
                    break;
                }
            }
        }
        let mut active = programmes.iter().filter(|(_, active)| *active).map(|(id, _)| *id);
        let only = match (active.next(), active.next()) {
            (Some(one), None) => Some(one),
            _ => None,
        };
        let exists = |id: &ProgrammeId| programmes.iter().any(|(known, _)| known == id);
        let role_home = self.home.filter(exists).or(only);
        let held: BTreeSet<_> = match user {
            // Roles that have ended count, too: whoever took one away meant it.
            Some(user) => {
                db.role_assignments_of_user(user)?.into_iter().filter(|held| held.role == Role::Client).map(|held| held.programme).collect()
            }
            None => BTreeSet::new(),
        };
        let mine = |client: &Client| client.user.is_none() || client.user == user;
        let mut roles: BTreeSet<_> = clients.iter().filter(|client| mine(client)).map(|client| client.programme).collect();
        if roles.is_empty() {
            roles.extend(role_home);
        }
        let unlink = match user {
            Some(user) => db
                .clients_of_user(user)?
                .into_iter()
                .filter(|client| client.data.identity_code.as_ref().is_some_and(|code| *code != self.code))
                .collect(),
            None => Vec::new(),
        };
        Ok(Links {
            user,
            known: identity.is_some(),
            home: clients.first().map(|client| client.programme).or(role_home).or_else(|| programmes.first().map(|(id, _)| *id)),
            link: clients.into_iter().filter(|client| client.user.is_none()).collect(),
            unlink,
            roles: &roles - &held,
        })
    }

    fn settle(&self, db: &mut Db<'_>, ids: &Arc<dyn IdSource>) -> Result<UserId, AppError> {
        let links = self.links(db)?;
        let user = match links.user {
            Some(user) => user,
            None => {
                let id: UserId = ids.next();
                let programme = links.home.ok_or(AppError::Unauthenticated(Unauthenticated::NotLinked))?;
                let login = format!("person-{id}");
                db.user_insert(&User { id, version: Version::FIRST, programme, login, name: PERSON.to_owned(), active: true }, None)?;
                id
            }
        };
        if !links.known {
            db.identity_insert(&Identity {
                id: ids.next(),
                issuer: self.issuer.clone(),
                subject: self.subject.clone(),
                of: Caller::User(user),
                created_by: None,
                created_at: self.now,
            })?;
        }
        for client in &links.unlink {
            db.client_set_user(client.id, None)?;
            self.note(db, user, client);
        }
        for client in &links.link {
            db.client_set_user(client.id, Some(user))?;
            self.note(db, user, client);
        }
        let today: NaiveDate = self.now.helsinki_date();
        for programme in links.roles {
            db.role_assignment_insert(&RoleAssignment {
                id: ids.next(),
                version: Version::FIRST,
                programme,
                user,
                role: Role::Client,
                organisation: None,
                validity: Validity { from: today, until: None },
                given_by: None,
                given_at: self.now,
            })?;
        }
        Ok(user)
    }

    fn note(&self, db: &mut Db<'_>, user: UserId, client: &Client) {
        db.audit(AuditEvent {
            at: self.now,
            caller: Caller::User(user),
            role: Some(Role::Client),
            organisation: None,
            programme: Some(client.programme),
            client: Some(client.id),
            referral: None,
            operation: OPERATION,
            action: AuditAction::Changed,
            outcome: AuditOutcome::Allowed,
            reason: None,
            request_id: self.request_id.clone(),
        });
    }
}
