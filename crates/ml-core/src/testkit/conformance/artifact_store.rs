//! Cases of [`ArtifactStore`].

use super::outcome::assert_not_found;
use crate::artifact::{ArtifactRef, ArtifactStore};
use crate::digest::Digest;
use crate::error::Entity;
use crate::testkit::concurrently::concurrently;

async fn check_comes_back(store: &dyn ArtifactStore, bytes: Vec<u8>) {
    let reference = store.put(bytes.clone()).await.unwrap();
    assert_eq!(reference, ArtifactRef::of(&bytes));
    assert!(store.contains(&reference.digest).await.unwrap());
    assert!(store.get(&reference.digest).await.unwrap() == bytes, "{} other bytes", bytes.len());
}

pub async fn bytes_come_back(store: &dyn ArtifactStore) {
    check_comes_back(store, b"a model".to_vec()).await;
    check_comes_back(store, (0..=255).collect()).await;
    check_comes_back(store, b"line\r\nline\n\0\x1a".to_vec()).await;
}

pub async fn no_bytes_are_an_artifact_too(store: &dyn ArtifactStore) {
    check_comes_back(store, Vec::new()).await;
}

pub async fn large_artifacts_come_back(store: &dyn ArtifactStore) {
    let bytes = (0..20_000_000_u32).map(|number| (number / 251) as u8).collect();
    check_comes_back(store, bytes).await;
}

pub async fn absent_bytes_are_not_found(store: &dyn ArtifactStore) {
    let absent = Digest::of(b"never stored");
    assert!(!store.contains(&absent).await.unwrap());
    assert_not_found(store.get(&absent).await, Entity::Artifact);
}

pub async fn the_same_bytes_are_stored_once(store: &dyn ArtifactStore) {
    let first = store.put(b"a model".to_vec()).await.unwrap();
    let again = store.put(b"a model".to_vec()).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(store.get(&first.digest).await.unwrap(), b"a model");
}

pub async fn other_bytes_have_another_address(store: &dyn ArtifactStore) {
    let first = store.put(b"a model".to_vec()).await.unwrap();
    let other = store.put(b"another model".to_vec()).await.unwrap();
    assert_ne!(first.digest, other.digest);
    assert_eq!(store.get(&first.digest).await.unwrap(), b"a model");
    assert_eq!(store.get(&other.digest).await.unwrap(), b"another model");
}

pub async fn overlapping_writers_of_the_same_bytes_agree(store: &dyn ArtifactStore) {
    let writers = (0..20).map(|number| {
        let bytes = vec![number % 4; 100_000];
        async move { store.put(bytes).await.unwrap() }
    });
    for (number, reference) in concurrently(writers).await.into_iter().enumerate() {
        let bytes = vec![number as u8 % 4; 100_000];
        assert!(store.get(&reference.digest).await.unwrap() == bytes);
    }
}

/// Tests an [`ArtifactStore`].
#[macro_export]
macro_rules! artifact_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            artifact_store,
            $fresh,
            [
                bytes_come_back,
                no_bytes_are_an_artifact_too,
                large_artifacts_come_back,
                absent_bytes_are_not_found,
                the_same_bytes_are_stored_once,
                other_bytes_have_another_address,
                overlapping_writers_of_the_same_bytes_agree,
            ]
        );
    };
}
