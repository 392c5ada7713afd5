//! The hour sheets of the demo's link workers: one in each state, and a correction. They come about as in real work, from the visits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use lahete_domain::access::Action;
use lahete_domain::codes::{EventKind, SupportKind, VisitMode, VisitPurpose};
use lahete_domain::hour_sheet::{HourSheet, HourSheetError, Step};
use lahete_domain::ids::{HourSheetId, Id as _, UserId, VisitId};
use lahete_domain::programme::terms_on;
use lahete_domain::time::Instant;
use lahete_domain::version::Version;
use lahete_domain::visit::{Visit, VisitContent, VisitState, VisitWorker};
use lahete_persistence::Db;

use super::cases::{FixedFirst, Stage};
use super::{id, programme};
use crate::error::AppError;
use crate::hour_sheets::cases::follow;
use crate::referrals::case;

const KAISA: u16 = 0x0021;
const LIISA: u16 = 0x0022;
const LAURI: u16 = 0x0027;

/// Liisa's first sheet, which is paid.
const PAID: u16 = 0x0a00;
/// Lauri's three sheets.
const APPROVED: u16 = 0x0a02;
const SUBMITTED: u16 = 0x0a03;
const OPEN: u16 = 0x0a04;

impl Stage<'_> {
    /// The hour sheets take a visit in. If a sheet begins with it, the sheet gets this id.
    fn count(&self, db: &mut Db<'_>, by: u16, visit: u16, sheet: Option<u16>) -> Result<Visit, AppError> {
        let visit = db.visit_get(id::<VisitId>(visit))?.ok_or_else(|| AppError::internal("a visit of the demo is missing"))?;
        let at = Instant::start_of_helsinki_day(visit.content.on).plus_minutes(16 * 60).min(self.now);
        let mut ctx = self.as_user(db, by, at, "visit_hold")?;
        if let Some(sheet) = sheet {
            let fixed = VecDeque::from([id::<HourSheetId>(sheet).as_uuid()]);
            ctx.ids = Arc::new(FixedFirst { fixed: Mutex::new(fixed), then: Arc::clone(self.ids) });
        }
        follow(db, &ctx, &visit)?;
        Ok(visit)
    }

    fn sheet(
        &self,
        db: &mut Db<'_>,
        sheet: u16,
        by: u16,
        days_ago: i64,
        decide: impl FnOnce(HourSheet, &[lahete_domain::hour_sheet::Line], Step) -> Result<HourSheet, HourSheetError>,
    ) -> Result<(), AppError> {
        let sheet = db.hour_sheet_get(id(sheet))?.ok_or_else(|| AppError::internal("an hour sheet of the demo is missing"))?;
        let lines = db.hour_sheet_lines(&[sheet.id])?;
        let expected = sheet.version;
        let step = Step { at: self.now.plus_days(-days_ago), by: id::<UserId>(by) };
        Ok(db.hour_sheet_update(&decide(sheet, &lines, step)?, expected)?)
    }

    /// Lauri meets Reino again.
    fn meet(&self, db: &mut Db<'_>, tail: u16, days_ago: i64, minutes: u32) -> Result<(), AppError> {
        let ctx = self.as_user(db, LAURI, self.now.plus_days(-days_ago), "visit_create")?;
        let first = db.visit_get(id(0x00b3))?.ok_or_else(|| AppError::internal("Lauri's first visit is missing"))?;
        let on = ctx.now.helsinki_date();
        let terms = db.terms_of(programme())?;
        let rate = terms_on(&terms, on).ok_or_else(|| AppError::internal("the demo programme has no terms"))?.fee_per_hour;
        let open = case::open_by(db, &ctx, first.referral, ctx.actor.grants.first().cloned())?;
        db.visit_insert(&Visit {
            id: id(tail),
            version: Version::FIRST,
            workers: vec![VisitWorker { link_worker: id(0x0031), fee_per_hour: rate, drives: true }],
            content: VisitContent {
                on,
                minutes,
                mode: VisitMode::OtherPlace,
                purpose: VisitPurpose::Support,
                support_kinds: [SupportKind::Practical].into(),
                travel_metres: 12_600,
                travel_minutes: 25,
                travel_passengers: 1,
                note: Some("Käytiin kirjaston pelikerhossa.".to_owned()),
                barriers: [].into(),
                unmet_needs: [].into(),
            },
            state: VisitState::Held { recorded_at: ctx.now, over_limit_reason: None },
            ..first
        })?;
        case::note(db, &ctx, &open, EventKind::VisitHeld, None, None)
    }
}

/// Makes the hour sheets of the visits that were seeded before.
///
/// # Errors
/// When the database fails.
pub(super) fn seed_hours(db: &mut Db<'_>, stage: &Stage<'_>) -> Result<(), AppError> {
    // Liisa and Aino: the first visit is paid, the others stand on open sheets.
    let mut first = stage.count(db, LIISA, 0x0065, Some(PAID))?;
    stage.sheet(db, PAID, LIISA, 44, |sheet, lines, step| sheet.submit(lines, true, step))?;
    stage.sheet(db, PAID, KAISA, 43, |sheet, _, step| sheet.approve(step))?;
    stage.sheet(db, PAID, KAISA, 40, |sheet, _, step| sheet.mark_paid(step.at.helsinki_date(), step))?;
    for visit in [0x00c0, 0x00c1, 0x00c2, 0x00c3] {
        stage.count(db, LIISA, visit, None)?;
    }
    // What was paid is found to have been shorter and farther.
    let ctx = stage.as_user(db, LIISA, stage.now.plus_days(-3), "visit_update")?;
    let open = case::open(db, &ctx, Action::VisitWrite, first.referral)?;
    let expected = first.version;
    first.content.minutes = 80;
    first.content.travel_metres = 9_200;
    db.visit_update(&first, expected)?;
    case::note(db, &ctx, &open, EventKind::VisitChanged, None, None)?;
    follow(db, &ctx, &first)?;

    // Lauri and Reino: three meetings, three sheets.
    stage.meet(db, 0x0a10, 20, 105)?;
    stage.meet(db, 0x0a11, 6, 75)?;
    stage.count(db, LAURI, 0x00b3, Some(APPROVED))?;
    stage.sheet(db, APPROVED, LAURI, 31, |sheet, lines, step| sheet.submit(lines, true, step))?;
    stage.sheet(db, APPROVED, KAISA, 30, |sheet, _, step| sheet.approve(step))?;
    stage.count(db, LAURI, 0x0a10, Some(SUBMITTED))?;
    stage.sheet(db, SUBMITTED, LAURI, 10, |sheet, lines, step| sheet.submit(lines, true, step))?;
    stage.count(db, LAURI, 0x0a11, Some(OPEN))?;
    Ok(())
}
