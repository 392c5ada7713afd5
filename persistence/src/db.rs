//! What a closure gets to work with: one connection inside one transaction. The queries are in [`crate::repo`], room by room.

use std::sync::Arc;

use lahete_domain::audit::AuditEvent;
use lahete_domain::codes::AuditAction;
use lahete_domain::ids::{ClientId, IdSource};

use crate::cipher::Keys;
use crate::connection::AnyConnection;
use crate::store::Heads;

/// What all transactions of a store share.
#[derive(Clone)]
pub(crate) struct Context {
    pub keys: Arc<Keys>,
    pub ids: Arc<dyn IdSource>,
    pub heads: Arc<Heads>,
}

/// The noted accesses are about more than one client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SeveralClients;

/// The database within one transaction.
pub struct Db<'a> {
    conn: &'a mut AnyConnection,
    context: &'a Context,
    events: Vec<AuditEvent>,
}

impl<'a> Db<'a> {
    pub(crate) fn new(conn: &'a mut AnyConnection, context: &'a Context) -> Self {
        Self { conn, context, events: Vec::new() }
    }

    /// Notes an access for the audit trail. It becomes durable together with what the closure does, and before its answer; when the closure fails,
    /// only the denied accesses are kept. One call leaves one event about a client and a referral, which tells of the most that it did.
    pub fn audit(&mut self, event: AuditEvent) {
        let known = self.events.iter_mut().find(|known| {
            event.client.is_some()
                && (known.client, known.outcome, known.operation) == (event.client, event.outcome, event.operation)
                && (known.referral == event.referral || known.referral.is_none() || event.referral.is_none())
                && known.request_id == event.request_id
        });
        let Some(known) = known else { return self.events.push(event) };
        known.referral = known.referral.or(event.referral);
        if weight(event.action) > weight(known.action) {
            known.action = event.action;
        }
    }

    /// Where new ids come from.
    #[must_use]
    pub fn ids(&self) -> &'a dyn IdSource {
        self.context.ids.as_ref()
    }

    /// The keys for sealed columns.
    #[must_use]
    pub fn keys(&self) -> &'a Keys {
        &self.context.keys
    }

    /// The one client whom the noted accesses are about, none when they are about nobody.
    ///
    /// # Errors
    /// When they are about several.
    pub(crate) fn noted_client(&self) -> Result<Option<ClientId>, SeveralClients> {
        let mut clients = self.events.iter().filter_map(|event| event.client);
        let first = clients.next();
        if clients.any(|other| Some(other) != first) { Err(SeveralClients) } else { Ok(first) }
    }

    pub(crate) fn conn(&mut self) -> &mut AnyConnection {
        self.conn
    }

    pub(crate) fn into_events(self) -> Vec<AuditEvent> {
        self.events
    }
}

/// Of two things that one call has done, the heavier is told.
fn weight(action: AuditAction) -> u8 {
    match action {
        AuditAction::Read => 0,
        AuditAction::Searched => 1,
        AuditAction::Changed => 2,
        AuditAction::Created => 3,
    }
}
