//! Fresh stores in folders and schemas of their own, and a way past the stores to the files and the server.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use ml_core::record::RawRecord;
use ml_core::testkit::Fresh;
use ml_core::testkit::build::a_raw_record;
use ml_store_sql::{EmbeddedDocuments, PostgresOptions, SqlStore};
use tokio_postgres::NoTls;
use uuid::Uuid;

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

/// Returns the address of the PostgreSQL server; `None`, and a line that says why, where there is none.
#[expect(clippy::print_stdout, reason = "whoever runs the tests should know that one was not run")]
pub(crate) fn server_url() -> Option<String> {
    let url = std::env::var("ML_TEST_POSTGRES_URL").ok();
    if url.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "set ML_TEST_POSTGRES_URL: in CI nothing is skipped");
        println!("skipped: set ML_TEST_POSTGRES_URL");
    }
    url
}

/// A schema that no other test has touched; it goes when this does.
pub(crate) struct TestSchema {
    pub(crate) options: PostgresOptions,
}

impl TestSchema {
    /// Thinks of a schema; the first migration makes it.
    pub(crate) fn new() -> Option<TestSchema> {
        let mut options = PostgresOptions::new(server_url()?);
        #[expect(clippy::disallowed_methods, reason = "tests that run side by side need names of their own")]
        let name = Uuid::now_v7();
        options.schema = format!("ml_test_{}", name.simple());
        options.max_pool_size = 4;
        Some(TestSchema { options })
    }

    /// Connects once more.
    pub(crate) async fn connect(&self) -> SqlStore {
        SqlStore::connect(&self.options).await.unwrap()
    }

    /// Connects and migrates.
    pub(crate) async fn migrated(&self) -> SqlStore {
        let store = self.connect().await;
        store.migrate().await.unwrap();
        store
    }

    /// Runs statements in the schema as another program would.
    pub(crate) async fn execute(&self, statements: &str) {
        let client = outside().await;
        client.batch_execute(&format!("SET search_path TO {}; {statements}", self.options.schema)).await.unwrap();
    }
}

/// Connects to the server as another program would.
pub(crate) async fn outside() -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(&server_url().unwrap(), NoTls).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "it ends with the client")]
    tokio::spawn(connection);
    client
}

impl Drop for TestSchema {
    fn drop(&mut self) {
        let name = self.options.schema.clone();
        // In a thread, for a runtime cannot wait for another one within itself.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let drop_schema = format!("DROP SCHEMA IF EXISTS {name} CASCADE");
            runtime.block_on(async { outside().await.batch_execute(&drop_schema).await })
        });
        if !std::thread::panicking() {
            dropping.join().unwrap().unwrap();
        }
    }
}

pub(crate) async fn fresh_postgres() -> Option<Fresh<SqlStore>> {
    let schema = TestSchema::new()?;
    let store = schema.migrated().await;
    Some(Fresh::with_guard(store, schema))
}

/// Returns the error with its causes, as the command line prints it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
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
