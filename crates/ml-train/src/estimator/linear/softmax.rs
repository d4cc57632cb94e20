//! Multinomial logistic regression by its penalty.

use serde::{Deserialize, Serialize};

use super::primal::{Loss, Penalty, Primal};
use crate::error::TrainError;
use crate::estimator::settings::{CLASSIFICATION, Faults};
use crate::estimator::{Estimator, Fitted, TrainingData};
use crate::progress::Progress;
use crate::spec::Task;

/// The largest mean derivative at which the iteration ends.
const TOLERANCE: f64 = 1e-6;

const MAX_ITERATIONS: usize = 1000;

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

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let (_, n_classes) = data.target.classes(self.kind())?;
        let (penalty, c) = if self.alpha > 0.0 { (Penalty::L2, self.alpha.recip()) } else { (Penalty::None, 1.0) };
        let primal = Primal {
            kind: self.kind(),
            loss: Loss::Softmax,
            c,
            penalty,
            l1_ratio: 0.0,
            class_weights: vec![1.0; n_classes],
            tolerance: TOLERANCE,
            max_steps: MAX_ITERATIONS,
            remedy: "standardise the features, or raise `alpha`",
        };
        primal.fit(data, progress)
    }
}
