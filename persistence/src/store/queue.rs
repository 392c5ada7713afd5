//! A bounded queue between callers and the store's threads, which can be closed and is then still emptied.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::StoreError;

struct State<T> {
    waiting: VecDeque<T>,
    closed: bool,
}

pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    limit: usize,
}

impl<T> Queue<T> {
    pub fn new(limit: usize) -> Self {
        Self { state: Mutex::new(State { waiting: VecDeque::new(), closed: false }), filled: Condvar::new(), limit: limit.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing that can panic runs under the lock, so that a poisoned one still guards a sound state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an item at the end, or gives it back with the reason.
    pub fn push(&self, item: T) -> Result<(), (StoreError, T)> {
        let mut state = self.lock();
        if state.closed {
            return Err((StoreError::Unavailable, item));
        }
        if state.waiting.len() >= self.limit {
            return Err((StoreError::Busy, item));
        }
        state.waiting.push_back(item);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for items and takes up to `limit` of them; none are left when the queue is closed and empty.
    pub fn take(&self, limit: usize) -> Vec<T> {
        let mut state = self.lock();
        while state.waiting.is_empty() && !state.closed {
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let count = state.waiting.len().min(limit.max(1));
        state.waiting.drain(..count).collect()
    }

    /// Waits for one item.
    pub fn pop(&self) -> Option<T> {
        self.take(1).pop()
    }

    /// Whether it takes no more items.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Takes no more items; what is in the queue is still handed out.
    pub fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }
}
