//! What turned out to be true for a record, often long after it was predicted.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::error::StoreError;
use crate::id::RecordId;

/// A row of `ground_truth`; its key is record id, target and raw record together.
///
/// Several raw records may tell a truth about the same record and target. Each has a row, for it may be deleted again; one of
/// them counts: see [`GroundTruth::outweighs`].
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

impl GroundTruth {
    /// Returns whether this truth counts and not `other`, which is of the same record and target: it was observed later, or else
    /// known later. Of two from the same time the one with the greater raw id counts.
    pub fn outweighs(&self, other: &GroundTruth) -> bool {
        let rank = |truth: &GroundTruth| (truth.observed_at, truth.created_at);
        (rank(self), &self.raw_id) > (rank(other), &other.raw_id)
    }
}

/// Keeps of the truths of each record and target the one that counts, in any order.
pub fn those_that_count(truths: impl IntoIterator<Item = GroundTruth>) -> Vec<GroundTruth> {
    let mut by_key = HashMap::new();
    for truth in truths {
        match by_key.entry((truth.record_id.clone(), truth.target.clone())) {
            Entry::Vacant(entry) => {
                entry.insert(truth);
            }
            Entry::Occupied(mut entry) if truth.outweighs(entry.get()) => {
                entry.insert(truth);
            }
            Entry::Occupied(_) => {}
        }
    }
    by_key.into_values().collect()
}

/// Reads `ground_truth`; rows come in through [`crate::sync::SyncStore::commit`] alone.
#[async_trait]
pub trait GroundTruthStore: Send + Sync {
    /// Returns the truth of `target` that counts for each of these records, in any order; records without one are left out.
    async fn find_by_records(&self, target: &str, records: &[RecordId]) -> Result<Vec<GroundTruth>, StoreError>;

    /// Counts the records that have a truth of `target`.
    async fn count(&self, target: &str) -> Result<u64, StoreError>;
}
