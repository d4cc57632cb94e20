//! The estimators that a pipeline can name.

use serde::{Deserialize, Serialize};

use super::{
    Column, ComplementNaiveBayes, Dbscan, DecisionTree, ElasticNet, Estimator, External, ExtraTrees,
    GaussianNaiveBayes, GradientBoosting, IsolationForest, KMeans, KNearestNeighbours, Lasso, LexiconSentiment,
    LinearRegression, LinearSvm, LogisticRegression, MajorityClass, Mean, MultinomialNaiveBayes, NbSvm, RandomForest,
    Ridge, SoftmaxRegression, Svm,
};
use crate::preprocess::MissingValues;
use crate::spec::Task;

macro_rules! estimators {
    ($($(#[$doc:meta])* $variant:ident => $kind:literal,)*) => {
        /// An estimator with its settings; `kind` names it in pipeline files.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum EstimatorSpec {
            $($(#[$doc])* #[serde(rename = $kind)] $variant($variant),)*
        }

        impl EstimatorSpec {
            /// The names of all estimators.
            pub const KINDS: [&'static str; [$($kind),*].len()] = [$($kind),*];

            /// Returns an estimator of each kind with default settings, as far as there are defaults for all.
            fn defaults() -> Vec<EstimatorSpec> {
                vec![$(EstimatorSpec::$variant($variant::default())),*]
            }

            /// Returns the estimator as what it does.
            pub fn as_estimator(&self) -> &dyn Estimator {
                match self {
                    $(EstimatorSpec::$variant(estimator) => estimator,)*
                }
            }
        }

        $(impl $variant {
            /// The name in pipeline files.
            pub const KIND: &'static str = $kind;
        })*
    };
}

estimators! {
    /// Linear support vectors, one against the rest.
    LinearSvm => "linear_svm",
    /// Linear support vectors on features weighed by naive Bayes.
    NbSvm => "nb_svm",
    /// Logistic regression.
    LogisticRegression => "logistic_regression",
    /// Multinomial logistic regression on dense features.
    SoftmaxRegression => "softmax_regression",
    /// Naive Bayes for counts.
    MultinomialNaiveBayes => "multinomial_naive_bayes",
    /// Naive Bayes for counts, by what a class is not.
    ComplementNaiveBayes => "complement_naive_bayes",
    /// Naive Bayes for numbers.
    GaussianNaiveBayes => "gaussian_naive_bayes",
    /// One decision tree.
    DecisionTree => "decision_tree",
    /// Many decision trees.
    RandomForest => "random_forest",
    /// Many small trees, each correcting the ones before it.
    GradientBoosting => "gradient_boosting",
    /// The nearest training rows.
    KNearestNeighbours => "k_nearest_neighbours",
    /// Linear regression with a penalty on large weights.
    Ridge => "ridge",
    /// Ordinary least squares.
    LinearRegression => "linear_regression",
    /// Sentiment by a word list.
    LexiconSentiment => "lexicon_sentiment",
    /// Linear regression with a penalty that makes weights 0.
    Lasso => "lasso",
    /// Linear regression with both penalties.
    ElasticNet => "elastic_net",
    /// Decision trees with thresholds drawn at random.
    ExtraTrees => "extra_trees",
    /// Support vectors with kernels.
    Svm => "svm",
    /// Clusters around their means.
    KMeans => "k_means",
    /// Clusters of rows that are near each other.
    Dbscan => "dbscan",
    /// Anomalies by random trees.
    IsolationForest => "isolation_forest",
    /// The most frequent class.
    MajorityClass => "majority_class",
    /// The mean of the target.
    Mean => "mean",
    /// The value of a column.
    Column => "column",
    /// A model that another program fits.
    External => "external",
}

impl EstimatorSpec {
    /// Returns the baseline of classification.
    pub fn majority_class() -> EstimatorSpec {
        EstimatorSpec::MajorityClass(MajorityClass::default())
    }

    /// Returns the baseline of regression.
    pub fn mean() -> EstimatorSpec {
        EstimatorSpec::Mean(Mean::default())
    }

    /// Returns the name in pipeline files.
    pub fn kind(&self) -> &'static str {
        self.as_estimator().kind()
    }

    /// Returns the tasks it is for.
    pub fn tasks(&self) -> &'static [Task] {
        self.as_estimator().tasks()
    }

    /// Returns the names of the estimators for `task`.
    pub(crate) fn kinds_for(task: Task) -> Vec<&'static str> {
        EstimatorSpec::defaults()
            .iter()
            .filter(|estimator| estimator.tasks().contains(&task))
            .map(EstimatorSpec::kind)
            .collect()
    }

    /// Returns what is wrong with the settings: the setting and the reason.
    pub(crate) fn setting_faults(&self) -> Vec<(&'static str, String)> {
        self.as_estimator().setting_faults()
    }

    /// Returns the columns that a baseline reads; `None` for an estimator that reads all features.
    pub(crate) fn baseline_columns(&self) -> Option<Vec<String>> {
        match self {
            EstimatorSpec::MajorityClass(_) | EstimatorSpec::Mean(_) => Some(Vec::new()),
            EstimatorSpec::Column(column) => Some(vec![column.column.clone()]),
            _ => None,
        }
    }

    /// Returns what becomes of missing values in features.
    pub(crate) fn missing_values(&self) -> MissingValues {
        match self {
            EstimatorSpec::GradientBoosting(_) => MissingValues::Keep,
            _ => MissingValues::Refuse,
        }
    }

    /// Returns whether it reads codes of categories as categories.
    pub(crate) fn reads_categories(&self) -> bool {
        matches!(self, EstimatorSpec::GradientBoosting(_))
    }

    /// Returns whether predictions are in the units of the target whatever its transform.
    pub(crate) fn predicts_in_target_units(&self) -> bool {
        matches!(self, EstimatorSpec::Column(_) | EstimatorSpec::Mean(_))
    }
}
