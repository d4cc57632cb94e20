//! Versions carried from one registry to another.

use std::fs;

use ml_core::model::ModelVersion;
use ml_registry::error::RegistryError;
use ml_registry::registry::{Imported, Registry};

use crate::fixture::{a_registry, model_name, reference, register};

async fn loaded(registry: &Registry, version: &ModelVersion) -> Vec<Option<Vec<u8>>> {
    vec![
        Some(registry.load_artifact(version).await.unwrap()),
        registry.load_reference_profile(version).await.unwrap(),
        registry.load_pipeline(version).await.unwrap(),
    ]
}

#[tokio::test]
async fn a_version_arrives_whole_in_another_registry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("news.mlmodel");
    let (here, there) = (a_registry(), a_registry());
    register(&here, "news", b"model 1").await;
    let sent = register(&here, "news", b"model 2").await;
    here.export_to_file(&reference("news@2"), &path).await.unwrap();

    let Imported { version, is_new } = there.import_from_file(&path, None, "bob").await.unwrap();

    assert!(is_new);
    assert_eq!((version.version, version.content.user_id.as_str()), (1, "bob"));
    assert_eq!(version.content.source.as_deref(), Some("import of news@2"));
    assert_eq!(
        (&version.content.lineage, &version.content.signature),
        (&sent.content.lineage, &sent.content.signature)
    );
    assert_eq!(loaded(&there, &version).await, loaded(&here, &sent).await);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the file");
}

#[tokio::test]
async fn a_second_import_changes_nothing_and_another_name_makes_another_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("news.mlmodel");
    let registry = a_registry();
    let sent = register(&registry, "news", b"model").await;
    registry.export_to_file(&reference("news"), &path).await.unwrap();

    let again = registry.import_from_file(&path, None, "bob").await.unwrap();
    assert_eq!(again, Imported { version: sent, is_new: false });

    let renamed = registry.import_from_file(&path, Some(model_name("news-copy")), "bob").await.unwrap();
    assert!(renamed.is_new);
    assert_eq!(renamed.version.content.name, model_name("news-copy"));
}

#[tokio::test]
async fn equal_versions_export_as_equal_bytes_over_a_former_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("news.mlmodel");
    let registry = a_registry();
    register(&registry, "news", b"model").await;
    registry.export_to_file(&reference("news"), &path).await.unwrap();
    let first = fs::read(&path).unwrap();
    registry.export_to_file(&reference("news"), &path).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), first);
}

#[tokio::test]
async fn a_file_that_is_no_export_registers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("news.mlmodel");
    let registry = a_registry();
    fs::write(&path, b"PK\x03\x04").unwrap();

    let err = registry.import_from_file(&path, None, "bob").await.unwrap_err();
    assert!(matches!(err, RegistryError::Bundle(_)), "{err:?}");
    let err = registry.import_from_file(&folder.path().join("absent"), None, "bob").await.unwrap_err();
    assert!(matches!(err, RegistryError::Store(_)), "{err:?}");
    assert_eq!(registry.list_models().await.unwrap(), []);

    register(&registry, "news", b"model").await;
    let absent = folder.path().join("no").join("such").join("folder");
    let err = registry.export_to_file(&reference("news"), &absent).await.unwrap_err();
    assert_eq!(err.to_string(), "writing the exported model failed");
}
