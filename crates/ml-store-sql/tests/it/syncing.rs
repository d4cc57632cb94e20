//! Syncs that run side by side on a PostgreSQL server, where nothing but the store keeps them apart.

use futures::future::join_all;
use ml_core::error::StoreError;
use ml_core::global_data::{GlobalDataStore, GlobalRecord, ValidatedQuery};
use ml_core::page::PageRequest;
use ml_core::record::Collection;
use ml_core::sync::{SyncBatch, SyncOutcome, SyncStore as _, ValidatedRow};
use ml_core::testkit::build::{SyncBatchBuilder, a_global_record, a_sync_batch, second};
use ml_store_sql::SqlStore;

use crate::fixture::TestSchema;

/// How many commits run at the same time; more than there are connections.
const N_COMMITS: i64 = 12;

/// Makes a row with an id of its own, in a version of `writer`.
fn row(id: &str, writer: i64) -> GlobalRecord {
    a_global_record().id(id).content(Some(&format!("written by {writer}"))).created_at(second(writer)).build()
}

async fn rows_of(store: &SqlStore) -> Vec<GlobalRecord> {
    GlobalDataStore::list(store, &ValidatedQuery::default(), PageRequest::first(1_000)).await.unwrap().items
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_syncs_from_one_position_one_gets_through() {
    let Some(schema) = TestSchema::new() else { return };
    let store = schema.migrated().await;
    let batches: Vec<SyncBatch> = (0..N_COMMITS)
        .map(|writer| {
            let batch = a_sync_batch().advance(None, &format!("to {writer}"));
            (0..20).fold(batch, |batch, n| batch.global(row(&format!("r{writer}-{n}"), writer))).build()
        })
        .collect();

    let outcomes = join_all(batches.iter().map(|batch| store.commit(batch))).await;

    let winners: Vec<i64> =
        (0..).zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).map(|(writer, _)| writer).collect();
    let [winner] = winners[..] else { panic!("{outcomes:?}") };
    for outcome in outcomes {
        assert!(matches!(outcome, Ok(_) | Err(StoreError::Conflict { .. })), "{outcome:?}");
    }
    let checkpoint = store.find_checkpoint(Collection::TextCorpus).await.unwrap().unwrap();
    assert_eq!((checkpoint.token.as_str(), checkpoint.counts.written), (format!("to {winner}").as_str(), 20));
    let rows = rows_of(&store).await;
    assert_eq!(rows.len(), 20);
    assert!(rows.iter().all(|row| row.id.as_str().starts_with(&format!("r{winner}-"))), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replays_of_one_collection_take_turns() {
    let Some(schema) = TestSchema::new() else { return };
    let store = schema.migrated().await;
    let batches: Vec<SyncBatch> = (0..N_COMMITS)
        .map(|writer| {
            let batch = a_sync_batch().replayed().committed_at(second(writer));
            (0..30).fold(batch, |batch, n| batch.global(row(&format!("r{n}"), writer))).build()
        })
        .collect();

    for outcome in join_all(batches.iter().map(|batch| store.commit(batch))).await {
        let counts = outcome.unwrap();
        assert_eq!((counts.read, counts.written), (30, 30), "{counts:?}");
    }

    let rows = rows_of(&store).await;
    assert_eq!(rows.len(), 30);
    let last = rows[0].processed_content.clone();
    assert!(rows.iter().all(|row| row.processed_content == last), "rows of two commits are mixed: {rows:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn collections_that_meet_in_rows_and_unique_values_all_get_through() {
    let Some(schema) = TestSchema::new() else { return };
    let store = schema.migrated().await;
    let collections = Collection::ALL;
    for round in 0..4 {
        let batches: Vec<SyncBatch> = (0_i64..)
            .zip(collections)
            .map(|(writer, collection)| {
                let batch = a_sync_batch().collection(collection).replayed();
                // Half of them go through the rows in the other order.
                let numbers: Vec<i64> = if writer % 2 == 0 { (0..25).collect() } else { (0..25).rev().collect() };
                let add = |batch: SyncBatchBuilder, n: &i64| {
                    let row = row(&format!("shared{n}"), round * 10 + writer);
                    let raw_id = row.raw_id.as_str().to_owned();
                    batch.global(row).unique_key("text.headline", &format!("value{n}"), &raw_id)
                };
                numbers.iter().fold(batch, add).build()
            })
            .collect();
        for outcome in join_all(batches.iter().map(|batch| store.commit(batch))).await {
            let counts = outcome.unwrap();
            assert!(counts.add_up() && counts.read == 25, "{counts:?}");
        }
    }
    assert_eq!(rows_of(&store).await.len(), 25);
    let keys: Vec<String> = (0..25).map(|n| format!("value{n}")).collect();
    assert_eq!(store.find_unique_owners("text.headline", &keys).await.unwrap().len(), 25);
}

#[tokio::test]
async fn a_batch_of_many_records_is_committed_and_deleted() {
    const N_RECORDS: usize = 20_000;
    let Some(schema) = TestSchema::new() else { return };
    let store = schema.migrated().await;
    let rows: Vec<GlobalRecord> = (0..N_RECORDS).map(|n| row(&format!("many{n}"), 0)).collect();
    let raw_ids: Vec<String> = rows.iter().map(|row| row.raw_id.as_str().to_owned()).collect();
    let rows: Vec<ValidatedRow> = rows.into_iter().map(ValidatedRow::Global).collect();

    let new = store.commit(&a_sync_batch().rows(rows.clone()).build()).await.unwrap();
    let again = store.commit(&a_sync_batch().advance(Some("t1"), "t2").rows(rows).build()).await.unwrap();
    let raw_ids: Vec<&str> = raw_ids.iter().map(String::as_str).collect();
    let gone = a_sync_batch().advance(Some("t2"), "t3").deleted(&raw_ids).committed_at(second(9)).build();
    let gone = store.commit(&gone).await.unwrap();

    assert_eq!((new.written, again.unchanged, gone.deleted), (20_000, 20_000, 20_000));
    assert!(rows_of(&store).await.is_empty());
    let known_by = ValidatedQuery { known_by: Some(second(5)), ..ValidatedQuery::default() };
    assert_eq!(GlobalDataStore::count(&store, &known_by).await.unwrap(), 20_000);
    let lineage = store.list_lineage(Collection::TextCorpus, PageRequest::first(10)).await.unwrap();
    assert!(lineage.items.iter().all(|lineage| lineage.outcome == SyncOutcome::Deleted), "{lineage:?}");
}

/// A text on the server holds every character but one, and one record is no reason for a sync to stop.
#[tokio::test]
async fn a_character_that_the_server_cannot_hold_is_replaced() {
    let Some(schema) = TestSchema::new() else { return };
    let store = schema.migrated().await;
    let row = a_global_record().id("r1").content(Some("be\0fore")).build();
    let batch = a_sync_batch().global(row.clone()).build();
    let again = SyncBatch { advance: None, ..batch.clone() };

    assert_eq!(store.commit(&batch).await.unwrap().written, 1);
    assert_eq!(store.commit(&again).await.unwrap().unchanged, 1);

    let stored = GlobalDataStore::get(&store, &row.id).await.unwrap();
    assert_eq!(stored, GlobalRecord { processed_content: Some("be\u{fffd}fore".to_owned()), ..row });
}
