//! The document side: raw records in bulk, and what changed since a position.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
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

/// Which content a record has, without the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHash {
    /// The record.
    pub id: RecordId,
    /// The digest that it carries; absent where someone else wrote a document without one, or with something else in its place.
    pub content_hash: Option<Digest>,
}

/// Raw records, addressed by collection and id.
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// Inserts what is new, replaces what has another content hash, and leaves the rest as it is.
    ///
    /// Each record is written wholly or not at all. After an error some may have been written; the call can be repeated. An
    /// id that appears twice in `records` is written in the order given. Versions of an id are ordered by `ingested_at`: a
    /// replacement that claims to be from before what it replaces is given the same time.
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

    /// Lists which content each record has, by ascending id in the order of its bytes, and reads no content. What cannot be read
    /// is listed too, unless its id is no id of a record: see [`ChangeFeed::list_foreign_ids`].
    async fn list_hashes(
        &self,
        collection: Collection,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RecordHash, RecordId>, StoreError>;

    /// Deletes these records and returns how many there were: a change that the feed reports.
    async fn delete(&self, collection: Collection, ids: &[RecordId]) -> Result<u64, StoreError>;

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

/// Why a document cannot be taken as a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not a record: a field is missing, or holds something else.
    Malformed,
    /// It is larger than the store hands over in one piece.
    TooLarge,
}

/// What happened to a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It was inserted or replaced, and is like this now.
    Upserted(RawRecord),
    /// It is gone.
    Deleted(RecordId),
    /// It was inserted or replaced, and cannot be taken.
    Undecodable {
        /// The id, or a text made of it where it is no text.
        id: RecordId,
        /// In which way.
        fault: Unreadable,
        /// What could be read; `null` when it is too large.
        content: Value,
        /// What is wrong, in words.
        reason: String,
    },
}

impl Change {
    /// Returns which record it happened to.
    pub fn id(&self) -> &RecordId {
        match self {
            Change::Upserted(record) => &record.id,
            Change::Deleted(id) | Change::Undecodable { id, .. } => id,
        }
    }
}

/// What happened since a position, and the position after it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeBatch {
    /// Oldest first. A record changed twice may appear once, at its later change.
    pub changes: Vec<Change>,
    /// Where to go on. It may have moved although nothing came; absent only at the very beginning.
    pub token: Option<ResumeToken>,
}

/// What was inserted, changed or deleted in a collection since a position.
#[async_trait]
pub trait ChangeFeed: Send + Sync {
    /// Returns up to `limit` changes after `token`, or from the beginning; an empty batch means: nothing newer yet.
    ///
    /// Reading from the beginning until a batch is empty gives every record of the collection at least once, in any order,
    /// whatever its ingest time and whoever writes meanwhile; of records that are gone it may give the deletion. What
    /// retention deleted does not come any more.
    ///
    /// # Errors
    /// [`StoreError::Expired`] when the store no longer knows what came after `token`, [`StoreError::Corrupt`] for a token of
    /// another store.
    async fn changes(
        &self,
        collection: Collection,
        token: Option<&ResumeToken>,
        limit: usize,
    ) -> Result<ChangeBatch, StoreError>;

    /// Like [`ChangeFeed::changes`], but where nothing is newer it waits until something is, and at most `at_most`.
    ///
    /// # Errors
    /// As [`ChangeFeed::changes`].
    async fn wait_for_changes(
        &self,
        collection: Collection,
        token: Option<&ResumeToken>,
        limit: usize,
        at_most: Duration,
    ) -> Result<ChangeBatch, StoreError>;

    /// Returns the position now: what is changed from here on, and nothing that was before, comes after it.
    async fn latest(&self, collection: Collection) -> Result<ResumeToken, StoreError>;

    /// Lists the documents that [`DocumentStore::list_hashes`] leaves out because their ids are no ids of records, which other
    /// programs can give: each by the id that [`Change::Undecodable`] has for it, in any order.
    ///
    /// What is there throughout is listed once. A page may be empty and not the last.
    async fn list_foreign_ids(
        &self,
        collection: Collection,
        page: PageRequest<ResumeToken>,
    ) -> Result<Page<RecordId, ResumeToken>, StoreError>;

    /// Returns these records as they are now, in the order given; one that is not there as deleted.
    async fn current(&self, collection: Collection, ids: &[RecordId]) -> Result<Vec<Change>, StoreError>;

    /// Returns how many changes there are after `token`, or in all, as reading would give them now.
    ///
    /// # Errors
    /// As [`ChangeFeed::changes`].
    async fn count_pending(&self, collection: Collection, token: Option<&ResumeToken>) -> Result<u64, StoreError>;
}
