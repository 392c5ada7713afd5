//! Paths of time entries.

use actix_web::{get, patch, post};
use lahete_domain::ids::{ReferralId, TimeEntryId};
use lahete_domain::time_entry::TimeEntry;

use super::cases;
use super::wire::{TimeEntryCreate, TimeEntryListView, TimeEntryUpdate, TimeEntryView};
use crate::http::answer::Answer;
use crate::http::extract::{MergePatch, Paging, PathId, ValidJson};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(time_entry_create)
        .service(time_entry_list)
        .service(time_entry_view)
        .service(time_entry_update)
        .service(time_entry_strike);
}

fn shown(entry: TimeEntry) -> Answer {
    Answer::ok(&TimeEntryView::from(&entry)).version(entry.version)
}

/// Write down time spent on a referral.
///
/// The coordinator's own, apart from visits: contacts, planning, finding a link worker, meetings, documentation.
#[utoipa::path(
    tag = "time-entries",
    params(("referral_id" = Uuid, Path, description = "The referral.")),
    request_body = TimeEntryCreate,
    responses((status = 201, description = "The time entry.", body = TimeEntryView))
)]
#[post("/referrals/{referral_id}/time-entries")]
pub async fn time_entry_create(op: Operation, path: PathId<ReferralId>, body: ValidJson<TimeEntryCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let entry = cases::create(db, ctx, path.0, &body.0)?;
        Ok(Answer::created(format!("/v1/time-entries/{}", entry.id), &TimeEntryView::from(&entry)).version(entry.version))
    })
    .await
}

/// List the time spent on a referral.
///
/// The newest day first, struck entries too, and beside the page the minutes of all that count.
#[utoipa::path(
    tag = "time-entries",
    params(("referral_id" = Uuid, Path, description = "The referral."), Paging),
    responses((status = 200, description = "A page of time entries, and the total.", body = TimeEntryListView))
)]
#[get("/referrals/{referral_id}/time-entries")]
pub async fn time_entry_list(op: Operation, path: PathId<ReferralId>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let (page, total_minutes) = cases::list(db, ctx, path.0, &paging.request())?;
        let list = paging.view::<_, TimeEntryView>(page);
        Ok(Answer::ok(&TimeEntryListView { list: list.clone(), total_minutes }).next_page(&list))
    })
    .await
}

/// Read one time entry.
#[utoipa::path(
    tag = "time-entries",
    params(("time_entry_id" = Uuid, Path, description = "The time entry.")),
    responses((status = 200, description = "The time entry.", body = TimeEntryView))
)]
#[get("/time-entries/{time_entry_id}")]
pub async fn time_entry_view(op: Operation, path: PathId<TimeEntryId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| cases::view(db, ctx, path.0).map(shown)).await
}

/// Correct a time entry.
///
/// By any coordinator of the programme.
#[utoipa::path(
    tag = "time-entries",
    params(("time_entry_id" = Uuid, Path, description = "The time entry.")),
    request_body = TimeEntryUpdate,
    responses((status = 200, description = "The time entry after the correction.", body = TimeEntryView))
)]
#[patch("/time-entries/{time_entry_id}")]
pub async fn time_entry_update(op: Operation, path: PathId<TimeEntryId>, body: MergePatch<TimeEntryUpdate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| cases::update(db, ctx, path.0, &body.0).map(shown)).await
}

/// Strike a time entry.
///
/// It was entered in error: it stays to be seen, and counts no more.
#[utoipa::path(
    tag = "time-entries",
    params(("time_entry_id" = Uuid, Path, description = "The time entry.")),
    responses((status = 200, description = "The struck time entry.", body = TimeEntryView)),
    extensions(("x-if-match" = json!(true)))
)]
#[post("/time-entries/{time_entry_id}/strike")]
pub async fn time_entry_strike(op: Operation, path: PathId<TimeEntryId>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| cases::strike(db, ctx, path.0).map(shown)).await
}
