//! Raw records: bulk upsert, listing, counting, deleting.

mod filter;

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use ml_core::document::{DocumentStore, RecordHash, RecordQuery, UpsertCounts};
use ml_core::error::{Entity, StoreError};
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::record::{Collection, RawRecord};
use mongodb::bson::{Document, RawDocumentBuf, doc};

use crate::codec::record;
use crate::store::MongoDocuments;
use crate::upsert::{Item, Order, Target};

/// How many documents the server sends at once.
pub(crate) const BATCH_SIZE: usize = 10_000;

#[async_trait]
impl DocumentStore for MongoDocuments {
    async fn upsert(&self, collection: Collection, records: &[RawRecord]) -> Result<UpsertCounts, StoreError> {
        let items: Vec<Item<'_>> = records.iter().map(Item::of_record).collect();
        let target = Target { collection: collection.name(), entity: Entity::RawRecord, time_field: "ingested_at" };
        let known = self.lookup_first(collection);
        let order = if known.load(Ordering::Relaxed) { Order::LookupFirst } else { Order::InsertFirst };
        let counts = self.upsert_items("writing records", target, items, order).await?;
        // Whoever ingests a file for the second time does so for all of it.
        known.store(counts.inserted < counts.total() / 2, Ordering::Relaxed);
        Ok(counts)
    }

    async fn get(&self, collection: Collection, id: &RecordId) -> Result<RawRecord, StoreError> {
        let documents = self.raw(collection.name());
        let found = self
            .run("reading a record", || async { documents.find_one(doc! { "_id": id.as_str() }).await })
            .await?
            .ok_or_else(|| StoreError::not_found(Entity::RawRecord, id))?;
        decode(&found)
    }

    async fn list(
        &self,
        collection: Collection,
        query: &RecordQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RawRecord, RecordId>, StoreError> {
        let filter = filter::of(query, page.cursor());
        let found = self.find_page("listing records", collection.name(), filter, None, page.limit() + 1).await?;
        let records = found.iter().map(decode).collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Page::from_lookahead(records, page.limit(), |record| record.id.clone()))
    }

    async fn count(&self, collection: Collection, query: &RecordQuery) -> Result<u64, StoreError> {
        let documents = self.raw(collection.name());
        let filter = filter::of(query, None);
        self.run("counting records", || async { documents.count_documents(filter.clone()).await }).await
    }

    async fn list_hashes(
        &self,
        collection: Collection,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RecordHash, RecordId>, StoreError> {
        let mut hashes = Vec::new();
        let mut after = page.cursor().map_or_else(String::new, |id| id.as_str().to_owned());
        // Texts that are no ids are left out, and may be any number.
        while hashes.len() <= page.limit() {
            let limit = page.limit() + 1 - hashes.len();
            let fields = Some(doc! { "content_hash": 1 });
            let filter = doc! { "_id": { "$gt": &after } };
            let found = self.find_page("listing hashes", collection.name(), filter, fields, limit).await?;
            hashes.extend(found.iter().filter_map(hash_of));
            let Some(last) = found.last().filter(|_| found.len() == limit) else { break };
            id_of(last).clone_into(&mut after);
        }
        Ok(Page::from_lookahead(hashes, page.limit(), |hash| hash.id.clone()))
    }

    async fn delete(&self, collection: Collection, ids: &[RecordId]) -> Result<u64, StoreError> {
        let ids: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
        self.delete_by_ids("deleting records", collection.name(), &ids).await
    }

    async fn delete_ingested_before(&self, collection: Collection, instant: DateTime<Utc>) -> Result<u64, StoreError> {
        self.retire_ingested_before(collection, instant).await
    }
}

impl MongoDocuments {
    /// Finds documents by ascending id.
    pub(crate) async fn find_page(
        &self,
        operation: &'static str,
        collection: &str,
        filter: Document,
        projection: Option<Document>,
        limit: usize,
    ) -> Result<Vec<RawDocumentBuf>, StoreError> {
        let documents = self.raw(collection);
        self.run(operation, || async {
            let find = documents
                .find(filter.clone())
                .sort(doc! { "_id": 1 })
                .limit(i64::try_from(limit).unwrap_or(i64::MAX))
                .batch_size(limit.min(BATCH_SIZE) as u32);
            let find = match &projection {
                Some(projection) => find.projection(projection.clone()),
                None => find,
            };
            find.await?.try_collect().await
        })
        .await
    }
}

fn decode(document: &RawDocumentBuf) -> Result<RawRecord, StoreError> {
    record::decode(document).map_err(|fault| StoreError::corrupt(Entity::RawRecord, id_of(document), fault))
}

/// Returns the hash of a record; of what has no id of a record, none.
fn hash_of(document: &RawDocumentBuf) -> Option<RecordHash> {
    let id = RecordId::parse(id_of(document)).ok()?;
    let content_hash = document.get_str("content_hash").ok().and_then(|text| text.parse().ok());
    Some(RecordHash { id, content_hash })
}

fn id_of(document: &RawDocumentBuf) -> &str {
    document.get_str("_id").unwrap_or_default()
}
