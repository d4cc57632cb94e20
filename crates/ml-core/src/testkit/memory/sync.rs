//! The sync, in memory: validated rows, rejects and checkpoints behind one lock.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::validated::Versions;
use super::{MemorySql, lock};
use crate::error::{Entity, StoreError};
use crate::global_data::GlobalRecord;
use crate::ground_truth::GroundTruth;
use crate::id::RecordId;
use crate::market_metric::MarketMetric;
use crate::quarantine::QuarantinedRecord;
use crate::record::Collection;
use crate::sync::{Advance, Checkpoint, SyncBatch, SyncCounts, SyncStore, UniqueKey, ValidatedRow};
use crate::user_interaction::UserInteraction;

/// Everything that a sync writes.
#[derive(Debug, Default)]
pub(super) struct Synced {
    pub(super) global: Versions<GlobalRecord>,
    pub(super) market: Versions<MarketMetric>,
    pub(super) interactions: Versions<UserInteraction>,
    pub(super) truths: Versions<GroundTruth>,
    /// By the name of the collection, which is the order of a listing, and record id.
    pub(super) quarantine: BTreeMap<(&'static str, RecordId), QuarantinedRecord>,
    checkpoints: BTreeMap<Collection, Checkpoint>,
    unique_owners: HashMap<(String, String), RecordId>,
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

    fn write_rows(&mut self, batch: &SyncBatch, counts: &mut SyncCounts) {
        for row in &batch.rows {
            if self.write_row(row) {
                counts.written += 1;
            } else {
                counts.unchanged += 1;
            }
            self.quarantine.remove(&(batch.collection.name(), row.raw_id().clone()));
        }
    }

    fn write_quarantined(&mut self, record: &QuarantinedRecord) {
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

    fn write_unique_key(&mut self, unique: &UniqueKey) {
        let key = (unique.scope.clone(), unique.key.clone());
        self.unique_owners.entry(key).or_insert_with(|| unique.raw_id.clone());
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
        let checkpoint = Checkpoint { collection, token: advance.to.clone(), counts: total, updated_at: at };
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
        if let Some(advance) = &batch.advance {
            synced.check_position(batch.collection, advance)?;
        }
        let n_quarantined = batch.quarantined.len() as u64;
        let n_read = batch.rows.len() as u64 + n_quarantined;
        let mut counts = SyncCounts { read: n_read, quarantined: n_quarantined, ..SyncCounts::default() };
        synced.write_rows(batch, &mut counts);
        for record in &batch.quarantined {
            synced.write_quarantined(record);
        }
        for unique in &batch.unique_keys {
            synced.write_unique_key(unique);
        }
        if let Some(advance) = &batch.advance {
            synced.move_checkpoint(batch.collection, advance, counts, batch.committed_at);
        }
        Ok(counts)
    }

    async fn find_unique_owners(&self, scope: &str, keys: &[String]) -> Result<Vec<UniqueKey>, StoreError> {
        let synced = lock(&self.synced);
        let mut owners = Vec::new();
        for key in keys {
            let owner = synced.unique_owners.get(&(scope.to_owned(), key.clone()));
            owners.extend(owner.map(|raw_id| UniqueKey {
                scope: scope.to_owned(),
                key: key.clone(),
                raw_id: raw_id.clone(),
            }));
        }
        Ok(owners)
    }
}
