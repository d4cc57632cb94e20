//! Several writers of the same records.

use ml_core::document::{DocumentStore as _, RecordQuery, UpsertCounts};
use ml_core::page::PageRequest;
use ml_core::record::Collection::TextCorpus;
use ml_core::record::RawRecord;
use ml_core::testkit::build::{a_raw_record, second};
use ml_core::testkit::concurrently::concurrently;
use serde_json::json;

use crate::fixture::TestDatabase;

/// Makes the versions of all records that one writer has.
fn versions(writer: i64) -> Vec<RawRecord> {
    let record = |number| {
        let content = json!({"writer": writer, "number": number});
        a_raw_record().id(&format!("r{number:03}")).content(content).ingested_at(second(writer)).build()
    };
    (0..200).map(record).collect()
}

#[tokio::test]
async fn writers_of_different_versions_leave_whole_records() {
    let Some(database) = TestDatabase::new() else { return };
    let first = database.migrated().await;
    let stores = [first, database.connect().await, database.connect().await];
    let all_versions: Vec<Vec<RawRecord>> = (0..9).map(versions).collect();
    let writers =
        all_versions.iter().enumerate().map(|(writer, records)| stores[writer % 3].upsert(TextCorpus, records));

    let mut total = UpsertCounts::default();
    for counts in concurrently(writers).await {
        total += counts.unwrap();
    }

    assert_eq!((total.inserted, total.total()), (200, 9 * 200));
    let stored = stores[0].list(TextCorpus, &RecordQuery::default(), PageRequest::first(1000)).await.unwrap().items;
    assert_eq!(stored.len(), 200);
    for record in stored {
        // The content is of one writer; the time is that of the newest version there has been.
        let of_writer =
            |versions: &&Vec<RawRecord>| versions.iter().any(|given| given.content_hash == record.content_hash);
        let given = all_versions.iter().find(of_writer).unwrap().iter().find(|given| given.id == record.id).unwrap();
        assert_eq!(record.raw_content, given.raw_content);
        assert!(record.ingested_at >= given.ingested_at, "{record:?}");
    }
}

#[tokio::test]
async fn a_writer_that_repeats_itself_changes_nothing() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    // The first time what is there is found by the insert, from then on by looking first.
    for (round, expected) in [(0, (200, 0)), (1, (0, 200)), (2, (0, 200)), (3, (0, 200))] {
        let counts = store.upsert(TextCorpus, &versions(0)).await.unwrap();
        assert_eq!((counts.inserted, counts.unchanged), expected, "round {round}");
    }
    let counts = store.upsert(TextCorpus, &versions(1)).await.unwrap();
    assert_eq!(counts, UpsertCounts { changed: 200, ..UpsertCounts::default() });
    let new: Vec<RawRecord> = (0..50).map(|number| a_raw_record().id(&format!("new{number}")).build()).collect();
    assert_eq!(store.upsert(TextCorpus, &new).await.unwrap().inserted, 50, "also when it looks first");
}
