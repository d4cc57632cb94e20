//! The registry, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::paging::page_of;
use super::{MemorySql, lock};
use crate::error::{Entity, StoreError};
use crate::model::{
    AliasMove, ModelAlias, ModelName, ModelStore, ModelVersion, NewModelVersion, RegisteredModel, Stage,
};
use crate::page::{Page, PageRequest};

/// Models with their versions, and every move of an alias.
#[derive(Debug, Default)]
pub(super) struct Models {
    by_name: BTreeMap<ModelName, Registered>,
    alias_moves: Vec<AliasMove>,
    /// The highest number given under the name of a deleted model.
    retired: BTreeMap<ModelName, u32>,
}

/// A model with its aliases, and its versions without theirs.
#[derive(Debug)]
struct Registered {
    model: RegisteredModel,
    versions: Vec<ModelVersion>,
    /// The highest number given under its name.
    last_version: u32,
}

impl Models {
    fn find(&self, name: &ModelName) -> Result<&Registered, StoreError> {
        self.by_name.get(name).ok_or_else(|| StoreError::not_found(Entity::RegisteredModel, name))
    }

    fn find_mut(&mut self, name: &ModelName) -> Result<&mut Registered, StoreError> {
        self.by_name.get_mut(name).ok_or_else(|| StoreError::not_found(Entity::RegisteredModel, name))
    }

    fn find_version(&self, name: &ModelName, version: u32) -> Result<(&Registered, &ModelVersion), StoreError> {
        let registered = self.by_name.get(name);
        let found = registered.and_then(|registered| {
            let version = registered.versions.iter().find(|candidate| candidate.version == version)?;
            Some((registered, version))
        });
        found.ok_or_else(|| StoreError::not_found(Entity::ModelVersion, format!("{name}@{version}")))
    }

    /// Applies `change` to the version, and dates it and its model.
    fn change_version(
        &mut self,
        name: &ModelName,
        version: u32,
        at: DateTime<Utc>,
        change: impl FnOnce(&mut ModelVersion),
    ) -> Result<(), StoreError> {
        self.find_version(name, version)?;
        let registered = self.find_mut(name)?;
        registered.model.updated_at = at;
        for candidate in &mut registered.versions {
            if candidate.version == version {
                candidate.updated_at = at;
                change(candidate);
                break;
            }
        }
        Ok(())
    }
}

impl Registered {
    fn with_aliases(&self, version: &ModelVersion) -> ModelVersion {
        let names_it = |(alias, number): (&ModelAlias, &u32)| (*number == version.version).then(|| alias.clone());
        ModelVersion { aliases: self.model.aliases.iter().filter_map(names_it).collect(), ..version.clone() }
    }
}

#[async_trait]
impl ModelStore for MemorySql {
    async fn create(&self, model: &RegisteredModel) -> Result<(), StoreError> {
        let mut models = lock(&self.models);
        if models.by_name.contains_key(&model.name) {
            return Err(StoreError::already_exists(Entity::RegisteredModel, &model.name));
        }
        let model = RegisteredModel { aliases: BTreeMap::new(), ..model.clone() };
        let last_version = models.retired.get(&model.name).copied().unwrap_or(0);
        models.by_name.insert(model.name.clone(), Registered { model, versions: Vec::new(), last_version });
        Ok(())
    }

    async fn get(&self, name: &ModelName) -> Result<RegisteredModel, StoreError> {
        Ok(lock(&self.models).find(name)?.model.clone())
    }

    async fn list(&self, page: PageRequest<ModelName>) -> Result<Page<RegisteredModel, ModelName>, StoreError> {
        let models = lock(&self.models);
        let all = models.by_name.values().map(|registered| registered.model.clone());
        Ok(page_of(all, &page, |model| model.name.clone()))
    }

    async fn delete(&self, name: &ModelName) -> Result<(), StoreError> {
        let mut models = lock(&self.models);
        let Some(removed) = models.by_name.remove(name) else {
            return Err(StoreError::not_found(Entity::RegisteredModel, name));
        };
        models.retired.insert(name.clone(), removed.last_version);
        Ok(())
    }

    async fn register_version(&self, version: &NewModelVersion) -> Result<ModelVersion, StoreError> {
        let mut models = lock(&self.models);
        let registered = models.find_mut(&version.name)?;
        let created = ModelVersion {
            version: registered.last_version + 1,
            stage: Stage::Development,
            aliases: Vec::new(),
            updated_at: version.created_at,
            content: version.clone(),
        };
        registered.last_version = created.version;
        registered.versions.push(created.clone());
        registered.model.updated_at = version.created_at;
        Ok(created)
    }

    async fn get_version(&self, name: &ModelName, version: u32) -> Result<ModelVersion, StoreError> {
        let models = lock(&self.models);
        let (registered, version) = models.find_version(name, version)?;
        Ok(registered.with_aliases(version))
    }

    async fn list_versions(&self, name: &ModelName) -> Result<Vec<ModelVersion>, StoreError> {
        let models = lock(&self.models);
        let Some(registered) = models.by_name.get(name) else { return Ok(Vec::new()) };
        Ok(registered.versions.iter().rev().map(|version| registered.with_aliases(version)).collect())
    }

    async fn set_stage(
        &self,
        name: &ModelName,
        version: u32,
        from: Stage,
        to: Stage,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut models = lock(&self.models);
        if models.find_version(name, version)?.1.stage != from {
            return Err(StoreError::conflict(Entity::ModelVersion, format!("{name}@{version}")));
        }
        models.change_version(name, version, at, |version| version.stage = to)
    }

    async fn set_version_tag(
        &self,
        name: &ModelName,
        version: u32,
        key: &str,
        value: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let set = |version: &mut ModelVersion| {
            version.content.tags.insert(key.to_owned(), value.to_owned());
        };
        lock(&self.models).change_version(name, version, at, set)
    }

    async fn set_alias(
        &self,
        name: &ModelName,
        alias: &ModelAlias,
        version: u32,
        user_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut models = lock(&self.models);
        models.find_version(name, version)?;
        let model = &mut models.find_mut(name)?.model;
        let from = model.aliases.insert(alias.clone(), version);
        if from == Some(version) {
            return Ok(());
        }
        model.updated_at = at;
        models.alias_moves.push(AliasMove {
            name: name.clone(),
            alias: alias.clone(),
            from,
            to: Some(version),
            user_id: user_id.to_owned(),
            moved_at: at,
        });
        Ok(())
    }

    async fn delete_alias(
        &self,
        name: &ModelName,
        alias: &ModelAlias,
        user_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut models = lock(&self.models);
        let absent = || StoreError::not_found(Entity::ModelAlias, format!("{name}@{alias}"));
        let model = &mut models.by_name.get_mut(name).ok_or_else(absent)?.model;
        let from = Some(model.aliases.remove(alias).ok_or_else(absent)?);
        model.updated_at = at;
        models.alias_moves.push(AliasMove {
            name: name.clone(),
            alias: alias.clone(),
            from,
            to: None,
            user_id: user_id.to_owned(),
            moved_at: at,
        });
        Ok(())
    }

    async fn list_alias_moves(&self, name: &ModelName) -> Result<Vec<AliasMove>, StoreError> {
        let models = lock(&self.models);
        Ok(models.alias_moves.iter().filter(|entry| entry.name == *name).cloned().collect())
    }
}
