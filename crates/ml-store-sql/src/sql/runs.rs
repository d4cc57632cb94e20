//! `runs`, and with them `params`, `metrics`, `tags` and inputs.

mod log;
mod metric;
mod parts;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::OptionalExtension as _;
use diesel::prelude::{BoolExpressionMethods as _, ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel_async::RunQueryDsl as _;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::experiment::LifecycleStage;
use ml_core::id::{ExperimentId, RunId};
use ml_core::page::{Page, PageRequest};
use ml_core::run::{Metric, Run, RunLog, RunQuery, RunStatus, RunStore};

use self::metric::MetricRow;
use self::parts::Parts;
use crate::connection::{Connection, lock, on_backend};
use crate::error::{Failure, or_already_exists};
use crate::schema::sql::{experiments, metrics, runs};
use crate::sql::SqlStore;
use crate::types::Instant;

#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = runs, treat_none_as_default_value = false)]
struct RunRow {
    id: String,
    experiment_id: String,
    name: String,
    user_id: String,
    status: String,
    lifecycle_stage: String,
    started_at: Instant,
    ended_at: Option<Instant>,
    artifact_uri: Option<String>,
}

impl From<&Run> for RunRow {
    fn from(run: &Run) -> RunRow {
        RunRow {
            id: run.id.as_str().to_owned(),
            experiment_id: run.experiment_id.as_str().to_owned(),
            name: run.name.clone(),
            user_id: run.user_id.clone(),
            status: run.status.name().to_owned(),
            lifecycle_stage: run.lifecycle_stage.name().to_owned(),
            started_at: Instant(run.started_at),
            ended_at: run.ended_at.map(Instant),
            artifact_uri: run.artifact_uri.clone(),
        }
    }
}

impl RunRow {
    fn into_run(self, parts: Parts) -> Result<Run, StoreError> {
        let key = self.id.clone();
        self.decode(parts).map_err(|err| StoreError::corrupt(Entity::Run, key, err))
    }

    fn decode(self, parts: Parts) -> Result<Run, BoxError> {
        Ok(Run {
            id: RunId::parse(self.id)?,
            experiment_id: ExperimentId::parse(self.experiment_id)?,
            name: self.name,
            user_id: self.user_id,
            status: RunStatus::find_by_name(&self.status).ok_or("there is no such status")?,
            lifecycle_stage: super::lifecycle_stage_named(&self.lifecycle_stage)?,
            started_at: self.started_at.0,
            ended_at: self.ended_at.map(|instant| instant.0),
            artifact_uri: self.artifact_uri,
            params: parts.params,
            metrics: parts.metrics,
            tags: parts.tags,
            inputs: parts.inputs,
        })
    }
}

/// Selects the runs that a query asks for; a macro, for the type of such a selection names the engine.
macro_rules! matching {
    ($query:expr) => {{
        let query: &RunQuery = $query;
        let mut select = runs::table.into_boxed();
        if let Some(experiment_id) = &query.experiment_id {
            select = select.filter(runs::experiment_id.eq(experiment_id.as_str()));
        }
        if let Some(status) = query.status {
            select = select.filter(runs::status.eq(status.name()));
        }
        if let Some(stage) = query.lifecycle_stage {
            select = select.filter(runs::lifecycle_stage.eq(stage.name()));
        }
        select
    }};
}

#[async_trait]
impl RunStore for SqlStore {
    async fn create(&self, run: &Run) -> Result<(), StoreError> {
        let first_log = RunLog {
            metrics: run.metrics.values().cloned().collect(),
            params: run.params.clone(),
            tags: run.tags.clone(),
            inputs: run.inputs.clone(),
        };
        self.database
            .write("creating a run", async |connection| {
                check_experiment(connection, &run.experiment_id).await?;
                let insert = diesel::insert_into(runs::table).values(RunRow::from(run));
                let inserted = on_backend!(connection => insert.execute(connection).await);
                inserted.map_err(|err| or_already_exists(err, Entity::Run, &run.id))?;
                log::write(connection, &run.id, &first_log).await
            })
            .await
    }

    async fn get(&self, id: &RunId) -> Result<Run, StoreError> {
        let select = runs::table.find(id.as_str());
        self.database
            .read("reading a run", async |connection| {
                let row: Option<RunRow> = on_backend!(connection => select.get_result(connection).await).optional()?;
                let run = complete(connection, row.into_iter().collect()).await?.pop();
                Ok(run.ok_or_else(|| StoreError::not_found(Entity::Run, id))?)
            })
            .await
    }

    async fn set_status(
        &self,
        id: &RunId,
        from: RunStatus,
        to: RunStatus,
        ended_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        self.database
            .write("changing a run", async |connection| {
                let update = diesel::update(runs::table.find(id.as_str()).filter(runs::status.eq(from.name())))
                    .set((runs::status.eq(to.name()), runs::ended_at.eq(ended_at.map(Instant))));
                if on_backend!(connection => update.execute(connection).await)? == 0 {
                    check_run(connection, id).await?;
                    return Err(StoreError::conflict(Entity::Run, id).into());
                }
                Ok(())
            })
            .await
    }

    async fn set_lifecycle_stage(&self, id: &RunId, stage: LifecycleStage) -> Result<(), StoreError> {
        self.database
            .write("changing a run", async |connection| {
                let update = diesel::update(runs::table.find(id.as_str())).set(runs::lifecycle_stage.eq(stage.name()));
                match on_backend!(connection => update.execute(connection).await)? {
                    0 => Err(StoreError::not_found(Entity::Run, id).into()),
                    _ => Ok(()),
                }
            })
            .await
    }

    async fn log(&self, id: &RunId, log: &RunLog) -> Result<(), StoreError> {
        self.database
            .write("logging to a run", async |connection| {
                lock(connection, &format!("run/{id}")).await?;
                check_run(connection, id).await?;
                log::write(connection, id, log).await
            })
            .await
    }

    async fn metric_history(&self, id: &RunId, key: &str) -> Result<Vec<Metric>, StoreError> {
        let select = metrics::table.filter(metrics::run_id.eq(id.as_str())).filter(metrics::key.eq(key)).order((
            metrics::timestamp,
            metrics::step,
            metrics::is_nan.desc(),
            metrics::value,
        ));
        self.database
            .read("reading a metric", async |connection| {
                check_run(connection, id).await?;
                let rows: Vec<MetricRow> = on_backend!(connection => select.load(connection).await)?;
                Ok(rows.into_iter().map(MetricRow::into_metric).collect())
            })
            .await
    }

    async fn list(&self, query: &RunQuery, page: PageRequest<RunId>) -> Result<Page<Run, RunId>, StoreError> {
        self.database
            .read("listing runs", async |connection| {
                let after = match page.cursor() {
                    Some(cursor) => Some((start_of(connection, cursor).await?, cursor)),
                    None => None,
                };
                let limit = page.limit() as i64 + 1;
                let rows: Vec<RunRow> = on_backend!(connection => {
                    let mut select = matching!(query).order((runs::started_at.desc(), runs::id));
                    if let Some((started_at, id)) = &after {
                        let same_start = runs::started_at.eq(started_at).and(runs::id.gt(id.as_str()));
                        select = select.filter(runs::started_at.lt(started_at).or(same_start));
                    }
                    select.limit(limit).load(connection).await
                })?;
                let found = complete(connection, rows).await?;
                Ok(Page::from_lookahead(found, page.limit(), |run| run.id.clone()))
            })
            .await
    }
}

async fn check_experiment(connection: &mut Connection, id: &ExperimentId) -> Result<(), Failure> {
    let count = experiments::table.find(id.as_str()).count();
    let n_experiments: i64 = on_backend!(connection => count.get_result(connection).await)?;
    if n_experiments == 0 {
        return Err(StoreError::not_found(Entity::Experiment, id).into());
    }
    Ok(())
}

async fn check_run(connection: &mut Connection, id: &RunId) -> Result<(), Failure> {
    start_of(connection, id).await.map(|_| ())
}

async fn start_of(connection: &mut Connection, id: &RunId) -> Result<Instant, Failure> {
    let select = runs::table.find(id.as_str()).select(runs::started_at);
    let started_at: Option<Instant> = on_backend!(connection => select.get_result(connection).await).optional()?;
    Ok(started_at.ok_or_else(|| StoreError::not_found(Entity::Run, id))?)
}

/// Completes the rows, in their order, with what the runs logged.
async fn complete(connection: &mut Connection, rows: Vec<RunRow>) -> Result<Vec<Run>, Failure> {
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let mut parts = parts::load(connection, &ids).await?;
    let mut runs = Vec::with_capacity(rows.len());
    for row in rows {
        let parts = parts.remove(&row.id).unwrap_or_default();
        runs.push(row.into_run(parts)?);
    }
    Ok(runs)
}
