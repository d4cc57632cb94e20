//! Trials as runs: what the search set as params, what came of it as metrics, under the run of the search.

use std::collections::BTreeMap;

use chrono::Duration;

use ml_core::id::RunId;
use ml_core::page::PageRequest;
use ml_core::run::{Metric, Run, RunLog, RunQuery, RunStatus};
use ml_train::selection::outcome::{FoldScore, SearchOutcome, Trial, mean_and_std};
use ml_train::selection::values::in_one_line;

use super::SearchFile;
use crate::compose::App;
use crate::run_guard::FAILURE_TAG;
use crate::run_record::{self, RunRecord};
use crate::training::{APP_VERSION, TrainRequest};

/// The tag by which MLflow knows the run that another one belongs to.
const PARENT_TAG: &str = "mlflow.parentRunId";
const VERSION_TAG: &str = "ml_app.version";
const DATASET_TAG: &str = "ml_app.dataset_hash";
const KEY_TAG: &str = "ml_app.trial_key";

/// How many runs are read at a time in search of earlier trials.
const PAGE_SIZE: usize = 200;

const N_TRAINING: &str = "n_training";
const N_SCORED: &str = "n_scored";
const FIT_SECONDS: &str = "fit_seconds";

/// A trial of an earlier search.
pub(super) struct KnownTrial {
    pub(super) run_id: RunId,
    pub(super) folds: Vec<FoldScore>,
}

/// Records the trials of one search.
pub(super) struct TrialRecorder<'a> {
    request: &'a TrainRequest,
    file: &'a SearchFile,
    parent: &'a RunRecord,
}

impl<'a> TrialRecorder<'a> {
    pub(super) fn new(request: &'a TrainRequest, file: &'a SearchFile, parent: &'a RunRecord) -> TrialRecorder<'a> {
        TrialRecorder { request, file, parent }
    }

    /// Records in the run of the search how it searches.
    pub(super) async fn log_search(&self, app: &App) -> anyhow::Result<()> {
        let spec = &self.file.spec;
        let params = BTreeMap::from([
            ("search.method".to_owned(), spec.method.name().to_owned()),
            ("search.score".to_owned(), spec.score.name.to_owned()),
            ("search.seed".to_owned(), spec.seed.to_string()),
            ("search.split".to_owned(), spec.split.name().to_owned()),
            ("search.n_folds".to_owned(), spec.split.n_folds().to_string()),
        ]);
        let tags = BTreeMap::from([("ml_app.search".to_owned(), self.file.text.clone())]);
        app.sql.runs.log(&self.parent.id, &RunLog { params, tags, ..RunLog::default() }).await?;
        Ok(())
    }

    /// Records in the run of the search what it found.
    pub(super) async fn log_outcome(&self, app: &App, outcome: &SearchOutcome) -> anyhow::Result<()> {
        let timestamp = app.clock.now();
        let metric = |key: String, value: f64| Metric { key, value, step: 0, timestamp };
        let score = outcome.score.name;
        let mut metrics = Vec::new();
        if let Ok(best) = &outcome.best_trial().result {
            metrics.push(metric(format!("search.{score}"), best.mean));
            metrics.push(metric(format!("search.{score}_std"), best.std));
        }
        if let Some(nested) = &outcome.nested {
            metrics.push(metric(format!("nested.{score}"), nested.mean));
            metrics.push(metric(format!("nested.{score}_std"), nested.std));
        }
        let best = outcome.best_trial().params.iter();
        let mut params: BTreeMap<String, String> =
            best.map(|(path, value)| (format!("best.{path}"), in_one_line(value))).collect();
        params.insert("search.n_trials".to_owned(), outcome.trials.len().to_string());
        app.sql.runs.log(&self.parent.id, &RunLog { metrics, params, ..RunLog::default() }).await?;
        Ok(())
    }

    /// Records a trial, which is done.
    pub(super) async fn record(&self, app: &App, trial: &Trial) -> anyhow::Result<RunId> {
        let id = RunId::from_uuid(app.ids.new_uuid());
        let ended_at = app.clock.now();
        let metric = |(key, value): (String, f64)| (key.clone(), Metric { key, value, step: 0, timestamp: ended_at });
        let folds = trial.result.as_ref().map_or(&[][..], |scores| &scores.folds);
        let seconds: f64 = folds.iter().map(|fold| fold.fit_seconds).sum();
        let parent = app.sql.runs.get(&self.parent.id).await?;
        let run = Run {
            id: id.clone(),
            experiment_id: parent.experiment_id,
            name: format!("{}-trial-{}", parent.name, number(trial)),
            user_id: parent.user_id,
            status: if trial.result.is_ok() { RunStatus::Finished } else { RunStatus::Failed },
            lifecycle_stage: parent.lifecycle_stage,
            started_at: ended_at - Duration::milliseconds((seconds * 1000.0) as i64),
            ended_at: Some(ended_at),
            artifact_uri: None,
            params: params(trial),
            metrics: metrics(folds).into_iter().map(metric).collect(),
            tags: self.tags(trial),
            inputs: vec![run_record::dataset_input(self.request)],
        };
        app.sql.runs.create(&run).await?;
        Ok(id)
    }

    fn tags(&self, trial: &Trial) -> BTreeMap<String, String> {
        let mut tags = BTreeMap::from([
            (PARENT_TAG.to_owned(), self.parent.id.to_string()),
            (VERSION_TAG.to_owned(), APP_VERSION.to_owned()),
            (DATASET_TAG.to_owned(), self.dataset_hash()),
            (KEY_TAG.to_owned(), trial.key.clone()),
        ]);
        if let Err(reason) = &trial.result {
            tags.insert(FAILURE_TAG.to_owned(), reason.clone());
        }
        tags
    }

    fn dataset_hash(&self) -> String {
        self.request.dataset.content.content_hash.to_string()
    }

    /// Finds the trials that earlier searches of the experiment did on the same rows with the same release, by their keys.
    pub(super) async fn find_known(&self, app: &App) -> anyhow::Result<BTreeMap<String, KnownTrial>> {
        let experiment_id = app.sql.runs.get(&self.parent.id).await?.experiment_id;
        let query =
            RunQuery { experiment_id: Some(experiment_id), status: Some(RunStatus::Finished), lifecycle_stage: None };
        let mut known = BTreeMap::new();
        let mut request = PageRequest::first(PAGE_SIZE);
        loop {
            let page = app.sql.runs.list(&query, request.clone()).await?;
            for run in page.items {
                let is = |tag: &str, value: &str| run.tags.get(tag).is_some_and(|found| found == value);
                let Some(key) = run.tags.get(KEY_TAG) else { continue };
                if is(DATASET_TAG, &self.dataset_hash()) && is(VERSION_TAG, APP_VERSION) {
                    let folds = folds(&run);
                    known.entry(key.clone()).or_insert(KnownTrial { run_id: run.id, folds });
                }
            }
            match page.next_cursor {
                Some(cursor) => request = PageRequest::first(PAGE_SIZE).after(cursor),
                None => return Ok(known),
            }
        }
    }
}

/// Returns the number of a trial: that of its candidate, and in a search by halving that of its round too.
fn number(trial: &Trial) -> String {
    match trial.resource {
        Some(_) => format!("{}-round-{}", trial.candidate, trial.round),
        None => trial.candidate.to_string(),
    }
}

fn params(trial: &Trial) -> BTreeMap<String, String> {
    let mut params: BTreeMap<String, String> =
        trial.params.iter().map(|(path, value)| (path.clone(), in_one_line(value))).collect();
    if let Some(resource) = trial.resource {
        params.insert("search.round".to_owned(), trial.round.to_string());
        params.insert("search.resource".to_owned(), resource.to_string());
    }
    params
}

/// Returns the mean and standard deviation of every figure over the folds, and the figures of each.
fn metrics(folds: &[FoldScore]) -> BTreeMap<String, f64> {
    let mut values_by_name: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut metrics = BTreeMap::new();
    for (index, fold) in folds.iter().enumerate() {
        let prefix = format!("fold_{}", index + 1);
        for (name, value) in &fold.metrics {
            values_by_name.entry(name).or_default().push(*value);
            metrics.insert(format!("{prefix}.{name}"), *value);
        }
        metrics.insert(format!("{prefix}.{N_TRAINING}"), fold.n_training as f64);
        metrics.insert(format!("{prefix}.{N_SCORED}"), fold.n_scored as f64);
        metrics.insert(format!("{prefix}.{FIT_SECONDS}"), fold.fit_seconds);
    }
    for (name, values) in values_by_name {
        let (mean, std) = mean_and_std(&values);
        metrics.insert(name.to_owned(), mean);
        metrics.insert(format!("{name}_std"), std);
    }
    metrics
}

/// Returns the folds that [`metrics`] were made of.
fn folds(run: &Run) -> Vec<FoldScore> {
    let mut folds = Vec::new();
    loop {
        let prefix = format!("fold_{}.", folds.len() + 1);
        let of_fold = run.metrics.iter().filter_map(|(key, metric)| Some((key.strip_prefix(&prefix)?, metric.value)));
        let mut metrics: BTreeMap<String, f64> = of_fold.map(|(name, value)| (name.to_owned(), value)).collect();
        let (Some(n_training), Some(n_scored), Some(fit_seconds)) =
            (metrics.remove(N_TRAINING), metrics.remove(N_SCORED), metrics.remove(FIT_SECONDS))
        else {
            return folds;
        };
        folds.push(FoldScore { n_training: n_training as u64, n_scored: n_scored as u64, metrics, fit_seconds });
    }
}
