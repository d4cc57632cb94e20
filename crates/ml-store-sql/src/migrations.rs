//! The embedded migrations of both stores: what is pending, applying it, and refusing what a newer release applied.

use std::collections::HashSet;

use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration, MigrationConnection as _, MigrationSource, MigrationVersion};
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
            sqlite.setup()?;
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
        let known = self.known()?;
        let known: HashSet<MigrationVersion<'_>> = known.iter().map(|migration| migration.name().version()).collect();
        let applied = list_applied(sqlite)?;
        Ok(applied.iter().rev().find(|version| !known.contains(version)).map(ToString::to_string))
    }

    fn known(self) -> QueryResult<Vec<Box<dyn Migration<Sqlite>>>> {
        MigrationSource::<Sqlite>::migrations(&self.source()).map_err(error::migration_error)
    }

    fn pending_migrations(self, sqlite: &mut SqliteConnection) -> QueryResult<Vec<Box<dyn Migration<Sqlite>>>> {
        let applied: HashSet<MigrationVersion<'_>> = list_applied(sqlite)?.into_iter().collect();
        let mut pending = self.known()?;
        pending.retain(|migration| !applied.contains(&migration.name().version()));
        pending.sort_by_key(|migration| migration.name().version().as_owned());
        Ok(pending)
    }
}

/// Lists what was applied, newest first, without making diesel's own table as diesel does: that would be a write, and two
/// processes that begin with it get in each other's way.
fn list_applied(sqlite: &mut SqliteConnection) -> QueryResult<Vec<MigrationVersion<'static>>> {
    let n_tables: i64 =
        sqlite_master::table.filter(sqlite_master::name.eq("__diesel_schema_migrations")).count().get_result(sqlite)?;
    if n_tables == 0 {
        return Ok(Vec::new());
    }
    sqlite.applied_migrations().map_err(error::migration_error)
}
