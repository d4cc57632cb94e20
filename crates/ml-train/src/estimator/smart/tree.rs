//! A decision tree as smartcore fitted it for earlier versions of this program. It still predicts.

use serde::{Deserialize, Serialize};
use smartcore::linalg::basic::matrix::DenseMatrix as SmartMatrix;
use smartcore::tree::decision_tree_classifier::DecisionTreeClassifier;
use smartcore::tree::decision_tree_regressor::DecisionTreeRegressor;

use super::boundary::predict_guarded;
use crate::error::PredictError;
use crate::estimator::{DecisionTree, Outputs, Predictor, Scores, check_width};
use crate::matrix::FeatureMatrix;

type Classifier = DecisionTreeClassifier<f64, u32, SmartMatrix<f64>, Vec<u32>>;
type Regressor = DecisionTreeRegressor<f64, f64, SmartMatrix<f64>, Vec<f64>>;

/// A decision tree of an earlier version.
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
