//! What was there when a reader began, by id: first the ids that are texts, then those that other programs gave.

use ml_core::document::Change;
use ml_core::error::StoreError;
use ml_core::record::Collection;
use mongodb::bson::{Bson, Document, RawDocumentBuf, doc};

use super::token::{Position, Snapshot};
use super::{OPERATION, change};
use crate::store::MongoDocuments;

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
            found = self.find_page(OPERATION, collection.name(), texts_after(after.as_ref()), None, limit).await?;
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

/// Returns the filter for ids of other types. A comparison in a filter keeps to one type, one in an expression does not.
fn others_after(id: Option<&Bson>) -> Document {
    let is_no_text = doc! { "_id": { "$not": { "$gte": "" } } };
    match id {
        Some(id) => doc! { "$and": [is_no_text, { "$expr": { "$gt": ["$_id", { "$literal": id }] } }] },
        None => is_no_text,
    }
}

fn id_of(document: &RawDocumentBuf) -> Option<Bson> {
    document.get("_id").ok()??.try_into().ok()
}
