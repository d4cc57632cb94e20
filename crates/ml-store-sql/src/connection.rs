//! Which engine the SQL store is on, and transactions on it.
//!
//! A query is written once, and runs on the engine that `on_backend!` finds. What the engines cannot share is in functions
//! that are named for one of them.

mod body;
mod postgres;
mod slots;
mod sqlite;

use ml_core::error::StoreError;

pub(crate) use self::body::AsyncBody;
pub(crate) use self::postgres::{PostgresConnection, PostgresDatabase};
pub use self::postgres::{PostgresDiagnosis, PostgresPermissions};
pub use self::sqlite::{SqliteCheck, SqliteDiagnosis};
pub(crate) use self::sqlite::{SqliteDatabase, SqliteWrapper};
use crate::error::Failure;

/// A connection that is in a transaction.
pub(crate) enum Connection {
    /// To an SQLite file; its queries run on the blocking threads.
    Sqlite(Box<SqliteWrapper>),
    /// To a PostgreSQL server.
    Postgres(Box<PostgresConnection>),
}

/// Runs a query on the engine that `$connection` is to.
///
/// The expression is compiled once for each engine, with `$connection` bound to the engine's own connection, for a query has
/// another type on each.
macro_rules! on_backend {
    ($connection:ident => $query:expr) => {
        match $connection {
            $crate::connection::Connection::Sqlite(sqlite) => {
                let $connection = &mut **sqlite;
                $query
            }
            $crate::connection::Connection::Postgres(postgres) => {
                let $connection = &mut **postgres;
                $query
            }
        }
    };
}
pub(crate) use on_backend;

/// Inserts many rows by the statement that `$insert` makes of `$values`: of a chunk of them on PostgreSQL, where a statement is a
/// round trip, and of each on SQLite, where it is none and diesel prepares no others.
macro_rules! insert_all {
    ($connection:ident, $rows:expr, |$values:ident| $insert:expr) => {
        match $connection {
            $crate::connection::Connection::Sqlite(sqlite) => {
                for $values in $rows {
                    $insert.execute(&mut **sqlite).await?;
                }
            }
            $crate::connection::Connection::Postgres(postgres) => {
                for $values in $rows.chunks($crate::connection::ROWS_PER_STATEMENT) {
                    $insert.execute(&mut **postgres).await?;
                }
            }
        }
    };
}
pub(crate) use insert_all;

/// How many rows one statement writes; the protocol has room for 65,535 parameters.
pub(crate) const ROWS_PER_STATEMENT: usize = 1_000;

/// What holds the tables.
pub(crate) enum Database {
    /// An SQLite file.
    Sqlite(SqliteDatabase),
    /// A schema on a PostgreSQL server.
    Postgres(Box<PostgresDatabase>),
}

impl Database {
    /// Applies the pending migrations and returns their names; with none pending it only reads.
    pub(crate) async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        match self {
            Database::Sqlite(sqlite) => sqlite.migrate().await,
            Database::Postgres(postgres) => postgres.migrate().await,
        }
    }

    /// Lists the names of the migrations that are still to be applied.
    pub(crate) async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        match self {
            Database::Sqlite(sqlite) => sqlite.pending_migrations().await,
            Database::Postgres(postgres) => postgres.pending_migrations().await,
        }
    }

    /// Undoes every migration.
    pub(crate) async fn revert_migrations(&self) -> Result<(), StoreError> {
        match self {
            Database::Sqlite(sqlite) => sqlite.revert_migrations().await,
            Database::Postgres(postgres) => postgres.revert_migrations().await,
        }
    }

    /// Runs `body` in a transaction that may write: all of it is kept, or on an error nothing.
    ///
    /// On SQLite nobody else writes meanwhile. On PostgreSQL others do: what reads before it writes calls [`lock`] first. There
    /// `body` runs again after a failure that left nothing behind and that another attempt may mend.
    pub(crate) async fn write<R, F>(&self, operation: &'static str, body: F) -> Result<R, StoreError>
    where
        for<'c> F: AsyncFnOnce(&'c mut Connection) -> Result<R, Failure>
            + AsyncBody<&'c mut Connection, Result<R, Failure>, Fut: Send>
            + Clone,
    {
        match self {
            Database::Sqlite(sqlite) => sqlite.write(operation, body).await,
            Database::Postgres(postgres) => postgres.write::<Connection, _, _>(operation, body).await,
        }
    }

    /// Runs `body` in a transaction that reads one state of the store.
    pub(crate) async fn read<R, F>(&self, operation: &'static str, body: F) -> Result<R, StoreError>
    where
        for<'c> F: AsyncFnOnce(&'c mut Connection) -> Result<R, Failure>
            + AsyncBody<&'c mut Connection, Result<R, Failure>, Fut: Send>
            + Clone,
    {
        match self {
            Database::Sqlite(sqlite) => sqlite.read(operation, body).await,
            Database::Postgres(postgres) => postgres.read::<Connection, _, _>(operation, body).await,
        }
    }
}

/// Keeps other writers of `thing` waiting until the transaction ends, so that what is read now still holds when it is written.
///
/// On SQLite the transaction itself does. A transaction takes one such lock, before it reads anything: two could be taken in
/// two orders, and wait for each other.
pub(crate) async fn lock(connection: &mut Connection, thing: &str) -> Result<(), Failure> {
    match connection {
        Connection::Sqlite(_) => Ok(()),
        Connection::Postgres(postgres) => Ok(postgres::lock(postgres, thing).await?),
    }
}
