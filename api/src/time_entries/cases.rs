//! What can be done with coordinators' time.

use lahete_domain::access::Action;
use lahete_domain::codes::AuditAction;
use lahete_domain::ids::{Id as _, ReferralId, TimeEntryId};
use lahete_domain::time_entry::{TimeEntry, expect_day};
use lahete_domain::version::Version;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{TimeEntryCreate, TimeEntryUpdate};
use crate::error::AppError;
use crate::operation::OpContext;
use crate::referrals::case::{self, OpenCase};

/// The day on which the referral of a case was sent.
fn submitted_on(open: &OpenCase) -> Option<chrono::NaiveDate> {
    open.case.referral.submission.as_ref().map(|submission| submission.on)
}

/// Time is also spent after a referral has ended, but not on one that should never have existed.
fn open_for_work(db: &mut Db<'_>, ctx: &OpContext, referral: ReferralId) -> Result<OpenCase, AppError> {
    let open = case::open(db, ctx, Action::TimeEntryWrite, referral)?;
    open.case.referral.expect_not_in_error()?;
    Ok(open)
}

/// Writes down one's own time.
///
/// # Errors
/// 404 and 403 by the policy; 409 for a day on which there was nothing to do yet, and for a referral that was entered in error.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, referral: ReferralId, body: &TimeEntryCreate) -> Result<TimeEntry, AppError> {
    let open = open_for_work(db, ctx, referral)?;
    let content = body.content();
    expect_day(content.on, submitted_on(&open), ctx.now.helsinki_date())?;
    let entry = TimeEntry {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme: open.case.referral.programme,
        referral,
        coordinator: ctx.user()?,
        content,
        recorded_at: ctx.now,
        struck: None,
    };
    db.time_entry_insert(&entry)?;
    case::audit(db, ctx, &open, AuditAction::Created);
    Ok(entry)
}

/// A page of the entries of a referral, with the minutes of all that were not struck.
///
/// # Errors
/// 404 and 403 by the policy.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, referral: ReferralId, page: &PageRequest) -> Result<(Page<TimeEntry>, i64), AppError> {
    let open = case::open(db, ctx, Action::TimeEntryView, referral)?;
    let found = (db.time_entries_of(referral, page)?, db.time_entry_minutes(referral)?);
    case::audit(db, ctx, &open, AuditAction::Read);
    Ok(found)
}

fn found_of(found: Option<&TimeEntry>) -> ReferralId {
    found.map_or_else(ReferralId::nil, |entry| entry.referral)
}

/// One entry.
///
/// # Errors
/// 404 when there is none or the caller may not see it.
pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: TimeEntryId) -> Result<TimeEntry, AppError> {
    let found = db.time_entry_get(id)?;
    let open = case::open(db, ctx, Action::TimeEntryView, found_of(found.as_ref()))?;
    let entry = found.ok_or(AppError::NotFound(TimeEntryId::RESOURCE))?;
    case::audit(db, ctx, &open, AuditAction::Read);
    Ok(entry)
}

fn change(
    db: &mut Db<'_>,
    ctx: &OpContext,
    id: TimeEntryId,
    decide: impl FnOnce(TimeEntry, &OpenCase) -> Result<TimeEntry, AppError>,
) -> Result<TimeEntry, AppError> {
    let found = db.time_entry_get(id)?;
    let open = open_for_work(db, ctx, found_of(found.as_ref()))?;
    let entry = found.ok_or(AppError::NotFound(TimeEntryId::RESOURCE))?;
    let expected = entry.version;
    ctx.expect_version(expected)?;
    let after = decide(entry, &open)?;
    db.time_entry_update(&after, expected)?;
    case::audit(db, ctx, &open, AuditAction::Changed);
    Ok(TimeEntry { version: expected.next(), ..after })
}

/// Corrects an entry.
///
/// # Errors
/// 404 and 403 by the policy; 409 for a struck entry and a day on which there was nothing to do yet; 412 and 428 by the version.
pub fn update(db: &mut Db<'_>, ctx: &OpContext, id: TimeEntryId, body: &TimeEntryUpdate) -> Result<TimeEntry, AppError> {
    change(db, ctx, id, |entry, open| {
        let content = body.content(entry.content.clone());
        Ok(entry.correct(content, submitted_on(open), ctx.now.helsinki_date())?)
    })
}

/// Strikes an entry as entered in error.
///
/// # Errors
/// 404 and 403 by the policy; 409 when it was struck before; 412 and 428 by the version.
pub fn strike(db: &mut Db<'_>, ctx: &OpContext, id: TimeEntryId) -> Result<TimeEntry, AppError> {
    change(db, ctx, id, |entry, _| Ok(entry.strike(ctx.user()?, ctx.now)?))
}
