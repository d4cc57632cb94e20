//! Changes of a server that keeps none: what was ingested since, by the time of ingestion and the id.
//!
//! A record is given a time before it is written, so that one can turn up behind a reader. Readers therefore stay a few
//! seconds behind the server's clock; whoever needs more than that, or deletions, needs a replica set.

use futures::TryStreamExt as _;
use ml_core::document::Change;
use ml_core::error::StoreError;
use ml_core::record::Collection;
use mongodb::bson::{DateTime, Document, RawDocumentBuf, doc};

use super::token::Position;
use super::{OPERATION, change};
use crate::store::MongoDocuments;

/// How far behind the server's clock a reader stays.
const SETTLING_MS: i64 = 3_000;

impl MongoDocuments {
    /// Reads what was ingested after a record.
    pub(super) async fn polled_after(
        &self,
        collection: Collection,
        after: Option<(i64, String)>,
        limit: usize,
    ) -> Result<(Vec<Change>, Position), StoreError> {
        let filter = self.settled_after(after.as_ref()).await?;
        let found = self.find_ingested(collection, filter, 1, limit).await?;
        let last = found.last().and_then(place_of).or(after);
        let changes = found.iter().map(|document| change::upserted(document)).collect();
        Ok((changes, Position::Polled { after: last }))
    }

    /// Returns the position after everything that has settled.
    pub(super) async fn latest_polled(&self, collection: Collection) -> Result<Position, StoreError> {
        let filter = self.settled_after(None).await?;
        let found = self.find_ingested(collection, filter, -1, 1).await?;
        Ok(Position::Polled { after: found.first().and_then(place_of) })
    }

    /// Returns the filter for what was ingested after a record and is old enough to be read.
    pub(super) async fn settled_after(&self, after: Option<&(i64, String)>) -> Result<Document, StoreError> {
        let hello = self.run(OPERATION, || async { self.database.run_command(doc! { "hello": 1 }).await }).await?;
        let now = hello.get_datetime("localTime").map_or(i64::MAX, |now| now.timestamp_millis());
        let settled = doc! { "ingested_at": { "$lte": DateTime::from_millis(now.saturating_sub(SETTLING_MS)) } };
        let Some((millis, id)) = after else { return Ok(settled) };
        let time = DateTime::from_millis(*millis);
        let later = doc! { "$or": [{ "ingested_at": { "$gt": time } }, { "ingested_at": time, "_id": { "$gt": id } }] };
        Ok(doc! { "$and": [settled, later] })
    }

    async fn find_ingested(
        &self,
        collection: Collection,
        filter: Document,
        direction: i32,
        limit: usize,
    ) -> Result<Vec<RawDocumentBuf>, StoreError> {
        let documents = self.raw(collection.name());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let find = || async {
            let order = doc! { "ingested_at": direction, "_id": direction };
            documents.find(filter.clone()).sort(order).limit(limit).await?.try_collect().await
        };
        self.run(OPERATION, find).await
    }
}

fn place_of(document: &RawDocumentBuf) -> Option<(i64, String)> {
    let ingested_at = document.get_datetime("ingested_at").ok()?;
    Some((ingested_at.timestamp_millis(), document.get_str("_id").ok()?.to_owned()))
}
