//! Linear support vectors for sparse features.

use serde::{Deserialize, Serialize};

use super::Link;
use super::one_vs_rest::{self, Binary, Solution};
use super::problem::Weights;
use crate::error::TrainError;
use crate::estimator::settings::{CLASSIFICATION, Faults};
use crate::estimator::{ClassWeight, Estimator, Fitted, TrainingData};
use crate::progress::Progress;
use crate::spec::Task;

/// L2-regularised squared hinge loss, one class against the rest, as liblinear's solver 1 and scikit-learn's `LinearSVC`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearSvm {
    /// How much the loss counts against the size of the weights.
    pub c: f64,
    /// When projected gradients differ by less, the iteration ends.
    pub tolerance: f64,
    /// The most passes over the rows.
    pub max_iterations: usize,
    /// How much a row of a class counts.
    pub class_weight: ClassWeight,
}

impl Default for LinearSvm {
    fn default() -> LinearSvm {
        LinearSvm { c: 1.0, tolerance: 0.1, max_iterations: 1000, class_weight: ClassWeight::None }
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
            .positive("tolerance", self.tolerance)
            .at_least("max_iterations", 1, self.max_iterations)
            .list()
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        one_vs_rest::fit(self.kind(), Link::Margin, data, progress, (self.c, self.class_weight), |binary| {
            self.solve(binary)
        })
    }
}

/// The range of projected gradients of a pass.
#[derive(Clone, Copy)]
struct GradientRange {
    least: f64,
    greatest: f64,
}

impl GradientRange {
    const EMPTY: GradientRange = GradientRange { least: f64::INFINITY, greatest: f64::NEG_INFINITY };

    fn include(&mut self, gradient: f64) {
        self.least = self.least.min(gradient);
        self.greatest = self.greatest.max(gradient);
    }

    /// Returns the gradient above which a variable at its bound is left out of the next pass.
    fn shrinking_bound(self) -> f64 {
        if self.greatest <= 0.0 { f64::INFINITY } else { self.greatest }
    }
}

impl LinearSvm {
    /// Dual coordinate descent with shrinking.
    ///
    /// Source: Hsieh, Chang, Lin, Keerthi and Sundararajan, *A dual coordinate descent method for large-scale linear SVM*
    /// (2008), algorithm 3.
    fn solve(&self, mut binary: Binary<'_>) -> Solution {
        let n_rows = binary.problem.n_rows();
        let mut weights = Weights::zero(binary.problem);
        let mut duals = vec![0.0; n_rows];
        let mut active: Vec<usize> = (0..n_rows).collect();
        let mut n_active = n_rows;
        let mut shrinking_bound = f64::INFINITY;
        for _ in 0..self.max_iterations {
            if binary.progress.is_cancelled() {
                break;
            }
            let mut range = GradientRange::EMPTY;
            binary.random.shuffle(&mut active[..n_active]);
            let mut position = 0;
            while position < n_active {
                let row = active[position];
                let (sign, diagonal) = (binary.signs[row], 0.5 / binary.costs[row]);
                let dual: f64 = duals[row];
                let gradient = sign * weights.dot(binary.problem, row) - 1.0 + diagonal * dual;
                if dual == 0.0 && gradient > shrinking_bound {
                    n_active -= 1;
                    active.swap(position, n_active);
                    continue;
                }
                position += 1;
                let projected = if dual == 0.0 { gradient.min(0.0) } else { gradient };
                range.include(projected);
                if projected.abs() > 1e-12 {
                    let curvature = binary.problem.squared_lengths[row] + diagonal;
                    duals[row] = (dual - gradient / curvature).max(0.0);
                    weights.add(binary.problem, row, (duals[row] - dual) * sign);
                }
            }
            // A pass without any gradient has an empty range, which ends the iteration too.
            if range.greatest - range.least <= self.tolerance {
                if n_active == n_rows {
                    return Solution { weights, has_converged: true };
                }
                n_active = n_rows;
                shrinking_bound = f64::INFINITY;
            } else {
                shrinking_bound = range.shrinking_bound();
            }
        }
        Solution { weights, has_converged: false }
    }
}
