//! What the server deletes by itself, and which deletions are no changes.

use std::time::Duration;

use futures::TryStreamExt as _;
use ml_core::document::{Change, ChangeFeed as _, DocumentStore as _};
use ml_core::record::Collection::TextCorpus;
use ml_core::testkit::build::{a_raw_record, record_id, second};
use ml_store_mongo::MongoDocuments;
use mongodb::IndexModel;
use mongodb::bson::{Document, doc};

use crate::fixture::{TestDatabase, records};

/// Returns what the index says that the server deletes by.
async fn expires_after(database: &TestDatabase) -> Option<Duration> {
    let documents = database.outside().await.collection::<Document>("text_corpus");
    let indexes: Vec<IndexModel> = documents.list_indexes().await.unwrap().try_collect().await.unwrap();
    indexes.into_iter().find_map(|index| index.options?.expire_after)
}

#[tokio::test]
async fn retention_is_set_altered_and_lifted() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    let days = |n: u64| Some(Duration::from_secs(n * 24 * 3600));
    assert_eq!(store.retention(TextCorpus).await.unwrap(), None);
    for keep_for in [days(30), days(30), days(7), None, None, days(1)] {
        store.set_retention(TextCorpus, keep_for).await.unwrap();
        assert_eq!(store.retention(TextCorpus).await.unwrap(), keep_for);
        assert_eq!(expires_after(&database).await, keep_for);
    }
    assert_eq!(store.retention(ml_core::record::Collection::RawRecords).await.unwrap(), None);
}

async fn write_at(store: &MongoDocuments, id: &str, time: i64) {
    store.upsert(TextCorpus, &[a_raw_record().id(id).ingested_at(second(time)).build()]).await.unwrap();
}

#[tokio::test]
async fn a_record_that_came_back_can_be_deleted() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    write_at(&store, "a", 1).await;
    let token = store.latest(TextCorpus).await.unwrap();
    store.delete_ingested_before(TextCorpus, second(2)).await.unwrap();
    write_at(&store, "a", 3).await;
    // By another program, which knows nothing of our notes.
    let documents = database.outside().await.collection::<Document>("text_corpus");
    documents.delete_one(doc! { "_id": "a" }).await.unwrap();

    let batch = store.changes(TextCorpus, Some(&token), 10).await.unwrap();

    assert_eq!(batch.changes, [Change::Deleted(record_id("a"))]);
    assert_eq!(store.count_pending(TextCorpus, Some(&token)).await.unwrap(), 2);
}

#[tokio::test]
async fn a_large_retention_is_no_change() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    store.upsert(TextCorpus, &records("r", 12_000)).await.unwrap();
    let token = store.latest(TextCorpus).await.unwrap();

    assert_eq!(store.delete_ingested_before(TextCorpus, second(1)).await.unwrap(), 12_000);

    let batch = store.changes(TextCorpus, Some(&token), usize::MAX).await.unwrap();
    assert_eq!(batch.changes, []);
    assert_eq!(store.count_pending(TextCorpus, Some(&token)).await.unwrap(), 0);
}
