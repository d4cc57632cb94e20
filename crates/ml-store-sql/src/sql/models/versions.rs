//! Model versions with their tags and the aliases that name them.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::{ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel::{OptionalExtension as _, QueryResult};
use diesel_async::RunQueryDsl as _;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::model::{ModelAlias, ModelName, ModelVersion, NewModelVersion, Stage};

use crate::connection::{Connection, insert_all, on_backend};
use crate::error::Failure;
use crate::schema::sql::{model_aliases, model_version_tags, model_versions, registered_models};
use crate::types::{Instant, JsonText};

#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = model_versions, treat_none_as_default_value = false)]
struct VersionRow {
    name: String,
    version: i64,
    stage: String,
    description: String,
    source: Option<String>,
    user_id: String,
    /// The run of the lineage once more, to be searched by.
    run_id: Option<String>,
    artifact: Option<JsonText>,
    reference_profile: Option<JsonText>,
    signature: JsonText,
    lineage: JsonText,
    created_at: Instant,
    updated_at: Instant,
}

/// What belongs to a version and is in tables of its own.
#[derive(Debug, Default)]
struct Parts {
    tags: BTreeMap<String, String>,
    aliases: Vec<String>,
}

impl From<&ModelVersion> for VersionRow {
    fn from(version: &ModelVersion) -> VersionRow {
        let content = &version.content;
        VersionRow {
            name: content.name.as_str().to_owned(),
            version: version.version.into(),
            stage: version.stage.name().to_owned(),
            description: content.description.clone(),
            source: content.source.clone(),
            user_id: content.user_id.clone(),
            run_id: content.lineage.run_id.as_ref().map(|id| id.as_str().to_owned()),
            artifact: content.artifact.as_ref().map(JsonText::of),
            reference_profile: content.reference_profile.as_ref().map(JsonText::of),
            signature: JsonText::of(&content.signature),
            lineage: JsonText::of(&content.lineage),
            created_at: Instant(content.created_at),
            updated_at: Instant(version.updated_at),
        }
    }
}

impl VersionRow {
    fn into_version(self, parts: Parts) -> Result<ModelVersion, StoreError> {
        let key = format!("{}@{}", self.name, self.version);
        self.decode(parts).map_err(|err| StoreError::corrupt(Entity::ModelVersion, key, err))
    }

    fn decode(self, parts: Parts) -> Result<ModelVersion, BoxError> {
        let aliases: Result<Vec<_>, _> = parts.aliases.iter().map(|alias| ModelAlias::parse(alias)).collect();
        let content = NewModelVersion {
            name: ModelName::parse(&self.name)?,
            description: self.description,
            source: self.source,
            user_id: self.user_id,
            artifact: self.artifact.as_ref().map(JsonText::parse).transpose()?,
            reference_profile: self.reference_profile.as_ref().map(JsonText::parse).transpose()?,
            signature: self.signature.parse()?,
            lineage: self.lineage.parse()?,
            tags: parts.tags,
            created_at: self.created_at.0,
        };
        Ok(ModelVersion {
            version: u32::try_from(self.version)?,
            stage: Stage::find_by_name(&self.stage).ok_or("there is no such stage")?,
            aliases: aliases?,
            updated_at: self.updated_at.0,
            content,
        })
    }
}

fn absent(name: &ModelName, version: u32) -> StoreError {
    StoreError::not_found(Entity::ModelVersion, format!("{name}@{version}"))
}

/// Gives the version the next number of its model and inserts it.
pub(super) async fn insert(connection: &mut Connection, new: &NewModelVersion) -> Result<ModelVersion, Failure> {
    let model = registered_models::table.find(new.name.as_str());
    let select = model.select(registered_models::last_version);
    let last: Option<i64> = on_backend!(connection => select.get_result(connection).await).optional()?;
    let number = last.ok_or_else(|| StoreError::not_found(Entity::RegisteredModel, &new.name))? + 1;
    let version = u32::try_from(number).map_err(|err| StoreError::corrupt(Entity::RegisteredModel, &new.name, err))?;
    let created = ModelVersion {
        version,
        stage: Stage::Development,
        aliases: Vec::new(),
        updated_at: new.created_at,
        content: new.clone(),
    };
    let insert = diesel::insert_into(model_versions::table).values(VersionRow::from(&created));
    on_backend!(connection => insert.execute(connection).await)?;
    let tag = |(key, value)| {
        (
            model_version_tags::name.eq(new.name.as_str()),
            model_version_tags::version.eq(number),
            model_version_tags::key.eq(key),
            model_version_tags::value.eq(value),
        )
    };
    let tags: Vec<_> = new.tags.iter().map(tag).collect();
    insert_all!(connection, &tags, |values| diesel::insert_into(model_version_tags::table).values(values));
    let newest =
        (registered_models::last_version.eq(number), registered_models::updated_at.eq(Instant(new.created_at)));
    let update = diesel::update(model).set(newest);
    on_backend!(connection => update.execute(connection).await)?;
    Ok(created)
}

/// Returns the version, or [`StoreError::NotFound`].
pub(super) async fn get(connection: &mut Connection, name: &ModelName, version: u32) -> Result<ModelVersion, Failure> {
    let select = model_versions::table.find((name.as_str(), i64::from(version)));
    let row: Option<VersionRow> = on_backend!(connection => select.get_result(connection).await).optional()?;
    let row = row.ok_or_else(|| absent(name, version))?;
    let mut parts = load_parts(connection, name).await?;
    let parts = parts.remove(&row.version).unwrap_or_default();
    Ok(row.into_version(parts)?)
}

/// Lists the versions of the model by descending number.
pub(super) async fn list(connection: &mut Connection, name: &ModelName) -> Result<Vec<ModelVersion>, Failure> {
    let select =
        model_versions::table.filter(model_versions::name.eq(name.as_str())).order(model_versions::version.desc());
    let rows: Vec<VersionRow> = on_backend!(connection => select.load(connection).await)?;
    let mut parts = load_parts(connection, name).await?;
    let mut versions = Vec::with_capacity(rows.len());
    for row in rows {
        let parts = parts.remove(&row.version).unwrap_or_default();
        versions.push(row.into_version(parts)?);
    }
    Ok(versions)
}

/// Loads tags and aliases of every version of the model; they are few.
async fn load_parts(connection: &mut Connection, name: &ModelName) -> QueryResult<HashMap<i64, Parts>> {
    let mut parts: HashMap<i64, Parts> = HashMap::new();
    let select = model_version_tags::table.filter(model_version_tags::name.eq(name.as_str())).select((
        model_version_tags::version,
        model_version_tags::key,
        model_version_tags::value,
    ));
    let tags: Vec<(i64, String, String)> = on_backend!(connection => select.load(connection).await)?;
    for (version, key, value) in tags {
        parts.entry(version).or_default().tags.insert(key, value);
    }
    let select = model_aliases::table
        .filter(model_aliases::name.eq(name.as_str()))
        .order(model_aliases::alias)
        .select((model_aliases::version, model_aliases::alias));
    let aliases: Vec<(i64, String)> = on_backend!(connection => select.load(connection).await)?;
    for (version, alias) in aliases {
        parts.entry(version).or_default().aliases.push(alias);
    }
    Ok(parts)
}

/// Returns [`StoreError::NotFound`] when there is no such version.
pub(super) async fn check(connection: &mut Connection, name: &ModelName, version: u32) -> Result<(), Failure> {
    let select = model_versions::table.find((name.as_str(), i64::from(version))).count();
    let n_versions: i64 = on_backend!(connection => select.get_result(connection).await)?;
    if n_versions == 0 {
        return Err(absent(name, version).into());
    }
    Ok(())
}

/// Moves the version from one stage to another, if it is still in the first.
pub(super) async fn set_stage(
    connection: &mut Connection,
    name: &ModelName,
    version: u32,
    from: Stage,
    to: Stage,
    at: DateTime<Utc>,
) -> Result<(), Failure> {
    let still_there =
        model_versions::table.find((name.as_str(), i64::from(version))).filter(model_versions::stage.eq(from.name()));
    let change = (model_versions::stage.eq(to.name()), model_versions::updated_at.eq(Instant(at)));
    let update = diesel::update(still_there).set(change);
    if on_backend!(connection => update.execute(connection).await)? == 0 {
        check(connection, name, version).await?;
        return Err(StoreError::conflict(Entity::ModelVersion, format!("{name}@{version}")).into());
    }
    Ok(())
}

/// Dates the last change of the version, or returns [`StoreError::NotFound`].
pub(super) async fn touch(
    connection: &mut Connection,
    name: &ModelName,
    version: u32,
    at: DateTime<Utc>,
) -> Result<(), Failure> {
    let found = model_versions::table.find((name.as_str(), i64::from(version)));
    let update = diesel::update(found).set(model_versions::updated_at.eq(Instant(at)));
    if on_backend!(connection => update.execute(connection).await)? == 0 {
        return Err(absent(name, version).into());
    }
    Ok(())
}

/// Sets a label of a version that exists.
pub(super) async fn put_tag(
    connection: &mut Connection,
    name: &ModelName,
    version: u32,
    key: &str,
    value: &str,
) -> QueryResult<()> {
    let insert = diesel::insert_into(model_version_tags::table)
        .values((
            model_version_tags::name.eq(name.as_str()),
            model_version_tags::version.eq(i64::from(version)),
            model_version_tags::key.eq(key),
            model_version_tags::value.eq(value),
        ))
        .on_conflict((model_version_tags::name, model_version_tags::version, model_version_tags::key))
        .do_update()
        .set(model_version_tags::value.eq(value));
    on_backend!(connection => insert.execute(connection).await)?;
    Ok(())
}
