//! A batch on its way into the tables, row by row with statements that are prepared once, which on SQLite is the fastest.

use chrono::{DateTime, Utc};
use diesel::sqlite::SqliteConnection;
use ml_core::id::RecordId;
use ml_core::quarantine::QuarantineReason;
use ml_core::sync::{RawVersion, RecordLineage, RowRef, SyncBatch, SyncCounts, SyncOutcome, ValidatedRow, first_after};

use super::lineage::LineageRow;
use super::row::AnyRow;
use super::{checkpoint, decide, lineage, row, settled, unique};
use crate::error::Failure;
use crate::sql::quarantine::{QuarantineRow, write as quarantine};
use crate::sql::warnings::write as warnings;
use crate::types::Instant;

/// A passed record, encoded.
struct EncodedRecord {
    raw_id: RecordId,
    version: RawVersion,
    rows: Vec<AnyRow>,
    places: Vec<RowRef>,
    warnings: Vec<QuarantineReason>,
}

/// A rejected record, encoded.
struct EncodedReject {
    raw_id: RecordId,
    version: RawVersion,
    row: QuarantineRow,
}

/// A batch as it goes to the blocking thread: encoded, and owned. What is encoded is not in `frame` any more.
pub(super) struct EncodedBatch {
    frame: SyncBatch,
    passed: Vec<EncodedRecord>,
    rejected: Vec<EncodedReject>,
}

impl From<&SyncBatch> for EncodedBatch {
    fn from(batch: &SyncBatch) -> EncodedBatch {
        let passed = batch.passed.iter().map(|record| EncodedRecord {
            raw_id: record.raw_id.clone(),
            version: record.version,
            rows: record.rows.iter().map(AnyRow::from).collect(),
            places: record.rows.iter().map(ValidatedRow::place).collect(),
            warnings: record.warnings.clone(),
        });
        let rejected = batch.quarantined.iter().map(|quarantined| EncodedReject {
            raw_id: quarantined.record.id.clone(),
            version: RawVersion::from(&quarantined.record),
            row: QuarantineRow::from(quarantined),
        });
        EncodedBatch {
            passed: passed.collect(),
            rejected: rejected.collect(),
            frame: SyncBatch {
                collection: batch.collection,
                advance: batch.advance.clone(),
                passed: Vec::new(),
                quarantined: Vec::new(),
                deleted: batch.deleted.clone(),
                unique_keys: batch.unique_keys.clone(),
                retained_from: batch.retained_from,
                pipeline: batch.pipeline.clone(),
                committed_at: batch.committed_at,
            },
        }
    }
}

/// What became of a record: what it was before, where it may change.
enum Followed {
    /// It is known for the first time.
    New,
    /// It was there: whether a row that it had is gone, and since when what takes its place is known.
    Known { lost_row: bool, since: DateTime<Utc> },
    /// What is there is newer.
    Refused,
}

impl EncodedBatch {
    /// Writes everything, in the transaction that is open, and returns what that did.
    pub(super) fn commit(mut self, sqlite: &mut SqliteConnection) -> Result<SyncCounts, Failure> {
        if let Some(settled) = settled::find_on_sqlite(sqlite)? {
            self.stamp_from(first_after(settled));
        }
        let collection = self.frame.collection;
        let former = checkpoint::find(sqlite, collection)?;
        if let Some(advance) = &self.frame.advance {
            checkpoint::check_position(collection, former.as_ref(), advance)?;
        }
        let n_read = self.passed.len() + self.rejected.len() + self.frame.deleted.len();
        let mut counts = SyncCounts { read: n_read as u64, ..SyncCounts::default() };
        self.write_passed(sqlite, &mut counts)?;
        self.write_rejected(sqlite, &mut counts)?;
        self.write_deletions(sqlite, &mut counts)?;
        for unique in &self.frame.unique_keys {
            unique::claim(sqlite, unique)?;
        }
        if let Some(advance) = &self.frame.advance {
            let next = decide::next_checkpoint(&self.frame, advance, former, counts);
            checkpoint::save(sqlite, &next)?;
        }
        Ok(counts)
    }

    /// Does to what is encoded what [`SyncBatch::stamped_after`] does to a batch.
    fn stamp_from(&mut self, first: DateTime<Utc>) {
        self.frame.committed_at = self.frame.committed_at.max(first);
        let rows = self.passed.iter_mut().flat_map(|record| &mut record.rows);
        rows.for_each(|row| row.stamp_from(Instant(first)));
    }

    fn write_passed(&mut self, sqlite: &mut SqliteConnection, counts: &mut SyncCounts) -> Result<(), Failure> {
        let mut raw_ids = Vec::with_capacity(self.passed.len());
        for mut record in std::mem::take(&mut self.passed) {
            let next = self.lineage(record.raw_id.clone(), record.version, SyncOutcome::Written, record.places);
            let mut is_changed = match self.follow(sqlite, next)? {
                Followed::New => false,
                Followed::Known { lost_row, since } => {
                    if since > self.frame.committed_at {
                        record.rows.iter_mut().for_each(|row| row.stamp_from(Instant(since)));
                    }
                    lost_row
                }
                Followed::Refused => {
                    counts.unchanged += 1;
                    continue;
                }
            };
            let (collection, at) = (self.frame.collection, self.frame.committed_at);
            warnings::add(sqlite, collection, record.raw_id.as_str(), &record.warnings, at)?;
            for row in &record.rows {
                is_changed |= row.write(sqlite)?;
            }
            if is_changed {
                counts.written += 1;
            } else {
                counts.unchanged += 1;
            }
            raw_ids.push(record.raw_id);
        }
        Ok(quarantine::release(sqlite, self.frame.collection, &raw_ids)?)
    }

    fn write_rejected(&mut self, sqlite: &mut SqliteConnection, counts: &mut SyncCounts) -> Result<(), Failure> {
        for reject in std::mem::take(&mut self.rejected) {
            let next = self.lineage(reject.raw_id, reject.version, SyncOutcome::Quarantined, Vec::new());
            if matches!(self.follow(sqlite, next)?, Followed::Refused) {
                counts.unchanged += 1;
                continue;
            }
            quarantine::enter(sqlite, &reject.row)?;
            counts.quarantined += 1;
        }
        Ok(())
    }

    fn write_deletions(&mut self, sqlite: &mut SqliteConnection, counts: &mut SyncCounts) -> Result<(), Failure> {
        for deletion in std::mem::take(&mut self.frame.deleted) {
            let former = lineage::find(sqlite, self.frame.collection, &deletion.raw_id)?;
            let Some(former) = former.filter(|former| decide::is_carried(&self.frame, &deletion, former)) else {
                counts.unchanged += 1;
                continue;
            };
            let raw_id = [deletion.raw_id];
            quarantine::release(sqlite, self.frame.collection, &raw_id)?;
            let [raw_id] = raw_id;
            let next = self.lineage(raw_id, former.version, SyncOutcome::Deleted, Vec::new());
            self.replace(sqlite, &former, next)?;
            counts.deleted += 1;
        }
        Ok(())
    }

    fn lineage(&self, raw_id: RecordId, version: RawVersion, outcome: SyncOutcome, rows: Vec<RowRef>) -> RecordLineage {
        decide::lineage(&self.frame, raw_id, version, outcome, rows)
    }

    /// Makes `next` the lineage of its record, unless what is there is newer. Most records are new, so inserting comes first.
    fn follow(&self, sqlite: &mut SqliteConnection, next: RecordLineage) -> Result<Followed, Failure> {
        let (raw_id, ingested_at) = (next.raw_id.clone(), next.version.ingested_at);
        let row = LineageRow::new(self.frame.collection, next);
        if row.insert(sqlite)? {
            return Ok(Followed::New);
        }
        let Some(former) = lineage::find(sqlite, self.frame.collection, &raw_id)? else { return Ok(Followed::New) };
        if !self.frame.supersedes(former.outcome, former.version.ingested_at, ingested_at) {
            return Ok(Followed::Refused);
        }
        let since = self.frame.known_since(Some(&former));
        let lost_row = self.replace(sqlite, &former, row.into_lineage()?)?;
        Ok(Followed::Known { lost_row, since })
    }

    /// Removes the rows and unique keys that the record had and has no more, and returns whether there was such a row.
    fn replace(
        &self,
        sqlite: &mut SqliteConnection,
        former: &RecordLineage,
        mut next: RecordLineage,
    ) -> Result<bool, Failure> {
        next.synced_at = self.frame.known_since(Some(former));
        let raw_id = next.raw_id.as_str();
        let mut lost_row = false;
        for place in decide::lost_rows(former, &next) {
            row::remove(sqlite, place, raw_id, Instant(next.synced_at))?;
            lost_row = true;
        }
        unique::release(sqlite, self.frame.collection, raw_id)?;
        warnings::clear(sqlite, self.frame.collection, raw_id)?;
        LineageRow::new(self.frame.collection, next).replace(sqlite)?;
        Ok(lost_row)
    }
}
