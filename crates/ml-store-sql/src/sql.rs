//! The SQL side.

mod datasets;
mod evaluations;
mod experiments;
mod global_data;
mod ground_truth;
mod market_metrics;
mod models;
mod outbox;
mod quarantine;
mod references;
mod runs;
mod sync;
mod user_interactions;
mod validated;
mod warnings;

use std::path::Path;

use ml_core::error::{BoxError, StoreError};
use ml_core::experiment::LifecycleStage;

use crate::connection::{Database, SqliteCheck, SqliteDiagnosis};
use crate::migrations::MigrationSet;

/// How many keys one query asks for; an engine takes only so many parameters.
const KEYS_PER_QUERY: usize = 1_000;

/// Validated rows, sync state, experiments, runs and the registry, in one SQLite file.
///
/// Safe to share between tasks, and between processes: writers queue, readers do not wait for them.
pub struct SqlStore {
    database: Database,
}

impl SqlStore {
    /// Opens the file at `path`, which is made with its folder if it is not there.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] or [`StoreError::Full`] when the file cannot be written; [`StoreError::Backend`] when the path
    /// is a folder, the file is not SQLite, or a newer release migrated it.
    pub async fn open(path: impl AsRef<Path> + Send) -> Result<SqlStore, StoreError> {
        let database = Database::open(path.as_ref(), MigrationSet::Sql).await?;
        Ok(SqlStore { database })
    }

    /// Applies the pending migrations and returns their names; with none pending it only reads.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        self.database.migrate().await
    }

    /// Lists the names of the migrations that are still to be applied, in order.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        self.database.pending_migrations().await
    }

    /// Looks at the file, and changes nothing.
    pub async fn diagnose(&self, check: SqliteCheck) -> Result<SqliteDiagnosis, StoreError> {
        self.database.diagnose(check).await
    }

    /// Undoes every migration; the tables go, with everything in them.
    pub async fn revert_migrations(&self) -> Result<(), StoreError> {
        self.database.revert_migrations().await
    }
}

fn lifecycle_stage_named(name: &str) -> Result<LifecycleStage, BoxError> {
    let stages = [LifecycleStage::Active, LifecycleStage::Deleted];
    stages
        .into_iter()
        .find(|stage| stage.name() == name)
        .ok_or_else(|| format!("there is no lifecycle stage `{name}`").into())
}
