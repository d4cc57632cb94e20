//! Connections to one schema on a PostgreSQL server.
//!
//! Transactions that fail for what may pass are tried again, a bounded number of times and with growing pauses, as long as
//! nothing of them can have been kept: a commit that was sent and not answered is not.

mod abandoned;
mod connect;
mod diagnosis;
mod migrations;
mod retries;
mod tls;

use std::time::Duration;

use diesel::QueryResult;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use ml_core::error::StoreError;
use tokio::sync::SemaphorePermit;

use self::connect::Connector;
pub use self::diagnosis::{PostgresDiagnosis, PostgresPermissions};
use self::retries::Retries;
use super::slots::Slots;
use super::{AsyncBody, Connection};
use crate::error::Failure;
use crate::error::postgres::{self as error, PostgresFault};
use crate::options::PostgresOptions;

/// A connection to the server.
pub(crate) type PostgresConnection = AsyncPgConnection;

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
    /// How long an attempt at a transaction may take. The server's own limits do not end the waiting for a server that was cut off.
    transaction_timeout: Duration,
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

/// What another attempt would do after the server said nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retry {
    /// What was to be done was not, or may be done twice.
    Helps,
    /// What was to be done may have been.
    WouldRepeat,
}

/// Why an attempt failed.
struct Failed {
    failure: Failure,
    /// Whether another attempt is of no use, or would do twice what may have been kept.
    is_final: bool,
    /// Whether someone may hold locks whom the server hears nothing of.
    is_kept_waiting: bool,
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Failed {
        let (is_final, is_kept_waiting) = match &failure {
            Failure::Query(error) => (!error::is_transient(error), error::is_contended(error)),
            Failure::Store(_) => (true, false),
        };
        Failed { failure, is_final, is_kept_waiting }
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
            transaction_timeout: Duration::from_millis(options.transaction_timeout_ms.into()),
            max_retries: options.max_retries,
        };
        database.pending_unless_newer(OPERATION).await?;
        Ok(database)
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
        let mut retries = Retries::new(self.max_retries);
        loop {
            let failed = match self.attempt(operation, purpose, body.clone()).await {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            let error = error::store_error(operation, self.connector.place(), failed.failure);
            if failed.is_final || !retries.wait().await {
                return Err(error);
            }
            if failed.is_kept_waiting {
                self.end_abandoned(operation).await;
            }
            tracing::debug!(operation, "{operation} is tried again: {error}");
        }
    }

    async fn attempt<H, R, F>(&self, operation: &'static str, purpose: Purpose, body: F) -> Result<R, Failed>
    where
        H: Holder,
        for<'c> F: AsyncFnOnce(&'c mut H) -> Result<R, Failure> + AsyncBody<&'c mut H, Result<R, Failure>, Fut: Send>,
    {
        let _permit = self.permit(operation).await?;
        let mut held = H::hold(self.begin(operation, purpose).await?);
        let outcome = self.in_time(operation, Retry::Helps, body(&mut held)).await?;
        let end = match &outcome {
            Ok(_) => "COMMIT",
            Err(Failure::Store(_)) => "ROLLBACK",
            // The connection may be in any state; closing it rolls back.
            Err(Failure::Query(_)) => return Ok(outcome?),
        };
        if let Some(mut connection) = held.give_back() {
            let retry = if purpose == Purpose::Write { Retry::WouldRepeat } else { Retry::Helps };
            self.in_time(operation, retry, connection.batch_execute(end)).await?.map_err(|err| {
                let is_final = purpose == Purpose::Write || !error::is_transient(&err);
                Failed { failure: err.into(), is_final, is_kept_waiting: false }
            })?;
            self.slots.put_back(connection);
        }
        Ok(outcome?)
    }

    async fn permit(&self, operation: &'static str) -> Result<SemaphorePermit<'_>, Failed> {
        tokio::time::timeout(self.pool_timeout, self.slots.permit()).await.map_err(|_| {
            let fault =
                PostgresFault::Busy { n_connections: self.max_pool_size, after_ms: self.pool_timeout.as_millis() };
            Failed { failure: fault.into_store_error(operation).into(), is_final: true, is_kept_waiting: false }
        })
    }

    /// Begins a transaction on an idle connection that still is one, or on a new one.
    async fn begin(&self, operation: &'static str, purpose: Purpose) -> Result<PostgresConnection, Failed> {
        let begin = match purpose {
            Purpose::Write => WRITE,
            Purpose::Read => READ,
        };
        while let Some(mut idle) = self.slots.take_idle() {
            // It may have broken while nobody used it: the server restarted, or something on the way there forgot it.
            let Ok(begun) = tokio::time::timeout(self.connector.patience(), idle.batch_execute(begin)).await else {
                continue;
            };
            match begun {
                Ok(()) => return Ok(idle),
                Err(err) if error::is_transient(&err) => {}
                Err(err) => return Err(Failure::from(err).into()),
            }
        }
        let mut new = self.connect_anew(operation).await?;
        self.in_time(operation, Retry::Helps, new.batch_execute(begin)).await?.map_err(Failure::from)?;
        Ok(new)
    }

    /// Waits for a part of a transaction, but not without end.
    async fn in_time<T>(
        &self,
        operation: &'static str,
        retry: Retry,
        part: impl Future<Output = T>,
    ) -> Result<T, Failed> {
        tokio::time::timeout(self.transaction_timeout, part).await.map_err(|_| {
            let fault = self.connector.silence(self.transaction_timeout);
            let is_final = retry == Retry::WouldRepeat;
            Failed { failure: fault.into_store_error(operation).into(), is_final, is_kept_waiting: true }
        })
    }

    async fn connect_anew(&self, operation: &'static str) -> Result<PostgresConnection, Failed> {
        match self.connector.connect().await {
            Ok(connection) => Ok(connection),
            Err(fault) => {
                let is_final = !fault.may_pass();
                Err(Failed { failure: fault.into_store_error(operation).into(), is_final, is_kept_waiting: false })
            }
        }
    }

    /// Makes a new connection, and tries again while the server is away.
    async fn connect_patiently(&self, operation: &'static str) -> Result<PostgresConnection, Failed> {
        let mut retries = Retries::new(self.max_retries);
        loop {
            match self.connect_anew(operation).await {
                Err(failed) if !failed.is_final && retries.wait().await => {}
                outcome => return outcome,
            }
        }
    }
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
