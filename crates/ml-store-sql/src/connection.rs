//! Connections to one SQLite file: one that writes, and a few that read.
//!
//! SQLite lets one connection write at a time. Inside the process writers queue for the one writing connection, so none of
//! them ever finds the file locked; another process is waited for, up to a minute.
//!
//! A transaction that is dropped half-way, for its future was cancelled, takes its connection along: closing it rolls back,
//! and nothing that still runs on a blocking thread can reach the next transaction.

mod diagnosis;
mod open;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use diesel::QueryResult;
use diesel::connection::SimpleConnection as _;
use diesel::sqlite::SqliteConnection;
use diesel_async::SimpleAsyncConnection as _;
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use ml_core::error::{BoxError, StoreError};
use tokio::sync::Semaphore;

pub use self::diagnosis::{SqliteCheck, SqliteDiagnosis};
use self::open::{Purpose, connect, make_file, refuse_newer};
use crate::error::Failure;
use crate::migrations::MigrationSet;

/// A connection whose queries run on the blocking threads of the runtime.
pub(crate) type Connection = SyncConnectionWrapper<SqliteConnection, BlockingThreads>;

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
pub(crate) struct Database {
    path: PathBuf,
    migrations: MigrationSet,
    writer: Slots,
    readers: Slots,
}

impl Database {
    /// Opens the file at `path`, which is made with its folder if it is not there. Applies no migrations.
    pub(crate) async fn open(path: &Path, migrations: MigrationSet) -> Result<Database, StoreError> {
        let path = path.to_owned();
        let blocking = tokio::task::spawn_blocking(move || {
            make_file(&path)?;
            let mut writer = connect(&path, Purpose::Write)?;
            refuse_newer(&path, migrations, &mut writer)?;
            Ok((path, writer))
        });
        let (path, writer) = blocking.await.map_err(join_error)??;
        let database = Database {
            path,
            migrations,
            writer: Slots::new(1, Purpose::Write),
            readers: Slots::new(N_READERS, Purpose::Read),
        };
        database.writer.put_back(Connection::new(writer));
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
            .map_err(|err| err.into_store_error(operation, &self.path))
    }

    /// Runs `body` in a transaction that reads one state of the store.
    pub(crate) async fn read<R, F>(&self, operation: &'static str, body: F) -> Result<R, StoreError>
    where
        for<'c> F: AsyncFnOnce(&'c mut Connection) -> Result<R, Failure>
            + AsyncBody<&'c mut Connection, Result<R, Failure>, Fut: Send>,
    {
        self.transaction(&self.readers, "BEGIN", body).await.map_err(|err| err.into_store_error(operation, &self.path))
    }

    /// Runs `body` on a blocking thread, in a transaction that may write: for bulk work, without a hop per statement.
    pub(crate) async fn write_blocking<R: Send + 'static>(
        &self,
        operation: &'static str,
        body: impl FnOnce(&mut SqliteConnection) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.blocking(&self.writer, "BEGIN IMMEDIATE", body)
            .await
            .map_err(|err| err.into_store_error(operation, &self.path))
    }

    /// Runs `body` on a blocking thread, in a transaction that reads one state of the store.
    pub(crate) async fn read_blocking<R: Send + 'static>(
        &self,
        operation: &'static str,
        body: impl FnOnce(&mut SqliteConnection) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.blocking(&self.readers, "BEGIN", body).await.map_err(|err| err.into_store_error(operation, &self.path))
    }

    async fn outside_transaction<R: Send + 'static>(
        &self,
        operation: &'static str,
        body: impl FnOnce(&mut SqliteConnection) -> QueryResult<R> + Send + 'static,
    ) -> Result<R, StoreError> {
        let run = async {
            let _permit = self.writer.permits.acquire().await.expect("the semaphore is never closed");
            let mut connection = self.writer.take(&self.path).await?;
            let value = connection.spawn_blocking(body).await?;
            self.writer.put_back(connection);
            Ok(value)
        };
        run.await.map_err(|err: Failure| err.into_store_error(operation, &self.path))
    }

    async fn transaction<R, F>(&self, slots: &Slots, begin: &str, body: F) -> Result<R, Failure>
    where
        for<'c> F: AsyncFnOnce(&'c mut Connection) -> Result<R, Failure>
            + AsyncBody<&'c mut Connection, Result<R, Failure>, Fut: Send>,
    {
        let _permit = slots.permits.acquire().await.expect("the semaphore is never closed");
        let mut connection = slots.take(&self.path).await?;
        connection.batch_execute(begin).await?;
        match body(&mut connection).await {
            Ok(value) => {
                connection.batch_execute("COMMIT").await?;
                slots.put_back(connection);
                Ok(value)
            }
            Err(Failure::Store(refusal)) => {
                connection.batch_execute("ROLLBACK").await?;
                slots.put_back(connection);
                Err(Failure::Store(refusal))
            }
            // After a driver error SQLite may have rolled back by itself or not; a fresh connection is sure to be clean.
            Err(failure) => Err(failure),
        }
    }

    async fn blocking<R: Send + 'static>(
        &self,
        slots: &Slots,
        begin: &'static str,
        body: impl FnOnce(&mut SqliteConnection) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, Failure> {
        let _permit = slots.permits.acquire().await.expect("the semaphore is never closed");
        let mut connection = slots.take(&self.path).await?;
        let outcome = connection.spawn_blocking(move |sqlite| Ok(blocking_transaction(sqlite, begin, body))).await?;
        if !matches!(outcome, Err(Failure::Query(_))) {
            slots.put_back(connection);
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

/// An async closure of one argument whose future can be sent between threads.
///
/// `AsyncFnOnce` alone cannot say that its future is `Send`; this says it. Closures get it by themselves.
pub(crate) trait AsyncBody<T, R>: AsyncFnOnce(T) -> R + FnOnce(T) -> <Self as AsyncBody<T, R>>::Fut {
    /// What the closure returns.
    type Fut: Future<Output = R>;
}

impl<F, T, Fut, R> AsyncBody<T, R> for F
where
    F: AsyncFnOnce(T) -> R + FnOnce(T) -> Fut,
    Fut: Future<Output = R>,
{
    type Fut = Fut;
}

/// Idle connections of one purpose, and how many may be out at a time.
struct Slots {
    purpose: Purpose,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Slots {
    fn new(n_connections: usize, purpose: Purpose) -> Slots {
        Slots { purpose, permits: Semaphore::new(n_connections), idle: Mutex::new(Vec::new()) }
    }

    /// Takes an idle connection or makes one; the caller holds a permit.
    async fn take(&self, path: &Path) -> Result<Connection, Failure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let (path, purpose) = (path.to_owned(), self.purpose);
        let sqlite = tokio::task::spawn_blocking(move || connect(&path, purpose)).await.map_err(join_error)??;
        Ok(Connection::new(sqlite))
    }

    fn put_back(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

fn join_error(error: tokio::task::JoinError) -> StoreError {
    StoreError::Backend { operation: "opening the store", source: error.into() }
}
