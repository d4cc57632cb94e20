//! Fresh stores in folders of their own, and a way past the stores to the files.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use ml_core::record::RawRecord;
use ml_core::testkit::Fresh;
use ml_core::testkit::build::a_raw_record;
use ml_store_sql::{EmbeddedDocuments, SqlStore};

/// Opens a migrated document store at `path`.
pub(crate) async fn documents_at(path: &Path) -> EmbeddedDocuments {
    let store = EmbeddedDocuments::open(path).await.unwrap();
    store.migrate().await.unwrap();
    store
}

/// Opens a migrated SQL store at `path`.
pub(crate) async fn sql_at(path: &Path) -> SqlStore {
    let store = SqlStore::open(path).await.unwrap();
    store.migrate().await.unwrap();
    store
}

pub(crate) async fn fresh_documents() -> Option<Fresh<EmbeddedDocuments>> {
    let folder = tempfile::tempdir().unwrap();
    let store = documents_at(&folder.path().join("documents.sqlite")).await;
    Some(Fresh::with_guard(store, folder))
}

pub(crate) async fn fresh_sql() -> Option<Fresh<SqlStore>> {
    let folder = tempfile::tempdir().unwrap();
    let store = sql_at(&folder.path().join("sql.sqlite")).await;
    Some(Fresh::with_guard(store, folder))
}

/// Runs statements on a file as another program would.
pub(crate) fn execute(path: &Path, statements: &str) {
    let mut sqlite = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    sqlite.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
    sqlite.batch_execute(statements).unwrap();
}

/// Makes `n_records` records with ids that begin with `prefix`.
pub(crate) fn records(prefix: &str, n_records: usize) -> Vec<RawRecord> {
    (0..n_records).map(|n| a_raw_record().id(&format!("{prefix}-{n:05}")).build()).collect()
}
