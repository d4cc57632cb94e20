//! What a sync writes: rows, rejects, owners of unique values, lineage and the checkpoint, in one transaction.

mod checkpoint;
mod commit;
mod lineage;
mod row;
mod settled;
mod unique;

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::record::Collection;
use ml_core::sync::{Checkpoint, RecordLineage, SyncBatch, SyncCounts, SyncStore, UniqueKey};

use self::checkpoint::CheckpointRow;
use self::commit::EncodedBatch;
use crate::schema::sql::sync_checkpoints;
use crate::sql::SqlStore;

#[async_trait]
impl SyncStore for SqlStore {
    async fn find_checkpoint(&self, collection: Collection) -> Result<Option<Checkpoint>, StoreError> {
        self.database.read_blocking("reading a checkpoint", move |sqlite| checkpoint::find(sqlite, collection)).await
    }

    async fn list_checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        let rows: Vec<CheckpointRow> = self
            .database
            .read_blocking("listing checkpoints", |sqlite| Ok(sync_checkpoints::table.load(sqlite)?))
            .await?;
        let mut checkpoints: Vec<Checkpoint> =
            rows.into_iter().map(CheckpointRow::into_checkpoint).collect::<Result<_, _>>()?;
        checkpoints.sort_by_key(|checkpoint| checkpoint.collection);
        Ok(checkpoints)
    }

    async fn commit(&self, batch: &SyncBatch) -> Result<SyncCounts, StoreError> {
        let batch = EncodedBatch::from(batch);
        self.database.write_blocking("committing a sync", move |sqlite| batch.commit(sqlite)).await
    }

    async fn settle(&self, as_of: DateTime<Utc>) -> Result<(), StoreError> {
        // What sees that an instant is settled sees what was committed before it too, so that there is nothing to wait for.
        let is_settled = move |settled: Option<DateTime<Utc>>| settled.is_some_and(|settled| settled >= as_of);
        let settled =
            self.database.read_blocking("reading the settled past", |sqlite| Ok(settled::find(sqlite)?)).await?;
        if is_settled(settled) {
            return Ok(());
        }
        self.database
            .write_blocking("settling the past", move |sqlite| {
                let settled = settled::find(sqlite)?;
                if !is_settled(settled) {
                    settled::save(sqlite, as_of)?;
                }
                Ok(())
            })
            .await
    }

    async fn find_unique_owners(&self, scope: &str, keys: &[String]) -> Result<Vec<UniqueKey>, StoreError> {
        let scope = scope.to_owned();
        let keys: BTreeSet<String> = keys.iter().cloned().collect();
        let keys: Vec<String> = keys.into_iter().collect();
        self.database
            .read_blocking("reading unique keys", move |sqlite| unique::find_owners(sqlite, &scope, &keys))
            .await
    }

    async fn find_lineage(&self, collection: Collection, ids: &[RecordId]) -> Result<Vec<RecordLineage>, StoreError> {
        let ids: BTreeSet<RecordId> = ids.iter().cloned().collect();
        self.database
            .read_blocking("reading lineage", move |sqlite| {
                let found = ids.iter().map(|id| lineage::find(sqlite, collection, id));
                Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            })
            .await
    }

    async fn list_lineage(
        &self,
        collection: Collection,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RecordLineage, RecordId>, StoreError> {
        self.database
            .read_blocking("listing lineage", move |sqlite| {
                let found = lineage::list(sqlite, collection, &page)?;
                Ok(Page::from_lookahead(found, page.limit(), |lineage| lineage.raw_id.clone()))
            })
            .await
    }
}
