//! The registry: `registered_models`, `model_versions`, `model_aliases` and the record of alias moves.

mod aliases;
mod registered;
mod versions;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;
use ml_core::error::{Entity, StoreError};
use ml_core::model::{
    AliasMove, ModelAlias, ModelName, ModelStore, ModelVersion, NewModelVersion, RegisteredModel, Stage,
};
use ml_core::page::{Page, PageRequest};

use crate::connection::{Connection, lock, on_backend};
use crate::error::Failure;
use crate::schema::sql::registered_models;
use crate::sql::SqlStore;
use crate::types::Instant;

#[async_trait]
impl ModelStore for SqlStore {
    async fn create(&self, model: &RegisteredModel) -> Result<(), StoreError> {
        self.database
            .write("registering a model", async |connection| {
                lock_model(connection, &model.name).await?;
                registered::insert(connection, model).await
            })
            .await
    }

    async fn get(&self, name: &ModelName) -> Result<RegisteredModel, StoreError> {
        self.database.read("reading a model", async |connection| registered::get(connection, name).await).await
    }

    async fn list(&self, page: PageRequest<ModelName>) -> Result<Page<RegisteredModel, ModelName>, StoreError> {
        self.database.read("listing models", async |connection| registered::list(connection, &page).await).await
    }

    async fn delete(&self, name: &ModelName) -> Result<(), StoreError> {
        self.database
            .write("deleting a model", async |connection| {
                lock_model(connection, name).await?;
                registered::delete(connection, name).await
            })
            .await
    }

    async fn register_version(&self, version: &NewModelVersion) -> Result<ModelVersion, StoreError> {
        self.database
            .write("registering a model version", async |connection| {
                lock_model(connection, &version.name).await?;
                versions::insert(connection, version).await
            })
            .await
    }

    async fn get_version(&self, name: &ModelName, version: u32) -> Result<ModelVersion, StoreError> {
        self.database
            .read("reading a model version", async |connection| versions::get(connection, name, version).await)
            .await
    }

    async fn list_versions(&self, name: &ModelName) -> Result<Vec<ModelVersion>, StoreError> {
        self.database.read("listing model versions", async |connection| versions::list(connection, name).await).await
    }

    async fn set_stage(
        &self,
        name: &ModelName,
        version: u32,
        from: Stage,
        to: Stage,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.database
            .write("moving a model version", async |connection| {
                lock_model(connection, name).await?;
                versions::set_stage(connection, name, version, from, to, at).await?;
                Ok(touch(connection, name, at).await?)
            })
            .await
    }

    async fn set_version_tag(
        &self,
        name: &ModelName,
        version: u32,
        key: &str,
        value: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.database
            .write("tagging a model version", async |connection| {
                lock_model(connection, name).await?;
                versions::touch(connection, name, version, at).await?;
                versions::put_tag(connection, name, version, key, value).await?;
                Ok(touch(connection, name, at).await?)
            })
            .await
    }

    async fn set_alias(
        &self,
        name: &ModelName,
        alias: &ModelAlias,
        version: u32,
        user_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.database
            .write("moving an alias", async |connection| {
                lock_model(connection, name).await?;
                versions::check(connection, name, version).await?;
                let from = aliases::find(connection, name, alias).await?;
                if from == Some(version) {
                    return Ok(());
                }
                let (name, alias, to, user_id) = (name.clone(), alias.clone(), Some(version), user_id.to_owned());
                let alias_move = AliasMove { name, alias, from, to, user_id, moved_at: at };
                aliases::put(connection, &alias_move.name, &alias_move.alias, version).await?;
                aliases::record(connection, &alias_move).await?;
                Ok(touch(connection, &alias_move.name, at).await?)
            })
            .await
    }

    async fn delete_alias(
        &self,
        name: &ModelName,
        alias: &ModelAlias,
        user_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.database
            .write("removing an alias", async |connection| {
                lock_model(connection, name).await?;
                let from = aliases::find(connection, name, alias).await?;
                if from.is_none() {
                    return Err(StoreError::not_found(Entity::ModelAlias, format!("{name}@{alias}")).into());
                }
                let (name, alias, user_id) = (name.clone(), alias.clone(), user_id.to_owned());
                let alias_move = AliasMove { name, alias, from, to: None, user_id, moved_at: at };
                aliases::remove(connection, &alias_move.name, &alias_move.alias).await?;
                aliases::record(connection, &alias_move).await?;
                Ok(touch(connection, &alias_move.name, at).await?)
            })
            .await
    }

    async fn list_alias_moves(&self, name: &ModelName) -> Result<Vec<AliasMove>, StoreError> {
        self.database.read("listing alias moves", async |connection| aliases::list_moves(connection, name).await).await
    }
}

/// Dates the last change of the model.
async fn touch(connection: &mut Connection, name: &ModelName, at: DateTime<Utc>) -> QueryResult<()> {
    let model = registered_models::table.find(name.as_str());
    let update = diesel::update(model).set(registered_models::updated_at.eq(Instant(at)));
    on_backend!(connection => update.execute(connection).await)?;
    Ok(())
}

/// Keeps others from changing the model and what belongs to it meanwhile.
async fn lock_model(connection: &mut Connection, name: &ModelName) -> Result<(), Failure> {
    lock(connection, &format!("model/{name}")).await
}
