//! Document → SQL: validated rows, rejects and position, written in one transaction.

use std::borrow::Cow;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::document::ResumeToken;
use crate::error::StoreError;
use crate::global_data::GlobalRecord;
use crate::ground_truth::GroundTruth;
use crate::id::RecordId;
use crate::market_metric::MarketMetric;
use crate::page::{Page, PageRequest};
use crate::quarantine::{QuarantineReason, QuarantinedRecord};
use crate::record::{Collection, RawRecord};
use crate::user_interaction::UserInteraction;

/// What a sync did; `read = written + unchanged + quarantined + deleted`, always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncCounts {
    /// Changes taken from the feed, of each record in a batch the last.
    pub read: u64,
    /// Records with a row that was inserted, replaced or dropped.
    pub written: u64,
    /// Records whose rows were there with the same content hashes, versions older than what is there, and deletions of what is not.
    pub unchanged: u64,
    /// Records that broke a rule.
    pub quarantined: u64,
    /// Records that are gone.
    #[serde(default)]
    pub deleted: u64,
}

impl SyncCounts {
    /// Returns whether everything that was read is accounted for, once.
    pub fn add_up(self) -> bool {
        self.read == self.written + self.unchanged + self.quarantined + self.deleted
    }
}

impl std::ops::AddAssign for SyncCounts {
    fn add_assign(&mut self, other: SyncCounts) {
        self.read += other.read;
        self.written += other.written;
        self.unchanged += other.unchanged;
        self.quarantined += other.quarantined;
        self.deleted += other.deleted;
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
    /// When both sides were last compared record by record, if ever.
    #[serde(default)]
    pub reconciled_at: Option<DateTime<Utc>>,
}

/// Moves a checkpoint from where the batch was read to where it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// The position the batch was read from; absent for the first batch.
    pub from: Option<ResumeToken>,
    /// The position after the batch; the same as `from` for a batch that only must not come behind another sync.
    pub to: ResumeToken,
    /// Whether the batch ends a comparison of both sides.
    pub reconciled: bool,
}

impl Advance {
    /// Moves on along the feed.
    pub fn new(from: Option<ResumeToken>, to: ResumeToken) -> Advance {
        Advance { from, to, reconciled: false }
    }
}

/// Which version of a raw record something was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawVersion {
    /// The digest of what the application sent.
    pub content_hash: Digest,
    /// When this platform first had it; later versions never have an earlier time.
    pub ingested_at: DateTime<Utc>,
}

impl From<&RawRecord> for RawVersion {
    fn from(record: &RawRecord) -> RawVersion {
        RawVersion { content_hash: record.content_hash, ingested_at: record.ingested_at }
    }
}

/// What became of a raw record in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncOutcome {
    /// It passed and is a row.
    Written,
    /// It broke a rule and waits in quarantine.
    Quarantined,
    /// It is gone from the documents, and its row is gone too.
    Deleted,
}

impl SyncOutcome {
    /// All outcomes.
    pub const ALL: [SyncOutcome; 3] = [SyncOutcome::Written, SyncOutcome::Quarantined, SyncOutcome::Deleted];

    /// Returns the name on disk.
    pub fn name(self) -> &'static str {
        match self {
            SyncOutcome::Written => "written",
            SyncOutcome::Quarantined => "quarantined",
            SyncOutcome::Deleted => "deleted",
        }
    }

    /// Returns the outcome called `name` on disk.
    pub fn find_by_name(name: &str) -> Option<SyncOutcome> {
        SyncOutcome::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// A row that a raw record became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowRef {
    /// The table.
    pub table: String,
    /// Its key there; that of a truth is record id and target, with a line break between them.
    pub id: String,
}

/// A row of `record_lineage`: what became of a raw record, and which version of it that was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLineage {
    /// The raw record.
    pub raw_id: RecordId,
    /// The version that was judged last; of a deleted record the last that was known.
    pub version: RawVersion,
    /// What became of it.
    pub outcome: SyncOutcome,
    /// The rows it is now; none unless it passed.
    pub rows: Vec<RowRef>,
    /// The first digits of the digest of the pipeline that judged it.
    pub pipeline: String,
    /// When that was committed.
    pub synced_at: DateTime<Utc>,
}

/// The first record that had a value that must be unique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UniqueKey {
    /// The rule and what it covers, such as `text.headline`.
    pub scope: String,
    /// The value, or its digest when it is long.
    pub key: String,
    /// The collection of the record that owns it.
    pub collection: Collection,
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

    /// Returns the name of the table that the row is for.
    pub fn table(&self) -> &'static str {
        match self {
            ValidatedRow::Global(_) => "global_ml_data",
            ValidatedRow::MarketMetric(_) => "market_metrics",
            ValidatedRow::UserInteraction(_) => "user_interactions",
            ValidatedRow::GroundTruth(_) => "ground_truth",
        }
    }

    /// Returns the digest that two versions of the row are compared by.
    pub fn content_hash(&self) -> Digest {
        match self {
            ValidatedRow::Global(row) => row.content_hash,
            ValidatedRow::MarketMetric(row) => row.content_hash,
            ValidatedRow::UserInteraction(row) => row.content_hash,
            ValidatedRow::GroundTruth(row) => row.content_hash,
        }
    }

    /// Returns when this version of the row was first known.
    pub fn created_at(&self) -> DateTime<Utc> {
        match self {
            ValidatedRow::Global(row) => row.created_at,
            ValidatedRow::MarketMetric(row) => row.created_at,
            ValidatedRow::UserInteraction(row) => row.created_at,
            ValidatedRow::GroundTruth(row) => row.created_at,
        }
    }

    /// Says when this version of the row was first known.
    pub fn set_created_at(&mut self, at: DateTime<Utc>) {
        match self {
            ValidatedRow::Global(row) => row.created_at = at,
            ValidatedRow::MarketMetric(row) => row.created_at = at,
            ValidatedRow::UserInteraction(row) => row.created_at = at,
            ValidatedRow::GroundTruth(row) => row.created_at = at,
        }
    }

    /// Returns where the row is.
    pub fn place(&self) -> RowRef {
        RowRef { table: self.table().to_owned(), id: self.key().into_owned() }
    }

    /// Returns the key of the row in its table, in the form that [`RowRef::id`] has.
    pub fn key(&self) -> Cow<'_, str> {
        match self {
            ValidatedRow::Global(row) => Cow::Borrowed(row.id.as_str()),
            ValidatedRow::MarketMetric(row) => Cow::Borrowed(row.id.as_str()),
            ValidatedRow::UserInteraction(row) => Cow::Borrowed(row.id.as_str()),
            ValidatedRow::GroundTruth(row) => Cow::Owned(format!("{}\n{}", row.record_id, row.target)),
        }
    }
}

/// A record that passed.
#[derive(Debug, Clone, PartialEq)]
pub struct PassedRecord {
    /// The raw record.
    pub raw_id: RecordId,
    /// The version that was judged.
    pub version: RawVersion,
    /// What it became, at least one row: they are written together, and it has no others.
    pub rows: Vec<ValidatedRow>,
    /// Rules that it broke and passed nevertheless.
    pub warnings: Vec<QuarantineReason>,
}

/// A record that is gone from the documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The raw record.
    pub raw_id: RecordId,
    /// The content it had when it was found to be gone, where both sides were compared; a newer one stays. Absent when the
    /// feed told of the deletion.
    pub seen: Option<Digest>,
}

/// What became of some records of a collection. Each record is in one of `passed`, `quarantined` and
/// `deleted`, and there once.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncBatch {
    /// The collection the records are from.
    pub collection: Collection,
    /// Moves the checkpoint; absent when records are replayed from quarantine, which leaves the checkpoint as it is, its
    /// counts included.
    pub advance: Option<Advance>,
    /// The records that passed; of rows of a record with the same key the last wins.
    pub passed: Vec<PassedRecord>,
    /// The records that did not pass.
    pub quarantined: Vec<QuarantinedRecord>,
    /// The records that are gone.
    pub deleted: Vec<Deletion>,
    /// All values that the passed records own; a key that is owned, also by an earlier one of these, stays with its owner.
    pub unique_keys: Vec<UniqueKey>,
    /// Records that were ingested before are kept when they are deleted: their deletion is retention. Absent where all
    /// deletions are carried.
    pub retained_from: Option<DateTime<Utc>>,
    /// The first digits of the digest of the pipeline that judged the records.
    pub pipeline: String,
    /// When the batch is committed, unless it has to be later: see [`SyncBatch::stamped_after`] and [`SyncBatch::known_since`].
    pub committed_at: DateTime<Utc>,
}

impl SyncBatch {
    /// Returns whether a version ingested at `ingested_at` may take the place of what the lineage of its record has: an older
    /// one may not. After a deletion the feed, which tells things in order, may bring any version back, and a replay none.
    pub fn supersedes(
        &self,
        former: SyncOutcome,
        former_ingested_at: DateTime<Utc>,
        ingested_at: DateTime<Utc>,
    ) -> bool {
        match former {
            SyncOutcome::Written | SyncOutcome::Quarantined => ingested_at >= former_ingested_at,
            SyncOutcome::Deleted => self.advance.is_some(),
        }
    }

    /// Returns since when what the batch makes of a record is known, of which `former` was.
    ///
    /// A batch gets its time before it is written. Meanwhile another may have changed or deleted the record, at a later time or by
    /// a clock that is ahead: what takes the place of that was not known before it.
    pub fn known_since(&self, former: Option<&RecordLineage>) -> DateTime<Utc> {
        former.map_or(self.committed_at, |former| former.synced_at.max(self.committed_at))
    }

    /// Returns rows of the batch as they are written where they are known since `since`. Mostly the batch says so, and then nothing
    /// is copied.
    pub fn rows_since<'r>(&self, rows: &'r [ValidatedRow], since: DateTime<Utc>) -> Cow<'r, [ValidatedRow]> {
        if since <= self.committed_at {
            return Cow::Borrowed(rows);
        }
        let mut rows = rows.to_vec();
        for row in &mut rows {
            row.set_created_at(row.created_at().max(since));
        }
        Cow::Owned(rows)
    }

    /// Returns the batch as it is written where the past is settled up to `settled`: `committed_at` and the `created_at` of
    /// each row are [`first_after`] it at the earliest.
    ///
    /// A batch gets its time before it is written, and meanwhile someone may have read as of a later instant, without it.
    /// Mostly nobody has, and then nothing is copied.
    pub fn stamped_after(&self, settled: Option<DateTime<Utc>>) -> Cow<'_, SyncBatch> {
        let Some(settled) = settled else { return Cow::Borrowed(self) };
        let mut rows = self.passed.iter().flat_map(|record| &record.rows);
        if self.committed_at > settled && rows.all(|row| row.created_at() > settled) {
            return Cow::Borrowed(self);
        }
        let first = first_after(settled);
        let mut batch = self.clone();
        batch.committed_at = batch.committed_at.max(first);
        for row in batch.passed.iter_mut().flat_map(|record| &mut record.rows) {
            row.set_created_at(row.created_at().max(first));
        }
        Cow::Owned(batch)
    }
}

/// Returns the first instant after `settled`, to the microsecond that stores keep.
pub fn first_after(settled: DateTime<Utc>) -> DateTime<Utc> {
    settled.checked_add_signed(TimeDelta::microseconds(1)).unwrap_or(DateTime::<Utc>::MAX_UTC)
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
    /// Rows of several raw records have different keys, truths too: each raw record has its own, also of the same record and target.
    /// A row whose key exists with the same content hash is left as it is. One with another hash is replaced, and its former
    /// version is kept for as-of reads. A record has the rows of its last version: when it fails, is deleted or becomes other
    /// rows, those that it had go, and are kept for as-of reads. A passed record leaves quarantine; a failed one enters it, or has its
    /// reasons replaced and its attempts raised by one, keeping `first_seen_at`; a deleted one leaves. One that left and fails
    /// later enters anew. A record that is in the batch gives up the unique keys that the batch does not name, and its
    /// warnings are those of the batch. The lineage of each record says what became of it. The checkpoint adds the counts.
    ///
    /// What [`SyncBatch::supersedes`] refuses changes nothing and counts as unchanged; so does a deletion that is retention, or
    /// of a record that has no lineage, is gone already, or has another content than was seen.
    ///
    /// What is stamped at or before the latest instant that was settled is stamped after it, as [`SyncBatch::stamped_after`]
    /// says: the store looks, writes and becomes visible in one step, between which nothing is settled. What a record becomes is
    /// known since [`SyncBatch::known_since`] at the earliest, so that no two versions of it were known at once.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the checkpoint is no longer at `advance.from`: another sync was there first, and nothing
    /// is written.
    async fn commit(&self, batch: &SyncBatch) -> Result<SyncCounts, StoreError>;

    /// Settles the past up to `as_of`: what is read as of it, or of an instant before, is the same from now on.
    ///
    /// Commits under way are waited for, in this process or another, and those that come later are stamped after it. Who reads as
    /// of an instant and wants to read the same again settles it first. An instant before one that was settled is settled too.
    async fn settle(&self, as_of: DateTime<Utc>) -> Result<(), StoreError>;

    /// Returns the owners of those of `keys` that have one, within `scope`, in any order.
    async fn find_unique_owners(&self, scope: &str, keys: &[String]) -> Result<Vec<UniqueKey>, StoreError>;

    /// Returns what became of those of these records that are known, in any order.
    async fn find_lineage(&self, collection: Collection, ids: &[RecordId]) -> Result<Vec<RecordLineage>, StoreError>;

    /// Lists what became of the records of `collection`, deleted ones included, by ascending id in the order of its bytes.
    async fn list_lineage(
        &self,
        collection: Collection,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RecordLineage, RecordId>, StoreError>;
}
