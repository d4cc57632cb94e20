//! A sum of trees as it predicts, in training's evaluation and in serving alike.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::tree::Trees;
use crate::error::PredictError;
use crate::estimator::linear::sigmoid;
use crate::estimator::{Outputs, Predictor, Scores, best_class, check_width};
use crate::matrix::FeatureMatrix;
use crate::packed;

/// How many rows a thread scores at a time.
const ROWS_PER_PART: usize = 128;

/// What the sums of a boosted model mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoostedLink {
    /// The prediction itself.
    Identity,
    /// The logarithm of the prediction.
    Log,
    /// The log odds of the second of two classes.
    LogOdds,
    /// Logarithms of probabilities but for a common constant, one per class.
    Softmax,
}

/// Trees whose values are added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoostedTrees {
    pub(super) link: BoostedLink,
    pub(super) n_features: usize,
    /// Where the sums begin, one per output.
    #[serde(with = "packed::f64s")]
    pub(super) initial: Vec<f64>,
    /// Tree after tree, one per output in turn.
    pub(super) trees: Trees,
    /// What the splits by each feature gained in all.
    #[serde(with = "packed::f64s")]
    pub(super) gains: Vec<f64>,
    /// How many splits are by each feature.
    #[serde(with = "packed::u32s")]
    pub(super) n_splits: Vec<u32>,
}

impl BoostedTrees {
    /// Returns the number of trees.
    pub fn n_trees(&self) -> usize {
        self.trees.len()
    }

    /// Returns how much the loss of the training rows fell by splits of each feature, to second order.
    pub fn gains(&self) -> &[f64] {
        &self.gains
    }

    /// Returns how many splits are by each feature.
    pub fn split_counts(&self) -> &[u32] {
        &self.n_splits
    }

    /// Returns the number of sums of a row: one, or one per class when there are more than two.
    pub fn n_outputs(&self) -> usize {
        self.initial.len()
    }

    /// Writes the sums of one row to `sums`, which has [`BoostedTrees::n_outputs`] of them. Nothing is allocated.
    ///
    /// # Panics
    /// If `cells` are not as many as there are features, or `sums` not as many as there are outputs.
    pub fn score_row(&self, cells: &[f64], sums: &mut [f64]) {
        assert_eq!(cells.len(), self.n_features, "a row has a cell for each feature");
        sums.copy_from_slice(&self.initial);
        self.trees.add_to_row(cells, sums);
    }

    pub(in crate::estimator) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        let expected = match self.link {
            BoostedLink::Identity | BoostedLink::Log => usize::from(n_classes == 0),
            BoostedLink::LogOdds => usize::from(n_classes == 2),
            BoostedLink::Softmax => n_classes,
        };
        let n_outputs = self.initial.len();
        if n_outputs != expected || n_outputs == 0 || !self.trees.len().is_multiple_of(n_outputs) {
            return Some(format!("{} trees with {n_outputs} outputs serve {n_classes} classes", self.trees.len()));
        }
        if self.n_features == 0 || self.gains.len() != self.n_features || self.n_splits.len() != self.n_features {
            return Some("the importances of trees do not fit the features".to_owned());
        }
        self.trees.inconsistency(self.n_features)
    }

    /// Returns the sums, row by row, one per output.
    fn sums(&self, features: &FeatureMatrix) -> Result<Vec<f64>, PredictError> {
        check_width(self.n_features, features)?;
        let n_outputs = self.initial.len();
        let mut sums = self.initial.repeat(features.n_rows());
        let score = |(part, sums): (usize, &mut [f64])| match features {
            FeatureMatrix::Dense(matrix) => {
                let begin = part * ROWS_PER_PART * self.n_features;
                let cells = &matrix.cells()[begin..begin + sums.len() / n_outputs * self.n_features];
                self.trees.add_to_rows(cells, self.n_features, sums, n_outputs);
            }
            FeatureMatrix::Sparse(_) => {
                let mut cells = vec![0.0; self.n_features];
                for (row, sums) in sums.chunks_mut(n_outputs).enumerate() {
                    cells.fill(0.0);
                    features.for_each_in_row(part * ROWS_PER_PART + row, |feature, value| cells[feature] = value);
                    self.trees.add_to_row(&cells, sums);
                }
            }
        };
        if features.n_rows() <= ROWS_PER_PART {
            score((0, &mut sums));
        } else {
            sums.par_chunks_mut(ROWS_PER_PART * n_outputs).enumerate().for_each(score);
        }
        Ok(sums)
    }
}

impl Predictor for BoostedTrees {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        let sums = self.sums(features)?;
        Ok(match self.link {
            BoostedLink::Identity => Outputs::Numbers(sums),
            BoostedLink::Log => Outputs::Numbers(sums.into_iter().map(f64::exp).collect()),
            BoostedLink::LogOdds => Outputs::Classes(sums.iter().map(|&sum| usize::from(sum > 0.0)).collect()),
            BoostedLink::Softmax => Outputs::Classes(sums.chunks(self.initial.len()).map(best_class).collect()),
        })
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(match self.link {
            BoostedLink::Identity | BoostedLink::Log => None,
            BoostedLink::LogOdds => {
                let values = self.sums(features)?.into_iter().flat_map(|sum| [sigmoid(-sum), sigmoid(sum)]).collect();
                Some(Scores { n_classes: 2, values })
            }
            BoostedLink::Softmax => Some(Scores::from_log_likelihoods(self.initial.len(), self.sums(features)?)),
        })
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        let sums = self.sums(features)?;
        Ok(match self.link {
            BoostedLink::Identity | BoostedLink::Log => None,
            BoostedLink::LogOdds => {
                Some(Scores { n_classes: 2, values: sums.into_iter().flat_map(|sum| [-sum, sum]).collect() })
            }
            BoostedLink::Softmax => Some(Scores { n_classes: self.initial.len(), values: sums }),
        })
    }
}
