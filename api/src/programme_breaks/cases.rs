//! Breaks of a programme, and what they hold up.

use lahete_domain::access::{Action, Subject};
use lahete_domain::actor::Validity;
use lahete_domain::assignment::PROPOSAL_DAYS;
use lahete_domain::codes::AuditAction;
use lahete_domain::ids::{Id, ProgrammeBreakId, ProgrammeId};
use lahete_domain::programme_break::{ProgrammeBreak, after_days, days_of};
use lahete_domain::version::Version;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{ProgrammeBreakCreate, ProgrammeBreakUpdate};
use crate::error::{AppError, Fault};
use crate::http::wire::DAYS_OUT_OF_ORDER;
use crate::operation::OpContext;

/// A page of the breaks of a programme, for everybody who holds a role in it.
///
/// # Errors
/// 404 when there is none, or it is not the caller's.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, programme: ProgrammeId, page: &PageRequest) -> Result<Page<ProgrammeBreak>, AppError> {
    ctx.require(db, Action::ProgrammeView, &Subject::of_programme(programme), None, None)?;
    Ok(db.programme_break_list(programme, page)?)
}

/// Counts anew until when the proposals of a programme can be answered.
fn move_expiries(db: &mut Db<'_>, programme: ProgrammeId) -> Result<(), AppError> {
    let breaks = days_of(&db.breaks_of(programme)?);
    for proposal in db.proposals_waiting(programme)? {
        let expires_at = after_days(proposal.proposed_at, PROPOSAL_DAYS, &breaks);
        if expires_at != proposal.expires_at {
            db.assignment_set_expiry(proposal.id, expires_at)?;
        }
    }
    Ok(())
}

/// Adds a break. Proposals that wait for an answer can be answered that much longer.
///
/// # Errors
/// 404 and 403 by the policy.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, programme: ProgrammeId, new: ProgrammeBreakCreate) -> Result<ProgrammeBreak, AppError> {
    let grant = ctx.require(db, Action::ProgrammeBreakManage, &Subject::of_programme(programme), None, None)?;
    let found = ProgrammeBreak {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme,
        days: Validity { from: new.from, until: new.until },
        reason: new.reason.0,
        words: new.words.into(),
    };
    db.programme_break_insert(&found)?;
    move_expiries(db, programme)?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(found)
}

/// Changes a break.
///
/// # Errors
/// 404 and 403 by the policy, 412 and 428 by the version, 422 when the last day would lie before the first one.
pub fn update(
    db: &mut Db<'_>,
    ctx: &OpContext,
    programme: ProgrammeId,
    id: ProgrammeBreakId,
    change: ProgrammeBreakUpdate,
) -> Result<ProgrammeBreak, AppError> {
    let grant = ctx.require(db, Action::ProgrammeBreakManage, &Subject::of_programme(programme), None, None)?;
    let present = db.programme_break_get(id)?.filter(|found| found.programme == programme);
    let present = present.ok_or(AppError::NotFound(ProgrammeBreakId::RESOURCE))?;
    ctx.expect_version(present.version)?;
    let expected = present.version;
    let days = Validity { from: change.from.apply(present.days.from), until: change.until.apply(present.days.until) };
    if !days.is_in_order() {
        let (code, text) = DAYS_OUT_OF_ORDER;
        return Err(AppError::fault(Fault::new("/until", code, text)));
    }
    let changed = ProgrammeBreak {
        version: expected.next(),
        days,
        reason: change.reason.map(|code| code.0).apply(present.reason),
        words: change.words.given().map_or(present.words, Into::into),
        ..present
    };
    db.programme_break_update(&changed, expected)?;
    move_expiries(db, programme)?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok(changed)
}
