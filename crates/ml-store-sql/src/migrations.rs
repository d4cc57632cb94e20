//! The embedded migrations of both stores: what is pending, applying it, and refusing what a newer release applied.

use std::collections::HashSet;

use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::prelude::*;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use crate::error;

const DOCUMENTS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite/documents");
const SQL: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite/sql");

diesel::table! {
    sqlite_master (name) {
        name -> Text,
    }
}

/// The migrations of one of the two stores.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MigrationSet {
    Documents,
    Sql,
}

impl MigrationSet {
    fn source(self) -> EmbeddedMigrations {
        match self {
            MigrationSet::Documents => DOCUMENTS,
            MigrationSet::Sql => SQL,
        }
    }

    /// Lists the names of the migrations that are still to be applied, in order.
    pub(crate) fn pending(self, sqlite: &mut SqliteConnection) -> QueryResult<Vec<String>> {
        let pending = self.pending_migrations(sqlite)?;
        Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
    }

    /// Applies what is pending, all of it or nothing, and returns the names in order.
    ///
    /// Two processes may start at once: who comes second waits for the lock and then finds nothing to do.
    pub(crate) fn apply(self, sqlite: &mut SqliteConnection) -> QueryResult<Vec<String>> {
        if self.pending_migrations(sqlite)?.is_empty() {
            return Ok(Vec::new());
        }
        sqlite.immediate_transaction(|sqlite| {
            let pending = self.pending_migrations(sqlite)?;
            sqlite.run_migrations(&pending).map_err(error::migration_error)?;
            Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
        })
    }

    /// Undoes every migration, newest first; the data goes with the tables.
    pub(crate) fn revert_all(self, sqlite: &mut SqliteConnection) -> QueryResult<()> {
        // A table may go before another that refers to it within one migration.
        sqlite.batch_execute("PRAGMA foreign_keys = OFF")?;
        let reverted = sqlite.immediate_transaction(|sqlite| {
            sqlite.revert_all_migrations(self.source()).map(|_| ()).map_err(error::migration_error)
        });
        sqlite.batch_execute("PRAGMA foreign_keys = ON")?;
        reverted
    }

    /// Returns the oldest applied migration that this release does not know, if there is one.
    pub(crate) fn find_unknown(self, sqlite: &mut SqliteConnection) -> QueryResult<Option<String>> {
        let n_tables: i64 = sqlite_master::table
            .filter(sqlite_master::name.eq("__diesel_schema_migrations"))
            .count()
            .get_result(sqlite)?;
        if n_tables == 0 {
            return Ok(None);
        }
        let known = self.source();
        let known = MigrationSource::<Sqlite>::migrations(&known).map_err(error::migration_error)?;
        let known: HashSet<MigrationVersion<'_>> = known.iter().map(|migration| migration.name().version()).collect();
        let applied = sqlite.applied_migrations().map_err(error::migration_error)?;
        let unknown = applied.iter().rev().find(|version| !known.contains(version));
        Ok(unknown.map(ToString::to_string))
    }

    fn pending_migrations(self, sqlite: &mut SqliteConnection) -> QueryResult<Vec<Box<dyn Migration<Sqlite>>>> {
        sqlite.pending_migrations(self.source()).map_err(error::migration_error)
    }
}
