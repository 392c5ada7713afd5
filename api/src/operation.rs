//! One call of one operation: who calls, when, under which key; and the transaction in which it runs.

use std::future::{Future, Ready, ready};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::Either;
use lahete_domain::access::{self, Action, Decision, Subject};
use lahete_domain::actor::{Actor, Caller, Grant};
use lahete_domain::audit::AuditEvent;
use lahete_domain::codes::{AuditAction, AuditOutcome, ClientStanding, Language, Role};
use lahete_domain::ids::{ClientId, IdSource, ProgrammeId, ReferralId, UserId};
use lahete_domain::time::Instant;
use lahete_domain::version::Version;
use lahete_persistence::repo::idempotency::{StoredAnswer, Told};
use lahete_persistence::{Constraint, Db, Store, StoreError, Writing};
use sha2::{Digest as _, Sha256};

use crate::auth::rate_limit::{Seeker, client_address};
use crate::auth::sign_in;
use crate::auth::token::subject_of;
use crate::error::{AppError, RuleProblem, Unauthenticated};
use crate::http::answer::Answer;
use crate::http::extract::body::BodyFingerprint;
use crate::http::extract::idempotency_key::idempotency_key;
use crate::http::extract::if_match::{if_match, if_none_match};
use crate::http::facts::{CallerKind, RequestFacts};
use crate::http::problem::Problem;
use crate::referrals::case;
use crate::state::AppState;

/// The header in which a caller states why data is read outside their own relation to the case.
pub const ACCESS_REASON: &str = "x-access-reason";

/// The longest stated reason, in characters.
pub const ACCESS_REASON_MAX: usize = 200;

/// What a use case knows of the call that it serves. No HTTP in it.
#[derive(Clone)]
pub struct OpContext {
    /// Who, with the roles that they hold today.
    pub actor: Actor,
    /// The present, read once.
    pub now: Instant,
    /// Ties the audit event to the answer and the log line.
    pub request_id: String,
    /// The operation id.
    pub operation: &'static str,
    /// The version that a change is meant for.
    pub if_match: Option<Version>,
    /// Where new ids come from.
    pub ids: Arc<dyn IdSource>,
    /// The language of labels.
    pub language: Language,
    /// The stated reason for access.
    pub reason: Option<String>,
}

impl OpContext {
    /// Who acts, where only a person can.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for a machine and for nobody.
    pub fn user(&self) -> Result<UserId, AppError> {
        self.actor.user().ok_or(AppError::Forbidden { action: self.operation })
    }

    /// Decides an access by the policy. A refusal about a known client is noted in the audit trail.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when the caller may not know of the subject, [`AppError::Forbidden`] when they may see it but not do this,
    /// [`AppError::ReasonRequired`] when they stand in no relation to it any more and have not said why.
    pub fn require(
        &self,
        db: &mut Db<'_>,
        action: Action,
        subject: &Subject,
        client: Option<ClientId>,
        referral: Option<ReferralId>,
    ) -> Result<Grant, AppError> {
        let refusal = match access::decide(&self.actor, action, subject) {
            Decision::Allowed(grant) if self.reason.is_some() || !access::needs_reason(grant.role, subject.past) => return Ok(grant),
            Decision::Allowed(_) => AppError::ReasonRequired,
            Decision::Hidden => AppError::NotFound(action.as_str()),
            Decision::Forbidden => AppError::Forbidden { action: action.as_str() },
            Decision::Closed(ClientStanding::Erased) => RuleProblem::new("client_erased", "What was known of the client is erased.").into(),
            Decision::Closed(_) => AppError::Restricted,
        };
        if client.is_some() {
            self.audit_denied(db, action, Some(subject.programme), client, referral);
        }
        Err(refusal)
    }

    fn audit_denied(
        &self,
        db: &mut Db<'_>,
        action: Action,
        programme: Option<ProgrammeId>,
        client: Option<ClientId>,
        referral: Option<ReferralId>,
    ) {
        db.audit(AuditEvent {
            at: self.now,
            caller: self.actor.caller,
            role: None,
            organisation: None,
            programme,
            client,
            referral,
            operation: self.operation,
            action: if action == action.view() { AuditAction::Read } else { AuditAction::Changed },
            outcome: AuditOutcome::Denied,
            reason: self.reason.clone(),
            request_id: self.request_id.clone(),
        });
    }

    /// What somebody gets who asks for a case or a client that is not there. It leaves an event as well, in the trail of the caller's own programme:
    /// whoever tries ids out is seen doing it, and cannot tell by the time that the answer takes what exists elsewhere.
    pub fn absent(&self, db: &mut Db<'_>, action: Action) -> AppError {
        self.audit_denied(db, action, self.actor.grants.first().map(|grant| grant.programme), None, None);
        AppError::NotFound(action.as_str())
    }

    /// Notes a denied try at something of a case that the caller may see.
    pub fn deny(&self, db: &mut Db<'_>, action: Action, programme: ProgrammeId, client: ClientId, referral: ReferralId) {
        self.audit_denied(db, action, Some(programme), Some(client), Some(referral));
    }

    /// What somebody gets who asks for a part of a case that is not theirs to know of. The try is noted.
    pub fn refuse(&self, db: &mut Db<'_>, action: Action, programme: ProgrammeId, client: ClientId, referral: ReferralId) -> AppError {
        self.deny(db, action, programme, client, referral);
        AppError::NotFound(action.as_str())
    }

    /// Asks for a stated reason for something that is the caller's to do, but shall be explained.
    ///
    /// # Errors
    /// [`AppError::ReasonRequired`] when there is none.
    pub fn expect_reason(&self) -> Result<(), AppError> {
        if self.reason.is_some() { Ok(()) } else { Err(AppError::ReasonRequired) }
    }

    /// Whether a row of a list is shown without what tells about the client: the case lies behind the caller, who has not said why they look.
    #[must_use]
    pub fn veils(&self, role: Role, past: bool) -> bool {
        self.reason.is_none() && access::needs_reason(role, past)
    }

    /// Notes an allowed access to a client's data in the audit trail.
    pub fn audit(&self, db: &mut Db<'_>, grant: &Grant, action: AuditAction, client: Option<ClientId>, referral: Option<ReferralId>) {
        self.audit_as(db, Some(grant), action, Some(grant.programme), client, referral);
    }

    /// As [`OpContext::audit`], also for those who act without a role: anonymous senders and the clock.
    pub fn audit_as(
        &self,
        db: &mut Db<'_>,
        grant: Option<&Grant>,
        action: AuditAction,
        programme: Option<ProgrammeId>,
        client: Option<ClientId>,
        referral: Option<ReferralId>,
    ) {
        db.audit(AuditEvent {
            at: self.now,
            caller: self.actor.caller,
            role: grant.map(|grant| grant.role),
            organisation: grant.and_then(|grant| grant.organisation),
            programme,
            client,
            referral,
            operation: self.operation,
            action,
            outcome: AuditOutcome::Allowed,
            reason: self.reason.clone(),
            request_id: self.request_id.clone(),
        });
    }

    /// Holds the version that the caller read against the present one.
    ///
    /// # Errors
    /// [`AppError::PreconditionRequired`] without `If-Match`, [`AppError::Stale`] for another version.
    pub fn expect_version(&self, present: Version) -> Result<(), AppError> {
        match self.if_match {
            None => Err(AppError::PreconditionRequired),
            Some(wanted) if wanted != present => Err(AppError::Stale),
            Some(_) => Ok(()),
        }
    }
}

/// A call by somebody with a valid token. A handler that takes it cannot be reached without one.
pub struct Operation {
    request: HttpRequest,
    state: Data<AppState>,
    caller: Caller,
    facts: RequestFacts,
    operation: &'static str,
    key: Option<String>,
    if_match: Option<Version>,
    reason: Option<String>,
}

/// A call that needs no token; the caller is nobody. Changes are limited for each address.
pub struct OpenOperation(Operation);

impl Deref for OpenOperation {
    type Target = Operation;

    fn deref(&self) -> &Operation {
        &self.0
    }
}

impl OpenOperation {
    /// As [`Operation::read`].
    ///
    /// # Errors
    /// Those of `work`, and of the store.
    pub async fn read<F>(self, work: F) -> Result<Answer, Problem>
    where
        F: FnMut(&mut Db<'_>, &OpContext) -> Result<Answer, AppError> + Send + 'static,
    {
        self.0.read(work).await
    }

    /// As [`Operation::read_apart`].
    ///
    /// # Errors
    /// Those of `work`, and of the store.
    pub async fn read_apart<F>(self, work: F) -> Result<Answer, Problem>
    where
        F: FnMut(&mut Db<'_>, &OpContext) -> Result<Answer, AppError> + Send + 'static,
    {
        self.0.read_apart(work).await
    }

    /// As [`Operation::write`].
    ///
    /// # Errors
    /// Those of `work`, and of the store.
    pub async fn write<F>(self, work: F) -> Result<Answer, Problem>
    where
        F: FnMut(&mut Db<'_>, &OpContext) -> Result<Answer, AppError> + Send + 'static,
    {
        self.0.write(work).await
    }

    /// As [`Operation::add`].
    ///
    /// # Errors
    /// Those of `work`, and of the store.
    pub async fn add<F>(self, work: F) -> Result<Answer, Problem>
    where
        F: FnMut(&mut Db<'_>, &OpContext) -> Result<Answer, AppError> + Send + 'static,
    {
        self.0.add(work).await
    }
}

/// Everything of a call but its roles, which are read in the transaction.
#[derive(Clone)]
struct Call {
    caller: Caller,
    now: Instant,
    context: OpContext,
}

impl Call {
    /// Roles are read in the same transaction as the data: a right that was taken away counts from the next call on.
    fn enter(&self, db: &mut Db<'_>) -> Result<OpContext, AppError> {
        let actor = match self.caller {
            Caller::Anonymous => Actor::anonymous(),
            caller => db.actor(caller, self.now.helsinki_date())?,
        };
        // Whoever was shut out is told so, and is not shown empty lists until the token ends.
        if actor.grants.is_empty() && db.account_is_closed(actor.caller)? {
            return Err(AppError::Unauthenticated(Unauthenticated::Invalid("the account is closed")));
        }
        Ok(OpContext { actor, ..self.context.clone() })
    }
}

impl Operation {
    /// Who calls.
    #[must_use]
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// The state of the program.
    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// The state of the program, for what is done after the call has been written.
    #[must_use]
    pub fn shared(&self) -> Data<AppState> {
        self.state.clone()
    }

    /// The language of labels.
    #[must_use]
    pub fn language(&self) -> Language {
        self.facts.language
    }

    /// The caller's idempotency key.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    fn new(request: &HttpRequest, caller: Caller) -> Result<Self, AppError> {
        let state = request.app_data::<Data<AppState>>().cloned().ok_or_else(|| AppError::internal("no application state"))?;
        let facts = request.extensions().get::<RequestFacts>().cloned().ok_or_else(|| AppError::internal("no facts of the request"))?;
        let route = facts.route.ok_or_else(|| AppError::internal("an operation outside the document"))?;
        let seeker = Seeker::of(caller, request, &state.config.trusted_proxies);
        state.limits.misses.check(seeker)?;
        request.extensions_mut().insert(seeker);
        request.extensions_mut().insert(match caller {
            Caller::User(_) => CallerKind::User,
            Caller::ApiClient(_) => CallerKind::ApiClient,
            Caller::Anonymous | Caller::Clock => CallerKind::Anonymous,
        });
        Ok(Self {
            key: if *request.method() == Method::POST { idempotency_key(request)? } else { None },
            if_match: if *request.method() == Method::GET { None } else { if_match(request)? },
            reason: access_reason(request)?,
            request: request.clone(),
            state,
            caller,
            facts,
            operation: route.operation.as_str(),
        })
    }

    fn call(&self) -> Call {
        let now = self.state.clock.now();
        Call {
            caller: self.caller,
            now,
            context: OpContext {
                actor: Actor { caller: self.caller, grants: Vec::new() },
                now,
                request_id: self.facts.request_id.clone(),
                operation: self.operation,
                if_match: self.if_match,
                ids: Arc::clone(&self.state.ids),
                language: self.facts.language,
                reason: self.reason.clone(),
            },
        }
    }

    /// The digest of what is asked: path, query and body. `If-Match` is left out, so that a repeated change with its now old version still gets
    /// the first answer.
    fn fingerprint(&self) -> Vec<u8> {
        let body = self.request.extensions().get::<BodyFingerprint>().copied().unwrap_or_else(|| BodyFingerprint::of_bytes(b""));
        let mut digest = Sha256::new();
        for part in [self.facts.path.as_bytes(), self.request.query_string().as_bytes(), &body.0] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().to_vec()
    }

    /// Runs a use case that changes nothing and looks at few rows. The answer is given when the accesses that it noted are durable.
    ///
    /// # Errors
    /// Those of `work`, and of the store.
    pub async fn read<F>(self, work: F) -> Result<Answer, Problem>
    where
        F: FnMut(&mut Db<'_>, &OpContext) -> Result<Answer, AppError> + Send + 'static,
    {
        let state = self.state.clone();
        let _reading = state.under_way.begin();
        let (store, closure, known) = self.reading(work);
        Ok(store.read(closure).await?.unless_known(known.as_deref()))
    }

    /// As [`Operation::read`], for a use case that looks at many rows: it does not hold up the server's own threads.
    ///
    /// # Errors
    /// Those of `work`, and of the store.
    pub async fn read_apart<F>(self, work: F) -> Result<Answer, Problem>
    where
        F: FnMut(&mut Db<'_>, &OpContext) -> Result<Answer, AppError> + Send + 'static,
    {
        let state = self.state.clone();
        let _reading = state.under_way.begin();
        let (store, closure, known) = self.reading(work);
        Ok(store.read_apart(closure).await?.unless_known(known.as_deref()))
    }

    fn reading<F>(self, mut work: F) -> (Store, impl FnMut(&mut Db<'_>) -> Result<Answer, AppError> + Send + 'static, Option<String>)
    where
        F: FnMut(&mut Db<'_>, &OpContext) -> Result<Answer, AppError> + Send + 'static,
    {
        let call = self.call();
        let known = if_none_match(&self.request);
        let closure = move |db: &mut Db<'_>| {
            let context = call.enter(db)?;
            work(db, &context)
        };
        (self.state.store.clone(), closure, known)
    }

    /// Runs a use case that changes something, in one transaction with its audit events and its stored answer. `work` may run more than once; only
    /// the last run counts.
    ///
    /// # Errors
    /// Those of `work`, and of the store; [`AppError::IdempotencyReused`] when the key stands for another request.
    pub async fn write<F>(self, work: F) -> Result<Answer, Problem>
    where
        F: FnMut(&mut Db<'_>, &OpContext) -> Result<Answer, AppError> + Send + 'static,
    {
        self.write_as(Writing::Change, work).await
    }

    /// As [`Operation::write`], for a use case that takes access away: it is answered only when every call that had begun before has its answer. So
    /// nothing that was taken away is told after the answer which says that it was.
    ///
    /// # Errors
    /// As [`Operation::write`].
    pub async fn write_and_shut<F>(self, work: F) -> Result<Answer, Problem>
    where
        F: FnMut(&mut Db<'_>, &OpContext) -> Result<Answer, AppError> + Send + 'static,
    {
        let state = self.state.clone();
        let answer = self.write(work).await?;
        state.under_way.passed().await;
        Ok(answer)
    }

    /// As [`Operation::write`], for a use case that adds something new and decides by nothing that another call may change meanwhile.
    ///
    /// # Errors
    /// As [`Operation::write`].
    pub async fn add<F>(self, work: F) -> Result<Answer, Problem>
    where
        F: FnMut(&mut Db<'_>, &OpContext) -> Result<Answer, AppError> + Send + 'static,
    {
        self.write_as(Writing::Add, work).await
    }

    async fn write_as<F>(self, writing: Writing, mut work: F) -> Result<Answer, Problem>
    where
        F: FnMut(&mut Db<'_>, &OpContext) -> Result<Answer, AppError> + Send + 'static,
    {
        let state = self.state.clone();
        // What a change answers tells about the case as well.
        let _under_way = state.under_way.begin();
        let call = self.call();
        let store = self.state.store.clone();
        // Whoever may not know of a thing is told that first; but nothing is done, judged or answered again for a change that names no version.
        let lacks_version = self.if_match.is_none() && self.facts.route.is_some_and(|route| route.if_match);
        let mut work = move |db: &mut Db<'_>, context: &OpContext| match work(db, context) {
            Ok(_) | Err(AppError::Rule(_) | AppError::Invalid(_)) if lacks_version => Err(AppError::PreconditionRequired),
            result => result,
        };
        let Some(key) = self.key.clone() else {
            let result = store
                .write_as(writing, move |db: &mut Db<'_>| -> Result<Answer, AppError> {
                    let context = call.enter(db)?;
                    work(db, &context)
                })
                .await;
            return Ok(result?);
        };
        let fingerprint = self.fingerprint();
        let caller = match self.caller {
            // Nobody in particular: two strangers whose programs count from one shall not hear of each other, nor one be given what another was told.
            Caller::Anonymous => format!("{}:{}", subject_of(self.caller), URL_SAFE_NO_PAD.encode(&fingerprint)),
            known => subject_of(known),
        };
        let entry = IdempotencyEntry { caller, operation: self.operation, key, fingerprint };
        let first = entry.clone();
        let named: Vec<(String, uuid::Uuid)> = self
            .request
            .match_info()
            .iter()
            .filter_map(|(name, text)| uuid::Uuid::try_parse(text).ok().map(|id| (name.to_owned(), id)))
            .collect();
        let result = store
            .write_as(writing, move |db: &mut Db<'_>| -> Result<Answer, AppError> {
                let context = call.enter(db)?;
                // Somebody who has lost all rights since gets what the use case says to them, and not what it said then.
                let has_rights = context.actor.caller == Caller::Anonymous || !context.actor.grants.is_empty();
                if has_rights && let Some(answer) = first.find(db)? {
                    for (name, id) in &named {
                        case::expect_still_seen(db, &context, name, *id)?;
                    }
                    return if lacks_version { Err(AppError::PreconditionRequired) } else { Ok(answer) };
                }
                let answer = work(db, &context)?;
                first.keep(db, &answer, context.now)?;
                Ok(answer)
            })
            .await;
        match result {
            // Another call with the same key was faster; its answer is there now.
            Err(AppError::Store(StoreError::Constraint(Constraint::IdempotencyKeyTaken))) => {
                let found = store.read(move |db: &mut Db<'_>| -> Result<Option<Answer>, AppError> { entry.find(db) }).await?;
                found.ok_or_else(|| AppError::IdempotencyInProgress.into())
            }
            other => Ok(other?),
        }
    }
}

#[derive(Clone)]
struct IdempotencyEntry {
    caller: String,
    operation: &'static str,
    key: String,
    fingerprint: Vec<u8>,
}

impl IdempotencyEntry {
    fn find(&self, db: &mut Db<'_>) -> Result<Option<Answer>, AppError> {
        match db.idempotency_find(&self.caller, self.operation, &self.key)? {
            None => Ok(None),
            Some(stored) if stored.fingerprint == self.fingerprint => {
                let told = stored.told.ok_or_else(|| RuleProblem::new("idempotency_answer_gone", "It was done. Read what it has made."))?;
                Ok(Some(Answer::stored(stored.status, told.headers, told.body).replayed()))
            }
            Some(_) => Err(AppError::IdempotencyReused),
        }
    }

    fn keep(&self, db: &mut Db<'_>, answer: &Answer, now: Instant) -> Result<(), AppError> {
        let (status, headers, body) = answer.to_stored()?;
        let told = Some(Told { headers, body });
        let stored = StoredAnswer { fingerprint: self.fingerprint.clone(), status, told, created_at: now };
        Ok(db.idempotency_insert(&self.caller, self.operation, &self.key, &stored)?)
    }
}

fn access_reason(request: &HttpRequest) -> Result<Option<String>, AppError> {
    let Some(value) = request.headers().get(ACCESS_REASON) else { return Ok(None) };
    std::str::from_utf8(value.as_bytes())
        .ok()
        .map(str::trim)
        .filter(|reason| !reason.is_empty() && reason.chars().count() <= ACCESS_REASON_MAX && !reason.chars().any(char::is_control))
        .map(|reason| Some(reason.to_owned()))
        .ok_or_else(|| AppError::malformed("malformed_request", format!("X-Access-Reason must be 1 to {ACCESS_REASON_MAX} characters.")))
}

/// The token of a call.
fn bearer(request: &HttpRequest) -> Result<&str, AppError> {
    let refuse = |reason| AppError::Unauthenticated(Unauthenticated::Invalid(reason));
    let mut values = request.headers().get_all(AUTHORIZATION);
    let Some(value) = values.next() else { return Err(AppError::Unauthenticated(Unauthenticated::Missing)) };
    if values.next().is_some() {
        return Err(refuse("two Authorization headers"));
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(|| refuse("not a bearer token"))?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refuse("another scheme than Bearer"));
    }
    Ok(token.trim())
}

/// The caller, or, when memory does not know, what finds them out.
fn verified_caller(request: &HttpRequest) -> Result<Either<Caller, impl Future<Output = Result<Caller, AppError>> + use<>>, AppError> {
    let state = request.app_data::<Data<AppState>>().ok_or_else(|| AppError::internal("no application state"))?;
    let (token, now) = (bearer(request)?, state.clock.now());
    if let Some(caller) = sign_in::at_once(state, token, now)? {
        return Ok(Either::Left(caller));
    }
    let facts = request.extensions().get::<RequestFacts>().map(|facts| facts.request_id.clone());
    let (state, token) = (state.clone(), token.to_owned());
    Ok(Either::Right(async move { sign_in::caller(&state, &token, &facts.unwrap_or_default(), now).await }))
}

impl FromRequest for Operation {
    type Error = Problem;
    type Future = Either<Ready<Result<Self, Problem>>, Pin<Box<dyn Future<Output = Result<Self, Problem>>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        match verified_caller(request) {
            Ok(Either::Left(caller)) => Either::Left(ready(Self::new(request, caller).map_err(Problem::from))),
            Ok(Either::Right(finding)) => {
                let request = request.clone();
                Either::Right(Box::pin(async move { Ok(Self::new(&request, finding.await?)?) }))
            }
            Err(error) => Either::Left(ready(Err(error.into()))),
        }
    }
}

impl FromRequest for OpenOperation {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let open = || {
            let operation = Operation::new(request, Caller::Anonymous)?;
            if *request.method() != Method::GET {
                let state = &operation.state;
                state.limits.public.check(client_address(request, &state.config.trusted_proxies))?;
            }
            Ok(Self(operation))
        };
        ready(open().map_err(|error: AppError| error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::token::{Audience, Claims, sign};
    use crate::http::extract::ValidJson;
    use crate::http::shell;
    use crate::http::wire::Text;
    use actix_web::middleware::from_fn;
    use actix_web::{App, test, web};
    use lahete_domain::ids::Id as _;
    use serde::Deserialize;
    use serde_json::{Value, json};
    use utoipa::ToSchema;
    use uuid::Uuid;
    use validator::Validate;

    /// A note.
    #[derive(Deserialize, ToSchema, Validate)]
    #[serde(deny_unknown_fields)]
    struct NoteCreate {
        /// Its text.
        text: Text<20>,
    }

    /// Answers with a new id each time that it really runs.
    async fn create(operation: Operation, body: ValidJson<NoteCreate>) -> Result<Answer, Problem> {
        operation
            .write(move |_, context| {
                let id: UserId = context.ids.next();
                Ok(Answer::created(format!("/v1/notes/{id}"), &json!({"id": id.to_string(), "text": body.0.text.as_str()}))
                    .version(Version::FIRST))
            })
            .await
    }

    async fn view(operation: Operation) -> Result<Answer, Problem> {
        operation.read(|_, context| Ok(Answer::ok(&json!({"operation": context.operation})).version(Version::FIRST))).await
    }

    fn token(state: &AppState, number: u128) -> String {
        let now = state.clock.now().utc().timestamp();
        let claims = Claims {
            iss: state.config.issuer.clone(),
            sub: subject_of(Caller::User(UserId::from_uuid(Uuid::from_u128(number)))),
            aud: Audience::One(state.config.audience.clone()),
            client_id: "test".into(),
            iat: now,
            exp: now + 60,
            nbf: None,
            jti: "1".into(),
        };
        format!("Bearer {}", sign(&state.signing_key, &claims).expect("signed"))
    }

    struct Sent {
        status: u16,
        replayed: bool,
        body: Value,
    }

    macro_rules! app {
        ($state:expr) => {
            // The handlers stand at paths that the document knows, in place of those that belong there.
            test::init_service(
                App::new()
                    .app_data($state.clone())
                    .route("/oauth/token", web::post().to(create))
                    .route("/livez", web::get().to(view))
                    .wrap(from_fn(shell::inner))
                    .wrap(from_fn(shell::outer)),
            )
            .await
        };
    }

    macro_rules! send {
        ($app:expr, $state:expr, $user:expr, $key:expr, $body:expr) => {{
            let mut request = test::TestRequest::post()
                .uri("/oauth/token")
                .insert_header(("authorization", token(&$state, $user)))
                .insert_header(("content-type", "application/json"))
                .set_payload($body.to_owned());
            let key: Option<&str> = $key;
            if let Some(key) = key {
                request = request.insert_header(("idempotency-key", key));
            }
            let response = test::call_service(&$app, request.to_request()).await;
            let status = response.status().as_u16();
            let replayed = response.headers().contains_key("idempotent-replayed");
            Sent { status, replayed, body: test::read_body_json(response).await }
        }};
    }

    #[actix_web::test]
    async fn a_repeated_request_gets_the_first_answer() {
        let state = crate::state::tests::state(&[]).await;
        let app = app!(state);
        let first = send!(app, state, 1, Some("k1"), r#"{"text": "a"}"#);
        assert_eq!((first.status, first.replayed), (201, false));
        let again = send!(app, state, 1, Some("\"k1\""), r#"{ "text":"a" }"#);
        assert_eq!((again.status, again.replayed, &again.body), (201, true, &first.body));
        let other_body = send!(app, state, 1, Some("k1"), r#"{"text": "b"}"#);
        assert_eq!((other_body.status, other_body.body["code"].as_str()), (422, Some("idempotency_key_reused")));
        let other_caller = send!(app, state, 2, Some("k1"), r#"{"text": "a"}"#);
        assert_eq!((other_caller.status, other_caller.replayed), (201, false));
        let without = send!(app, state, 1, None, r#"{"text": "a"}"#);
        assert_ne!(without.body["id"], first.body["id"]);
        let bad_key = send!(app, state, 1, Some(""), r#"{"text": "a"}"#);
        assert_eq!(bad_key.body["code"], "idempotency_key_invalid");
    }

    #[actix_web::test]
    async fn many_equal_requests_at_once_run_once() {
        let state = crate::state::tests::state(&[]).await;
        let app = app!(state);
        let calls = (0..20).map(|_| async { send!(app, state, 1, Some("race"), r#"{"text": "a"}"#) });
        let answers = futures_util::future::join_all(calls).await;
        assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body));
        assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    }

    #[actix_web::test]
    async fn a_bad_body_or_no_token_gets_no_further() {
        let state = crate::state::tests::state(&[("body_limit", "1024")]).await;
        let app = app!(state);
        assert_eq!(send!(app, state, 1, None, "{").body["code"], "malformed_json");
        let faults = send!(app, state, 1, None, r#"{"x": 1}"#).body;
        assert_eq!((faults["code"].as_str(), faults["errors"].as_array().map(Vec::len)), (Some("invalid"), Some(2)));
        assert_eq!(send!(app, state, 1, None, format!(r#"{{"text": "{}"}}"#, "a".repeat(1024))).body["code"], "too_large");
        for (header, code) in [("", "unauthenticated"), ("Bearer x", "invalid_token"), ("Basic eDp5", "invalid_token")] {
            let mut request = test::TestRequest::post().uri("/oauth/token").insert_header(("content-type", "text/plain"));
            if !header.is_empty() {
                request = request.insert_header(("authorization", header));
            }
            let response = test::call_service(&app, request.to_request()).await;
            assert_eq!(response.status(), 401);
            assert!(response.headers().contains_key("www-authenticate"));
            let body: Value = test::read_body_json(response).await;
            assert_eq!(body["code"], code);
        }
    }

    #[actix_web::test]
    async fn a_known_version_is_not_read_again() {
        let state = crate::state::tests::state(&[]).await;
        let app = app!(state);
        for (known, status) in [("\"1\"", 304), ("\"2\"", 200)] {
            let request = test::TestRequest::get()
                .uri("/livez")
                .insert_header(("authorization", token(&state, 1)))
                .insert_header(("if-none-match", known))
                .to_request();
            assert_eq!(test::call_service(&app, request).await.status().as_u16(), status);
        }
    }
}
