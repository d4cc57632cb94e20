//! Migrations of the schema, which diesel runs on blocking connections alone.

use diesel::QueryResult;
use diesel::connection::SimpleConnection as _;
use diesel::dsl::exists;
use diesel::prelude::{Connection as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use ml_core::error::StoreError;

use super::connect::quoted;
use super::retries::Retries;
use super::{PostgresConnection, PostgresDatabase};
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

impl PostgresDatabase {
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

    /// Refuses a schema that a newer release migrated.
    pub(super) async fn refuse_newer(&self, operation: &'static str) -> Result<(), StoreError> {
        let unknown = self.on_blocking_thread(operation, |postgres| MigrationSet::Sql.find_unknown(postgres)).await?;
        let Some(version) = unknown else { return Ok(()) };
        let place = self.connector.place();
        let (database, schema) = (place.database.clone(), place.schema.clone());
        Err(PostgresFault::NewerSchema { database, schema, version }.into_store_error(operation))
    }

    /// Runs what diesel has for blocking connections alone, with a connection of its own; again where that broke, for it looks
    /// what is there before it does anything.
    async fn on_blocking_thread<R: Send + 'static>(
        &self,
        operation: &'static str,
        body: impl Fn(&mut BlockingConnection) -> QueryResult<R> + Clone + Send + 'static,
    ) -> Result<R, StoreError> {
        let mut retries = Retries::new(self.max_retries);
        loop {
            let failure = match self.try_on_blocking_thread(operation, body.clone()).await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            let may_pass = matches!(&failure, Failure::Query(error) if error::is_transient(error));
            if !may_pass || !retries.wait().await {
                return Err(error::store_error(operation, self.connector.place(), failure));
            }
        }
    }

    async fn try_on_blocking_thread<R: Send + 'static>(
        &self,
        operation: &'static str,
        body: impl FnOnce(&mut BlockingConnection) -> QueryResult<R> + Send + 'static,
    ) -> Result<R, Failure> {
        let connection = self.connect_patiently(operation).await.map_err(|failed| failed.failure)?;
        let running = tokio::task::spawn_blocking(move || body(&mut BlockingConnection::from(connection)));
        let outcome = running.await.map_err(|err| StoreError::Backend { operation, source: err.into() })?;
        Ok(outcome?)
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
