//! Predictions.

use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use ml_core::document::UpsertCounts;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::id::{RecordId, ResultId};
use ml_core::model::ModelName;
use ml_core::page::{Page, PageRequest};
use ml_core::result::{Prediction, PredictionQuery, PredictionStore};

use crate::documents::EmbeddedDocuments;
use crate::documents::results::{self, result_row};
use crate::prepared::prepared;
use crate::schema::documents::predictions;
use crate::types::{Instant, JsonText};

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = predictions, treat_none_as_null = true, treat_none_as_default_value = false)]
struct PredictionRow {
    id: String,
    model_name: String,
    model_version: i64,
    record_id: String,
    target: String,
    value: JsonText,
    probability: Option<f64>,
    details: JsonText,
    event_time: Option<Instant>,
    predicted_at: Instant,
}

result_row!(PredictionRow, predictions, predicted_at);

impl From<&Prediction> for PredictionRow {
    fn from(prediction: &Prediction) -> PredictionRow {
        PredictionRow {
            id: prediction.id.as_str().to_owned(),
            model_name: prediction.model_name.as_str().to_owned(),
            model_version: prediction.model_version.into(),
            record_id: prediction.record_id.as_str().to_owned(),
            target: prediction.target.clone(),
            value: JsonText::of(&prediction.value),
            probability: prediction.probability,
            details: JsonText::of(&prediction.details),
            event_time: prediction.event_time.map(Instant),
            predicted_at: Instant(prediction.predicted_at),
        }
    }
}

impl PredictionRow {
    fn into_prediction(self) -> Result<Prediction, StoreError> {
        let key = self.id.clone();
        self.decode().map_err(|err| StoreError::corrupt(Entity::Prediction, key, err))
    }

    fn decode(self) -> Result<Prediction, BoxError> {
        Ok(Prediction {
            id: ResultId::parse(self.id)?,
            model_name: ModelName::parse(&self.model_name)?,
            model_version: u32::try_from(self.model_version)?,
            record_id: RecordId::parse(self.record_id)?,
            target: self.target,
            value: self.value.parse()?,
            probability: self.probability,
            details: self.details.parse()?,
            event_time: self.event_time.map(|instant| instant.0),
            predicted_at: self.predicted_at.0,
        })
    }
}

#[async_trait]
impl PredictionStore for EmbeddedDocuments {
    async fn upsert(&self, predictions: &[Prediction]) -> Result<UpsertCounts, StoreError> {
        let rows: Vec<PredictionRow> = predictions.iter().map(PredictionRow::from).collect();
        self.database.write_blocking("writing predictions", move |sqlite| Ok(results::upsert(sqlite, &rows)?)).await
    }

    async fn delete(&self, ids: &[ResultId]) -> Result<u64, StoreError> {
        let ids = results::texts(ids);
        self.database
            .write_blocking("deleting predictions", move |sqlite| Ok(results::delete::<PredictionRow>(sqlite, &ids)?))
            .await
    }

    async fn find_by_ids(&self, ids: &[ResultId]) -> Result<Vec<Prediction>, StoreError> {
        let ids: BTreeSet<ResultId> = ids.iter().cloned().collect();
        self.database
            .read_blocking("reading predictions", move |sqlite| {
                let mut found = Vec::new();
                for id in &ids {
                    let row: Option<PredictionRow> = predictions::table.find(id.as_str()).first(sqlite).optional()?;
                    found.extend(row.map(PredictionRow::into_prediction).transpose()?);
                }
                Ok(found)
            })
            .await
    }

    async fn list(
        &self,
        query: &PredictionQuery,
        page: PageRequest<ResultId>,
    ) -> Result<Page<Prediction, ResultId>, StoreError> {
        let query = query.clone();
        self.database
            .read_blocking("listing predictions", move |sqlite| {
                let mut select = filter(predictions::table.into_boxed(), &query).order(predictions::id);
                if let Some(cursor) = page.cursor() {
                    select = select.filter(predictions::id.gt(cursor.as_str()));
                }
                let rows = select.limit(page.limit() as i64 + 1).load_iter::<PredictionRow, _>(sqlite)?;
                let mut found = Vec::new();
                for row in rows {
                    found.push(row?.into_prediction()?);
                }
                Ok(Page::from_lookahead(found, page.limit(), |prediction| prediction.id.clone()))
            })
            .await
    }

    async fn count(&self, query: &PredictionQuery) -> Result<u64, StoreError> {
        let query = query.clone();
        self.database
            .read_blocking("counting predictions", move |sqlite| {
                // Counting over a boxed selection and not over the boxed table keeps one `filter` for both.
                let n_predictions: i64 = filter(predictions::table.into_boxed(), &query).count().get_result(sqlite)?;
                Ok(n_predictions as u64)
            })
            .await
    }
}

fn filter<'q>(
    select: predictions::BoxedQuery<'q, diesel::sqlite::Sqlite>,
    query: &'q PredictionQuery,
) -> predictions::BoxedQuery<'q, diesel::sqlite::Sqlite> {
    let mut select = select;
    if let Some(model_name) = &query.model_name {
        select = select.filter(predictions::model_name.eq(model_name.as_str()));
    }
    if let Some(model_version) = query.model_version {
        select = select.filter(predictions::model_version.eq(i64::from(model_version)));
    }
    if let Some(record_id) = &query.record_id {
        select = select.filter(predictions::record_id.eq(record_id.as_str()));
    }
    if let Some(from) = query.predicted_from {
        select = select.filter(predictions::predicted_at.ge(Instant(from)));
    }
    if let Some(before) = query.predicted_before {
        select = select.filter(predictions::predicted_at.lt(Instant(before)));
    }
    select
}
