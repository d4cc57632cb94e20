//! Multinomial logistic regression, by smartcore's LBFGS on dense features.

use serde::{Deserialize, Serialize};
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix as SmartMatrix;
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};

use super::boundary::{class_labels, fit_guarded, smart_features};
use crate::error::TrainError;
use crate::estimator::settings::{CLASSIFICATION, Faults};
use crate::estimator::{Estimator, Fitted, FittedPredictor, LinearPredictor, Link, TrainingData};
use crate::progress::Progress;
use crate::spec::Task;

/// One model of all classes together; the intercepts are free. Features should be standardised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SoftmaxRegression {
    /// How much half the squared length of the weights counts; 0 is no penalty.
    pub alpha: f64,
}

impl Default for SoftmaxRegression {
    fn default() -> SoftmaxRegression {
        SoftmaxRegression { alpha: 1.0 }
    }
}

type Model = LogisticRegression<f64, u32, SmartMatrix<f64>, Vec<u32>>;

impl Estimator for SoftmaxRegression {
    fn kind(&self) -> &'static str {
        SoftmaxRegression::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        CLASSIFICATION
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Faults::default().not_negative("alpha", self.alpha).list()
    }

    fn fit(&self, data: TrainingData<'_>, _progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let (classes, n_classes) = data.target.classes(self.kind())?;
        let features = smart_features(self.kind(), data.features)?;
        let labels = class_labels(classes);
        let parameters = LogisticRegressionParameters::default().with_alpha(self.alpha);
        let model = fit_guarded(self.kind(), || Model::fit(&features, &labels, parameters))?;

        let n_outputs = if n_classes == 2 { 1 } else { n_classes };
        let n_features = data.features.n_columns();
        let mut weights = Vec::with_capacity(n_features * n_outputs);
        for feature in 0..n_features {
            weights.extend((0..n_outputs).map(|output| *model.coefficients().get((output, feature))));
        }
        let intercepts: Vec<f64> = model.intercept().iterator(0).copied().collect();
        if weights.iter().chain(&intercepts).any(|weight| !weight.is_finite()) {
            let reason = "its weights are not finite: standardise the features, or raise `alpha`".to_owned();
            return Err(TrainError::Fit { kind: self.kind(), reason });
        }
        let link = if n_outputs == 1 { Link::LogOdds } else { Link::Softmax };
        let predictor = LinearPredictor::new(link, intercepts, weights);
        Ok(Fitted { predictor: FittedPredictor::Linear(predictor), warnings: Vec::new() })
    }
}
