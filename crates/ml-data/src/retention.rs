//! Retention: deletes the records that a collection need not keep any longer.
//!
//! What sync has not read yet stays, for it would be lost: neither a row nor in quarantine. The rows that were made of what is
//! deleted stay in SQL; deleting by age is no change that sync follows.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tracing::info;

use ml_core::clock::Clock;
use ml_core::document::{Change, ChangeFeed, DocumentStore, RecordQuery};
use ml_core::error::StoreError;
use ml_core::record::Collection;
use ml_core::sync::SyncStore;

/// How many changes that wait for sync are looked at together.
const PAGE_SIZE: usize = 2_500;

/// What to do with records that are old enough to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneMode {
    /// Count them.
    DryRun,
    /// Delete them, except in collections of which sync has not read all of them.
    Synced,
    /// Delete them, though sync may not have read some.
    Everything,
}

/// What became of the old records of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrunedCollection {
    /// The collection.
    pub collection: Collection,
    /// Records that were ingested before are old.
    pub ingested_before: DateTime<Utc>,
    /// Old records there were.
    pub n_old: u64,
    /// Those of them that were deleted.
    pub n_deleted: u64,
    /// Whether sync has not read some of them yet.
    pub is_unsynced: bool,
}

/// Deletes records for their age.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "stores are opaque")]
pub struct Pruner {
    /// Where the records are.
    pub documents: Arc<dyn DocumentStore>,
    /// What changed among them.
    pub feed: Arc<dyn ChangeFeed>,
    /// How far sync has read.
    pub store: Arc<dyn SyncStore>,
    /// Tells how old a record is.
    pub clock: Arc<dyn Clock>,
}

impl Pruner {
    /// Goes through the collections that keep records for a time, until all are done or `cancel` is set.
    pub async fn prune(
        &self,
        retention: &BTreeMap<Collection, TimeDelta>,
        mode: PruneMode,
        cancel: &CancellationToken,
    ) -> Result<Vec<PrunedCollection>, StoreError> {
        let now = self.clock.now();
        let mut pruned = Vec::new();
        for (collection, kept_for) in retention {
            if cancel.is_cancelled() {
                break;
            }
            pruned.push(self.prune_collection(*collection, now - *kept_for, mode).await?);
        }
        Ok(pruned)
    }

    async fn prune_collection(
        &self,
        collection: Collection,
        ingested_before: DateTime<Utc>,
        mode: PruneMode,
    ) -> Result<PrunedCollection, StoreError> {
        // Stores tell times apart by the microsecond.
        let old =
            RecordQuery { known_by: Some(ingested_before - TimeDelta::microseconds(1)), ..RecordQuery::default() };
        let n_old = self.documents.count(collection, &old).await?;
        let mut pruned = PrunedCollection { collection, ingested_before, n_old, n_deleted: 0, is_unsynced: false };
        if n_old == 0 {
            return Ok(pruned);
        }
        pruned.is_unsynced = !self.is_synced(collection, ingested_before).await?;
        if mode == PruneMode::Everything || (mode == PruneMode::Synced && !pruned.is_unsynced) {
            pruned.n_deleted = self.documents.delete_ingested_before(collection, ingested_before).await?;
            let n_deleted = pruned.n_deleted;
            info!(%collection, n_deleted, "deleted {n_deleted} old records of {collection}");
        }
        Ok(pruned)
    }

    /// Returns whether nothing that was ingested before a time still waits for sync.
    async fn is_synced(&self, collection: Collection, ingested_before: DateTime<Utc>) -> Result<bool, StoreError> {
        let Some(checkpoint) = self.store.find_checkpoint(collection).await? else { return Ok(false) };
        let mut token = checkpoint.token;
        loop {
            let batch = match self.feed.changes(collection, Some(&token), PAGE_SIZE).await {
                // What sync would have to find out by comparing both sides is not known here.
                Err(StoreError::Expired { .. }) => return Ok(false),
                batch => batch?,
            };
            if batch.changes.is_empty() {
                return Ok(true);
            }
            if batch.changes.iter().any(|change| may_be_older(change, ingested_before)) {
                return Ok(false);
            }
            let Some(next) = batch.token else { return Ok(true) };
            token = next;
        }
    }
}

/// Returns whether a change brings a record from before a time, as far as that can be told.
fn may_be_older(change: &Change, time: DateTime<Utc>) -> bool {
    match change {
        Change::Upserted(record) => record.ingested_at < time,
        Change::Undecodable { .. } => true,
        Change::Deleted(_) => false,
    }
}
