//! Writes events to the audit trail, within the chain of the thread that owns it, and tells where each chain stands.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use lahete_domain::audit::AuditEvent;
use uuid::Uuid;

use crate::connection::Session;
use crate::db::Context;
use crate::repo::audit::{self, Chain};
use crate::repo::trail::Anchor;

/// Where the chains of this program stand, as far as they are committed: what is signed is what was written, and not what the database says later.
#[derive(Default)]
pub(crate) struct Heads {
    chains: Mutex<BTreeMap<Uuid, Anchor>>,
    events: AtomicU64,
}

impl Heads {
    fn note(&self, chain: &Chain, added: i64) {
        let head = Anchor { chain: chain.writer, seq: chain.seq, hash: chain.hash, closed: false };
        self.chains.lock().unwrap_or_else(PoisonError::into_inner).insert(chain.writer, head);
        self.events.fetch_add(u64::try_from(added).unwrap_or_default(), Ordering::Relaxed);
    }

    /// The thread ends, and with it the chain.
    fn close(&self, chain: Uuid) {
        if let Some(head) = self.chains.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&chain) {
            head.closed = true;
        }
    }

    pub fn all(&self) -> Vec<Anchor> {
        self.chains.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }
}

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
    pub fn committed(&mut self, context: &Context) {
        if let Some(chain) = self.pending.take() {
            context.heads.note(&chain, chain.seq - self.chain.seq);
            self.chain = chain;
        }
    }

    /// Nothing more comes: the chain ends where it stands.
    pub fn end(&mut self, context: &Context) {
        context.heads.close(self.chain.writer);
    }

    /// The commit was asked for and failed. The database may have made it all the same, so that the next place may be taken: a new chain is the only
    /// one that is surely free.
    pub fn uncertain(&mut self, context: &Context) {
        if self.pending.take().is_some() {
            self.chain = Chain::begin(context.ids.as_ref());
        }
    }
}
