//! What is done with API clients.

use std::collections::BTreeSet;

use lahete_domain::access::{Action, Subject};
use lahete_domain::actor::Caller;
use lahete_domain::codes::AuditAction;
use lahete_domain::ids::{ApiClientId, Id, OrganisationId, ProgrammeId};
use lahete_domain::user::ApiClient;
use lahete_domain::version::Version;
use lahete_persistence::{Db, Page, PageRequest};
use uuid::Uuid;

use super::wire::{ApiClientNew, ApiClientQuery, ApiClientUpdate, SecretRotation};
use crate::auth::revocations::of_caller;
use crate::error::AppError;
use crate::operation::OpContext;
use crate::programmes::reachable;

pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &ApiClientQuery, page: &PageRequest) -> Result<Page<ApiClient>, AppError> {
    let programmes = reachable(ctx, Action::ApiClientManage, query.programme_id.map(ProgrammeId::from_uuid));
    Ok(db.api_client_list(&programmes, page)?)
}

pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: ApiClientId) -> Result<ApiClient, AppError> {
    let client = db.api_client_get(id)?.ok_or(AppError::NotFound(ApiClientId::RESOURCE))?;
    ctx.require(db, Action::ApiClientManage, &Subject::of_programme(client.programme), None, None)?;
    Ok(client)
}

fn organisations(ids: impl IntoIterator<Item = Uuid>) -> BTreeSet<OrganisationId> {
    ids.into_iter().map(OrganisationId::from_uuid).collect()
}

pub fn create(db: &mut Db<'_>, ctx: &OpContext, new: &ApiClientNew, secret_sha256: Option<&[u8]>) -> Result<ApiClient, AppError> {
    let programme = ProgrammeId::from_uuid(new.programme_id);
    let grant = ctx.require(db, Action::ApiClientManage, &Subject::of_programme(programme), None, None)?;
    let client = ApiClient {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme,
        name: new.name.as_str().to_owned(),
        source_system: new.source_system.as_str().to_owned(),
        secret_expires_at: None,
        old_secret_until: None,
        secret_used_at: None,
        active: true,
        created_at: ctx.now,
        organisations: organisations(new.organisation_ids.iter().copied()),
    };
    let client = match secret_sha256 {
        Some(_) => client.with_new_secret(new.secret_expires_at.map(|at| at.0), 0, ctx.now)?,
        None => client,
    };
    client.check_organisations(&db.organisations_of(&client.organisations)?)?;
    db.api_client_insert(&client, secret_sha256.unwrap_or_default())?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(client)
}

/// Loads a machine for a change, changes it, and writes it back with a new secret if there is one.
fn change(
    db: &mut Db<'_>,
    ctx: &OpContext,
    id: ApiClientId,
    secret_sha256: Option<&[u8]>,
    apply: impl FnOnce(&mut Db<'_>, ApiClient) -> Result<ApiClient, AppError>,
) -> Result<ApiClient, AppError> {
    let present = db.api_client_get(id)?.ok_or(AppError::NotFound(ApiClientId::RESOURCE))?;
    let grant = ctx.require(db, Action::ApiClientManage, &Subject::of_programme(present.programme), None, None)?;
    ctx.expect_version(present.version)?;
    let expected = present.version;
    let client = ApiClient { version: expected.next(), ..apply(db, present)? };
    db.api_client_update(&client, expected, secret_sha256)?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok(client)
}

pub fn update(db: &mut Db<'_>, ctx: &OpContext, id: ApiClientId, patch: ApiClientUpdate) -> Result<ApiClient, AppError> {
    change(db, ctx, id, None, |db, present| {
        present.check_active()?;
        let client = ApiClient {
            name: patch.name.map(String::from).apply(present.name.clone()),
            organisations: patch.organisation_ids.map(organisations).apply(present.organisations.clone()),
            ..present.clone()
        };
        if client.organisations != present.organisations {
            client.check_organisations(&db.organisations_of(&client.organisations)?)?;
        }
        Ok(client)
    })
}

pub fn rotate_secret(
    db: &mut Db<'_>,
    ctx: &OpContext,
    id: ApiClientId,
    rotation: &SecretRotation,
    secret_sha256: &[u8],
) -> Result<ApiClient, AppError> {
    change(db, ctx, id, Some(secret_sha256), |_, present| {
        let overlap = i64::from(rotation.overlap_hours.unwrap_or(0));
        Ok(present.with_new_secret(rotation.secret_expires_at.map(|at| at.0), overlap, ctx.now)?)
    })
}

pub fn revoke(db: &mut Db<'_>, ctx: &OpContext, id: ApiClientId) -> Result<ApiClient, AppError> {
    change(db, ctx, id, None, |_, present| {
        present.check_active()?;
        Ok(ApiClient { active: false, ..present })
    })
}

/// Ends every token that the machine holds. `life_max` is the longest life of a token, in seconds.
pub fn end_sessions(db: &mut Db<'_>, ctx: &OpContext, id: ApiClientId, life_max: i64) -> Result<ApiClient, AppError> {
    let client = db.api_client_get(id)?.ok_or(AppError::NotFound(ApiClientId::RESOURCE))?;
    let grant = ctx.require(db, Action::ApiClientManage, &Subject::of_programme(client.programme), None, None)?;
    db.revocation_put(&of_caller(Caller::ApiClient(id), life_max, ctx.now))?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok(client)
}
