//! The collection `predictions`.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures::TryStreamExt as _;
use ml_core::document::UpsertCounts;
use ml_core::error::{Entity, StoreError};
use ml_core::id::{RecordId, ResultId};
use ml_core::model::ModelName;
use ml_core::page::{Page, PageRequest};
use ml_core::result::{Prediction, PredictionQuery, PredictionStore, ResultKind};
use mongodb::bson::{Document, RawDocumentBuf, doc};

use crate::codec::instant;
use crate::codec::read::{Fault, Fields};
use crate::codec::write::DocumentWriter;
use crate::results;
use crate::results::embeddings::IDS_AT_ONCE;
use crate::store::MongoDocuments;
use crate::upsert::{Item, Target};

const PREDICTIONS: Target =
    Target { collection: ResultKind::Predictions.name(), entity: Entity::Prediction, time_field: "predicted_at" };

#[async_trait]
impl PredictionStore for MongoDocuments {
    async fn upsert(&self, predictions: &[Prediction]) -> Result<UpsertCounts, StoreError> {
        let items = predictions.iter().map(encode).collect();
        self.upsert_results("writing predictions", PREDICTIONS, items).await
    }

    async fn delete(&self, ids: &[ResultId]) -> Result<u64, StoreError> {
        self.delete_results("deleting predictions", PREDICTIONS, ids).await
    }

    async fn find_by_ids(&self, ids: &[ResultId]) -> Result<Vec<Prediction>, StoreError> {
        let documents = self.raw(PREDICTIONS.collection);
        let wanted: BTreeSet<&str> = ids.iter().map(ResultId::as_str).collect();
        let wanted: Vec<&str> = wanted.into_iter().collect();
        let mut predictions = Vec::new();
        for ids in wanted.chunks(IDS_AT_ONCE) {
            let filter = doc! { "_id": { "$in": ids } };
            let find = || async { documents.find(filter.clone()).await?.try_collect::<Vec<RawDocumentBuf>>().await };
            for document in self.run("reading predictions", find).await? {
                predictions.push(results::decode(Entity::Prediction, &document, decode)?);
            }
        }
        Ok(predictions)
    }

    async fn list(
        &self,
        query: &PredictionQuery,
        page: PageRequest<ResultId>,
    ) -> Result<Page<Prediction, ResultId>, StoreError> {
        let filter = filter_of(query, page.cursor());
        let found =
            self.find_page("listing predictions", PREDICTIONS.collection, filter, None, page.limit() + 1).await?;
        let predictions = found.iter().map(|document| results::decode(Entity::Prediction, document, decode));
        let predictions = predictions.collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Page::from_lookahead(predictions, page.limit(), |prediction| prediction.id.clone()))
    }

    async fn count(&self, query: &PredictionQuery) -> Result<u64, StoreError> {
        let documents = self.raw(PREDICTIONS.collection);
        let filter = filter_of(query, None);
        self.run("counting predictions", || async { documents.count_documents(filter.clone()).await }).await
    }
}

fn encode(prediction: &Prediction) -> Item<'_> {
    let mut document = DocumentWriter::with_capacity(512);
    document.text("_id", prediction.id.as_str());
    document.text("model_name", prediction.model_name.as_str());
    document.integer("model_version", i64::from(prediction.model_version));
    document.text("record_id", prediction.record_id.as_str());
    document.text("target", &prediction.target);
    document.json("value", &prediction.value);
    document.optional_double("probability", prediction.probability);
    document.object("details", &prediction.details);
    document.time("event_time", prediction.event_time);
    results::item(prediction.id.as_str(), document, PREDICTIONS, prediction.predicted_at)
}

fn decode(document: &RawDocumentBuf) -> Result<Prediction, Fault> {
    let fields = Fields::of(document)?;
    let model_version = fields.integer("model_version")?;
    Ok(Prediction {
        id: fields.parsed("_id", |text| ResultId::parse(text))?,
        model_name: fields.parsed("model_name", ModelName::parse)?,
        model_version: u32::try_from(model_version)
            .map_err(|err| Fault::Refused { field: "model_version", source: err.into() })?,
        record_id: fields.parsed("record_id", |text| RecordId::parse(text))?,
        target: fields.text("target")?.to_owned(),
        value: fields.json("value")?,
        probability: fields.optional_double("probability")?,
        details: fields.object("details")?,
        event_time: fields.optional_time("event_time")?,
        predicted_at: fields.time("predicted_at")?,
    })
}

fn filter_of(query: &PredictionQuery, after: Option<&ResultId>) -> Document {
    let mut conditions = vec![doc! { "_id": { "$gt": after.map_or("", ResultId::as_str) } }];
    if let Some(name) = &query.model_name {
        conditions.push(doc! { "model_name": name.as_str() });
    }
    if let Some(version) = query.model_version {
        conditions.push(doc! { "model_version": i64::from(version) });
    }
    if let Some(record_id) = &query.record_id {
        conditions.push(doc! { "record_id": record_id.as_str() });
    }
    conditions.extend(query.predicted_from.into_iter().flat_map(|time| instant::at_or_after("predicted_at", time)));
    conditions.extend(query.predicted_before.into_iter().flat_map(|time| instant::before("predicted_at", time)));
    doc! { "$and": conditions }
}
