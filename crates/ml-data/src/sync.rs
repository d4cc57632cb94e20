//! Documents → SQL: what was ingested is judged, and becomes validated rows or waits in quarantine.
//!
//! A batch is committed in one transaction with the position after it, so a sync that is killed at any instant goes on
//! where it was and ends with the same rows. While one batch is committed, the next is read and judged.

mod decide;
mod error;
mod replay;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tracing::info;

use ml_core::clock::Clock;
use ml_core::document::{ChangeFeed, ResumeToken};
use ml_core::error::StoreError;
use ml_core::record::Collection;
use ml_core::sync::{Advance, SyncBatch, SyncCounts, SyncStore};

use self::decide::{Decided, Owners, decide};
use crate::pipeline::{Judged, Pipeline, Warnings, Window, judge_batch};

pub use self::error::SyncError;
pub use self::replay::{ReplayReport, ReplaySelection, Replayer};

/// How many records are judged and committed at a time, unless something else is asked for.
pub const BATCH_SIZE: usize = 2_500;

/// What to sync, and how.
#[derive(Debug, Clone)]
pub struct SyncOptions {
    /// Which collections, in this order.
    pub collections: Vec<Collection>,
    /// How many records are judged and committed at a time, at least 1.
    pub batch_size: usize,
    /// Whether to go on after the end, looking for more at this interval until cancelled.
    pub follow: Option<Duration>,
}

impl Default for SyncOptions {
    fn default() -> SyncOptions {
        SyncOptions { collections: Collection::ALL.to_vec(), batch_size: BATCH_SIZE, follow: None }
    }
}

/// How far the sync of a collection got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SyncProgress {
    /// The collection at hand.
    pub collection: Collection,
    /// What was done with it so far.
    pub counts: SyncCounts,
    /// How many records waited when it began.
    pub n_pending: u64,
}

/// Is told after every batch how far a sync got.
pub type SyncObserver<'a> = &'a (dyn Fn(SyncProgress) + Send + Sync);

/// What a sync did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SyncReport {
    /// Counts by collection; a collection with nothing new has zeros.
    pub collections: BTreeMap<Collection, SyncCounts>,
    /// Rules that were broken by records which became rows all the same.
    pub warnings: Warnings,
    /// Whether it was stopped before the end.
    pub cancelled: bool,
}

impl SyncReport {
    /// Returns the counts of all collections together.
    pub fn total(&self) -> SyncCounts {
        let mut total = SyncCounts::default();
        self.collections.values().for_each(|counts| total += *counts);
        total
    }
}

/// Validates what was ingested.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "stores are opaque")]
pub struct DocumentToSql {
    /// What was ingested, in the order of its changes.
    pub feed: Arc<dyn ChangeFeed>,
    /// Where rows, rejects and positions go.
    pub store: Arc<dyn SyncStore>,
    /// How records are judged.
    pub pipeline: Arc<Pipeline>,
    /// Tells when a batch is committed.
    pub clock: Arc<dyn Clock>,
}

impl DocumentToSql {
    /// Syncs each collection from its checkpoint until nothing is newer, or until `cancel` is set, which ends it after the
    /// batch at hand.
    ///
    /// # Errors
    /// [`SyncError::AnotherSync`] when someone else moved a checkpoint meanwhile. What was committed before an error stays.
    pub async fn sync(
        &self,
        options: &SyncOptions,
        observer: SyncObserver<'_>,
        cancel: &CancellationToken,
    ) -> Result<SyncReport, SyncError> {
        let mut report = SyncReport::default();
        loop {
            for collection in &options.collections {
                let (counts, warnings) =
                    self.sync_collection(*collection, options.batch_size, observer, cancel).await?;
                *report.collections.entry(*collection).or_default() += counts;
                report.warnings.merge(warnings);
            }
            report.cancelled = cancel.is_cancelled();
            let Some(interval) = options.follow.filter(|_| !report.cancelled) else { break };
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(interval) => {}
            }
        }
        let SyncCounts { read, written, unchanged, quarantined } = report.total();
        info!(read, written, unchanged, quarantined, "synced {read} records, {quarantined} of them into quarantine");
        Ok(report)
    }

    async fn sync_collection(
        &self,
        collection: Collection,
        batch_size: usize,
        observer: SyncObserver<'_>,
        cancel: &CancellationToken,
    ) -> Result<(SyncCounts, Warnings), SyncError> {
        let failed = |source| SyncError::Store { collection, source };
        let checkpoint = self.store.find_checkpoint(collection).await.map_err(failed)?;
        let mut from = checkpoint.map(|checkpoint| checkpoint.token);
        let n_pending = self.feed.count_pending(collection, from.as_ref()).await.map_err(failed)?;
        let mut counts = SyncCounts::default();
        let mut warnings = Warnings::default();
        let mut next = self.prepare(collection, from.as_ref(), batch_size).await?;
        while let Some(Prepared { judged, to }) = next {
            if cancel.is_cancelled() {
                break;
            }
            let mut warned = Warnings::default();
            warned.add(&judged);
            let batch = self.batch(collection, judged, Advance { from, to: to.clone() }).await.map_err(failed)?;
            let prepare = self.prepare(collection, Some(&to), batch_size);
            let (committed, prepared) = tokio::join!(self.store.commit(&batch), prepare);
            counts += committed.map_err(|error| SyncError::of_commit(collection, error))?;
            warnings.merge(warned);
            observer(SyncProgress { collection, counts, n_pending });
            from = Some(to);
            next = prepared?;
        }
        Ok((counts, warnings))
    }

    /// Reads and judges what comes after `from`; nothing when nothing is newer.
    async fn prepare(
        &self,
        collection: Collection,
        from: Option<&ResumeToken>,
        batch_size: usize,
    ) -> Result<Option<Prepared>, SyncError> {
        let changes = self.feed.changes(collection, from, batch_size.max(1)).await;
        let changes = changes.map_err(|source| SyncError::Store { collection, source })?;
        let Some(to) = changes.token.filter(|_| !changes.records.is_empty()) else { return Ok(None) };
        let judged = judge_batch(&self.pipeline, collection, changes.records, Window::Batch).await;
        let judged = judged.map_err(|source| SyncError::Judge { collection, source })?;
        Ok(Some(Prepared { judged, to }))
    }

    async fn batch(
        &self,
        collection: Collection,
        judged: Vec<Judged>,
        advance: Advance,
    ) -> Result<SyncBatch, StoreError> {
        let mut owners = Owners::default();
        owners.load(&*self.store, &judged).await?;
        let committed_at = self.clock.now();
        let Decided { rows, quarantined, unique_keys } = decide(collection, judged, &mut owners, committed_at);
        Ok(SyncBatch { collection, advance: Some(advance), rows, quarantined, unique_keys, committed_at })
    }
}

/// Records that were judged by everything but uniqueness, and the position after them.
struct Prepared {
    judged: Vec<Judged>,
    to: ResumeToken,
}
