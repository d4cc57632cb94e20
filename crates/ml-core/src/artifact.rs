//! Bytes a run produced, addressed by their digest.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::StoreError;

/// Where some stored bytes are and how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ArtifactRef {
    /// The SHA-256 of the bytes: their address.
    pub digest: Digest,
    /// How many bytes.
    pub size_bytes: u64,
}

impl ArtifactRef {
    /// Returns the reference that `bytes` have wherever they are stored.
    pub fn of(bytes: &[u8]) -> ArtifactRef {
        ArtifactRef { digest: Digest::of(bytes), size_bytes: bytes.len() as u64 }
    }
}

/// Immutable bytes by digest.
#[async_trait]
pub trait ArtifactStore: Send + Sync {
    /// Stores `bytes` durably before it returns; bytes that are there already are left as they are.
    async fn put(&self, bytes: Vec<u8>) -> Result<ArtifactRef, StoreError>;

    /// Returns the bytes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or [`StoreError::Corrupt`] when they no longer have their digest.
    async fn get(&self, digest: &Digest) -> Result<Vec<u8>, StoreError>;

    /// Returns whether the bytes are there, without reading them.
    async fn contains(&self, digest: &Digest) -> Result<bool, StoreError>;
}
