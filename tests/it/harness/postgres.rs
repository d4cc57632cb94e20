//! A schema of a test on a PostgreSQL server, seen without help from the product.

use std::sync::{Mutex, PoisonError};

use tokio::runtime::Runtime;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, NoTls, SimpleQueryMessage};
use uuid::Uuid;

use super::{skip, wait_until};

/// A schema that no other test has touched; it goes when this does.
pub(crate) struct TestSchema {
    runtime: Runtime,
    /// Absent until it is needed, and after it broke.
    client: Mutex<Option<Client>>,
    url: String,
    name: String,
}

/// Returns the address that `ML_TEST_POSTGRES_URL` has; `None`, and a line that says why, where it has none.
pub(crate) fn server_url() -> Option<String> {
    let url = std::env::var("ML_TEST_POSTGRES_URL").ok();
    if url.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "set ML_TEST_POSTGRES_URL: in CI nothing is skipped");
        skip("set ML_TEST_POSTGRES_URL");
    }
    url
}

impl TestSchema {
    /// Thinks of a schema on the server that `ML_TEST_POSTGRES_URL` names, if it does.
    pub(crate) fn new() -> Option<TestSchema> {
        server_url().map(TestSchema::on)
    }

    /// Thinks of a schema on the server at `url`.
    pub(crate) fn on(url: String) -> TestSchema {
        #[expect(clippy::disallowed_methods, reason = "tests that run side by side need names of their own")]
        let name = format!("ml_e2e_{}", Uuid::now_v7().simple());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads start");
        TestSchema { runtime, client: Mutex::default(), url, name }
    }

    /// Returns the section of `database.yaml` that puts SQL here.
    pub(crate) fn section(&self) -> String {
        self.section_with(&self.url, "")
    }

    /// The same, reached at `port` of this machine and with `more` settings.
    pub(crate) fn section_through(&self, port: u16, more: &str) -> String {
        let (before, place) = self.url.rsplit_once('@').expect("the address has a user");
        let database = place.split_once('/').map_or("", |(_, database)| database);
        self.section_with(&format!("{before}@127.0.0.1:{port}/{database}"), more)
    }

    /// The same as [`TestSchema::section`], for another user.
    pub(crate) fn section_as(&self, user: &str, password: &str) -> String {
        self.section_with(&self.url, &format!("user: {user}, password: {password}, max_retries: 1"))
    }

    fn section_with(&self, url: &str, more: &str) -> String {
        format!("sql: {{ backend: postgres, url: '{url}', schema: {}, {more} }}\n", self.name)
    }

    /// Returns the port that the server listens on.
    pub(crate) fn port(&self) -> u16 {
        let place = self.url.rsplit('@').next().and_then(|place| place.split('/').next()).unwrap_or_default();
        let port = place.rsplit_once(':').map_or(Ok(5432), |(_, port)| port.parse());
        port.expect("a port is a number")
    }

    /// Returns the name of the schema.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Counts the rows of a table.
    pub(crate) fn count(&self, table: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM {table}"))
    }

    /// Returns the only number that a query selects.
    pub(crate) fn number(&self, query: &str) -> i64 {
        self.select(query)[0][0].parse().expect("the query is for a number")
    }

    /// Returns how many tables the schema has.
    pub(crate) fn n_tables(&self) -> i64 {
        self.number(&format!("SELECT count(*) FROM pg_tables WHERE schemaname = '{}'", self.name))
    }

    /// Runs statements in the schema, and returns the rows of the last as text, each value as the server shows it.
    pub(crate) fn select(&self, statements: &str) -> Vec<Vec<String>> {
        wait_until("the PostgreSQL server has answered", || match self.try_select(statements) {
            Ok(rows) => Ok(rows),
            Err(error) => {
                assert!(is_away(&error), "{statements}: {error:?}");
                Err(format!("{error:?}"))
            }
        })
    }

    fn try_select(&self, statements: &str) -> Result<Vec<Vec<String>>, Error> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let connected = match client.take() {
            Some(connected) => connected,
            None => self.runtime.block_on(connect(&self.url, &self.name))?,
        };
        let messages = self.runtime.block_on(connected.simple_query(statements))?;
        *client = Some(connected);
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let shown = |value: Option<&str>| value.unwrap_or("null").to_owned();
        Ok(rows.map(|row| (0..row.len()).map(|index| shown(row.get(index))).collect()).collect())
    }
}

async fn connect(url: &str, schema: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    #[expect(clippy::disallowed_methods, reason = "it ends with the client")]
    tokio::spawn(connection);
    client.batch_execute(&format!("SET search_path TO {schema}; SET timezone TO 'UTC'")).await?;
    Ok(client)
}

/// Tells whether the server was killed, or is about to be there again.
fn is_away(error: &Error) -> bool {
    let Some(code) = error.code() else { return true };
    [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW].contains(code)
}

impl Drop for TestSchema {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.select(&format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name));
        } else if let Ok(client) = self.runtime.block_on(connect(&self.url, &self.name)) {
            let drop_schema = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name);
            // The test has failed already.
            let _ = self.runtime.block_on(client.batch_execute(&drop_schema));
        }
    }
}
