//! Deleting what is old: at once, or by the server as time goes by.
//!
//! Retention is no change that sync follows, but a server's changes do not say why a document was deleted. So it is written
//! down in `retired_records` before it happens: which record, and between which times of the server.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use ml_core::error::StoreError;
use ml_core::record::Collection;
use mongodb::IndexModel;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, RawDocumentBuf, Timestamp, doc};
use mongodb::options::IndexOptions;

use crate::codec::instant;
use crate::error::{code, code_of};
use crate::migrations::RETIRED_RECORDS;
use crate::store::MongoDocuments;

/// How many records are deleted at a time.
const RECORDS_AT_ONCE: usize = 5000;

/// The most ids asked for in one query.
const LOOKUPS_AT_ONCE: usize = 500;

/// How long a deletion may take, in seconds, when nobody wrote down that it has ended.
const LONGEST_DELETION_SECONDS: u32 = 3600;

/// The index by which the server deletes.
const TTL_INDEX: &str = "retention";

/// A deletion that the server reports.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Deletion {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
}

impl MongoDocuments {
    /// Has the server delete records of a collection when they were ingested longer ago than `keep_for`, or keep them for
    /// ever. It looks once a minute.
    ///
    /// The feed reports such deletions like those by anyone else, so that what was synced from the records goes too. To delete
    /// old records and keep what was made of them, use [`DocumentStore::delete_ingested_before`].
    ///
    /// [`DocumentStore::delete_ingested_before`]: ml_core::document::DocumentStore::delete_ingested_before
    pub async fn set_retention(&self, collection: Collection, keep_for: Option<Duration>) -> Result<(), StoreError> {
        const OPERATION: &str = "setting the retention";
        if self.retention(collection).await? == keep_for {
            return Ok(());
        }
        let documents = self.documents(collection.name());
        self.run(OPERATION, || async {
            match documents.drop_index(TTL_INDEX).await {
                Err(err) if !is_absent(&err) => Err(err),
                _ => Ok(()),
            }
        })
        .await?;
        let Some(keep_for) = keep_for else { return Ok(()) };
        let options = IndexOptions::builder().name(TTL_INDEX.to_owned()).expire_after(keep_for).build();
        let index = IndexModel::builder().keys(doc! { "ingested_at": 1 }).options(options).build();
        self.run(OPERATION, || async { documents.create_index(index.clone()).await.map(drop) }).await
    }

    /// Returns how long the server keeps records of a collection; absent means for ever.
    pub async fn retention(&self, collection: Collection) -> Result<Option<Duration>, StoreError> {
        let documents = self.documents(collection.name());
        let list = || async {
            match documents.list_indexes().await {
                Err(err) if is_absent(&err) => Ok(Vec::new()),
                indexes => indexes?.try_collect::<Vec<IndexModel>>().await,
            }
        };
        let indexes = self.run("reading the retention", list).await?;
        let mut options = indexes.into_iter().filter_map(|index| index.options);
        Ok(options.find(|options| options.name.as_deref() == Some(TTL_INDEX)).and_then(|options| options.expire_after))
    }

    /// Deletes what was ingested before `time`, without the feed taking it for a change.
    pub(crate) async fn retire_ingested_before(
        &self,
        collection: Collection,
        time: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        const OPERATION: &str = "deleting old records";
        let conditions = instant::before("ingested_at", time);
        let filter = doc! { "$and": &conditions };
        let mut n_deleted = 0;
        loop {
            let page = self.find_ids(OPERATION, collection, &filter).await?;
            if page.is_empty() {
                return Ok(n_deleted);
            }
            let note = self.note_retirement(OPERATION, collection, &page).await?;
            let mut conditions = conditions.clone();
            conditions.push(doc! { "_id": { "$in": &page } });
            let documents = self.documents(collection.name());
            let of_page = doc! { "$and": conditions };
            let delete = || async { documents.delete_many(of_page.clone()).await };
            n_deleted += self.run(OPERATION, delete).await?.deleted_count;
            self.note_end(OPERATION, note).await?;
        }
    }

    async fn find_ids(
        &self,
        operation: &'static str,
        collection: Collection,
        filter: &Document,
    ) -> Result<Vec<String>, StoreError> {
        let documents = self.raw(collection.name());
        let find = || async {
            let find = documents.find(filter.clone()).projection(doc! { "_id": 1 }).limit(RECORDS_AT_ONCE as i64);
            find.await?.try_collect::<Vec<RawDocumentBuf>>().await
        };
        let found = self.run(operation, find).await?;
        Ok(found.iter().filter_map(|document| document.get_str("_id").ok()).map(ToOwned::to_owned).collect())
    }

    /// Writes down that these records are about to be deleted, where anyone could take it for a change.
    async fn note_retirement(
        &self,
        operation: &'static str,
        collection: Collection,
        ids: &[String],
    ) -> Result<Option<ObjectId>, StoreError> {
        let Some(from) = self.operation_time(operation).await? else { return Ok(None) };
        let note = ObjectId::new();
        let until = Timestamp { time: from.time.saturating_add(LONGEST_DELETION_SECONDS), increment: 0 };
        let retired_at = mongodb::bson::DateTime::from_millis(i64::from(from.time) * 1000);
        let notes = ids.iter().map(|id| {
            doc! {
                "collection": collection.name(), "record_id": id, "note": note, "from": from, "until": until,
                "retired_at": retired_at,
            }
        });
        let notes: Vec<Document> = notes.collect();
        let documents = self.documents(RETIRED_RECORDS);
        self.run(operation, || async { documents.insert_many(&notes).ordered(false).await.map(drop) }).await?;
        Ok(Some(note))
    }

    async fn note_end(&self, operation: &'static str, note: Option<ObjectId>) -> Result<(), StoreError> {
        let (Some(note), Some(until)) = (note, self.operation_time(operation).await?) else { return Ok(()) };
        let documents = self.documents(RETIRED_RECORDS);
        let end = doc! { "$set": { "until": until } };
        self.run(operation, || async { documents.update_many(doc! { "note": note }, end.clone()).await.map(drop) })
            .await
    }

    /// Returns the server's logical time, which a server that has no changes to report does not have.
    async fn operation_time(&self, operation: &'static str) -> Result<Option<Timestamp>, StoreError> {
        let answer = self.run(operation, || async { self.database.run_command(doc! { "ping": 1 }).await }).await?;
        Ok(answer.get_timestamp("operationTime").ok())
    }

    /// Returns which of the deletions were retention.
    pub(crate) async fn find_retired(
        &self,
        collection: Collection,
        deletions: &[Deletion],
    ) -> Result<HashSet<Deletion>, StoreError> {
        let documents = self.documents(RETIRED_RECORDS);
        let mut notes = Vec::new();
        for deletions in deletions.chunks(LOOKUPS_AT_ONCE) {
            let ids: Vec<&str> = deletions.iter().map(|deletion| deletion.id.as_str()).collect();
            let filter = doc! { "collection": collection.name(), "record_id": { "$in": ids } };
            let find = || async { documents.find(filter.clone()).await?.try_collect::<Vec<Document>>().await };
            notes.extend(self.run("reading changes", find).await?);
        }
        let mut windows: HashMap<&str, Vec<(Timestamp, Timestamp)>> = HashMap::new();
        for note in &notes {
            let (id, from, until) =
                (note.get_str("record_id"), note.get_timestamp("from"), note.get_timestamp("until"));
            if let (Ok(id), Ok(from), Ok(until)) = (id, from, until) {
                windows.entry(id).or_default().push((from, until));
            }
        }
        let is_retired = |deletion: &&Deletion| {
            let windows = windows.get(deletion.id.as_str());
            windows.is_some_and(|windows| windows.iter().any(|(from, until)| (*from..=*until).contains(&deletion.at)))
        };
        Ok(deletions.iter().filter(is_retired).cloned().collect())
    }
}

fn is_absent(error: &mongodb::error::Error) -> bool {
    matches!(code_of(error), Some(code::NAMESPACE_NOT_FOUND | code::INDEX_NOT_FOUND))
}
