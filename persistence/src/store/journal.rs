//! Writes events to the audit trail, within the chain of the thread that owns it.

use lahete_domain::audit::AuditEvent;

use crate::connection::Session;
use crate::db::Context;
use crate::repo::audit::{self, Chain};

/// One thread's chain. It moves on only when the events are committed.
pub(crate) struct Journal {
    chain: Chain,
    pending: Option<Chain>,
}

impl Journal {
    pub fn begin(context: &Context) -> Self {
        Self { chain: Chain::begin(context.ids.as_ref()), pending: None }
    }

    /// Adds events inside the transaction under way.
    pub fn append(&mut self, session: &mut Session, context: &Context, events: Vec<AuditEvent>) -> Result<(), diesel::result::Error> {
        self.pending = None;
        if !events.is_empty() {
            self.pending = Some(audit::append(&mut session.conn, &self.chain, context.ids.as_ref(), events)?);
        }
        Ok(())
    }

    /// The transaction was committed.
    pub fn committed(&mut self) {
        if let Some(chain) = self.pending.take() {
            self.chain = chain;
        }
    }

    /// The commit was asked for and failed. The database may have made it all the same, so that the next place may be taken: a new chain is the only
    /// one that is surely free.
    pub fn uncertain(&mut self, context: &Context) {
        if self.pending.take().is_some() {
            self.chain = Chain::begin(context.ids.as_ref());
        }
    }
}
