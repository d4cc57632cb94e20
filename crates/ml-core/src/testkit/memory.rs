//! Stores that live in memory: every trait, with no database.
//!
//! They pass the same conformance suites as the real ones, so that a test may use them wherever a store is asked for.

use std::sync::Mutex;

mod artifacts;
mod datasets;
mod documents;
mod evaluations;
mod experiments;
mod models;
mod outbox;
mod paging;
mod quarantine;
mod references;
mod results;
mod runs;
mod sync;
mod validated;
mod warnings;

pub use artifacts::MemoryArtifacts;

/// The document side in memory.
#[derive(Debug, Default)]
pub struct MemoryDocuments {
    records: Mutex<documents::Records>,
    results: Mutex<results::Results>,
}

/// The SQL side in memory.
///
/// What one method must write together is behind one lock, which makes every method atomic.
#[derive(Debug, Default)]
pub struct MemorySql {
    synced: Mutex<sync::Synced>,
    outbox: Mutex<outbox::Outbox>,
    datasets: Mutex<datasets::Datasets>,
    tracking: Mutex<experiments::Tracking>,
    models: Mutex<models::Models>,
    evaluations: Mutex<evaluations::Evaluations>,
}

/// Locks `state`, which no test leaves half-written.
fn lock<T>(state: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    state.lock().expect("no store panics while it holds its lock")
}
