//! Reading what another program wrote: by the column types, and what does not decode.

use ml_core::document::{Change, ChangeFeed as _, DocumentStore as _, RecordQuery, ResumeToken, Unreadable};
use ml_core::error::StoreError;
use ml_core::page::PageRequest;
use ml_core::record::Collection;
use ml_core::testkit::build::a_raw_record;
use serde_json::json;

use crate::fixture::{documents_at, execute};

#[tokio::test]
async fn a_corrupt_document_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.sqlite");
    let store = documents_at(&path).await;
    let record = a_raw_record().id("broken").build();
    store.upsert(Collection::TextCorpus, std::slice::from_ref(&record)).await.unwrap();
    execute(&path, "UPDATE text_corpus SET raw_content = '{\"headline\": '");

    let corrupt = |error: StoreError| {
        assert!(matches!(&error, StoreError::Corrupt { key, .. } if key == "broken"), "{error:?}");
    };
    corrupt(store.get(Collection::TextCorpus, &record.id).await.unwrap_err());
    let batch = store.changes(Collection::TextCorpus, None, 10).await.unwrap();
    let [Change::Undecodable { id, fault: Unreadable::Malformed, content, reason }] = &batch.changes[..] else {
        panic!("{batch:?}")
    };
    assert_eq!((id, content), (&record.id, &json!("{\"headline\": ")));
    assert!(reason.contains("`broken` cannot be read: EOF"), "{reason}");
    let page = PageRequest::first(10);
    corrupt(store.list(Collection::TextCorpus, &RecordQuery::default(), page).await.unwrap_err());
}

/// A column that is not of type TEXT would turn such values into numbers.
#[tokio::test]
async fn json_that_looks_like_a_number_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = documents_at(&folder.path().join("documents.sqlite")).await;
    let contents =
        [json!(7), json!(1.0), json!(0.1), json!(9_007_199_254_740_993_i64), json!("12"), json!(null), json!([])];
    for (n, content) in contents.into_iter().enumerate() {
        let record = a_raw_record().id(&format!("r{n}")).content(content).build();
        store.upsert(Collection::RawRecords, std::slice::from_ref(&record)).await.unwrap();
        assert_eq!(store.get(Collection::RawRecords, &record.id).await.unwrap(), record);
    }
}

#[tokio::test]
async fn a_position_past_the_end_is_of_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = documents_at(&folder.path().join("documents.sqlite")).await;
    for token in ["embedded:1", "embedded:-1", "embedded:99999999999999999999", "1", "", "82635a"] {
        let token = ResumeToken::new(token);
        let error = store.changes(Collection::TextCorpus, Some(&token), 10).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    }
}

/// The newest record is deleted, and its number must not be given to the next one.
#[tokio::test]
async fn a_position_stays_good_when_the_newest_records_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = documents_at(&folder.path().join("documents.sqlite")).await;
    let old = a_raw_record().id("old").build();
    store.upsert(Collection::TextCorpus, std::slice::from_ref(&old)).await.unwrap();
    let read = store.changes(Collection::TextCorpus, None, 10).await.unwrap();
    let later = old.ingested_at + chrono::TimeDelta::days(1);
    assert_eq!(store.delete_ingested_before(Collection::TextCorpus, later).await.unwrap(), 1);

    let new = a_raw_record().id("new").ingested_at(later).build();
    store.upsert(Collection::TextCorpus, std::slice::from_ref(&new)).await.unwrap();
    let read = store.changes(Collection::TextCorpus, read.token.as_ref(), 10).await.unwrap();
    assert_eq!(read.changes, [Change::Upserted(new)]);
}
