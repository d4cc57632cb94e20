//! The sync, in memory: validated rows, rejects and checkpoints behind one lock.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::paging::page_of;
use super::validated::Versions;
use super::{MemorySql, lock};
use crate::error::{Entity, StoreError};
use crate::global_data::GlobalRecord;
use crate::ground_truth::GroundTruth;
use crate::id::RecordId;
use crate::market_metric::MarketMetric;
use crate::page::{Page, PageRequest};
use crate::quarantine::{QuarantineReason, QuarantinedRecord};
use crate::record::Collection;
use crate::sync::{
    Advance, Checkpoint, Deletion, PassedRecord, RawVersion, RecordLineage, RowRef, SyncBatch, SyncCounts, SyncOutcome,
    SyncStore, UniqueKey, ValidatedRow,
};
use crate::user_interaction::UserInteraction;
use crate::warning::RecordWarning;

/// Everything that a sync writes.
#[derive(Debug, Default)]
pub(super) struct Synced {
    pub(super) global: Versions<GlobalRecord>,
    pub(super) market: Versions<MarketMetric>,
    pub(super) interactions: Versions<UserInteraction>,
    pub(super) truths: Versions<GroundTruth>,
    /// By the name of the collection, which is the order of a listing, and record id.
    pub(super) quarantine: BTreeMap<(&'static str, RecordId), QuarantinedRecord>,
    /// By the name of the collection, record id and place.
    pub(super) warnings: BTreeMap<(&'static str, RecordId, u32), RecordWarning>,
    checkpoints: BTreeMap<Collection, Checkpoint>,
    unique_owners: HashMap<(String, String), (Collection, RecordId)>,
    lineage: BTreeMap<(Collection, RecordId), RecordLineage>,
    /// The latest instant that was settled.
    settled: Option<DateTime<Utc>>,
}

impl Synced {
    fn write_row(&mut self, row: &ValidatedRow) -> bool {
        match row {
            ValidatedRow::Global(row) => self.global.upsert(row),
            ValidatedRow::MarketMetric(row) => self.market.upsert(row),
            ValidatedRow::UserInteraction(row) => self.interactions.upsert(row),
            ValidatedRow::GroundTruth(row) => self.truths.upsert(row),
        }
    }

    fn remove_row(&mut self, row: &RowRef, raw_id: &RecordId, at: DateTime<Utc>) {
        if row.table == "ground_truth" {
            let (record_id, target) = row.id.split_once('\n').expect("the key of a truth has two parts");
            let record_id = RecordId::parse(record_id).expect("it was an id when it was written");
            return self.truths.remove(&(record_id, target.to_owned(), raw_id.clone()), raw_id, at);
        }
        let id = RecordId::parse(row.id.as_str()).expect("it was an id when it was written");
        match row.table.as_str() {
            "global_ml_data" => self.global.remove(&id, raw_id, at),
            "market_metrics" => self.market.remove(&id, raw_id, at),
            "user_interactions" => self.interactions.remove(&id, raw_id, at),
            other => panic!("no table `{other}`"),
        }
    }

    /// Makes `next` the lineage of its record, after removing the rows that the record was and is no more; returns since when
    /// that is known, and whether there were any.
    fn follow(&mut self, batch: &SyncBatch, mut next: RecordLineage) -> (DateTime<Utc>, bool) {
        let (collection, raw_id) = (batch.collection, next.raw_id.clone());
        let former = self.lineage.get(&(collection, raw_id.clone()));
        let since = batch.known_since(former);
        let rows = former.map(|former| former.rows.clone()).unwrap_or_default();
        let gone: Vec<RowRef> = rows.into_iter().filter(|row| !next.rows.contains(row)).collect();
        for row in &gone {
            self.remove_row(row, &raw_id, since);
        }
        self.warnings.retain(|(of, warned, _), _| *of != collection.name() || *warned != raw_id);
        self.unique_owners.retain(|_, (of, owner)| *of != collection || *owner != raw_id);
        next.synced_at = since;
        self.lineage.insert((collection, raw_id), next);
        (since, !gone.is_empty())
    }

    fn admits(&self, batch: &SyncBatch, raw_id: &RecordId, version: RawVersion) -> bool {
        let former = self.lineage.get(&(batch.collection, raw_id.clone()));
        former.is_none_or(|former| batch.supersedes(former.outcome, former.version.ingested_at, version.ingested_at))
    }

    fn write_passed(&mut self, batch: &SyncBatch, counts: &mut SyncCounts) {
        for PassedRecord { raw_id, version, rows, warnings } in &batch.passed {
            if !self.admits(batch, raw_id, *version) {
                counts.unchanged += 1;
                continue;
            }
            self.quarantine.remove(&(batch.collection.name(), raw_id.clone()));
            let places = rows.iter().map(ValidatedRow::place).collect();
            let next = lineage(batch, raw_id.clone(), *version, SyncOutcome::Written, places);
            let (since, mut is_changed) = self.follow(batch, next);
            self.warn(batch, raw_id, warnings);
            for row in batch.rows_since(rows, since).iter() {
                is_changed |= self.write_row(row);
            }
            if is_changed {
                counts.written += 1;
            } else {
                counts.unchanged += 1;
            }
        }
    }

    fn warn(&mut self, batch: &SyncBatch, raw_id: &RecordId, warnings: &[QuarantineReason]) {
        let (collection, warned_at) = (batch.collection, batch.committed_at);
        for (place, reason) in (0..).zip(warnings.iter().cloned()) {
            let warning = RecordWarning { collection, raw_id: raw_id.clone(), place, reason, warned_at };
            self.warnings.insert((collection.name(), raw_id.clone(), place), warning);
        }
    }

    fn write_quarantined(&mut self, batch: &SyncBatch, counts: &mut SyncCounts) {
        for quarantined in &batch.quarantined {
            let (raw_id, version) = (quarantined.record.id.clone(), RawVersion::from(&quarantined.record));
            if !self.admits(batch, &raw_id, version) {
                counts.unchanged += 1;
                continue;
            }
            self.enter_quarantine(quarantined);
            self.follow(batch, lineage(batch, raw_id, version, SyncOutcome::Quarantined, Vec::new()));
            counts.quarantined += 1;
        }
    }

    fn enter_quarantine(&mut self, record: &QuarantinedRecord) {
        let key = (record.collection.name(), record.record.id.clone());
        let entry = match self.quarantine.get(&key) {
            None => record.clone(),
            Some(former) => QuarantinedRecord {
                first_seen_at: former.first_seen_at,
                attempts: former.attempts + 1,
                ..record.clone()
            },
        };
        self.quarantine.insert(key, entry);
    }

    fn write_deletions(&mut self, batch: &SyncBatch, counts: &mut SyncCounts) {
        for Deletion { raw_id, seen } in &batch.deleted {
            let former = self.lineage.get(&(batch.collection, raw_id.clone()));
            let is_meant = |former: &&RecordLineage| {
                former.outcome != SyncOutcome::Deleted
                    && seen.is_none_or(|seen| seen == former.version.content_hash)
                    && batch.retained_from.is_none_or(|from| former.version.ingested_at >= from)
            };
            let Some(version) = former.filter(is_meant).map(|former| former.version) else {
                counts.unchanged += 1;
                continue;
            };
            self.quarantine.remove(&(batch.collection.name(), raw_id.clone()));
            self.follow(batch, lineage(batch, raw_id.clone(), version, SyncOutcome::Deleted, Vec::new()));
            counts.deleted += 1;
        }
    }

    fn write_unique_key(&mut self, unique: &UniqueKey) {
        let key = (unique.scope.clone(), unique.key.clone());
        self.unique_owners.entry(key).or_insert_with(|| (unique.collection, unique.raw_id.clone()));
    }

    fn check_position(&self, collection: Collection, advance: &Advance) -> Result<(), StoreError> {
        let position = self.checkpoints.get(&collection).map(|checkpoint| &checkpoint.token);
        if position == advance.from.as_ref() {
            return Ok(());
        }
        Err(StoreError::conflict(Entity::Checkpoint, collection))
    }

    fn move_checkpoint(&mut self, collection: Collection, advance: &Advance, counts: SyncCounts, at: DateTime<Utc>) {
        let former = self.checkpoints.get(&collection);
        let mut total = former.map(|checkpoint| checkpoint.counts).unwrap_or_default();
        total += counts;
        let former_reconciled_at = former.and_then(|checkpoint| checkpoint.reconciled_at);
        let reconciled_at = if advance.reconciled { Some(at) } else { former_reconciled_at };
        let token = advance.to.clone();
        let checkpoint = Checkpoint { collection, token, counts: total, updated_at: at, reconciled_at };
        self.checkpoints.insert(collection, checkpoint);
    }
}

#[async_trait]
impl SyncStore for MemorySql {
    async fn find_checkpoint(&self, collection: Collection) -> Result<Option<Checkpoint>, StoreError> {
        Ok(lock(&self.synced).checkpoints.get(&collection).cloned())
    }

    async fn list_checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        Ok(lock(&self.synced).checkpoints.values().cloned().collect())
    }

    async fn commit(&self, batch: &SyncBatch) -> Result<SyncCounts, StoreError> {
        let mut synced = lock(&self.synced);
        let batch = &*batch.stamped_after(synced.settled);
        if let Some(advance) = &batch.advance {
            synced.check_position(batch.collection, advance)?;
        }
        let n_read = batch.passed.len() + batch.quarantined.len() + batch.deleted.len();
        let mut counts = SyncCounts { read: n_read as u64, ..SyncCounts::default() };
        synced.write_passed(batch, &mut counts);
        synced.write_quarantined(batch, &mut counts);
        synced.write_deletions(batch, &mut counts);
        for unique in &batch.unique_keys {
            synced.write_unique_key(unique);
        }
        if let Some(advance) = &batch.advance {
            synced.move_checkpoint(batch.collection, advance, counts, batch.committed_at);
        }
        Ok(counts)
    }

    async fn settle(&self, as_of: DateTime<Utc>) -> Result<(), StoreError> {
        let mut synced = lock(&self.synced);
        synced.settled = synced.settled.max(Some(as_of));
        Ok(())
    }

    async fn find_unique_owners(&self, scope: &str, keys: &[String]) -> Result<Vec<UniqueKey>, StoreError> {
        let synced = lock(&self.synced);
        let mut owners = Vec::new();
        for key in keys {
            let owner = synced.unique_owners.get(&(scope.to_owned(), key.clone()));
            owners.extend(owner.map(|(collection, raw_id)| UniqueKey {
                scope: scope.to_owned(),
                key: key.clone(),
                collection: *collection,
                raw_id: raw_id.clone(),
            }));
        }
        Ok(owners)
    }

    async fn find_lineage(&self, collection: Collection, ids: &[RecordId]) -> Result<Vec<RecordLineage>, StoreError> {
        let synced = lock(&self.synced);
        let ids: BTreeSet<&RecordId> = ids.iter().collect();
        Ok(ids.into_iter().filter_map(|id| synced.lineage.get(&(collection, id.clone())).cloned()).collect())
    }

    async fn list_lineage(
        &self,
        collection: Collection,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RecordLineage, RecordId>, StoreError> {
        let synced = lock(&self.synced);
        let of_collection = synced.lineage.iter().filter(|((of, _), _)| *of == collection);
        Ok(page_of(of_collection.map(|(_, lineage)| lineage.clone()), &page, |lineage| lineage.raw_id.clone()))
    }
}

fn lineage(
    batch: &SyncBatch,
    raw_id: RecordId,
    version: RawVersion,
    outcome: SyncOutcome,
    rows: Vec<RowRef>,
) -> RecordLineage {
    RecordLineage { raw_id, version, outcome, rows, pipeline: batch.pipeline.clone(), synced_at: batch.committed_at }
}
