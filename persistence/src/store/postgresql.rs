//! PostgreSQL: threads that each run one call at a time, and one that writes the events of reads.
//!
//! Writes that change something run SERIALIZABLE: what a closure has read still holds when it commits, or it is run again. What is certain never to have been committed
//! is run again after a lost connection, too; a COMMIT without an answer is not.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lahete_domain::audit::AuditEvent;

use crate::connection::{self, Pool, Purpose, Session};
use crate::db::Context;
use crate::error::{StoreError, Trouble};
use crate::store::job::{self, Job, Part};
use crate::store::journal::Journal;
use crate::store::queue::Queue;
use crate::store::stats::Counters;
use crate::store::{StoreOptions, Writing};
use crate::url::DbUrl;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write(Writing),
}

struct Entry {
    events: Vec<AuditEvent>,
    job: Box<dyn Job>,
}

pub(crate) struct Engine {
    calls: Arc<Queue<(Kind, Box<dyn Job>)>>,
    journal: Arc<Queue<Entry>>,
    parts: Mutex<Vec<Part>>,
}

impl Engine {
    pub fn start(url: &DbUrl, options: &StoreOptions, context: Context, counters: &Arc<Counters>) -> Result<Self, StoreError> {
        let calls = Arc::new(Queue::new(options.read_queue));
        let journal = Arc::new(Queue::new(options.write_queue));
        let count = options.connections.max(1);
        let size = u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1);
        let pool = connection::pool(options.opener(url, Purpose::Write), size, size, options.pool_timeout);
        let worker = || Worker {
            pool: pool.clone(),
            spent: size,
            context: context.clone(),
            journal: Journal::begin(&context),
            entries: journal.clone(),
            counters: counters.clone(),
            retries: options.retries,
        };

        let mut working = Vec::with_capacity(count);
        for _ in 0..count {
            let (mut worker, queue) = (worker(), calls.clone());
            working.push(job::spawn("store-worker", move || worker.work(&queue))?);
        }
        let (mut keeper, queue, limit) = (worker(), journal.clone(), options.group_limit);
        let keeping = vec![job::spawn("store-journal", move || keeper.keep(&queue, limit))?];

        let (c, j) = (calls.clone(), journal.clone());
        // Workers first: the last of them still hand their events to the journal.
        let parts = vec![Part::new(move || c.close(), working), Part::new(move || j.close(), keeping)];
        Ok(Self { calls, journal, parts: Mutex::new(parts) })
    }

    pub fn read(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.calls.push((Kind::Read, job)).map_err(|(error, _)| error)
    }

    pub fn write(&self, writing: Writing, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.calls.push((Kind::Write(writing), job)).map_err(|(error, _)| error)
    }

    pub fn stop(&self) {
        self.calls.close();
        self.journal.close();
    }

    pub fn threads(&self) -> Vec<Part> {
        std::mem::take(&mut *self.parts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How one try ended.
enum Try<T> {
    Done(T),
    /// Surely nothing was committed, and another try may succeed; what to answer if there is none.
    Again(StoreError),
    Failed(StoreError),
}

impl<T> Try<T> {
    /// For an error before COMMIT was asked for.
    fn before_commit(trouble: Trouble, error: StoreError) -> Self {
        match trouble {
            Trouble::Collision | Trouble::Lost => Self::Again(error),
            Trouble::Final => Self::Failed(error),
        }
    }

    fn of(error: &diesel::result::Error) -> Self {
        Self::before_commit(Trouble::of(error), StoreError::of(error))
    }
}

struct Worker {
    pool: Pool,
    spent: u32,
    context: Context,
    journal: Journal,
    entries: Arc<Queue<Entry>>,
    counters: Arc<Counters>,
    retries: u32,
}

impl Worker {
    fn work(&mut self, queue: &Queue<(Kind, Box<dyn Job>)>) {
        while let Some((kind, mut job)) = queue.pop() {
            let done = self.insist(&mut job, |worker, job| match kind {
                Kind::Read => worker.read(job),
                Kind::Write(writing) => worker.write(writing, job),
            });
            match done {
                Err(error) => job.finish(Err(error)),
                Ok(events) if events.is_empty() => job.finish(Ok(())),
                Ok(events) => {
                    if let Err((error, entry)) = self.entries.push(Entry { events, job }) {
                        entry.job.finish(Err(error));
                    }
                }
            }
        }
        self.journal.end(&self.context);
    }

    /// Tries until it is done, fails for good or has been tried often enough.
    fn insist<T>(&mut self, job: &mut Box<dyn Job>, mut attempt: impl FnMut(&mut Self, &mut dyn Job) -> Try<T>) -> Result<T, StoreError> {
        let mut tries = 0;
        loop {
            if job.is_abandoned() {
                return Err(StoreError::DeadlineExceeded);
            }
            match attempt(self, job.as_mut()) {
                Try::Done(value) => return Ok(value),
                Try::Failed(error) => return Err(error),
                Try::Again(error) if tries >= self.retries => return Err(error),
                Try::Again(_) => {
                    tries += 1;
                    Counters::add(&self.counters.retries, 1);
                    std::thread::sleep(jitter(tries));
                }
            }
        }
    }

    /// A connection on which a transaction has begun. After a restart of the server the pool is full of dead connections, each of which is found out
    /// only by using it: all of them may have to be thrown away.
    fn begin(
        &self,
        begin: impl Fn(&mut Session) -> diesel::QueryResult<()>,
    ) -> Result<r2d2::PooledConnection<connection::Opener>, StoreError> {
        let mut left = self.spent;
        loop {
            let mut session = self.pool.get().map_err(|_| StoreError::Unavailable)?;
            match begin(&mut session) {
                Ok(()) => return Ok(session),
                Err(error) => {
                    session.doomed = true;
                    if left == 0 || Trouble::of(&error) != Trouble::Lost {
                        return Err(error.into());
                    }
                    left -= 1;
                }
            }
        }
    }

    fn read(&mut self, job: &mut dyn Job) -> Try<Vec<AuditEvent>> {
        let mut session = match self.begin(Session::begin_read) {
            Ok(session) => session,
            Err(error) => return Try::Failed(error),
        };
        let (_, events) = job::run(job, &mut session, &self.context);
        let trouble = session.end();
        match trouble {
            Some((trouble @ (Trouble::Collision | Trouble::Lost), error)) => Try::before_commit(trouble, error),
            _ => Try::Done(events),
        }
    }

    /// Gives the events that are not durable yet: those of a closure that failed.
    fn write(&mut self, writing: Writing, job: &mut dyn Job) -> Try<Vec<AuditEvent>> {
        let begin = match writing {
            Writing::Change => Session::begin_write,
            Writing::Add => Session::begin_add,
        };
        let mut session = match self.begin(begin) {
            Ok(session) => session,
            Err(error) => return Try::Failed(error),
        };
        let (succeeded, events) = job::run(job, &mut session, &self.context);
        if !succeeded {
            return match session.end() {
                Some((trouble @ (Trouble::Collision | Trouble::Lost), error)) => Try::before_commit(trouble, error),
                _ => Try::Done(events),
            };
        }
        // The closure may have passed over an error; PostgreSQL has not, and would answer COMMIT with a silent ROLLBACK.
        if let Some((trouble, error)) = session.fate.take() {
            session.end();
            return Try::before_commit(trouble, error);
        }
        match self.commit(&mut session, 1, events) {
            Try::Done(()) => Try::Done(Vec::new()),
            Try::Again(error) => Try::Again(error),
            Try::Failed(error) => Try::Failed(error),
        }
    }

    fn commit(&mut self, session: &mut Session, jobs: usize, events: Vec<AuditEvent>) -> Try<()> {
        let count = events.len();
        if let Err(error) = self.journal.append(session, &self.context, events) {
            let outcome = Try::of(&error);
            session.end();
            return outcome;
        }
        if let Err(error) = session.commit() {
            self.journal.uncertain(&self.context);
            let trouble = Trouble::of(&error);
            session.doomed = trouble == Trouble::Lost;
            // A collision is the server's word that nothing was committed; a lost connection leaves it open.
            return if trouble == Trouble::Collision { Try::Again(error.into()) } else { Try::Failed(error.into()) };
        }
        self.journal.committed(&self.context);
        self.counters.committed(jobs, count);
        Try::Done(())
    }

    /// Writes the events of reads and of failed writes: all that wait in one transaction.
    fn keep(&mut self, queue: &Queue<Entry>, limit: usize) {
        loop {
            let entries = queue.take(limit);
            if entries.is_empty() {
                return self.journal.end(&self.context);
            }
            let (events, jobs): (Vec<_>, Vec<_>) = entries.into_iter().map(|entry| (entry.events, entry.job)).unzip();
            let done = self.append_together(jobs.len(), &events.concat());
            for job in jobs {
                job.finish(done.clone());
            }
        }
    }

    fn append_together(&mut self, jobs: usize, events: &[AuditEvent]) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            let mut session = self.begin(Session::begin_append)?;
            match self.commit(&mut session, jobs, events.to_vec()) {
                Try::Done(()) => return Ok(()),
                Try::Again(_) if tries < self.retries => {
                    tries += 1;
                    Counters::add(&self.counters.retries, 1);
                    drop(session);
                    std::thread::sleep(jitter(tries));
                }
                Try::Again(error) | Try::Failed(error) => return Err(error),
            }
        }
    }
}

/// An uneven pause that doubles with each try, up to a third of a second: calls that collided shall not meet again.
fn jitter(tries: u32) -> Duration {
    let mut byte = [128_u8; 1];
    // Without randomness the pause is an even one, which does no harm.
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    Duration::from_micros((u64::from(byte) + 32) * 20 * (1 << tries.min(6)))
}
