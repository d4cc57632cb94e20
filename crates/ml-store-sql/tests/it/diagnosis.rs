//! What files are like, as far as `ml-app doctor` asks.

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};

use ml_core::clock::SystemClock;
use ml_core::document::DocumentStore as _;
use ml_core::record::Collection;
use ml_core::testkit::build::second;
use ml_store_sql::{EmbeddedDocuments, SqlDiagnosis, SqlStore, SqliteCheck, SqliteDiagnosis};

use crate::fixture::{TestSchema, documents_at, execute, records, sql_at};

async fn look_at(store: &SqlStore, check: SqliteCheck) -> SqliteDiagnosis {
    match store.diagnose(check, &SystemClock).await.unwrap() {
        SqlDiagnosis::Sqlite(found) => found,
        found @ SqlDiagnosis::Postgres(_) => panic!("{found:?}"),
    }
}

#[tokio::test]
async fn a_healthy_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.sqlite");
    let store = documents_at(&path).await;
    store.upsert(Collection::TextCorpus, &records("r", 2_000)).await.unwrap();
    store.delete_ingested_before(Collection::TextCorpus, second(1_000_000_000)).await.unwrap();
    for check in [SqliteCheck::Quick, SqliteCheck::Full] {
        let found = store.diagnose(check).await.unwrap();
        assert_eq!(found.path, path);
        assert!(found.sqlite_version.starts_with("3."), "{found:?}");
        assert!(found.size_bytes + found.log_bytes > 100_000 && found.reusable_bytes > 100_000, "{found:?}");
        assert_eq!((found.journal_mode.as_str(), found.may_write), ("wal", true));
        assert_eq!((found.faults, found.pending_migrations), (Vec::<String>::new(), Vec::<String>::new()));
    }
}

#[tokio::test]
async fn what_is_pending_is_listed_and_not_applied() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open(folder.path().join("sql.sqlite")).await.unwrap();
    let before = look_at(&store, SqliteCheck::Quick).await;
    assert_eq!(before.pending_migrations, store.pending_migrations().await.unwrap());
    assert!(!before.pending_migrations.is_empty());
}

#[tokio::test]
async fn broken_pages_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.sqlite");
    let store = documents_at(&path).await;
    store.upsert(Collection::TextCorpus, &records("r", 5_000)).await.unwrap();
    drop(store);
    execute(&path, "PRAGMA wal_checkpoint(TRUNCATE)");
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    let middle = path.metadata().unwrap().len() / 2;
    file.seek(SeekFrom::Start(middle)).unwrap();
    file.write_all(&vec![0xa5; 64 * 1024]).unwrap();
    drop(file);

    let store = EmbeddedDocuments::open(&path).await.unwrap();
    let found = store.diagnose(SqliteCheck::Quick).await.unwrap();

    assert!(!found.faults.is_empty() && found.faults.len() <= 5, "{found:?}");
}

#[tokio::test]
async fn an_index_that_does_not_fit_its_table_takes_a_full_check() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sql.sqlite");
    let store = sql_at(&path).await;
    execute(
        &path,
        "INSERT INTO registered_models VALUES ('name', 'description', 0, '2026-01-01', '2026-01-01'); \
         CREATE INDEX probe ON registered_models (description); \
         PRAGMA writable_schema = ON; \
         UPDATE sqlite_master SET sql = 'CREATE INDEX probe ON registered_models (name)' WHERE name = 'probe'",
    );
    drop(store);
    let store = SqlStore::open(&path).await.unwrap();
    assert_eq!(look_at(&store, SqliteCheck::Quick).await.faults, Vec::<String>::new());
    assert!(!look_at(&store, SqliteCheck::Full).await.faults.is_empty());
}

#[tokio::test]
async fn a_healthy_server() {
    let Some(schema) = TestSchema::new() else { return };
    let store = schema.connect().await;
    let look = async || match store.diagnose(SqliteCheck::Quick, &SystemClock).await.unwrap() {
        SqlDiagnosis::Postgres(found) => found,
        found @ SqlDiagnosis::Sqlite(_) => panic!("{found:?}"),
    };

    let before = look().await;
    assert_eq!(before.pending_migrations, store.pending_migrations().await.unwrap());
    assert!(before.permissions.migrate, "whoever may make a schema may make tables in it: {before:?}");
    store.migrate().await.unwrap();
    let found = look().await;

    assert_eq!((&found.schema, &found.pending_migrations), (&schema.options.schema, &Vec::new()));
    assert!(found.takes_writes && found.permissions.write && found.permissions.migrate, "{found:?}");
    assert!(found.size_bytes > 100_000 && found.clock_skew_ms.abs() < 60_000, "{found:?}");
    assert!(found.server_version.starts_with(|c: char| c.is_ascii_digit()), "{found:?}");
}
