//! Reading the audit trail, which is an access of its own.

use lahete_domain::access::{Action, Subject};
use lahete_domain::codes::{AuditAction, Role};
use lahete_domain::ids::{ClientId, Id, UserId};
use lahete_persistence::repo::audit::{AuditFilter, StoredAuditEvent};
use lahete_persistence::{Db, Page, PageRequest};

use super::checkpoint_file::CheckpointFile;
use super::wire::{AuditCheckpointView, AuditCheckpointsView, AuditEventQuery};
use crate::error::AppError;
use crate::operation::OpContext;
use crate::programmes::reachable;

/// How many checkpoints are shown.
const CHECKPOINTS_SHOWN: usize = 100;

/// A page of the trail.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &AuditEventQuery, page: &PageRequest) -> Result<Page<StoredAuditEvent>, AppError> {
    let programmes = reachable(ctx, Action::AuditView, None);
    let filter = AuditFilter {
        programme: None,
        client: query.client_id.map(ClientId::from_uuid),
        user: query.user_id.map(UserId::from_uuid),
        outcome: query.outcome.map(|code| code.0),
        with_reason: query.with_reason,
        from: query.from.map(|at| at.0),
        until: query.until.map(|at| at.0),
        ..AuditFilter::default()
    };
    let events = db.audit_list_of(&programmes, filter, page)?;
    // One event for the look itself, in each programme whose trail was open to it; with the client when the look was at one.
    let client = filter.client.filter(|_| !events.items.is_empty());
    for programme in programmes {
        let grant = ctx.require(db, Action::AuditView, &Subject::of_programme(programme), None, None)?;
        ctx.audit(db, &grant, AuditAction::Read, client, None);
    }
    Ok(events)
}

/// The newest checkpoints of this server.
///
/// # Errors
/// 403 for everybody but privacy officers.
pub fn checkpoints(db: &mut Db<'_>, ctx: &OpContext, file: &CheckpointFile) -> Result<AuditCheckpointsView, AppError> {
    // The chains run through all programmes: whoever looks after one of them may see where they stand.
    let home = ctx.actor.programmes(Role::PrivacyOfficer).first().copied();
    let home = home.ok_or(AppError::Forbidden { action: Action::AuditView.as_str() })?;
    ctx.require(db, Action::AuditView, &Subject::of_programme(home), None, None)?;
    let newest = file.newest(CHECKPOINTS_SHOWN).map_err(AppError::internal)?;
    Ok(AuditCheckpointsView { items: newest.into_iter().map(AuditCheckpointView::from).collect() })
}
