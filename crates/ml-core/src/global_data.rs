//! Validated, normalised rows of any data type that has no table of its own.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::error::StoreError;
use crate::id::RecordId;
use crate::page::{Page, PageRequest};
use crate::record::{DataType, SourceApp};

/// A row of `global_ml_data`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GlobalRecord {
    /// Unique within the table; made of the raw record's collection and id.
    pub id: RecordId,
    /// The application the record came from.
    pub source_app: SourceApp,
    /// What kind of record it is.
    pub data_type: DataType,
    /// The normalised main text; absent for records without one.
    pub processed_content: Option<String>,
    /// The normalised fields by name: numbers, texts, truth values and times as RFC 3339 text.
    pub features: Map<String, Value>,
    /// When it happened.
    pub event_time: DateTime<Utc>,
    /// When this version of the row was first known here; as-of reads compare with it.
    pub created_at: DateTime<Utc>,
    /// The raw record it was made from.
    pub raw_id: RecordId,
    /// The digest of everything above but the ids and `created_at`.
    pub content_hash: Digest,
    /// The version of the mapping that made it.
    pub schema_version: i32,
}

/// Which validated rows to read; an absent bound does not restrict. The same for every validated table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidatedQuery {
    /// Of this data type; tables that hold a single type ignore it.
    pub data_type: Option<DataType>,
    /// From this application.
    pub source_app: Option<SourceApp>,
    /// Happened at or after.
    pub event_from: Option<DateTime<Utc>>,
    /// Happened before.
    pub event_before: Option<DateTime<Utc>>,
    /// The as-of bound: of each row the version with the greatest `created_at` up to this instant, and no row that came
    /// later. The other bounds judge that version.
    pub known_by: Option<DateTime<Utc>>,
}

/// Reads `global_ml_data`; rows come in through [`crate::sync::SyncStore::commit`] alone.
#[async_trait]
pub trait GlobalDataStore: Send + Sync {
    /// Returns the current version of the row, or [`StoreError::NotFound`].
    async fn get(&self, id: &RecordId) -> Result<GlobalRecord, StoreError>;

    /// Lists matching rows by ascending id, in the order of its bytes, each in the version that the query's as-of bound selects.
    async fn list(
        &self,
        query: &ValidatedQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<GlobalRecord, RecordId>, StoreError>;

    /// Counts matching rows.
    async fn count(&self, query: &ValidatedQuery) -> Result<u64, StoreError>;
}
