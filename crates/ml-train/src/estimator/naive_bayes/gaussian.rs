//! Naive Bayes for numbers: means and variances come from smartcore, smoothing and scoring are ours.

use serde::{Deserialize, Serialize};
use smartcore::linalg::basic::matrix::DenseMatrix as SmartMatrix;
use smartcore::naive_bayes::gaussian::{GaussianNB, GaussianNBParameters};

use crate::error::{PredictError, TrainError};
use crate::estimator::settings::{CLASSIFICATION, Faults};
use crate::estimator::smart::boundary::{class_labels, fit_guarded, smart_features};
use crate::estimator::{Estimator, Fitted, FittedPredictor, Outputs, Predictor, Scores, TrainingData, check_width};
use crate::matrix::FeatureMatrix;
use crate::progress::Progress;
use crate::spec::Task;

/// Gaussian naive Bayes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianNaiveBayes {
    /// The share of the greatest variance of a feature that is added to every variance, so that none is 0.
    pub variance_smoothing: f64,
}

impl Default for GaussianNaiveBayes {
    fn default() -> GaussianNaiveBayes {
        GaussianNaiveBayes { variance_smoothing: 1e-9 }
    }
}

type Model = GaussianNB<f64, u32, SmartMatrix<f64>, Vec<u32>>;

/// Mean and variance of each feature in each class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GaussianPredictor {
    n_features: usize,
    classes: Vec<ClassDistribution>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ClassDistribution {
    log_prior: f64,
    means: Vec<f64>,
    variances: Vec<f64>,
}

impl Estimator for GaussianNaiveBayes {
    fn kind(&self) -> &'static str {
        GaussianNaiveBayes::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        CLASSIFICATION
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Faults::default().positive("variance_smoothing", self.variance_smoothing).list()
    }

    fn fit(&self, data: TrainingData<'_>, _progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let (classes, _) = data.target.classes(self.kind())?;
        let features = smart_features(self.kind(), data.features)?;
        let labels = class_labels(classes);
        let model = fit_guarded(self.kind(), || Model::fit(&features, &labels, GaussianNBParameters::default()))?;

        let smoothing = self.variance_smoothing * greatest_variance(data.features);
        // Only constant features are left without any variance; then any number will do.
        let smoothing = if smoothing > 0.0 { smoothing } else { self.variance_smoothing };
        let distributions = model.class_priors().iter().zip(model.theta()).zip(model.var());
        let classes = distributions
            .map(|((prior, means), variances)| ClassDistribution {
                log_prior: prior.ln(),
                means: means.clone(),
                variances: variances.iter().map(|variance| variance + smoothing).collect(),
            })
            .collect();
        let predictor = GaussianPredictor { n_features: data.features.n_columns(), classes };
        Ok(Fitted { predictor: FittedPredictor::GaussianNaiveBayes(predictor), warnings: Vec::new() })
    }
}

fn greatest_variance(features: &FeatureMatrix) -> f64 {
    let (n_rows, n_columns) = (features.n_rows() as f64, features.n_columns());
    let mut means = vec![0.0; n_columns];
    for row in 0..features.n_rows() {
        features.for_each_in_row(row, |column, value| means[column] += value / n_rows);
    }
    // Cells that are 0 are not visited: every row counts as 0 first, and those that are not are corrected.
    let mut squares: Vec<f64> = means.iter().map(|mean| mean * mean * n_rows).collect();
    for row in 0..features.n_rows() {
        features.for_each_in_row(row, |column, value| {
            squares[column] += (value - means[column]).powi(2) - means[column].powi(2);
        });
    }
    squares.into_iter().fold(0.0, f64::max) / n_rows
}

impl GaussianPredictor {
    pub(in crate::estimator) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        let fits = |class: &ClassDistribution| {
            class.means.len() == self.n_features && class.variances.len() == self.n_features
        };
        (n_classes == 0 || self.classes.len() != n_classes || !self.classes.iter().all(fits))
            .then(|| "the distributions of naive Bayes do not fit the classes".to_owned())
    }

    fn log_likelihoods(&self, features: &FeatureMatrix) -> Result<Vec<f64>, PredictError> {
        check_width(self.n_features, features)?;
        let mut cells = vec![0.0; self.n_features];
        let mut sums = Vec::with_capacity(features.n_rows() * self.classes.len());
        for row in 0..features.n_rows() {
            cells.fill(0.0);
            features.for_each_in_row(row, |feature, value| cells[feature] = value);
            sums.extend(self.classes.iter().map(|class| class.log_likelihood(&cells)));
        }
        Ok(sums)
    }
}

impl ClassDistribution {
    fn log_likelihood(&self, cells: &[f64]) -> f64 {
        let mut sum = self.log_prior;
        for ((cell, mean), variance) in cells.iter().zip(&self.means).zip(&self.variances) {
            sum -= 0.5 * ((std::f64::consts::TAU * variance).ln() + (cell - mean).powi(2) / variance);
        }
        sum
    }
}

impl Predictor for GaussianPredictor {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        let scores = Scores { n_classes: self.classes.len(), values: self.log_likelihoods(features)? };
        Ok(Outputs::Classes(scores.best_classes()))
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        Ok(Some(Scores::from_log_likelihoods(self.classes.len(), self.log_likelihoods(features)?)))
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }
}
