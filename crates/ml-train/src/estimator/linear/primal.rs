//! Linear learners by quasi-Newton steps: several classes at once, and penalties that make weights 0.

use serde::{Deserialize, Serialize};

use super::quasi_newton::{Objective, SmoothLoss, Stop, WeightCost};
use super::{LinearPredictor, Link, sigmoid};
use crate::error::TrainError;
use crate::estimator::{Fitted, FittedPredictor, TrainingData};
use crate::progress::Progress;

/// What large weights cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Penalty {
    /// Half of their square: all weights become smaller.
    #[default]
    L2,
    /// Their absolute value: many weights become 0.
    L1,
    /// Both, by `l1_ratio`.
    ElasticNet,
    /// Nothing.
    None,
}

/// The loss that is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// Minus the logarithm of the probability of the class, over all classes at once.
    Softmax,
    /// The logarithmic loss of each class against the rest.
    LogOdds,
    /// The squared hinge loss of each class against the rest.
    SquaredHinge,
}

/// What is fitted.
pub(super) struct Primal {
    pub(super) kind: &'static str,
    pub(super) loss: Loss,
    /// How much the loss counts against the size of the weights.
    pub(super) c: f64,
    pub(super) penalty: Penalty,
    pub(super) l1_ratio: f64,
    /// How much a row of each class counts.
    pub(super) class_weights: Vec<f64>,
    /// When no derivative is larger than this share of what all rows count, the steps end.
    pub(super) tolerance: f64,
    pub(super) max_steps: usize,
    /// What to do where the steps do not get there.
    pub(super) remedy: &'static str,
}

/// What to do where settings are those of `c` and `max_iterations`.
pub(super) const REMEDY: &str = "raise `max_iterations`, lower `c`, or standardise the features";

/// The class of each row, and how much it counts.
struct Rows<'a> {
    loss: Loss,
    classes: &'a [usize],
    c: f64,
    class_weights: &'a [f64],
}

impl Primal {
    /// Fits the weights of all classes; of two classes, those of the second.
    pub(super) fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let (classes, n_classes) = data.target.classes(self.kind)?;
        let rows = data.features.to_sparse();
        let by_feature = rows.transposed();
        let n_outputs = if n_classes == 2 { 1 } else { n_classes };
        let loss = Rows {
            // Of two classes one is the rest of the other.
            loss: if n_classes == 2 && self.loss == Loss::Softmax { Loss::LogOdds } else { self.loss },
            classes,
            c: self.c,
            class_weights: &self.class_weights,
        };
        let [l1, l2] = match self.penalty {
            Penalty::L2 => [0.0, 1.0],
            Penalty::L1 => [1.0, 0.0],
            Penalty::ElasticNet => [self.l1_ratio, 1.0 - self.l1_ratio],
            Penalty::None => [0.0, 0.0],
        };
        let cost = WeightCost { l1, l2, with_intercepts: self.loss == Loss::SquaredHinge };
        let objective = Objective { rows: &rows, by_feature: &by_feature, loss: &loss, n_outputs, cost };
        let all_rows: f64 = classes.iter().map(|&class| self.c * loss.class_weights[class]).sum();
        let stop = Stop { gradient: self.tolerance * all_rows, max_steps: self.max_steps };
        let solution = objective.minimise(&stop, progress);
        if progress.is_cancelled() {
            return Err(TrainError::Cancelled);
        }
        let mut weights = solution.weights;
        let intercepts = weights.split_off(weights.len() - n_outputs);
        let link = match loss.loss {
            Loss::Softmax => Link::Softmax,
            Loss::LogOdds => Link::LogOdds,
            Loss::SquaredHinge => Link::Margin,
        };
        let warning = format!("`{}` did not converge: {}", self.kind, self.remedy);
        let warnings = if solution.has_converged { Vec::new() } else { vec![warning] };
        Ok(Fitted { predictor: FittedPredictor::Linear(LinearPredictor::new(link, intercepts, weights)), warnings })
    }
}

impl Rows<'_> {
    /// Returns the sign of a row for an output, and how much the row counts there. Against the rest, only the rows of the
    /// class itself have its weight; of two classes each has its own.
    fn sign_and_cost(&self, class: usize, output: usize, n_outputs: usize) -> (f64, f64) {
        let positive = if n_outputs == 1 { 1 } else { output };
        let sign = if class == positive { 1.0 } else { -1.0 };
        let weight = if n_outputs == 1 || class == positive { self.class_weights[class] } else { 1.0 };
        (sign, self.c * weight)
    }
}

impl SmoothLoss for Rows<'_> {
    fn lose(&self, row: usize, sums: &mut [f64]) -> f64 {
        let class = self.classes[row];
        if self.loss == Loss::Softmax {
            return softmax_loss(sums, class, self.c * self.class_weights[class]);
        }
        let n_outputs = sums.len();
        let mut loss = 0.0;
        for (output, sum) in sums.iter_mut().enumerate() {
            let (sign, cost) = self.sign_and_cost(class, output, n_outputs);
            let margin = sign * *sum;
            if self.loss == Loss::LogOdds {
                loss += cost * log_loss(margin);
                *sum = -cost * sign * sigmoid(-margin);
            } else {
                let lack = (1.0 - margin).max(0.0);
                loss += cost * lack * lack;
                *sum = -2.0 * cost * sign * lack;
            }
        }
        loss
    }
}

/// Returns `ln(1 + exp(−margin))` without overflow.
fn log_loss(margin: f64) -> f64 {
    (-margin.abs()).exp().ln_1p() + (-margin).max(0.0)
}

/// Returns the loss of a row of `class`, and replaces the sums by its derivatives.
fn softmax_loss(sums: &mut [f64], class: usize, cost: f64) -> f64 {
    let greatest = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let of_class = sums[class] - greatest;
    let mut total = 0.0;
    for sum in sums.iter_mut() {
        *sum = (*sum - greatest).exp();
        total += *sum;
    }
    for sum in sums.iter_mut() {
        *sum *= cost / total;
    }
    sums[class] -= cost;
    cost * (total.ln() - of_class)
}
