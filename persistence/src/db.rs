//! What a closure gets to work with: one connection inside one transaction. The queries are in [`crate::repo`], room by room.

use std::sync::Arc;

use lahete_domain::audit::AuditEvent;
use lahete_domain::ids::{ClientId, IdSource};

use crate::cipher::Keys;
use crate::connection::AnyConnection;

/// What all transactions of a store share.
#[derive(Clone)]
pub(crate) struct Context {
    pub keys: Arc<Keys>,
    pub ids: Arc<dyn IdSource>,
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
    /// only the denied accesses are kept.
    pub fn audit(&mut self, event: AuditEvent) {
        self.events.push(event);
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
