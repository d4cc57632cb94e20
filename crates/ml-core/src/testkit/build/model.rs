//! Builds registered models and their versions.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{model_alias, model_name, run_id, second};
use crate::artifact::ArtifactRef;
use crate::digest::Digest;
use crate::model::{Lineage, NewModelVersion, RegisteredModel, Signature, SignatureColumn};
use crate::table::ColumnKind;

/// Builds a [`RegisteredModel`].
#[derive(Debug, Clone)]
pub struct RegisteredModelBuilder(RegisteredModel);

/// Starts with `news`, made at [`second`] zero.
pub fn a_registered_model() -> RegisteredModelBuilder {
    RegisteredModelBuilder(RegisteredModel {
        name: model_name("news"),
        description: "Tells the topic of a news item".to_owned(),
        tags: BTreeMap::new(),
        aliases: BTreeMap::new(),
        created_at: second(0),
        updated_at: second(0),
    })
}

setters!(RegisteredModelBuilder {
    /// Sets the name.
    name(name: &str) => name = model_name(name);
    /// Sets what it is for.
    description(text: &str) => description = text.to_owned();
});

impl RegisteredModelBuilder {
    /// Adds a label.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> RegisteredModelBuilder {
        self.0.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Adds an alias.
    #[must_use]
    pub fn alias(mut self, alias: &str, version: u32) -> RegisteredModelBuilder {
        self.0.aliases.insert(model_alias(alias), version);
        self
    }

    /// Sets when it was made and last changed.
    #[must_use]
    pub fn created_at(mut self, instant: DateTime<Utc>) -> RegisteredModelBuilder {
        self.0.created_at = instant;
        self.0.updated_at = instant;
        self
    }
}

build_as_is!(RegisteredModelBuilder => RegisteredModel);

/// Builds a [`NewModelVersion`].
#[derive(Debug, Clone)]
pub struct ModelVersionBuilder(NewModelVersion);

/// Starts with a version of `news` that has everything, registered at [`second`] zero.
pub fn a_model_version() -> ModelVersionBuilder {
    let column = |name: &str| SignatureColumn { name: name.to_owned(), kind: ColumnKind::Text, required: true };
    ModelVersionBuilder(NewModelVersion {
        name: model_name("news"),
        description: "Logistic regression on words".to_owned(),
        source: Some("runs:/run1/model".to_owned()),
        user_id: "ada".to_owned(),
        artifact: Some(ArtifactRef::of(b"a model")),
        reference_profile: Some(ArtifactRef::of(b"a profile")),
        signature: Signature { inputs: vec![column("text")], outputs: vec![column("topic")] },
        lineage: Lineage {
            run_id: Some(run_id("run1")),
            dataset: Some("news@1".to_owned()),
            dataset_hash: Some(Digest::of(b"rows")),
            pipeline: Some(ArtifactRef::of(b"a pipeline")),
            app_version: "0.1.0".to_owned(),
            framework: "ml-train 0.1.0".to_owned(),
        },
        tags: BTreeMap::new(),
        created_at: second(0),
    })
}

setters!(ModelVersionBuilder {
    /// Sets the model.
    name(name: &str) => name = model_name(name);
    /// Sets what is special about it.
    description(text: &str) => description = text.to_owned();
    /// Sets or removes where its bytes came from.
    source(source: Option<&str>) => source = source.map(ToOwned::to_owned);
    /// Sets or removes the stored model.
    artifact(artifact: Option<ArtifactRef>) => artifact = artifact;
    /// Sets or removes the reference that drift is measured against.
    reference_profile(profile: Option<ArtifactRef>) => reference_profile = profile;
    /// Sets what it reads and gives.
    signature(signature: Signature) => signature = signature;
    /// Sets where it comes from.
    lineage(lineage: Lineage) => lineage = lineage;
    /// Sets when it was registered.
    created_at(instant: DateTime<Utc>) => created_at = instant;
});

impl ModelVersionBuilder {
    /// Adds a label.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> ModelVersionBuilder {
        self.0.tags.insert(key.to_owned(), value.to_owned());
        self
    }
}

build_as_is!(ModelVersionBuilder => NewModelVersion);
