//! A registry over stores in memory, and things to register in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ml_core::artifact::ArtifactStore;
use ml_core::model::{ModelAlias, ModelName, ModelRef, ModelVersion, Signature, SignatureColumn};
use ml_core::table::ColumnKind;
use ml_core::testkit::build::{run_id, second};
use ml_core::testkit::clock::FixedClock;
use ml_core::testkit::memory::{MemoryArtifacts, MemorySql};
use ml_registry::registry::{NewRegistration, Origin, Registry};

/// Makes an empty registry.
pub(crate) fn a_registry() -> Registry {
    a_registry_over(Arc::new(MemoryArtifacts::default()))
}

/// Makes an empty registry that keeps its artifacts in `artifacts`.
pub(crate) fn a_registry_over(artifacts: Arc<dyn ArtifactStore>) -> Registry {
    Registry::new(Arc::new(MemorySql::default()), artifacts, Arc::new(FixedClock::at(second(0))))
}

/// Makes what a training of `name` registers; different `model` bytes make different versions.
pub(crate) fn a_registration(name: &str, model: &[u8]) -> NewRegistration {
    let column = |name: &str, required| SignatureColumn { name: name.to_owned(), kind: ColumnKind::Text, required };
    NewRegistration {
        name: model_name(name),
        model: model.to_vec(),
        reference_profile: Some(br#"{"format":"1"}"#.to_vec()),
        pipeline: Some(b"target: topic\n".to_vec()),
        signature: Signature { inputs: vec![column("headline", true)], outputs: vec![column("topic", true)] },
        origin: Origin {
            run_id: Some(run_id("0123456789abcdef0123456789abcdef")),
            dataset: Some("news@1".to_owned()),
            dataset_hash: None,
            app_version: "0.0.0".to_owned(),
            framework: "linear 1".to_owned(),
        },
        description: "headlines by topic".to_owned(),
        tags: BTreeMap::from([("owner".to_owned(), "desk".to_owned())]),
        user_id: "ada".to_owned(),
    }
}

/// Registers one version of each of `names`.
pub(crate) async fn register_all(registry: &Registry, names: &[&str]) {
    for name in names {
        register(registry, name, b"model").await;
    }
}

/// Registers a version.
pub(crate) async fn register(registry: &Registry, name: &str, model: &[u8]) -> ModelVersion {
    registry.register(a_registration(name, model)).await.unwrap()
}

/// Reads a reference such as `news@3`.
pub(crate) fn reference(text: &str) -> ModelRef {
    text.parse().unwrap()
}

/// Reads the name of a model.
pub(crate) fn model_name(text: &str) -> ModelName {
    text.parse().unwrap()
}

/// Reads an alias.
pub(crate) fn alias(text: &str) -> ModelAlias {
    text.parse().unwrap()
}
