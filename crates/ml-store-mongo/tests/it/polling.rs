//! The feed of a server that keeps no changes.

use std::time::Duration;

use ml_core::document::{Change, ChangeFeed as _, DocumentStore as _, ResumeToken};
use ml_core::record::Collection::TextCorpus;
use ml_core::testkit::build::{a_raw_record, record_id, second};
use ml_store_mongo::{MongoDocuments, MongoOptions};

use crate::fixture::TestDatabase;

async fn polled(database: &TestDatabase) -> MongoDocuments {
    let options = MongoOptions { change_streams: false, ..database.options.clone() };
    let store = MongoDocuments::connect(&options).await.unwrap();
    store.migrate().await.unwrap();
    store
}

async fn write(store: &MongoDocuments, id: &str, time: i64) {
    store.upsert(TextCorpus, &[a_raw_record().id(id).ingested_at(second(time)).build()]).await.unwrap();
}

async fn drain(store: &MongoDocuments, mut token: Option<ResumeToken>, limit: usize) -> (Vec<String>, ResumeToken) {
    let mut ids = Vec::new();
    loop {
        let batch = store.changes(TextCorpus, token.as_ref(), limit).await.unwrap();
        token = batch.token;
        if batch.changes.is_empty() {
            return (ids, token.unwrap());
        }
        ids.extend(batch.changes.iter().map(|change| change.id().to_string()));
    }
}

#[tokio::test]
async fn records_come_by_the_time_of_ingestion() {
    let Some(database) = TestDatabase::new() else { return };
    let store = polled(&database).await;
    for (id, time) in [("c", 1), ("b", 2), ("a", 2), ("d", 0)] {
        write(&store, id, time).await;
    }
    for limit in [1, 2, 3, 10] {
        assert_eq!(drain(&store, None, limit).await.0, ["d", "c", "a", "b"], "in batches of {limit}");
    }
    let (_, token) = drain(&store, None, 2).await;
    assert_eq!(store.latest(TextCorpus).await.unwrap(), token);
    assert_eq!(store.count_pending(TextCorpus, None).await.unwrap(), 4);
    write(&store, "e", 3).await;
    assert_eq!(store.count_pending(TextCorpus, Some(&token)).await.unwrap(), 1);
    assert_eq!(drain(&store, Some(token), 2).await.0, ["e"]);
}

#[tokio::test]
async fn what_was_just_ingested_has_to_settle() {
    let Some(database) = TestDatabase::new() else { return };
    let store = polled(&database).await;
    let far_future = 10_i64.pow(9);
    write(&store, "early", far_future).await;
    assert_eq!(drain(&store, None, 10).await.0, Vec::<String>::new());
    let batch = store.wait_for_changes(TextCorpus, None, 10, Duration::from_millis(30)).await.unwrap();
    assert_eq!(batch.changes, []);
}

#[tokio::test]
async fn records_are_given_as_they_are_now() {
    let Some(database) = TestDatabase::new() else { return };
    let store = polled(&database).await;
    write(&store, "a", 1).await;
    let current = store.current(TextCorpus, &["b", "a"].map(record_id)).await.unwrap();
    let record = a_raw_record().id("a").ingested_at(second(1)).build();
    assert_eq!(current, [Change::Deleted(record_id("b")), Change::Upserted(record)]);
}
