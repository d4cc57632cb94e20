//! Migrations of the schema, which diesel runs on blocking connections alone.

use diesel::QueryResult;
use diesel::connection::SimpleConnection as _;
use diesel::dsl::exists;
use diesel::prelude::{Connection as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use ml_core::error::StoreError;

use super::connect::quoted;
use super::retries::Retries;
use super::{Failed, PostgresConnection, PostgresDatabase, Retry};
use crate::error::Failure;
use crate::error::postgres::{self as error, PostgresFault};
use crate::migrations::MigrationSet;

diesel::table! {
    pg_catalog.pg_namespace (nspname) {
        nspname -> Text,
    }
}

/// A connection to the server, as what diesel's migrations run on.
type BlockingConnection = AsyncConnectionWrapper<PostgresConnection>;

/// Whether a server that says nothing is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// It only has to look, which takes no time.
    Limited,
    /// What it does may take any time.
    Unlimited,
}

impl PostgresDatabase {
    /// Applies the pending migrations and returns their names; with none pending it only reads.
    pub(crate) async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        const OPERATION: &str = "applying migrations";
        if self.pending_unless_newer(OPERATION).await?.is_empty() {
            return Ok(Vec::new());
        }
        let schema = self.connector.place().schema.clone();
        self.on_blocking_thread(OPERATION, Patience::Unlimited, move |postgres| migrate_in(postgres, &schema)).await
    }

    /// Lists the names of the migrations that are still to be applied.
    pub(crate) async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        let pending = |postgres: &mut BlockingConnection| MigrationSet::Sql.pending(postgres);
        self.on_blocking_thread("listing migrations", Patience::Limited, pending).await
    }

    /// Undoes every migration.
    pub(crate) async fn revert_migrations(&self) -> Result<(), StoreError> {
        const OPERATION: &str = "reverting migrations";
        self.pending_unless_newer(OPERATION).await?;
        let revert = |postgres: &mut BlockingConnection| MigrationSet::Sql.revert_all(postgres);
        self.on_blocking_thread(OPERATION, Patience::Unlimited, revert).await
    }

    /// Lists the names of the migrations that are still to be applied, and refuses a schema that a newer release migrated.
    pub(super) async fn pending_unless_newer(&self, operation: &'static str) -> Result<Vec<String>, StoreError> {
        let look = |postgres: &mut BlockingConnection| {
            Ok((MigrationSet::Sql.find_unknown(postgres)?, MigrationSet::Sql.pending(postgres)?))
        };
        let (unknown, pending) = self.on_blocking_thread(operation, Patience::Limited, look).await?;
        let Some(version) = unknown else { return Ok(pending) };
        let place = self.connector.place();
        let (database, schema) = (place.database.clone(), place.schema.clone());
        Err(PostgresFault::NewerSchema { database, schema, version }.into_store_error(operation))
    }

    /// Runs what diesel has for blocking connections alone, with a connection of its own; again where that broke, for it looks
    /// what is there before it does anything.
    async fn on_blocking_thread<R: Send + 'static>(
        &self,
        operation: &'static str,
        patience: Patience,
        body: impl Fn(&mut BlockingConnection) -> QueryResult<R> + Clone + Send + 'static,
    ) -> Result<R, StoreError> {
        let mut retries = Retries::new(self.max_retries);
        loop {
            let failed = match self.try_on_blocking_thread(operation, patience, body.clone()).await {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            if failed.is_final || !retries.wait().await {
                return Err(error::store_error(operation, self.connector.place(), failed.failure));
            }
        }
    }

    async fn try_on_blocking_thread<R: Send + 'static>(
        &self,
        operation: &'static str,
        patience: Patience,
        body: impl FnOnce(&mut BlockingConnection) -> QueryResult<R> + Send + 'static,
    ) -> Result<R, Failed> {
        let connected = self.connect_patiently(operation).await;
        let connection = connected.map_err(|failed| Failed { is_final: true, ..failed })?;
        let running = tokio::task::spawn_blocking(move || body(&mut BlockingConnection::from(connection)));
        let ended = match patience {
            Patience::Limited => self.in_time(operation, Retry::Helps, running).await?,
            Patience::Unlimited => running.await,
        };
        let outcome = ended.map_err(|err| Failure::from(StoreError::Backend { operation, source: err.into() }))?;
        Ok(outcome.map_err(Failure::from)?)
    }
}

/// Makes the schema where it is missing, and applies what is pending, however long that takes.
fn migrate_in(postgres: &mut BlockingConnection, schema: &str) -> QueryResult<Vec<String>> {
    if MigrationSet::Sql.pending(postgres)?.is_empty() {
        return Ok(Vec::new());
    }
    postgres.batch_execute("SET statement_timeout TO 0")?;
    make_schema(postgres, schema)?;
    MigrationSet::Sql.apply(postgres)
}

fn make_schema(postgres: &mut BlockingConnection, schema: &str) -> QueryResult<()> {
    postgres.transaction(|postgres| {
        // Of two who make it at once, one would fail.
        postgres.batch_execute("SELECT pg_advisory_xact_lock(hashtextextended('ml-app/schemas', 0))")?;
        // Asked for first, for whoever may not make schemas may not make one that is there already.
        if !has_schema(postgres, schema)? {
            postgres.batch_execute(&format!("CREATE SCHEMA {}", quoted(schema)))?;
        }
        Ok(())
    })
}

fn has_schema(postgres: &mut BlockingConnection, schema: &str) -> QueryResult<bool> {
    let of_that_name = pg_namespace::table.filter(pg_namespace::nspname.eq(schema));
    diesel::select(exists(of_that_name)).get_result(postgres)
}
