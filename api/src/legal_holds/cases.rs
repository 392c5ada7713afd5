//! Placing, reading and ending legal holds.

use lahete_domain::access::{Action, Subject};
use lahete_domain::actor::Grant;
use lahete_domain::codes::{AuditAction, ClientStanding};
use lahete_domain::ids::{ClientId, Id as _, LegalHoldId, ProgrammeId, ReferralId};
use lahete_domain::retention::{HoldEnd, LegalHold};
use lahete_domain::version::Version;
use lahete_persistence::repo::legal_holds::HoldFilter;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{LegalHoldCreate, LegalHoldEnd, LegalHoldQuery};
use crate::clients::cases::open_client;
use crate::error::{AppError, Fault, RuleProblem};
use crate::operation::OpContext;
use crate::programmes::reachable;

/// Places a hold.
///
/// # Errors
/// 404 for a client who is none, 409 for one who is erased, 422 for a referral that is not theirs or a day that has gone by.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, body: &LegalHoldCreate) -> Result<LegalHold, AppError> {
    let (client, grant) = open_client(db, ctx, Action::LegalHoldManage, ClientId::from_uuid(body.client_id))?;
    if client.standing == ClientStanding::Erased {
        return Err(RuleProblem::new("client_erased", "What was known of the client is erased.").into());
    }
    let referral = body.referral_id.map(ReferralId::from_uuid);
    if let Some(referral) = referral
        && !db.referrals_of_client(client.id)?.contains(&referral)
    {
        return Err(AppError::fault(Fault::new("/referral_id", "not_found", "The client has no such referral.")));
    }
    if body.until.is_some_and(|until| until < ctx.now.helsinki_date()) {
        return Err(AppError::fault(Fault::new("/until", "out_of_range", "The last day has gone by.")));
    }
    let hold = LegalHold {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme: client.programme,
        client: client.id,
        referral,
        reason: body.reason.as_str().to_owned(),
        placed_at: ctx.now,
        placed_by: ctx.user()?,
        until: body.until,
        ended: None,
    };
    db.legal_hold_insert(&hold)?;
    ctx.audit(db, &grant, AuditAction::Created, Some(client.id), referral);
    Ok(hold)
}

fn find(db: &mut Db<'_>, ctx: &OpContext, id: LegalHoldId) -> Result<(LegalHold, Grant), AppError> {
    let Some(hold) = db.legal_hold_get(id)? else { return Err(ctx.absent(db, Action::LegalHoldManage)) };
    let grant = ctx.require(db, Action::LegalHoldManage, &Subject::of_programme(hold.programme), Some(hold.client), hold.referral)?;
    Ok((hold, grant))
}

/// One hold.
///
/// # Errors
/// 404 when there is none or the caller may not see it.
pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: LegalHoldId) -> Result<LegalHold, AppError> {
    let (hold, grant) = find(db, ctx, id)?;
    ctx.audit(db, &grant, AuditAction::Read, Some(hold.client), hold.referral);
    Ok(hold)
}

/// The holds of the caller's programmes.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &LegalHoldQuery, page: &PageRequest) -> Result<Page<LegalHold>, AppError> {
    let programmes = reachable(ctx, Action::LegalHoldManage, query.programme_id.map(ProgrammeId::from_uuid));
    let filter = HoldFilter {
        client: query.client_id.map(ClientId::from_uuid),
        holding_on: query.holding.filter(|holding| *holding).map(|_| ctx.now.helsinki_date()),
    };
    let found = db.legal_hold_list(&programmes, filter, page)?;
    let mut noted = std::collections::BTreeSet::new();
    for hold in &found.items {
        if noted.insert(hold.client) {
            let grant = ctx.require(db, Action::LegalHoldManage, &Subject::of_programme(hold.programme), Some(hold.client), None)?;
            ctx.audit(db, &grant, AuditAction::Read, Some(hold.client), None);
        }
    }
    Ok(found)
}

/// Ends a hold.
///
/// # Errors
/// 404 when there is none, 409 when it was ended, 412 for another version.
pub fn end(db: &mut Db<'_>, ctx: &OpContext, id: LegalHoldId, body: &LegalHoldEnd) -> Result<LegalHold, AppError> {
    let (hold, grant) = find(db, ctx, id)?;
    ctx.expect_version(hold.version)?;
    if hold.ended.is_some() {
        return Err(RuleProblem::new("legal_hold_ended", "The hold was ended already.").into());
    }
    let expected = hold.version;
    let reason = body.reason.as_ref().map(|reason| reason.as_str().to_owned());
    let after = LegalHold { ended: Some(HoldEnd { at: ctx.now, by: ctx.user()?, reason }), ..hold };
    db.legal_hold_update(&after, expected)?;
    ctx.audit(db, &grant, AuditAction::Changed, Some(after.client), after.referral);
    Ok(LegalHold { version: expected.next(), ..after })
}
