//! How good predictions are, on rows whose truth is known, and how good those of naive baselines are.
//!
//! An [`Outcome`] is what everything here starts from: [`figures`](figures::figures) makes figures of it,
//! [`Measured`](measured::Measured) adds their intervals, [`versus`] compares two of them.

pub mod bootstrap;
pub mod calibration;
pub mod figures;
pub mod importance;
pub mod interval;
pub mod leaks;
pub mod learning_curve;
pub mod measured;
pub mod outcome;
pub mod slices;
pub mod study;
pub mod threshold;
pub mod versus;

mod gauge;

pub(crate) mod unsupervised;

use std::collections::BTreeMap;

use ml_core::metrics::{ConfusionMatrix, MetricError};
use ml_core::table::Table;
use serde::{Deserialize, Serialize};

use crate::error::EvaluateError;
use crate::model::TrainedModel;
use crate::predict::Predictions;
use crate::progress::Silent;
use crate::spec::Task;
use crate::train::train_rows;

use figures::figures;
pub(crate) use outcome::Truth;
use outcome::{ClassOutcome, Outcome, OutcomeValues};

/// The figures of a model on some rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The estimator, such as `linear_svm`.
    pub estimator: String,
    /// What was predicted.
    pub task: Task,
    /// How many rows have both a truth and a prediction; the figures are about those.
    pub n_samples: usize,
    /// How many rows have no truth.
    pub n_without_target: usize,
    /// How many rows have a truth and no prediction.
    pub n_without_prediction: usize,
    /// How many values per column were categories that the training rows do not have.
    #[serde(default)]
    pub unknown_categories: BTreeMap<String, u64>,
    /// Figures by name, all finite; [`ml_core::metrics::FIGURES`] says what each is.
    ///
    /// Those of probabilities and rankings are there where the model has them and knows every true class: of the second of two
    /// classes, else as means over the classes. Clustering has `n_clusters`, `silhouette`, `inertia` where clusters have means,
    /// `noise_share` where rows may be in none, and `adjusted_rand` beside a truth; anomalies have `anomaly_share`, and beside a
    /// truth `accuracy`, `roc_auc`, and `precision`, `recall` and `f1` of anomalies.
    pub metrics: BTreeMap<String, f64>,
    /// The figures of each class; none for a regression. Classes that the model does not know come last.
    pub classes: Vec<ClassEvaluation>,
    /// Counts by true class, each by predicted class, in the order of `classes`.
    pub confusion_matrix: Vec<Vec<u64>>,
    /// What limits the figures, such as classes that the model does not know.
    pub notes: Vec<String>,
}

/// The figures of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassEvaluation {
    /// The class.
    pub label: String,
    /// The share of rows predicted as the class that are of it.
    pub precision: f64,
    /// The share of rows of the class that are predicted as it.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
    /// How many rows are of the class.
    pub support: u64,
}

/// A model and its baselines on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The figures of the model.
    pub model: Evaluation,
    /// The figures of the baselines, in the order of the pipeline.
    pub baselines: Vec<Evaluation>,
}

/// Evaluates `model` on all rows of `table`.
///
/// # Errors
/// Those of [`evaluate_rows`].
pub fn evaluate(model: &TrainedModel, table: &Table) -> Result<Evaluation, EvaluateError> {
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    evaluate_rows(model, table, &rows)
}

/// Evaluates `model` on the rows of `table` at `rows`; derived columns see the whole table.
///
/// # Errors
/// [`EvaluateError`] when the rows cannot be scored, or when none has both a truth and a prediction.
///
/// # Panics
/// If a row is not below [`Table::n_rows`].
pub fn evaluate_rows(model: &TrainedModel, table: &Table, rows: &[usize]) -> Result<Evaluation, EvaluateError> {
    if !model.spec.task.has_target() {
        return unsupervised::evaluate(model, table, rows);
    }
    Ok(Evaluation::of(model, &Outcome::of(model, table, rows)?)?)
}

/// Evaluates `model`, and each baseline of its pipeline fitted on `training_rows`, on those of `test_rows` that the model
/// predicts.
///
/// # Errors
/// Those of [`evaluate_rows`], and [`EvaluateError::Baseline`].
///
/// # Panics
/// If a row is not below [`Table::n_rows`].
pub fn compare(
    model: &TrainedModel,
    table: &Table,
    training_rows: &[usize],
    test_rows: &[usize],
) -> Result<Comparison, EvaluateError> {
    Ok(compare_with_outcome(model, table, training_rows, test_rows)?.0)
}

/// As [`compare`], and returns what the model predicted beside what is true; nothing for a task without target.
///
/// # Errors
/// Those of [`compare`].
///
/// # Panics
/// If a row is not below [`Table::n_rows`].
pub fn compare_with_outcome(
    model: &TrainedModel,
    table: &Table,
    training_rows: &[usize],
    test_rows: &[usize],
) -> Result<(Comparison, Option<Outcome>), EvaluateError> {
    if !model.spec.task.has_target() {
        let model = unsupervised::evaluate(model, table, test_rows)?;
        return Ok((Comparison { model, baselines: Vec::new() }, None));
    }
    let predictions = model.predict_rows(table, test_rows)?;
    let outcome = Outcome::new(model, &predictions, &Truth::read(model, table, test_rows)?)?;
    let evaluation = Evaluation::of(model, &outcome)?;
    let is_predicted = |position: &usize| !predictions.missing.contains_key(position);
    let predicted: Vec<usize> = (0..test_rows.len()).filter(is_predicted).map(|position| test_rows[position]).collect();
    let mut baselines = Vec::new();
    for baseline in model.spec.baselines() {
        let spec = model.spec.for_baseline(&baseline);
        let trained = train_rows(&spec, table, training_rows, &Silent)
            .map_err(|source| EvaluateError::Baseline { kind: baseline.kind(), source })?;
        baselines.push(evaluate_rows(&trained.model, table, &predicted)?);
    }
    Ok((Comparison { model: evaluation, baselines }, Some(outcome)))
}

/// Evaluates what `model` predicted for rows of which `truth` is known.
pub(crate) fn evaluate_predictions(
    model: &TrainedModel,
    predictions: &Predictions,
    truth: &Truth,
) -> Result<Evaluation, EvaluateError> {
    Ok(Evaluation::of(model, &Outcome::new(model, predictions, truth)?)?)
}

impl Evaluation {
    /// Computes the figures of what `model` predicted.
    ///
    /// # Errors
    /// [`MetricError`] for values that no figure can be made of.
    pub fn of(model: &TrainedModel, outcome: &Outcome) -> Result<Evaluation, MetricError> {
        let figures = figures(outcome)?;
        let mut evaluation = Evaluation {
            estimator: model.spec.estimator.kind().to_owned(),
            task: model.spec.task,
            n_samples: outcome.n_samples(),
            n_without_target: outcome.n_without_target,
            n_without_prediction: outcome.n_without_prediction,
            unknown_categories: outcome.unknown_categories.clone(),
            metrics: figures.by_name,
            classes: Vec::new(),
            confusion_matrix: Vec::new(),
            notes: figures.notes,
        };
        if let OutcomeValues::Classes(outcome) = &outcome.values {
            evaluation.add_classes(outcome)?;
        }
        Ok(evaluation)
    }

    fn add_classes(&mut self, outcome: &ClassOutcome) -> Result<(), MetricError> {
        let matrix = ConfusionMatrix::new(&outcome.truth, &outcome.predicted, outcome.classes.len())?;
        self.confusion_matrix = matrix.rows().map(<[u64]>::to_vec).collect();
        let per_class = outcome.classes.iter().zip(matrix.per_class());
        self.classes = per_class
            .map(|(label, class)| ClassEvaluation {
                label: label.clone(),
                precision: class.scores.precision,
                recall: class.scores.recall,
                f1: class.scores.f1,
                support: class.support,
            })
            .collect();
        Ok(())
    }
}
