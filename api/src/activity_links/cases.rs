//! What is done with activity links.

use std::collections::BTreeSet;

use lahete_domain::access::Action;
use lahete_domain::activity::{ActivityLink, ActivityLinkState};
use lahete_domain::codes::{ActivityLinkStateCode, AuditAction, Code as _, EventKind, Role};
use lahete_domain::consent::Opening;
use lahete_domain::ids::{ActivityId, ActivityLinkId, Id, ReferralId};
use lahete_domain::referral::error::ReferralError;
use lahete_domain::referral::state::ReferralState;
use lahete_domain::version::Version;
use lahete_persistence::repo::activity_links::NamedActivityLink;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{ActivityLinkAnswer, ActivityLinkUpdate, NewActivityLink};
use crate::error::{AppError, Fault, RuleProblem};
use crate::http::wire::Patch;
use crate::operation::OpContext;
use crate::referrals::case::{self, OpenCase};
use crate::visits::wire::codes;

/// Opens the case for writing its plan: a coordinator while the referral is open, a link worker during support.
fn open_plan(db: &mut Db<'_>, ctx: &OpContext, referral: ReferralId) -> Result<OpenCase, AppError> {
    let open = case::open(db, ctx, Action::PlanWrite, referral)?;
    let state = &open.case.referral.state;
    let possible = if open.is(Role::LinkWorker) { matches!(state, ReferralState::InSupport { .. }) } else { state.is_open() };
    if !possible {
        return Err(ReferralError::wrong_state(state.code()).into());
    }
    Ok(open)
}

/// Writes the line of the timeline and moves the support period on, of whose plan the links are a part.
fn record(db: &mut Db<'_>, ctx: &OpContext, open: &OpenCase, kind: EventKind, reason: Option<&'static str>) -> Result<(), AppError> {
    if let Some(period) = open.case.referral.state.support_period() {
        db.support_period_moved_on(period)?;
    }
    case::note(db, ctx, open, kind, reason, None)
}

/// A link with what the client has agreed to.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The link.
    pub named: NamedActivityLink,
    /// Whether whoever holds the activity may be told about the client today.
    pub may_be_told: bool,
}

impl Shown {
    fn of(open: &OpenCase, named: NamedActivityLink) -> Self {
        Self { named, may_be_told: open.status.opens(Opening::Activity) }
    }
}

/// A page of a referral's links.
///
/// # Errors
/// 404 when there is no such referral, or the caller may not know of it.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, referral: ReferralId, page: &PageRequest) -> Result<Page<Shown>, AppError> {
    let open = case::open(db, ctx, Action::SupportView, referral)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    let page = db.activity_link_list(referral, page)?;
    page.try_map(|named| Ok(Shown::of(&open, named)))
}

/// Links a referral with an activity. Nothing of the client goes to whoever holds it.
///
/// # Errors
/// 404, 403; 409 when the referral is not open, the activity is over, or the two are linked already; 422 for an unknown activity.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, referral: ReferralId, new: &NewActivityLink) -> Result<Shown, AppError> {
    let open = open_plan(db, ctx, referral)?;
    let activity = db
        .activity_get(ActivityId::from_uuid(new.activity_id))?
        .filter(|activity| activity.programme == open.case.referral.programme)
        .ok_or_else(|| AppError::fault(Fault::new("/activity_id", "not_found", "The directory has no such activity.")))?;
    if !activity.can_be_joined() {
        return Err(RuleProblem::new("activity_not_active", "Nobody can join this activity any more.").into());
    }
    if db.activity_link_between(referral, activity.id)?.is_some() {
        return Err(RuleProblem::new("activity_already_linked", "The referral is linked with this activity already.").into());
    }
    let link = ActivityLink {
        id: ctx.ids.next(),
        version: Version::FIRST,
        referral,
        activity: activity.id,
        state: ActivityLinkState::Proposed,
        unmet_needs: BTreeSet::new(),
        proposed_at: ctx.now,
    };
    db.activity_link_insert(&link)?;
    record(db, ctx, &open, EventKind::ActivityLinked, None)?;
    Ok(Shown::of(&open, NamedActivityLink { link, activity_name: activity.name, activity_status: activity.status }))
}

/// The state that a change leads to. What belongs to another state than that is a fault, not silently dropped.
fn next_state(present: ActivityLinkState, change: &ActivityLinkUpdate) -> Result<ActivityLinkState, AppError> {
    let fault = |pointer: &str, code: &'static str, detail: &str| Err(AppError::fault(Fault::new(pointer, code, detail)));
    let code = change.state.map(|code| code.0).apply(present.code());
    if code != ActivityLinkStateCode::Attending && matches!(change.continues, Patch::Value(_)) {
        return fault("/continues", "not_with_state", "Only who attends can go on attending.");
    }
    if code != ActivityLinkStateCode::Stopped && matches!(change.barrier, Patch::Value(_)) {
        return fault("/barrier", "not_with_state", "A barrier is told when the client has stopped.");
    }
    Ok(match code {
        ActivityLinkStateCode::Proposed => ActivityLinkState::Proposed,
        ActivityLinkStateCode::Started => ActivityLinkState::Started,
        ActivityLinkStateCode::Attending => {
            let known = if let ActivityLinkState::Attending { continues } = present { continues } else { None };
            ActivityLinkState::Attending { continues: change.continues.apply(known) }
        }
        ActivityLinkStateCode::Stopped => {
            let known = if let ActivityLinkState::Stopped { barrier } = present { Some(barrier) } else { None };
            match change.barrier.map(|code| code.0).apply(known) {
                Some(barrier) => ActivityLinkState::Stopped { barrier },
                None => return fault("/barrier", "required", "Tell what stood in the way."),
            }
        }
    })
}

/// The link after a change; none when nothing changes.
fn changed(link: &ActivityLink, change: &ActivityLinkUpdate) -> Result<Option<ActivityLink>, AppError> {
    let present = link.state;
    let next = next_state(present, change)?;
    let needs = change.unmet_needs.clone().map(|set| codes(&set)).apply(Some(link.unmet_needs.clone())).unwrap_or_default();
    if next == present && needs == link.unmet_needs {
        return Ok(None);
    }
    if next != present && !present.leads_to(next.code()) {
        let detail = format!("A client cannot go from {} to {}.", present.code(), next.code());
        return Err(RuleProblem::new("activity_link_wrong_state", detail).with("state", present.code().as_str()).into());
    }
    Ok(Some(ActivityLink { version: link.version.next(), state: next, unmet_needs: needs, ..link.clone() }))
}

/// Notes how far the client has come.
///
/// # Errors
/// 404, 403; 412 and 428 by the version; 409 when the client cannot go on from here to there; 422 when what belongs to the state is missing.
pub fn update(db: &mut Db<'_>, ctx: &OpContext, id: ActivityLinkId, change: &ActivityLinkUpdate) -> Result<Shown, AppError> {
    let found = db.activity_link_get(id)?;
    let open = open_plan(db, ctx, found.as_ref().map_or_else(ReferralId::nil, |found| found.link.referral))?;
    let found = found.ok_or(AppError::NotFound(ActivityLinkId::RESOURCE))?;
    let expected = found.link.version;
    ctx.expect_version(expected)?;
    let Some(link) = changed(&found.link, change)? else {
        case::audit(db, ctx, &open, AuditAction::Read);
        return Ok(Shown::of(&open, found));
    };
    db.activity_link_update(&link, expected)?;
    record(db, ctx, &open, EventKind::ActivityLinkChanged, Some(link.state.code().as_str()))?;
    Ok(Shown::of(&open, NamedActivityLink { link, ..found }))
}

/// What is known of the activities when the work on an open case ends. The line in the audit trail and the versions of what ends are the caller's.
///
/// # Errors
/// 409 when the client cannot go on from here to there; 422 for a link of another referral, and when what belongs to a state is missing.
pub fn answer(db: &mut Db<'_>, ctx: &OpContext, open: &OpenCase, answers: &[ActivityLinkAnswer]) -> Result<(), AppError> {
    for (index, answer) in answers.iter().enumerate() {
        let place = format!("/activity_links/{index}");
        let found = db.activity_link_get(ActivityLinkId::from_uuid(answer.activity_link_id))?;
        let Some(found) = found.filter(|found| found.link.referral == open.case.referral.id) else {
            let detail = "The referral has no such activity link.";
            return Err(AppError::fault(Fault::new(format!("{place}/activity_link_id"), "not_found", detail)));
        };
        let within = |error: AppError| match error {
            AppError::Invalid(faults) => {
                let inside = |fault: Fault| Fault { pointer: format!("{place}{}", fault.pointer), ..fault };
                AppError::Invalid(faults.into_iter().map(inside).collect())
            }
            other => other,
        };
        if let Some(link) = changed(&found.link, &ActivityLinkUpdate::from(answer)).map_err(within)? {
            db.activity_link_update(&link, found.link.version)?;
            case::line_with(db, ctx, open, EventKind::ActivityLinkChanged, Some(link.state.code().as_str()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lahete_domain::codes::Barrier;
    use serde_json::json;

    fn next(present: ActivityLinkState, change: serde_json::Value) -> Result<ActivityLinkState, String> {
        let change: ActivityLinkUpdate = serde_json::from_value(change).expect("a change");
        next_state(present, &change).map_err(|error| match error {
            AppError::Invalid(faults) => faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect(),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn what_belongs_to_a_state_goes_with_it() {
        let attending = ActivityLinkState::Attending { continues: Some(true) };
        let stopped = ActivityLinkState::Stopped { barrier: Barrier::Transport };
        assert_eq!(next(ActivityLinkState::Proposed, json!({"state": "attending", "continues": true})), Ok(attending));
        assert_eq!(next(attending, json!({})), Ok(attending));
        assert_eq!(next(attending, json!({"continues": null})), Ok(ActivityLinkState::Attending { continues: None }));
        assert_eq!(next(attending, json!({"state": "stopped", "barrier": "transport"})), Ok(stopped));
        assert_eq!(next(stopped, json!({"state": "started"})), Ok(ActivityLinkState::Started));
        assert_eq!(next(attending, json!({"state": "stopped"})), Err("/barrier required".to_owned()));
        assert_eq!(next(attending, json!({"barrier": "money"})), Err("/barrier not_with_state".to_owned()));
        assert_eq!(
            next(ActivityLinkState::Proposed, json!({"state": "started", "continues": false})),
            Err("/continues not_with_state".to_owned())
        );
    }
}
