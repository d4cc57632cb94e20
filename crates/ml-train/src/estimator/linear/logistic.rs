//! Logistic regression for sparse features.

use serde::{Deserialize, Serialize};

use super::Link;
use super::one_vs_rest::{self, Binary, Solution};
use super::problem::Weights;
use crate::error::TrainError;
use crate::estimator::settings::{CLASSIFICATION, Faults};
use crate::estimator::{ClassWeight, Estimator, Fitted, TrainingData};
use crate::progress::Progress;
use crate::spec::Task;

/// L2-regularised logistic loss, one class against the rest, as liblinear's solver 7. The intercept is regularised too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogisticRegression {
    /// How much the loss counts against the size of the weights.
    pub c: f64,
    /// When no gradient is larger, the iteration ends.
    pub tolerance: f64,
    /// The most passes over the rows.
    pub max_iterations: usize,
    /// How much a row of a class counts.
    pub class_weight: ClassWeight,
}

impl Default for LogisticRegression {
    fn default() -> LogisticRegression {
        LogisticRegression { c: 1.0, tolerance: 0.01, max_iterations: 1000, class_weight: ClassWeight::None }
    }
}

impl Estimator for LogisticRegression {
    fn kind(&self) -> &'static str {
        LogisticRegression::KIND
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
        one_vs_rest::fit(self.kind(), Link::LogOdds, data, progress, (self.c, self.class_weight), |binary| {
            self.solve(binary)
        })
    }
}

/// The dual variable of a row and its complement: both positive, and their sum is the cost of the row.
#[derive(Clone, Copy)]
struct Dual {
    value: f64,
    complement: f64,
}

/// The most Newton steps on one dual variable.
const MAX_NEWTON_STEPS: usize = 100;

impl LogisticRegression {
    /// Dual coordinate descent with Newton steps on each variable.
    ///
    /// Source: Yu, Huang and Lin, *Dual coordinate descent methods for logistic regression and maximum entropy models*
    /// (2011), algorithms 4 and 5.
    fn solve(&self, mut binary: Binary<'_>) -> Solution {
        let n_rows = binary.problem.n_rows();
        let mut weights = Weights::zero(binary.problem);
        let mut duals: Vec<Dual> = Vec::with_capacity(n_rows);
        for row in 0..n_rows {
            let cost = binary.costs[row];
            let value = (0.001 * cost).min(1e-8);
            duals.push(Dual { value, complement: cost - value });
            weights.add(binary.problem, row, binary.signs[row] * value);
        }
        let mut order: Vec<usize> = (0..n_rows).collect();
        let least_newton_tolerance = self.tolerance.min(1e-8);
        let mut newton_tolerance = 1e-2;
        for _ in 0..self.max_iterations {
            if binary.progress.is_cancelled() {
                break;
            }
            binary.random.shuffle(&mut order);
            let mut n_newton_steps = 0;
            let mut greatest_gradient: f64 = 0.0;
            for &row in &order {
                let sign = binary.signs[row];
                let margin = sign * weights.dot(binary.problem, row);
                let before = duals[row];
                let step = before.improved(margin, binary.problem.squared_lengths[row], newton_tolerance);
                greatest_gradient = greatest_gradient.max(step.gradient.abs());
                n_newton_steps += step.n_newton_steps;
                if step.n_newton_steps > 0 {
                    duals[row] = step.dual;
                    weights.add(binary.problem, row, sign * (step.dual.value - before.value));
                }
            }
            if greatest_gradient < self.tolerance {
                return Solution { weights, has_converged: true };
            }
            if n_newton_steps <= n_rows / 10 {
                newton_tolerance = least_newton_tolerance.max(0.1 * newton_tolerance);
            }
        }
        Solution { weights, has_converged: false }
    }
}

/// What became of one dual variable.
struct Step {
    dual: Dual,
    /// The gradient before the step.
    gradient: f64,
    n_newton_steps: usize,
}

impl Dual {
    /// Minimises the dual objective over this variable, whose row has the given margin and squared length.
    fn improved(self, margin: f64, squared_length: f64, tolerance: f64) -> Step {
        let cost = self.value + self.complement;
        // The smaller of the two variables is the one to move: it is the one that a step could make negative.
        let moves_value = 0.5 * squared_length * (self.complement - self.value) + margin >= 0.0;
        let (before, direction) = if moves_value { (self.value, 1.0) } else { (self.complement, -1.0) };
        let mut moved = if cost - before < 0.5 * cost { 0.1 * before } else { before };
        let gradient_at =
            |moved: f64| squared_length * (moved - before) + direction * margin + (moved / (cost - moved)).ln();
        let first_gradient = gradient_at(moved);
        let mut gradient = first_gradient;
        let mut n_newton_steps = 0;
        while n_newton_steps < MAX_NEWTON_STEPS && gradient.abs() >= tolerance {
            let curvature = squared_length + cost / (cost - moved) / moved;
            let next = moved - gradient / curvature;
            moved = if next <= 0.0 { 0.1 * moved } else { next };
            gradient = gradient_at(moved);
            n_newton_steps += 1;
        }
        let dual = if moves_value {
            Dual { value: moved, complement: cost - moved }
        } else {
            Dual { value: cost - moved, complement: moved }
        };
        Step { dual, gradient: first_gradient, n_newton_steps }
    }
}
