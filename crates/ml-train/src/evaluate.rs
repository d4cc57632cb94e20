//! How good predictions are, on rows whose truth is known, and how good those of naive baselines are.

pub(crate) mod unsupervised;

use std::collections::BTreeMap;

use ml_core::metrics::{
    ConfusionMatrix, MetricError, Scores as ClassAverages, log_loss, mean_absolute_error,
    mean_absolute_percentage_error, r2_score, roc_auc_binary, roc_auc_one_vs_rest, root_mean_squared_error,
};
use ml_core::table::{Table, TableError};
use serde::{Deserialize, Serialize};

use crate::derive::derive_for;
use crate::error::EvaluateError;
use crate::estimator::Scores;
use crate::frame::Frame;
use crate::model::TrainedModel;
use crate::predict::{PredictedValues, Predictions};
use crate::progress::Silent;
use crate::spec::Task;
use crate::train::train_rows;

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
    /// Figures by name, all finite.
    ///
    /// Classification: `accuracy`; `precision`, `recall` and `f1` with `_macro`, `_micro` and `_weighted`; `log_loss` where
    /// there are probabilities; `roc_auc` of the second of two classes, else `roc_auc_ovr_macro` and
    /// `roc_auc_ovr_weighted`, where there are scores. Regression: `mae`, `rmse`, `r2`, `mape`. Clustering: `n_clusters`,
    /// `silhouette`, `inertia` where clusters have means, `noise_share` where rows may be in none, `adjusted_rand` beside a
    /// truth. Anomaly: `anomaly_share`; beside a truth `accuracy`, `roc_auc`, and `precision`, `recall` and `f1` of anomalies.
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
    evaluate_predictions(model, &model.predict_rows(table, rows)?, &Truth::read(model, table, rows)?)
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
    if !model.spec.task.has_target() {
        return Ok(Comparison { model: unsupervised::evaluate(model, table, test_rows)?, baselines: Vec::new() });
    }
    let predictions = model.predict_rows(table, test_rows)?;
    let evaluation = evaluate_predictions(model, &predictions, &Truth::read(model, table, test_rows)?)?;
    let is_predicted = |position: &usize| !predictions.missing.contains_key(position);
    let predicted: Vec<usize> = (0..test_rows.len()).filter(is_predicted).map(|position| test_rows[position]).collect();
    let mut baselines = Vec::new();
    for baseline in model.spec.baselines() {
        let spec = model.spec.for_baseline(&baseline);
        let trained = train_rows(&spec, table, training_rows, &Silent)
            .map_err(|source| EvaluateError::Baseline { kind: baseline.kind(), source })?;
        baselines.push(evaluate_rows(&trained.model, table, &predicted)?);
    }
    Ok(Comparison { model: evaluation, baselines })
}

/// What was to be predicted, for some rows of a table.
pub(crate) enum Truth {
    Labels(Vec<Option<String>>),
    Numbers(Vec<f64>),
}

impl Truth {
    pub(crate) fn read(model: &TrainedModel, table: &Table, rows: &[usize]) -> Result<Truth, TableError> {
        let spec = &model.spec;
        let mut frame = Frame::new(table);
        derive_for(spec, &[&spec.target], &mut frame)?;
        let column = frame.get(&spec.target)?;
        Ok(match spec.task {
            Task::Classification | Task::Clustering | Task::Anomaly => {
                let labels = column.as_texts();
                Truth::Labels(rows.iter().map(|&row| labels[row].as_deref().map(str::to_owned)).collect())
            }
            Task::Regression => {
                let numbers = column.as_numbers()?;
                Truth::Numbers(rows.iter().map(|&row| numbers[row]).collect())
            }
        })
    }

    fn n_rows(&self) -> usize {
        match self {
            Truth::Labels(labels) => labels.len(),
            Truth::Numbers(numbers) => numbers.len(),
        }
    }

    fn is_known(&self, row: usize) -> bool {
        match self {
            Truth::Labels(labels) => labels[row].is_some(),
            Truth::Numbers(numbers) => numbers[row].is_finite(),
        }
    }
}

pub(crate) fn evaluate_predictions(
    model: &TrainedModel,
    predictions: &Predictions,
    truth: &Truth,
) -> Result<Evaluation, EvaluateError> {
    let n_rows = truth.n_rows();
    let known: Vec<usize> = (0..n_rows).filter(|&row| truth.is_known(row)).collect();
    let samples: Vec<usize> = known.iter().copied().filter(|row| !predictions.missing.contains_key(row)).collect();
    if samples.is_empty() {
        let reason = match known.first().and_then(|&row| predictions.missing_reason(row)) {
            Some(reason) => reason.to_owned(),
            None => "the target is missing in every row".to_owned(),
        };
        return Err(EvaluateError::NoRows { n_rows, target: model.spec.target.clone(), reason });
    }
    let mut evaluation = Evaluation {
        estimator: model.spec.estimator.kind().to_owned(),
        task: model.spec.task,
        n_samples: samples.len(),
        n_without_target: n_rows - known.len(),
        n_without_prediction: known.len() - samples.len(),
        metrics: BTreeMap::new(),
        classes: Vec::new(),
        confusion_matrix: Vec::new(),
        notes: Vec::new(),
    };
    match (truth, &predictions.values) {
        (Truth::Labels(labels), PredictedValues::Classes(classes)) => {
            let labels: Vec<&str> = samples.iter().filter_map(|&row| labels[row].as_deref()).collect();
            let predicted: Vec<usize> = samples.iter().filter_map(|&row| classes[row]).collect();
            evaluation.add_classification(predictions, &samples, &labels, &predicted)?;
        }
        (Truth::Numbers(numbers), PredictedValues::Numbers(predicted)) => {
            let truth: Vec<f64> = samples.iter().map(|&row| numbers[row]).collect();
            let predicted: Vec<f64> = samples.iter().filter_map(|&row| predicted[row]).collect();
            evaluation.add_regression(&truth, &predicted)?;
        }
        // A loaded model was checked: its task, truth and predictor agree.
        _ => unreachable!("a model predicts what its task says"),
    }
    Ok(evaluation)
}

impl Evaluation {
    fn add_regression(&mut self, truth: &[f64], predicted: &[f64]) -> Result<(), MetricError> {
        self.add("mae", mean_absolute_error(truth, predicted)?);
        self.add("rmse", root_mean_squared_error(truth, predicted)?);
        self.add("mape", mean_absolute_percentage_error(truth, predicted)?);
        match r2_score(truth, predicted) {
            Ok(r2) => self.add("r2", r2),
            Err(err) => self.notes.push(format!("no `r2`: {err}")),
        }
        Ok(())
    }

    fn add_classification(
        &mut self,
        predictions: &Predictions,
        samples: &[usize],
        labels: &[&str],
        predicted: &[usize],
    ) -> Result<(), MetricError> {
        let n_known = predictions.classes.len();
        let (classes, truth) = index_labels(&predictions.classes, labels);
        let matrix = ConfusionMatrix::new(&truth, predicted, classes.len())?;
        self.add("accuracy", matrix.accuracy());
        let averages = matrix.averages();
        self.add_averages("macro", averages.macro_average);
        self.add_averages("micro", averages.micro_average);
        self.add_averages("weighted", averages.weighted_average);
        self.confusion_matrix = matrix.rows().map(<[u64]>::to_vec).collect();
        self.classes = classes
            .iter()
            .zip(matrix.per_class())
            .map(|(label, class)| ClassEvaluation {
                label: label.clone(),
                precision: class.scores.precision,
                recall: class.scores.recall,
                f1: class.scores.f1,
                support: class.support,
            })
            .collect();
        if classes.len() > n_known {
            let unknown = classes[n_known..].join("`, `");
            self.notes.push(format!(
                "the model does not know `{unknown}`: rows of it count as wrong, and `log_loss` and `roc_auc` are left out"
            ));
            return Ok(());
        }
        self.add_scores(predictions, samples, &truth)
    }

    fn add_scores(&mut self, predictions: &Predictions, samples: &[usize], truth: &[usize]) -> Result<(), MetricError> {
        let n_classes = predictions.classes.len();
        if let Some(probabilities) = &predictions.probabilities {
            self.add("log_loss", log_loss(truth, &rows_of(probabilities, samples), n_classes)?);
        }
        let Some(scores) = predictions.class_scores() else { return Ok(()) };
        if n_classes == 2 {
            let is_second: Vec<bool> = truth.iter().map(|&class| class == 1).collect();
            let second_scores: Vec<f64> = samples.iter().map(|&row| scores.row(row)[1]).collect();
            match roc_auc_binary(&is_second, &second_scores) {
                Ok(area) => self.add("roc_auc", area),
                Err(err) => self.notes.push(format!("no `roc_auc`: {err}")),
            }
        } else {
            match roc_auc_one_vs_rest(truth, &rows_of(scores, samples), n_classes) {
                Ok(areas) => {
                    self.add("roc_auc_ovr_macro", areas.macro_average);
                    self.add("roc_auc_ovr_weighted", areas.weighted_average);
                }
                Err(err) => self.notes.push(format!("no `roc_auc_ovr`: {err}")),
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, value: f64) {
        self.metrics.insert(name.to_owned(), value);
    }

    fn add_averages(&mut self, name: &str, averages: ClassAverages) {
        self.add(&format!("precision_{name}"), averages.precision);
        self.add(&format!("recall_{name}"), averages.recall);
        self.add(&format!("f1_{name}"), averages.f1);
    }
}

/// Returns the known classes and after them the other labels, sorted; and the index of each label.
fn index_labels(known: &[String], labels: &[&str]) -> (Vec<String>, Vec<usize>) {
    let mut index_of: BTreeMap<&str, usize> =
        known.iter().enumerate().map(|(index, class)| (class.as_str(), index)).collect();
    let mut unknown: Vec<&str> = labels.iter().copied().filter(|label| !index_of.contains_key(label)).collect();
    unknown.sort_unstable();
    unknown.dedup();
    let mut classes = known.to_vec();
    for label in unknown {
        index_of.insert(label, classes.len());
        classes.push(label.to_owned());
    }
    let truth = labels.iter().map(|label| index_of[label]).collect();
    (classes, truth)
}

fn rows_of(scores: &Scores, rows: &[usize]) -> Vec<f64> {
    rows.iter().flat_map(|&row| scores.row(row).iter().copied()).collect()
}
