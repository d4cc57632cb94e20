//! Dataset versions, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemorySql, lock};
use crate::dataset::{DatasetName, DatasetStore, DatasetVersion, NewDatasetVersion};
use crate::error::{Entity, StoreError};

/// The versions of each dataset, the first one numbered 1.
pub(super) type Datasets = BTreeMap<DatasetName, Vec<DatasetVersion>>;

#[async_trait]
impl DatasetStore for MemorySql {
    async fn create_version(&self, version: &NewDatasetVersion) -> Result<DatasetVersion, StoreError> {
        let mut datasets = lock(&self.datasets);
        let versions = datasets.entry(version.name.clone()).or_default();
        if let Some(newest) = versions.last() {
            let is_same = newest.content.spec == version.spec && newest.content.content_hash == version.content_hash;
            if is_same {
                return Ok(newest.clone());
            }
        }
        let created = DatasetVersion { version: versions.len() as u32 + 1, content: version.clone() };
        versions.push(created.clone());
        Ok(created)
    }

    async fn get(&self, name: &DatasetName, version: u32) -> Result<DatasetVersion, StoreError> {
        let datasets = lock(&self.datasets);
        let versions = datasets.get(name).map(Vec::as_slice).unwrap_or_default();
        let found = versions.iter().find(|candidate| candidate.version == version);
        found.cloned().ok_or_else(|| StoreError::not_found(Entity::DatasetVersion, format!("{name}@{version}")))
    }

    async fn find_latest(&self, name: &DatasetName) -> Result<Option<DatasetVersion>, StoreError> {
        Ok(lock(&self.datasets).get(name).and_then(|versions| versions.last()).cloned())
    }

    async fn list(&self, name: Option<&DatasetName>) -> Result<Vec<DatasetVersion>, StoreError> {
        let datasets = lock(&self.datasets);
        let wanted = datasets.iter().filter(|(candidate, _)| name.is_none_or(|name| name == *candidate));
        Ok(wanted.flat_map(|(_, versions)| versions).cloned().collect())
    }
}
