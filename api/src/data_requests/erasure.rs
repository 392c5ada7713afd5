//! Erasing a person: what tells of them goes, what is counted stays, and what law says to keep is named.

use lahete_domain::actor::Grant;
use lahete_domain::client::Client;
use lahete_domain::codes::{AuditAction, Code as _, KeptReason, RecordClass, RetentionAction, Role};
use lahete_domain::ids::ReferralId;
use lahete_domain::referral::state::{ClosedBy, ReferralState};
use lahete_domain::retention::{action, policies_on};
use lahete_persistence::Db;
use serde_json::Value;

use super::wire::ErasedClass;
use crate::error::{AppError, RuleProblem};
use crate::operation::OpContext;
use crate::referrals::case;

fn is_open(state: &ReferralState) -> bool {
    !matches!(state, ReferralState::Draft | ReferralState::Closed(_) | ReferralState::EnteredInError)
}

/// Why records of a class stay whatever the policies say.
fn always_kept(class: RecordClass) -> Option<KeptReason> {
    match class {
        RecordClass::Statistics | RecordClass::ActivityLink => Some(KeptReason::Anonymous),
        RecordClass::AccessLog => Some(KeptReason::ProofOfAccess),
        RecordClass::Pay | RecordClass::Staff => Some(KeptReason::OtherPersons),
        _ => None,
    }
}

/// Withdraws the open referrals of a client on their behalf, or says that they are in the way.
fn close_referrals(db: &mut Db<'_>, ctx: &OpContext, grant: &Grant, client: &Client, close: bool) -> Result<(), AppError> {
    let mut open = Vec::new();
    for id in db.referrals_of_client(client.id)? {
        let found = case::open_by(db, ctx, id, Some(grant.clone()))?;
        if is_open(&found.case.referral.state) {
            open.push(found);
        }
    }
    if !open.is_empty() && !close {
        let ids: Vec<Value> = open.iter().map(|open| open.case.referral.id.to_string().into()).collect();
        let text = "A referral of the client is open. Withdraw it first, or say that the erasure shall.";
        return Err(RuleProblem::new("referral_still_open", text).with("referral_ids", ids).into());
    }
    for open in open {
        // It is the client's own wish: they may withdraw at any time, in support too.
        let by = ClosedBy { user: None, role: Role::Client };
        let changed = open.case.referral.clone().withdraw(by, false, ctx.now)?;
        case::commit(db, ctx, &open, changed, None)?;
    }
    Ok(())
}

/// Erases a client.
///
/// # Errors
/// 409 under a legal hold, or with open referrals unless they shall be closed.
pub fn erase(db: &mut Db<'_>, ctx: &OpContext, grant: &Grant, client: &Client, close: bool) -> Result<Vec<ErasedClass>, AppError> {
    let today = ctx.now.helsinki_date();
    if let Some(hold) = db.legal_holds_on(client.id, today)?.first() {
        let text = "A legal hold keeps the records. End it first, or refuse the request on that ground.";
        return Err(RuleProblem::new("legal_hold", text).with("legal_hold_id", hold.id.to_string()).into());
    }
    close_referrals(db, ctx, grant, client, close)?;
    // What was begun about the person and never sent is nobody's proof of anything.
    let drafts: Vec<ReferralId> = db.drafts_about(client)?;
    for draft in drafts {
        db.referral_delete_draft(draft)?;
    }
    let given = db.retention_policies_of(&[client.programme])?;
    let statutory: Vec<RecordClass> =
        policies_on(client.programme, &given, today).iter().filter(|policy| policy.statutory).map(|policy| policy.class).collect();
    let before = db.client_rows(client.id)?;
    let done = db.client_erase(client.id, &statutory)?;
    // The events stay, as the law wants it; what somebody has written as their reason may tell of the person.
    db.audit_reasons_erase(client.id)?;
    let mut result = Vec::new();
    for class in RecordClass::ALL {
        let rows = before.get(class).copied().unwrap_or_default();
        if rows == 0 || *class == RecordClass::StoredAnswer {
            continue;
        }
        let kept = if statutory.contains(class) { Some(KeptReason::StatutoryRetention) } else { always_kept(*class) };
        let action = if kept.is_some() { RetentionAction::Keep } else { action(*class) };
        let rows = if kept.is_some() { rows } else { done.get(class).copied().unwrap_or_default() };
        let why = kept.or(match class {
            // What was consented to stays as proof, without whom it was given with.
            RecordClass::Consent => Some(KeptReason::ProofOfConsent),
            // They work here, too, or are a client elsewhere.
            RecordClass::SignIn if rows == 0 => Some(KeptReason::StaffAccount),
            _ => None,
        });
        result.push(ErasedClass { record_class: (*class).into(), action: action.into(), rows, why: why.map(Into::into) });
    }
    ctx.audit(db, grant, AuditAction::Changed, Some(client.id), None);
    log::info!(
        "a client was erased: {} classes of records, {} kept",
        result.len(),
        result.iter().filter(|class| class.action.0.as_str() == "keep").count()
    );
    Ok(result)
}
