//! The collection `intermediate_results`.

use async_trait::async_trait;
use futures::TryStreamExt as _;
use ml_core::document::UpsertCounts;
use ml_core::error::{Entity, StoreError};
use ml_core::id::{ResultId, RunId};
use ml_core::result::{IntermediateResult, IntermediateResultStore, ResultKind};
use mongodb::bson::{RawDocumentBuf, doc};

use crate::codec::read::{Fault, Fields};
use crate::codec::write::DocumentWriter;
use crate::results;
use crate::store::MongoDocuments;
use crate::upsert::{Item, Target};

const INTERMEDIATE_RESULTS: Target = Target {
    collection: ResultKind::IntermediateResults.name(),
    entity: Entity::IntermediateResult,
    time_field: "created_at",
};

#[async_trait]
impl IntermediateResultStore for MongoDocuments {
    async fn upsert(&self, given: &[IntermediateResult]) -> Result<UpsertCounts, StoreError> {
        let items = given.iter().map(encode).collect();
        self.upsert_results("writing intermediate results", INTERMEDIATE_RESULTS, items).await
    }

    async fn delete(&self, ids: &[ResultId]) -> Result<u64, StoreError> {
        self.delete_results("deleting intermediate results", INTERMEDIATE_RESULTS, ids).await
    }

    async fn list_by_run(&self, run_id: &RunId) -> Result<Vec<IntermediateResult>, StoreError> {
        let documents = self.raw(INTERMEDIATE_RESULTS.collection);
        let find = || async {
            let found = documents.find(doc! { "run_id": run_id.as_str() }).sort(doc! { "step": 1, "_id": 1 });
            found.await?.try_collect::<Vec<RawDocumentBuf>>().await
        };
        let found = self.run("listing intermediate results", find).await?;
        found.iter().map(|document| results::decode(Entity::IntermediateResult, document, decode)).collect()
    }
}

fn encode(result: &IntermediateResult) -> Item<'_> {
    let mut document = DocumentWriter::with_capacity(512);
    document.text("_id", result.id.as_str());
    document.text("run_id", result.run_id.as_str());
    document.text("step", &result.step);
    document.json("body", &result.body);
    results::item(result.id.as_str(), document, INTERMEDIATE_RESULTS, result.created_at)
}

fn decode(document: &RawDocumentBuf) -> Result<IntermediateResult, Fault> {
    let fields = Fields::of(document)?;
    Ok(IntermediateResult {
        id: fields.parsed("_id", |text| ResultId::parse(text))?,
        run_id: fields.parsed("run_id", |text| RunId::parse(text))?,
        step: fields.text("step")?.to_owned(),
        body: fields.json("body")?,
        created_at: fields.time("created_at")?,
    })
}
