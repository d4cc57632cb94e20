//! Dataset versions read back, and verified on the way.

use ml_core::artifact::ArtifactStore;
use ml_core::dataset::{DatasetVersion, Split};
use ml_core::digest::Digest;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::table::Table;

use super::content_hash::content_hash;
use super::error::DatasetError;
use super::parquet::parquet_to_table;
use super::split::split_of;

/// The rows of a version are not those it was made of.
#[derive(Debug, thiserror::Error)]
#[error("its rows have the content hash {found}, it was made with {expected}")]
struct ContentChanged {
    expected: Digest,
    found: Digest,
}

/// Returns the rows of `version`, by ascending id.
///
/// # Errors
/// [`StoreError::NotFound`] when the file is gone, [`StoreError::Corrupt`] when the file or its rows are not what they were.
pub async fn load(artifacts: &dyn ArtifactStore, version: &DatasetVersion) -> Result<Table, DatasetError> {
    let bytes = artifacts.get(&version.content.file.digest).await?;
    let expected = version.content.content_hash;
    let read = tokio::task::spawn_blocking(move || read_verified(bytes, expected));
    // A panic in the decoder says the same as an error: these bytes are not what was written.
    let table = read.await.map_err(|err| corrupt(version, err))?;
    table.map_err(|err| corrupt(version, err))
}

/// Returns the rows of `version` that are in `split`, by ascending id.
///
/// # Errors
/// As [`load`].
pub async fn load_split(
    artifacts: &dyn ArtifactStore,
    version: &DatasetVersion,
    split: Split,
) -> Result<Table, DatasetError> {
    let table = load(artifacts, version).await?;
    let rows = split_of(&table)?;
    Ok(table.take(rows.of(split)))
}

fn read_verified(bytes: Vec<u8>, expected: Digest) -> Result<Table, BoxError> {
    let table = parquet_to_table(bytes)?;
    let found = content_hash(&table);
    if found == expected { Ok(table) } else { Err(ContentChanged { expected, found }.into()) }
}

fn corrupt(version: &DatasetVersion, source: impl Into<BoxError>) -> DatasetError {
    let key = version.reference();
    DatasetError::Store(StoreError::corrupt(Entity::DatasetVersion, key, source))
}
