//! The built-in issuer: tokens for machines and, in demo mode, for the demo accounts.

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lahete_domain::actor::Caller;
use lahete_domain::ids::{ApiClientId, Id as _};
use lahete_persistence::Db;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::demo_accounts::DEMO_CLIENT_ID;
use super::password;
use super::rate_limit::client_address;
use super::token::{Audience, Claims, sign, subject_of};
use super::wire::{DiscoveryView, KeySetView, TokenRequest, TokenView};
use crate::error::{AppError, TokenRefusal};
use crate::http::answer::Answer;
use crate::http::extract::body::read_body;
use crate::http::extract::query::pairs;
use crate::http::extract::schema::{faults, validator_of};
use crate::http::problem::Problem;
use crate::state::AppState;

/// Seconds for which others may keep the keys and the discovery document.
const KEYS_KEPT_SECONDS: u32 = 900;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.service(token_issue).service(key_set_view).service(discovery_view);
}

/// Get an access token.
///
/// Machines send their client id and secret with `grant_type=client_credentials`, in the form or by HTTP Basic authentication. In demo mode, the demo
/// accounts get one with `grant_type=password`. What a token allows follows from the caller's roles at each call, not from the token.
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
    let form = Form::parse(&body)?;
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
    match known {
        Some(known)
            if known.active
                && known.expires_at.is_none_or(|end| now < end)
                && bool::from(known.secret_sha256.as_slice().ct_eq(&digest)) =>
        {
            Ok((Caller::ApiClient(id), client_id))
        }
        _ => Err(refused()),
    }
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
    fn parse(body: &[u8]) -> Result<Self, AppError> {
        let unreadable = || AppError::Token(TokenRefusal::InvalidRequest("The form cannot be read."));
        let members = pairs(std::str::from_utf8(body).map_err(|_| unreadable())?).map_err(|_| unreadable())?;
        for (index, (name, _)) in members.iter().enumerate() {
            if members.iter().skip(index + 1).any(|(other, _)| other == name) {
                return Err(AppError::Token(TokenRefusal::InvalidRequest("A member of the form stands more than once.")));
            }
        }
        let form = Self(members);
        form.check()?;
        Ok(form)
    }

    /// Holds the members against the schema that the document shows. What is missing or unknown has answers of its own in RFC 6749.
    fn check(&self) -> Result<(), AppError> {
        let given = self.0.iter().filter(|(_, value)| !value.is_empty());
        let value: Map<String, Value> = given.map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        let found = faults(validator_of::<TokenRequest>()?.as_ref(), &Value::Object(value));
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
        jwks_uri: format!("{base}/.well-known/jwks.json"),
        grant_types_supported,
        token_endpoint_auth_methods_supported: vec!["client_secret_basic", "client_secret_post"],
        response_types_supported: Vec::new(),
    })
    .public_for(KEYS_KEPT_SECONDS)
}
