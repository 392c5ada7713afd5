//! Entering and changing absences.

use lahete_domain::access::Action;
use lahete_domain::actor::Validity;
use lahete_domain::ids::{AbsenceId, Id, LinkWorkerId};
use lahete_domain::link_worker::Absence;
use lahete_domain::version::Version;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{AbsenceCreate, AbsenceUpdate};
use crate::error::{AppError, Fault};
use crate::http::wire::DAYS_OUT_OF_ORDER;
use crate::link_workers::cases::find;
use crate::operation::OpContext;

/// A page of a link worker's absences.
///
/// # Errors
/// 404 when there is no such link worker, or the caller may not see them.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, id: LinkWorkerId, page: &PageRequest) -> Result<Page<Absence>, AppError> {
    find(db, ctx, Action::LinkWorkerView, id)?;
    Ok(db.absence_list(id, page)?)
}

/// Enters an absence: the link worker themself, or the coordinator for them.
///
/// # Errors
/// 404 and 403 by the policy.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, id: LinkWorkerId, new: &AbsenceCreate) -> Result<Absence, AppError> {
    find(db, ctx, Action::LinkWorkerOwnUpdate, id)?;
    let absence = Absence {
        id: ctx.ids.next(),
        version: Version::FIRST,
        link_worker: id,
        days: Validity { from: new.from, until: new.until },
        reason: new.reason.0,
        recorded_by: ctx.user()?,
        recorded_at: ctx.now,
    };
    db.absence_insert(&absence)?;
    Ok(absence)
}

/// Changes an absence, or ends it early.
///
/// # Errors
/// 404 and 403 by the policy, 412 and 428 by the version, 422 when the last day would lie before the first one.
pub fn update(db: &mut Db<'_>, ctx: &OpContext, worker: LinkWorkerId, id: AbsenceId, change: &AbsenceUpdate) -> Result<Absence, AppError> {
    find(db, ctx, Action::LinkWorkerOwnUpdate, worker)?;
    let found = db.absence_get(id)?.filter(|absence| absence.link_worker == worker);
    let present = found.ok_or(AppError::NotFound(AbsenceId::RESOURCE))?;
    ctx.expect_version(present.version)?;
    let expected = present.version;
    let days = Validity { from: change.from.apply(present.days.from), until: change.until.apply(present.days.until) };
    if !days.is_in_order() {
        let (code, text) = DAYS_OUT_OF_ORDER;
        return Err(AppError::fault(Fault::new("/until", code, text)));
    }
    let changed = Absence { version: expected.next(), days, reason: change.reason.map(|code| code.0).apply(present.reason), ..present };
    db.absence_update(&changed, expected)?;
    Ok(changed)
}
