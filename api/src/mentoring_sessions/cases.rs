//! Recording and reading mentoring sessions.

use lahete_domain::access::Action;
use lahete_domain::ids::LinkWorkerId;
use lahete_domain::link_worker::MentoringSession;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::MentoringSessionCreate;
use crate::error::{AppError, Fault};
use crate::link_workers::cases::find;
use crate::operation::OpContext;

/// A page of a link worker's sessions.
///
/// # Errors
/// 404 when there is no such link worker, or the caller may not see them.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, id: LinkWorkerId, page: &PageRequest) -> Result<Page<MentoringSession>, AppError> {
    find(db, ctx, Action::LinkWorkerView, id)?;
    Ok(db.mentoring_session_list(id, page)?)
}

/// Records a session.
///
/// # Errors
/// 404 and 403 by the policy, 422 when it lies in the future.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, id: LinkWorkerId, new: MentoringSessionCreate) -> Result<MentoringSession, AppError> {
    find(db, ctx, Action::LinkWorkerManage, id)?;
    let session = MentoringSession {
        id: ctx.ids.next(),
        link_worker: id,
        on: new.on,
        minutes: new.minutes,
        mentor: new.mentor.into_string(),
        kind: new.kind.0,
        recorded_by: ctx.user()?,
        recorded_at: ctx.now,
    };
    if !session.was_held_by(ctx.now.helsinki_date()) {
        return Err(AppError::fault(Fault::new("/on", "in_the_future", "A session is recorded when it has been held.")));
    }
    db.mentoring_session_insert(&session)?;
    Ok(session)
}
