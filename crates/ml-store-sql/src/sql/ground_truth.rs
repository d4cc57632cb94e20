//! `ground_truth`: what turned out to be true for a record.

use std::borrow::Cow;
use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::AggregateExpressionMethods as _;
use diesel::QueryResult;
use diesel::prelude::{AsChangeset, ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel::sql_types::{Array, Json, Text};
use diesel::sqlite::SqliteConnection;
use diesel_async::RunQueryDsl as _;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::ground_truth::{GroundTruth, GroundTruthStore, those_that_count};
use ml_core::id::RecordId;
use ml_core::sync::ValidatedRow;

use crate::connection::{PostgresConnection, on_backend};
use crate::schema::sql::ground_truth;
use crate::sql::validated::bulk::{BulkRow, StoredVersion, bulk_writes};
use crate::sql::validated::{HashedRow, SupersededRow, hashed_row_statements};
use crate::sql::{KEYS_PER_QUERY, SqlStore};
use crate::types::{Instant, JsonText, UtcTimestamp};

#[derive(Debug, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = ground_truth, treat_none_as_default_value = false)]
pub(super) struct TruthRow {
    record_id: String,
    target: String,
    value: JsonText,
    observed_at: Instant,
    created_at: Instant,
    raw_id: String,
    content_hash: String,
}

impl From<&GroundTruth> for TruthRow {
    fn from(truth: &GroundTruth) -> TruthRow {
        TruthRow {
            record_id: truth.record_id.as_str().to_owned(),
            target: truth.target.clone(),
            value: JsonText::of(&truth.value),
            observed_at: Instant(truth.observed_at),
            created_at: Instant(truth.created_at),
            raw_id: truth.raw_id.as_str().to_owned(),
            content_hash: truth.content_hash.to_string(),
        }
    }
}

impl TruthRow {
    fn into_truth(self) -> Result<GroundTruth, StoreError> {
        let key = self.record_id.clone();
        self.decode().map_err(|err| StoreError::corrupt(Entity::GroundTruth, key, err))
    }

    fn decode(self) -> Result<GroundTruth, BoxError> {
        Ok(GroundTruth {
            record_id: RecordId::parse(self.record_id)?,
            target: self.target,
            value: self.value.parse()?,
            observed_at: self.observed_at.0,
            created_at: self.created_at.0,
            raw_id: RecordId::parse(self.raw_id)?,
            content_hash: self.content_hash.parse()?,
        })
    }
}

impl HashedRow for TruthRow {
    hashed_row_statements!(TruthRow, ground_truth, (record_id, target, raw_id));

    fn take(sqlite: &mut SqliteConnection, key: &str, raw_id: &str) -> QueryResult<Option<TruthRow>> {
        let Some((record_id, target)) = key.split_once('\n') else { return Ok(None) };
        let of_record = ground_truth::table.find((record_id, target, raw_id));
        let taken = diesel::delete(of_record).returning(ground_truth::all_columns);
        diesel::OptionalExtension::optional(diesel::RunQueryDsl::get_result(taken, sqlite))
    }

    fn superseded(self, _superseded_at: Instant) -> Result<Option<SupersededRow>, StoreError> {
        Ok(None)
    }
}

impl BulkRow for TruthRow {
    bulk_writes!(ground_truth, (record_id, target, raw_id),
        each: {
            record_id: Text,
            value: Json,
            raw_id: Text,
            content_hash: Text,
        },
        alike: {
            target: Text,
            observed_at: UtcTimestamp,
            created_at: UtcTimestamp,
        },
    );

    fn encode(row: &ValidatedRow) -> Option<TruthRow> {
        match row {
            ValidatedRow::GroundTruth(truth) => Some(truth.into()),
            _ => None,
        }
    }

    fn key(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{}\n{}\n{}", self.record_id, self.target, self.raw_id))
    }

    async fn load_versions(postgres: &mut PostgresConnection, keys: &[&str]) -> QueryResult<Vec<StoredVersion>> {
        let record_ids = split(keys).0;
        let select = ground_truth::table.filter(ground_truth::record_id.eq_any(record_ids)).select((
            ground_truth::record_id,
            ground_truth::target,
            ground_truth::content_hash,
            ground_truth::raw_id,
        ));
        let rows: Vec<(String, String, String, String)> = select.load(postgres).await?;
        let version = |(record_id, target, content_hash, raw_id)| StoredVersion {
            key: format!("{record_id}\n{target}\n{raw_id}"),
            content_hash,
            raw_id,
        };
        Ok(rows.into_iter().map(version).collect())
    }

    async fn load_locked(postgres: &mut PostgresConnection, keys: &[&str]) -> QueryResult<Vec<TruthRow>> {
        let record_ids = split(keys).0;
        let select = ground_truth::table.filter(ground_truth::record_id.eq_any(record_ids));
        select
            .order((ground_truth::record_id, ground_truth::target, ground_truth::raw_id))
            .for_update()
            .load(postgres)
            .await
    }

    async fn delete_all(postgres: &mut PostgresConnection, keys: &[&str]) -> QueryResult<usize> {
        let (record_ids, targets, raw_ids) = split(keys);
        diesel::sql_query(
            "DELETE FROM ground_truth USING unnest($1, $2, $3) AS given (record_id, target, raw_id) \
             WHERE ground_truth.record_id = given.record_id AND ground_truth.target = given.target \
             AND ground_truth.raw_id = given.raw_id",
        )
        .bind::<Array<Text>, _>(record_ids)
        .bind::<Array<Text>, _>(targets)
        .bind::<Array<Text>, _>(raw_ids)
        .execute(postgres)
        .await
    }
}

/// Takes keys apart into record ids, targets and raw ids; one without two line breaks is the key of no truth. A target may have
/// line breaks in it, and ids have none.
fn split<'k>(keys: &[&'k str]) -> (Vec<&'k str>, Vec<&'k str>, Vec<&'k str>) {
    let parts = keys.iter().filter_map(|key| {
        let (record_id, rest) = key.split_once('\n')?;
        let (target, raw_id) = rest.rsplit_once('\n')?;
        Some((record_id, target, raw_id))
    });
    parts.collect()
}

#[async_trait]
impl GroundTruthStore for SqlStore {
    async fn find_by_records(&self, target: &str, records: &[RecordId]) -> Result<Vec<GroundTruth>, StoreError> {
        // Each once, for a record in two queries would be found twice.
        let ids: BTreeSet<&str> = records.iter().map(RecordId::as_str).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let rows = self
            .database
            .read("reading ground truth", async |connection| {
                let mut rows: Vec<TruthRow> = Vec::new();
                for some in ids.chunks(KEYS_PER_QUERY) {
                    let select = ground_truth::table
                        .filter(ground_truth::record_id.eq_any(some))
                        .filter(ground_truth::target.eq(target));
                    let found: Vec<TruthRow> = on_backend!(connection => select.load(connection).await)?;
                    rows.extend(found);
                }
                Ok(rows)
            })
            .await?;
        let truths = rows.into_iter().map(TruthRow::into_truth).collect::<Result<Vec<_>, StoreError>>()?;
        Ok(those_that_count(truths))
    }

    async fn count(&self, target: &str) -> Result<u64, StoreError> {
        let n_records: i64 = self
            .database
            .read("counting ground truth", async |connection| {
                Ok(on_backend!(connection => {
                    let of_target = ground_truth::table.filter(ground_truth::target.eq(target));
                    let n_records = diesel::dsl::count(ground_truth::record_id).aggregate_distinct();
                    of_target.select(n_records).get_result(connection).await
                })?)
            })
            .await?;
        Ok(n_records as u64)
    }
}
