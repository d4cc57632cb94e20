//! The document side, embedded: raw records and results as JSON in one SQLite file.

mod embeddings;
mod feed;
mod figures;
mod insert_record;
mod intermediate_results;
mod predictions;
mod records;
mod results;
mod row;
mod tombstones;

use std::path::Path;

use ml_core::error::StoreError;

use crate::connection::{SqliteCheck, SqliteDatabase, SqliteDiagnosis};
use crate::migrations::MigrationSet;

/// Collections of documents in one SQLite file, a table each.
///
/// Safe to share between tasks, and between processes: writers queue, readers do not wait for them.
pub struct EmbeddedDocuments {
    database: SqliteDatabase,
}

impl EmbeddedDocuments {
    /// Opens the file at `path`, which is made with its folder if it is not there.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] or [`StoreError::Full`] when the file cannot be written; [`StoreError::Backend`] when the path
    /// is a folder, the file is not SQLite, or a newer release migrated it.
    pub async fn open(path: impl AsRef<Path> + Send) -> Result<EmbeddedDocuments, StoreError> {
        let database = SqliteDatabase::open(path.as_ref(), MigrationSet::Documents).await?;
        Ok(EmbeddedDocuments { database })
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

    /// Undoes every migration; the collections go, with everything in them.
    pub async fn revert_migrations(&self) -> Result<(), StoreError> {
        self.database.revert_migrations().await
    }
}
