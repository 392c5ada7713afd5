//! SQLite: one thread writes; short reads run where they are asked for, long ones on threads of their own.
//!
//! A commit costs a sync of the disk, whatever is in it. So the writer takes all jobs that wait, runs each in a savepoint of its own inside one
//! transaction, commits once, and only then answers all of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use diesel::connection::SimpleConnection;
use lahete_domain::audit::AuditEvent;

use crate::connection::{self, Opener, Pool, Purpose, Session};
use crate::db::Context;
use crate::error::StoreError;
use crate::store::StoreOptions;
use crate::store::job::{self, Job, Part};
use crate::store::journal::Journal;
use crate::store::queue::Queue;
use crate::store::reserve::Reserve;
use crate::store::stats::Counters;
use crate::url::DbUrl;

/// What waits for the next commit.
enum Entry {
    /// A closure that writes.
    Write(Box<dyn Job>),
    /// A closure that has read, with the events that must be durable before its answer.
    Journal(Vec<AuditEvent>, Box<dyn Job>),
}

impl Entry {
    fn into_job(self) -> Box<dyn Job> {
        match self {
            Self::Write(job) | Self::Journal(_, job) => job,
        }
    }
}

pub(crate) struct Engine {
    here: Reader,
    reads: Arc<Queue<Box<dyn Job>>>,
    writes: Arc<Queue<Entry>>,
    reserve: Arc<Reserve>,
    parts: Mutex<Vec<Part>>,
}

impl Engine {
    pub fn start(url: &DbUrl, options: &StoreOptions, context: Context, counters: &Arc<Counters>) -> Result<Self, StoreError> {
        let reads = Arc::new(Queue::new(options.read_queue));
        let writes = Arc::new(Queue::new(options.write_queue));
        let opener = options.opener(url, Purpose::Write);
        // Opened here, so that a wrong path is told at once and the file exists before the first reader looks for it.
        let session = opener.open().map_err(job::unavailable)?;
        let reserve = Arc::new(Reserve::prepare(url.sqlite_path().unwrap_or(std::path::Path::new("")), options.reserve));
        let mut writer = Writer {
            opener,
            session: Some(session),
            journal: Journal::begin(&context),
            context: context.clone(),
            counters: counters.clone(),
            limit: options.group_limit,
            reserve: reserve.clone(),
        };
        let queue = writes.clone();
        let writing = vec![job::spawn("store-writer", move || writer.work(&queue))?];

        let count = options.readers.max(1);
        let reader = |connections: usize| {
            let connections = u32::try_from(connections).unwrap_or(u32::MAX);
            let pool = connection::pool(options.opener(url, Purpose::Read), connections, 1, options.pool_timeout);
            Reader { pool, context: context.clone(), writes: writes.clone() }
        };
        let here = reader(count);
        let apart = reader(count);
        let mut reading = Vec::with_capacity(count);
        for _ in 0..count {
            let reader = apart.clone();
            let queue = reads.clone();
            reading.push(job::spawn("store-reader", move || reader.work(&queue))?);
        }

        let (r, w) = (reads.clone(), writes.clone());
        // Readers first: the last of them still hand their events to the writer.
        let parts = vec![Part::new(move || r.close(), reading), Part::new(move || w.close(), writing)];
        Ok(Self { here, reads, writes, reserve, parts: Mutex::new(parts) })
    }

    /// Runs a short read on the caller's thread: handing it to another one costs more than the read. When all connections for this are taken, it
    /// waits for a thread like a long one.
    pub fn read(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        if self.reads.is_closed() {
            return Err(StoreError::Unavailable);
        }
        match self.here.pool.try_get() {
            Some(session) => {
                self.here.serve(session, job);
                Ok(())
            }
            None => self.read_apart(job),
        }
    }

    /// Hands a read to one of the threads for it.
    pub fn read_apart(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.reads.push(job).map_err(|(error, _)| error)
    }

    pub fn write(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        if self.reserve.refuses() {
            return Err(StoreError::StorageFull);
        }
        self.writes.push(Entry::Write(job)).map_err(|(error, _)| error)
    }

    /// Whether the disk was full when it was last looked at.
    pub fn is_full(&self) -> bool {
        self.reserve.is_full()
    }

    pub fn stop(&self) {
        self.reads.close();
        self.writes.close();
    }

    pub fn threads(&self) -> Vec<Part> {
        std::mem::take(&mut *self.parts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Clone)]
struct Reader {
    pool: Pool,
    context: Context,
    writes: Arc<Queue<Entry>>,
}

impl Reader {
    fn work(&self, queue: &Queue<Box<dyn Job>>) {
        while let Some(job) = queue.pop() {
            if job.is_abandoned() {
                continue;
            }
            match self.pool.get() {
                Ok(session) => self.serve(session, job),
                Err(_) => job.finish(Err(StoreError::Unavailable)),
            }
        }
    }

    /// Runs the read and lets go of the connection; the answer waits until its events are durable.
    fn serve(&self, mut session: r2d2::PooledConnection<Opener>, mut job: Box<dyn Job>) {
        let read = session.begin_read().map(|()| {
            let (_, events) = job::run(job.as_mut(), &mut session, &self.context);
            // Nothing was written; ending the transaction lets go of the snapshot.
            session.end();
            events
        });
        drop(session);
        match read {
            Err(error) => job.finish(Err(error.into())),
            Ok(events) if events.is_empty() => job.finish(Ok(())),
            Ok(events) => {
                if let Err((error, entry)) = self.writes.push(Entry::Journal(events, job)) {
                    entry.into_job().finish(Err(error));
                }
            }
        }
    }
}

struct Writer {
    opener: Opener,
    session: Option<Session>,
    journal: Journal,
    context: Context,
    counters: Arc<Counters>,
    limit: usize,
    reserve: Arc<Reserve>,
}

impl Writer {
    fn work(&mut self, queue: &Queue<Entry>) {
        loop {
            let mut group: VecDeque<Entry> = queue.take(self.limit).into();
            if group.is_empty() {
                break;
            }
            while !group.is_empty() {
                self.commit_together(&mut group);
            }
        }
        self.journal.end(&self.context);
        if let Some(session) = &mut self.session
            && let Err(error) = session.conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
        {
            log::warn!("the log was left beside the database: {}", StoreError::of(&error));
        }
    }

    /// Makes entries from the front durable in one commit and answers them. What is left in `group` did not run and belongs to the next commit.
    fn commit_together(&mut self, group: &mut VecDeque<Entry>) {
        if self.reserve.is_full() && !self.reserve.try_restore() {
            // What room is left is for the trail.
            refuse_writes(group);
            if group.is_empty() {
                return;
            }
        }
        let mut session = match self.session.take().map_or_else(|| self.opener.open(), Ok) {
            Ok(session) => session,
            Err(error) => {
                let error = job::unavailable(error);
                return group.drain(..).for_each(|entry| entry.into_job().finish(Err(error.clone())));
            }
        };
        let mut ran = Vec::with_capacity(group.len());
        let mut done = self.run_group(&mut session, group, &mut ran);
        if done.is_err() {
            session.end();
        }
        if !session.is_spent() {
            self.session = Some(session);
        }
        if matches!(done, Err(StoreError::Unavailable)) && self.reserve.has_no_room() {
            done = Err(StoreError::StorageFull);
        }
        if matches!(done, Err(StoreError::StorageFull)) && self.reserve.release() {
            // Now there is room for the reads of this group.
            ran.into_iter().rev().for_each(|entry| group.push_front(entry));
            return refuse_writes(group);
        }
        if done.is_err() && ran.is_empty() {
            // Not even the first one could begin: the same would happen to the others.
            ran.extend(group.drain(..));
        }
        for entry in ran {
            entry.into_job().finish(done.clone());
        }
    }

    fn run_group(&mut self, session: &mut Session, group: &mut VecDeque<Entry>, ran: &mut Vec<Entry>) -> Result<(), StoreError> {
        session.begin_write()?;
        let mut events = Vec::new();
        // What failed and left no event was rolled back to its savepoint: the commit makes nothing of it durable.
        let mut durable = 0;
        while let Some(entry) = group.pop_front() {
            match entry {
                Entry::Journal(read, job) => {
                    durable += 1;
                    // Kept beside, for another try when the disk is full.
                    events.extend(read.iter().cloned());
                    ran.push(Entry::Journal(read, job));
                }
                Entry::Write(job) if job.is_abandoned() => {}
                Entry::Write(mut job) => {
                    session.savepoint()?;
                    session.fate.take();
                    let (succeeded, noted) = job::run(job.as_mut(), session, &self.context);
                    // The closure may have passed over an error. PostgreSQL commits nothing then, so nothing is committed here either.
                    let trouble = session.fate.take();
                    if matches!(trouble, Some((_, StoreError::StorageFull))) {
                        ran.push(Entry::Write(job));
                        return Err(StoreError::StorageFull);
                    }
                    let passed_over = if succeeded { trouble } else { None };
                    if let Some((_, error)) = passed_over {
                        if let Err(error) = session.rollback() {
                            ran.push(Entry::Write(job));
                            return Err(error.into());
                        }
                        job.finish(Err(error));
                        continue;
                    }
                    ran.push(Entry::Write(job));
                    durable += usize::from(succeeded || !noted.is_empty());
                    events.extend(noted);
                    // After some errors (a full disk, for one) SQLite has rolled the whole transaction back by itself. Then this fails, and with it
                    // the group: none of it may be answered as done.
                    let ended = if succeeded { session.commit() } else { session.rollback() };
                    if let Err(error) = ended {
                        return Err(session.fate.take().map_or_else(|| error.into(), |(_, cause)| cause));
                    }
                }
            }
        }
        let count = events.len();
        self.journal.append(session, &self.context, events)?;
        if let Err(error) = session.commit() {
            self.journal.uncertain(&self.context);
            return Err(error.into());
        }
        self.journal.committed(&self.context);
        if durable > 0 {
            self.counters.committed(durable, count);
        }
        Ok(())
    }
}

/// Answers the writes of a group that found the disk full; the journal entries stay.
fn refuse_writes(group: &mut VecDeque<Entry>) {
    for entry in std::mem::take(group) {
        match entry {
            Entry::Write(job) => job.finish(Err(StoreError::StorageFull)),
            entry @ Entry::Journal(..) => group.push_back(entry),
        }
    }
}
