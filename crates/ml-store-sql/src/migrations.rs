//! The embedded migrations of both stores: what is pending, applying it, and refusing what a newer release applied.

use std::collections::HashSet;

use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::migration::{Migration, MigrationConnection, MigrationSource, MigrationVersion};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel::sqlite::SqliteConnection;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error;

const DOCUMENTS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite/documents");
const SQL_ON_SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite/sql");
const SQL_ON_POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// What processes that migrate the same PostgreSQL schema take turns by.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/migrations', 0))";

diesel::table! {
    sqlite_master (name) {
        name -> Text,
    }
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// Selects the versions that were applied, newest first.
macro_rules! versions {
    () => {
        __diesel_schema_migrations::table
            .select(__diesel_schema_migrations::version)
            .order(__diesel_schema_migrations::version.desc())
    };
}

/// A connection to the engine that migrations run on.
pub(crate) trait Migrated: MigrationConnection + MigrationHarness<<Self as Connection>::Backend> {
    /// Returns the migrations of `set` for this engine.
    fn source(set: MigrationSet) -> EmbeddedMigrations;

    /// Returns the versions that were applied, newest first.
    ///
    /// Diesel makes its table in order to read it. That would be a write, which not every user may do, and two processes that
    /// begin with it get in each other's way.
    fn applied(&mut self) -> QueryResult<Vec<String>>;

    /// Runs `change` in a transaction, while nobody else migrates.
    fn alone<R>(&mut self, change: impl FnOnce(&mut Self) -> QueryResult<R>) -> QueryResult<R>;
}

impl Migrated for SqliteConnection {
    fn source(set: MigrationSet) -> EmbeddedMigrations {
        match set {
            MigrationSet::Documents => DOCUMENTS,
            MigrationSet::Sql => SQL_ON_SQLITE,
        }
    }

    fn applied(&mut self) -> QueryResult<Vec<String>> {
        let of_applied = sqlite_master::table.filter(sqlite_master::name.eq("__diesel_schema_migrations"));
        let n_tables: i64 = of_applied.count().get_result(self)?;
        if n_tables == 0 { Ok(Vec::new()) } else { versions!().load(self) }
    }

    fn alone<R>(&mut self, change: impl FnOnce(&mut SqliteConnection) -> QueryResult<R>) -> QueryResult<R> {
        // A table may go before another that refers to it within one migration.
        self.batch_execute("PRAGMA foreign_keys = OFF")?;
        let outcome = self.immediate_transaction(change);
        self.batch_execute("PRAGMA foreign_keys = ON")?;
        outcome
    }
}

impl Migrated for AsyncConnectionWrapper<AsyncPgConnection> {
    fn source(_set: MigrationSet) -> EmbeddedMigrations {
        SQL_ON_POSTGRES
    }

    fn applied(&mut self) -> QueryResult<Vec<String>> {
        let has_table = sql::<Bool>("to_regclass('__diesel_schema_migrations') IS NOT NULL");
        if diesel::select(has_table).get_result(self)? { versions!().load(self) } else { Ok(Vec::new()) }
    }

    fn alone<R>(&mut self, change: impl FnOnce(&mut Self) -> QueryResult<R>) -> QueryResult<R> {
        self.transaction(|postgres| {
            postgres.batch_execute(LOCK)?;
            change(postgres)
        })
    }
}

/// The migrations of one of the two stores.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MigrationSet {
    Documents,
    Sql,
}

impl MigrationSet {
    /// Lists the names of the migrations that are still to be applied, in order.
    pub(crate) fn pending<C: Migrated>(self, connection: &mut C) -> QueryResult<Vec<String>> {
        let pending = self.pending_migrations(connection)?;
        Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
    }

    /// Applies what is pending, all of it or nothing, and returns the names in order.
    ///
    /// Two processes may start at once: who comes second waits for the lock and then finds nothing to do.
    pub(crate) fn apply<C: Migrated>(self, connection: &mut C) -> QueryResult<Vec<String>> {
        if self.pending_migrations(connection)?.is_empty() {
            return Ok(Vec::new());
        }
        connection.alone(|connection| {
            connection.setup()?;
            let pending = self.pending_migrations(connection)?;
            connection.run_migrations(&pending).map_err(error::migration_error)?;
            Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
        })
    }

    /// Undoes every migration, newest first; the data goes with the tables.
    pub(crate) fn revert_all<C: Migrated>(self, connection: &mut C) -> QueryResult<()> {
        connection.alone(|connection| {
            connection.revert_all_migrations(C::source(self)).map(|_| ()).map_err(error::migration_error)
        })
    }

    /// Returns the oldest applied migration that this release does not know, if there is one.
    pub(crate) fn find_unknown<C: Migrated>(self, connection: &mut C) -> QueryResult<Option<String>> {
        let known = self.known::<C>()?;
        let known: HashSet<MigrationVersion<'_>> = known.iter().map(|migration| migration.name().version()).collect();
        let applied = list_applied(connection)?;
        Ok(applied.iter().rev().find(|version| !known.contains(version)).map(ToString::to_string))
    }

    fn known<C: Migrated>(self) -> QueryResult<Vec<Box<dyn Migration<C::Backend>>>> {
        MigrationSource::<C::Backend>::migrations(&C::source(self)).map_err(error::migration_error)
    }

    fn pending_migrations<C: Migrated>(self, connection: &mut C) -> QueryResult<Vec<Box<dyn Migration<C::Backend>>>> {
        let applied: HashSet<MigrationVersion<'_>> = list_applied(connection)?.into_iter().collect();
        let mut pending = self.known::<C>()?;
        pending.retain(|migration| !applied.contains(&migration.name().version()));
        pending.sort_by_key(|migration| migration.name().version().as_owned());
        Ok(pending)
    }
}

/// Lists what was applied, newest first.
fn list_applied<C: Migrated>(connection: &mut C) -> QueryResult<Vec<MigrationVersion<'static>>> {
    Ok(connection.applied()?.into_iter().map(MigrationVersion::from).collect())
}
