//! What a sync writes: rows, rejects, owners of unique values, lineage and the checkpoint, in one transaction.

mod checkpoint;
mod commit;
mod decide;
mod lineage;
mod postgres;
mod row;
mod settled;
mod unique;

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::OptionalExtension as _;
use diesel::prelude::QueryDsl as _;
use diesel::sqlite::SqliteConnection;
use diesel_async::RunQueryDsl as _;
use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::record::Collection;
use ml_core::sync::{Checkpoint, RecordLineage, SyncBatch, SyncCounts, SyncStore, UniqueKey};

use self::checkpoint::CheckpointRow;
use self::commit::EncodedBatch;
use crate::connection::{Database, on_backend};
use crate::schema::sql::sync_checkpoints;
use crate::sql::SqlStore;

#[async_trait]
impl SyncStore for SqlStore {
    async fn find_checkpoint(&self, collection: Collection) -> Result<Option<Checkpoint>, StoreError> {
        let select = sync_checkpoints::table.find(collection.name());
        let row: Option<CheckpointRow> = self
            .database
            .read("reading a checkpoint", async |connection| {
                Ok(on_backend!(connection => select.get_result(connection).await).optional()?)
            })
            .await?;
        row.map(CheckpointRow::into_checkpoint).transpose()
    }

    async fn list_checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        let rows: Vec<CheckpointRow> = self
            .database
            .read("listing checkpoints", async |connection| {
                Ok(on_backend!(connection => sync_checkpoints::table.load(connection).await)?)
            })
            .await?;
        let mut checkpoints: Vec<Checkpoint> =
            rows.into_iter().map(CheckpointRow::into_checkpoint).collect::<Result<_, _>>()?;
        checkpoints.sort_by_key(|checkpoint| checkpoint.collection);
        Ok(checkpoints)
    }

    async fn commit(&self, batch: &SyncBatch) -> Result<SyncCounts, StoreError> {
        match &self.database {
            Database::Sqlite(sqlite) => {
                let batch = EncodedBatch::from(batch);
                sqlite.write_blocking("committing a sync", move |sqlite| batch.commit(sqlite)).await
            }
            Database::Postgres(postgres) => postgres::commit(postgres, batch).await,
        }
    }

    async fn settle(&self, as_of: DateTime<Utc>) -> Result<(), StoreError> {
        // What sees that an instant is settled sees what was committed before it too, so that there is nothing to wait for.
        let is_settled = move |settled: Option<DateTime<Utc>>| settled.is_some_and(|settled| settled >= as_of);
        let settled = self
            .database
            .read("reading the settled past", async |connection| Ok(settled::find(connection).await?))
            .await?;
        if is_settled(settled) {
            return Ok(());
        }
        match &self.database {
            Database::Sqlite(sqlite) => {
                let settle = move |sqlite: &mut SqliteConnection| {
                    let settled = settled::find_on_sqlite(sqlite)?;
                    if !is_settled(settled) {
                        settled::save_on_sqlite(sqlite, as_of)?;
                    }
                    Ok(())
                };
                sqlite.write_blocking("settling the past", settle).await
            }
            Database::Postgres(postgres) => {
                postgres
                    .write("settling the past", async |postgres| {
                        settled::wait_for_commits(postgres).await?;
                        Ok(settled::save_on_postgres(postgres, as_of).await?)
                    })
                    .await
            }
        }
    }

    async fn find_unique_owners(&self, scope: &str, keys: &[String]) -> Result<Vec<UniqueKey>, StoreError> {
        let keys: BTreeSet<String> = keys.iter().cloned().collect();
        let keys: Vec<String> = keys.into_iter().collect();
        let operation = "reading unique keys";
        match &self.database {
            Database::Sqlite(sqlite) => {
                let scope = scope.to_owned();
                sqlite.read_blocking(operation, move |sqlite| unique::find_owners(sqlite, &scope, &keys)).await
            }
            Database::Postgres(postgres) => {
                postgres
                    .read(operation, async |postgres| unique::find_owners_on_postgres(postgres, scope, &keys).await)
                    .await
            }
        }
    }

    async fn find_lineage(&self, collection: Collection, ids: &[RecordId]) -> Result<Vec<RecordLineage>, StoreError> {
        let ids: BTreeSet<RecordId> = ids.iter().cloned().collect();
        let operation = "reading lineage";
        match &self.database {
            Database::Sqlite(sqlite) => {
                let find = move |sqlite: &mut SqliteConnection| {
                    let found = ids.iter().map(|id| lineage::find(sqlite, collection, id));
                    Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
                };
                sqlite.read_blocking(operation, find).await
            }
            Database::Postgres(postgres) => {
                let ids: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
                postgres
                    .read(operation, async |postgres| lineage::find_on_postgres(postgres, collection, &ids).await)
                    .await
            }
        }
    }

    async fn list_lineage(
        &self,
        collection: Collection,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RecordLineage, RecordId>, StoreError> {
        let (operation, limit) = ("listing lineage", page.limit());
        let found = match &self.database {
            Database::Sqlite(sqlite) => {
                sqlite.read_blocking(operation, move |sqlite| lineage::list(sqlite, collection, &page)).await?
            }
            Database::Postgres(postgres) => {
                postgres
                    .read(operation, async |postgres| lineage::list_on_postgres(postgres, collection, &page).await)
                    .await?
            }
        };
        Ok(Page::from_lookahead(found, limit, |lineage| lineage.raw_id.clone()))
    }
}
