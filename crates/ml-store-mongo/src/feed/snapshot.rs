//! What was there when a reader began, by id: first the ids that are texts, then those that other programs gave.
//!
//! The cursor stays open between two calls that follow one another, for some servers look at all that is left for every query.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use futures::StreamExt as _;
use ml_core::document::Change;
use ml_core::error::StoreError;
use ml_core::record::Collection;
use mongodb::bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};
use mongodb::raw_batch_cursor::RawBatchCursor;

use super::token::{Position, Snapshot};
use super::{OPERATION, change};
use crate::store::MongoDocuments;

/// How many documents the server sends at once.
const BATCH_SIZE: u32 = 5_000;

/// The snapshots that nobody reads from just now, each at the id where its reader stopped.
#[derive(Default)]
pub(crate) struct Snapshots {
    idle: Mutex<HashMap<Collection, OpenSnapshot>>,
}

impl Snapshots {
    fn take(&self, collection: Collection, after: Option<&Bson>) -> Option<OpenSnapshot> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.remove(&collection).filter(|snapshot| snapshot.after.as_ref() == after)
    }

    fn put(&self, collection: Collection, snapshot: OpenSnapshot) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).insert(collection, snapshot);
    }
}

/// A cursor on the server, and what came from it and was not asked for yet.
struct OpenSnapshot {
    cursor: RawBatchCursor,
    /// The last id given out.
    after: Option<Bson>,
    documents: VecDeque<RawDocumentBuf>,
    has_ended: bool,
}

impl OpenSnapshot {
    async fn read(&mut self, limit: usize) -> mongodb::error::Result<Vec<RawDocumentBuf>> {
        while self.documents.len() < limit && !self.has_ended {
            match self.cursor.next().await {
                None => self.has_ended = true,
                Some(batch) => {
                    for document in batch?.doc_slices()? {
                        self.documents.extend(document?.as_document().map(RawDocument::to_owned));
                    }
                }
            }
        }
        let found: Vec<RawDocumentBuf> = self.documents.drain(..limit.min(self.documents.len())).collect();
        self.after = found.last().and_then(id_of).or(self.after.take());
        Ok(found)
    }
}

impl MongoDocuments {
    /// Reads on in the snapshot; at its end the position is the one that the stream had before.
    pub(super) async fn snapshot_after(
        &self,
        collection: Collection,
        snapshot: Snapshot,
        limit: usize,
    ) -> Result<(Vec<Change>, Position), StoreError> {
        let Snapshot { stream, after } = snapshot;
        let mut found = Vec::new();
        if after.as_ref().is_none_or(|id| id.as_str().is_some()) {
            found = self.read_texts(collection, after.as_ref(), limit).await?;
        }
        if found.len() < limit {
            let after = after.filter(|id| id.as_str().is_none());
            let left = limit - found.len();
            found.extend(self.find_page(OPERATION, collection.name(), others_after(after.as_ref()), None, left).await?);
        }
        let changes: Vec<Change> = found.iter().map(|document| change::upserted(document)).collect();
        let last = found.last().filter(|_| found.len() == limit).and_then(id_of);
        let position = match last {
            Some(id) => Position::Snapshot(Snapshot { stream, after: Some(id) }),
            None => Position::Streamed(stream),
        };
        Ok((changes, position))
    }

    async fn read_texts(
        &self,
        collection: Collection,
        after: Option<&Bson>,
        limit: usize,
    ) -> Result<Vec<RawDocumentBuf>, StoreError> {
        let documents = self.raw(collection.name());
        self.run(OPERATION, || async {
            let mut snapshot = match self.snapshots.take(collection, after) {
                Some(snapshot) => snapshot,
                None => OpenSnapshot {
                    cursor: documents
                        .find(texts_after(after))
                        .sort(doc! { "_id": 1 })
                        .batch_size(BATCH_SIZE)
                        .batch()
                        .await?,
                    after: after.cloned(),
                    documents: VecDeque::new(),
                    has_ended: false,
                },
            };
            let found = snapshot.read(limit).await?;
            if found.len() == limit {
                self.snapshots.put(collection, snapshot);
            }
            Ok(found)
        })
        .await
    }
}

/// Returns the filter for what is left of the snapshot.
pub(super) fn rest_after(after: Option<&Bson>) -> Document {
    match after {
        None => doc! {},
        Some(Bson::String(_)) => doc! { "$or": [texts_after(after), others_after(None)] },
        Some(_) => others_after(after),
    }
}

fn texts_after(id: Option<&Bson>) -> Document {
    match id {
        Some(id) => doc! { "_id": { "$gt": id } },
        None => doc! { "_id": { "$gte": "" } },
    }
}

fn others_after(id: Option<&Bson>) -> Document {
    those_after(is_no_text(), id)
}

/// Returns the filter for ids of other types.
pub(super) fn is_no_text() -> Document {
    doc! { "_id": { "$not": { "$gte": "" } } }
}

/// Restricts a filter to ids after `id`, of any type. A comparison in a filter keeps to one type, one in an expression does not.
pub(super) fn those_after(filter: Document, id: Option<&Bson>) -> Document {
    match id {
        Some(id) => doc! { "$and": [filter, { "$expr": { "$gt": ["$_id", { "$literal": id }] } }] },
        None => filter,
    }
}

pub(super) fn id_of(document: &RawDocumentBuf) -> Option<Bson> {
    document.get("_id").ok()??.try_into().ok()
}
