//! `experiments`: named lines of work.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::prelude::{ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel::{OptionalExtension as _, QueryResult};
use diesel_async::RunQueryDsl as _;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::experiment::{Experiment, ExperimentStore, LifecycleStage, NewExperiment};
use ml_core::id::ExperimentId;
use ml_core::page::{Page, PageRequest};

use crate::connection::{Connection, insert_all, lock, on_backend};
use crate::error::{Failure, or_already_exists};
use crate::schema::sql::{experiment_tags, experiments};
use crate::sql::{KEYS_PER_QUERY, SqlStore};
use crate::types::Instant;

#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = experiments, treat_none_as_default_value = false)]
struct ExperimentRow {
    id: String,
    number: i64,
    name: String,
    artifact_location: Option<String>,
    lifecycle_stage: String,
    created_at: Instant,
    updated_at: Instant,
}

impl ExperimentRow {
    fn into_experiment(self, tags: BTreeMap<String, String>) -> Result<Experiment, StoreError> {
        let key = self.id.clone();
        self.decode(tags).map_err(|err| StoreError::corrupt(Entity::Experiment, key, err))
    }

    fn decode(self, tags: BTreeMap<String, String>) -> Result<Experiment, BoxError> {
        Ok(Experiment {
            id: ExperimentId::parse(self.id)?,
            name: self.name,
            artifact_location: self.artifact_location,
            lifecycle_stage: super::lifecycle_stage_named(&self.lifecycle_stage)?,
            tags,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

#[async_trait]
impl ExperimentStore for SqlStore {
    async fn create(&self, experiment: &NewExperiment) -> Result<Experiment, StoreError> {
        self.database
            .write("creating an experiment", async |connection| {
                lock(connection, "experiments").await?;
                let select = experiments::table.select(max(experiments::number));
                let highest: Option<i64> = on_backend!(connection => select.get_result(connection).await)?;
                insert(connection, experiment, highest.map_or(0, |number| number + 1)).await
            })
            .await
    }

    async fn get(&self, id: &ExperimentId) -> Result<Experiment, StoreError> {
        let select = experiments::table.find(id.as_str());
        self.database
            .read("reading an experiment", async |connection| {
                let row: Option<ExperimentRow> =
                    on_backend!(connection => select.get_result(connection).await).optional()?;
                let found = with_tags(connection, row.into_iter().collect()).await?.pop();
                Ok(found.ok_or_else(|| StoreError::not_found(Entity::Experiment, id))?)
            })
            .await
    }

    async fn find_by_name(&self, name: &str) -> Result<Option<Experiment>, StoreError> {
        let select = experiments::table.filter(experiments::name.eq(name));
        self.database
            .read("reading an experiment", async |connection| {
                let row: Option<ExperimentRow> =
                    on_backend!(connection => select.get_result(connection).await).optional()?;
                Ok(with_tags(connection, row.into_iter().collect()).await?.pop())
            })
            .await
    }

    async fn list(
        &self,
        stage: Option<LifecycleStage>,
        page: PageRequest<ExperimentId>,
    ) -> Result<Page<Experiment, ExperimentId>, StoreError> {
        // Experiments are never removed, so what is no number comes after all of them.
        let after = page.cursor().map_or(-1, |cursor| cursor.as_str().parse().unwrap_or(i64::MAX));
        let limit = page.limit() as i64 + 1;
        self.database
            .read("listing experiments", async |connection| {
                let rows: Vec<ExperimentRow> = on_backend!(connection => {
                    let mut select = experiments::table.filter(experiments::number.gt(after)).into_boxed();
                    if let Some(stage) = stage {
                        select = select.filter(experiments::lifecycle_stage.eq(stage.name()));
                    }
                    select.order(experiments::number).limit(limit).load(connection).await
                })?;
                let found = with_tags(connection, rows).await?;
                Ok(Page::from_lookahead(found, page.limit(), |experiment| experiment.id.clone()))
            })
            .await
    }

    async fn rename(&self, id: &ExperimentId, name: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.database
            .write("renaming an experiment", async |connection| {
                let update = diesel::update(experiments::table.find(id.as_str()))
                    .set((experiments::name.eq(name), experiments::updated_at.eq(Instant(at))));
                let updated = on_backend!(connection => update.execute(connection).await);
                found(id, updated.map_err(|err| or_already_exists(err, Entity::Experiment, name))?)
            })
            .await
    }

    async fn set_lifecycle_stage(
        &self,
        id: &ExperimentId,
        stage: LifecycleStage,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.database
            .write("changing an experiment", async |connection| {
                let update = diesel::update(experiments::table.find(id.as_str()))
                    .set((experiments::lifecycle_stage.eq(stage.name()), experiments::updated_at.eq(Instant(at))));
                found(id, on_backend!(connection => update.execute(connection).await)?)
            })
            .await
    }

    async fn set_tag(&self, id: &ExperimentId, key: &str, value: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.database
            .write("tagging an experiment", async |connection| {
                let experiment = experiments::table.find(id.as_str());
                let update = diesel::update(experiment).set(experiments::updated_at.eq(Instant(at)));
                found(id, on_backend!(connection => update.execute(connection).await)?)?;
                Ok(put_tag(connection, id.as_str(), key, value).await?)
            })
            .await
    }
}

fn found(id: &ExperimentId, n_updated: usize) -> Result<(), Failure> {
    if n_updated == 0 {
        return Err(StoreError::not_found(Entity::Experiment, id).into());
    }
    Ok(())
}

async fn insert(connection: &mut Connection, new: &NewExperiment, number: i64) -> Result<Experiment, Failure> {
    let row = ExperimentRow {
        id: number.to_string(),
        number,
        name: new.name.clone(),
        artifact_location: new.artifact_location.clone(),
        lifecycle_stage: LifecycleStage::Active.name().to_owned(),
        created_at: Instant(new.created_at),
        updated_at: Instant(new.created_at),
    };
    let insert = diesel::insert_into(experiments::table).values(&row);
    let inserted = on_backend!(connection => insert.execute(connection).await);
    inserted.map_err(|err| or_already_exists(err, Entity::Experiment, &new.name))?;
    let tag = |(key, value)| {
        (experiment_tags::experiment_id.eq(&row.id), experiment_tags::key.eq(key), experiment_tags::value.eq(value))
    };
    let tags: Vec<_> = new.tags.iter().map(tag).collect();
    insert_all!(connection, &tags, |values| diesel::insert_into(experiment_tags::table).values(values));
    Ok(row.into_experiment(new.tags.clone())?)
}

async fn put_tag(connection: &mut Connection, id: &str, key: &str, value: &str) -> QueryResult<()> {
    let insert = diesel::insert_into(experiment_tags::table)
        .values((experiment_tags::experiment_id.eq(id), experiment_tags::key.eq(key), experiment_tags::value.eq(value)))
        .on_conflict((experiment_tags::experiment_id, experiment_tags::key))
        .do_update()
        .set(experiment_tags::value.eq(value));
    on_backend!(connection => insert.execute(connection).await)?;
    Ok(())
}

/// Completes the rows, in their order, with their tags.
async fn with_tags(connection: &mut Connection, rows: Vec<ExperimentRow>) -> Result<Vec<Experiment>, Failure> {
    let mut tags: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for some in rows.chunks(KEYS_PER_QUERY) {
        let ids = some.iter().map(|row| row.id.as_str());
        let select = experiment_tags::table.filter(experiment_tags::experiment_id.eq_any(ids));
        let found: Vec<(String, String, String)> = on_backend!(connection => select.load(connection).await)?;
        for (id, key, value) in found {
            tags.entry(id).or_default().insert(key, value);
        }
    }
    let mut experiments = Vec::with_capacity(rows.len());
    for row in rows {
        let tags = tags.remove(&row.id).unwrap_or_default();
        experiments.push(row.into_experiment(tags)?);
    }
    Ok(experiments)
}
