//! The mean of what several trees say.

use serde::{Deserialize, Serialize};

use super::{GrownTree, StoredTrees};
use crate::error::PredictError;
use crate::estimator::dense::score_dense;
use crate::estimator::{Outputs, Predictor, Scores, Target, check_width};
use crate::matrix::FeatureMatrix;

/// Fitted trees. Leaves hold the mean, or the share of each class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TreesPredictor {
    n_features: usize,
    n_classes: usize,
    trees: StoredTrees,
}

impl TreesPredictor {
    pub(super) fn new(n_features: usize, target: &Target, grown: &[GrownTree]) -> TreesPredictor {
        let n_classes = if let Target::Classes { n_classes, .. } = target { *n_classes } else { 0 };
        TreesPredictor { n_features, n_classes, trees: StoredTrees::new(n_classes.max(1), grown) }
    }

    pub(in crate::estimator) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        if self.n_classes != n_classes {
            return Some(format!("trees for {} classes serve {n_classes}", self.n_classes));
        }
        self.trees.inconsistency(self.n_features, n_classes.max(1))
    }

    /// Returns the mean over the trees, row by row, one per output.
    fn means(&self, features: &FeatureMatrix) -> Result<Vec<f64>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(score_dense(features, self.n_classes.max(1), |cells, means| {
            self.trees.add_to_row(cells, means);
            for mean in means {
                *mean /= self.trees.len() as f64;
            }
        }))
    }
}

impl Predictor for TreesPredictor {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        let means = self.means(features)?;
        if self.n_classes == 0 {
            return Ok(Outputs::Numbers(means));
        }
        Ok(Outputs::Classes(Scores { n_classes: self.n_classes, values: means }.best_classes()))
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        let values = self.means(features)?;
        Ok((self.n_classes > 0).then_some(Scores { n_classes: self.n_classes, values }))
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }
}
