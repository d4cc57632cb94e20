//! A random forest as smartcore fitted it for earlier versions of this program. It still predicts.

use serde::{Deserialize, Serialize};
use smartcore::ensemble::random_forest_classifier::RandomForestClassifier;
use smartcore::ensemble::random_forest_regressor::RandomForestRegressor;
use smartcore::linalg::basic::matrix::DenseMatrix as SmartMatrix;

use super::boundary::predict_guarded;
use crate::error::PredictError;
use crate::estimator::{Outputs, Predictor, RandomForest, Scores, check_width};
use crate::matrix::FeatureMatrix;

type Classifier = RandomForestClassifier<f64, u32, SmartMatrix<f64>, Vec<u32>>;
type Regressor = RandomForestRegressor<f64, f64, SmartMatrix<f64>, Vec<f64>>;

/// A random forest of an earlier version.
#[derive(Debug, Serialize, Deserialize)]
pub struct ForestPredictor {
    n_features: usize,
    n_classes: usize,
    trees: Trees,
}

/// Each is a forest of one tree: smartcore fits the trees of a forest one after the other, and does not tell their votes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Trees {
    Classifiers(Vec<Classifier>),
    Regressors(Vec<Regressor>),
}

impl ForestPredictor {
    pub(in crate::estimator) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        let (n_trees, for_classes) = match &self.trees {
            Trees::Classifiers(trees) => (trees.len(), true),
            Trees::Regressors(trees) => (trees.len(), false),
        };
        let fits = n_trees > 0 && self.n_classes == n_classes && for_classes == (n_classes > 0);
        (!fits).then(|| format!("a forest of {n_trees} trees for {} classes serves {n_classes}", self.n_classes))
    }

    /// Returns the share of trees that vote for each class.
    fn shares(&self, trees: &[Classifier], features: &FeatureMatrix) -> Result<Scores, PredictError> {
        let n_classes = self.n_classes;
        let values = predict_guarded(RandomForest::KIND, features, |part| {
            let mut shares: Vec<f64> = Vec::new();
            for tree in trees {
                let votes = tree.predict(part)?;
                shares.resize(votes.len() * n_classes, 0.0);
                for (row, vote) in votes.into_iter().enumerate() {
                    shares[row * n_classes + vote as usize] += 1.0;
                }
            }
            for votes in &mut shares {
                *votes /= trees.len() as f64;
            }
            Ok(shares)
        })?;
        Ok(Scores { n_classes, values })
    }
}

impl Predictor for ForestPredictor {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        check_width(self.n_features, features)?;
        match &self.trees {
            Trees::Classifiers(trees) => Ok(Outputs::Classes(self.shares(trees, features)?.best_classes())),
            Trees::Regressors(trees) => {
                let numbers = predict_guarded(RandomForest::KIND, features, |part| {
                    let mut sums: Vec<f64> = Vec::new();
                    for tree in trees {
                        let numbers = tree.predict(part)?;
                        sums.resize(numbers.len(), 0.0);
                        sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
                    }
                    for sum in &mut sums {
                        *sum /= trees.len() as f64;
                    }
                    Ok(sums)
                })?;
                Ok(Outputs::Numbers(numbers))
            }
        }
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        match &self.trees {
            Trees::Classifiers(trees) => self.shares(trees, features).map(Some),
            Trees::Regressors(_) => Ok(None),
        }
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }
}
