//! What is done with the keys of API clients.

use lahete_domain::access::{Action, Subject};
use lahete_domain::actor::Grant;
use lahete_domain::codes::AuditAction;
use lahete_domain::ids::{ApiClientId, ApiClientKeyId, Id};
use lahete_domain::user::{API_CLIENT_KEYS_MAX, ApiClient, ApiClientKey, KeyAlgorithm};
use lahete_persistence::{Constraint, Db, Page, PageRequest, StoreError};
use serde_json::Value;

use super::wire::ApiClientKeyNew;
use crate::auth::assertion::algorithm_of;
use crate::auth::key_set::parse_key;
use crate::error::{AppError, Fault, RuleProblem};
use crate::operation::OpContext;

/// More than a machine can have.
const ALL: u16 = API_CLIENT_KEYS_MAX as u16 + 1;

fn open(db: &mut Db<'_>, ctx: &OpContext, id: ApiClientId) -> Result<(ApiClient, Grant), AppError> {
    let client = db.api_client_get(id)?.ok_or(AppError::NotFound(ApiClientId::RESOURCE))?;
    let grant = ctx.require(db, Action::ApiClientManage, &Subject::of_programme(client.programme), None, None)?;
    Ok((client, grant))
}

pub fn list(db: &mut Db<'_>, ctx: &OpContext, id: ApiClientId, page: &PageRequest) -> Result<Page<ApiClientKey>, AppError> {
    open(db, ctx, id)?;
    Ok(db.api_client_key_list(id, page)?)
}

/// Reads a public key: its name, its one algorithm, and the text that is kept.
fn read(jwk: &Value) -> Result<(String, KeyAlgorithm, String), AppError> {
    let refused = |reason: &str| AppError::fault(Fault::new("/jwk", "bad_key", format!("The key cannot be used: {reason}.")));
    let algorithm = algorithm_of(jwk).ok_or_else(|| refused("it is not for ES256, EdDSA, RS256 or PS256"))?;
    let key = parse_key(jwk, &[algorithm]).map_err(refused)?;
    let name = key.name.ok_or_else(|| refused("it has no name, kid"))?;
    Ok((name, algorithm, jwk.to_string()))
}

pub fn create(db: &mut Db<'_>, ctx: &OpContext, id: ApiClientId, new: &ApiClientKeyNew) -> Result<ApiClientKey, AppError> {
    let (client, grant) = open(db, ctx, id)?;
    let (name, algorithm, jwk) = read(&serde_json::to_value(&new.jwk).map_err(AppError::internal)?)?;
    let expires_at = new.expires_at.map(|at| at.0);
    let present = db.api_client_key_list(id, &PageRequest::first(ALL))?.items.len();
    client.check_new_key(expires_at, present, ctx.now)?;
    let key = ApiClientKey { id: ctx.ids.next(), api_client: id, name, algorithm, jwk, expires_at, created_at: ctx.now };
    db.api_client_key_insert(&key).map_err(|error| match error {
        StoreError::Constraint(Constraint::KeyNameTaken) => {
            RuleProblem::new("key_name_in_use", "The API client has a key of this name already.").into()
        }
        other => AppError::from(other),
    })?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(key)
}

pub fn remove(db: &mut Db<'_>, ctx: &OpContext, id: ApiClientId, key: ApiClientKeyId) -> Result<ApiClientKey, AppError> {
    let (_, grant) = open(db, ctx, id)?;
    let found = db.api_client_key_get(key)?.filter(|found| found.api_client == id).ok_or(AppError::NotFound(ApiClientKeyId::RESOURCE))?;
    db.api_client_key_delete(key)?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok(found)
}
