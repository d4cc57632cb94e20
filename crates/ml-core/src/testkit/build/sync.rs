//! Builds sync batches.

use chrono::{DateTime, Utc};

use super::{record_id, second};
use crate::digest::Digest;
use crate::document::ResumeToken;
use crate::global_data::GlobalRecord;
use crate::quarantine::{QuarantineReason, QuarantinedRecord};
use crate::record::Collection;
use crate::sync::{Advance, Deletion, PassedRecord, RawVersion, SyncBatch, UniqueKey, ValidatedRow};

/// Builds a [`SyncBatch`].
#[derive(Debug, Clone)]
pub struct SyncBatchBuilder(SyncBatch);

/// Starts with an empty first batch of the text corpus that moves the checkpoint to `t1`, committed at [`second`] zero.
pub fn a_sync_batch() -> SyncBatchBuilder {
    SyncBatchBuilder(SyncBatch {
        collection: Collection::TextCorpus,
        advance: Some(Advance::new(None, ResumeToken::new("t1"))),
        passed: Vec::new(),
        quarantined: Vec::new(),
        deleted: Vec::new(),
        unique_keys: Vec::new(),
        retained_from: None,
        pipeline: "0123456789abcdef".to_owned(),
        committed_at: second(0),
    })
}

setters!(SyncBatchBuilder {
    /// Sets the collection.
    collection(collection: Collection) => collection = collection;
    /// Sets the rows, each made from a version of its record that has the hash of the row, ingested at [`second`] zero.
    rows(rows: Vec<ValidatedRow>) => passed = rows.into_iter().map(|row| passed(row, second(0))).collect();
    /// Sets the records that did not pass.
    quarantined(records: Vec<QuarantinedRecord>) => quarantined = records;
    /// Sets the records that are gone, as the feed tells.
    deleted(ids: &[&str]) => deleted = ids.iter().map(|id| Deletion { raw_id: record_id(id), seen: None }).collect();
    /// Sets from when on deletions are carried.
    retained_from(instant: DateTime<Utc>) => retained_from = Some(instant);
    /// Sets which pipeline judged.
    pipeline(digest: &str) => pipeline = digest.to_owned();
    /// Sets when it is committed.
    committed_at(instant: DateTime<Utc>) => committed_at = instant;
});

impl SyncBatchBuilder {
    /// Sets the positions the batch was read from and ends at.
    #[must_use]
    pub fn advance(mut self, from: Option<&str>, to: &str) -> SyncBatchBuilder {
        self.0.advance = Some(Advance::new(from.map(ResumeToken::new), ResumeToken::new(to)));
        self
    }

    /// Makes it the end of a comparison of both sides.
    #[must_use]
    pub fn reconciled(mut self) -> SyncBatchBuilder {
        if let Some(advance) = &mut self.0.advance {
            advance.reconciled = true;
        }
        self
    }

    /// Makes it a batch replayed from quarantine, which moves no checkpoint.
    #[must_use]
    pub fn replayed(mut self) -> SyncBatchBuilder {
        self.0.advance = None;
        self
    }

    /// Adds a row of `global_ml_data`.
    #[must_use]
    pub fn global(self, row: GlobalRecord) -> SyncBatchBuilder {
        self.global_from(row, second(0))
    }

    /// Adds a row of `global_ml_data`, made from a version of its record that was ingested then.
    #[must_use]
    pub fn global_from(mut self, row: GlobalRecord, ingested_at: DateTime<Utc>) -> SyncBatchBuilder {
        self.0.passed.push(passed(ValidatedRow::Global(row), ingested_at));
        self
    }

    /// Gives warnings to the record that was added last.
    #[must_use]
    pub fn warned(mut self, warnings: Vec<QuarantineReason>) -> SyncBatchBuilder {
        self.0.passed.last_mut().expect("a record was added").warnings = warnings;
        self
    }

    /// Adds a record that became several rows, ingested at [`second`] zero.
    #[must_use]
    pub fn several(mut self, raw_id: &str, rows: Vec<ValidatedRow>) -> SyncBatchBuilder {
        let version = RawVersion { content_hash: Digest::of(raw_id.as_bytes()), ingested_at: second(0) };
        self.0.passed.push(PassedRecord { raw_id: record_id(raw_id), version, rows, warnings: Vec::new() });
        self
    }

    /// Adds a record that a comparison found to be gone, with the content it had.
    #[must_use]
    pub fn found_gone(mut self, id: &str, seen: Digest) -> SyncBatchBuilder {
        self.0.deleted.push(Deletion { raw_id: record_id(id), seen: Some(seen) });
        self
    }

    /// Adds a value that `raw_id` now owns.
    #[must_use]
    pub fn unique_key(mut self, scope: &str, key: &str, raw_id: &str) -> SyncBatchBuilder {
        let (scope, key, raw_id) = (scope.to_owned(), key.to_owned(), record_id(raw_id));
        let collection = self.0.collection;
        self.0.unique_keys.push(UniqueKey { scope, key, collection, raw_id });
        self
    }
}

build_as_is!(SyncBatchBuilder => SyncBatch);

fn passed(row: ValidatedRow, ingested_at: DateTime<Utc>) -> PassedRecord {
    let version = RawVersion { content_hash: row.content_hash(), ingested_at };
    PassedRecord { raw_id: row.raw_id().clone(), version, rows: vec![row], warnings: Vec::new() }
}
