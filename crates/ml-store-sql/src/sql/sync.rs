//! What a sync writes: rows, rejects, owners of unique values and the checkpoint, in one transaction.

use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use ml_core::document::ResumeToken;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::id::RecordId;
use ml_core::record::Collection;
use ml_core::sync::{Advance, Checkpoint, SyncBatch, SyncCounts, SyncStore, UniqueKey, ValidatedRow};

use crate::error::Failure;
use crate::prepared::prepared;
use crate::schema::sql::{sync_checkpoints, unique_keys};
use crate::sql::global_data::GlobalRow;
use crate::sql::ground_truth::TruthRow;
use crate::sql::market_metrics::MarketRow;
use crate::sql::quarantine::{QuarantineRow, write as quarantine};
use crate::sql::user_interactions::InteractionRow;
use crate::sql::{KEYS_PER_QUERY, SqlStore, validated};
use crate::types::Instant;

#[derive(Debug, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = sync_checkpoints, treat_none_as_default_value = false)]
struct CheckpointRow {
    collection: String,
    token: String,
    n_read: i64,
    n_written: i64,
    n_unchanged: i64,
    n_quarantined: i64,
    updated_at: Instant,
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
        }
    }
}

impl CheckpointRow {
    fn into_checkpoint(self) -> Result<Checkpoint, StoreError> {
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
        };
        let token = ResumeToken::new(self.token);
        Ok(Checkpoint { collection, token, counts, updated_at: self.updated_at.0 })
    }
}

/// A row for one of the validated tables.
enum AnyRow {
    Global(GlobalRow),
    Market(MarketRow),
    Interaction(InteractionRow),
    Truth(TruthRow),
}

impl From<&ValidatedRow> for AnyRow {
    fn from(row: &ValidatedRow) -> AnyRow {
        match row {
            ValidatedRow::Global(row) => AnyRow::Global(row.into()),
            ValidatedRow::MarketMetric(row) => AnyRow::Market(row.into()),
            ValidatedRow::UserInteraction(row) => AnyRow::Interaction(row.into()),
            ValidatedRow::GroundTruth(row) => AnyRow::Truth(row.into()),
        }
    }
}

impl AnyRow {
    fn write(&self, sqlite: &mut SqliteConnection) -> Result<bool, Failure> {
        match self {
            AnyRow::Global(row) => validated::write(sqlite, row),
            AnyRow::Market(row) => validated::write(sqlite, row),
            AnyRow::Interaction(row) => validated::write(sqlite, row),
            AnyRow::Truth(row) => validated::write(sqlite, row),
        }
    }
}

/// A batch as it goes to the blocking thread: encoded, and owned.
struct EncodedBatch {
    collection: Collection,
    advance: Option<Advance>,
    rows: Vec<AnyRow>,
    raw_ids: Vec<RecordId>,
    quarantined: Vec<QuarantineRow>,
    unique_keys: Vec<UniqueKey>,
    committed_at: chrono::DateTime<chrono::Utc>,
}

impl From<&SyncBatch> for EncodedBatch {
    fn from(batch: &SyncBatch) -> EncodedBatch {
        EncodedBatch {
            collection: batch.collection,
            advance: batch.advance.clone(),
            rows: batch.rows.iter().map(AnyRow::from).collect(),
            raw_ids: batch.rows.iter().map(|row| row.raw_id().clone()).collect(),
            quarantined: batch.quarantined.iter().map(QuarantineRow::from).collect(),
            unique_keys: batch.unique_keys.clone(),
            committed_at: batch.committed_at,
        }
    }
}

#[async_trait]
impl SyncStore for SqlStore {
    async fn find_checkpoint(&self, collection: Collection) -> Result<Option<Checkpoint>, StoreError> {
        self.database.read_blocking("reading a checkpoint", move |sqlite| find_checkpoint(sqlite, collection)).await
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
        self.database.write_blocking("committing a sync", move |sqlite| commit_on_sqlite(sqlite, &batch)).await
    }

    async fn find_unique_owners(&self, scope: &str, keys: &[String]) -> Result<Vec<UniqueKey>, StoreError> {
        let scope = scope.to_owned();
        let keys: BTreeSet<String> = keys.iter().cloned().collect();
        let keys: Vec<String> = keys.into_iter().collect();
        self.database.read_blocking("reading unique keys", move |sqlite| find_owners(sqlite, &scope, &keys)).await
    }
}

/// Writes the batch row by row with statements that are prepared once, which on SQLite is the fastest there is.
fn commit_on_sqlite(sqlite: &mut SqliteConnection, batch: &EncodedBatch) -> Result<SyncCounts, Failure> {
    let checkpoint = find_checkpoint(sqlite, batch.collection)?;
    if let Some(advance) = &batch.advance {
        check_position(batch.collection, checkpoint.as_ref(), advance)?;
    }
    let n_quarantined = batch.quarantined.len() as u64;
    let n_read = batch.rows.len() as u64 + n_quarantined;
    let mut counts = SyncCounts { read: n_read, quarantined: n_quarantined, ..SyncCounts::default() };
    for row in &batch.rows {
        if row.write(sqlite)? {
            counts.written += 1;
        } else {
            counts.unchanged += 1;
        }
    }
    quarantine::release(sqlite, batch.collection, &batch.raw_ids)?;
    for record in &batch.quarantined {
        quarantine::enter(sqlite, record)?;
    }
    for unique in &batch.unique_keys {
        claim(sqlite, unique)?;
    }
    if let Some(advance) = &batch.advance {
        let mut total = checkpoint.map(|checkpoint| checkpoint.counts).unwrap_or_default();
        total += counts;
        let (collection, token, updated_at) = (batch.collection, advance.to.clone(), batch.committed_at);
        save_checkpoint(sqlite, &Checkpoint { collection, token, counts: total, updated_at })?;
    }
    Ok(counts)
}

fn check_position(
    collection: Collection,
    checkpoint: Option<&Checkpoint>,
    advance: &Advance,
) -> Result<(), StoreError> {
    if checkpoint.map(|checkpoint| &checkpoint.token) == advance.from.as_ref() {
        return Ok(());
    }
    Err(StoreError::conflict(Entity::Checkpoint, collection))
}

fn find_checkpoint(sqlite: &mut SqliteConnection, collection: Collection) -> Result<Option<Checkpoint>, Failure> {
    let row: Option<CheckpointRow> = sync_checkpoints::table.find(collection.name()).get_result(sqlite).optional()?;
    Ok(row.map(CheckpointRow::into_checkpoint).transpose()?)
}

fn save_checkpoint(sqlite: &mut SqliteConnection, checkpoint: &Checkpoint) -> QueryResult<()> {
    let row = CheckpointRow::from(checkpoint);
    diesel::insert_into(sync_checkpoints::table)
        .values(&row)
        .on_conflict(sync_checkpoints::collection)
        .do_update()
        .set(&row)
        .execute(sqlite)?;
    Ok(())
}

/// Makes the record the owner of the value, unless another is.
fn claim(sqlite: &mut SqliteConnection, unique: &UniqueKey) -> QueryResult<()> {
    struct Claim;
    let insert = diesel::insert_into(unique_keys::table)
        .values((
            unique_keys::scope.eq(&unique.scope),
            unique_keys::key.eq(&unique.key),
            unique_keys::raw_id.eq(unique.raw_id.as_str()),
        ))
        .on_conflict((unique_keys::scope, unique_keys::key))
        .do_nothing();
    prepared::<Claim, _>(insert).execute(sqlite)?;
    Ok(())
}

fn find_owners(sqlite: &mut SqliteConnection, scope: &str, keys: &[String]) -> Result<Vec<UniqueKey>, Failure> {
    let mut owners = Vec::new();
    for some in keys.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(String, String)> = unique_keys::table
            .filter(unique_keys::scope.eq(scope))
            .filter(unique_keys::key.eq_any(some))
            .select((unique_keys::key, unique_keys::raw_id))
            .load(sqlite)?;
        for (key, raw_id) in rows {
            let raw_id = RecordId::parse(raw_id).map_err(|err| StoreError::corrupt(Entity::RawRecord, &key, err))?;
            owners.push(UniqueKey { scope: scope.to_owned(), key, raw_id });
        }
    }
    Ok(owners)
}
