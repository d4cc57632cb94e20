//! The record that a training leaves in its experiment: params, metrics, inputs, and how it ended.

use std::collections::BTreeMap;

use ml_core::error::StoreError;
use ml_core::experiment::{LifecycleStage, NewExperiment};
use ml_core::id::{ExperimentId, RunId};
use ml_core::run::{DatasetInput, Metric, Run, RunLog, RunStatus};
use ml_train::evaluate::Comparison;
use ml_train::train::TrainingSummary;

use crate::compose::App;
use crate::run_guard::{self, RunGuard};
use crate::training::{self, TrainRequest};

/// A run that has begun.
pub(crate) struct RunRecord {
    /// Its id.
    pub(crate) id: RunId,
    /// Shows other processes that it is at work.
    guard: Option<RunGuard>,
}

impl RunRecord {
    /// Records that a training begins. Earlier ones that were interrupted are marked as failed first.
    pub(crate) async fn start(app: &App, request: &TrainRequest) -> anyhow::Result<RunRecord> {
        run_guard::end_interrupted(app).await?;
        let experiment_id = experiment_called(app, &request.experiment).await?;
        let id = RunId::from_uuid(app.ids.new_uuid());
        let guard = RunGuard::new(app, &id);
        let spec = &request.pipeline.spec;
        let run = Run {
            id: id.clone(),
            experiment_id,
            name: format!("{}-{}", spec.name, &id.as_str()[id.as_str().len() - 6..]),
            user_id: app.config.settings.user.clone(),
            status: RunStatus::Running,
            lifecycle_stage: LifecycleStage::Active,
            started_at: app.clock.now(),
            ended_at: None,
            artifact_uri: None,
            params: BTreeMap::from([
                ("pipeline".to_owned(), spec.name.clone()),
                ("estimator".to_owned(), spec.estimator.kind().to_owned()),
                ("target".to_owned(), spec.target.clone()),
                ("seed".to_owned(), spec.seed.to_string()),
            ]),
            metrics: BTreeMap::new(),
            tags: BTreeMap::from([("ml_app.version".to_owned(), training::APP_VERSION.to_owned())]),
            inputs: vec![dataset_input(request)],
        };
        app.sql.runs.create(&run).await?;
        Ok(RunRecord { id, guard })
    }

    /// Records what was fitted and how good it is.
    pub(crate) async fn log_outcome(
        &self,
        app: &App,
        summary: &TrainingSummary,
        comparison: &Comparison,
    ) -> anyhow::Result<()> {
        let timestamp = app.clock.now();
        let metric = |key: String, value: f64| Metric { key, value, step: 0, timestamp };
        let mut metrics: Vec<Metric> =
            comparison.model.metrics.iter().map(|(name, value)| metric(name.clone(), *value)).collect();
        for baseline in &comparison.baselines {
            let prefix = &baseline.estimator;
            metrics.extend(baseline.metrics.iter().map(|(name, value)| metric(format!("{prefix}.{name}"), *value)));
        }
        let params = BTreeMap::from([
            ("n_train".to_owned(), summary.n_rows_used.to_string()),
            ("n_features".to_owned(), summary.n_features.to_string()),
        ]);
        app.sql.runs.log(&self.id, &RunLog { metrics, params, ..RunLog::default() }).await?;
        Ok(())
    }

    /// Records how the training ended.
    pub(crate) async fn end(self, app: &App, status: RunStatus) -> anyhow::Result<()> {
        app.sql.runs.set_status(&self.id, RunStatus::Running, status, Some(app.clock.now())).await?;
        if let Some(guard) = self.guard {
            guard.release();
        }
        Ok(())
    }
}

/// Returns the rows of a training, as an input of its run.
pub(crate) fn dataset_input(request: &TrainRequest) -> DatasetInput {
    let content = &request.dataset.content;
    DatasetInput {
        name: content.name.to_string(),
        digest: content.content_hash.short(),
        source_type: "dataset_version".to_owned(),
        source: request.dataset.reference(),
        schema: serde_json::to_value(&content.schema).ok(),
        profile: serde_json::to_value(content.counts).ok(),
        tags: BTreeMap::from([("mlflow.data.context".to_owned(), "train".to_owned())]),
    }
}

async fn experiment_called(app: &App, name: &str) -> anyhow::Result<ExperimentId> {
    if let Some(experiment) = app.sql.experiments.find_by_name(name).await? {
        return Ok(experiment.id);
    }
    let experiment = NewExperiment {
        name: name.to_owned(),
        artifact_location: None,
        tags: BTreeMap::new(),
        created_at: app.clock.now(),
    };
    match app.sql.experiments.create(&experiment).await {
        Ok(experiment) => Ok(experiment.id),
        // Someone else made it just now.
        Err(error @ StoreError::AlreadyExists { .. }) => {
            let experiment = app.sql.experiments.find_by_name(name).await?;
            experiment.map(|experiment| experiment.id).ok_or_else(|| error.into())
        }
        Err(error) => Err(error.into()),
    }
}
