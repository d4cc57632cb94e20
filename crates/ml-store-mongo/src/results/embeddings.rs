//! The collection `embeddings`. Vectors are arrays of doubles, as vector indexes want them.

use std::collections::HashSet;

use async_trait::async_trait;
use futures::TryStreamExt as _;
use ml_core::document::UpsertCounts;
use ml_core::error::{Entity, StoreError};
use ml_core::id::{RecordId, ResultId};
use ml_core::result::{Embedding, EmbeddingStore, ResultKind};
use mongodb::bson::{RawDocumentBuf, doc};

use crate::codec::read::{Fault, Fields};
use crate::codec::write::DocumentWriter;
use crate::results;
use crate::store::MongoDocuments;
use crate::upsert::{Item, Target};

/// The most ids asked for in one query.
pub(super) const IDS_AT_ONCE: usize = 2_000;

const EMBEDDINGS: Target =
    Target { collection: ResultKind::Embeddings.name(), entity: Entity::Embedding, time_field: "created_at" };

#[async_trait]
impl EmbeddingStore for MongoDocuments {
    async fn upsert(&self, embeddings: &[Embedding]) -> Result<UpsertCounts, StoreError> {
        let items = embeddings.iter().map(encode).collect();
        self.upsert_results("writing embeddings", EMBEDDINGS, items).await
    }

    async fn delete(&self, ids: &[ResultId]) -> Result<u64, StoreError> {
        self.delete_results("deleting embeddings", EMBEDDINGS, ids).await
    }

    async fn find_by_records(&self, model: &str, records: &[RecordId]) -> Result<Vec<Embedding>, StoreError> {
        let documents = self.raw(EMBEDDINGS.collection);
        let wanted: HashSet<&str> = records.iter().map(RecordId::as_str).collect();
        let wanted: Vec<&str> = wanted.into_iter().collect();
        let mut embeddings = Vec::new();
        for ids in wanted.chunks(IDS_AT_ONCE) {
            let filter = doc! { "model": model, "record_id": { "$in": ids } };
            let find = || async { documents.find(filter.clone()).await?.try_collect::<Vec<RawDocumentBuf>>().await };
            for document in self.run("reading embeddings", find).await? {
                embeddings.push(results::decode(Entity::Embedding, &document, decode)?);
            }
        }
        Ok(embeddings)
    }
}

fn encode(embedding: &Embedding) -> Item<'_> {
    let mut document = DocumentWriter::with_capacity(256 + 16 * embedding.vector.len());
    document.text("_id", embedding.id.as_str());
    document.text("record_id", embedding.record_id.as_str());
    document.text("model", &embedding.model);
    document.vector("vector", &embedding.vector);
    results::item(embedding.id.as_str(), document, EMBEDDINGS, embedding.created_at)
}

fn decode(document: &RawDocumentBuf) -> Result<Embedding, Fault> {
    let fields = Fields::of(document)?;
    Ok(Embedding {
        id: fields.parsed("_id", |text| ResultId::parse(text))?,
        record_id: fields.parsed("record_id", |text| RecordId::parse(text))?,
        model: fields.text("model")?.to_owned(),
        vector: fields.vector("vector")?,
        created_at: fields.time("created_at")?,
    })
}
