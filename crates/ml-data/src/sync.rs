//! Documents → SQL: what was ingested is judged, and becomes validated rows or waits in quarantine.
//!
//! A batch is committed in one transaction with the position after it, so a sync that is killed at any instant goes on
//! where it was and ends with the same rows. While one batch is decided and committed, the next is read and judged. A position that has
//! expired is replaced by comparing both sides, see [`ReconcileCounts`].

mod decide;
mod error;
mod follower;
mod incoming;
mod owners;
mod reader;
mod reconcile;
mod replay;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use ml_core::clock::Clock;
use ml_core::document::{ChangeFeed, DocumentStore};
use ml_core::quarantine::ReasonCount;
use ml_core::record::Collection;
use ml_core::reference::ReferenceStore;
use ml_core::sync::{SyncCounts, SyncStore};

use self::follower::Follower;
use crate::backoff::PATIENCE;
use crate::pipeline::Pipeline;

pub use self::error::SyncError;
pub use self::reconcile::ReconcileCounts;
pub use self::replay::{ReplayReport, ReplaySelection, Replayer};
pub use self::status::{CollectionStatus, StatusReader, SyncStatus};

/// How many records are judged and committed at a time, unless something else is asked for.
pub const BATCH_SIZE: usize = 2_500;

/// How large a record may be, unless something else is asked for.
pub const MAX_RECORD_BYTES: usize = 8 * 1024 * 1024;

/// What to sync, and how.
#[derive(Debug, Clone)]
pub struct SyncOptions {
    /// Which collections, all at once.
    pub collections: Vec<Collection>,
    /// How many records are judged and committed at a time, at least 1.
    pub batch_size: usize,
    /// Larger records wait in quarantine, without their content.
    pub max_record_bytes: usize,
    /// Whether to go on after the end, waiting for more this long at a time until cancelled.
    pub follow: Option<Duration>,
    /// Whether to begin by comparing both sides record by record, though the position may be good.
    pub reconcile: bool,
    /// For how long the collections keep records: the deletion of an older one is retention, and its row stays.
    pub retention: BTreeMap<Collection, TimeDelta>,
    /// For how long a store that does not answer is waited for.
    pub patience: Duration,
}

impl Default for SyncOptions {
    fn default() -> SyncOptions {
        SyncOptions {
            collections: Collection::ALL.to_vec(),
            batch_size: BATCH_SIZE,
            max_record_bytes: MAX_RECORD_BYTES,
            follow: None,
            reconcile: false,
            retention: BTreeMap::new(),
            patience: PATIENCE,
        }
    }
}

/// What a sync is doing with a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncStage {
    /// Reading what is there, for the first time.
    Snapshot,
    /// Reading what changed.
    Changes,
    /// Comparing both sides, record by record.
    Comparison,
}

/// How far the sync of a collection got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SyncProgress {
    /// The collection at hand.
    pub collection: Collection,
    /// What is being done.
    pub stage: SyncStage,
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
    /// The collections of which both sides were compared, and what that found.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reconciled: BTreeMap<Collection, ReconcileCounts>,
    /// Rules that records broke and passed nevertheless, most frequent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<ReasonCount>,
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
    /// What was ingested.
    pub documents: Arc<dyn DocumentStore>,
    /// The same, in the order of its changes.
    pub feed: Arc<dyn ChangeFeed>,
    /// Where rows, rejects and positions go.
    pub store: Arc<dyn SyncStore>,
    /// What values are looked up in.
    pub references: Arc<dyn ReferenceStore>,
    /// How records are judged.
    pub pipeline: Arc<Pipeline>,
    /// Tells when a batch is committed.
    pub clock: Arc<dyn Clock>,
}

impl DocumentToSql {
    /// Syncs every collection from its checkpoint until nothing is newer, or until `cancel` is set, which ends it after the
    /// batches at hand. A collection without a checkpoint begins with everything that is there.
    ///
    /// # Errors
    /// [`SyncError::AnotherSync`] when someone else moved a checkpoint meanwhile. What was committed before an error stays; the
    /// other collections end after the batches at hand. With [`SyncError::Blocked`], which is logged at once, they go on to their
    /// own end.
    pub async fn sync(
        &self,
        options: &SyncOptions,
        observer: SyncObserver<'_>,
        cancel: &CancellationToken,
    ) -> Result<SyncReport, SyncError> {
        let stop = cancel.child_token();
        let runs = options.collections.iter().map(|collection| {
            let follower = Follower::new(self, options, *collection, observer, stop.clone());
            let stop = &stop;
            async move {
                let ended = follower.run().await;
                match &ended {
                    // Only who wrote the record can mend it, and the others have no part in it.
                    Err(error @ SyncError::Blocked { .. }) => {
                        error!(%collection, "{error}; the other collections are synced on");
                    }
                    Err(_) => stop.cancel(),
                    Ok(_) => {}
                }
                ended
            }
        });
        let mut report = SyncReport::default();
        let mut errors = Vec::new();
        for ended in futures::future::join_all(runs).await {
            match ended {
                Ok(of_collection) => report.add(of_collection),
                Err(error) => errors.push(error),
            }
        }
        report.cancelled = cancel.is_cancelled();
        let SyncCounts { read, written, unchanged, quarantined, deleted } = report.total();
        info!(read, written, unchanged, quarantined, deleted, "synced {read} records, {quarantined} into quarantine");
        // What is blocked was told; what ended the others was not.
        errors.sort_by_key(|error| matches!(error, SyncError::Blocked { .. }));
        errors.into_iter().next().map_or(Ok(report), Err)
    }
}

/// What the sync of one collection did.
#[derive(Debug)]
struct CollectionReport {
    collection: Collection,
    counts: SyncCounts,
    reconciled: Option<ReconcileCounts>,
    warnings: Vec<ReasonCount>,
}

impl SyncReport {
    fn add(&mut self, report: CollectionReport) {
        *self.collections.entry(report.collection).or_default() += report.counts;
        if let Some(reconciled) = report.reconciled {
            self.reconciled.insert(report.collection, reconciled);
        }
        self.warnings.extend(report.warnings);
        self.warnings.sort_by_key(|count| std::cmp::Reverse(count.n_records));
    }
}
