//! One decision tree.

use serde::{Deserialize, Serialize};
use smartcore::linalg::basic::matrix::DenseMatrix as SmartMatrix;
use smartcore::tree::decision_tree_classifier::{DecisionTreeClassifier, DecisionTreeClassifierParameters};
use smartcore::tree::decision_tree_regressor::{DecisionTreeRegressor, DecisionTreeRegressorParameters};

use super::boundary::{class_labels, fit_guarded, predict_guarded, smart_features};
use crate::error::{PredictError, TrainError};
use crate::estimator::settings::{BOTH, Faults};
use crate::estimator::{
    Estimator, Fitted, FittedPredictor, Outputs, Predictor, Scores, Target, TrainingData, check_width,
};
use crate::matrix::FeatureMatrix;
use crate::progress::Progress;
use crate::spec::Task;

/// A tree of questions about single features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecisionTree {
    /// The most questions from the root to a leaf.
    pub max_depth: Option<u16>,
    /// The least rows in a leaf.
    pub min_samples_leaf: usize,
    /// The least rows that are split further.
    pub min_samples_split: usize,
}

impl Default for DecisionTree {
    fn default() -> DecisionTree {
        DecisionTree { max_depth: None, min_samples_leaf: 1, min_samples_split: 2 }
    }
}

type Classifier = DecisionTreeClassifier<f64, u32, SmartMatrix<f64>, Vec<u32>>;
type Regressor = DecisionTreeRegressor<f64, f64, SmartMatrix<f64>, Vec<f64>>;

/// A fitted decision tree.
#[derive(Debug, Serialize, Deserialize)]
pub struct TreePredictor {
    n_features: usize,
    n_classes: usize,
    tree: Tree,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tree {
    Classifier(Classifier),
    Regressor(Regressor),
}

impl Estimator for DecisionTree {
    fn kind(&self) -> &'static str {
        DecisionTree::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        BOTH
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Faults::default()
            .at_least("max_depth", 1, self.max_depth.map_or(1, usize::from))
            .at_least("min_samples_leaf", 1, self.min_samples_leaf)
            .at_least("min_samples_split", 2, self.min_samples_split)
            .list()
    }

    fn fit(&self, data: TrainingData<'_>, _progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let features = smart_features(self.kind(), data.features)?;
        let tree = match data.target {
            Target::Classes { indices, .. } => {
                let parameters = DecisionTreeClassifierParameters {
                    max_depth: self.max_depth,
                    min_samples_leaf: self.min_samples_leaf,
                    min_samples_split: self.min_samples_split,
                    seed: Some(data.seed),
                    ..DecisionTreeClassifierParameters::default()
                };
                let labels = class_labels(indices);
                Tree::Classifier(fit_guarded(self.kind(), || Classifier::fit(&features, &labels, parameters))?)
            }
            Target::Numbers(numbers) => {
                let parameters = DecisionTreeRegressorParameters {
                    max_depth: self.max_depth,
                    min_samples_leaf: self.min_samples_leaf,
                    min_samples_split: self.min_samples_split,
                    seed: Some(data.seed),
                };
                Tree::Regressor(fit_guarded(self.kind(), || Regressor::fit(&features, numbers, parameters))?)
            }
        };
        let n_classes = if let Target::Classes { n_classes, .. } = data.target { *n_classes } else { 0 };
        let predictor = TreePredictor { n_features: data.features.n_columns(), n_classes, tree };
        Ok(Fitted { predictor: FittedPredictor::DecisionTree(predictor), warnings: Vec::new() })
    }
}

impl TreePredictor {
    pub(in crate::estimator) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        let fits = self.n_classes == n_classes && matches!(self.tree, Tree::Classifier(_)) == (n_classes > 0);
        (!fits).then(|| format!("a tree for {} classes serves {n_classes}", self.n_classes))
    }
}

impl Predictor for TreePredictor {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        check_width(self.n_features, features)?;
        let kind = DecisionTree::KIND;
        Ok(match &self.tree {
            Tree::Classifier(tree) => {
                let classes = predict_guarded(kind, features, |part| tree.predict(part))?;
                Outputs::Classes(classes.into_iter().map(|class| class as usize).collect())
            }
            Tree::Regressor(tree) => Outputs::Numbers(predict_guarded(kind, features, |part| tree.predict(part))?),
        })
    }

    // smartcore's leaves keep their most frequent class alone, so that there are no probabilities to give.
    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }
}
