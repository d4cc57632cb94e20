//! Logistic regression for sparse features.

use serde::{Deserialize, Serialize};

use super::Link;
use super::lanes::{DualLoss, RowOfLane, Verdict, Visit};
use super::one_vs_rest::{self, Settings};
use super::primal::{Loss, Penalty, Primal, REMEDY};
use crate::error::TrainError;
use crate::estimator::settings::{CLASSIFICATION, Faults};
use crate::estimator::{ClassWeight, Estimator, Fitted, TrainingData};
use crate::progress::Progress;
use crate::spec::Task;

/// Logistic loss. One class against the rest with the penalty `l2` is liblinear's solver 7, where the intercept is penalised
/// as the weights are; all else is the problem that scikit-learn's `LogisticRegression` solves, where it is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogisticRegression {
    /// How much the loss counts against the size of the weights.
    pub c: f64,
    /// What becomes of more than two classes.
    pub classes: ClassScheme,
    /// What large weights cost.
    pub penalty: Penalty,
    /// The share of the absolute penalty in that of `elastic_net`.
    pub l1_ratio: f64,
    /// When no gradient is larger, the iteration ends, by default 0.01. For `multinomial`, and penalties other than `l2`,
    /// when no derivative is larger than this share of what all rows count, by default 0.0001.
    pub tolerance: Option<f64>,
    /// The most passes over the rows.
    pub max_iterations: usize,
    /// How much a row of a class counts.
    pub class_weight: ClassWeight,
}

/// What becomes of more than two classes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassScheme {
    /// Each is separated from all others by itself, and the probabilities are scaled to sum 1.
    #[default]
    OneVsRest,
    /// The probabilities of all are fitted together.
    Multinomial,
}

impl Default for LogisticRegression {
    fn default() -> LogisticRegression {
        LogisticRegression {
            c: 1.0,
            classes: ClassScheme::OneVsRest,
            penalty: Penalty::L2,
            l1_ratio: 0.5,
            tolerance: None,
            max_iterations: 1000,
            class_weight: ClassWeight::None,
        }
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
            .share("l1_ratio", self.l1_ratio)
            .positive("tolerance", self.tolerance.unwrap_or(1.0))
            .at_least("max_iterations", 1, self.max_iterations)
            .list()
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let (classes, n_classes) = data.target.classes(self.kind())?;
        let class_weights = self.class_weight.weights(classes, n_classes);
        if self.classes == ClassScheme::Multinomial || self.penalty != Penalty::L2 {
            let one_vs_rest = self.classes == ClassScheme::OneVsRest;
            let primal = Primal {
                kind: self.kind(),
                loss: if one_vs_rest { Loss::LogOdds } else { Loss::Softmax },
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
        let settings = Settings {
            kind: self.kind(),
            link: Link::LogOdds,
            cost: self.c,
            class_weights,
            max_passes: self.max_iterations,
        };
        one_vs_rest::fit(&settings, &LogLoss { tolerance: self.tolerance.unwrap_or(0.01) }, data, progress)
    }
}

/// The logistic loss, by dual coordinate descent with Newton steps on each variable.
///
/// Source: Yu, Huang and Lin, *Dual coordinate descent methods for logistic regression and maximum entropy models*
/// (2011), algorithms 4 and 5.
struct LogLoss {
    tolerance: f64,
}

/// The gradients of a pass, and how exactly each variable is solved for.
#[derive(Clone)]
struct Effort {
    greatest_gradient: f64,
    n_newton_steps: usize,
    newton_tolerance: f64,
}

impl DualLoss for LogLoss {
    type Dual = Dual;
    type Memory = Effort;

    fn memory(&self) -> Effort {
        Effort { greatest_gradient: 0.0, n_newton_steps: 0, newton_tolerance: 1e-2 }
    }

    fn initial_dual(&self, cost: f64) -> Dual {
        let value = (0.001 * cost).min(1e-8);
        Dual { value, complement: cost - value }
    }

    fn contribution(&self, dual: &Dual) -> f64 {
        dual.value
    }

    fn loss(&self, margin: f64) -> f64 {
        // The exponent is never positive, so that it cannot overflow.
        (-margin).max(0.0) + (-margin.abs()).exp().ln_1p()
    }

    fn visit(&self, effort: &mut Effort, dual: &mut Dual, row: RowOfLane) -> Visit {
        let step = dual.improved(row.margin, row.squared_length, effort.newton_tolerance);
        effort.greatest_gradient = effort.greatest_gradient.max(step.gradient.abs());
        effort.n_newton_steps += step.n_newton_steps;
        if step.n_newton_steps > 0 {
            *dual = step.dual;
        }
        Visit::Taken
    }

    fn end_pass(&self, effort: &mut Effort, n_rows: usize, _has_left_out: bool) -> Verdict {
        if effort.greatest_gradient < self.tolerance {
            return Verdict::Done;
        }
        let is_lazy = effort.n_newton_steps <= n_rows / 10;
        let tighter = (0.1 * effort.newton_tolerance).max(self.tolerance.min(1e-8));
        let newton_tolerance = if is_lazy { tighter } else { effort.newton_tolerance };
        *effort = Effort { newton_tolerance, ..self.memory() };
        Verdict::Continue
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loss_is_that_of_the_probability_of_the_truth() {
        let loss = |margin: f64| LogLoss { tolerance: 0.01 }.loss(margin);
        assert!((loss(0.0) - 2.0_f64.ln()).abs() < 1e-15);
        assert!((loss(1.5) + super::super::sigmoid(1.5).ln()).abs() < 1e-15);
        assert_eq!((loss(-1000.0), loss(1000.0)), (1000.0, 0.0));
    }
}
