//! Isolation forest: what random splits set apart after few questions is an anomaly.
//!
//! Source: Liu, Ting and Zhou, *Isolation forest* (2008).

use std::convert::Infallible;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::growth::{Fate, grow, partition};
use super::{GrownTree, StoredTrees};
use crate::error::{PredictError, TrainError};
use crate::estimator::dense::{dense_features, score_dense};
use crate::estimator::settings::{ANOMALY, Faults};
use crate::estimator::{Estimator, Fitted, FittedPredictor, Outputs, Predictor, Scores, TrainingData, check_width};
use crate::matrix::{DenseMatrix, FeatureMatrix};
use crate::progress::Progress;
use crate::random::SplitMix64;
use crate::spec::Task;

/// Settings of an isolation forest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IsolationForest {
    /// The number of trees.
    pub n_trees: usize,
    /// How many rows, drawn anew, each tree is grown on; all of them if there are fewer.
    pub max_samples: usize,
    /// Where anomalies begin.
    pub contamination: Contamination,
}

/// Where anomalies begin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Contamination {
    /// Found without looking at the rows.
    Found(FoundContamination),
    /// Where this share of the training rows is beyond.
    Share(f64),
}

/// How it is found where anomalies begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundContamination {
    /// At a score of 0.5, as in the paper.
    Auto,
}

impl Default for IsolationForest {
    fn default() -> IsolationForest {
        IsolationForest {
            n_trees: 100,
            max_samples: 256,
            contamination: Contamination::Found(FoundContamination::Auto),
        }
    }
}

/// A fitted isolation forest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IsolationPredictor {
    n_features: usize,
    trees: StoredTrees,
    /// The mean number of questions of an unsuccessful search among as many rows as each tree was grown on.
    expected_depth: f64,
    /// A row with a greater score is an anomaly.
    threshold: f64,
}

impl Estimator for IsolationForest {
    fn kind(&self) -> &'static str {
        IsolationForest::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        ANOMALY
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        let mut faults =
            Faults::default().at_least("n_trees", 1, self.n_trees).at_least("max_samples", 2, self.max_samples).list();
        if matches!(self.contamination, Contamination::Share(share) if !(share > 0.0 && share <= 0.5)) {
            faults.push(("contamination", "must be `auto` or a share above 0 and at most 0.5".to_owned()));
        }
        faults
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let features = dense_features(self.kind(), data.features)?;
        let n_samples = self.max_samples.min(features.n_rows());
        let grown: Vec<GrownTree> = (0..self.n_trees)
            .into_par_iter()
            .map(|tree| {
                if progress.is_cancelled() {
                    return Err(TrainError::Cancelled);
                }
                let grown = grow_tree(&features, n_samples, &mut SplitMix64::new(data.seed, tree as u64));
                progress.advance(self.n_trees as u64);
                Ok(grown)
            })
            .collect::<Result<_, _>>()?;
        let mut predictor = IsolationPredictor {
            n_features: features.n_columns(),
            trees: StoredTrees::new(1, &grown),
            expected_depth: expected_depth(n_samples),
            threshold: 0.5,
        };
        if let Contamination::Share(share) = self.contamination {
            let mut scores = predictor.scores(data.features)?;
            scores.sort_unstable_by(|left, right| right.total_cmp(left));
            let n_anomalies = (scores.len() as f64 * share).round() as usize;
            // The greatest score that is no anomaly any more.
            predictor.threshold = scores[n_anomalies.min(scores.len() - 1)];
        }
        Ok(Fitted { predictor: FittedPredictor::IsolationForest(predictor), warnings: Vec::new() })
    }
}

/// `c(n)` of the paper: the mean depth of a row in a random tree of `n`.
fn expected_depth(n_rows: usize) -> f64 {
    const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;
    match n_rows {
        0 | 1 => 0.0,
        2 => 1.0,
        n_rows => {
            let n = n_rows as f64;
            2.0 * ((n - 1.0).ln() + EULER_GAMMA) - 2.0 * (n - 1.0) / n
        }
    }
}

/// Grows a tree on `n_samples` rows drawn without repetition. A leaf holds its depth, and what more its rows would need.
fn grow_tree(features: &DenseMatrix, n_samples: usize, random: &mut SplitMix64) -> GrownTree {
    let cell = |row: u32, feature: usize| features.cells()[row as usize * features.n_columns() + feature];
    let mut rows: Vec<u32> = (0..features.n_rows() as u32).collect();
    for place in 0..n_samples {
        let drawn = place + random.below(rows.len() - place);
        rows.swap(place, drawn);
    }
    rows.truncate(n_samples);

    let max_depth = (n_samples as f64).log2().ceil() as usize;
    let mut right_rows = Vec::new();
    let Ok(tree) = grow::<Infallible>(&mut rows, |rows, depth| {
        let range = |feature: usize| {
            let cells = rows.iter().map(|&row| cell(row, feature));
            cells.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), cell| (least.min(cell), most.max(cell)))
        };
        // A feature that is the same in all rows sets nothing apart: another one is drawn.
        let mut candidates: Vec<usize> = (0..features.n_columns()).collect();
        let mut split = None;
        while split.is_none() && depth < max_depth && rows.len() > 1 && !candidates.is_empty() {
            let feature = candidates.swap_remove(random.below(candidates.len()));
            let (least, most) = range(feature);
            split = (least < most).then(|| (feature, random.between(least, most)));
        }
        let Some((feature, threshold)) = split else {
            return Ok(Fate::Leaf(vec![depth as f64 + expected_depth(rows.len())]));
        };
        let n_left = partition(rows, &mut right_rows, |row| cell(row, feature) <= threshold);
        Ok(Fate::Split { feature, threshold, n_left })
    });
    tree
}

impl IsolationPredictor {
    /// The names of what is predicted.
    pub(in crate::estimator) const CLASSES: [&'static str; 2] = ["normal", "anomaly"];

    pub(in crate::estimator) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        if n_classes != IsolationPredictor::CLASSES.len()
            || !self.threshold.is_finite()
            || self.expected_depth.is_nan()
            || self.expected_depth < 0.0
        {
            return Some(format!("an isolation forest serves {n_classes} classes"));
        }
        self.trees.inconsistency(self.n_features, 1)
    }

    /// Returns a score between 0 and 1 for each row, greater for rows that are set apart sooner.
    pub fn scores(&self, features: &FeatureMatrix) -> Result<Vec<f64>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(score_dense(features, 1, |cells, score| {
            self.trees.add_to_row(cells, score);
            let mean_depth = score[0] / self.trees.len() as f64;
            // Trees of one row know nothing: every row is as normal as can be.
            let share = if self.expected_depth > 0.0 { mean_depth / self.expected_depth } else { 1.0 };
            score[0] = (-share).exp2();
        }))
    }
}

impl Predictor for IsolationPredictor {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        let scores = self.scores(features)?;
        Ok(Outputs::Classes(scores.iter().map(|&score| usize::from(score > self.threshold)).collect()))
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        let beyond = self.scores(features)?.into_iter().map(|score| score - self.threshold);
        Ok(Some(Scores { n_classes: 2, values: beyond.flat_map(|beyond| [-beyond, beyond]).collect() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_depth_is_that_of_the_paper() {
        assert_eq!([0, 1, 2].map(expected_depth), [0.0, 0.0, 1.0]);
        // 2 H(255) − 2 · 255 / 256, with the harmonic number by its logarithm.
        assert!((expected_depth(256) - 10.244_770_920_119_918).abs() < 1e-12, "{}", expected_depth(256));
    }
}
