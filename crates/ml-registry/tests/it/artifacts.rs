//! Artifacts in a folder: whole, verified, mended.

use std::fs;
use std::io::Read;
use std::path::Path;

use ml_core::artifact::{ArtifactRef, ArtifactStore};
use ml_core::digest::Digest;
use ml_core::error::StoreError;
use ml_core::testkit::Fresh;
use ml_core::testkit::concurrently::concurrently;
use ml_registry::fs_artifacts::FsArtifacts;

fn open(folder: &Path) -> FsArtifacts {
    FsArtifacts::open(folder.join("artifacts")).unwrap()
}

#[expect(clippy::unused_async, reason = "the suite awaits the store it asks for")]
async fn fresh() -> Option<Fresh<FsArtifacts>> {
    let folder = tempfile::tempdir().unwrap();
    Some(Fresh::with_guard(open(folder.path()), folder))
}

ml_core::artifact_store_suite!(fresh);

/// Returns every file under `folder`.
fn files_in(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_in(&path));
        } else {
            found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found
}

#[tokio::test]
async fn bytes_survive_the_process_under_their_digest() {
    let folder = tempfile::tempdir().unwrap();
    let artifact = open(folder.path()).put(b"model".to_vec()).await.unwrap();
    assert_eq!(artifact, ArtifactRef::of(b"model"));

    let store = open(folder.path());
    assert_eq!(store.get(&artifact.digest).await.unwrap(), b"model");
    let digest = artifact.digest.to_string();
    assert!(folder.path().join("artifacts").join(&digest[..2]).join(&digest[2..]).is_file());
}

#[tokio::test]
async fn the_same_bytes_from_many_writers_are_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [open(folder.path()), open(folder.path())];
    let bytes = vec![7u8; 100_000];

    let outcomes = concurrently((0..20).map(|i| stores[i % 2].put(bytes.clone()))).await;

    for outcome in outcomes {
        assert_eq!(outcome.unwrap(), ArtifactRef::of(&bytes));
    }
    assert_eq!(files_in(folder.path()).len(), 1);
    assert_eq!(stores[0].get(&Digest::of(&bytes)).await.unwrap(), bytes);
}

#[tokio::test]
async fn damaged_bytes_are_refused_and_say_how_to_mend_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let digest = store.put(b"model".to_vec()).await.unwrap().digest;
    let path = store.path_of(&digest);

    for damage in [&b"mod"[..], b"mOdel", b"", b"model and more"] {
        fs::write(&path, damage).unwrap();

        let err = store.get(&digest).await.unwrap_err();
        assert!(matches!(err, StoreError::Corrupt { .. }), "{err:?}");
        assert!(err.to_string().contains(&digest.to_string()), "{err}");
        let reason = std::error::Error::source(&err).unwrap().to_string();
        assert!(reason.contains(path.to_str().unwrap()) && reason.contains("backup"), "{reason}");

        let mut read = Vec::new();
        let err = store.open_read(&digest).unwrap().read_to_end(&mut read).unwrap_err();
        assert_eq!(err.kind(), std::io::ErrorKind::InvalidData);

        store.put(b"model".to_vec()).await.unwrap();
        assert_eq!(store.get(&digest).await.unwrap(), b"model");
    }
}

#[tokio::test]
async fn bytes_are_read_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let bytes: Vec<u8> = (0..50_000u32).flat_map(u32::to_le_bytes).collect();
    for bytes in [bytes, Vec::new()] {
        let digest = store.put(bytes.clone()).await.unwrap().digest;
        let mut read = Vec::new();
        store.open_read(&digest).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
    }
    let err = store.open_read(&Digest::of(b"absent")).unwrap_err();
    assert!(matches!(err, StoreError::NotFound { .. }), "{err:?}");
}

#[tokio::test]
async fn what_a_killed_writer_left_is_swept_on_open() {
    let folder = tempfile::tempdir().unwrap();
    let digest = open(folder.path()).put(b"model".to_vec()).await.unwrap().digest;
    let shard = folder.path().join("artifacts").join(&digest.to_string()[..2]);
    fs::write(shard.join(".unfinished-4242-0"), b"mod").unwrap();

    let store = open(folder.path());

    assert_eq!(files_in(folder.path()), [digest.to_string()[2..].to_owned()]);
    assert_eq!(store.get(&digest).await.unwrap(), b"model");
}

#[test]
fn a_file_in_place_of_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("artifacts");
    fs::write(&path, b"not a folder").unwrap();
    let err = FsArtifacts::open(&path).unwrap_err();
    assert_eq!(err.to_string(), "opening the artifact folder failed");
    let reason = std::error::Error::source(&err).unwrap().to_string();
    assert!(reason.contains(path.to_str().unwrap()), "{reason}");
}
