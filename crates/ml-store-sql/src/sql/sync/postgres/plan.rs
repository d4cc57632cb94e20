//! What becomes of the records of a batch, given what is known of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use ml_core::id::RecordId;
use ml_core::quarantine::{QuarantineReason, QuarantinedRecord};
use ml_core::sync::{RawVersion, RecordLineage, RowRef, SyncBatch, SyncCounts, SyncOutcome, ValidatedRow};

use crate::sql::sync::decide;

/// A record that the batch changes something of.
pub(super) struct PlannedRecord<'b> {
    pub(super) raw_id: &'b RecordId,
    /// Whether it passed; then whether its rows are other ones than before says what it counts as.
    pub(super) is_passed: bool,
    /// Since when that is known.
    pub(super) since: DateTime<Utc>,
    /// The rows that it had, and has no more.
    pub(super) lost: Vec<RowRef>,
    /// The rows that it has.
    pub(super) rows: Cow<'b, [ValidatedRow]>,
    /// The rules that it broke and passed nevertheless.
    pub(super) warnings: &'b [QuarantineReason],
}

impl<'b> PlannedRecord<'b> {
    /// A record that has no rows after it.
    fn without_rows(raw_id: &'b RecordId, Followed { since, lost }: Followed) -> PlannedRecord<'b> {
        PlannedRecord { raw_id, is_passed: false, since, lost, rows: Cow::Borrowed(&[]), warnings: &[] }
    }
}

/// What is to be done, before anybody looked at the rows.
pub(super) struct Plan<'b> {
    /// In the order of the batch.
    pub(super) records: Vec<PlannedRecord<'b>>,
    /// The lineage of records that had none, by id.
    pub(super) new: Vec<RecordLineage>,
    /// The next lineage of records that had one, by id.
    pub(super) known: Vec<RecordLineage>,
    /// The records that enter quarantine, or stay there.
    pub(super) entering: Vec<&'b QuarantinedRecord>,
    /// The ids of those of them that may be there: whatever is in quarantine has a lineage.
    pub(super) renewed: Vec<&'b str>,
    /// The ids of records that leave quarantine where they are in it, in order.
    pub(super) leaving: Vec<&'b str>,
    /// What the batch does, without the passed records that it changes something of.
    pub(super) counts: SyncCounts,
}

/// What the next lineage of a record says: since when that is known, and the rows that the record has no more.
struct Followed {
    since: DateTime<Utc>,
    lost: Vec<RowRef>,
}

/// What is known of records: at first what the store has, then what the batch says.
struct Known<'b> {
    batch: &'b SyncBatch,
    former: HashMap<RecordId, RecordLineage>,
    next: BTreeMap<&'b RecordId, RecordLineage>,
}

impl<'b> Plan<'b> {
    /// Decides about each record; `former` is the lineage of those that have one.
    pub(super) fn new(batch: &'b SyncBatch, former: Vec<RecordLineage>) -> Plan<'b> {
        let n_records = batch.passed.len() + batch.quarantined.len() + batch.deleted.len();
        let former = former.into_iter().map(|lineage| (lineage.raw_id.clone(), lineage)).collect();
        let mut known = Known { batch, former, next: BTreeMap::new() };
        let mut plan = Plan {
            records: Vec::with_capacity(n_records),
            new: Vec::new(),
            known: Vec::new(),
            entering: Vec::new(),
            renewed: Vec::new(),
            leaving: Vec::new(),
            counts: SyncCounts { read: n_records as u64, ..SyncCounts::default() },
        };
        plan.take_passed(&mut known);
        plan.take_quarantined(&mut known);
        plan.take_deleted(&mut known);
        plan.leaving.sort_unstable();
        for (raw_id, lineage) in std::mem::take(&mut known.next) {
            if known.is_stored(raw_id) {
                plan.known.push(lineage);
            } else {
                plan.new.push(lineage);
            }
        }
        plan
    }

    fn take_passed(&mut self, known: &mut Known<'b>) {
        for record in &known.batch.passed {
            let raw_id = &record.raw_id;
            let places = record.rows.iter().map(ValidatedRow::place).collect();
            let Some(Followed { since, lost }) = known.follow(raw_id, record.version, SyncOutcome::Written, places)
            else {
                self.counts.unchanged += 1;
                continue;
            };
            let rows = known.batch.rows_since(&record.rows, since);
            let warnings = record.warnings.as_slice();
            self.records.push(PlannedRecord { raw_id, is_passed: true, since, lost, rows, warnings });
            self.leaving.extend(known.is_stored(raw_id).then_some(raw_id.as_str()));
        }
    }

    fn take_quarantined(&mut self, known: &mut Known<'b>) {
        for quarantined in &known.batch.quarantined {
            let (raw_id, version) = (&quarantined.record.id, RawVersion::from(&quarantined.record));
            let Some(followed) = known.follow(raw_id, version, SyncOutcome::Quarantined, Vec::new()) else {
                self.counts.unchanged += 1;
                continue;
            };
            self.records.push(PlannedRecord::without_rows(raw_id, followed));
            self.entering.push(quarantined);
            self.renewed.extend(known.is_stored(raw_id).then_some(raw_id.as_str()));
            self.counts.quarantined += 1;
        }
    }

    fn take_deleted(&mut self, known: &mut Known<'b>) {
        for deletion in &known.batch.deleted {
            let raw_id = &deletion.raw_id;
            let former = known.latest(raw_id).filter(|former| decide::is_carried(known.batch, deletion, former));
            let Some(version) = former.map(|former| former.version) else {
                self.counts.unchanged += 1;
                continue;
            };
            let followed = known.replace(raw_id, version, SyncOutcome::Deleted, Vec::new());
            self.records.push(PlannedRecord::without_rows(raw_id, followed));
            self.leaving.push(raw_id.as_str());
            self.counts.deleted += 1;
        }
    }
}

impl<'b> Known<'b> {
    /// Tells whether the store knows the record.
    fn is_stored(&self, raw_id: &RecordId) -> bool {
        self.former.contains_key(raw_id)
    }

    fn latest(&self, raw_id: &RecordId) -> Option<&RecordLineage> {
        self.next.get(raw_id).or_else(|| self.former.get(raw_id))
    }

    /// Makes that the lineage of the record, unless what is there is newer.
    fn follow(
        &mut self,
        raw_id: &'b RecordId,
        version: RawVersion,
        outcome: SyncOutcome,
        rows: Vec<RowRef>,
    ) -> Option<Followed> {
        let may_follow = |former: &RecordLineage| {
            self.batch.supersedes(former.outcome, former.version.ingested_at, version.ingested_at)
        };
        if !self.latest(raw_id).is_none_or(may_follow) {
            return None;
        }
        Some(self.replace(raw_id, version, outcome, rows))
    }

    /// Makes that the lineage of the record.
    fn replace(
        &mut self,
        raw_id: &'b RecordId,
        version: RawVersion,
        outcome: SyncOutcome,
        rows: Vec<RowRef>,
    ) -> Followed {
        let former = self.latest(raw_id);
        let mut next = decide::lineage(self.batch, raw_id.clone(), version, outcome, rows);
        next.synced_at = self.batch.known_since(former);
        let lost = former.map(|former| decide::lost_rows(former, &next).cloned().collect()).unwrap_or_default();
        let since = next.synced_at;
        self.next.insert(raw_id, next);
        Followed { since, lost }
    }
}
