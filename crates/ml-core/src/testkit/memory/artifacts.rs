//! Artifacts, in memory.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::artifact::{ArtifactRef, ArtifactStore};
use crate::digest::Digest;
use crate::error::{Entity, StoreError};

/// Artifacts in memory.
#[derive(Debug, Default)]
pub struct MemoryArtifacts {
    by_digest: Mutex<HashMap<Digest, Vec<u8>>>,
}

#[async_trait]
impl ArtifactStore for MemoryArtifacts {
    async fn put(&self, bytes: Vec<u8>) -> Result<ArtifactRef, StoreError> {
        let reference = ArtifactRef::of(&bytes);
        lock(&self.by_digest).entry(reference.digest).or_insert(bytes);
        Ok(reference)
    }

    async fn get(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let by_digest = lock(&self.by_digest);
        by_digest.get(digest).cloned().ok_or_else(|| StoreError::not_found(Entity::Artifact, digest))
    }

    async fn contains(&self, digest: &Digest) -> Result<bool, StoreError> {
        Ok(lock(&self.by_digest).contains_key(digest))
    }
}
