//! What turned out to be true for a record, often long after it was predicted.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::error::StoreError;
use crate::id::RecordId;

/// A row of `ground_truth`; its key is record id and target together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroundTruth {
    /// The record that the truth is about: the `record_id` of its predictions.
    pub record_id: RecordId,
    /// The target column that it is the value of.
    pub target: String,
    /// The true value: a label or a finite number.
    pub value: Value,
    /// When it was observed.
    pub observed_at: DateTime<Utc>,
    /// When it was first known here.
    pub created_at: DateTime<Utc>,
    /// The raw record it came in.
    pub raw_id: RecordId,
    /// The digest of target, value and observation time.
    pub content_hash: Digest,
}

/// Reads `ground_truth`; rows come in through [`crate::sync::SyncStore::commit`] alone.
#[async_trait]
pub trait GroundTruthStore: Send + Sync {
    /// Returns what is known of `target` for these records, in any order; records without a truth are left out.
    async fn find_by_records(&self, target: &str, records: &[RecordId]) -> Result<Vec<GroundTruth>, StoreError>;

    /// Counts the truths of `target`.
    async fn count(&self, target: &str) -> Result<u64, StoreError>;
}
