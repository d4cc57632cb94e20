//! Collections, indexes and validators come and go.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use ml_core::testkit::concurrently::concurrently;
use ml_store_mongo::MongoDocuments;
use mongodb::Database;
use mongodb::bson::{Document, doc};

use crate::fixture::TestDatabase;

/// Lists the indexes of every collection, without the one that each has.
async fn schema(database: &Database) -> BTreeMap<String, Vec<String>> {
    let mut schema = BTreeMap::new();
    for name in database.list_collection_names().await.unwrap() {
        let mut indexes = database.collection::<Document>(&name).list_index_names().await.unwrap();
        indexes.retain(|index| index != "_id_");
        indexes.sort();
        schema.insert(name, indexes);
    }
    schema
}

#[tokio::test]
async fn migrations_go_both_ways() {
    let Some(database) = TestDatabase::new() else { return };
    let outside = database.outside().await;
    let store = database.connect().await;
    let pending = store.pending_migrations().await.unwrap();

    assert_eq!(store.migrate().await.unwrap(), pending);

    let migrated = schema(&outside).await;
    assert_eq!(migrated["raw_records"], ["by_data_type", "by_origin", "by_scrape_time", "feed_order"]);
    assert_eq!(migrated["text_corpus"], ["by_origin", "by_scrape_time", "feed_order"]);
    assert_eq!(migrated["predictions"], ["by_model", "by_record", "by_time"]);
    assert_eq!(migrated["retired_records"], ["by_note", "by_record", "forget"]);
    assert_eq!(migrated["model_performance"], ["by_time"]);
    assert_eq!(migrated.len(), 11, "{migrated:?}");
    assert_eq!(store.pending_migrations().await.unwrap(), Vec::<String>::new());
    assert_eq!(store.migrate().await.unwrap(), Vec::<String>::new());

    store.revert_migrations().await.unwrap();
    assert_eq!(schema(&outside).await, BTreeMap::new());
    assert_eq!(store.migrate().await.unwrap(), pending);
    assert_eq!(schema(&outside).await, migrated);
}

#[tokio::test]
async fn a_collection_that_is_there_is_taken_over() {
    let Some(database) = TestDatabase::new() else { return };
    let outside = database.outside().await;
    let records = outside.collection::<Document>("raw_records");
    records.insert_one(doc! { "_id": "r1", "headline": "from before" }).await.unwrap();

    let store = database.migrated().await;

    assert!(!schema(&outside).await["raw_records"].is_empty());
    let found: Vec<Document> = records.find(doc! {}).await.unwrap().try_collect().await.unwrap();
    assert_eq!(found, [doc! { "_id": "r1", "headline": "from before" }]);
    records.insert_one(doc! { "_id": "r2", "headline": "after" }).await.unwrap_err();
    drop(store);
}

#[tokio::test]
async fn two_processes_may_migrate_at_once() {
    let Some(database) = TestDatabase::new() else { return };
    let stores = [database.connect().await, database.connect().await];
    for outcome in concurrently(stores.iter().map(MongoDocuments::migrate)).await {
        outcome.unwrap();
    }
    assert_eq!(stores[0].pending_migrations().await.unwrap(), Vec::<String>::new());
    assert_eq!(schema(&database.outside().await).await.len(), 11);
}
