//! What is fitted on features, and what comes of it.

mod baseline;
mod boosting;
mod clustering;
mod cut;
mod dense;
mod external;
mod linear;
mod naive_bayes;
mod sentiment;
mod settings;
mod smart;
mod spec;
mod svm;
mod trees;

use serde::{Deserialize, Serialize};

use crate::error::{PredictError, TrainError};
use crate::matrix::FeatureMatrix;
use crate::onnx::OnnxPredictor;
use crate::preprocess::Preprocessor;
use crate::progress::Progress;
use crate::spec::Task;

pub use baseline::{Column, ColumnPredictor, ConstantPredictor, MajorityClass, Mean};
pub(crate) use boosting::MAX_BINS;
pub use boosting::{BoostedLink, BoostedTrees, EarlyStopping, GradientBoosting, RegressionLoss};
pub use clustering::{Dbscan, DbscanPredictor, KMeans, KMeansPredictor};
pub use external::External;
pub use linear::{
    ClassScheme, ElasticNet, Lasso, LinearPredictor, LinearSvm, Link, LogisticRegression, NbSvm, Penalty,
    Probabilities, SoftmaxRegression,
};
pub use naive_bayes::{
    ComplementNaiveBayes, GaussianNaiveBayes, GaussianPredictor, MultinomialNaiveBayes, MultinomialPredictor,
};
pub use sentiment::{LexiconSentiment, SentimentPredictor};
pub use settings::{ClassWeight, ForestSettings};
pub(crate) use smart::boundary::guarded;
pub use smart::{
    ForestPredictor, KNearestNeighbours, LinearRegression, NeighbourSearch, NeighbourWeights, NeighboursPredictor,
    Ridge, TreePredictor,
};
pub use spec::EstimatorSpec;
pub use svm::{FittedKernel, FoundGamma, Gamma, Kernel, Svm, SvmPredictor};
pub use trees::{
    Contamination, DecisionTree, ExtraTrees, FoundContamination, IsolationForest, IsolationPredictor, RandomForest,
    TreesPredictor,
};

/// What is predicted, for each row.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// Class indices below `n_classes`; each class has a row.
    Classes {
        /// One index per row.
        indices: Vec<usize>,
        /// The number of classes.
        n_classes: usize,
    },
    /// Finite numbers.
    Numbers(Vec<f64>),
}

/// What an estimator is fitted on.
#[derive(Clone, Copy)]
pub struct TrainingData<'a> {
    /// One row per value of the target; no cell is infinite, and none is `NaN` unless the estimator takes missing values.
    pub features: &'a FeatureMatrix,
    /// What is predicted.
    pub target: &'a Target,
    /// Where all randomness comes from.
    pub seed: u64,
    /// The preprocessing that made the features.
    pub preprocessor: &'a Preprocessor,
}

/// What was fitted.
#[derive(Debug)]
pub struct Fitted {
    /// What predicts.
    pub predictor: FittedPredictor,
    /// What the user should know, such as that an iteration did not converge.
    pub warnings: Vec<String>,
}

/// Settings of something that can be fitted.
pub trait Estimator: Send + Sync {
    /// Returns the name in pipeline files.
    fn kind(&self) -> &'static str;

    /// Returns the tasks it is for.
    fn tasks(&self) -> &'static [Task];

    /// Returns what is wrong with the settings: the setting and the reason.
    fn setting_faults(&self) -> Vec<(&'static str, String)>;

    /// Fits. The result depends on `data` alone, not on the number of threads.
    ///
    /// # Errors
    /// [`TrainError`] when there is nothing to learn, when the features are too wide, or when the caller asked to stop.
    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError>;
}

/// One number per row and class, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// The number of classes.
    pub n_classes: usize,
    /// `n_classes` values per row.
    pub values: Vec<f64>,
}

/// A prediction for each row.
#[derive(Debug, Clone, PartialEq)]
pub enum Outputs {
    /// Class indices.
    Classes(Vec<usize>),
    /// Numbers.
    Numbers(Vec<f64>),
}

/// What was fitted and predicts. It does not change by use.
pub trait Predictor: Send + Sync {
    /// Returns the number of features it was fitted on.
    fn n_features(&self) -> usize;

    /// Predicts each row.
    ///
    /// # Errors
    /// [`PredictError::WrongWidth`], or [`PredictError::Failed`] when the library under the estimator fails.
    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError>;

    /// Returns the probability of each class for each row, each row with sum 1; `None` where the estimator has none.
    ///
    /// # Errors
    /// Those of [`Predictor::predict`].
    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError>;

    /// Returns scores that are higher for likelier classes; `None` where the estimator has none besides probabilities.
    ///
    /// # Errors
    /// Those of [`Predictor::predict`].
    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError>;
}

impl dyn Predictor + '_ {
    /// Returns probabilities, else decision scores, if there are any.
    pub(crate) fn scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        match self.predict_proba(features)? {
            Some(probabilities) => Ok(Some(probabilities)),
            None => self.decision_scores(features),
        }
    }
}

/// A predictor as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FittedPredictor {
    /// The same for every row.
    Constant(ConstantPredictor),
    /// The value of a feature.
    Column(ColumnPredictor),
    /// Sums of weighted features.
    Linear(LinearPredictor),
    /// Counts of features per class.
    MultinomialNaiveBayes(MultinomialPredictor),
    /// Normal distributions of features per class.
    GaussianNaiveBayes(GaussianPredictor),
    /// A decision tree of an earlier version.
    DecisionTree(TreePredictor),
    /// A random forest of an earlier version.
    RandomForest(ForestPredictor),
    /// Many small trees, each correcting the ones before it.
    GradientBoosting(BoostedTrees),
    /// The nearest training rows.
    Neighbours(NeighboursPredictor),
    /// What texts of positive, neutral and negative sentiment are.
    LexiconSentiment(SentimentPredictor),
    /// A model from elsewhere, which reads columns.
    Onnx(OnnxPredictor),
    /// Decision trees with thresholds drawn at random.
    ExtraTrees(TreesPredictor),
    /// The rows that support a margin.
    Svm(SvmPredictor),
    /// The means of clusters.
    KMeans(KMeansPredictor),
    /// The dense rows of clusters.
    Dbscan(DbscanPredictor),
    /// Random trees that set anomalies apart.
    IsolationForest(IsolationPredictor),
    /// Decision trees with the best of all splits.
    Trees(TreesPredictor),
}

impl FittedPredictor {
    /// Returns the predictor as what it does.
    pub fn as_predictor(&self) -> &dyn Predictor {
        match self {
            FittedPredictor::Constant(predictor) => predictor,
            FittedPredictor::Column(predictor) => predictor,
            FittedPredictor::Linear(predictor) => predictor,
            FittedPredictor::MultinomialNaiveBayes(predictor) => predictor,
            FittedPredictor::GaussianNaiveBayes(predictor) => predictor,
            FittedPredictor::DecisionTree(predictor) => predictor,
            FittedPredictor::RandomForest(predictor) => predictor,
            FittedPredictor::GradientBoosting(predictor) => predictor,
            FittedPredictor::Neighbours(predictor) => predictor,
            FittedPredictor::LexiconSentiment(predictor) => predictor,
            FittedPredictor::Onnx(predictor) => predictor,
            FittedPredictor::ExtraTrees(predictor) | FittedPredictor::Trees(predictor) => predictor,
            FittedPredictor::Svm(predictor) => predictor,
            FittedPredictor::KMeans(predictor) => predictor,
            FittedPredictor::Dbscan(predictor) => predictor,
            FittedPredictor::IsolationForest(predictor) => predictor,
        }
    }

    /// Returns why the stored parts do not fit each other, `n_features` or `n_classes`, if so. There are no classes in a
    /// regression.
    pub(crate) fn inconsistency(&self, n_features: usize, n_classes: usize) -> Option<String> {
        let fitted_on = self.as_predictor().n_features();
        if fitted_on != n_features {
            return Some(format!("a predictor of {fitted_on} features gets {n_features}"));
        }
        match self {
            FittedPredictor::Constant(predictor) => predictor.inconsistency(n_classes),
            FittedPredictor::Column(predictor) => predictor.inconsistency(n_classes),
            FittedPredictor::Linear(predictor) => predictor.inconsistency(n_classes),
            FittedPredictor::MultinomialNaiveBayes(predictor) => predictor.inconsistency(n_classes),
            FittedPredictor::GaussianNaiveBayes(predictor) => predictor.inconsistency(n_classes),
            FittedPredictor::DecisionTree(predictor) => predictor.inconsistency(n_classes),
            FittedPredictor::RandomForest(predictor) => predictor.inconsistency(n_classes),
            FittedPredictor::GradientBoosting(predictor) => predictor.inconsistency(n_classes),
            FittedPredictor::Neighbours(predictor) => predictor.inconsistency(n_classes),
            FittedPredictor::LexiconSentiment(predictor) => predictor.inconsistency(n_classes),
            FittedPredictor::Onnx(predictor) => predictor.inconsistency(n_classes),
            FittedPredictor::ExtraTrees(predictor) | FittedPredictor::Trees(predictor) => {
                predictor.inconsistency(n_classes)
            }
            FittedPredictor::Svm(predictor) => predictor.inconsistency(n_classes),
            FittedPredictor::KMeans(predictor) => predictor.inconsistency(n_classes),
            FittedPredictor::Dbscan(predictor) => predictor.inconsistency(n_classes),
            FittedPredictor::IsolationForest(predictor) => predictor.inconsistency(n_classes),
        }
    }

    /// Returns the names of the groups that were found without a target; `None` if there was one. Clusters are called by their
    /// numbers, and what is in none of them `noise`.
    pub(crate) fn found_classes(&self) -> Option<Vec<String>> {
        let numbers = |n_clusters: usize| (0..n_clusters).map(|cluster| cluster.to_string());
        match self {
            FittedPredictor::KMeans(predictor) => Some(numbers(predictor.n_clusters()).collect()),
            FittedPredictor::Dbscan(predictor) => {
                Some(numbers(predictor.n_clusters()).chain(["noise".to_owned()]).collect())
            }
            FittedPredictor::IsolationForest(_) => Some(IsolationPredictor::CLASSES.map(str::to_owned).to_vec()),
            _ => None,
        }
    }
}

impl Target {
    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        match self {
            Target::Classes { indices, .. } => indices.len(),
            Target::Numbers(numbers) => numbers.len(),
        }
    }

    /// Returns whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns class indices and the number of classes.
    ///
    /// # Errors
    /// [`TrainError::Fit`] for numbers; the task of an estimator is checked before it is fitted.
    fn classes(&self, kind: &'static str) -> Result<(&[usize], usize), TrainError> {
        match self {
            Target::Classes { indices, n_classes } => Ok((indices, *n_classes)),
            Target::Numbers(_) => Err(TrainError::Fit { kind, reason: "the target must be a category".to_owned() }),
        }
    }

    fn numbers(&self, kind: &'static str) -> Result<&[f64], TrainError> {
        match self {
            Target::Numbers(numbers) => Ok(numbers),
            Target::Classes { .. } => Err(TrainError::Fit { kind, reason: "the target must be a number".to_owned() }),
        }
    }
}

impl Scores {
    /// Returns the scores of `row`.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.n_classes..(row + 1) * self.n_classes]
    }

    /// Returns the class with the highest score of each row, the first of equals.
    pub fn best_classes(&self) -> Vec<usize> {
        self.values.chunks(self.n_classes).map(best_class).collect()
    }

    /// Returns of each row whether all of its scores are finite.
    pub(crate) fn finite_rows(&self) -> Vec<bool> {
        self.values.chunks(self.n_classes).map(|row| row.iter().all(|score| score.is_finite())).collect()
    }

    /// Makes probabilities of joint logarithms: `exp` of each, scaled to sum 1.
    fn from_log_likelihoods(n_classes: usize, mut values: Vec<f64>) -> Scores {
        for row in values.chunks_mut(n_classes) {
            let greatest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for value in row.iter_mut() {
                *value = (*value - greatest).exp();
            }
            let sum: f64 = row.iter().sum();
            for value in row.iter_mut() {
                *value /= sum;
            }
        }
        Scores { n_classes, values }
    }
}

fn best_class(scores: &[f64]) -> usize {
    let mut best = 0;
    for (class, &score) in scores.iter().enumerate().skip(1) {
        if score > scores[best] {
            best = class;
        }
    }
    best
}

fn check_width(expected: usize, features: &FeatureMatrix) -> Result<(), PredictError> {
    let found = features.n_columns();
    if found == expected { Ok(()) } else { Err(PredictError::WrongWidth { expected, found }) }
}
