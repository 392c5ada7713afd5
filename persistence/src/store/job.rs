//! A closure with the place where its answer goes, without its types, and the threads that run it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use lahete_domain::audit::AuditEvent;
use lahete_domain::codes::AuditOutcome;
use tokio::sync::oneshot;

use crate::connection::{OpenError, Session};
use crate::db::{Context, Db};
use crate::error::StoreError;
use crate::store::stats::Counters;

/// A closure that waits for its turn or for its commit.
pub(crate) trait Job: Send {
    /// Runs the closure and keeps its result; says whether it succeeded. A later run replaces the result.
    fn run(&mut self, db: &mut Db<'_>) -> bool;
    /// Answers the caller: with the kept result, or with the store's error.
    fn finish(self: Box<Self>, done: Result<(), StoreError>);
    /// Whether the caller has gone away.
    fn is_abandoned(&self) -> bool;
}

pub(crate) type Answer<T, E> = oneshot::Receiver<Result<T, E>>;

struct Task<F, T, E> {
    f: F,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
    counters: Arc<Counters>,
}

/// Makes a job of a closure.
pub(crate) fn task<T, E, F>(f: F, counters: Arc<Counters>) -> (Box<dyn Job>, Answer<T, E>)
where
    F: FnMut(&mut Db<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (answer, receiver) = oneshot::channel();
    (Box::new(Task { f, result: None, answer, counters }), receiver)
}

impl<T, E, F> Job for Task<F, T, E>
where
    F: FnMut(&mut Db<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    fn run(&mut self, db: &mut Db<'_>) -> bool {
        // What a panic leaves half done is rolled back with the transaction, and the closure is not run again.
        let result = catch_unwind(AssertUnwindSafe(|| (self.f)(db))).unwrap_or_else(|_| {
            Counters::add(&self.counters.panics, 1);
            Err(E::from(StoreError::Panicked))
        });
        self.result.insert(result).is_ok()
    }

    fn finish(self: Box<Self>, done: Result<(), StoreError>) {
        let result = match done {
            Ok(()) => self.result.unwrap_or_else(|| Err(E::from(StoreError::Unavailable))),
            Err(error) => Err(E::from(error)),
        };
        // The caller may have gone: then nobody is told.
        let _ = self.answer.send(result);
    }

    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }
}

/// Runs a job on a connection inside the transaction under way; gives whether it succeeded, and the events to be kept: all of them, or after a
/// failure the denied accesses alone.
pub(crate) fn run(job: &mut dyn Job, session: &mut Session, context: &Context) -> (bool, Vec<AuditEvent>) {
    let mut db = Db::new(&mut session.conn, context);
    let succeeded = job.run(&mut db);
    let mut events = db.into_events();
    if !succeeded {
        events.retain(|event| event.outcome == AuditOutcome::Denied);
    }
    (succeeded, events)
}

/// The answer when no connection could be opened; the reason goes to the log.
pub(crate) fn unavailable(error: OpenError) -> StoreError {
    log::error!("no connection to the database: {error}");
    StoreError::Unavailable
}

/// Starts a thread.
pub(crate) fn spawn(name: &str, f: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(f).map_err(|error| {
        log::error!("no thread for the store: {error}");
        StoreError::Unavailable
    })
}

/// Threads that empty one queue.
pub(crate) struct Part {
    close: Box<dyn FnOnce() + Send>,
    threads: Vec<JoinHandle<()>>,
}

impl Part {
    pub fn new(close: impl FnOnce() + Send + 'static, threads: Vec<JoinHandle<()>>) -> Self {
        Self { close: Box::new(close), threads }
    }

    /// Closes the queue and waits until its threads have emptied it.
    pub fn finish(self) {
        (self.close)();
        for thread in self.threads {
            if thread.join().is_err() {
                log::error!("a thread of the store had ended before its time");
            }
        }
    }
}
