//! Evaluation of registered versions: loads models and rows, studies them off the async threads, keeps the figures.

pub(crate) mod html;
mod text;

use std::collections::BTreeMap;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use ml_core::dataset::{DatasetVersion, Split};
use ml_core::model::ModelVersion;
use ml_data::dataset::split::split_of;
use ml_data::dataset::{ID_COLUMN, SPLIT_COLUMN};
use ml_data::manager::Results;
use ml_train::evaluate::bootstrap::BootstrapOptions;
use ml_train::evaluate::importance::ImportanceOptions;
use ml_train::evaluate::leaks::TimeOrder;
use ml_train::evaluate::measured::Measured;
use ml_train::evaluate::study::{Study, StudyOptions, StudyRows, study};
use ml_train::evaluate::threshold::Costs;
use ml_train::spec::Task;

use crate::compose::App;
use crate::counted::Counted;
use crate::output::{count, figure};
use crate::progress::FitProgress;
use crate::training::{self, Evaluated};

/// What to evaluate, and what to find out.
#[derive(Debug)]
pub(crate) struct EvaluateRequest {
    /// The model.
    pub(crate) version: ModelVersion,
    /// The champion that it challenges.
    pub(crate) against: Option<ModelVersion>,
    /// The rows.
    pub(crate) dataset: DatasetVersion,
    /// The split of them.
    pub(crate) split: Split,
    /// The figure that comparisons are by.
    pub(crate) metric: Option<String>,
    /// Columns to measure by.
    pub(crate) slice_by: Vec<String>,
    /// What mistakes cost.
    pub(crate) costs: Option<Costs>,
    /// Whether to find out which columns matter, which takes a target.
    pub(crate) importance: bool,
    /// Whether to find that out for models that have one.
    pub(crate) importance_if_possible: bool,
    /// Whether to fit on growing shares of the training rows.
    pub(crate) learning_curve: bool,
    /// How often rows are drawn anew.
    pub(crate) resamples: usize,
    /// How sure intervals are.
    pub(crate) confidence: f64,
    /// Where randomness comes from; by default the seed of the pipeline.
    pub(crate) seed: Option<u64>,
}

/// What an evaluation led to.
#[derive(Debug, Serialize)]
pub(crate) struct EvaluateReport {
    /// `name@version` of the model.
    pub(crate) model: String,
    /// `name@version` of the champion.
    pub(crate) against: Option<String>,
    /// `name@version` of the rows.
    pub(crate) dataset: String,
    /// The split scored.
    pub(crate) split: Split,
    /// When it was scored.
    pub(crate) evaluated_at: DateTime<Utc>,
    /// Rows scored.
    pub(crate) n_samples: u64,
    /// What else the rows had.
    #[serde(flatten)]
    pub(crate) counted: Counted,
    /// Figures on those rows.
    pub(crate) metrics: BTreeMap<String, f64>,
    /// Per-class figures, confusion matrix, notes.
    pub(crate) details: Value,
    /// What was predicted.
    pub(crate) task: Task,
    /// The figures with their intervals, and everything else that was found out.
    pub(crate) study: Study,
}

/// Scores a registered version on a split of a dataset version, and keeps the figures.
pub(crate) async fn evaluate(
    app: &App,
    request: EvaluateRequest,
    stop: &CancellationToken,
) -> anyhow::Result<EvaluateReport> {
    let model = training::load_model(app, &request.version).await?;
    let champion = match &request.against {
        Some(version) => Some(training::load_model(app, version).await?),
        None => None,
    };
    let table = app.datasets.load(&request.dataset).await?;
    let time_order = time_order(&request.dataset);
    let seed = request.seed.unwrap_or_else(|| model.spec().seed);
    let bootstrap = BootstrapOptions { resamples: request.resamples, confidence: request.confidence, seed };
    let wants_importance = request.importance || (request.importance_if_possible && model.spec().task.has_target());
    let importance = wants_importance.then(|| ImportanceOptions { seed, ..ImportanceOptions::default() });
    let (figure, slice_by, costs) = (request.metric.clone(), request.slice_by.clone(), request.costs.clone());
    let (split, learning_curve) = (request.split, request.learning_curve);
    let progress = FitProgress::new(&request.version.reference(), stop.clone());
    let work = move || -> anyhow::Result<(Study, Task)> {
        let rows = split_of(&table)?;
        let study_rows = StudyRows {
            table: &table,
            train: rows.of(Split::Train),
            validation: rows.of(Split::Validation),
            scored: rows.of(split),
            time_order,
        };
        let options = StudyOptions {
            figure,
            bootstrap,
            slice_by,
            not_sliced: vec![ID_COLUMN.to_owned(), SPLIT_COLUMN.to_owned()],
            costs,
            importance,
            learning_curve,
            champion: champion.as_deref(),
        };
        let studied = study(&model, study_rows, &options, &progress)?;
        Ok((studied, model.spec().task))
    };
    let (studied, task) = tokio::task::spawn_blocking(work).await.context("the evaluation panicked")??;

    let details = json!({"evaluation": studied.evaluation, "measured": studied.measured, "leaks": studied.leaks});
    let evaluated = Evaluated { run_id: None, version: Some(&request.version) };
    let performance =
        training::performance(app, evaluated, &request.dataset, request.split, &studied.evaluation, details);
    app.data.write(&Results::ModelPerformance(vec![performance.clone()])).await?;
    Ok(EvaluateReport {
        model: request.version.reference(),
        against: request.against.as_ref().map(ModelVersion::reference),
        dataset: performance.dataset,
        split: request.split,
        evaluated_at: performance.evaluated_at,
        n_samples: performance.n_samples,
        counted: Counted::of(&studied.evaluation),
        metrics: performance.metrics,
        details: performance.details,
        task,
        study: studied,
    })
}

/// Returns whether the training rows of a dataset are meant to be the earlier ones.
pub(crate) fn time_order(dataset: &DatasetVersion) -> TimeOrder {
    match dataset.content.spec.pointer("/split/by").and_then(Value::as_str) {
        Some("time" | "time_cuts") => TimeOrder::Expected,
        _ => TimeOrder::NotExpected,
    }
}

/// Writes an interval, such as `0.9012 to 0.9321`; a dash where there is none.
pub(crate) fn interval_text(interval: Option<ml_train::evaluate::interval::Interval>) -> String {
    interval.map_or_else(|| "-".to_owned(), |interval| format!("{} to {}", figure(interval.low), figure(interval.high)))
}

/// Says how the intervals were drawn.
pub(crate) fn drawn_text(measured: &Measured) -> String {
    use ml_train::evaluate::bootstrap::Drawing;
    if measured.n_resamples == 0 {
        return "no intervals were drawn".to_owned();
    }
    let drawing = match measured.drawing {
        Drawing::Plain => "",
        Drawing::ByClass => ", each with as many rows of each class, for one is rare",
    };
    format!(
        "intervals hold with {} % confidence: bootstrap (BCa), {} resamples of {} rows{drawing}, seed {}",
        trimmed(100.0 * measured.confidence),
        count(measured.n_resamples as u64),
        count(measured.n_samples as u64),
        measured.seed
    )
}

/// Writes a number without the zeros at its end.
fn trimmed(number: f64) -> String {
    format!("{number:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}
