//! Recording, verifying and withdrawing consents.

use std::collections::BTreeSet;

use lahete_domain::access::Action;
use lahete_domain::codes::{AssignmentEndReason, AuditAction, ConsentPurpose, EventKind};
use lahete_domain::consent::Consent;
use lahete_domain::ids::{ConsentId, Id as _, ReferralId};
use lahete_domain::referral::state::ReferralState;
use lahete_persistence::Db;

use super::wire::{ConsentCreate, ConsentView, ConsentWithdraw};
use crate::consent_texts;
use crate::error::AppError;
use crate::operation::OpContext;
use crate::referrals::case::{self, OpenCase};

fn view(ctx: &OpContext, consent: &Consent) -> ConsentView {
    ConsentView::of(consent, ctx.now.helsinki_date())
}

/// The consents of a referral.
///
/// # Errors
/// 404 when the caller may not see the referral.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId) -> Result<Vec<ConsentView>, AppError> {
    let open = case::open(db, ctx, Action::ConsentView, id)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    Ok(open.consents.iter().map(|consent| view(ctx, consent)).collect())
}

/// A coordinator writes down a consent that the client gave them.
///
/// # Errors
/// 409 when the referral has ended.
pub fn record(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, body: ConsentCreate) -> Result<ConsentView, AppError> {
    let open = case::open(db, ctx, Action::ConsentRecord, id)?;
    case::expect_open(&open)?;
    consent_texts::expect_known(db, ctx, open.case.referral.programme, &body, "")?;
    let consent = body.into_consent(ctx.ids.next(), id, ctx.actor.user(), ctx.now);
    db.consent_insert(&consent)?;
    case::store_sharing(db, &open)?;
    case::note(db, ctx, &open, EventKind::ConsentRecorded, None, None)?;
    Ok(view(ctx, &consent))
}

fn find(open: &OpenCase, id: ConsentId) -> Result<Consent, AppError> {
    open.consents.iter().find(|consent| consent.id == id).cloned().ok_or(AppError::NotFound(ConsentId::RESOURCE))
}

/// A coordinator has asked the client whether what a sender asserted is true.
///
/// # Errors
/// 409 when the referral has ended.
pub fn verify(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, consent: ConsentId) -> Result<ConsentView, AppError> {
    let open = case::open(db, ctx, Action::ConsentVerify, id)?;
    ctx.expect_version(open.case.referral.version)?;
    case::expect_open(&open)?;
    let by = ctx.user()?;
    let consent = find(&open, consent)?.verify(by, ctx.now);
    db.consent_update(&consent)?;
    case::store_sharing(db, &open)?;
    case::note(db, ctx, &open, EventKind::ConsentVerified, None, None)?;
    Ok(view(ctx, &consent))
}

/// Takes purposes back. Without the processing itself the referral is closed, sharing stops and the link worker's access ends, all in this transaction.
///
/// # Errors
/// 409 when nothing is left to take back.
pub fn withdraw(
    db: &mut Db<'_>,
    ctx: &OpContext,
    id: ReferralId,
    consent: ConsentId,
    body: ConsentWithdraw,
) -> Result<ConsentView, AppError> {
    let mut open = case::open(db, ctx, Action::ConsentWithdraw, id)?;
    ctx.expect_version(open.case.referral.version)?;
    let present = find(&open, consent)?;
    let purposes: BTreeSet<ConsentPurpose> = body.purposes_of(&present);
    let consent = present.withdraw(&purposes, ctx.now)?;
    db.consent_update(&consent)?;
    open.case = case::store_sharing(db, &open)?;
    case::note(db, ctx, &open, EventKind::ConsentWithdrawn, None, None)?;
    let processing_ends = !db
        .consents_of(id)?
        .iter()
        .any(|consent| consent.open_purposes(ctx.now.helsinki_date()).contains(&ConsentPurpose::ProcessReferral));
    if processing_ends && open.case.referral.state.is_open() {
        let changed = open.case.referral.clone().withdraw(open.closed_by(ctx)?, true, ctx.now)?;
        case::commit(db, ctx, &open, changed, None)?;
    } else if open.case.shared_until.is_none() {
        stop_sharing(db, ctx, &open)?;
    }
    Ok(view(ctx, &consent))
}

/// Releases whoever was proposed or assigned, because the client no longer shares the referral with a link worker.
fn stop_sharing(db: &mut Db<'_>, ctx: &OpContext, open: &OpenCase) -> Result<(), AppError> {
    let referral = open.case.referral.clone();
    let reason = AssignmentEndReason::ConsentWithdrawn;
    let released = match referral.state {
        ReferralState::Assigned { .. } => Some(referral.unassign(reason, ctx.now)?),
        ReferralState::InSupport { assignment: Some(_), .. } => Some(referral.release_link_worker(reason)?),
        _ => None,
    };
    match released {
        Some(changed) => {
            case::commit(db, ctx, open, changed, None)?;
        }
        None => {
            if let Some(proposal) = db.assignment_open_of(open.case.referral.id)? {
                case::end_assignment(db, ctx, proposal.id, reason)?;
            }
        }
    }
    Ok(())
}
