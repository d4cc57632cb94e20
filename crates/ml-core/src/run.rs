//! Executions in an experiment, and what they log.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::StoreError;
use crate::experiment::LifecycleStage;
use crate::id::{ExperimentId, RunId};
use crate::page::{Page, PageRequest};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Waiting for its turn.
    Scheduled,
    /// At work.
    Running,
    /// Done.
    Finished,
    /// Stopped by an error.
    Failed,
    /// Stopped by a person.
    Killed,
}

/// What happens to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEvent {
    /// It began to work.
    Started,
    /// It came to its end.
    Finished,
    /// An error ended it.
    Failed,
    /// A person ended it.
    Killed,
}

/// A run in this status cannot go through this event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {} run cannot go through {event:?}", .from.name())]
pub struct InvalidTransition {
    /// The status it has.
    pub from: RunStatus,
    /// What was to happen.
    pub event: RunEvent,
}

impl RunStatus {
    /// All statuses.
    pub const ALL: [RunStatus; 5] =
        [RunStatus::Scheduled, RunStatus::Running, RunStatus::Finished, RunStatus::Failed, RunStatus::Killed];

    /// Returns the name on disk.
    pub fn name(self) -> &'static str {
        match self {
            RunStatus::Scheduled => "scheduled",
            RunStatus::Running => "running",
            RunStatus::Finished => "finished",
            RunStatus::Failed => "failed",
            RunStatus::Killed => "killed",
        }
    }

    /// Returns the status called `name` on disk.
    pub fn find_by_name(name: &str) -> Option<RunStatus> {
        RunStatus::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The state after `event`, or the reason the move is not allowed.
    pub fn after(self, event: RunEvent) -> Result<RunStatus, InvalidTransition> {
        match (self, event) {
            (RunStatus::Scheduled, RunEvent::Started) => Ok(RunStatus::Running),
            (RunStatus::Running, RunEvent::Finished) => Ok(RunStatus::Finished),
            (RunStatus::Scheduled | RunStatus::Running, RunEvent::Failed) => Ok(RunStatus::Failed),
            (RunStatus::Scheduled | RunStatus::Running, RunEvent::Killed) => Ok(RunStatus::Killed),
            (from, event) => Err(InvalidTransition { from, event }),
        }
    }
}

/// One measured value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// What was measured, up to 250 characters.
    pub key: String,
    /// The value; may be `NaN` or infinite.
    pub value: f64,
    /// The step of the work at which it was measured, often an epoch; 0 where there are none.
    pub step: i64,
    /// When it was measured.
    pub timestamp: DateTime<Utc>,
}

/// Data that went into a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetInput {
    /// The name of the dataset.
    pub name: String,
    /// What identifies its content.
    pub digest: String,
    /// What kind of source it has, such as `dataset_version`.
    pub source_type: String,
    /// Where it is, in the terms of its source type.
    pub source: String,
    /// Its columns.
    pub schema: Option<Value>,
    /// Its statistics.
    pub profile: Option<Value>,
    /// Labels of the input, such as `mlflow.data.context` = `train`.
    pub tags: BTreeMap<String, String>,
}

/// A row of `runs`, with what it logged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Unique among all runs.
    pub id: RunId,
    /// The experiment it belongs to.
    pub experiment_id: ExperimentId,
    /// What people call it; need not be unique.
    pub name: String,
    /// Who started it.
    pub user_id: String,
    /// How it stands.
    pub status: RunStatus,
    /// In use or put away.
    pub lifecycle_stage: LifecycleStage,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Where its artifacts are; absent for the default place.
    pub artifact_uri: Option<String>,
    /// Inputs fixed at the start.
    pub params: BTreeMap<String, String>,
    /// By key, the metric with the highest step, then timestamp, then value; `NaN` is below every other value.
    pub metrics: BTreeMap<String, Metric>,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// Data that went in.
    pub inputs: Vec<DatasetInput>,
}

/// Things a run logs at once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunLog {
    /// Values measured; a point logged before is dropped.
    pub metrics: Vec<Metric>,
    /// Inputs fixed; logging one again with the same value is fine.
    pub params: BTreeMap<String, String>,
    /// Labels; a label logged before is replaced.
    pub tags: BTreeMap<String, String>,
    /// Data that went in; the same name and digest again is dropped.
    pub inputs: Vec<DatasetInput>,
}

/// Which runs to read; an absent bound does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunQuery {
    /// In this experiment.
    pub experiment_id: Option<ExperimentId>,
    /// Standing so.
    pub status: Option<RunStatus>,
    /// In use or put away.
    pub lifecycle_stage: Option<LifecycleStage>,
}

/// Runs and what they log. Every method is atomic: it happens wholly or not at all. A change to a run that is not there is
/// [`StoreError::NotFound`].
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Inserts `run` exactly as given, with its params, metrics, tags and inputs; the caller has chosen the id and the times.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such experiment, [`StoreError::AlreadyExists`] for a taken id.
    async fn create(&self, run: &Run) -> Result<(), StoreError>;

    /// Returns the run, or [`StoreError::NotFound`].
    async fn get(&self, id: &RunId) -> Result<Run, StoreError>;

    /// Moves `from` to `to` if the run is still in `from`, else [`StoreError::Conflict`]; `ended_at` replaces the former one.
    async fn set_status(
        &self,
        id: &RunId,
        from: RunStatus,
        to: RunStatus,
        ended_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError>;

    /// Puts the run away or takes it back into use.
    async fn set_lifecycle_stage(&self, id: &RunId, stage: LifecycleStage) -> Result<(), StoreError>;

    /// Adds everything in `log`, or [`StoreError::Conflict`] when a param is there with another value, and then nothing.
    async fn log(&self, id: &RunId, log: &RunLog) -> Result<(), StoreError>;

    /// Lists every point of a metric by timestamp, step and value, `NaN` first; an unknown key is an empty list.
    async fn metric_history(&self, id: &RunId, key: &str) -> Result<Vec<Metric>, StoreError>;

    /// Lists matching runs, newest start first, then by id.
    async fn list(&self, query: &RunQuery, page: PageRequest<RunId>) -> Result<Page<Run, RunId>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_once() {
        let running = RunStatus::Scheduled.after(RunEvent::Started).unwrap();
        let finished = running.after(RunEvent::Finished).unwrap();
        let err = finished.after(RunEvent::Failed).unwrap_err();
        assert_eq!(err.to_string(), "a finished run cannot go through Failed");
    }

    #[test]
    fn statuses_are_found_by_their_names() {
        for status in RunStatus::ALL {
            assert_eq!(RunStatus::find_by_name(status.name()), Some(status));
        }
    }
}
