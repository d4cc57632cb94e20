//! What is still there after closing, and after ending without closing.

use ml_core::document::{Change, ChangeFeed as _, DocumentStore as _, RecordQuery};
use ml_core::global_data::{GlobalDataStore, ValidatedQuery};
use ml_core::record::Collection;
use ml_core::sync::SyncStore as _;
use ml_core::testkit::build::a_global_record;
use ml_core::testkit::build::a_sync_batch;

use crate::fixture::{documents_at, records, sql_at};

#[tokio::test]
async fn closing_and_opening_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.sqlite");
    let written = records("r", 100);
    let store = documents_at(&path).await;
    store.upsert(Collection::TextCorpus, &written).await.unwrap();
    let read = store.changes(Collection::TextCorpus, None, 60).await.unwrap();
    drop(store);

    let store = documents_at(&path).await;
    let rest = store.changes(Collection::TextCorpus, read.token.as_ref(), 100).await.unwrap();
    assert_eq!(rest.changes, written[60..].iter().cloned().map(Change::Upserted).collect::<Vec<_>>());
    assert_eq!(store.get(Collection::TextCorpus, &written[7].id).await.unwrap(), written[7]);
}

/// A killed process leaves the file and its log as they are at that instant, which is what a copy of both is.
#[tokio::test]
async fn what_was_committed_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let store = documents_at(&folder.path().join("documents.sqlite")).await;
    for round in 0..10 {
        store.upsert(Collection::TextCorpus, &records(&format!("r{round}"), 50)).await.unwrap();
        let copy = tempfile::tempdir().unwrap();
        for name in ["documents.sqlite", "documents.sqlite-wal"] {
            std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
        }
        let revived = documents_at(&copy.path().join("documents.sqlite")).await;
        let n_records = revived.count(Collection::TextCorpus, &RecordQuery::default()).await.unwrap();
        assert_eq!(n_records, (round + 1) * 50);
    }
}

#[tokio::test]
async fn a_log_cut_short_loses_whole_batches_with_their_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let store = sql_at(&folder.path().join("sql.sqlite")).await;
    let mut position: Option<String> = None;
    for round in 0..10 {
        let to = format!("t{round}");
        let mut batch = a_sync_batch().advance(position.as_deref(), &to);
        for n in 0..20 {
            batch = batch.global(a_global_record().id(&format!("r{round}-{n}")).build());
        }
        store.commit(&batch.build()).await.unwrap();
        position = Some(to);
    }

    let log = std::fs::read(folder.path().join("sql.sqlite-wal")).unwrap();
    for tenth in 1..10 {
        let copy = tempfile::tempdir().unwrap();
        std::fs::copy(folder.path().join("sql.sqlite"), copy.path().join("sql.sqlite")).unwrap();
        std::fs::write(copy.path().join("sql.sqlite-wal"), &log[..log.len() * tenth / 10]).unwrap();
        let revived = sql_at(&copy.path().join("sql.sqlite")).await;

        let checkpoint = revived.find_checkpoint(Collection::TextCorpus).await.unwrap();
        let n_written = checkpoint.map_or(0, |checkpoint| checkpoint.counts.written);
        let n_rows = GlobalDataStore::count(&revived, &ValidatedQuery::default()).await.unwrap();
        assert_eq!(n_rows, n_written, "the checkpoint tells exactly the rows that are there");
    }
}
