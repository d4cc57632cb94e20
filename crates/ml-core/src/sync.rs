//! Document → SQL: validated rows, rejects and position, written in one transaction.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::document::ResumeToken;
use crate::error::StoreError;
use crate::global_data::GlobalRecord;
use crate::ground_truth::GroundTruth;
use crate::id::RecordId;
use crate::market_metric::MarketMetric;
use crate::quarantine::QuarantinedRecord;
use crate::record::Collection;
use crate::user_interaction::UserInteraction;

/// What a sync did; `read = written + unchanged + quarantined`, always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncCounts {
    /// Records taken from the feed.
    pub read: u64,
    /// Rows inserted or replaced.
    pub written: u64,
    /// Rows that were there with the same content hash.
    pub unchanged: u64,
    /// Records that broke a rule.
    pub quarantined: u64,
}

impl std::ops::AddAssign for SyncCounts {
    fn add_assign(&mut self, other: SyncCounts) {
        self.read += other.read;
        self.written += other.written;
        self.unchanged += other.unchanged;
        self.quarantined += other.quarantined;
    }
}

/// How far the sync of a collection got: a row of `sync_checkpoints`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The collection that is followed.
    pub collection: Collection,
    /// The position after the last committed batch.
    pub token: ResumeToken,
    /// What all committed batches did together.
    pub counts: SyncCounts,
    /// When the last batch was committed.
    pub updated_at: DateTime<Utc>,
}

/// Moves a checkpoint from where the batch was read to where it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// The position the batch was read from; absent for the first batch.
    pub from: Option<ResumeToken>,
    /// The position after the batch.
    pub to: ResumeToken,
}

/// The first record that had a value that must be unique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UniqueKey {
    /// The rule and what it covers, such as `text.headline`.
    pub scope: String,
    /// The value, or its digest when it is long.
    pub key: String,
    /// The raw record that owns it.
    pub raw_id: RecordId,
}

/// One validated row, for whichever table the data type is mapped to.
#[derive(Debug, Clone, PartialEq)]
pub enum ValidatedRow {
    /// For `global_ml_data`.
    Global(GlobalRecord),
    /// For `market_metrics`.
    MarketMetric(MarketMetric),
    /// For `user_interactions`.
    UserInteraction(UserInteraction),
    /// For `ground_truth`.
    GroundTruth(GroundTruth),
}

impl ValidatedRow {
    /// Returns the raw record that the row was made from.
    pub fn raw_id(&self) -> &RecordId {
        match self {
            ValidatedRow::Global(row) => &row.raw_id,
            ValidatedRow::MarketMetric(row) => &row.raw_id,
            ValidatedRow::UserInteraction(row) => &row.raw_id,
            ValidatedRow::GroundTruth(row) => &row.raw_id,
        }
    }
}

/// What became of some records of a collection. Each record is in `rows` or in `quarantined`, never in both.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncBatch {
    /// The collection the records are from.
    pub collection: Collection,
    /// Moves the checkpoint; absent when records are replayed from quarantine, which leaves the checkpoint as it is, its
    /// counts included.
    pub advance: Option<Advance>,
    /// The records that passed, as rows; of rows with the same key the last wins.
    pub rows: Vec<ValidatedRow>,
    /// The records that did not pass.
    pub quarantined: Vec<QuarantinedRecord>,
    /// Values that the passed records now own; a key that is owned, also by an earlier one of these, stays with its owner.
    pub unique_keys: Vec<UniqueKey>,
    /// When the batch is committed.
    pub committed_at: DateTime<Utc>,
}

/// Writes what a sync found, all of it or nothing.
#[async_trait]
pub trait SyncStore: Send + Sync {
    /// Returns how far the sync of `collection` got, if it has begun.
    async fn find_checkpoint(&self, collection: Collection) -> Result<Option<Checkpoint>, StoreError>;

    /// Lists every checkpoint, in the order of [`Collection::ALL`].
    async fn list_checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError>;

    /// Writes the batch in one transaction and returns what it did.
    ///
    /// A row whose key exists with the same content hash is left as it is. One with another hash is replaced, and its former
    /// version is kept for as-of reads. A passed record leaves quarantine; a failed one enters it, or has its reasons
    /// replaced and its attempts raised by one, keeping `first_seen_at`; a row it had before stays. The checkpoint adds the counts.
    /// One that left and fails later enters anew.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the checkpoint is no longer at `advance.from`: another sync was there first, and nothing
    /// is written.
    async fn commit(&self, batch: &SyncBatch) -> Result<SyncCounts, StoreError>;

    /// Returns the owners of those of `keys` that have one, within `scope`, in any order.
    async fn find_unique_owners(&self, scope: &str, keys: &[String]) -> Result<Vec<UniqueKey>, StoreError>;
}
