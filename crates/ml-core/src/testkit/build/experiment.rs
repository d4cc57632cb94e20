//! Builds experiments, runs and what runs log.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{experiment_id, run_id, second};
use crate::experiment::{LifecycleStage, NewExperiment};
use crate::id::ExperimentId;
use crate::run::{DatasetInput, Metric, Run, RunStatus};

/// Builds a [`NewExperiment`].
#[derive(Debug, Clone)]
pub struct ExperimentBuilder(NewExperiment);

/// Starts with `volatility`, made at [`second`] zero.
pub fn an_experiment() -> ExperimentBuilder {
    ExperimentBuilder(NewExperiment {
        name: "volatility".to_owned(),
        artifact_location: None,
        tags: BTreeMap::new(),
        created_at: second(0),
    })
}

setters!(ExperimentBuilder {
    /// Sets the name.
    name(name: &str) => name = name.to_owned();
    /// Sets where its artifacts go.
    artifact_location(location: &str) => artifact_location = Some(location.to_owned());
    /// Sets when it was made.
    created_at(instant: DateTime<Utc>) => created_at = instant;
});

impl ExperimentBuilder {
    /// Adds a label.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> ExperimentBuilder {
        self.0.tags.insert(key.to_owned(), value.to_owned());
        self
    }
}

build_as_is!(ExperimentBuilder => NewExperiment);

/// Builds a [`Run`].
#[derive(Debug, Clone)]
pub struct RunBuilder(Run);

/// Starts with `run1` of the experiment `0`, running since [`second`] zero, with nothing logged.
pub fn a_run() -> RunBuilder {
    RunBuilder(Run {
        id: run_id("run1"),
        experiment_id: experiment_id("0"),
        name: "first try".to_owned(),
        user_id: "ada".to_owned(),
        status: RunStatus::Running,
        lifecycle_stage: LifecycleStage::Active,
        started_at: second(0),
        ended_at: None,
        artifact_uri: None,
        params: BTreeMap::new(),
        metrics: BTreeMap::new(),
        tags: BTreeMap::new(),
        inputs: Vec::new(),
    })
}

setters!(RunBuilder {
    /// Sets the id.
    id(id: &str) => id = run_id(id);
    /// Sets the experiment.
    experiment_id(id: &ExperimentId) => experiment_id = id.clone();
    /// Sets what people call it.
    name(name: &str) => name = name.to_owned();
    /// Sets who started it.
    user_id(user: &str) => user_id = user.to_owned();
    /// Sets how it stands.
    status(status: RunStatus) => status = status;
    /// Sets whether it is in use.
    lifecycle_stage(stage: LifecycleStage) => lifecycle_stage = stage;
    /// Sets when it began.
    started_at(instant: DateTime<Utc>) => started_at = instant;
    /// Sets or removes when it ended.
    ended_at(instant: Option<DateTime<Utc>>) => ended_at = instant;
    /// Sets where its artifacts are.
    artifact_uri(uri: &str) => artifact_uri = Some(uri.to_owned());
    /// Sets the data that went in.
    inputs(inputs: Vec<DatasetInput>) => inputs = inputs;
});

impl RunBuilder {
    /// Adds a param.
    #[must_use]
    pub fn param(mut self, key: &str, value: &str) -> RunBuilder {
        self.0.params.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Adds a metric.
    #[must_use]
    pub fn metric(mut self, metric: Metric) -> RunBuilder {
        self.0.metrics.insert(metric.key.clone(), metric);
        self
    }

    /// Adds a label.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> RunBuilder {
        self.0.tags.insert(key.to_owned(), value.to_owned());
        self
    }
}

build_as_is!(RunBuilder => Run);

/// Makes a point of the metric `key`, measured at `step`, as many seconds after [`second`] zero.
pub fn a_metric(key: &str, value: f64, step: i64) -> Metric {
    Metric { key: key.to_owned(), value, step, timestamp: second(step.clamp(0, 1_000_000)) }
}

/// Makes an input that is the version `version` of the dataset `news`.
pub fn a_dataset_input(version: u32) -> DatasetInput {
    DatasetInput {
        name: "news".to_owned(),
        digest: format!("digest-{version}"),
        source_type: "dataset_version".to_owned(),
        source: format!("news@{version}"),
        schema: Some(serde_json::json!([{"name": "text", "type": "string"}])),
        profile: None,
        tags: BTreeMap::from([("mlflow.data.context".to_owned(), "train".to_owned())]),
    }
}
