//! Reading the audit trail, which is an access of its own.

use lahete_domain::access::{Action, Subject};
use lahete_domain::codes::AuditAction;
use lahete_domain::ids::{ClientId, Id, UserId};
use lahete_persistence::repo::audit::{AuditFilter, StoredAuditEvent};
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::AuditEventQuery;
use crate::error::AppError;
use crate::operation::OpContext;
use crate::programmes::reachable;

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
