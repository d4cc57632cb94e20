//! `sync_checkpoints`: how far the sync of each collection got.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_async::RunQueryDsl as AsyncRunQueryDsl;
use ml_core::document::ResumeToken;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::record::Collection;
use ml_core::sync::{Advance, Checkpoint, SyncCounts};

use crate::connection::PostgresConnection;
use crate::error::Failure;
use crate::schema::sql::sync_checkpoints;
use crate::types::Instant;

#[derive(Debug, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = sync_checkpoints, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct CheckpointRow {
    collection: String,
    token: String,
    n_read: i64,
    n_written: i64,
    n_unchanged: i64,
    n_quarantined: i64,
    updated_at: Instant,
    n_deleted: i64,
    reconciled_at: Option<Instant>,
}

impl From<&Checkpoint> for CheckpointRow {
    fn from(checkpoint: &Checkpoint) -> CheckpointRow {
        let counts = checkpoint.counts;
        CheckpointRow {
            collection: checkpoint.collection.name().to_owned(),
            token: checkpoint.token.as_str().to_owned(),
            n_read: counts.read as i64,
            n_written: counts.written as i64,
            n_unchanged: counts.unchanged as i64,
            n_quarantined: counts.quarantined as i64,
            updated_at: Instant(checkpoint.updated_at),
            n_deleted: counts.deleted as i64,
            reconciled_at: checkpoint.reconciled_at.map(Instant),
        }
    }
}

impl CheckpointRow {
    /// Reads the checkpoint back, or says which one is corrupt and why.
    pub(super) fn into_checkpoint(self) -> Result<Checkpoint, StoreError> {
        let key = self.collection.clone();
        self.decode().map_err(|err| StoreError::corrupt(Entity::Checkpoint, key, err))
    }

    fn decode(self) -> Result<Checkpoint, BoxError> {
        let collection = Collection::find_by_name(&self.collection).ok_or("there is no such collection")?;
        let counts = SyncCounts {
            read: u64::try_from(self.n_read)?,
            written: u64::try_from(self.n_written)?,
            unchanged: u64::try_from(self.n_unchanged)?,
            quarantined: u64::try_from(self.n_quarantined)?,
            deleted: u64::try_from(self.n_deleted)?,
        };
        let (updated_at, reconciled_at) = (self.updated_at.0, self.reconciled_at.map(|instant| instant.0));
        Ok(Checkpoint { collection, token: ResumeToken::new(self.token), counts, updated_at, reconciled_at })
    }
}

/// Returns [`StoreError::Conflict`] unless the checkpoint is where the batch was read from.
pub(super) fn check_position(
    collection: Collection,
    checkpoint: Option<&Checkpoint>,
    advance: &Advance,
) -> Result<(), StoreError> {
    if checkpoint.map(|checkpoint| &checkpoint.token) == advance.from.as_ref() {
        return Ok(());
    }
    Err(StoreError::conflict(Entity::Checkpoint, collection))
}

/// Returns the checkpoint of `collection`, if there is one.
pub(super) fn find(sqlite: &mut SqliteConnection, collection: Collection) -> Result<Option<Checkpoint>, Failure> {
    let row: Option<CheckpointRow> =
        RunQueryDsl::get_result(sync_checkpoints::table.find(collection.name()), sqlite).optional()?;
    Ok(row.map(CheckpointRow::into_checkpoint).transpose()?)
}

/// Returns the checkpoint of `collection`, if there is one.
pub(super) async fn find_on_postgres(
    postgres: &mut PostgresConnection,
    collection: Collection,
) -> Result<Option<Checkpoint>, Failure> {
    let find = sync_checkpoints::table.find(collection.name());
    let row: Option<CheckpointRow> = AsyncRunQueryDsl::get_result(find, postgres).await.optional()?;
    Ok(row.map(CheckpointRow::into_checkpoint).transpose()?)
}

/// Inserts or replaces a row.
macro_rules! upsert {
    ($row:expr) => {
        diesel::insert_into(sync_checkpoints::table)
            .values($row)
            .on_conflict(sync_checkpoints::collection)
            .do_update()
            .set($row)
    };
}

/// Inserts or replaces the checkpoint.
pub(super) fn save(sqlite: &mut SqliteConnection, checkpoint: &Checkpoint) -> QueryResult<()> {
    let row = CheckpointRow::from(checkpoint);
    RunQueryDsl::execute(upsert!(&row), sqlite)?;
    Ok(())
}

/// Inserts or replaces the checkpoint.
pub(super) async fn save_on_postgres(postgres: &mut PostgresConnection, checkpoint: &Checkpoint) -> QueryResult<()> {
    let row = CheckpointRow::from(checkpoint);
    AsyncRunQueryDsl::execute(upsert!(&row), postgres).await?;
    Ok(())
}
