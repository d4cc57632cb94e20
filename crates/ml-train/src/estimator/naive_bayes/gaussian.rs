//! Naive Bayes for numbers, each feature of a class with a normal distribution of its own.

use serde::{Deserialize, Serialize};

use crate::error::{PredictError, TrainError};
use crate::estimator::dense::dense_features;
use crate::estimator::settings::{CLASSIFICATION, Faults};
use crate::estimator::{Estimator, Fitted, FittedPredictor, Outputs, Predictor, Scores, TrainingData, check_width};
use crate::matrix::{DenseMatrix, FeatureMatrix};
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
        let (classes, n_classes) = data.target.classes(self.kind())?;
        let features = dense_features(self.kind(), data.features)?;
        let n_rows = features.n_rows();
        let all_rows: Vec<usize> = (0..n_rows).collect();
        let (_, variances) = means_and_variances(&features, &all_rows);
        let smoothing = self.variance_smoothing * variances.into_iter().fold(0.0, f64::max);
        // Only constant features are left without any variance; then any number will do.
        let smoothing = if smoothing > 0.0 { smoothing } else { self.variance_smoothing };
        let mut rows = vec![Vec::new(); n_classes];
        for (row, &class) in classes.iter().enumerate() {
            rows[class].push(row);
        }
        let distribution = |rows: &Vec<usize>| {
            let (means, mut variances) = means_and_variances(&features, rows);
            for variance in &mut variances {
                *variance += smoothing;
            }
            ClassDistribution { log_prior: (rows.len() as f64 / n_rows as f64).ln(), means, variances }
        };
        let classes = rows.iter().map(distribution).collect();
        let predictor = GaussianPredictor { n_features: features.n_columns(), classes };
        Ok(Fitted { predictor: FittedPredictor::GaussianNaiveBayes(predictor), warnings: Vec::new() })
    }
}

/// Returns mean and variance of each feature in `rows`. The squares are of differences to the mean: those of the values
/// themselves leave nothing where values are far from 0 and near each other.
fn means_and_variances(features: &DenseMatrix, rows: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let n_rows = rows.len() as f64;
    let mut means = vec![0.0; features.n_columns()];
    for &row in rows {
        means.iter_mut().zip(features.row(row)).for_each(|(mean, cell)| *mean += cell);
    }
    for mean in &mut means {
        *mean /= n_rows;
    }
    let mut variances = vec![0.0; features.n_columns()];
    for &row in rows {
        for ((variance, cell), mean) in variances.iter_mut().zip(features.row(row)).zip(&means) {
            *variance += (cell - mean).powi(2);
        }
    }
    for variance in &mut variances {
        *variance /= n_rows;
    }
    (means, variances)
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
