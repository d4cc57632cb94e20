//! Rows with both a truth and a prediction: what every figure is computed from.

use std::collections::BTreeMap;

use ml_core::table::{Table, TableError};

use crate::derive::derive_for;
use crate::error::EvaluateError;
use crate::estimator::Scores;
use crate::frame::Frame;
use crate::model::TrainedModel;
use crate::predict::{PredictedValues, Predictions};
use crate::spec::Task;

/// Rows with both a truth and a prediction, and how many there are without.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Where each row stands among those that were scored, ascending.
    pub positions: Vec<usize>,
    /// How many rows have no truth.
    pub n_without_target: usize,
    /// How many rows have a truth and no prediction.
    pub n_without_prediction: usize,
    /// How many values per column of all scored rows were categories that the training rows do not have.
    pub unknown_categories: BTreeMap<String, u64>,
    /// Truth and prediction of each row.
    pub values: OutcomeValues,
}

/// Truths and predictions, by task.
#[derive(Debug, Clone, PartialEq)]
pub enum OutcomeValues {
    /// Of a classification.
    Classes(ClassOutcome),
    /// Of a regression.
    Numbers(NumberOutcome),
}

/// True and predicted classes.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassOutcome {
    /// The classes that the model knows, and after them the others that occur, sorted.
    pub classes: Vec<String>,
    /// How many of the classes the model knows.
    pub n_known: usize,
    /// Indices into `classes`.
    pub truth: Vec<usize>,
    /// Indices into `classes`.
    pub predicted: Vec<usize>,
    /// A score for each row and known class, where the model has them.
    pub scores: Option<Scores>,
    /// Whether the scores are probabilities.
    pub are_probabilities: bool,
}

/// True and predicted numbers, all finite.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberOutcome {
    /// In the unit of the target.
    pub truth: Vec<f64>,
    /// In the unit of the target.
    pub predicted: Vec<f64>,
}

impl Outcome {
    /// Scores the rows of `table` at `rows` and puts what is predicted beside what is true.
    ///
    /// # Errors
    /// [`EvaluateError`] when the rows cannot be scored, or when none has both a truth and a prediction.
    ///
    /// # Panics
    /// If a row is not below [`Table::n_rows`].
    pub fn of(model: &TrainedModel, table: &Table, rows: &[usize]) -> Result<Outcome, EvaluateError> {
        Outcome::new(model, &model.predict_rows(table, rows)?, &Truth::read(model, table, rows)?)
    }

    pub(super) fn new(
        model: &TrainedModel,
        predictions: &Predictions,
        truth: &Truth,
    ) -> Result<Outcome, EvaluateError> {
        let n_rows = truth.n_rows();
        let known: Vec<usize> = (0..n_rows).filter(|&row| truth.is_known(row)).collect();
        let positions: Vec<usize> =
            known.iter().copied().filter(|row| !predictions.missing.contains_key(row)).collect();
        if positions.is_empty() {
            let reason = match known.first().and_then(|&row| predictions.missing_reason(row)) {
                Some(reason) => reason.to_owned(),
                None if n_rows == 0 => "there are no rows to score".to_owned(),
                None => "the target is missing in every row".to_owned(),
            };
            return Err(EvaluateError::NoRows { n_rows, target: model.spec.target.clone(), reason });
        }
        let values = match (truth, &predictions.values) {
            (Truth::Labels(labels), PredictedValues::Classes(predicted)) => {
                let labels: Vec<&str> = positions.iter().filter_map(|&row| labels[row].as_deref()).collect();
                let (classes, truth) = index_labels(&predictions.classes, &labels);
                OutcomeValues::Classes(ClassOutcome {
                    n_known: predictions.classes.len(),
                    classes,
                    truth,
                    predicted: positions.iter().filter_map(|&row| predicted[row]).collect(),
                    scores: predictions.class_scores().map(|scores| scores_at(scores, &positions)),
                    are_probabilities: predictions.probabilities.is_some(),
                })
            }
            (Truth::Numbers(numbers), PredictedValues::Numbers(predicted)) => OutcomeValues::Numbers(NumberOutcome {
                truth: positions.iter().map(|&row| numbers[row]).collect(),
                predicted: positions.iter().filter_map(|&row| predicted[row]).collect(),
            }),
            // A loaded model was checked: its task, truth and predictor agree.
            _ => unreachable!("a model predicts what its task says"),
        };
        Ok(Outcome {
            n_without_target: n_rows - known.len(),
            n_without_prediction: known.len() - positions.len(),
            unknown_categories: predictions.unknown_categories.clone(),
            positions,
            values,
        })
    }

    /// Returns the number of rows.
    pub fn n_samples(&self) -> usize {
        self.positions.len()
    }

    /// Returns the rows at `samples`, which count from the first row of this outcome.
    ///
    /// # Panics
    /// If a sample is not below [`Outcome::n_samples`].
    #[must_use]
    pub fn take(&self, samples: &[usize]) -> Outcome {
        let values = match &self.values {
            OutcomeValues::Classes(outcome) => OutcomeValues::Classes(ClassOutcome {
                classes: outcome.classes.clone(),
                n_known: outcome.n_known,
                truth: samples.iter().map(|&sample| outcome.truth[sample]).collect(),
                predicted: samples.iter().map(|&sample| outcome.predicted[sample]).collect(),
                scores: outcome.scores.as_ref().map(|scores| scores_at(scores, samples)),
                are_probabilities: outcome.are_probabilities,
            }),
            OutcomeValues::Numbers(outcome) => OutcomeValues::Numbers(NumberOutcome {
                truth: samples.iter().map(|&sample| outcome.truth[sample]).collect(),
                predicted: samples.iter().map(|&sample| outcome.predicted[sample]).collect(),
            }),
        };
        Outcome {
            positions: samples.iter().map(|&sample| self.positions[sample]).collect(),
            n_without_target: 0,
            n_without_prediction: 0,
            unknown_categories: BTreeMap::new(),
            values,
        }
    }
}

impl ClassOutcome {
    /// Returns whether every true class is one that the model knows, so that its scores can be judged.
    pub fn knows_all_classes(&self) -> bool {
        self.classes.len() == self.n_known
    }

    /// Returns the probabilities of the known classes, if the model has them and knows every true class.
    pub fn probabilities(&self) -> Option<&Scores> {
        self.scores.as_ref().filter(|_| self.are_probabilities && self.knows_all_classes())
    }

    /// Returns which rows are of `class`, and its score in each; `None` where the model has no scores or does not know it.
    pub fn ranking_of(&self, class: usize) -> Option<(Vec<bool>, Vec<f64>)> {
        let scores = self.scores.as_ref().filter(|scores| class < scores.n_classes)?;
        let truth = self.truth.iter().map(|&truth| truth == class).collect();
        Some((truth, (0..self.truth.len()).map(|row| scores.row(row)[class]).collect()))
    }
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

fn scores_at(scores: &Scores, rows: &[usize]) -> Scores {
    let values = rows.iter().flat_map(|&row| scores.row(row).iter().copied()).collect();
    Scores { n_classes: scores.n_classes, values }
}
