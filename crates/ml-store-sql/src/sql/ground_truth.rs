//! `ground_truth`: what turned out to be true for a record.

use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::QueryResult;
use diesel::prelude::{AsChangeset, ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel::sqlite::SqliteConnection;
use diesel_async::RunQueryDsl as _;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::ground_truth::{GroundTruth, GroundTruthStore};
use ml_core::id::RecordId;

use crate::connection::on_backend;
use crate::schema::sql::ground_truth;
use crate::sql::validated::{HashedRow, SupersededRow, hashed_row_statements};
use crate::sql::{KEYS_PER_QUERY, SqlStore};
use crate::types::{Instant, JsonText};

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
    hashed_row_statements!(TruthRow, ground_truth, (record_id, target));

    fn take(sqlite: &mut SqliteConnection, key: &str, raw_id: &str) -> QueryResult<Option<TruthRow>> {
        let Some((record_id, target)) = key.split_once('\n') else { return Ok(None) };
        let of_record = ground_truth::table.find((record_id, target)).filter(ground_truth::raw_id.eq(raw_id));
        let taken = diesel::delete(of_record).returning(ground_truth::all_columns);
        diesel::OptionalExtension::optional(diesel::RunQueryDsl::get_result(taken, sqlite))
    }

    fn superseded(self, _superseded_at: Instant) -> Result<Option<SupersededRow>, StoreError> {
        Ok(None)
    }
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
        rows.into_iter().map(TruthRow::into_truth).collect()
    }

    async fn count(&self, target: &str) -> Result<u64, StoreError> {
        let count = ground_truth::table.filter(ground_truth::target.eq(target)).count();
        let n_truths: i64 = self
            .database
            .read("counting ground truth", async |connection| {
                Ok(on_backend!(connection => count.get_result(connection).await)?)
            })
            .await?;
        Ok(n_truths as u64)
    }
}
