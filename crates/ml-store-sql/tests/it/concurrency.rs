//! Many writers at once, in one process and over two stores on one file.

use std::sync::Arc;

use futures::future::{join_all, poll_immediate};
use ml_core::document::{DocumentStore as _, RecordQuery};
use ml_core::record::Collection;
use ml_core::run::{Metric, RunLog, RunStore as _};
use ml_core::testkit::build::a_run;

use crate::fixture::{documents_at, records, sql_at};

const N_WRITERS: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_parallel_writers_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(documents_at(&folder.path().join("documents.sqlite")).await);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..N_WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for round in 0..5 {
                let batch = records(&format!("w{writer}-{round}"), 20);
                store.upsert(Collection::TextCorpus, &batch).await.unwrap();
                store.count(Collection::TextCorpus, &RecordQuery::default()).await.unwrap();
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    let n_records = store.count(Collection::TextCorpus, &RecordQuery::default()).await.unwrap();
    assert_eq!(n_records, (N_WRITERS * 5 * 20) as u64);
}

#[tokio::test]
async fn fifty_writers_log_to_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = sql_at(&folder.path().join("sql.sqlite")).await;
    let run = a_run().build();
    store.create(&run).await.unwrap();

    let logs = (0..N_WRITERS).map(|step| {
        let point = Metric { key: "loss".to_owned(), value: 1.0, step: step as i64, timestamp: run.started_at };
        RunLog { metrics: vec![point], ..RunLog::default() }
    });
    let logs: Vec<RunLog> = logs.collect();
    for outcome in join_all(logs.iter().map(|log| store.log(&run.id, log))).await {
        outcome.unwrap();
    }

    assert_eq!(store.metric_history(&run.id, "loss").await.unwrap().len(), N_WRITERS);
    assert_eq!(store.get(&run.id).await.unwrap().metrics["loss"].step, N_WRITERS as i64 - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_stores_on_one_file_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.sqlite");
    let (one, other) = tokio::join!(documents_at(&path), documents_at(&path));
    let write = async |store: &ml_store_sql::EmbeddedDocuments, prefix: &str| {
        for round in 0..40 {
            store.upsert(Collection::SocialContent, &records(&format!("{prefix}{round}"), 25)).await.unwrap();
        }
    };
    tokio::join!(write(&one, "one"), write(&other, "other"));
    for store in [&one, &other] {
        assert_eq!(store.count(Collection::SocialContent, &RecordQuery::default()).await.unwrap(), 2_000);
    }
}

#[tokio::test]
async fn a_cancelled_write_does_not_spoil_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let store = documents_at(&folder.path().join("documents.sqlite")).await;
    for round in 0..30 {
        // Polled once, which starts the work on a blocking thread, and then dropped.
        let cancelled = records(&format!("cancelled{round}"), 10);
        poll_immediate(store.upsert(Collection::TextCorpus, &cancelled)).await;
        let counts = store.upsert(Collection::TextCorpus, &records(&format!("kept{round}"), 10)).await.unwrap();
        assert_eq!(counts.inserted, 10);
    }
    let n_records = store.count(Collection::TextCorpus, &RecordQuery::default()).await.unwrap();
    assert!(n_records >= 300 && n_records % 10 == 0, "{n_records}: a cancelled write is kept whole or not at all");
}

#[tokio::test]
async fn a_cancelled_transaction_does_not_spoil_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let store = sql_at(&folder.path().join("sql.sqlite")).await;
    for round in 0..30 {
        let cancelled = a_run().id(&format!("cancelled{round}")).param("depth", "3").build();
        poll_immediate(store.create(&cancelled)).await;
        let kept = a_run().id(&format!("kept{round}")).param("depth", "3").build();
        store.create(&kept).await.unwrap();
        assert_eq!(store.get(&kept.id).await.unwrap().params["depth"], "3");
    }
}
