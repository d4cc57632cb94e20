//! Connections to one SQLite file: one that writes, and a few that read.
//!
//! SQLite lets one connection write at a time. Inside the process writers queue for the one writing connection, so none of
//! them ever finds the file locked; another process is waited for, up to a minute.

mod diagnosis;
mod open;

use std::path::{Path, PathBuf};
use std::pin::Pin;

use diesel::QueryResult;
use diesel::connection::SimpleConnection as _;
use diesel::sqlite::SqliteConnection;
use diesel_async::SimpleAsyncConnection as _;
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use ml_core::error::{BoxError, StoreError};

pub use self::diagnosis::{SqliteCheck, SqliteDiagnosis};
use self::open::{Purpose, connect, make_file, refuse_newer};
use super::slots::Slots;
use super::{AsyncBody, Connection};
use crate::error::{Failure, sqlite};
use crate::migrations::MigrationSet;

/// A connection whose queries run on the blocking threads of the runtime.
pub(crate) type SqliteWrapper = SyncConnectionWrapper<SqliteConnection, BlockingThreads>;

/// The blocking threads of the current runtime.
///
/// What diesel-async would use instead waits for the query when its future is dropped, and so holds up the runtime, or
/// panics on one with a single thread. We need not wait: a cancelled connection is not used again.
pub(crate) struct BlockingThreads;

impl SpawnBlocking for BlockingThreads {
    fn spawn_blocking<'a, R: Send + 'static>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = Result<R, BoxError>> + Send + 'a>> {
        let running = tokio::task::spawn_blocking(task);
        Box::pin(async { running.await.map_err(BoxError::from) })
    }

    fn get_runtime() -> BlockingThreads {
        BlockingThreads
    }
}

const N_READERS: usize = 4;

/// One SQLite file and the connections to it.
pub(crate) struct SqliteDatabase {
    path: PathBuf,
    migrations: MigrationSet,
    writer: Connections,
    readers: Connections,
}

impl SqliteDatabase {
    /// Opens the file at `path`, which is made with its folder if it is not there. Applies no migrations.
    pub(crate) async fn open(path: &Path, migrations: MigrationSet) -> Result<SqliteDatabase, StoreError> {
        let path = path.to_owned();
        let blocking = tokio::task::spawn_blocking(move || {
            make_file(&path)?;
            let mut writer = connect(&path, Purpose::Write)?;
            refuse_newer(&path, migrations, &mut writer)?;
            Ok((path, writer))
        });
        let (path, writer) = blocking.await.map_err(join_error)??;
        let database = SqliteDatabase {
            path,
            migrations,
            writer: Connections::new(1, Purpose::Write),
            readers: Connections::new(N_READERS, Purpose::Read),
        };
        database.writer.slots.put_back(SqliteWrapper::new(writer));
        Ok(database)
    }

    /// Applies the pending migrations and returns their names; with none pending it only reads.
    pub(crate) async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        let migrations = self.migrations;
        self.outside_transaction("applying migrations", move |sqlite| migrations.apply(sqlite)).await
    }

    /// Lists the names of the migrations that are still to be applied.
    pub(crate) async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        let migrations = self.migrations;
        self.outside_transaction("listing migrations", move |sqlite| migrations.pending(sqlite)).await
    }

    /// Undoes every migration.
    pub(crate) async fn revert_migrations(&self) -> Result<(), StoreError> {
        let migrations = self.migrations;
        self.outside_transaction("reverting migrations", move |sqlite| migrations.revert_all(sqlite)).await
    }

    /// Runs `body` in a transaction that may write: all of it is kept, or on an error nothing.
    pub(crate) async fn write<R, F>(&self, operation: &'static str, body: F) -> Result<R, StoreError>
    where
        for<'c> F: AsyncFnOnce(&'c mut Connection) -> Result<R, Failure>
            + AsyncBody<&'c mut Connection, Result<R, Failure>, Fut: Send>,
    {
        self.transaction(&self.writer, "BEGIN IMMEDIATE", body)
            .await
            .map_err(|err| sqlite::store_error(operation, &self.path, err))
    }

    /// Runs `body` in a transaction that reads one state of the store.
    pub(crate) async fn read<R, F>(&self, operation: &'static str, body: F) -> Result<R, StoreError>
    where
        for<'c> F: AsyncFnOnce(&'c mut Connection) -> Result<R, Failure>
            + AsyncBody<&'c mut Connection, Result<R, Failure>, Fut: Send>,
    {
        self.transaction(&self.readers, "BEGIN", body)
            .await
            .map_err(|err| sqlite::store_error(operation, &self.path, err))
    }

    /// Runs `body` on a blocking thread, in a transaction that may write: for bulk work, without a hop per statement.
    pub(crate) async fn write_blocking<R: Send + 'static>(
        &self,
        operation: &'static str,
        body: impl FnOnce(&mut SqliteConnection) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.blocking(&self.writer, "BEGIN IMMEDIATE", body)
            .await
            .map_err(|err| sqlite::store_error(operation, &self.path, err))
    }

    /// Runs `body` on a blocking thread, in a transaction that reads one state of the store.
    pub(crate) async fn read_blocking<R: Send + 'static>(
        &self,
        operation: &'static str,
        body: impl FnOnce(&mut SqliteConnection) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.blocking(&self.readers, "BEGIN", body).await.map_err(|err| sqlite::store_error(operation, &self.path, err))
    }

    async fn outside_transaction<R: Send + 'static>(
        &self,
        operation: &'static str,
        body: impl FnOnce(&mut SqliteConnection) -> QueryResult<R> + Send + 'static,
    ) -> Result<R, StoreError> {
        let run = async {
            let _permit = self.writer.slots.permit().await;
            let mut connection = self.writer.take(&self.path).await?;
            let value = connection.spawn_blocking(body).await?;
            self.writer.slots.put_back(connection);
            Ok(value)
        };
        run.await.map_err(|err| sqlite::store_error(operation, &self.path, err))
    }

    async fn transaction<R, F>(&self, connections: &Connections, begin: &str, body: F) -> Result<R, Failure>
    where
        for<'c> F: AsyncFnOnce(&'c mut Connection) -> Result<R, Failure>
            + AsyncBody<&'c mut Connection, Result<R, Failure>, Fut: Send>,
    {
        let _permit = connections.slots.permit().await;
        let mut connection = connections.take(&self.path).await?;
        connection.batch_execute(begin).await?;
        let mut connection = Connection::Sqlite(Box::new(connection));
        let outcome = body(&mut connection).await;
        let end = match &outcome {
            Ok(_) => "COMMIT",
            Err(Failure::Store(_)) => "ROLLBACK",
            // After a driver error SQLite may have rolled back by itself or not; a fresh connection is sure to be clean.
            Err(Failure::Query(_)) => return outcome,
        };
        if let Connection::Sqlite(mut connection) = connection {
            connection.batch_execute(end).await?;
            connections.slots.put_back(*connection);
        }
        outcome
    }

    async fn blocking<R: Send + 'static>(
        &self,
        connections: &Connections,
        begin: &'static str,
        body: impl FnOnce(&mut SqliteConnection) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, Failure> {
        let _permit = connections.slots.permit().await;
        let mut connection = connections.take(&self.path).await?;
        let outcome = connection.spawn_blocking(move |sqlite| Ok(blocking_transaction(sqlite, begin, body))).await?;
        if !matches!(outcome, Err(Failure::Query(_))) {
            connections.slots.put_back(connection);
        }
        outcome
    }
}

fn blocking_transaction<R>(
    sqlite: &mut SqliteConnection,
    begin: &str,
    body: impl FnOnce(&mut SqliteConnection) -> Result<R, Failure>,
) -> Result<R, Failure> {
    sqlite.batch_execute(begin)?;
    let outcome = body(sqlite);
    match outcome {
        Ok(_) => sqlite.batch_execute("COMMIT")?,
        Err(Failure::Store(_)) => sqlite.batch_execute("ROLLBACK")?,
        Err(Failure::Query(_)) => {}
    }
    outcome
}

/// The connections of one purpose.
struct Connections {
    purpose: Purpose,
    slots: Slots<SqliteWrapper>,
}

impl Connections {
    fn new(n_connections: usize, purpose: Purpose) -> Connections {
        Connections { purpose, slots: Slots::new(n_connections) }
    }

    /// Takes an idle connection or makes one; the caller holds a permit.
    async fn take(&self, path: &Path) -> Result<SqliteWrapper, Failure> {
        if let Some(connection) = self.slots.take_idle() {
            return Ok(connection);
        }
        let (path, purpose) = (path.to_owned(), self.purpose);
        let sqlite = tokio::task::spawn_blocking(move || connect(&path, purpose)).await.map_err(join_error)??;
        Ok(SqliteWrapper::new(sqlite))
    }
}

fn join_error(error: tokio::task::JoinError) -> StoreError {
    StoreError::Backend { operation: "opening the store", source: error.into() }
}
