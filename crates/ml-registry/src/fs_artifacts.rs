//! Artifacts in a folder, each in a file named by its digest: `ab/cdef…`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use ml_core::artifact::{ArtifactRef, ArtifactStore};
use ml_core::digest::{Digest, DigestWriter};
use ml_core::error::{Entity, StoreError};
use tracing::{info, warn};

use crate::durable::{self, DurableWriter};

const WRITING: &str = "writing artifacts";
const READING: &str = "reading artifacts";

/// An [`ArtifactStore`] in a folder.
///
/// A file is written aside, synced and renamed, so that a digest names whole bytes or nothing, whenever the process ends.
/// Every read compares the bytes with their digest. Several processes may share the folder.
#[derive(Debug, Clone)]
pub struct FsArtifacts {
    root: PathBuf,
    writer: Arc<DurableWriter>,
}

/// The bytes of a file are not those that its name promises.
#[derive(Debug, thiserror::Error)]
#[error(
    "the file {} has other bytes, of digest {found}: restore it from a backup, or store the same bytes again (train again \
     or import the model), which replaces it",
    .path.display()
)]
struct DigestMismatch {
    path: PathBuf,
    found: Digest,
}

impl FsArtifacts {
    /// Opens the folder `root`, makes it if it is not there, and removes what killed writers left in it.
    ///
    /// A folder that is there but cannot be written is opened all the same: its artifacts can be read.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] or [`StoreError::Full`] when the folder cannot be made, [`StoreError::Backend`] when `root`
    /// is no folder.
    pub fn open(root: impl Into<PathBuf>) -> Result<FsArtifacts, StoreError> {
        const OPENING: &str = "opening the artifact folder";
        let root = root.into();
        durable::create_folder(&root).map_err(|err| durable::write_error(OPENING, &root, err))?;
        let folders = subfolders(&root).map_err(|err| durable::read_error(OPENING, &root, err))?;
        for folder in folders {
            match durable::sweep(&folder) {
                Ok(0) => {}
                Ok(n) => info!(artifact.n_swept = n, "removed {n} unfinished artifacts in {}", folder.display()),
                Err(err) => warn!(%err, "unfinished artifacts in {} were not looked for", folder.display()),
            }
        }
        Ok(FsArtifacts { root, writer: Arc::default() })
    }

    /// Opens the bytes for reading in parts.
    ///
    /// The digest is compared when the end is reached: what was read counts only after that.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]. Other bytes than `digest` names are an [`io::ErrorKind::InvalidData`] of the last read.
    pub fn open_read(&self, digest: &Digest) -> Result<VerifiedRead, StoreError> {
        let path = self.path_of(digest);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::not_found(Entity::Artifact, digest));
            }
            Err(err) => return Err(durable::read_error(READING, &path, err)),
        };
        Ok(VerifiedRead { file, path, expected: *digest, hasher: Some(DigestWriter::new()) })
    }

    /// Returns the file that holds, or would hold, the bytes of `digest`.
    pub fn path_of(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.root.join(&name[..2]).join(&name[2..])
    }

    fn put_blocking(&self, bytes: &[u8]) -> Result<ArtifactRef, StoreError> {
        let artifact = ArtifactRef::of(bytes);
        let path = self.path_of(&artifact.digest);
        if holds(&path, bytes) {
            return Ok(artifact);
        }
        let folder = path.parent().unwrap_or(&self.root);
        durable::create_folder(folder)
            .and_then(|()| self.writer.write(&path, |file| file.write_all(bytes)))
            .map_err(|err| durable::write_error(WRITING, &path, err))?;
        Ok(artifact)
    }

    fn get_blocking(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.path_of(digest);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::not_found(Entity::Artifact, digest));
            }
            Err(err) => return Err(durable::read_error(READING, &path, err)),
        };
        let found = Digest::of(&bytes);
        if found != *digest {
            return Err(StoreError::corrupt(Entity::Artifact, digest, DigestMismatch { path, found }));
        }
        Ok(bytes)
    }

    /// Runs blocking `work` where it holds up no other task.
    async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&FsArtifacts) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || work(&store))
            .await
            .map_err(|err| StoreError::Backend { operation, source: Box::new(err) })?
    }
}

#[async_trait]
impl ArtifactStore for FsArtifacts {
    async fn put(&self, bytes: Vec<u8>) -> Result<ArtifactRef, StoreError> {
        self.run(WRITING, move |store| store.put_blocking(&bytes)).await
    }

    async fn get(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let digest = *digest;
        self.run(READING, move |store| store.get_blocking(&digest)).await
    }

    async fn contains(&self, digest: &Digest) -> Result<bool, StoreError> {
        let digest = *digest;
        self.run(READING, move |store| {
            let path = store.path_of(&digest);
            path.try_exists().map_err(|err| durable::read_error(READING, &path, err))
        })
        .await
    }
}

/// The bytes of an artifact in parts; the end of the file is an error unless the parts together have the digest.
#[derive(Debug)]
pub struct VerifiedRead {
    file: File,
    path: PathBuf,
    expected: Digest,
    hasher: Option<DigestWriter>,
}

impl Read for VerifiedRead {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, io::Error> {
        let n_read = self.file.read(buffer)?;
        if n_read > 0 {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&buffer[..n_read]);
            }
            return Ok(n_read);
        }
        if buffer.is_empty() {
            return Ok(0);
        }
        let Some(found) = self.hasher.take().map(DigestWriter::finish) else {
            return Ok(0);
        };
        if found != self.expected {
            let mismatch = DigestMismatch { path: self.path.clone(), found };
            return Err(io::Error::new(io::ErrorKind::InvalidData, mismatch));
        }
        Ok(0)
    }
}

/// Returns whether the file at `path` has exactly `bytes`; a damaged one is to be written again.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    let has_length = fs::metadata(path).is_ok_and(|metadata| metadata.len() == bytes.len() as u64);
    has_length && fs::read(path).is_ok_and(|stored| stored == bytes)
}

fn subfolders(root: &Path) -> Result<Vec<PathBuf>, io::Error> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}
