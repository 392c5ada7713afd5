//! Paths of hour sheets.

use actix_web::{get, post};
use lahete_domain::ids::HourSheetId;

use super::cases::{self, Card};
use super::csv;
use super::wire::{
    HourSheetExportQuery, HourSheetItem, HourSheetMarkPaid, HourSheetQuery, HourSheetReturn, HourSheetSubmit, HourSheetView,
};
use crate::http::answer::Answer;
use crate::http::content_tag::tagged;
use crate::http::extract::{ListView, Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// What the CSV is called in a header.
const CSV: &str = "text/csv; charset=utf-8";

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(hour_sheet_list)
        .service(hour_sheet_export)
        .service(hour_sheet_view)
        .service(hour_sheet_csv)
        .service(hour_sheet_submit)
        .service(hour_sheet_return)
        .service(hour_sheet_approve)
        .service(hour_sheet_mark_paid);
}

fn shown(card: &Card) -> Answer {
    tagged(Answer::ok(&HourSheetView::new(card)), card.sheet.version)
}

/// List hour sheets.
///
/// The newest month first. A coordinator sees those of the programme, a link worker their own, also when they work with nobody any more.
#[utoipa::path(
    tag = "hour-sheets",
    params(HourSheetQuery, Paging),
    responses((status = 200, description = "A page of hour sheets, without their lines.", body = ListView<HourSheetItem>))
)]
#[get("/hour-sheets")]
pub async fn hour_sheet_list(op: Operation, query: ValidQuery<HourSheetQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view_with(page, |(sheet, name)| HourSheetItem::new(&sheet, name))))
    })
    .await
}

/// Take the hour sheets of a month as CSV.
///
/// For the payroll, by the coordinator: a row for each sheet, by name, with a header row (RFC 4180, UTF-8, lines end with CR LF). Amounts are decimal
/// strings with a point. Words that a spreadsheet would take for a formula have an apostrophe in front; numbers stay numbers, also negative ones. No
/// client is named.
#[utoipa::path(
    tag = "hour-sheets",
    params(HourSheetExportQuery),
    responses((
        status = 200, description = "The CSV.", content_type = "text/csv", body = String,
        example = "link_worker,link_worker_id,month,state,minutes,phone_minutes,travel_minutes,metres,fee,mileage,total,paid_on,hour_sheet_id\r\n"
    ))
)]
#[get("/hour-sheets/export")]
pub async fn hour_sheet_export(op: Operation, query: ValidQuery<HourSheetExportQuery>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let sheets = cases::export(db, ctx, &query.0)?;
        let name = format!("attachment; filename=\"hour-sheets-{}.csv\"", query.0.month.0);
        Ok(Answer::raw(CSV, csv::of_month(&sheets)?).header("content-disposition", name))
    })
    .await
}

/// Read one hour sheet.
///
/// With its lines. Whom a visit was with is told only to somebody who may know it today: a link worker whose work with a client has ended sees days,
/// minutes and amounts.
#[utoipa::path(
    tag = "hour-sheets",
    params(("hour_sheet_id" = Uuid, Path, description = "The hour sheet.")),
    responses((status = 200, description = "The hour sheet.", body = HourSheetView))
)]
#[get("/hour-sheets/{hour_sheet_id}")]
pub async fn hour_sheet_view(op: Operation, id: PathId<HourSheetId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| Ok(shown(&cases::view(db, ctx, id.0)?))).await
}

/// Take one hour sheet as CSV.
///
/// A row for each line, with a header row (RFC 4180, UTF-8, lines end with CR LF). Amounts are decimal strings with a point. Words that a spreadsheet would
/// take for a formula have an apostrophe in front; numbers stay numbers, also negative ones. No client is named.
#[utoipa::path(
    tag = "hour-sheets",
    params(("hour_sheet_id" = Uuid, Path, description = "The hour sheet.")),
    responses((
        status = 200, description = "The CSV.", content_type = "text/csv", body = String,
        example = "link_worker,month,state,kind,date,contract,minutes,phone_minutes,travel_minutes,fee_per_hour,fee,…\r\n"
    ))
)]
#[get("/hour-sheets/{hour_sheet_id}/csv")]
pub async fn hour_sheet_csv(op: Operation, id: PathId<HourSheetId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let card = cases::for_csv(db, ctx, id.0)?;
        let name = format!("attachment; filename=\"hour-sheet-{}.csv\"", card.sheet.month);
        Ok(tagged(Answer::raw(CSV, csv::of_sheet(&card)?).header("content-disposition", name), card.sheet.version))
    })
    .await
}

/// Hand an hour sheet in.
///
/// By the link worker, or by the coordinator for somebody who cannot. Its lines stand from now on, with amounts and rates. Before the month is over say
/// that nothing comes any more; a visit that is written down later all the same comes to the next open sheet with its own day. A correction of a visit
/// comes there as the difference.
#[utoipa::path(
    tag = "hour-sheets",
    params(("hour_sheet_id" = Uuid, Path, description = "The hour sheet.")),
    request_body = HourSheetSubmit,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The hour sheet.", body = HourSheetView))
)]
#[post("/hour-sheets/{hour_sheet_id}/submit")]
pub async fn hour_sheet_submit(op: Operation, id: PathId<HourSheetId>, body: ValidJson<HourSheetSubmit>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(shown(&cases::submit(db, ctx, id.0, &body.0)?))).await
}

/// Give an hour sheet back.
///
/// It follows the visits again, with what was corrected meanwhile.
#[utoipa::path(
    tag = "hour-sheets",
    params(("hour_sheet_id" = Uuid, Path, description = "The hour sheet.")),
    request_body = HourSheetReturn,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The open hour sheet.", body = HourSheetView))
)]
#[post("/hour-sheets/{hour_sheet_id}/return")]
pub async fn hour_sheet_return(op: Operation, id: PathId<HourSheetId>, body: ValidJson<HourSheetReturn>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(shown(&cases::give_back(db, ctx, id.0, &body.0)?))).await
}

/// Approve an hour sheet.
///
/// Nobody approves their own. From now on nothing of it is changed: a correction of a visit is a line on the link worker's next open sheet.
#[utoipa::path(
    tag = "hour-sheets",
    params(("hour_sheet_id" = Uuid, Path, description = "The hour sheet.")),
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The hour sheet.", body = HourSheetView))
)]
#[post("/hour-sheets/{hour_sheet_id}/approve")]
pub async fn hour_sheet_approve(op: Operation, id: PathId<HourSheetId>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(shown(&cases::approve(db, ctx, id.0)?))).await
}

/// Note that an hour sheet was paid.
#[utoipa::path(
    tag = "hour-sheets",
    params(("hour_sheet_id" = Uuid, Path, description = "The hour sheet.")),
    request_body = HourSheetMarkPaid,
    extensions(("x-if-match" = json!(true))),
    responses((status = 200, description = "The hour sheet.", body = HourSheetView))
)]
#[post("/hour-sheets/{hour_sheet_id}/mark-paid")]
pub async fn hour_sheet_mark_paid(op: Operation, id: PathId<HourSheetId>, body: ValidJson<HourSheetMarkPaid>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(shown(&cases::mark_paid(db, ctx, id.0, &body.0)?))).await
}
