//! Linear models: sums of weighted features, and the sparse learners of their weights.

mod calibration;
mod elastic_net;
mod lanes;
mod logistic;
mod nb_svm;
mod one_vs_rest;
mod primal;
mod problem;
mod quasi_newton;
mod softmax;
mod svm;
mod teller;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Outputs, Predictor, Scores, best_class, check_width};
use crate::ahead;
use crate::error::PredictError;
use crate::matrix::FeatureMatrix;
use crate::packed;

pub use calibration::Probabilities;
pub use elastic_net::{ElasticNet, Lasso};
pub use logistic::{ClassScheme, LogisticRegression};
pub use nb_svm::NbSvm;
pub use primal::Penalty;
pub use softmax::SoftmaxRegression;
pub use svm::LinearSvm;

/// What the sums of a linear model mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The prediction itself.
    Identity,
    /// The margin of each class against the rest, or of the second of two classes against the first.
    Margin,
    /// Log odds of each class against the rest, or of the second of two classes against the first.
    LogOdds,
    /// Logarithms of probabilities but for a common constant, one per class.
    Softmax,
}

/// Sums of weighted features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearPredictor {
    link: Link,
    n_features: usize,
    /// One per output.
    #[serde(with = "packed::f64s")]
    intercepts: Vec<f64>,
    /// Feature by feature, one per output, so that a sparse row reads neighbouring weights.
    #[serde(with = "packed::f64s")]
    weights: Vec<f64>,
}

/// How many rows a thread scores at a time.
const ROWS_PER_PART: usize = 256;

/// The weights of how many cells are asked for at a time, before they are needed.
const CELLS_AHEAD: usize = 16;

/// Weights that take no more than this stay near the processor by themselves.
const NEAR_BYTES: usize = 1 << 20;

impl LinearPredictor {
    /// Makes a predictor of weights that lie feature by feature.
    pub(super) fn new(link: Link, intercepts: Vec<f64>, weights: Vec<f64>) -> LinearPredictor {
        LinearPredictor { link, n_features: weights.len() / intercepts.len(), intercepts, weights }
    }

    /// Returns the weights, feature by feature, one per output.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Returns the intercepts, one per output.
    pub fn intercepts(&self) -> &[f64] {
        &self.intercepts
    }

    /// Returns the weight of `feature` in the sum that speaks for `class`; for a number there is one sum, that of class 0.
    pub(crate) fn weight_for(&self, feature: usize, class: usize) -> f64 {
        self.speaking_for(class, self.weights_of(feature))
    }

    /// Returns what the sum that speaks for `class` begins with, whatever the row.
    pub(crate) fn intercept_for(&self, class: usize) -> f64 {
        self.speaking_for(class, &self.intercepts)
    }

    /// Returns which of `values`, one per output, speaks for `class`: of two classes the only output speaks for the second.
    fn speaking_for(&self, class: usize, values: &[f64]) -> f64 {
        match (self.link, values) {
            (Link::Identity, values) => values[0],
            (_, [value]) if class == 0 => -value,
            (_, [value]) => *value,
            (_, values) => values[class],
        }
    }

    pub(super) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        let n_outputs = self.intercepts.len();
        let expected = match self.link {
            Link::Identity => usize::from(n_classes == 0),
            Link::Margin | Link::LogOdds if n_classes == 2 => 1,
            Link::Margin | Link::LogOdds | Link::Softmax => n_classes,
        };
        let fits = n_outputs == expected
            && n_outputs > 0
            && self.n_features.checked_mul(n_outputs) == Some(self.weights.len());
        (!fits).then(|| format!("a linear model with {n_outputs} outputs serves {n_classes} classes"))
    }

    /// Returns the sums, row by row, one per output.
    pub(super) fn sums(&self, features: &FeatureMatrix) -> Result<Vec<f64>, PredictError> {
        check_width(self.n_features, features)?;
        let n_outputs = self.intercepts.len();
        let mut sums = self.intercepts.repeat(features.n_rows());
        if features.n_rows() <= ROWS_PER_PART {
            // Handing over to another thread takes longer than a few rows.
            self.add_sums(features, 0, &mut sums);
        } else {
            sums.par_chunks_mut(n_outputs * ROWS_PER_PART)
                .enumerate()
                .for_each(|(part, sums)| self.add_sums(features, part * ROWS_PER_PART, sums));
        }
        Ok(sums)
    }

    /// Adds the weighted features of the rows from `first_row` on to their sums.
    fn add_sums(&self, features: &FeatureMatrix, first_row: usize, sums: &mut [f64]) {
        let n_outputs = self.intercepts.len();
        for (row, sums) in sums.chunks_mut(n_outputs).enumerate() {
            match features {
                FeatureMatrix::Sparse(sparse) if self.is_far() => {
                    let (columns, values) = sparse.row(first_row + row);
                    for (columns, values) in columns.chunks(CELLS_AHEAD).zip(values.chunks(CELLS_AHEAD)) {
                        self.touch(columns);
                        columns.iter().zip(values).for_each(|(&column, &value)| self.add(column as usize, value, sums));
                    }
                }
                _ => features.for_each_in_row(first_row + row, |feature, value| self.add(feature, value, sums)),
            }
        }
    }

    #[inline]
    fn add(&self, feature: usize, value: f64, sums: &mut [f64]) {
        sums.iter_mut().zip(self.weights_of(feature)).for_each(|(sum, weight)| *sum += value * weight);
    }

    #[inline]
    fn weights_of(&self, feature: usize) -> &[f64] {
        let n_outputs = self.intercepts.len();
        &self.weights[feature * n_outputs..(feature + 1) * n_outputs]
    }

    /// Returns whether the weights are too many to stay near the processor.
    fn is_far(&self) -> bool {
        size_of_val(self.weights.as_slice()) > NEAR_BYTES
    }

    /// Asks for the weights of features: one of each cache line that they lie in.
    fn touch(&self, columns: &[u32]) {
        const PER_LINE: usize = 64 / size_of::<f64>();
        ahead::touch(columns.iter().flat_map(|&column| {
            let weights = self.weights_of(column as usize);
            weights.iter().step_by(PER_LINE).chain(weights.last()).map(|weight| weight.to_bits())
        }));
    }
}

impl Predictor for LinearPredictor {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        let sums = self.sums(features)?;
        Ok(match (self.link, self.intercepts.len()) {
            (Link::Identity, _) => Outputs::Numbers(sums),
            (_, 1) => Outputs::Classes(sums.iter().map(|&sum| usize::from(sum > 0.0)).collect()),
            (_, n_outputs) => Outputs::Classes(sums.chunks(n_outputs).map(best_class).collect()),
        })
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        let n_outputs = self.intercepts.len();
        Ok(match (self.link, n_outputs) {
            (Link::Identity | Link::Margin, _) => {
                check_width(self.n_features, features)?;
                None
            }
            (_, 1) => {
                let values = self.sums(features)?.into_iter().flat_map(|sum| [sigmoid(-sum), sigmoid(sum)]).collect();
                Some(Scores { n_classes: 2, values })
            }
            (Link::LogOdds, _) => Some(normalised_sigmoids(n_outputs, self.sums(features)?)),
            (Link::Softmax, _) => Some(Scores::from_log_likelihoods(n_outputs, self.sums(features)?)),
        })
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        let sums = self.sums(features)?;
        Ok(match (self.link, self.intercepts.len()) {
            (Link::Identity, _) => None,
            (_, 1) => Some(Scores { n_classes: 2, values: sums.into_iter().flat_map(|sum| [-sum, sum]).collect() }),
            (_, n_classes) => Some(Scores { n_classes, values: sums }),
        })
    }
}

/// Returns the probability of log odds.
pub(super) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

/// Scales the probability of each class against the rest to sum 1; a row of zeros becomes even.
fn normalised_sigmoids(n_classes: usize, mut values: Vec<f64>) -> Scores {
    for row in values.chunks_mut(n_classes) {
        for value in row.iter_mut() {
            *value = sigmoid(*value);
        }
        let sum: f64 = row.iter().sum();
        if sum > 0.0 {
            for value in row.iter_mut() {
                *value /= sum;
            }
        } else {
            row.fill(1.0 / n_classes as f64);
        }
    }
    Scores { n_classes, values }
}
