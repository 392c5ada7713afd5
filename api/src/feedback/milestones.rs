//! What referrers are told at the milestones of their referrals.

use std::collections::BTreeMap;

use lahete_domain::access::{Action, visibility};
use lahete_domain::codes::{AuditAction, Role};
use lahete_domain::ids::{ClientId, Id as _, MilestoneId, ProgrammeId, ReferralId, UserId};
use lahete_domain::milestone::MilestoneMessage;
use lahete_persistence::repo::milestones::{MilestoneFilter, ToldMilestone};
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::MilestoneQuery;
use crate::error::AppError;
use crate::operation::OpContext;
use crate::referrals::case;

fn nothing() -> Page<ToldMilestone> {
    Page { items: Vec::new(), next: None }
}

/// The referrals whose messages the caller may read: those that they wrote, in the programmes in which they are a referrer today.
fn own(ctx: &OpContext) -> Option<(UserId, Vec<ProgrammeId>)> {
    visibility(&ctx.actor, Action::MilestoneView).written_by
}

fn filter(ctx: &OpContext, (referrer, programmes): (UserId, Vec<ProgrammeId>)) -> MilestoneFilter {
    MilestoneFilter { referrer, programmes, referral: None, id: None, since: None, unread: None, today: ctx.now.helsinki_date() }
}

/// The messages about one referral.
///
/// # Errors
/// 404 when the caller may not see the referral.
pub fn of_referral(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, page: &PageRequest) -> Result<Page<ToldMilestone>, AppError> {
    let open = case::open(db, ctx, Action::MilestoneView, id)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    let Some(own) = own(ctx) else { return Ok(nothing()) };
    Ok(db.milestone_list(&MilestoneFilter { referral: Some(id), ..filter(ctx, own) }, page)?)
}

/// The messages about all referrals of the caller.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &MilestoneQuery, page: &PageRequest) -> Result<Page<ToldMilestone>, AppError> {
    let Some(own) = own(ctx) else { return Ok(nothing()) };
    let wanted = MilestoneFilter { since: query.since.map(|since| since.0), unread: query.unread, ..filter(ctx, own) };
    let found = db.milestone_list(&wanted, page)?;
    let seen: BTreeMap<ClientId, MilestoneMessage> = found.items.iter().map(|told| (told.message.client, told.message)).collect();
    for message in seen.into_values() {
        let grant = ctx.actor.grants.iter().find(|grant| grant.role == Role::Referrer && grant.programme == message.programme);
        if let Some(grant) = grant {
            ctx.audit(db, grant, AuditAction::Read, Some(message.client), Some(message.referral));
        }
    }
    Ok(found)
}

/// The caller has seen a message. To say so again changes nothing.
///
/// # Errors
/// 404 when there is none, it may not be told, or it is not the caller's.
pub fn acknowledge(db: &mut Db<'_>, ctx: &OpContext, id: MilestoneId) -> Result<ToldMilestone, AppError> {
    let referral = db.milestone_referral(id)?.unwrap_or_else(ReferralId::nil);
    let open = case::open(db, ctx, Action::MilestoneView, referral)?;
    let told = match own(ctx) {
        Some(own) => db
            .milestone_list(&MilestoneFilter { referral: Some(referral), id: Some(id), ..filter(ctx, own) }, &PageRequest::first(1))?
            .items
            .into_iter()
            .next(),
        None => None,
    };
    let Some(told) = told else {
        let referral = &open.case.referral;
        return Err(ctx.refuse(db, Action::MilestoneView, referral.programme, referral.client, referral.id));
    };
    case::audit(db, ctx, &open, AuditAction::Read);
    if told.message.acknowledged_at.is_some() {
        return Ok(told);
    }
    db.milestone_acknowledge(id, ctx.now)?;
    Ok(ToldMilestone { message: MilestoneMessage { acknowledged_at: Some(ctx.now), ..told.message }, ..told })
}
