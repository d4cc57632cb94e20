//! A schema of a test on the server that `ML_TEST_POSTGRES_URL` names, seen without help from the product.

use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use super::skip;

/// A schema that no other test has touched; it goes when this does.
pub(crate) struct TestSchema {
    runtime: Runtime,
    client: Client,
    url: String,
    name: String,
}

impl TestSchema {
    /// Thinks of a schema; `None`, and a line that says why, where there is no server.
    pub(crate) fn new() -> Option<TestSchema> {
        let Ok(url) = std::env::var("ML_TEST_POSTGRES_URL") else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "set ML_TEST_POSTGRES_URL: in CI nothing is skipped");
            skip("set ML_TEST_POSTGRES_URL");
            return None;
        };
        #[expect(clippy::disallowed_methods, reason = "tests that run side by side need names of their own")]
        let name = format!("ml_e2e_{}", Uuid::now_v7().simple());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads start");
        let connecting = runtime.block_on(tokio_postgres::connect(&url, NoTls));
        let (client, connection) = connecting.expect("the server takes the connection");
        runtime.spawn(connection);
        Some(TestSchema { runtime, client, url, name })
    }

    /// Returns the section of `database.yaml` that puts SQL here.
    pub(crate) fn section(&self) -> String {
        format!("sql: {{ backend: postgres, url: '{}', schema: {} }}\n", self.url, self.name)
    }

    /// Counts the rows of a table.
    pub(crate) fn count(&self, table: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM {}.{table}", self.name))
    }

    /// Returns the only number that a query selects.
    pub(crate) fn number(&self, query: &str) -> i64 {
        let row = self.runtime.block_on(self.client.query_one(query, &[])).expect("the query is answered");
        row.get(0)
    }

    /// Returns how many tables the schema has.
    pub(crate) fn n_tables(&self) -> i64 {
        self.number(&format!("SELECT count(*) FROM pg_tables WHERE schemaname = '{}'", self.name))
    }
}

impl Drop for TestSchema {
    fn drop(&mut self) {
        let drop_schema = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name);
        let dropped = self.runtime.block_on(self.client.batch_execute(&drop_schema));
        assert!(std::thread::panicking() || dropped.is_ok(), "{dropped:?}");
    }
}
