//! What boosting makes small: losses with their derivatives, and where the sums begin.

use rayon::prelude::*;

use super::histogram::Derivatives;
use crate::estimator::linear::sigmoid;

/// How many rows a thread goes through at a time. The losses of the parts are added in order, whatever the threads.
const ROWS_PER_PART: usize = 4096;

/// What the exponential of a sum is taken of at most.
const MAX_EXPONENT: f64 = 700.0;

/// A loss with what is to be predicted.
#[derive(Debug)]
pub(super) enum Objective {
    /// Half of the squared difference.
    SquaredError(Vec<f64>),
    /// The absolute difference.
    AbsoluteError(Vec<f64>),
    /// The deviance of counts, with the sum as the logarithm of their mean.
    Poisson(Vec<f64>),
    /// The logarithmic loss of two classes, with the sum as the log odds of the second.
    LogLoss(Classes),
    /// The logarithmic loss of several classes, each with a sum.
    Softmax(Classes),
}

/// The class of each row.
#[derive(Debug)]
pub(super) struct Classes {
    pub(super) indices: Vec<usize>,
    /// How much a row of each class counts.
    pub(super) weights: Vec<f64>,
}

/// A pass over all rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pass {
    /// The greatest size of a first and of a second derivative.
    pub(super) greatest: Derivatives,
    pub(super) training: LossSum,
    pub(super) validation: LossSum,
}

/// A sum of weighted losses.
#[derive(Debug, Clone, Copy)]
pub(super) struct LossSum {
    loss: f64,
    weight: f64,
    /// A product of probabilities whose logarithm is still to be taken, because one logarithm serves many rows.
    pending: f64,
}

impl Default for LossSum {
    fn default() -> LossSum {
        LossSum { loss: 0.0, weight: 0.0, pending: 1.0 }
    }
}

impl LossSum {
    fn add(&mut self, loss: f64) {
        self.loss += loss;
        self.weight += 1.0;
    }

    /// Adds the loss of a row whose true class has this probability.
    fn add_probability(&mut self, probability: f64, weight: f64) {
        let probability = probability.max(1e-100);
        self.weight += weight;
        if weight == 1.0 {
            self.pending *= probability;
            if self.pending < 1e-200 {
                self.settle();
            }
        } else {
            self.loss -= weight * probability.ln();
        }
    }

    fn settle(&mut self) {
        self.loss -= self.pending.ln();
        self.pending = 1.0;
    }

    /// Returns the mean loss; `None` without any row.
    pub(super) fn mean(mut self) -> Option<f64> {
        self.settle();
        (self.weight > 0.0).then(|| self.loss / self.weight)
    }

    fn merge(&mut self, mut other: LossSum) {
        other.settle();
        self.loss += other.loss;
        self.weight += other.weight;
    }
}

impl Objective {
    /// Returns how many sums a row has.
    pub(super) fn n_outputs(&self) -> usize {
        match self {
            Objective::Softmax(classes) => classes.weights.len(),
            _ => 1,
        }
    }

    /// Returns the sums that are best before there is any tree, from the training rows.
    pub(super) fn initial(&self, rows: &[u32]) -> Vec<f64> {
        let mean = |numbers: &[f64]| rows.iter().map(|&row| numbers[row as usize]).sum::<f64>() / rows.len() as f64;
        match self {
            Objective::SquaredError(numbers) => vec![mean(numbers)],
            Objective::AbsoluteError(numbers) => {
                vec![median(rows.iter().map(|&row| numbers[row as usize]).collect())]
            }
            Objective::Poisson(numbers) => vec![mean(numbers).max(f64::MIN_POSITIVE).ln()],
            Objective::LogLoss(classes) => {
                let shares = classes.shares(rows);
                vec![shares[1].ln() - shares[0].ln()]
            }
            Objective::Softmax(classes) => classes.shares(rows).into_iter().map(f64::ln).collect(),
        }
    }

    /// Computes the derivatives at `sums`, one per output of each row, and the losses of the rows inside and outside of
    /// the validation rows.
    pub(super) fn differentiate(&self, sums: &[f64], is_validation: &[bool], derivatives: &mut [Derivatives]) -> Pass {
        let n_outputs = self.n_outputs();
        let parts: Vec<Pass> = derivatives
            .par_chunks_mut(ROWS_PER_PART * n_outputs)
            .zip(sums.par_chunks(ROWS_PER_PART * n_outputs))
            .zip(is_validation.par_chunks(ROWS_PER_PART))
            .enumerate()
            .map(|(part, ((derivatives, sums), is_validation))| {
                self.differentiate_part(part * ROWS_PER_PART, sums, is_validation, derivatives)
            })
            .collect();
        let mut whole = Pass::default();
        for part in parts {
            whole.greatest.gradient = whole.greatest.gradient.max(part.greatest.gradient);
            whole.greatest.hessian = whole.greatest.hessian.max(part.greatest.hessian);
            whole.training.merge(part.training);
            whole.validation.merge(part.validation);
        }
        whole
    }

    fn differentiate_part(
        &self,
        first_row: usize,
        sums: &[f64],
        is_validation: &[bool],
        derivatives: &mut [Derivatives],
    ) -> Pass {
        let n_outputs = self.n_outputs();
        let mut pass = Pass::default();
        let rows = sums.chunks_exact(n_outputs).zip(derivatives.chunks_exact_mut(n_outputs)).zip(is_validation);
        for (row, ((sums, derivatives), &is_validation)) in rows.enumerate() {
            let loss = if is_validation { &mut pass.validation } else { &mut pass.training };
            self.differentiate_row(first_row + row, sums, derivatives, loss);
            for derivatives in derivatives {
                pass.greatest.gradient = pass.greatest.gradient.max(derivatives.gradient.abs());
                pass.greatest.hessian = pass.greatest.hessian.max(derivatives.hessian);
            }
        }
        pass
    }

    fn differentiate_row(&self, row: usize, sums: &[f64], derivatives: &mut [Derivatives], loss: &mut LossSum) {
        match self {
            Objective::SquaredError(numbers) => {
                let gradient = sums[0] - numbers[row];
                derivatives[0] = Derivatives { gradient, hessian: 1.0 };
                loss.add(0.5 * gradient * gradient);
            }
            Objective::AbsoluteError(numbers) => {
                let difference = sums[0] - numbers[row];
                let gradient = if difference == 0.0 { 0.0 } else { difference.signum() };
                derivatives[0] = Derivatives { gradient, hessian: 1.0 };
                loss.add(difference.abs());
            }
            Objective::Poisson(numbers) => {
                let mean = sums[0].min(MAX_EXPONENT).exp();
                derivatives[0] = Derivatives { gradient: mean - numbers[row], hessian: mean };
                loss.add(mean - numbers[row] * sums[0]);
            }
            Objective::LogLoss(classes) => {
                let class = classes.indices[row];
                let weight = classes.weights[class];
                let probability = sigmoid(sums[0]);
                let of_truth = if class == 1 { probability } else { 1.0 - probability };
                let gradient = weight * if class == 1 { probability - 1.0 } else { probability };
                derivatives[0] = Derivatives { gradient, hessian: weight * probability * (1.0 - probability) };
                loss.add_probability(of_truth, weight);
            }
            Objective::Softmax(classes) => {
                let class = classes.indices[row];
                let weight = classes.weights[class];
                let greatest = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let mut total = 0.0;
                for (derivatives, sum) in derivatives.iter_mut().zip(sums) {
                    derivatives.gradient = (sum - greatest).exp();
                    total += derivatives.gradient;
                }
                for (output, derivatives) in derivatives.iter_mut().enumerate() {
                    let probability = derivatives.gradient / total;
                    derivatives.gradient = weight * if output == class { probability - 1.0 } else { probability };
                    derivatives.hessian = weight * probability * (1.0 - probability);
                    if output == class {
                        loss.add_probability(probability, weight);
                    }
                }
            }
        }
    }

    /// Returns the value of a leaf that is best for this loss, where it is not the step of Newton's method.
    pub(super) fn leaf_value(&self, rows: &[u32], sums: &[f64]) -> Option<f64> {
        match self {
            Objective::AbsoluteError(numbers) => {
                let residual = |&row: &u32| numbers[row as usize] - sums[row as usize];
                Some(median(rows.iter().map(residual).collect()))
            }
            _ => None,
        }
    }
}

impl Classes {
    /// Returns the weighted share of each class, none of them 0.
    fn shares(&self, rows: &[u32]) -> Vec<f64> {
        let mut counts = vec![0_usize; self.weights.len()];
        for &row in rows {
            counts[self.indices[row as usize]] += 1;
        }
        let weighted: Vec<f64> =
            counts.iter().zip(&self.weights).map(|(&count, weight)| count.max(1) as f64 * weight).collect();
        let total: f64 = weighted.iter().sum();
        weighted.into_iter().map(|weight| weight / total).collect()
    }
}

/// Returns the middle value, or the mean of both, of at least one.
fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    let is_even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if is_even { f64::midpoint(below.iter().copied().fold(f64::NEG_INFINITY, f64::max), upper) } else { upper }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares derivatives with differences of losses, at some sums.
    #[track_caller]
    fn check(objective: &Objective, sums: &[f64]) {
        let n_outputs = objective.n_outputs();
        let loss = |row: usize, sums: &[f64]| {
            let mut loss = LossSum::default();
            objective.differentiate_row(row, sums, &mut vec![Derivatives::default(); n_outputs], &mut loss);
            loss.settle();
            loss.loss
        };
        let step = 1e-4;
        for (row, sums) in sums.chunks(n_outputs).enumerate() {
            let mut derivatives = vec![Derivatives::default(); n_outputs];
            objective.differentiate_row(row, sums, &mut derivatives, &mut LossSum::default());
            for output in 0..n_outputs {
                let shifted = |by: f64| {
                    let mut sums = sums.to_vec();
                    sums[output] += by;
                    loss(row, &sums)
                };
                let gradient = (shifted(step) - shifted(-step)) / (2.0 * step);
                let hessian = (shifted(step) - 2.0 * shifted(0.0) + shifted(-step)) / (step * step);
                let found = derivatives[output];
                assert!((found.gradient - gradient).abs() < 1e-6, "{objective:?} row {row}: {found:?}, {gradient}");
                assert!((found.hessian - hessian).abs() < 1e-5, "{objective:?} row {row}: {found:?}, {hessian}");
            }
        }
    }

    #[test]
    fn derivatives_are_those_of_the_losses() {
        let numbers = || vec![0.5, 2.0, 0.0];
        check(&Objective::SquaredError(numbers()), &[0.1, 3.0, -1.0]);
        check(&Objective::Poisson(numbers()), &[0.1, 1.0, -1.0]);
        let classes = |weights: &[f64]| Classes { indices: vec![0, 1, 1], weights: weights.to_vec() };
        check(&Objective::LogLoss(classes(&[1.0, 1.0])), &[0.1, 1.0, -3.0]);
        check(&Objective::LogLoss(classes(&[0.5, 2.0])), &[0.1, 1.0, -3.0]);
        check(&Objective::Softmax(classes(&[1.0, 3.0, 1.0])), &[0.1, 1.0, -1.0, 0.0, 0.0, 0.0, 2.0, -2.0, 1.0]);
    }

    #[test]
    fn the_first_sums_are_the_best_constants() {
        let rows = [0, 1, 2, 3];
        let numbers = || vec![1.0, 2.0, 3.0, 10.0];
        assert_eq!(Objective::SquaredError(numbers()).initial(&rows), [4.0]);
        assert_eq!(Objective::AbsoluteError(numbers()).initial(&rows), [2.5]);
        assert_eq!(Objective::AbsoluteError(numbers()).initial(&rows[..3]), [2.0]);
        assert_eq!(Objective::Poisson(numbers()).initial(&rows), [4.0_f64.ln()]);
        let classes = Classes { indices: vec![0, 1, 1, 1], weights: vec![3.0, 1.0] };
        assert_eq!(Objective::LogLoss(classes).initial(&rows), [0.0]);
    }

    #[test]
    fn a_class_of_no_probability_has_a_finite_loss() {
        let mut loss = LossSum::default();
        (0..3).for_each(|_| loss.add_probability(0.0, 1.0));
        assert!((loss.mean().unwrap() - 100.0 * 10.0_f64.ln()).abs() < 1e-9);
        assert_eq!(LossSum::default().mean(), None);
    }
}
