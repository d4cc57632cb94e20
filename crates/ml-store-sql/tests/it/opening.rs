//! What can be opened, and what is refused and why.

use std::path::Path;

use ml_core::error::StoreError;
use ml_store_sql::{EmbeddedDocuments, SqlStore};

use crate::fixture::{chain, documents_at, execute, sql_at};

async fn open_error(path: &Path) -> StoreError {
    match EmbeddedDocuments::open(path).await {
        Ok(_) => panic!("`{}` was opened", path.display()),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_missing_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    documents_at(&folder.path().join("a/b/documents.sqlite")).await;
    assert!(folder.path().join("a/b/documents.sqlite").is_file());
}

#[tokio::test]
async fn a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = chain(&open_error(folder.path()).await);
    assert!(error.contains("is a folder"), "{error}");
}

#[tokio::test]
async fn a_file_of_another_kind_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let content = "not a database, and longer than the header of one, which is a hundred bytes: ".repeat(10);
    std::fs::write(&path, &content).unwrap();
    let error = chain(&open_error(&path).await);
    assert!(error.contains("notes.txt` is not a SQLite file"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
}

#[tokio::test]
async fn a_file_in_the_place_of_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data"), "").unwrap();
    let error = chain(&open_error(&folder.path().join("data/documents.sqlite")).await);
    assert!(error.contains("cannot be made or written"), "{error}");
}

/// Not even root makes files there, so that the test means the same whoever runs it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_read_only_folder_is_said_to_be_one() {
    let error = open_error(Path::new("/sys/ml-app/documents.sqlite")).await;
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_that_a_newer_release_migrated_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sql.sqlite");
    drop(sql_at(&path).await);
    execute(&path, "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')");
    let Err(error) = SqlStore::open(&path).await else { panic!("a newer file was opened") };
    let error = chain(&error);
    assert!(error.contains("newer release") && error.contains("29991231000000"), "{error}");
}

#[tokio::test]
async fn the_file_of_the_other_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sql.sqlite");
    drop(sql_at(&path).await);
    let error = chain(&open_error(&path).await);
    assert!(error.contains("newer release"), "{error}");
}

#[tokio::test]
async fn a_store_that_was_not_migrated_says_so() {
    use ml_core::outbox::OutboxStore as _;
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open(folder.path().join("sql.sqlite")).await.unwrap();
    let error = chain(&store.counts().await.unwrap_err());
    assert!(error.contains("run `ml-app migrate`"), "{error}");
}
