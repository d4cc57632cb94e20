//! Linear support vectors for sparse features.

use serde::{Deserialize, Serialize};

use super::Link;
use super::calibration::{self, Probabilities};
use super::lanes::{DualLoss, RowOfLane, Verdict, Visit};
use super::one_vs_rest::{self, Settings};
use super::primal::{Loss, Penalty, Primal, REMEDY};
use crate::error::TrainError;
use crate::estimator::settings::{CLASSIFICATION, Faults};
use crate::estimator::{ClassWeight, Estimator, Fitted, TrainingData};
use crate::progress::Progress;
use crate::spec::Task;

/// Squared hinge loss, one class against the rest, as liblinear's and scikit-learn's `LinearSVC`. The intercept is penalised
/// as the weights are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearSvm {
    /// How much the loss counts against the size of the weights.
    pub c: f64,
    /// What large weights cost.
    pub penalty: Penalty,
    /// The share of the absolute penalty in that of `elastic_net`.
    pub l1_ratio: f64,
    /// When projected gradients differ by less, the iteration ends, by default 0.1. For penalties other than `l2`, when no
    /// derivative is larger than this share of what all rows count, by default 0.0001.
    pub tolerance: Option<f64>,
    /// The most passes over the rows.
    pub max_iterations: usize,
    /// How much a row of a class counts.
    pub class_weight: ClassWeight,
    /// Whether margins become probabilities.
    pub probabilities: Probabilities,
}

impl Default for LinearSvm {
    fn default() -> LinearSvm {
        LinearSvm {
            c: 1.0,
            penalty: Penalty::L2,
            l1_ratio: 0.5,
            tolerance: None,
            max_iterations: 1000,
            class_weight: ClassWeight::None,
            probabilities: Probabilities::None,
        }
    }
}

impl Estimator for LinearSvm {
    fn kind(&self) -> &'static str {
        LinearSvm::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        CLASSIFICATION
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Faults::default()
            .positive("c", self.c)
            .share("l1_ratio", self.l1_ratio)
            .positive("tolerance", self.tolerance.unwrap_or(1.0))
            .at_least("max_iterations", 1, self.max_iterations)
            .list()
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let (classes, n_classes) = data.target.classes(self.kind())?;
        let class_weights = self.class_weight.weights(classes, n_classes);
        let fit = |data: TrainingData<'_>| self.fit_margins(self.kind(), &class_weights, data, progress);
        match self.probabilities {
            Probabilities::None => fit(data),
            Probabilities::Sigmoid => calibration::calibrated(self.kind(), data, fit),
        }
    }
}

impl LinearSvm {
    /// Fits margins, with the given weight of a row of each class, for an estimator that goes by the name of `kind`.
    pub(super) fn fit_margins(
        &self,
        kind: &'static str,
        class_weights: &[f64],
        data: TrainingData<'_>,
        progress: &dyn Progress,
    ) -> Result<Fitted, TrainError> {
        let class_weights = class_weights.to_vec();
        if self.penalty != Penalty::L2 {
            let primal = Primal {
                kind,
                loss: Loss::SquaredHinge,
                c: self.c,
                penalty: self.penalty,
                l1_ratio: self.l1_ratio,
                class_weights,
                tolerance: self.tolerance.unwrap_or(1e-4),
                max_steps: self.max_iterations,
                remedy: REMEDY,
            };
            return primal.fit(data, progress);
        }
        let settings =
            Settings { kind, link: Link::Margin, cost: self.c, class_weights, max_passes: self.max_iterations };
        one_vs_rest::fit(&settings, &SquaredHinge { tolerance: self.tolerance.unwrap_or(0.1) }, data, progress)
    }
}

/// The squared hinge loss, by dual coordinate descent with shrinking.
///
/// Source: Hsieh, Chang, Lin, Keerthi and Sundararajan, *A dual coordinate descent method for large-scale linear SVM*
/// (2008), algorithm 3.
struct SquaredHinge {
    tolerance: f64,
}

/// The projected gradients of a pass, and when rows are left out.
#[derive(Clone)]
struct Gradients {
    least: f64,
    greatest: f64,
    /// A row whose dual variable is 0 and whose gradient is above is left out.
    bound: f64,
}

impl DualLoss for SquaredHinge {
    type Dual = f64;
    type Memory = Gradients;

    fn memory(&self) -> Gradients {
        Gradients { least: f64::INFINITY, greatest: f64::NEG_INFINITY, bound: f64::INFINITY }
    }

    fn initial_dual(&self, _cost: f64) -> f64 {
        0.0
    }

    fn contribution(&self, dual: &f64) -> f64 {
        *dual
    }

    fn loss(&self, margin: f64) -> f64 {
        (1.0 - margin).max(0.0).powi(2)
    }

    #[inline]
    fn visit(&self, gradients: &mut Gradients, dual: &mut f64, row: RowOfLane) -> Visit {
        let diagonal = 0.5 / row.cost;
        let gradient = row.margin - 1.0 + diagonal * *dual;
        if *dual == 0.0 && gradient > gradients.bound {
            return Visit::LeftOut;
        }
        let projected = if *dual == 0.0 { gradient.min(0.0) } else { gradient };
        gradients.least = gradients.least.min(projected);
        gradients.greatest = gradients.greatest.max(projected);
        if projected.abs() > NO_GRADIENT {
            *dual = (*dual - gradient / (row.squared_length + diagonal)).max(0.0);
        }
        Visit::Taken
    }

    fn end_pass(&self, gradients: &mut Gradients, _n_rows: usize, has_left_out: bool) -> Verdict {
        // A pass without any gradient has an empty range, which is below the tolerance too.
        let is_flat = gradients.greatest - gradients.least <= self.tolerance;
        let bound = if is_flat || gradients.greatest <= 0.0 { f64::INFINITY } else { gradients.greatest };
        *gradients = Gradients { bound, ..self.memory() };
        match (is_flat, has_left_out) {
            (false, _) => Verdict::Continue,
            (true, true) => Verdict::TakeAllRows,
            (true, false) => Verdict::Done,
        }
    }
}

/// Gradients up to here are rounding errors.
const NO_GRADIENT: f64 = 1e-12;
