//! The document side: raw records in bulk, and what changed since a position.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::StoreError;
use crate::id::RecordId;
use crate::page::{Page, PageRequest};
use crate::record::{Collection, DataType, RawRecord, SourceApp};

/// What a bulk write did; the counts add up to the records given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct UpsertCounts {
    /// Ids that were not there.
    pub inserted: u64,
    /// Ids that were there with the same content.
    pub unchanged: u64,
    /// Ids that were there with other content, which is now replaced.
    pub changed: u64,
}

impl UpsertCounts {
    /// Returns how many records were given.
    pub fn total(self) -> u64 {
        self.inserted + self.unchanged + self.changed
    }
}

impl std::ops::AddAssign for UpsertCounts {
    fn add_assign(&mut self, other: UpsertCounts) {
        self.inserted += other.inserted;
        self.unchanged += other.unchanged;
        self.changed += other.changed;
    }
}

/// Which raw records to read; an absent bound does not restrict.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordQuery {
    /// Of this data type.
    pub data_type: Option<DataType>,
    /// Sent by this application.
    pub source_app: Option<SourceApp>,
    /// From this source.
    pub source: Option<String>,
    /// Scraped at or after.
    pub scraped_from: Option<DateTime<Utc>>,
    /// Scraped before.
    pub scraped_before: Option<DateTime<Utc>>,
    /// Ingested at or before: the as-of bound.
    pub known_by: Option<DateTime<Utc>>,
    /// Top-level fields of the content that are there and equal these values: a truth value, a text, a number (`1` equals
    /// `1.0`) or null. Content that is not an object has no fields.
    pub content_equals: Vec<(String, Value)>,
}

/// Raw records, addressed by collection and id.
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// Inserts what is new, replaces what has another content hash, and leaves the rest as it is.
    ///
    /// Each record is written wholly or not at all. After an error some may have been written; the call can be repeated. An
    /// id that appears twice in `records` is written in the order given.
    async fn upsert(&self, collection: Collection, records: &[RawRecord]) -> Result<UpsertCounts, StoreError>;

    /// Returns the record, or [`StoreError::NotFound`].
    async fn get(&self, collection: Collection, id: &RecordId) -> Result<RawRecord, StoreError>;

    /// Lists matching records by ascending id, in the order of its bytes; the cursor is the last id.
    async fn list(
        &self,
        collection: Collection,
        query: &RecordQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RawRecord, RecordId>, StoreError>;

    /// Counts matching records.
    async fn count(&self, collection: Collection, query: &RecordQuery) -> Result<u64, StoreError>;

    /// Deletes what was ingested before `instant` and returns how many; retention, not a change that sync follows.
    async fn delete_ingested_before(&self, collection: Collection, instant: DateTime<Utc>) -> Result<u64, StoreError>;
}

/// A position in the changes of a collection; only its store can read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResumeToken(String);

impl ResumeToken {
    /// Wraps the store's own form of a position.
    pub fn new(token: impl Into<String>) -> ResumeToken {
        ResumeToken(token.into())
    }

    /// Returns the store's own form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Records that were inserted or changed, and the position after them.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeBatch {
    /// The records as they are now, oldest change first. A record changed twice may appear once, at its later change.
    pub records: Vec<RawRecord>,
    /// Where to go on; equal to the given position when nothing came, and absent only at the very beginning.
    pub token: Option<ResumeToken>,
}

/// What was inserted or changed in a collection since a position.
#[async_trait]
pub trait ChangeFeed: Send + Sync {
    /// Returns up to `limit` changes after `token`, or from the beginning; an empty batch means: nothing newer yet.
    ///
    /// Reading from the beginning until a batch is empty gives every record of the collection at least once, whatever its
    /// ingest time and whoever writes meanwhile. What retention deleted does not come any more.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a token of another store.
    async fn changes(
        &self,
        collection: Collection,
        token: Option<&ResumeToken>,
        limit: usize,
    ) -> Result<ChangeBatch, StoreError>;

    /// Returns how many changes there are after `token`, or in all, as reading would give them now.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a token of another store.
    async fn count_pending(&self, collection: Collection, token: Option<&ResumeToken>) -> Result<u64, StoreError>;
}
