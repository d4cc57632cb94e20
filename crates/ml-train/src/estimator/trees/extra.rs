//! Extremely randomised trees: each split is the best of some features, each with a threshold drawn at random.
//!
//! Source: Geurts, Ernst and Wehenkel, *Extremely randomized trees* (2006). Every tree learns from all rows.

use std::convert::Infallible;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::growth::{Fate, grow, partition};
use super::{GrownTree, TreesPredictor};
use crate::error::TrainError;
use crate::estimator::dense::dense_features;
use crate::estimator::settings::{BOTH, ForestSettings};
use crate::estimator::{Estimator, Fitted, FittedPredictor, Target, TrainingData};
use crate::matrix::DenseMatrix;
use crate::progress::Progress;
use crate::random::SplitMix64;
use crate::spec::Task;

/// Extremely randomised trees.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExtraTrees(pub ForestSettings);

impl Estimator for ExtraTrees {
    fn kind(&self) -> &'static str {
        ExtraTrees::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        BOTH
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        self.0.faults()
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let features = dense_features(self.kind(), data.features)?;
        let n_features = features.n_columns();
        let width = self.0.width(data.target, n_features);
        let grown: Vec<GrownTree> = (0..self.0.n_trees)
            .into_par_iter()
            .map(|tree| {
                if progress.is_cancelled() {
                    return Err(TrainError::Cancelled);
                }
                let random = SplitMix64::new(data.seed, tree as u64);
                let grower = Grower { settings: &self.0, features: &features, target: data.target, width, random };
                let grown = grower.grow();
                progress.advance(self.0.n_trees as u64);
                Ok(grown)
            })
            .collect::<Result<_, _>>()?;
        let predictor = TreesPredictor::new(n_features, data.target, &grown);
        Ok(Fitted { predictor: FittedPredictor::ExtraTrees(predictor), warnings: Vec::new() })
    }
}

struct Grower<'a> {
    settings: &'a ForestSettings,
    features: &'a DenseMatrix,
    target: &'a Target,
    width: usize,
    random: SplitMix64,
}

impl Grower<'_> {
    fn grow(mut self) -> GrownTree {
        let mut rows: Vec<u32> = (0..self.features.n_rows() as u32).collect();
        let mut right_rows = Vec::new();
        let Ok(tree) = grow::<Infallible>(&mut rows, |rows, depth| {
            let Some((feature, threshold)) = self.split(rows, depth) else {
                return Ok(Fate::Leaf(self.leaf_values(rows)));
            };
            let n_left = partition(rows, &mut right_rows, |row| self.cell(row, feature) <= threshold);
            Ok(Fate::Split { feature, threshold, n_left })
        });
        tree
    }

    fn cell(&self, row: u32, feature: usize) -> f64 {
        self.features.cells()[row as usize * self.features.n_columns() + feature]
    }

    /// Returns the best of the splits that are drawn; `None` where rows stay together.
    fn split(&mut self, rows: &[u32], depth: usize) -> Option<(usize, f64)> {
        let is_deep = self.settings.max_depth.is_some_and(|most| depth >= usize::from(most));
        if is_deep || rows.len() < self.settings.min_samples_split || self.is_pure(rows) {
            return None;
        }
        let mut best: Option<(f64, usize, f64)> = None;
        let mut features: Vec<usize> = (0..self.features.n_columns()).collect();
        let mut n_tried = 0;
        // Features that are the same in all rows do not count as tried.
        while n_tried < self.width && !features.is_empty() {
            let feature = features.swap_remove(self.random.below(features.len()));
            let Some(threshold) = self.draw_threshold(rows, feature) else { continue };
            n_tried += 1;
            if let Some(spread) = self.spread(rows, feature, threshold)
                && best.is_none_or(|(least, ..)| spread < least)
            {
                best = Some((spread, feature, threshold));
            }
        }
        best.map(|(_, feature, threshold)| (feature, threshold))
    }

    fn draw_threshold(&mut self, rows: &[u32], feature: usize) -> Option<f64> {
        let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        for &row in rows {
            let cell = self.cell(row, feature);
            least = least.min(cell);
            greatest = greatest.max(cell);
        }
        (least < greatest).then(|| self.random.between(least, greatest))
    }

    fn is_pure(&self, rows: &[u32]) -> bool {
        match self.target {
            Target::Classes { indices, .. } => {
                rows.iter().all(|&row| indices[row as usize] == indices[rows[0] as usize])
            }
            Target::Numbers(numbers) => rows.iter().all(|&row| numbers[row as usize] == numbers[rows[0] as usize]),
        }
    }

    /// Returns how mixed both children are, weighted by their rows: Gini's impurity, or the squared error but for what is the
    /// same for every split. `None` if one is too small.
    fn spread(&self, rows: &[u32], feature: usize, threshold: f64) -> Option<f64> {
        let is_left = |&row: &u32| self.cell(row, feature) <= threshold;
        let n_left = rows.iter().filter(|row| is_left(row)).count();
        let n_right = rows.len() - n_left;
        if n_left.min(n_right) < self.settings.min_samples_leaf {
            return None;
        }
        let (n_left, n_right) = (n_left as f64, n_right as f64);
        Some(match self.target {
            Target::Classes { indices, n_classes } => {
                let mut counts = vec![[0.0_f64; 2]; *n_classes];
                for row in rows {
                    counts[indices[*row as usize]][usize::from(!is_left(row))] += 1.0;
                }
                let squares = |side: usize| counts.iter().map(|counts| counts[side] * counts[side]).sum::<f64>();
                -(squares(0) / n_left + squares(1) / n_right)
            }
            Target::Numbers(numbers) => {
                // Differences to one of the numbers, because squares of huge numbers that are alike leave nothing.
                let origin = numbers[rows[0] as usize];
                let mut sums = [0.0_f64; 2];
                for row in rows {
                    sums[usize::from(!is_left(row))] += numbers[*row as usize] - origin;
                }
                -(sums[0] * (sums[0] / n_left) + sums[1] * (sums[1] / n_right))
            }
        })
    }

    fn leaf_values(&self, rows: &[u32]) -> Vec<f64> {
        let n_rows = rows.len() as f64;
        match self.target {
            Target::Classes { indices, n_classes } => {
                let mut shares = vec![0.0; *n_classes];
                for &row in rows {
                    shares[indices[row as usize]] += 1.0;
                }
                shares.into_iter().map(|count| count / n_rows).collect()
            }
            Target::Numbers(numbers) => {
                vec![rows.iter().map(|&row| numbers[row as usize] / n_rows).sum()]
            }
        }
    }
}
