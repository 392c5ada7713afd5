//! The built-in issuer: tokens for machines and, in demo mode, for the demo accounts.

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lahete_domain::actor::Caller;
use lahete_domain::ids::{ApiClientId, Id as _};
use lahete_domain::user::{API_CLIENT_KEYS_MAX, KeyAlgorithm};
use lahete_persistence::{Constraint, Db, PageRequest, StoreError};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;
use uuid::Uuid;

use super::assertion::{self, ASSERTION_TYPE};
use super::demo_accounts::DEMO_CLIENT_ID;
use super::issuers::OWN;
use super::password;
use super::rate_limit::client_address;
use super::revocations;
use super::token::{Audience, Claims, sign, subject_of};
use super::wire::{DiscoveryView, KeySetView, RevocationRequest, RevocationView, TokenRequest, TokenView};
use crate::error::{AppError, TokenRefusal};
use crate::http::answer::Answer;
use crate::http::extract::body::read_body;
use crate::http::extract::query::pairs;
use crate::http::extract::schema::{faults, validator_of};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::state::AppState;

/// Seconds for which others may keep the keys and the discovery document.
const KEYS_KEPT_SECONDS: u32 = 900;

/// How long the use of a secret is not noted again.
const USE_NOTED_MINUTES: i64 = 60;

/// All keys that a machine can have.
const KEYS_MAX: u16 = API_CLIENT_KEYS_MAX as u16;

/// Registers the routes.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(token_issue).service(token_revoke).service(key_set_view).service(discovery_view);
}

/// Get an access token.
///
/// Machines use `grant_type=client_credentials`. They prove who they are by an assertion that they sign with a key of theirs (`private_key_jwt`,
/// RFC 7523: at most 60 seconds long, used once, meant for this endpoint or this issuer), or by their client id and secret, in the form or by HTTP
/// Basic authentication. In demo mode, the demo accounts get one with `grant_type=password`. What a token allows follows from the caller's roles at
/// each call, not from the token.
#[utoipa::path(
    tag = "authorisation",
    security(()),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded", description = "The form of RFC 6749"),
    responses(
        (status = 200, description = "A token", body = TokenView),
    )
)]
#[post("/oauth/token")]
pub async fn token_issue(state: Data<AppState>, request: HttpRequest, payload: web::Payload) -> Result<Answer, Problem> {
    state.limits.token.check(client_address(&request, &state.config.trusted_proxies))?;
    let body = read_body(request.clone(), payload.into_inner(), "application/x-www-form-urlencoded").await?;
    let form = Form::parse::<TokenRequest>(&body)?;
    let (caller, client_id) = match form.required("grant_type")? {
        "client_credentials" => api_client(&state, &request, &form).await?,
        "password" if state.config.demo => demo_account(&state, &form).await?,
        _ => return Err(AppError::Token(TokenRefusal::UnsupportedGrantType).into()),
    };
    let issued = state.clock.now().utc().timestamp();
    let life = i64::from(state.config.token_minutes) * 60;
    let claims = Claims {
        iss: state.config.issuer.clone(),
        sub: subject_of(caller),
        aud: Audience::One(state.config.audience.clone()),
        client_id,
        iat: issued,
        exp: issued + life,
        nbf: None,
        jti: state.ids.next_uuid().to_string(),
    };
    let access_token = sign(&state.signing_key, &claims).map_err(AppError::internal)?;
    Ok(Answer::ok(&TokenView { access_token, token_type: "Bearer", expires_in: life }))
}

async fn demo_account(state: &AppState, form: &Form) -> Result<(Caller, String), AppError> {
    let (login, given) = (form.required("username")?.to_owned(), form.required("password")?.to_owned());
    let user = state.store.read(move |db: &mut Db<'_>| -> Result<_, AppError> { Ok(db.user_by_login(&login)?) }).await?;
    let (id, stored) = match user {
        Some(user) if user.active => (Some(user.id), user.password_hash),
        _ => (None, None),
    };
    let right = web::block(move || password::verify(&given, stored.as_deref())).await.map_err(AppError::internal)?;
    match id {
        Some(id) if right => Ok((Caller::User(id), DEMO_CLIENT_ID.to_owned())),
        _ => Err(AppError::Token(TokenRefusal::InvalidGrant)),
    }
}

async fn api_client(state: &AppState, request: &HttpRequest, form: &Form) -> Result<(Caller, String), AppError> {
    let refused = || AppError::Token(TokenRefusal::InvalidClient);
    if form.get("client_assertion").is_some() || form.get("client_assertion_type").is_some() {
        return by_assertion(state, request, form).await;
    }
    let (client_id, secret) = match basic_credentials(request)? {
        Some(_) if form.get("client_secret").is_some() => {
            return Err(AppError::Token(TokenRefusal::InvalidRequest("Send the client secret in one way only.")));
        }
        Some(pair) => pair,
        None => (form.required("client_id")?.to_owned(), form.get("client_secret").ok_or_else(refused)?.to_owned()),
    };
    let id = ApiClientId::from_uuid(Uuid::try_parse(&client_id).map_err(|_| refused())?);
    let now = state.clock.now();
    let known = state.store.read(move |db: &mut Db<'_>| -> Result<_, AppError> { Ok(db.api_client_secret(id)?) }).await?;
    let digest: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
    let is = |hash: &[u8]| bool::from(hash.ct_eq(&digest));
    let known = known.filter(|known| {
        let present = is(&known.secret_sha256) && known.expires_at.is_none_or(|end| now < end);
        let old = known.old.as_ref().is_some_and(|(hash, until)| is(hash) && now < *until);
        known.active && (present || old)
    });
    let Some(known) = known else { return Err(refused()) };
    if known.used_at.is_none_or(|at| at < now.plus_minutes(-USE_NOTED_MINUTES)) {
        // Whoever looks after the secret wants to know, but a machine that cannot be noted is let in all the same.
        let noted = state.store.write(move |db: &mut Db<'_>| -> Result<_, AppError> { Ok(db.api_client_secret_used(id, now)?) }).await;
        if let Err(error) = noted {
            log::warn!("the use of a secret could not be noted: {error:?}");
        }
    }
    Ok((Caller::ApiClient(id), client_id))
}

/// A machine that has signed an assertion. It opens once, on all servers.
async fn by_assertion(state: &AppState, request: &HttpRequest, form: &Form) -> Result<(Caller, String), AppError> {
    let refused = |reason: &'static str| {
        log::info!("an assertion was refused: {reason}");
        AppError::Token(TokenRefusal::InvalidClient)
    };
    if form.get("client_secret").is_some() || request.headers().contains_key(AUTHORIZATION) {
        return Err(AppError::Token(TokenRefusal::InvalidRequest("Prove who you are in one way only.")));
    }
    let assertion = form.required("client_assertion")?;
    if form.required("client_assertion_type")? != ASSERTION_TYPE {
        return Err(AppError::Token(TokenRefusal::InvalidRequest("Another client_assertion_type than jwt-bearer.")));
    }
    let (head, client_id) = assertion::issuer_of(assertion).map_err(refused)?;
    if form.get("client_id").is_some_and(|given| given != client_id) {
        return Err(refused("another client_id in the form"));
    }
    let id = match Uuid::try_parse(&client_id) {
        Ok(id) if client_id.len() == 36 => ApiClientId::from_uuid(id),
        _ => return Err(refused("no client id")),
    };
    let now = state.clock.now();
    let keys = state
        .store
        .read(move |db: &mut Db<'_>| -> Result<_, AppError> {
            let active = db.api_client_get(id)?.is_some_and(|client| client.active);
            if active { Ok(db.api_client_key_list(id, &PageRequest::first(KEYS_MAX))?.items) } else { Ok(Vec::new()) }
        })
        .await?;
    let audiences = [format!("{}/oauth/token", state.base_url), state.config.issuer.clone()];
    let found = assertion::check(assertion, &head, id, &keys, &audiences, state.issuers.leeway(), now).map_err(refused)?;
    let until = now.plus_minutes(found.until.saturating_sub(now.utc().timestamp()).max(0) / 60 + 1);
    let used =
        state.store.write(move |db: &mut Db<'_>| -> Result<_, AppError> { Ok(db.assertion_use(id, &found.jti_sha256, until)?) }).await;
    match used {
        Ok(()) => Ok((Caller::ApiClient(id), client_id)),
        Err(AppError::Store(StoreError::Constraint(Constraint::AssertionUsed))) => Err(refused("used before")),
        Err(other) => Err(other),
    }
}

/// End a token before its time.
///
/// Whoever holds a token may end it (RFC 7009): it counts no more, within a minute on all servers and at once on the one that is called. A machine may
/// prove who it is along with it, as at the token endpoint; then the token must be its own. What is no valid token is answered in the same way, since
/// there is nothing left to end.
#[utoipa::path(
    tag = "authorisation",
    security(()),
    request_body(content = RevocationRequest, content_type = "application/x-www-form-urlencoded", description = "The form of RFC 7009"),
    responses(
        (status = 200, description = "The token counts no more.", body = RevocationView),
    )
)]
#[post("/oauth/revoke")]
pub async fn token_revoke(state: Data<AppState>, request: HttpRequest, payload: web::Payload) -> Result<Answer, Problem> {
    state.limits.token.check(client_address(&request, &state.config.trusted_proxies))?;
    let body = read_body(request.clone(), payload.into_inner(), "application/x-www-form-urlencoded").await?;
    let form = Form::parse::<RevocationRequest>(&body)?;
    let token = form.required("token")?;
    let proves = ["client_id", "client_secret", "client_assertion"].iter().any(|name| form.get(name).is_some()) || says_basic(&request);
    let holder = if proves { Some(api_client(&state, &request, &form).await?.0) } else { None };
    let now = state.clock.now();
    if let Ok(verified) = state.issuers.verify(token, now).await {
        if holder.is_some_and(|holder| verified.issuer != OWN || verified.claims.sub != subject_of(holder)) {
            return Err(AppError::Token(TokenRefusal::InvalidClient).into());
        }
        let ended = revocations::of_token(&verified.mark, verified.claims.exp, state.issuers.leeway(), now);
        state.store.write(move |db: &mut Db<'_>| -> Result<_, AppError> { Ok(db.revocation_put(&ended)?) }).await?;
        state.revocations.expire();
    }
    Ok(Answer::ok(&RevocationView { active: false }))
}

fn says_basic(request: &HttpRequest) -> bool {
    let scheme = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.split(' ').next().map(str::to_owned));
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"))
}

/// Client id and secret from HTTP Basic authentication.
fn basic_credentials(request: &HttpRequest) -> Result<Option<(String, String)>, AppError> {
    let Some(value) = request.headers().get(AUTHORIZATION) else { return Ok(None) };
    let read = || {
        let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (id, secret) = decoded.split_once(':')?;
        // RFC 6749 §2.3.1: both halves are form-encoded first.
        Some((form_decoded(id)?, form_decoded(secret)?))
    };
    read().map(Some).ok_or(AppError::Token(TokenRefusal::InvalidClient))
}

fn form_decoded(text: &str) -> Option<String> {
    let mut all = pairs(&format!("x={text}")).ok()?;
    if all.len() == 1 { all.pop().map(|(_, value)| value) } else { None }
}

struct Form(Vec<(String, String)>);

impl Form {
    fn parse<T: ToSchema + 'static>(body: &[u8]) -> Result<Self, AppError> {
        let unreadable = || AppError::Token(TokenRefusal::InvalidRequest("The form cannot be read."));
        let members = pairs(std::str::from_utf8(body).map_err(|_| unreadable())?).map_err(|_| unreadable())?;
        for (index, (name, _)) in members.iter().enumerate() {
            if members.iter().skip(index + 1).any(|(other, _)| other == name) {
                return Err(AppError::Token(TokenRefusal::InvalidRequest("A member of the form stands more than once.")));
            }
        }
        let form = Self(members);
        form.check::<T>()?;
        Ok(form)
    }

    /// Holds the members against the schema that the document shows. What is missing or unknown has answers of its own in RFC 6749.
    fn check<T: ToSchema + 'static>(&self) -> Result<(), AppError> {
        let given = self.0.iter().filter(|(_, value)| !value.is_empty());
        let value: Map<String, Value> = given.map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        let found = faults(validator_of::<T>()?.as_ref(), &Value::Object(value));
        if found.iter().any(|fault| !matches!(fault.code.as_ref(), "required" | "not_in_list")) {
            return Err(AppError::Token(TokenRefusal::InvalidRequest("A member of the form is too long or holds U+0000.")));
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn required(&self, name: &'static str) -> Result<&str, AppError> {
        self.get(name).ok_or(AppError::Token(TokenRefusal::InvalidRequest(match name {
            "grant_type" => "The form lacks grant_type.",
            "client_assertion" => "The form lacks client_assertion.",
            "client_assertion_type" => "The form lacks client_assertion_type.",
            "token" => "The form lacks token.",
            "username" => "The form lacks username.",
            "password" => "The form lacks password.",
            _ => "The form lacks client_id.",
        })))
    }
}

/// Read the public keys.
///
/// The keys that access tokens of this server are signed with, for whoever wants to check one.
#[utoipa::path(tag = "authorisation", security(()), responses((status = 200, description = "The key set", body = KeySetView)))]
#[get("/.well-known/jwks.json")]
pub async fn key_set_view(state: Data<AppState>) -> Answer {
    Answer::ok(&state.signing_key.key_set()).public_for(KEYS_KEPT_SECONDS)
}

/// Read where what is.
///
/// The discovery document of the built-in issuer: its name, its token endpoint and its keys.
#[utoipa::path(tag = "authorisation", security(()), responses((status = 200, description = "The discovery document", body = DiscoveryView)))]
#[get("/.well-known/openid-configuration")]
pub async fn discovery_view(state: Data<AppState>) -> Answer {
    let base = &state.base_url;
    let mut grant_types_supported = vec!["client_credentials"];
    if state.config.demo {
        grant_types_supported.push("password");
    }
    Answer::ok(&DiscoveryView {
        issuer: state.config.issuer.clone(),
        token_endpoint: format!("{base}/oauth/token"),
        revocation_endpoint: format!("{base}/oauth/revoke"),
        jwks_uri: format!("{base}/.well-known/jwks.json"),
        grant_types_supported,
        token_endpoint_auth_methods_supported: vec!["private_key_jwt", "client_secret_basic", "client_secret_post"],
        token_endpoint_auth_signing_alg_values_supported: KeyAlgorithm::ALL.iter().map(|one| one.as_str()).collect(),
        response_types_supported: Vec::new(),
    })
    .public_for(KEYS_KEPT_SECONDS)
}
