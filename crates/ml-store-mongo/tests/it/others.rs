//! Other programs read and query the collections as they would any.

use ml_core::document::DocumentStore as _;
use ml_core::record::Collection::TextCorpus;
use ml_core::testkit::build::{a_raw_record, at};
use mongodb::bson::{DateTime, Document, doc};
use serde_json::json;

use crate::fixture::TestDatabase;

#[tokio::test]
async fn documents_can_be_queried_by_their_fields() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    let content =
        json!({"headline": "Shares rise", "n_words": 12, "tags": ["markets"], "author": {"name": "Ann"}, "a.b": 1});
    let record = a_raw_record().content(content).source("wire").ingested_at(at("2026-01-05T10:20:30.123456Z")).build();
    store.upsert(TextCorpus, &[record]).await.unwrap();
    let documents = database.outside().await.collection::<Document>("text_corpus");
    for filter in [
        doc! { "raw_content.headline": "Shares rise" },
        doc! { "raw_content.n_words": { "$gt": 11 } },
        doc! { "raw_content.tags": "markets" },
        doc! { "raw_content.author.name": "Ann" },
        doc! { "raw_content.a．b": 1 },
        doc! { "source": "wire", "data_type": "text", "source_app": "newsroom" },
        doc! { "ingested_at": DateTime::from_millis(1_767_608_430_123), "micros.ingested_at": 456 },
    ] {
        let n_found = documents.count_documents(filter.clone()).await.unwrap();
        assert_eq!(n_found, 1, "{filter}");
    }
}

#[tokio::test]
async fn a_document_that_is_no_record_is_refused() {
    let Some(database) = TestDatabase::new() else { return };
    let _store = database.migrated().await;
    let documents = database.outside().await.collection::<Document>("text_corpus");
    let error = documents.insert_one(doc! { "_id": "r1", "headline": "no record" }).await.unwrap_err();
    assert!(error.to_string().contains("121"), "{error}");
}

#[tokio::test]
async fn a_spoiled_record_is_reported_and_mended_by_writing_it_again() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    let record = a_raw_record().build();
    store.upsert(TextCorpus, std::slice::from_ref(&record)).await.unwrap();
    let documents = database.outside().await.collection::<Document>("text_corpus");
    let spoil = documents.update_one(doc! {}, doc! { "$unset": { "content_hash": "" } });
    spoil.bypass_document_validation(true).await.unwrap();

    let error = store.get(TextCorpus, &record.id).await.unwrap_err();
    assert!(matches!(error, ml_core::error::StoreError::Corrupt { .. }), "{error:?}");
    let hashes = store.list_hashes(TextCorpus, ml_core::page::PageRequest::first(10)).await.unwrap();
    assert_eq!(hashes.items[0].content_hash, None);

    let counts = store.upsert(TextCorpus, std::slice::from_ref(&record)).await.unwrap();
    assert_eq!(counts.changed, 1);
    assert_eq!(store.get(TextCorpus, &record.id).await.unwrap(), record);
}
