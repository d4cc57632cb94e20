//! Warnings: rules that a record broke and passed nevertheless.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::id::RecordId;
use crate::page::{Page, PageRequest};
use crate::quarantine::{QuarantineReason, ReasonCount};
use crate::record::Collection;

/// A row of `record_warnings`: one rule that a record broke whose rows were written nevertheless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordWarning {
    /// The collection the record is in.
    pub collection: Collection,
    /// The record.
    pub raw_id: RecordId,
    /// The place of the warning among those of the record, from 0.
    pub place: u32,
    /// The rule, and what is wrong.
    pub reason: QuarantineReason,
    /// When the record was judged.
    pub warned_at: DateTime<Utc>,
}

/// The key of a warning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WarningKey {
    /// The collection the record is in.
    pub collection: Collection,
    /// The record.
    pub raw_id: RecordId,
    /// The place among those of the record.
    pub place: u32,
}

impl RecordWarning {
    /// Returns its key.
    pub fn key(&self) -> WarningKey {
        WarningKey { collection: self.collection, raw_id: self.raw_id.clone(), place: self.place }
    }
}

/// Which warnings to read; an absent bound does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WarningQuery {
    /// In this collection.
    pub collection: Option<Collection>,
    /// By a rule of this kind.
    pub rule: Option<String>,
}

/// Reads `record_warnings`. A record has those of its last version: they come and go with its rows, through
/// [`crate::sync::SyncStore::commit`] alone.
#[async_trait]
pub trait WarningStore: Send + Sync {
    /// Lists matching warnings by ascending key: collection by name on disk, then id in the order of its bytes, then place.
    async fn list(
        &self,
        query: &WarningQuery,
        page: PageRequest<WarningKey>,
    ) -> Result<Page<RecordWarning, WarningKey>, StoreError>;

    /// Counts the records that have a matching warning.
    async fn count_records(&self, query: &WarningQuery) -> Result<u64, StoreError>;

    /// Counts records by collection, rule and field, in the order of
    /// [`QuarantineStore::count_by_reason`](crate::quarantine::QuarantineStore::count_by_reason).
    async fn count_by_reason(&self) -> Result<Vec<ReasonCount>, StoreError>;
}
