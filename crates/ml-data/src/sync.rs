//! Document → SQL: records are judged by the pipeline and become rows, or wait in quarantine with every reason.
//!
//! Each batch of the change feed is one transaction of the SQL store: rows, rejects, owned unique values and the position
//! after the batch. Killed at any instant and started again, SQL ends up as after an uninterrupted run.

mod judging;
mod replay;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tracing::{info, instrument};

use ml_core::clock::Clock;
use ml_core::document::ChangeFeed;
use ml_core::error::StoreError;
use ml_core::record::Collection;
use ml_core::sync::{Advance, SyncBatch, SyncCounts, SyncStore};

use crate::pipeline::Pipeline;

use self::judging::Judge;

pub use self::replay::{Replay, ReplayReport};

/// How many changes are read, judged and committed at a time.
pub const DEFAULT_BATCH_SIZE: usize = 5_000;

/// What can go wrong in a sync or a replay.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The position was moved by someone else between reading and committing.
    #[error("another sync of `{collection}` is running: wait until it is done, or stop it")]
    AnotherIsRunning {
        /// The collection.
        collection: Collection,
        /// What the store says.
        #[source]
        source: StoreError,
    },
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Judging records ended in a panic; nothing of the batch was written.
    #[error("judging records of `{collection}` panicked")]
    Panicked {
        /// The collection.
        collection: Collection,
        /// How it ended.
        #[source]
        source: tokio::task::JoinError,
    },
}

/// What became of the records of one collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SyncReport {
    /// The collection.
    pub collection: Collection,
    /// What became of its records in this run.
    #[serde(flatten)]
    pub counts: SyncCounts,
    /// Whether it was stopped before the end of the feed.
    pub cancelled: bool,
}

/// Moves what is new in the document store to SQL.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "stores are opaque")]
pub struct DocumentToSql {
    /// What changed.
    pub feed: Arc<dyn ChangeFeed>,
    /// Where it goes.
    pub store: Arc<dyn SyncStore>,
    /// By which it is judged.
    pub pipeline: Arc<Pipeline>,
    /// When it is committed.
    pub clock: Arc<dyn Clock>,
    /// How many changes are taken at a time, at least 1.
    pub batch_size: usize,
}

impl DocumentToSql {
    /// Follows the feed of `collection` from its checkpoint to its present end, or until `cancel` is set.
    ///
    /// `progress` is told the counts so far after every commit.
    ///
    /// # Errors
    /// [`SyncError::AnotherIsRunning`] when the checkpoint moved meanwhile; what was committed before stays.
    #[instrument(skip_all, fields(collection = %collection))]
    pub async fn run(
        &self,
        collection: Collection,
        cancel: &CancellationToken,
        progress: &(dyn Fn(SyncCounts) + Sync),
    ) -> Result<SyncReport, SyncError> {
        let mut counts = SyncCounts::default();
        let checkpoint = self.store.find_checkpoint(collection).await?;
        let mut position = checkpoint.map(|checkpoint| checkpoint.token);
        while !cancel.is_cancelled() {
            let changes = self.feed.changes(collection, position.as_ref(), self.batch_size).await?;
            let Some(end) = changes.token.filter(|token| Some(token) != position.as_ref()) else {
                info!(read = counts.read, quarantined = counts.quarantined, "`{collection}` is synced to its end");
                return Ok(SyncReport { collection, counts, cancelled: false });
            };
            let advance = Advance { from: position, to: end.clone() };
            let judge = Judge { store: self.store.as_ref(), pipeline: &self.pipeline, clock: self.clock.as_ref() };
            let batch = judge.judge(collection, changes.records, Some(advance)).await?;
            counts += self.commit(&batch).await?;
            progress(counts);
            position = Some(end);
        }
        Ok(SyncReport { collection, counts, cancelled: true })
    }

    /// Runs again and again, `interval` apart, until `cancel` is set; returns what was done in all.
    ///
    /// # Errors
    /// As [`DocumentToSql::run`].
    pub async fn follow(
        &self,
        collection: Collection,
        interval: Duration,
        cancel: &CancellationToken,
        progress: &(dyn Fn(SyncCounts) + Sync),
    ) -> Result<SyncReport, SyncError> {
        let mut counts = SyncCounts::default();
        while !cancel.is_cancelled() {
            let before = counts;
            let total = |since: SyncCounts| {
                let mut total = before;
                total += since;
                progress(total);
            };
            counts += self.run(collection, cancel, &total).await?.counts;
            // Whichever comes first: the next round, or the end.
            let _ = tokio::time::timeout(interval, cancel.cancelled()).await;
        }
        Ok(SyncReport { collection, counts, cancelled: true })
    }

    async fn commit(&self, batch: &SyncBatch) -> Result<SyncCounts, SyncError> {
        match self.store.commit(batch).await {
            Err(source @ StoreError::Conflict { .. }) => {
                Err(SyncError::AnotherIsRunning { collection: batch.collection, source })
            }
            outcome => Ok(outcome?),
        }
    }
}
