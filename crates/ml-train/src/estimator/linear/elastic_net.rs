//! Linear regression with penalties that make weights small, or 0: coordinate descent on dense features.
//!
//! Source: Friedman, Hastie and Tibshirani, *Regularization paths for generalized linear models via coordinate descent*
//! (2010). The sum that is made small is that of scikit-learn's `ElasticNet`, and so is the rule when to stop.

use serde::{Deserialize, Serialize};

use super::{LinearPredictor, Link};
use crate::error::TrainError;
use crate::estimator::settings::{Faults, REGRESSION};
use crate::estimator::{Estimator, Fitted, FittedPredictor, TrainingData};
use crate::progress::Progress;
use crate::spec::Task;

/// Half of the mean squared error, plus `alpha` times the sum of the sizes of the weights, which makes some of them 0. The
/// intercept is free. Features should be standardised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lasso {
    /// How much the size of the weights counts.
    pub alpha: f64,
    /// How near the optimum the fit stops, as a share of the squared length of the target.
    pub tolerance: f64,
    /// The most passes over the features.
    pub max_iterations: usize,
}

/// As [`Lasso`], with a share of the penalty on the squares of the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ElasticNet {
    /// How much the size of the weights counts.
    pub alpha: f64,
    /// The share of the penalty that is on sizes; the rest is on half of the squares.
    pub l1_share: f64,
    /// How near the optimum the fit stops, as a share of the squared length of the target.
    pub tolerance: f64,
    /// The most passes over the features.
    pub max_iterations: usize,
}

impl Default for Lasso {
    fn default() -> Lasso {
        Lasso { alpha: 1.0, tolerance: 1e-4, max_iterations: 1000 }
    }
}

impl Default for ElasticNet {
    fn default() -> ElasticNet {
        ElasticNet { alpha: 1.0, l1_share: 0.5, tolerance: 1e-4, max_iterations: 1000 }
    }
}

impl Estimator for Lasso {
    fn kind(&self) -> &'static str {
        Lasso::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        REGRESSION
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Faults::default()
            .positive("alpha", self.alpha)
            .positive("tolerance", self.tolerance)
            .at_least("max_iterations", 1, self.max_iterations)
            .list()
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let goal = Goal { l1: self.alpha, l2: 0.0, tolerance: self.tolerance, max_iterations: self.max_iterations };
        goal.fit(self.kind(), data, progress)
    }
}

impl Estimator for ElasticNet {
    fn kind(&self) -> &'static str {
        ElasticNet::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        REGRESSION
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Faults::default()
            .positive("alpha", self.alpha)
            .share("l1_share", self.l1_share)
            .positive("tolerance", self.tolerance)
            .at_least("max_iterations", 1, self.max_iterations)
            .list()
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let goal = Goal {
            l1: self.alpha * self.l1_share,
            l2: self.alpha * (1.0 - self.l1_share),
            tolerance: self.tolerance,
            max_iterations: self.max_iterations,
        };
        goal.fit(self.kind(), data, progress)
    }
}

/// What is made small: half of the mean squared error, plus `l1` times the sizes and half of `l2` times the squares of the
/// weights.
struct Goal {
    l1: f64,
    l2: f64,
    tolerance: f64,
    max_iterations: usize,
}

impl Goal {
    fn fit(&self, kind: &'static str, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let target = data.target.numbers(kind)?;
        let dense = data.features.to_dense().map_err(|source| TrainError::TooWide { kind, source })?;
        if dense.n_columns() == 0 || target.is_empty() {
            return Err(TrainError::data(format!("`{kind}` needs rows and features"), "declare `features`"));
        }
        let (n_rows, n_columns) = (dense.n_rows(), dense.n_columns());
        let mut problem = Problem::new(dense.cells(), n_rows, n_columns, target);
        let mut warnings = Vec::new();
        if !problem.solve(self, progress)? {
            warnings.push(format!(
                "`{kind}` did not come within its tolerance in {} iterations: standardise the features, or raise \
                 `max_iterations`",
                self.max_iterations
            ));
        }
        if problem.weights.iter().any(|weight| !weight.is_finite()) {
            let reason = "its weights are not finite: standardise the features".to_owned();
            return Err(TrainError::Fit { kind, reason });
        }
        let shift = problem.weights.iter().zip(&problem.means).map(|(weight, mean)| weight * mean).sum::<f64>();
        let predictor = LinearPredictor::new(Link::Identity, vec![problem.target_mean - shift], problem.weights);
        Ok(Fitted { predictor: FittedPredictor::Linear(predictor), warnings })
    }
}

/// Centred columns, and how far the weights are.
struct Problem {
    n_rows: usize,
    /// Column after column.
    columns: Vec<f64>,
    squares: Vec<f64>,
    means: Vec<f64>,
    target_mean: f64,
    target_squares: f64,
    weights: Vec<f64>,
    residuals: Vec<f64>,
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

impl Problem {
    fn new(cells: &[f64], n_rows: usize, n_columns: usize, target: &[f64]) -> Problem {
        let mut columns = Vec::with_capacity(cells.len());
        let mut means = Vec::with_capacity(n_columns);
        for column in 0..n_columns {
            let values = || cells.iter().skip(column).step_by(n_columns);
            let mean = values().sum::<f64>() / n_rows as f64;
            columns.extend(values().map(|value| value - mean));
            means.push(mean);
        }
        let target_mean = target.iter().sum::<f64>() / n_rows as f64;
        let residuals: Vec<f64> = target.iter().map(|value| value - target_mean).collect();
        Problem {
            n_rows,
            squares: columns.chunks(n_rows).map(|column| dot(column, column)).collect(),
            columns,
            means,
            target_mean,
            target_squares: dot(&residuals, &residuals),
            weights: vec![0.0; n_columns],
            residuals,
        }
    }

    /// Finds the weights; returns whether they came within the tolerance.
    fn solve(&mut self, goal: &Goal, progress: &dyn Progress) -> Result<bool, TrainError> {
        let (l1, l2) = (goal.l1 * self.n_rows as f64, goal.l2 * self.n_rows as f64);
        for iteration in 0..goal.max_iterations {
            if progress.is_cancelled() {
                return Err(TrainError::Cancelled);
            }
            let (mut greatest, mut greatest_change) = (0.0_f64, 0.0_f64);
            for column in 0..self.weights.len() {
                let change = self.improve(column, l1, l2);
                greatest = greatest.max(self.weights[column].abs());
                greatest_change = greatest_change.max(change.abs());
            }
            let is_last = iteration + 1 == goal.max_iterations;
            // The gap is dear to compute: it is looked at when the weights hardly move any more.
            if (greatest == 0.0 || greatest_change / greatest <= goal.tolerance || is_last)
                && self.gap(l1, l2) <= goal.tolerance * self.target_squares
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Sets the weight of a column to its best value, and returns by how much it changed.
    fn improve(&mut self, column: usize, l1: f64, l2: f64) -> f64 {
        let square = self.squares[column];
        if square == 0.0 {
            return 0.0;
        }
        let values = &self.columns[column * self.n_rows..(column + 1) * self.n_rows];
        let before = self.weights[column];
        let pull = dot(values, &self.residuals) + before * square;
        let after = pull.signum() * (pull.abs() - l1).max(0.0) / (square + l2);
        let change = after - before;
        if change != 0.0 {
            self.residuals.iter_mut().zip(values).for_each(|(residual, value)| *residual -= change * value);
            self.weights[column] = after;
        }
        change
    }

    /// Returns how far the sum can be from its least value at most: the gap to the dual problem.
    fn gap(&self, l1: f64, l2: f64) -> f64 {
        let pulls = self.columns.chunks(self.n_rows).zip(&self.weights);
        let greatest =
            pulls.map(|(column, weight)| (dot(column, &self.residuals) - l2 * weight).abs()).fold(0.0, f64::max);
        let squares = dot(&self.residuals, &self.residuals);
        let weight_squares = dot(&self.weights, &self.weights);
        let (scale, mut gap) = if greatest > l1 {
            let scale = l1 / greatest;
            (scale, 0.5 * (squares + squares * scale * scale))
        } else {
            (1.0, squares)
        };
        let sizes: f64 = self.weights.iter().map(|weight| weight.abs()).sum();
        // The residuals and the target: their product, from what the residuals leave of the target.
        let with_target = squares
            + self
                .columns
                .chunks(self.n_rows)
                .zip(&self.weights)
                .map(|(column, weight)| weight * dot(column, &self.residuals))
                .sum::<f64>();
        gap += l1 * sizes - scale * with_target + 0.5 * l2 * (1.0 + scale * scale) * weight_squares;
        gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    fn weights(goal: &Goal) -> Vec<f64> {
        let cells: Vec<f64> = (0..40).map(|cell| f64::from(cell * cell % 23) / 7.0).collect();
        let target: Vec<f64> = (0..20).map(|row| cells[2 * row] * 3.0 - 1.0).collect();
        let mut problem = Problem::new(&cells, 20, 2, &target);
        assert!(problem.solve(goal, &Silent).unwrap());
        assert!(problem.gap(goal.l1 * 20.0, goal.l2 * 20.0).abs() <= goal.tolerance * problem.target_squares);
        problem.weights
    }

    #[test]
    fn a_small_penalty_leaves_what_is_there_and_a_great_one_nothing() {
        let goal = |l1, l2| Goal { l1, l2, tolerance: 1e-10, max_iterations: 10_000 };
        let small = weights(&goal(1e-6, 0.0));
        assert!((small[0] - 3.0).abs() < 1e-4 && small[1].abs() < 1e-4, "{small:?}");
        assert_eq!(weights(&goal(1e3, 0.0)), [0.0, 0.0]);
        assert!(weights(&goal(0.1, 1.0))[0] < 3.0);
    }
}
