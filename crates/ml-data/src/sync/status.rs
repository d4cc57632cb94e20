//! How far the sync of each collection got, and how far behind that is.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use ml_core::clock::Clock;
use ml_core::document::{Change, ChangeFeed, ResumeToken};
use ml_core::error::StoreError;
use ml_core::quarantine::{QuarantineQuery, QuarantineStore};
use ml_core::record::Collection;
use ml_core::sync::{Checkpoint, SyncCounts, SyncStore};
use ml_core::warning::{WarningQuery, WarningStore};

/// Where the sync of a collection is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CollectionStatus {
    /// The collection.
    pub collection: Collection,
    /// What all syncs of it did together; `read = written + unchanged + quarantined + deleted`.
    pub counts: SyncCounts,
    /// When the position last moved; absent before the first sync.
    pub updated_at: Option<DateTime<Utc>>,
    /// How long ago that was.
    pub position_age_seconds: Option<f64>,
    /// How many changes wait; absent when the position has expired.
    pub lag_events: Option<u64>,
    /// How long ago the oldest change that waits was ingested; 0 when none waits, absent when that cannot be told.
    pub lag_seconds: Option<f64>,
    /// Whether the position has expired: the next sync compares both sides.
    pub is_expired: bool,
    /// How many records wait in quarantine.
    pub in_quarantine: u64,
    /// How many records are rows although they break a rule.
    pub with_warnings: u64,
    /// When both sides were last compared record by record.
    pub reconciled_at: Option<DateTime<Utc>>,
}

/// Where the sync of every collection is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SyncStatus {
    /// By collection, in the order in which they are listed.
    pub collections: Vec<CollectionStatus>,
    /// Whether every change that was read is accounted for, once.
    pub adds_up: bool,
}

/// Reads how far the sync got.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "stores are opaque")]
pub struct StatusReader {
    /// What waits to be synced.
    pub feed: Arc<dyn ChangeFeed>,
    /// How far the sync got.
    pub store: Arc<dyn SyncStore>,
    /// What waits to be mended.
    pub quarantine: Arc<dyn QuarantineStore>,
    /// What passed with a warning.
    pub warnings: Arc<dyn WarningStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl StatusReader {
    /// Returns where the sync of every collection is, also of those that are not synced any more.
    pub async fn read(&self) -> Result<SyncStatus, StoreError> {
        let mut collections = Vec::with_capacity(Collection::ALL.len());
        for collection in Collection::ALL {
            collections.push(self.read_collection(collection).await?);
        }
        let adds_up = collections.iter().all(|status| status.counts.add_up());
        Ok(SyncStatus { collections, adds_up })
    }

    async fn read_collection(&self, collection: Collection) -> Result<CollectionStatus, StoreError> {
        let checkpoint = self.store.find_checkpoint(collection).await?;
        let query = QuarantineQuery { collection: Some(collection), ..QuarantineQuery::default() };
        let in_quarantine = self.quarantine.count(&query).await?;
        let warned = WarningQuery { collection: Some(collection), ..WarningQuery::default() };
        let with_warnings = self.warnings.count_records(&warned).await?;
        let token = checkpoint.as_ref().map(|checkpoint| &checkpoint.token);
        let lag = match self.lag(collection, token).await {
            Ok((n_events, seconds)) => Some((n_events, seconds)),
            Err(StoreError::Expired { .. }) => None,
            Err(error) => return Err(error),
        };
        let updated_at = checkpoint.as_ref().map(|checkpoint| checkpoint.updated_at);
        Ok(CollectionStatus {
            collection,
            updated_at,
            position_age_seconds: updated_at.map(|at| self.seconds_since(at)),
            lag_events: lag.map(|(n_events, _)| n_events),
            lag_seconds: lag.and_then(|(_, seconds)| seconds),
            is_expired: lag.is_none(),
            in_quarantine,
            with_warnings,
            reconciled_at: checkpoint.as_ref().and_then(|checkpoint| checkpoint.reconciled_at),
            counts: checkpoint.map_or_else(SyncCounts::default, |Checkpoint { counts, .. }| counts),
        })
    }

    async fn lag(&self, collection: Collection, token: Option<&ResumeToken>) -> Result<(u64, Option<f64>), StoreError> {
        let n_events = self.feed.count_pending(collection, token).await?;
        if n_events == 0 {
            return Ok((0, Some(0.0)));
        }
        let oldest = self.feed.changes(collection, token, 1).await?.changes.into_iter().next();
        let seconds = match oldest {
            Some(Change::Upserted(record)) => Some(self.seconds_since(record.ingested_at)),
            _ => None,
        };
        Ok((n_events, seconds))
    }

    fn seconds_since(&self, instant: DateTime<Utc>) -> f64 {
        (self.clock.now() - instant).num_microseconds().map_or(f64::MAX, |n| n as f64 / 1e6).max(0.0)
    }
}
