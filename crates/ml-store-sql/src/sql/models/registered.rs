//! Registered models with their tags and aliases.

use std::collections::{BTreeMap, HashMap};

use diesel::OptionalExtension as _;
use diesel::prelude::{ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel_async::RunQueryDsl as _;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::model::{ModelAlias, ModelName, RegisteredModel};
use ml_core::page::{Page, PageRequest};

use crate::connection::{Connection, insert_all, on_backend};
use crate::error::{Failure, or_already_exists};
use crate::schema::sql::{model_aliases, registered_model_tags, registered_models, retired_models};
use crate::sql::KEYS_PER_QUERY;
use crate::types::Instant;

#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = registered_models, treat_none_as_default_value = false)]
struct ModelRow {
    name: String,
    description: String,
    last_version: i64,
    created_at: Instant,
    updated_at: Instant,
}

/// What belongs to a model and is in tables of its own.
#[derive(Debug, Default)]
struct Parts {
    tags: BTreeMap<String, String>,
    aliases: Vec<(String, i64)>,
}

impl ModelRow {
    fn into_model(self, parts: Parts) -> Result<RegisteredModel, StoreError> {
        let key = self.name.clone();
        self.decode(parts).map_err(|err| StoreError::corrupt(Entity::RegisteredModel, key, err))
    }

    fn decode(self, parts: Parts) -> Result<RegisteredModel, BoxError> {
        let mut aliases = BTreeMap::new();
        for (alias, version) in parts.aliases {
            aliases.insert(ModelAlias::parse(&alias)?, u32::try_from(version)?);
        }
        Ok(RegisteredModel {
            name: ModelName::parse(&self.name)?,
            description: self.description,
            tags: parts.tags,
            aliases,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

/// Inserts the model with its tags. Its numbers go on after those of a deleted model of the same name.
pub(super) async fn insert(connection: &mut Connection, model: &RegisteredModel) -> Result<(), Failure> {
    let retired = retired_models::table.find(model.name.as_str()).select(retired_models::last_version);
    let last_version: Option<i64> = on_backend!(connection => retired.get_result(connection).await).optional()?;
    let row = ModelRow {
        name: model.name.as_str().to_owned(),
        description: model.description.clone(),
        last_version: last_version.unwrap_or(0),
        created_at: Instant(model.created_at),
        updated_at: Instant(model.updated_at),
    };
    let insert = diesel::insert_into(registered_models::table).values(&row);
    let inserted = on_backend!(connection => insert.execute(connection).await);
    inserted.map_err(|err| or_already_exists(err, Entity::RegisteredModel, &model.name))?;
    let tag = |(key, value)| {
        (
            registered_model_tags::name.eq(&row.name),
            registered_model_tags::key.eq(key),
            registered_model_tags::value.eq(value),
        )
    };
    let tags: Vec<_> = model.tags.iter().map(tag).collect();
    insert_all!(connection, &tags, |values| diesel::insert_into(registered_model_tags::table).values(values));
    Ok(())
}

/// Returns the model, or [`StoreError::NotFound`].
pub(super) async fn get(connection: &mut Connection, name: &ModelName) -> Result<RegisteredModel, Failure> {
    let select = registered_models::table.find(name.as_str());
    let row: Option<ModelRow> = on_backend!(connection => select.get_result(connection).await).optional()?;
    let model = complete(connection, row.into_iter().collect()).await?.pop();
    Ok(model.ok_or_else(|| StoreError::not_found(Entity::RegisteredModel, name))?)
}

/// Deletes the model, and keeps which numbers were given under its name. Versions, aliases and tags refer to the model and go
/// with it.
pub(super) async fn delete(connection: &mut Connection, name: &ModelName) -> Result<(), Failure> {
    let model = registered_models::table.find(name.as_str());
    let select = model.select(registered_models::last_version);
    let last: Option<i64> = on_backend!(connection => select.get_result(connection).await).optional()?;
    let last_version = last.ok_or_else(|| StoreError::not_found(Entity::RegisteredModel, name))?;
    let retire = diesel::insert_into(retired_models::table)
        .values((retired_models::name.eq(name.as_str()), retired_models::last_version.eq(last_version)))
        .on_conflict(retired_models::name)
        .do_update()
        .set(retired_models::last_version.eq(last_version));
    on_backend!(connection => retire.execute(connection).await)?;
    let delete = diesel::delete(model);
    on_backend!(connection => delete.execute(connection).await)?;
    Ok(())
}

/// Lists models by name.
pub(super) async fn list(
    connection: &mut Connection,
    page: &PageRequest<ModelName>,
) -> Result<Page<RegisteredModel, ModelName>, Failure> {
    let after = page.cursor().map_or("", ModelName::as_str);
    let select = registered_models::table
        .filter(registered_models::name.gt(after))
        .order(registered_models::name)
        .limit(page.limit() as i64 + 1);
    let rows: Vec<ModelRow> = on_backend!(connection => select.load(connection).await)?;
    let found = complete(connection, rows).await?;
    Ok(Page::from_lookahead(found, page.limit(), |model| model.name.clone()))
}

/// Completes the rows, in their order, with tags and aliases.
async fn complete(connection: &mut Connection, rows: Vec<ModelRow>) -> Result<Vec<RegisteredModel>, Failure> {
    let mut parts: HashMap<String, Parts> = HashMap::with_capacity(rows.len());
    for some in rows.chunks(KEYS_PER_QUERY) {
        let names: Vec<&str> = some.iter().map(|row| row.name.as_str()).collect();
        let select = registered_model_tags::table.filter(registered_model_tags::name.eq_any(&names));
        let tags: Vec<(String, String, String)> = on_backend!(connection => select.load(connection).await)?;
        for (name, key, value) in tags {
            parts.entry(name).or_default().tags.insert(key, value);
        }
        let select = model_aliases::table.filter(model_aliases::name.eq_any(&names));
        let aliases: Vec<(String, String, i64)> = on_backend!(connection => select.load(connection).await)?;
        for (name, alias, version) in aliases {
            parts.entry(name).or_default().aliases.push((alias, version));
        }
    }
    let mut models = Vec::with_capacity(rows.len());
    for row in rows {
        let parts = parts.remove(&row.name).unwrap_or_default();
        models.push(row.into_model(parts)?);
    }
    Ok(models)
}
