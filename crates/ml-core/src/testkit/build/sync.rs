//! Builds sync batches.

use chrono::{DateTime, Utc};

use super::{record_id, second};
use crate::document::ResumeToken;
use crate::global_data::GlobalRecord;
use crate::quarantine::QuarantinedRecord;
use crate::record::Collection;
use crate::sync::{Advance, SyncBatch, UniqueKey, ValidatedRow};

/// Builds a [`SyncBatch`].
#[derive(Debug, Clone)]
pub struct SyncBatchBuilder(SyncBatch);

/// Starts with an empty first batch of the text corpus that moves the checkpoint to `t1`, committed at [`second`] zero.
pub fn a_sync_batch() -> SyncBatchBuilder {
    SyncBatchBuilder(SyncBatch {
        collection: Collection::TextCorpus,
        advance: Some(Advance { from: None, to: ResumeToken::new("t1") }),
        rows: Vec::new(),
        quarantined: Vec::new(),
        unique_keys: Vec::new(),
        committed_at: second(0),
    })
}

setters!(SyncBatchBuilder {
    /// Sets the collection.
    collection(collection: Collection) => collection = collection;
    /// Sets the rows.
    rows(rows: Vec<ValidatedRow>) => rows = rows;
    /// Sets the records that did not pass.
    quarantined(records: Vec<QuarantinedRecord>) => quarantined = records;
    /// Sets when it is committed.
    committed_at(instant: DateTime<Utc>) => committed_at = instant;
});

impl SyncBatchBuilder {
    /// Sets the positions the batch was read from and ends at.
    #[must_use]
    pub fn advance(mut self, from: Option<&str>, to: &str) -> SyncBatchBuilder {
        self.0.advance = Some(Advance { from: from.map(ResumeToken::new), to: ResumeToken::new(to) });
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
    pub fn global(mut self, row: GlobalRecord) -> SyncBatchBuilder {
        self.0.rows.push(ValidatedRow::Global(row));
        self
    }

    /// Adds a value that `raw_id` now owns.
    #[must_use]
    pub fn unique_key(mut self, scope: &str, key: &str, raw_id: &str) -> SyncBatchBuilder {
        let (scope, key, raw_id) = (scope.to_owned(), key.to_owned(), record_id(raw_id));
        self.0.unique_keys.push(UniqueKey { scope, key, raw_id });
        self
    }
}

build_as_is!(SyncBatchBuilder => SyncBatch);
