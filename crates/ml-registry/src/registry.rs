//! The service: registers versions, finds them, loads them, and moves their stages and aliases.

use std::collections::BTreeMap;
use std::sync::Arc;

use ml_core::artifact::{ArtifactRef, ArtifactStore};
use ml_core::clock::Clock;
use ml_core::digest::Digest;
use ml_core::error::StoreError;
use ml_core::evaluation::ModelPerformance;
use ml_core::id::RunId;
use ml_core::model::{
    Lineage, ModelAlias, ModelName, ModelRef, ModelStore, ModelVersion, NewModelVersion, RegisteredModel, Signature,
    Stage,
};
use tracing::{info, instrument};

use crate::bundle::Part;
use crate::error::RegistryError;
use crate::gate::{self, Gate};

mod resolve;
mod transfer;

pub use transfer::Imported;

/// A model to be registered, with everything that is stored beside it.
#[derive(Debug, Clone)]
pub struct NewRegistration {
    /// The registered model; made if it is not there.
    pub name: ModelName,
    /// The fitted model.
    pub model: Vec<u8>,
    /// Statistics of the rows it was fitted on.
    pub reference_profile: Option<Vec<u8>>,
    /// The pipeline file it was trained by.
    pub pipeline: Option<Vec<u8>>,
    /// What it reads and gives.
    pub signature: Signature,
    /// Where it comes from.
    pub origin: Origin,
    /// What is special about it.
    pub description: String,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// Who registers it.
    pub user_id: String,
}

/// Where a version comes from, apart from the pipeline file, which is given as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The run that trained it.
    pub run_id: Option<RunId>,
    /// The dataset version it was fitted on, as `name@version`.
    pub dataset: Option<String>,
    /// The content hash of that dataset version.
    pub dataset_hash: Option<Digest>,
    /// The version of this program.
    pub app_version: String,
    /// The library that fitted it, and its version.
    pub framework: String,
}

/// The registry over its stores; cheap to clone.
#[derive(Clone)]
pub struct Registry {
    models: Arc<dyn ModelStore>,
    artifacts: Arc<dyn ArtifactStore>,
    clock: Arc<dyn Clock>,
}

impl Registry {
    /// Makes the registry over these stores.
    pub fn new(models: Arc<dyn ModelStore>, artifacts: Arc<dyn ArtifactStore>, clock: Arc<dyn Clock>) -> Registry {
        Registry { models, artifacts, clock }
    }

    /// Stores the parts, makes the registered model if it is not there, and gives the version the next number.
    ///
    /// The number comes last: a version that has one can be loaded. Parts stored before a failure are found again by their
    /// digest when the call is repeated.
    #[instrument(skip_all, fields(model.name = %registration.name))]
    pub async fn register(&self, registration: NewRegistration) -> Result<ModelVersion, RegistryError> {
        let artifact = self.artifacts.put(registration.model).await?;
        let reference_profile = self.put_optional(registration.reference_profile).await?;
        let pipeline = self.put_optional(registration.pipeline).await?;
        let Origin { run_id, dataset, dataset_hash, app_version, framework } = registration.origin;
        let version = NewModelVersion {
            name: registration.name,
            description: registration.description,
            source: run_id.as_ref().map(|run_id| format!("run {run_id}")),
            user_id: registration.user_id,
            artifact: Some(artifact),
            reference_profile,
            signature: registration.signature,
            lineage: Lineage { run_id, dataset, dataset_hash, pipeline, app_version, framework },
            tags: registration.tags,
            created_at: self.clock.now(),
        };
        self.take_version(&version).await
    }

    /// Loads the model of `version` and compares it with its digest.
    pub async fn load_artifact(&self, version: &ModelVersion) -> Result<Vec<u8>, RegistryError> {
        self.load_required(version, Part::Model).await
    }

    /// Loads the reference profile of `version`, if it was registered with one, and compares it with its digest.
    pub async fn load_reference_profile(&self, version: &ModelVersion) -> Result<Option<Vec<u8>>, RegistryError> {
        self.load(version, Part::ReferenceProfile).await
    }

    /// Loads the pipeline file of `version`, if it was registered with one, and compares it with its digest.
    pub async fn load_pipeline(&self, version: &ModelVersion) -> Result<Option<Vec<u8>>, RegistryError> {
        self.load(version, Part::Pipeline).await
    }

    /// Moves the version to the stage `to` if such a move exists and every one of `gates` is open; returns it as it is now.
    ///
    /// [`Gate::before`] gives the usual gates. `evaluations` are the figures the caller has of the model, for
    /// [`Gate::IsEvaluated`].
    ///
    /// # Errors
    /// [`RegistryError::StageMove`] says which moves there are, [`RegistryError::GateClosed`] what is missing;
    /// [`StoreError::Conflict`] when someone else moved the version meanwhile.
    #[instrument(skip_all, fields(model.version = %reference, model.stage = %to))]
    pub async fn promote(
        &self,
        reference: &ModelRef,
        to: Stage,
        gates: &[Gate],
        evaluations: &[ModelPerformance],
    ) -> Result<ModelVersion, RegistryError> {
        let version = self.resolve(reference).await?;
        let from = version.stage;
        let shown = version.reference();
        from.move_to(to).map_err(|source| RegistryError::StageMove { version: shown.clone(), source })?;
        for gate in gates {
            self.check_gate(*gate, &version, to, evaluations).await?;
        }
        let ModelVersion { version: number, content, .. } = &version;
        self.models.set_stage(&content.name, *number, from, to, self.clock.now()).await?;
        info!("moved {shown} from {from} to {to}");
        Ok(self.models.get_version(&content.name, *number).await?)
    }

    /// Makes `alias` name the version, taking it from any other of the model; returns the version as it is now.
    #[instrument(skip_all, fields(model.version = %reference, model.alias = %alias))]
    pub async fn set_alias(
        &self,
        reference: &ModelRef,
        alias: &ModelAlias,
        user_id: &str,
    ) -> Result<ModelVersion, RegistryError> {
        let version = self.resolve(reference).await?;
        let name = &version.content.name;
        self.models.set_alias(name, alias, version.version, user_id, self.clock.now()).await?;
        info!("{name}@{alias} is version {}", version.version);
        Ok(self.models.get_version(name, version.version).await?)
    }

    /// Removes `alias` from the model.
    #[instrument(skip_all, fields(model.name = %name, model.alias = %alias))]
    pub async fn delete_alias(&self, name: &ModelName, alias: &ModelAlias, user_id: &str) -> Result<(), RegistryError> {
        match self.models.delete_alias(name, alias, user_id, self.clock.now()).await {
            Err(StoreError::NotFound { .. }) => Err(self.explain_unknown_alias(name, alias).await),
            outcome => Ok(outcome?),
        }
    }

    /// Sets a label of the version, replacing its value.
    pub async fn set_tag(&self, reference: &ModelRef, key: &str, value: &str) -> Result<(), RegistryError> {
        let version = self.resolve(reference).await?;
        Ok(self.models.set_version_tag(&version.content.name, version.version, key, value, self.clock.now()).await?)
    }

    /// Gives `version` its number, and makes its model first if need be.
    async fn take_version(&self, version: &NewModelVersion) -> Result<ModelVersion, RegistryError> {
        let registered = match self.models.register_version(version).await {
            Err(StoreError::NotFound { .. }) => {
                self.create_model(version).await?;
                self.models.register_version(version).await?
            }
            outcome => outcome?,
        };
        info!(model.version = registered.version, "registered {}", registered.reference());
        Ok(registered)
    }

    async fn create_model(&self, version: &NewModelVersion) -> Result<(), RegistryError> {
        let model = RegisteredModel {
            name: version.name.clone(),
            description: String::new(),
            tags: BTreeMap::new(),
            aliases: BTreeMap::new(),
            created_at: version.created_at,
            updated_at: version.created_at,
        };
        match self.models.create(&model).await {
            // Someone else made it just now.
            Err(StoreError::AlreadyExists { .. }) => Ok(()),
            outcome => Ok(outcome?),
        }
    }

    async fn put_optional(&self, bytes: Option<Vec<u8>>) -> Result<Option<ArtifactRef>, StoreError> {
        match bytes {
            Some(bytes) => self.artifacts.put(bytes).await.map(Some),
            None => Ok(None),
        }
    }

    async fn load_required(&self, version: &ModelVersion, part: Part) -> Result<Vec<u8>, RegistryError> {
        let bytes = self.load(version, part).await?;
        bytes.ok_or_else(|| RegistryError::NotStored { version: version.reference(), part: part.name() })
    }

    async fn load(&self, version: &ModelVersion, part: Part) -> Result<Option<Vec<u8>>, RegistryError> {
        let Some(artifact) = part.of(&version.content) else {
            return Ok(None);
        };
        match self.artifacts.get(&artifact.digest).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(source) => Err(RegistryError::Unloadable { version: version.reference(), part: part.name(), source }),
        }
    }

    async fn check_gate(
        &self,
        gate: Gate,
        version: &ModelVersion,
        to: Stage,
        evaluations: &[ModelPerformance],
    ) -> Result<(), RegistryError> {
        let closed = |source| RegistryError::GateClosed { version: version.reference(), to, gate, source };
        match gate {
            Gate::ArtifactsVerify => {
                self.load_required(version, Part::Model).await.map_err(|err| closed(Some(Box::new(err))))?;
                for part in [Part::ReferenceProfile, Part::Pipeline] {
                    self.load(version, part).await.map_err(|err| closed(Some(Box::new(err))))?;
                }
                Ok(())
            }
            Gate::IsEvaluated if gate::is_evaluated(version, evaluations) => Ok(()),
            Gate::IsEvaluated => Err(closed(None)),
        }
    }
}
