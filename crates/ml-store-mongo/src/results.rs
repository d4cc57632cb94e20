//! What models and pipeline steps produce: predictions, embeddings, intermediate results, and copies of figures.
//!
//! Each document carries a `content_hash` of everything but the time it was made at, so that making it again changes nothing.
//! One that was made before what is there is left out. Its `metadata` says that it came from here, so that sync leaves it alone
//! wherever other programs copy it to.

mod embeddings;
mod figures;
mod intermediate_results;
mod predictions;

use chrono::{DateTime, Utc};
use ml_core::digest::Digest;
use ml_core::document::UpsertCounts;
use ml_core::error::{Entity, StoreError};
use ml_core::id::ResultId;
use ml_core::record::{ORIGIN, ORIGIN_FIELD};
use mongodb::bson::RawDocumentBuf;
use serde_json::{Map, Value};

use crate::codec::read::Fault;
use crate::codec::write::DocumentWriter;
use crate::store::MongoDocuments;
use crate::upsert::{Item, Order, Target};

impl MongoDocuments {
    /// Writes results; they are mostly new.
    async fn upsert_results(
        &self,
        operation: &'static str,
        target: Target,
        items: Vec<Item<'_>>,
    ) -> Result<UpsertCounts, StoreError> {
        self.upsert_items(operation, target, items, Order::InsertFirst).await
    }

    /// Deletes results and returns how many there were.
    async fn delete_results(
        &self,
        operation: &'static str,
        target: Target,
        ids: &[ResultId],
    ) -> Result<u64, StoreError> {
        let ids: Vec<&str> = ids.iter().map(ResultId::as_str).collect();
        self.delete_by_ids(operation, target.collection, &ids).await
    }
}

/// Ends a document with the hash of what was written so far, where it came from, and the time it was made at.
fn item(id: &str, mut document: DocumentWriter, target: Target, made_at: DateTime<Utc>) -> Item<'_> {
    let content_hash = Digest::of(document.written()).to_string();
    document.text("content_hash", &content_hash);
    document.object("metadata", &Map::from_iter([(ORIGIN_FIELD.to_owned(), Value::from(ORIGIN))]));
    document.time(target.time_field, Some(made_at));
    Item { id, content_hash, document: document.finish(), made_at, record: None }
}

/// Reads a document, or says which one is corrupt and why.
fn decode<T>(
    entity: Entity,
    document: &RawDocumentBuf,
    decode: fn(&RawDocumentBuf) -> Result<T, Fault>,
) -> Result<T, StoreError> {
    decode(document).map_err(|fault| StoreError::corrupt(entity, document.get_str("_id").unwrap_or_default(), fault))
}
