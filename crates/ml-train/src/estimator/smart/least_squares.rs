//! Linear regression of numbers, with and without a penalty on large weights.

use serde::{Deserialize, Serialize};
use smartcore::error::Failed;
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix as SmartMatrix;
use smartcore::linear::linear_regression::{LinearRegression as SmartLinear, LinearRegressionParameters};
use smartcore::linear::ridge_regression::{RidgeRegression, RidgeRegressionParameters};

use super::boundary::{column_major, guarded};
use crate::error::TrainError;
use crate::estimator::settings::{Faults, REGRESSION};
use crate::estimator::{Estimator, Fitted, FittedPredictor, LinearPredictor, Link, TrainingData};
use crate::matrix::{DenseMatrix, FeatureMatrix};
use crate::progress::Progress;
use crate::spec::Task;

/// Least squares plus `alpha` times the squared length of the weights; the intercept is free.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ridge {
    /// How much the size of the weights counts.
    pub alpha: f64,
}

impl Default for Ridge {
    fn default() -> Ridge {
        Ridge { alpha: 1.0 }
    }
}

/// Ordinary least squares; of several best weights the shortest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearRegression {}

/// The time for a fit grows by the third power of the number of features: with more it would take hours.
const MAX_COLUMNS: usize = 4096;

type RidgeModel = RidgeRegression<f64, f64, SmartMatrix<f64>, Vec<f64>>;
type LinearModel = SmartLinear<f64, f64, SmartMatrix<f64>, Vec<f64>>;

impl Estimator for Ridge {
    fn kind(&self) -> &'static str {
        Ridge::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        REGRESSION
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Faults::default().positive("alpha", self.alpha).list()
    }

    fn fit(&self, data: TrainingData<'_>, _progress: &dyn Progress) -> Result<Fitted, TrainError> {
        fit_centred(self.kind(), data, |features, target| {
            // smartcore's own normalisation would scale the features, and so change what `alpha` means.
            let parameters = RidgeRegressionParameters::default().with_alpha(self.alpha).with_normalize(false);
            Ok(RidgeModel::fit(features, target, parameters)?.coefficients().clone())
        })
    }
}

impl Estimator for LinearRegression {
    fn kind(&self) -> &'static str {
        LinearRegression::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        REGRESSION
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn fit(&self, data: TrainingData<'_>, _progress: &dyn Progress) -> Result<Fitted, TrainError> {
        fit_centred(self.kind(), data, |features, target| {
            Ok(LinearModel::fit(features, target, LinearRegressionParameters::default())?.coefficients().clone())
        })
    }
}

/// Fits weights on features and target less their means, which leaves the intercept out of the fit and of its penalty.
fn fit_centred(
    kind: &'static str,
    data: TrainingData<'_>,
    fit: impl FnOnce(&SmartMatrix<f64>, &Vec<f64>) -> Result<SmartMatrix<f64>, Failed>,
) -> Result<Fitted, TrainError> {
    let target = data.target.numbers(kind)?;
    let n_columns = data.features.n_columns();
    if n_columns > MAX_COLUMNS {
        let what = format!("`{kind}` of {n_columns} features is more than {MAX_COLUMNS}");
        return Err(TrainError::data(what, "use `elastic_net`, or name fewer columns"));
    }
    let means = column_means(kind, data.features)?;
    let target_mean = target.iter().sum::<f64>() / target.len() as f64;
    let (features, target) = centred(kind, data.features, &means, target, target_mean)?;
    let weights = guarded(|| fit(&column_major(&features)?, &target)).map_err(|reason| TrainError::Fit {
        kind,
        reason: format!("{reason}, as happens with huge and tiny numbers: standardise the features"),
    })?;
    let weights: Vec<f64> = weights.iterator(0).copied().collect();
    if let Some(feature) = weights.iter().position(|weight| !weight.is_finite()) {
        let reason = format!("the weight of feature {feature} is not finite: standardise the features");
        return Err(TrainError::Fit { kind, reason });
    }
    let intercept = target_mean - weights.iter().zip(&means).map(|(weight, mean)| weight * mean).sum::<f64>();
    let predictor = LinearPredictor::new(Link::Identity, vec![intercept], weights);
    Ok(Fitted { predictor: FittedPredictor::Linear(predictor), warnings: Vec::new() })
}

fn column_means(kind: &'static str, features: &FeatureMatrix) -> Result<Vec<f64>, TrainError> {
    if features.n_columns() == 0 {
        return Err(TrainError::data(format!("`{kind}` has no features"), "declare `features`"));
    }
    let mut means = vec![0.0; features.n_columns()];
    for row in 0..features.n_rows() {
        features.for_each_in_row(row, |column, value| means[column] += value);
    }
    for mean in &mut means {
        *mean /= features.n_rows() as f64;
    }
    Ok(means)
}

/// Subtracts the means. smartcore wants more rows than columns: rows of zeros, which change no sum of squares, are added.
fn centred(
    kind: &'static str,
    features: &FeatureMatrix,
    means: &[f64],
    target: &[f64],
    target_mean: f64,
) -> Result<(DenseMatrix, Vec<f64>), TrainError> {
    let dense = features.to_dense().map_err(|source| TrainError::TooWide { kind, source })?;
    let n_columns = dense.n_columns();
    let n_rows = dense.n_rows().max(n_columns + 1);
    let mut cells = Vec::with_capacity(n_rows * n_columns);
    for row in 0..dense.n_rows() {
        cells.extend(dense.row(row).iter().zip(means).map(|(cell, mean)| cell - mean));
    }
    cells.resize(n_rows * n_columns, 0.0);
    let mut target: Vec<f64> = target.iter().map(|value| value - target_mean).collect();
    target.resize(n_rows, 0.0);
    Ok((DenseMatrix::new(n_rows, n_columns, cells), target))
}
