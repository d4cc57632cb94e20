//! Runs and what they log, in memory.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{MemorySql, lock};
use crate::error::{Entity, StoreError};
use crate::experiment::LifecycleStage;
use crate::id::RunId;
use crate::page::{Page, PageRequest};
use crate::run::{Metric, Run, RunLog, RunQuery, RunStatus, RunStore};

/// Runs by id.
#[derive(Debug, Default)]
pub(super) struct Runs(BTreeMap<RunId, Stored>);

/// A run without its metrics, and every point of every metric.
#[derive(Debug)]
struct Stored {
    run: Run,
    points: Vec<Metric>,
}

impl Runs {
    fn find(&self, id: &RunId) -> Result<&Stored, StoreError> {
        self.0.get(id).ok_or_else(|| StoreError::not_found(Entity::Run, id))
    }

    fn find_mut(&mut self, id: &RunId) -> Result<&mut Stored, StoreError> {
        self.0.get_mut(id).ok_or_else(|| StoreError::not_found(Entity::Run, id))
    }
}

impl Stored {
    fn to_run(&self) -> Run {
        let mut run = self.run.clone();
        for point in &self.points {
            let is_latest = run.metrics.get(&point.key).is_none_or(|latest| by_step(point, latest).is_gt());
            if is_latest {
                run.metrics.insert(point.key.clone(), point.clone());
            }
        }
        run
    }

    fn add_points(&mut self, points: &[Metric]) {
        for point in points {
            let is_there = self.points.iter().any(|other| other.key == point.key && by_step(other, point).is_eq());
            if !is_there {
                self.points.push(point.clone());
            }
        }
    }

    fn add(&mut self, log: &RunLog) {
        self.add_points(&log.metrics);
        self.run.params.extend(log.params.clone());
        self.run.tags.extend(log.tags.clone());
        for input in &log.inputs {
            let is_same = |other: &crate::run::DatasetInput| other.name == input.name && other.digest == input.digest;
            if !self.run.inputs.iter().any(is_same) {
                self.run.inputs.push(input.clone());
            }
        }
    }
}

#[async_trait]
impl RunStore for MemorySql {
    async fn create(&self, run: &Run) -> Result<(), StoreError> {
        let mut tracking = lock(&self.tracking);
        tracking.find(&run.experiment_id)?;
        if tracking.runs.0.contains_key(&run.id) {
            return Err(StoreError::already_exists(Entity::Run, &run.id));
        }
        let points = run.metrics.values().cloned().collect();
        let bare = Run { metrics: BTreeMap::new(), ..run.clone() };
        tracking.runs.0.insert(run.id.clone(), Stored { run: bare, points });
        Ok(())
    }

    async fn get(&self, id: &RunId) -> Result<Run, StoreError> {
        Ok(lock(&self.tracking).runs.find(id)?.to_run())
    }

    async fn set_status(
        &self,
        id: &RunId,
        from: RunStatus,
        to: RunStatus,
        ended_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let mut tracking = lock(&self.tracking);
        let stored = tracking.runs.find_mut(id)?;
        if stored.run.status != from {
            return Err(StoreError::conflict(Entity::Run, id));
        }
        stored.run.status = to;
        stored.run.ended_at = ended_at;
        Ok(())
    }

    async fn set_lifecycle_stage(&self, id: &RunId, stage: LifecycleStage) -> Result<(), StoreError> {
        lock(&self.tracking).runs.find_mut(id)?.run.lifecycle_stage = stage;
        Ok(())
    }

    async fn log(&self, id: &RunId, log: &RunLog) -> Result<(), StoreError> {
        let mut tracking = lock(&self.tracking);
        let stored = tracking.runs.find_mut(id)?;
        for (key, value) in &log.params {
            if stored.run.params.get(key).is_some_and(|former| former != value) {
                return Err(StoreError::conflict(Entity::Run, id));
            }
        }
        stored.add(log);
        Ok(())
    }

    async fn metric_history(&self, id: &RunId, key: &str) -> Result<Vec<Metric>, StoreError> {
        let tracking = lock(&self.tracking);
        let points = tracking.runs.find(id)?.points.iter().filter(|point| point.key == key);
        let mut history: Vec<Metric> = points.cloned().collect();
        history
            .sort_by(|a, b| (a.timestamp, a.step).cmp(&(b.timestamp, b.step)).then_with(|| by_value(a.value, b.value)));
        Ok(history)
    }

    async fn list(&self, query: &RunQuery, page: PageRequest<RunId>) -> Result<Page<Run, RunId>, StoreError> {
        let tracking = lock(&self.tracking);
        let start = page.cursor().map(|id| tracking.runs.find(id).map(|stored| &stored.run)).transpose()?;
        let all = tracking.runs.0.values();
        let is_after = |run: &Run| start.is_none_or(|start| newest_first(start, run).is_lt());
        let mut found: Vec<&Stored> =
            all.filter(|stored| matches(query, &stored.run) && is_after(&stored.run)).collect();
        found.sort_by(|a, b| newest_first(&a.run, &b.run));
        let items = found.into_iter().take(page.limit() + 1).map(Stored::to_run).collect();
        Ok(Page::from_lookahead(items, page.limit(), |run| run.id.clone()))
    }
}

fn newest_first(a: &Run, b: &Run) -> Ordering {
    b.started_at.cmp(&a.started_at).then_with(|| a.id.cmp(&b.id))
}

/// Orders points of a metric so that the one a run shows is the greatest.
fn by_step(a: &Metric, b: &Metric) -> Ordering {
    (a.step, a.timestamp).cmp(&(b.step, b.timestamp)).then_with(|| by_value(a.value, b.value))
}

/// Orders values with `NaN` below all others.
fn by_value(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

fn matches(query: &RunQuery, run: &Run) -> bool {
    query.experiment_id.as_ref().is_none_or(|id| *id == run.experiment_id)
        && query.status.is_none_or(|status| status == run.status)
        && query.lifecycle_stage.is_none_or(|stage| stage == run.lifecycle_stage)
}
