//! Records that broke a rule, waiting with every reason until the rule or the record is mended.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::id::RecordId;
use crate::page::{Page, PageRequest};
use crate::record::{Collection, DataType, RawRecord, SourceApp};

/// One rule that a record broke.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QuarantineReason {
    /// The field at fault; absent when the record as a whole is.
    pub field: Option<String>,
    /// The kind of rule: `required`, `range`, `unique`, …
    pub rule: String,
    /// What is wrong, with the value, and what was expected.
    pub message: String,
}

/// A row of `quarantine`; its key is collection and record id together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuarantinedRecord {
    /// The collection the record is in.
    pub collection: Collection,
    /// The record as it was when it was judged.
    pub record: RawRecord,
    /// Every rule it broke, at least one.
    pub reasons: Vec<QuarantineReason>,
    /// When it was first put here; kept when it is judged again.
    pub first_seen_at: DateTime<Utc>,
    /// When it was last judged.
    pub last_seen_at: DateTime<Utc>,
    /// How often it was judged and failed, at least 1.
    pub attempts: u32,
}

impl QuarantinedRecord {
    /// Returns its key.
    pub fn key(&self) -> QuarantineKey {
        QuarantineKey { collection: self.collection, raw_id: self.record.id.clone() }
    }
}

/// The key of a quarantined record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QuarantineKey {
    /// The collection the record is in.
    pub collection: Collection,
    /// The id of the record.
    pub raw_id: RecordId,
}

/// Which quarantined records to read; an absent bound does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuarantineQuery {
    /// In this collection.
    pub collection: Option<Collection>,
    /// Of this data type.
    pub data_type: Option<DataType>,
    /// From this application.
    pub source_app: Option<SourceApp>,
    /// That broke a rule of this kind.
    pub rule: Option<String>,
}

/// How many records broke a rule on a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReasonCount {
    /// The collection the records are in.
    pub collection: Collection,
    /// The field at fault, if one is.
    pub field: Option<String>,
    /// The kind of rule.
    pub rule: String,
    /// How many records.
    pub n_records: u64,
}

/// Reads `quarantine`; records enter and leave through [`crate::sync::SyncStore::commit`] alone.
#[async_trait]
pub trait QuarantineStore: Send + Sync {
    /// Returns the quarantined record, or [`StoreError::NotFound`].
    async fn get(&self, key: &QuarantineKey) -> Result<QuarantinedRecord, StoreError>;

    /// Returns the quarantined records that have this raw id, in any collection.
    async fn find_by_raw_id(&self, raw_id: &RecordId) -> Result<Vec<QuarantinedRecord>, StoreError>;

    /// Lists matching records by ascending key: collection by name on disk, then id in the order of its bytes.
    async fn list(
        &self,
        query: &QuarantineQuery,
        page: PageRequest<QuarantineKey>,
    ) -> Result<Page<QuarantinedRecord, QuarantineKey>, StoreError>;

    /// Counts matching records.
    async fn count(&self, query: &QuarantineQuery) -> Result<u64, StoreError>;

    /// Counts records by collection, rule and field, most frequent first, then by the names of collection, rule and field,
    /// reasons without a field before the others. A record that breaks a rule twice on a field counts once.
    async fn count_by_reason(&self) -> Result<Vec<ReasonCount>, StoreError>;
}
