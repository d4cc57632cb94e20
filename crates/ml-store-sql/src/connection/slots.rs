//! A pool: idle connections, and how many may be out at a time.
//!
//! A connection that is not put back is closed. So a transaction that is dropped half-way, for its future was cancelled,
//! takes its connection along: closing it rolls back, and nothing that is still under way on it can reach the next
//! transaction.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Idle connections, and permits to have one.
pub(super) struct Slots<C> {
    permits: Semaphore,
    idle: Mutex<Vec<C>>,
}

impl<C> Slots<C> {
    /// Makes room for `n_connections` at a time.
    pub(super) fn new(n_connections: usize) -> Slots<C> {
        Slots { permits: Semaphore::new(n_connections), idle: Mutex::new(Vec::new()) }
    }

    /// Waits until one more connection may be out; it may be as long as the permit lives.
    pub(super) async fn permit(&self) -> SemaphorePermit<'_> {
        self.permits.acquire().await.expect("the semaphore is never closed")
    }

    /// Takes the connection that was put back last; the caller holds a permit.
    pub(super) fn take_idle(&self) -> Option<C> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Keeps a connection that is in no transaction for the next one who asks.
    pub(super) fn put_back(&self, connection: C) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}
