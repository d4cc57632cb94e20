//! What the steps of runs left for the next step.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use ml_core::document::UpsertCounts;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::id::{ResultId, RunId};
use ml_core::result::{IntermediateResult, IntermediateResultStore};

use crate::documents::EmbeddedDocuments;
use crate::documents::results::{self, result_row};
use crate::prepared::prepared;
use crate::schema::documents::intermediate_results;
use crate::types::{Instant, JsonText};

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = intermediate_results, treat_none_as_default_value = false)]
struct ResultRow {
    id: String,
    run_id: String,
    step: String,
    body: JsonText,
    created_at: Instant,
}

result_row!(ResultRow, intermediate_results, created_at);

impl From<&IntermediateResult> for ResultRow {
    fn from(result: &IntermediateResult) -> ResultRow {
        ResultRow {
            id: result.id.as_str().to_owned(),
            run_id: result.run_id.as_str().to_owned(),
            step: result.step.clone(),
            body: JsonText::of(&result.body),
            created_at: Instant(result.created_at),
        }
    }
}

impl ResultRow {
    fn into_result(self) -> Result<IntermediateResult, StoreError> {
        let key = self.id.clone();
        self.decode().map_err(|err| StoreError::corrupt(Entity::IntermediateResult, key, err))
    }

    fn decode(self) -> Result<IntermediateResult, BoxError> {
        Ok(IntermediateResult {
            id: ResultId::parse(self.id)?,
            run_id: RunId::parse(self.run_id)?,
            step: self.step,
            body: self.body.parse()?,
            created_at: self.created_at.0,
        })
    }
}

#[async_trait]
impl IntermediateResultStore for EmbeddedDocuments {
    async fn upsert(&self, results: &[IntermediateResult]) -> Result<UpsertCounts, StoreError> {
        let rows: Vec<ResultRow> = results.iter().map(ResultRow::from).collect();
        self.database
            .write_blocking("writing intermediate results", move |sqlite| Ok(results::upsert(sqlite, &rows)?))
            .await
    }

    async fn delete(&self, ids: &[ResultId]) -> Result<u64, StoreError> {
        let ids = results::texts(ids);
        self.database
            .write_blocking("deleting intermediate results", move |sqlite| {
                Ok(results::delete::<ResultRow>(sqlite, &ids)?)
            })
            .await
    }

    async fn list_by_run(&self, run_id: &RunId) -> Result<Vec<IntermediateResult>, StoreError> {
        let run_id = run_id.clone();
        self.database
            .read_blocking("listing intermediate results", move |sqlite| {
                let rows: Vec<ResultRow> = intermediate_results::table
                    .filter(intermediate_results::run_id.eq(run_id.as_str()))
                    .order((intermediate_results::step, intermediate_results::id))
                    .load(sqlite)?;
                let results: Result<Vec<_>, _> = rows.into_iter().map(ResultRow::into_result).collect();
                Ok(results?)
            })
            .await
    }
}
