//! Finding models and versions, and saying what there is when they are not found.

use ml_core::error::StoreError;
use ml_core::model::{AliasMove, ModelAlias, ModelName, ModelRef, ModelVersion, RegisteredModel, VersionSelector};
use ml_core::page::PageRequest;

use super::Registry;
use crate::error::RegistryError;
use crate::suggest;

/// How many models are read at a time.
const PAGE_SIZE: usize = 1000;

impl Registry {
    /// Returns the version that `reference` means now.
    ///
    /// # Errors
    /// [`RegistryError::UnknownModel`], [`RegistryError::UnknownAlias`] and [`RegistryError::UnknownVersion`] say what there is
    /// instead; [`RegistryError::NoVersions`] when the latest is asked for and there is none.
    pub async fn resolve(&self, reference: &ModelRef) -> Result<ModelVersion, RegistryError> {
        let name = &reference.name;
        match &reference.selector {
            VersionSelector::Number(number) => match self.models.get_version(name, *number).await {
                Err(StoreError::NotFound { .. }) => Err(self.explain_unknown_version(name, *number).await),
                outcome => Ok(outcome?),
            },
            VersionSelector::Alias(alias) => match self.get_model(name).await?.aliases.get(alias) {
                Some(number) => Ok(self.models.get_version(name, *number).await?),
                None => Err(self.explain_unknown_alias(name, alias).await),
            },
            VersionSelector::Latest => {
                let newest = self.list_versions(name).await?.into_iter().next();
                newest.ok_or_else(|| RegistryError::NoVersions { name: name.clone() })
            }
        }
    }

    /// Returns the registered model, or [`RegistryError::UnknownModel`].
    pub async fn get_model(&self, name: &ModelName) -> Result<RegisteredModel, RegistryError> {
        match self.models.get(name).await {
            Err(StoreError::NotFound { .. }) => Err(self.explain_unknown_model(name).await),
            outcome => Ok(outcome?),
        }
    }

    /// Lists every registered model by name.
    pub async fn list_models(&self) -> Result<Vec<RegisteredModel>, RegistryError> {
        let mut models = Vec::new();
        let mut request = PageRequest::first(PAGE_SIZE);
        loop {
            let page = self.models.list(request).await?;
            models.extend(page.items);
            match page.next_cursor {
                Some(cursor) => request = PageRequest::first(PAGE_SIZE).after(cursor),
                None => return Ok(models),
            }
        }
    }

    /// Lists the versions of a model, the newest first, or [`RegistryError::UnknownModel`].
    pub async fn list_versions(&self, name: &ModelName) -> Result<Vec<ModelVersion>, RegistryError> {
        let versions = self.models.list_versions(name).await?;
        if versions.is_empty() {
            self.get_model(name).await?;
        }
        Ok(versions)
    }

    /// Lists the moves of a model's aliases, the oldest first, or [`RegistryError::UnknownModel`].
    pub async fn list_alias_moves(&self, name: &ModelName) -> Result<Vec<AliasMove>, RegistryError> {
        self.get_model(name).await?;
        Ok(self.models.list_alias_moves(name).await?)
    }

    async fn explain_unknown_model(&self, name: &ModelName) -> RegistryError {
        let known = match self.list_models().await {
            Ok(models) => models.into_iter().map(|model| model.name).collect::<Vec<_>>(),
            Err(err) => return err,
        };
        let near = suggest::near(name.as_str(), known.iter().map(ModelName::as_str));
        RegistryError::UnknownModel { name: name.clone(), near, known }
    }

    async fn explain_unknown_version(&self, name: &ModelName, version: u32) -> RegistryError {
        match self.list_versions(name).await {
            Ok(versions) => {
                let known = versions.into_iter().map(|version| version.version).collect();
                RegistryError::UnknownVersion { name: name.clone(), version, known }
            }
            Err(err) => err,
        }
    }

    pub(super) async fn explain_unknown_alias(&self, name: &ModelName, alias: &ModelAlias) -> RegistryError {
        let known: Vec<ModelAlias> = match self.get_model(name).await {
            Ok(model) => model.aliases.into_keys().collect(),
            Err(err) => return err,
        };
        let near = suggest::near(alias.as_str(), known.iter().map(ModelAlias::as_str));
        RegistryError::UnknownAlias { name: name.clone(), alias: alias.clone(), near, known }
    }
}
