//! Connections to one schema on a PostgreSQL server.
//!
//! Transactions that fail for what may pass are tried again, a bounded number of times and with growing pauses, as long as
//! nothing of them can have been kept: a commit that was sent and not answered is not.

mod connect;
mod tls;

use std::time::Duration;

use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::dsl::exists;
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};
use diesel::sql_types::Text;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use ml_core::error::StoreError;
use tokio::sync::SemaphorePermit;

use self::connect::{Connector, quoted};
use super::slots::Slots;
use super::{AsyncBody, Connection};
use crate::error::Failure;
use crate::error::postgres::{self as error, PostgresFault};
use crate::migrations::MigrationSet;
use crate::options::PostgresOptions;

diesel::table! {
    pg_catalog.pg_namespace (nspname) {
        nspname -> Text,
    }
}

/// A connection to the server.
pub(crate) type PostgresConnection = AsyncPgConnection;

/// The same, as what diesel's migrations run on.
type BlockingConnection = AsyncConnectionWrapper<PostgresConnection>;

/// How long to wait before the first repetition; each further one waits twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest wait between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Others may write meanwhile; each statement sees what was committed before it.
const WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// Every statement sees the state that was there at the first.
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Whether a transaction writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Write,
    Read,
}

/// One schema on a server and the connections to it.
pub(crate) struct PostgresDatabase {
    connector: Connector,
    slots: Slots<PostgresConnection>,
    max_pool_size: usize,
    pool_timeout: Duration,
    max_retries: u32,
}

/// How a transaction holds its connection: as it is, or as one to either engine.
pub(crate) trait Holder: Send {
    /// Takes the connection.
    fn hold(connection: PostgresConnection) -> Self;

    /// Gives it back.
    fn give_back(self) -> Option<PostgresConnection>;
}

impl Holder for PostgresConnection {
    fn hold(connection: PostgresConnection) -> PostgresConnection {
        connection
    }

    fn give_back(self) -> Option<PostgresConnection> {
        Some(self)
    }
}

impl Holder for Connection {
    fn hold(connection: PostgresConnection) -> Connection {
        Connection::Postgres(Box::new(connection))
    }

    fn give_back(self) -> Option<PostgresConnection> {
        match self {
            Connection::Postgres(connection) => Some(*connection),
            Connection::Sqlite(_) => None,
        }
    }
}

/// Why an attempt failed.
struct Failed {
    failure: Failure,
    /// Whether another attempt is of no use, or would do twice what may have been kept.
    is_final: bool,
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Failed {
        let is_final = match &failure {
            Failure::Query(error) => !error::is_transient(error),
            Failure::Store(_) => true,
        };
        Failed { failure, is_final }
    }
}

impl PostgresDatabase {
    /// Connects, and makes sure that the server answers, lets us in, and was not migrated by a newer release.
    pub(crate) async fn connect(options: &PostgresOptions) -> Result<PostgresDatabase, StoreError> {
        const OPERATION: &str = "connecting to PostgreSQL";
        let connector = Connector::new(options).map_err(|err| err.into_store_error(OPERATION))?;
        let max_pool_size = options.max_pool_size as usize;
        let database = PostgresDatabase {
            connector,
            slots: Slots::new(max_pool_size),
            max_pool_size,
            pool_timeout: Duration::from_millis(options.pool_timeout_ms),
            max_retries: options.max_retries,
        };
        database.refuse_newer(OPERATION).await?;
        Ok(database)
    }

    /// Applies the pending migrations and returns their names; with none pending it only reads.
    pub(crate) async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        const OPERATION: &str = "applying migrations";
        self.refuse_newer(OPERATION).await?;
        let schema = self.connector.place().schema.clone();
        self.on_blocking_thread(OPERATION, move |postgres| migrate_in(postgres, &schema)).await
    }

    /// Lists the names of the migrations that are still to be applied.
    pub(crate) async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        self.on_blocking_thread("listing migrations", |postgres| MigrationSet::Sql.pending(postgres)).await
    }

    /// Undoes every migration.
    pub(crate) async fn revert_migrations(&self) -> Result<(), StoreError> {
        const OPERATION: &str = "reverting migrations";
        self.refuse_newer(OPERATION).await?;
        self.on_blocking_thread(OPERATION, |postgres| MigrationSet::Sql.revert_all(postgres)).await
    }

    /// Runs `body` in a transaction that may write: all of it is kept, or on an error nothing.
    pub(crate) async fn write<H, R, F>(&self, operation: &'static str, body: F) -> Result<R, StoreError>
    where
        H: Holder,
        for<'c> F:
            AsyncFnOnce(&'c mut H) -> Result<R, Failure> + AsyncBody<&'c mut H, Result<R, Failure>, Fut: Send> + Clone,
    {
        self.transaction(operation, Purpose::Write, body).await
    }

    /// Runs `body` in a transaction that reads one state of the store.
    pub(crate) async fn read<H, R, F>(&self, operation: &'static str, body: F) -> Result<R, StoreError>
    where
        H: Holder,
        for<'c> F:
            AsyncFnOnce(&'c mut H) -> Result<R, Failure> + AsyncBody<&'c mut H, Result<R, Failure>, Fut: Send> + Clone,
    {
        self.transaction(operation, Purpose::Read, body).await
    }

    async fn transaction<H, R, F>(&self, operation: &'static str, purpose: Purpose, body: F) -> Result<R, StoreError>
    where
        H: Holder,
        for<'c> F:
            AsyncFnOnce(&'c mut H) -> Result<R, Failure> + AsyncBody<&'c mut H, Result<R, Failure>, Fut: Send> + Clone,
    {
        let mut pause = FIRST_PAUSE;
        let mut n_retries = 0;
        loop {
            let failed = match self.attempt(operation, purpose, body.clone()).await {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            let error = error::store_error(operation, self.connector.place(), failed.failure);
            if failed.is_final || n_retries == self.max_retries {
                return Err(error);
            }
            tracing::debug!(operation, n_retries, "{operation} is tried again: {error}");
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
            n_retries += 1;
        }
    }

    async fn attempt<H, R, F>(&self, operation: &'static str, purpose: Purpose, body: F) -> Result<R, Failed>
    where
        H: Holder,
        for<'c> F: AsyncFnOnce(&'c mut H) -> Result<R, Failure> + AsyncBody<&'c mut H, Result<R, Failure>, Fut: Send>,
    {
        let _permit = self.permit(operation).await?;
        let mut held = H::hold(self.begin(operation, purpose).await?);
        let outcome = body(&mut held).await;
        let end = match &outcome {
            Ok(_) => "COMMIT",
            Err(Failure::Store(_)) => "ROLLBACK",
            // The connection may be in any state; closing it rolls back.
            Err(Failure::Query(_)) => return Ok(outcome?),
        };
        if let Some(mut connection) = held.give_back() {
            connection.batch_execute(end).await.map_err(|err| {
                let is_final = purpose == Purpose::Write || !error::is_transient(&err);
                Failed { failure: err.into(), is_final }
            })?;
            self.slots.put_back(connection);
        }
        Ok(outcome?)
    }

    async fn permit(&self, operation: &'static str) -> Result<SemaphorePermit<'_>, Failed> {
        tokio::time::timeout(self.pool_timeout, self.slots.permit()).await.map_err(|_| {
            let fault =
                PostgresFault::Busy { n_connections: self.max_pool_size, after_ms: self.pool_timeout.as_millis() };
            Failed { failure: fault.into_store_error(operation).into(), is_final: true }
        })
    }

    /// Begins a transaction on an idle connection that still is one, or on a new one.
    async fn begin(&self, operation: &'static str, purpose: Purpose) -> Result<PostgresConnection, Failed> {
        let begin = match purpose {
            Purpose::Write => WRITE,
            Purpose::Read => READ,
        };
        while let Some(mut idle) = self.slots.take_idle() {
            match idle.batch_execute(begin).await {
                Ok(()) => return Ok(idle),
                // It broke while nobody used it: the server restarted, or something on the way there forgot it.
                Err(err) if error::is_transient(&err) => {}
                Err(err) => return Err(Failure::from(err).into()),
            }
        }
        let mut new = self.connect_anew(operation).await?;
        new.batch_execute(begin).await.map_err(Failure::from)?;
        Ok(new)
    }

    async fn connect_anew(&self, operation: &'static str) -> Result<PostgresConnection, Failed> {
        match self.connector.connect().await {
            Ok(connection) => Ok(connection),
            Err(fault) => {
                let is_final = !fault.may_pass();
                Err(Failed { failure: fault.into_store_error(operation).into(), is_final })
            }
        }
    }

    async fn refuse_newer(&self, operation: &'static str) -> Result<(), StoreError> {
        let unknown = self.on_blocking_thread(operation, |postgres| MigrationSet::Sql.find_unknown(postgres)).await?;
        let Some(version) = unknown else { return Ok(()) };
        let place = self.connector.place();
        let (database, schema) = (place.database.clone(), place.schema.clone());
        Err(PostgresFault::NewerSchema { database, schema, version }.into_store_error(operation))
    }

    /// Runs what diesel has for blocking connections alone, with a connection of its own.
    async fn on_blocking_thread<R: Send + 'static>(
        &self,
        operation: &'static str,
        body: impl FnOnce(&mut BlockingConnection) -> QueryResult<R> + Send + 'static,
    ) -> Result<R, StoreError> {
        let connection = self.connect_anew(operation).await.map_err(|failed| failed.failure);
        let run = async {
            let connection = connection?;
            let running = tokio::task::spawn_blocking(move || body(&mut BlockingConnection::from(connection)));
            let outcome = running.await.map_err(|err| StoreError::Backend { operation, source: err.into() })?;
            Ok(outcome?)
        };
        run.await.map_err(|failure| error::store_error(operation, self.connector.place(), failure))
    }
}

/// Makes the schema where it is missing, and applies what is pending, however long that takes.
fn migrate_in(postgres: &mut BlockingConnection, schema: &str) -> QueryResult<Vec<String>> {
    if MigrationSet::Sql.pending(postgres)?.is_empty() {
        return Ok(Vec::new());
    }
    SimpleConnection::batch_execute(postgres, "SET statement_timeout TO 0")?;
    // Asked for first, for whoever may not make schemas may not make one that is there already.
    if !has_schema(postgres, schema)? {
        let create = format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema));
        SimpleConnection::batch_execute(postgres, &create)?;
    }
    MigrationSet::Sql.apply(postgres)
}

fn has_schema(postgres: &mut BlockingConnection, schema: &str) -> QueryResult<bool> {
    let of_that_name = pg_namespace::table.filter(pg_namespace::nspname.eq(schema));
    diesel::RunQueryDsl::get_result(diesel::select(exists(of_that_name)), postgres)
}

/// Keeps other transactions that lock `thing` waiting until this one ends.
pub(super) async fn lock(postgres: &mut PostgresConnection, thing: &str) -> QueryResult<()> {
    // Such locks are of the whole database, and schemas are nothing to one another.
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/' || $1, 0))")
        .bind::<Text, _>(thing)
        .execute(postgres)
        .await?;
    Ok(())
}
