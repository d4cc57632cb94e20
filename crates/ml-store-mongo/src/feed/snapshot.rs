//! What was there when a reader began, by id: first the ids that are texts, then those that other programs gave.
//!
//! The cursor stays open between two calls that follow one another, for some servers look at all that is left for every query.
//! While what came is decoded, the server is asked for the next documents already.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use futures::StreamExt as _;
use ml_core::document::Change;
use ml_core::error::StoreError;
use ml_core::record::Collection;
use mongodb::bson::{Bson, Document, RawDocument, doc};
use mongodb::raw_batch_cursor::{RawBatch, RawBatchCursor};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::token::{Position, Snapshot};
use super::{OPERATION, change};
use crate::store::MongoDocuments;

/// How many documents the server sends at once.
const BATCH_SIZE: u32 = 2_500;

/// How many of those wait here at most, beside the one at hand.
const BATCHES_AHEAD: usize = 2;

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
    batches: mpsc::Receiver<mongodb::error::Result<RawBatch>>,
    /// What reads from the cursor; it ends when this is dropped.
    _reading: JoinSet<()>,
    /// The last id given out.
    after: Option<Bson>,
    waiting: VecDeque<Found>,
}

/// A document, decoded, and its id as it is on the server.
struct Found {
    id: Option<Bson>,
    change: Change,
}

impl Found {
    fn of(document: &RawDocument) -> Found {
        let id = document.get("_id").ok().flatten().and_then(|id| id.try_into().ok());
        Found { id, change: change::upserted(document) }
    }
}

impl OpenSnapshot {
    fn new(mut cursor: RawBatchCursor, after: Option<Bson>) -> OpenSnapshot {
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let mut reading = JoinSet::new();
        reading.spawn(async move {
            while let Some(batch) = cursor.next().await {
                let has_failed = batch.is_err();
                if sender.send(batch).await.is_err() || has_failed {
                    break;
                }
            }
        });
        OpenSnapshot { batches, _reading: reading, after, waiting: VecDeque::new() }
    }

    /// Returns up to `limit` documents; fewer at the end.
    async fn read(&mut self, limit: usize) -> mongodb::error::Result<Vec<Change>> {
        while self.waiting.len() < limit {
            let Some(batch) = self.batches.recv().await else { break };
            self.waiting.extend(decoded(batch?).await?);
        }
        let mut changes = Vec::with_capacity(limit.min(self.waiting.len()));
        for Found { id, change } in self.waiting.drain(..limit.min(self.waiting.len())) {
            self.after = id.or(self.after.take());
            changes.push(change);
        }
        Ok(changes)
    }
}

/// Decodes a batch, which takes a while, where nobody waits for the thread to send or to receive.
async fn decoded(batch: RawBatch) -> mongodb::error::Result<Vec<Found>> {
    let decode = move || {
        let documents = batch.doc_slices()?.into_iter();
        let found = documents.map(|document| Ok(document?.as_document().map(Found::of)));
        found.filter_map(Result::transpose).collect()
    };
    match tokio::task::spawn_blocking(decode).await {
        Ok(found) => found,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
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
        let Snapshot { stream, mut after } = snapshot;
        let mut changes = Vec::new();
        if after.as_ref().is_none_or(|id| id.as_str().is_some()) {
            (changes, after) = self.read_texts(collection, after, limit).await?;
        }
        if changes.len() < limit {
            let others = others_after(after.as_ref().filter(|id| id.as_str().is_none()));
            let found = self.find_page(OPERATION, collection.name(), others, None, limit - changes.len()).await?;
            for document in &found {
                let Found { id, change } = Found::of(document);
                after = id.or(after);
                changes.push(change);
            }
        }
        let position = match after.filter(|_| changes.len() == limit) {
            Some(id) => Position::Snapshot(Snapshot { stream, after: Some(id) }),
            None => Position::Streamed(stream),
        };
        Ok((changes, position))
    }

    /// Returns documents whose ids are texts, and the last id.
    async fn read_texts(
        &self,
        collection: Collection,
        after: Option<Bson>,
        limit: usize,
    ) -> Result<(Vec<Change>, Option<Bson>), StoreError> {
        let documents = self.raw(collection.name());
        let after = after.as_ref();
        self.run(OPERATION, || async {
            let mut snapshot = match self.snapshots.take(collection, after) {
                Some(snapshot) => snapshot,
                None => {
                    let find = documents.find(texts_after(after)).sort(doc! { "_id": 1 }).batch_size(BATCH_SIZE);
                    OpenSnapshot::new(find.batch().await?, after.cloned())
                }
            };
            let changes = snapshot.read(limit).await?;
            let last = snapshot.after.clone();
            if changes.len() == limit {
                self.snapshots.put(collection, snapshot);
            }
            Ok((changes, last))
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
