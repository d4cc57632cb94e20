//! What models and pipeline steps produce: predictions, embeddings, intermediate results.
//!
//! Each document carries a `content_hash` of everything but the time it was made at, so that making it again changes nothing.

mod embeddings;
mod intermediate_results;
mod predictions;

use chrono::{DateTime, Utc};
use ml_core::digest::Digest;
use ml_core::error::{Entity, StoreError};
use mongodb::bson::RawDocumentBuf;

use crate::codec::read::Fault;
use crate::codec::write::DocumentWriter;
use crate::upsert::Item;

/// Ends a document with the hash of what was written so far, and the time it was made at.
fn item<'a>(id: &'a str, mut document: DocumentWriter, field: &'static str, made_at: DateTime<Utc>) -> Item<'a> {
    let content_hash = Digest::of(document.written()).to_string();
    document.text("content_hash", &content_hash);
    document.time(field, Some(made_at));
    Item { id, content_hash, document: document.finish(), record: None }
}

/// Reads a document, or says which one is corrupt and why.
fn decode<T>(
    entity: Entity,
    document: &RawDocumentBuf,
    decode: fn(&RawDocumentBuf) -> Result<T, Fault>,
) -> Result<T, StoreError> {
    decode(document).map_err(|fault| StoreError::corrupt(entity, document.get_str("_id").unwrap_or_default(), fault))
}
