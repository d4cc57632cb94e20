//! The feed across reconnects, and past what no record can be made of.

use ml_core::document::{Change, ChangeBatch, ChangeFeed as _, DocumentStore as _, ResumeToken, Unreadable};
use ml_core::error::StoreError;
use ml_core::page::PageRequest;
use ml_core::record::Collection::TextCorpus;
use ml_core::testkit::build::{a_raw_record, record_id};
use ml_store_mongo::MongoDocuments;
use mongodb::Collection;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Document, Uuid, doc};
use serde_json::json;

use crate::fixture::{TestDatabase, records};

async fn text_corpus(database: &TestDatabase) -> Collection<Document> {
    database.outside().await.collection("text_corpus")
}

/// Reads until nothing comes, over a connection of its own for every batch.
async fn drain(
    database: &TestDatabase,
    mut token: Option<ResumeToken>,
    limit: usize,
) -> (Vec<Change>, Option<ResumeToken>) {
    let mut changes = Vec::new();
    loop {
        let store = database.connect().await;
        let batch = store.changes(TextCorpus, token.as_ref(), limit).await.unwrap();
        token = batch.token;
        if batch.changes.is_empty() {
            return (changes, token);
        }
        changes.extend(batch.changes);
    }
}

fn ids(changes: &[Change]) -> Vec<&str> {
    changes.iter().map(|change| change.id().as_str()).collect()
}

async fn read(store: &MongoDocuments, token: &ResumeToken) -> ChangeBatch {
    store.changes(TextCorpus, Some(token), 100).await.unwrap()
}

#[tokio::test]
async fn positions_outlive_connections() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    store.upsert(TextCorpus, &records("a", 7)).await.unwrap();
    let (snapshot, token) = drain(&database, None, 3).await;
    assert_eq!(snapshot.len(), 7);

    store.upsert(TextCorpus, &records("b", 7)).await.unwrap();
    store.delete(TextCorpus, &[record_id("a-00003")]).await.unwrap();
    let (changes, token) = drain(&database, token, 3).await;

    assert_eq!(changes.len(), 8);
    assert_eq!(changes.last(), Some(&Change::Deleted(record_id("a-00003"))));
    assert_eq!(drain(&database, token, 3).await.0, []);
}

#[tokio::test]
async fn a_deletion_is_told_before_the_record_comes_back() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    let written = records("a", 2);
    store.upsert(TextCorpus, &written).await.unwrap();
    let token = store.latest(TextCorpus).await.unwrap();
    // Whether the version that comes back is older than the one that went is for the reader to see.
    store.delete(TextCorpus, &[written[0].id.clone()]).await.unwrap();
    store.upsert(TextCorpus, &written[..1]).await.unwrap();
    store.delete(TextCorpus, &[written[1].id.clone()]).await.unwrap();
    let expected = [
        Change::Deleted(written[0].id.clone()),
        Change::Upserted(written[0].clone()),
        Change::Deleted(written[1].id.clone()),
    ];
    assert_eq!(read(&store, &token).await.changes, expected);
}

#[tokio::test]
async fn documents_are_found_by_ids_of_other_types() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    let (object_id, uuid) = (ObjectId::new(), Uuid::new());
    let documents = text_corpus(&database).await;
    for id in [Bson::ObjectId(object_id), Bson::Int32(7), Bson::from(uuid)] {
        let insert = documents.insert_one(doc! { "_id": id });
        insert.bypass_document_validation(true).await.unwrap();
    }
    let ids = [object_id.to_hex(), "7".to_owned(), uuid.to_string()].map(|id| record_id(&id));
    let found = store.current(TextCorpus, &ids).await.unwrap();
    assert!(found.iter().all(|change| matches!(change, Change::Undecodable { .. })), "{found:?}");
    assert_eq!(found.iter().map(Change::id).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn documents_with_ids_of_any_kind_are_listed_and_found() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    store.upsert(TextCorpus, &records("r", 3)).await.unwrap();
    let documents = text_corpus(&database).await;
    let long = "x".repeat(513);
    let date = mongodb::bson::DateTime::from_millis(1_700_000_000_000);
    let strangers = [
        Bson::ObjectId(ObjectId::new()),
        Bson::Int64(i64::MAX),
        Bson::Int32(-7),
        Bson::Double(1.5),
        Bson::Boolean(true),
        Bson::DateTime(date),
        Bson::from(Uuid::new()),
        Bson::Document(doc! { "symbol": "ABC", "day": date }),
        Bson::from("line\nbreak"),
        Bson::from("\u{85}"),
        Bson::from("\u{3000}"),
        Bson::from(""),
        Bson::from(long.as_str()),
    ];
    for id in &strangers {
        let insert = documents.insert_one(doc! { "_id": id });
        insert.bypass_document_validation(true).await.unwrap();
    }
    // As long as an id may be, and nearly.
    let ids_of_records = [&long[1..], &long[..200]];
    for id in ids_of_records {
        store.upsert(TextCorpus, &[a_raw_record().id(id).build()]).await.unwrap();
    }
    let (changes, _) = drain(&database, None, 100).await;
    let is_foreign = |change: &&Change| matches!(change, Change::Undecodable { .. });
    let mut expected: Vec<_> = changes.iter().filter(is_foreign).map(|change| change.id().clone()).collect();
    expected.sort();
    assert_eq!(expected.len(), strangers.len(), "{expected:?}");
    for limit in [1, 2, 5, 100] {
        let (mut listed, mut next) = (Vec::new(), Some(PageRequest::first(limit)));
        while let Some(request) = next {
            let page = store.list_foreign_ids(TextCorpus, request).await.unwrap();
            listed.extend(page.items);
            next = page.next_cursor.map(|cursor| PageRequest::first(limit).after(cursor));
        }
        listed.sort();
        assert_eq!(listed, expected, "in pages of {limit}");
        let (mut n_listed, mut next) = (0, Some(PageRequest::first(limit)));
        while let Some(request) = next {
            let page = store.list_hashes(TextCorpus, request).await.unwrap();
            n_listed += page.items.len();
            next = page.next_cursor.map(|cursor| PageRequest::first(limit).after(cursor));
        }
        assert_eq!(n_listed, 3 + ids_of_records.len(), "in pages of {limit}");
    }
    let current = store.current(TextCorpus, &expected).await.unwrap();
    assert!(current.iter().all(|change| is_foreign(&change)), "{current:?}");
    assert_eq!(current.iter().map(Change::id).collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
    let absent = [record_id("r-9"), record_id("unnamed-0"), record_id("1.25")];
    let current = store.current(TextCorpus, &absent).await.unwrap();
    assert_eq!(current, absent.map(Change::Deleted));
}

#[tokio::test]
async fn what_is_written_during_the_snapshot_comes_after_it() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    store.upsert(TextCorpus, &records("m", 4)).await.unwrap();
    let batch = store.changes(TextCorpus, None, 2).await.unwrap();
    assert_eq!(ids(&batch.changes), ["m-00000", "m-00001"]);

    // Behind the place that was reached, a change of what was read, and the deletion of what was not.
    store.upsert(TextCorpus, &records("a", 1)).await.unwrap();
    let changed = a_raw_record().id("m-00000").content(json!("changed")).build();
    store.upsert(TextCorpus, std::slice::from_ref(&changed)).await.unwrap();
    store.delete(TextCorpus, &[record_id("m-00003")]).await.unwrap();

    let (rest, _) = drain(&database, batch.token, 2).await;
    assert_eq!(ids(&rest), ["m-00002", "a-00000", "m-00000", "m-00003"]);
    assert_eq!(rest[2], Change::Upserted(changed));
}

#[tokio::test]
async fn what_other_programs_write_never_stops_the_feed() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    let documents = text_corpus(&database).await;
    let start = store.latest(TextCorpus).await.unwrap();
    let object_id = ObjectId::new();
    let strangers =
        [doc! { "_id": object_id, "headline": "no record" }, doc! { "_id": 7, "n": 1 }, doc! { "_id": "r0", "n": 2 }];
    documents.insert_many(&strangers).bypass_document_validation(true).await.unwrap();
    store.upsert(TextCorpus, &records("r", 1)).await.unwrap();

    for limit in [1, 2, 3, 10] {
        for token in [None, Some(start.clone())] {
            let (changes, _) = drain(&database, token, limit).await;
            let mut found = ids(&changes);
            found.sort_unstable();
            let mut expected = ["7", object_id.to_hex().as_str(), "r-00000", "r0"].map(ToOwned::to_owned);
            expected.sort();
            assert_eq!(found, expected);
            let undecodable = changes.iter().find(|change| change.id().as_str() == object_id.to_hex()).unwrap();
            let Change::Undecodable { fault, content, reason, .. } = undecodable else { panic!("{undecodable:?}") };
            assert_eq!(*fault, Unreadable::Malformed);
            assert_eq!(*content, json!({"_id": object_id.to_hex(), "headline": "no record"}));
            assert!(reason.contains("`_id` is of the type ObjectId"), "{reason}");
        }
    }
    let current = store.current(TextCorpus, &[record_id(&object_id.to_hex()), record_id("r0")]).await.unwrap();
    assert!(current.iter().all(|change| matches!(change, Change::Undecodable { .. })), "{current:?}");
    assert_eq!(store.count_pending(TextCorpus, None).await.unwrap(), 4);
    assert_eq!(store.count_pending(TextCorpus, Some(&start)).await.unwrap(), 4);
}

#[tokio::test]
async fn updates_by_other_programs_come_with_the_whole_record() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    store.upsert(TextCorpus, &records("r", 2)).await.unwrap();
    let token = store.latest(TextCorpus).await.unwrap();
    let update = doc! { "$set": { "source": "desk" }, "$unset": { "raw_content.body": "" } };
    text_corpus(&database).await.update_one(doc! { "_id": "r-00001" }, update).await.unwrap();

    let batch = read(&store, &token).await;

    let [Change::Upserted(record)] = &batch.changes[..] else { panic!("{batch:?}") };
    assert_eq!(record.source.as_deref(), Some("desk"));
    assert_eq!(record.raw_content, json!({"headline": "Shares rise"}));
}

#[tokio::test]
async fn an_event_that_is_too_large_is_stepped_over() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    let token = store.latest(TextCorpus).await.unwrap();
    // As large as a document may be, but for a little.
    let body = "x".repeat(16 * 1024 * 1024 - 700);
    store.upsert(TextCorpus, &[a_raw_record().id("large").content(json!(body)).build()]).await.unwrap();
    store.upsert(TextCorpus, &records("r", 1)).await.unwrap();

    let (changes, _) = drain(&database, Some(token), 10).await;

    assert_eq!(ids(&changes), ["large", "r-00000"]);
    let Change::Upserted(record) = &changes[0] else { panic!("the document alone can be read") };
    assert!(record.raw_content.as_str() == Some(&body));
}

#[tokio::test]
async fn a_dropped_collection_ends_the_position() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    let token = store.latest(TextCorpus).await.unwrap();
    store.upsert(TextCorpus, &records("r", 1)).await.unwrap();
    text_corpus(&database).await.drop().await.unwrap();

    let batch = read(&store, &token).await;
    assert_eq!(ids(&batch.changes), ["r-00000"], "what came before is told");
    let error = store.changes(TextCorpus, batch.token.as_ref(), 10).await.unwrap_err();

    assert!(matches!(error, StoreError::Expired { .. }), "{error:?}");
    let latest = store.latest(TextCorpus).await.unwrap();
    store.upsert(TextCorpus, &records("s", 1)).await.unwrap();
    assert_eq!(ids(&read(&store, &latest).await.changes), ["s-00000"]);
}
