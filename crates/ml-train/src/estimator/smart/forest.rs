//! Many decision trees, each on a random sample of rows and of features per question.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use smartcore::ensemble::random_forest_classifier::{RandomForestClassifier, RandomForestClassifierParameters};
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::error::Failed;
use smartcore::linalg::basic::matrix::DenseMatrix as SmartMatrix;

use super::boundary::{class_labels, fit_guarded, predict_guarded, smart_features};
use crate::error::{PredictError, TrainError};
use crate::estimator::settings::{BOTH, ForestSettings};
use crate::estimator::{
    Estimator, Fitted, FittedPredictor, Outputs, Predictor, Scores, Target, TrainingData, check_width,
};
use crate::matrix::FeatureMatrix;
use crate::progress::Progress;
use crate::random::SplitMix64;
use crate::spec::Task;

/// A random forest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RandomForest(pub ForestSettings);

type Classifier = RandomForestClassifier<f64, u32, SmartMatrix<f64>, Vec<u32>>;
type Regressor = RandomForestRegressor<f64, f64, SmartMatrix<f64>, Vec<f64>>;

/// A fitted random forest.
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

impl Estimator for RandomForest {
    fn kind(&self) -> &'static str {
        RandomForest::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        BOTH
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        self.0.faults()
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let features = smart_features(self.kind(), data.features)?;
        let n_features = data.features.n_columns();
        let width = self.0.width(data.target, n_features);
        let trees = match data.target {
            Target::Classes { indices, .. } => {
                let labels = class_labels(indices);
                Trees::Classifiers(self.fit_trees(data.seed, progress, |seed| {
                    let mut parameters = RandomForestClassifierParameters::default()
                        .with_n_trees(1)
                        .with_m(width)
                        .with_min_samples_leaf(self.0.min_samples_leaf)
                        .with_min_samples_split(self.0.min_samples_split)
                        .with_seed(seed);
                    parameters.max_depth = self.0.max_depth;
                    Classifier::fit(&features, &labels, parameters)
                })?)
            }
            Target::Numbers(numbers) => Trees::Regressors(self.fit_trees(data.seed, progress, |seed| {
                let mut parameters = RandomForestRegressorParameters::default()
                    .with_n_trees(1)
                    .with_m(width)
                    .with_min_samples_leaf(self.0.min_samples_leaf)
                    .with_min_samples_split(self.0.min_samples_split)
                    .with_seed(seed);
                parameters.max_depth = self.0.max_depth;
                Regressor::fit(&features, numbers, parameters)
            })?),
        };
        let n_classes = if let Target::Classes { n_classes, .. } = data.target { *n_classes } else { 0 };
        let predictor = ForestPredictor { n_features, n_classes, trees };
        Ok(Fitted { predictor: FittedPredictor::RandomForest(predictor), warnings: Vec::new() })
    }
}

impl RandomForest {
    fn fit_trees<T: Send>(
        &self,
        seed: u64,
        progress: &dyn Progress,
        fit_tree: impl Fn(u64) -> Result<T, Failed> + Sync,
    ) -> Result<Vec<T>, TrainError> {
        (0..self.0.n_trees)
            .into_par_iter()
            .map(|tree| {
                if progress.is_cancelled() {
                    return Err(TrainError::Cancelled);
                }
                let tree_seed = SplitMix64::new(seed, tree as u64).next_u64();
                let fitted = fit_guarded(RandomForest::KIND, || fit_tree(tree_seed));
                progress.advance(self.0.n_trees as u64);
                fitted
            })
            .collect()
    }
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
