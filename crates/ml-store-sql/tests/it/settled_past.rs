//! Two stores on one file or schema are to each other as two processes: nothing but that tells one what the other settled.

use chrono::{DateTime, Utc};
use ml_core::global_data::{GlobalDataStore, GlobalRecord, ValidatedQuery};
use ml_core::page::PageRequest;
use ml_core::sync::SyncStore as _;
use ml_core::testkit::build::{a_global_record, a_sync_batch, second};
use ml_store_sql::SqlStore;

use crate::fixture::{TestSchema, sql_at};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_store_settled_another_leaves_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sql.sqlite");
    check(&sql_at(&path).await, &sql_at(&path).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_store_settled_another_leaves_alone_on_postgres() {
    let Some(schema) = TestSchema::new() else { return };
    check(&schema.migrated().await, &schema.connect().await).await;
}

/// Commits to one store while the past is settled and read through another, and reads it again.
async fn check(syncing: &SqlStore, reading: &SqlStore) {
    let commits = async {
        for number in 0..60 {
            let (id, at) = (format!("r{}", number % 20), second(number));
            let row = a_global_record().id(&id).content(Some(&format!("{number}"))).created_at(at).build();
            syncing.commit(&a_sync_batch().replayed().global(row).committed_at(at).build()).await.unwrap();
        }
    };
    let reads = async {
        let mut seen = Vec::new();
        for number in 0..60 {
            reading.settle(second(number)).await.unwrap();
            seen.push((second(number), rows_as_of(reading, second(number)).await));
        }
        seen
    };

    let ((), seen) = tokio::join!(commits, reads);

    for (instant, rows) in seen {
        assert_eq!(rows_as_of(reading, instant).await, rows, "as of {instant}");
        assert_eq!(rows_as_of(syncing, instant).await, rows, "as of {instant}");
    }
}

async fn rows_as_of(store: &SqlStore, instant: DateTime<Utc>) -> Vec<GlobalRecord> {
    let query = ValidatedQuery { known_by: Some(instant), ..ValidatedQuery::default() };
    GlobalDataStore::list(store, &query, PageRequest::first(100)).await.unwrap().items
}
