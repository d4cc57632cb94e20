//! Figures of predicted numbers, under weights.

use crate::evaluate::outcome::NumberOutcome;

/// What is measured, in order. The largest error is not: resampling says nothing of an extreme.
pub(super) const NAMES: &[&str] =
    &["explained_variance", "mae", "mape", "median_absolute_error", "pearson_r", "r2", "rmse"];

/// A variance is taken for 0 when it is that much smaller than the squares it is the difference of.
const ROUNDING: f64 = 1e-13;

pub(super) struct NumberGauge {
    rows: Vec<Row>,
    /// Rows in ascending order of their absolute errors.
    by_error: Vec<u32>,
}

struct Row {
    /// Truth and prediction, less the mean truth of all rows, so that squares stay small.
    truth: f64,
    predicted: f64,
    error: f64,
    relative_error: f64,
}

/// Sums over the rows.
#[derive(Default)]
struct Sums {
    weight: f64,
    truth: f64,
    truth_squared: f64,
    predicted: f64,
    predicted_squared: f64,
    products: f64,
    error: f64,
    error_squared: f64,
    absolute_error: f64,
    relative_error: f64,
}

impl NumberGauge {
    pub(super) fn new(outcome: &NumberOutcome) -> NumberGauge {
        let mean = outcome.truth.iter().sum::<f64>() / outcome.truth.len().max(1) as f64;
        let pairs = outcome.truth.iter().zip(&outcome.predicted);
        let rows: Vec<Row> = pairs
            .map(|(&truth, &predicted)| Row {
                truth: truth - mean,
                predicted: predicted - mean,
                error: truth - predicted,
                relative_error: (truth - predicted).abs() / truth.abs().max(f64::EPSILON),
            })
            .collect();
        let mut by_error: Vec<u32> = (0..rows.len() as u32).collect();
        let size = |row: u32| rows[row as usize].error.abs();
        by_error.sort_unstable_by(|&left, &right| size(left).total_cmp(&size(right)).then(left.cmp(&right)));
        NumberGauge { rows, by_error }
    }

    pub(super) fn measure(&self, weights: &[u32]) -> Vec<f64> {
        let mut sums = Sums::default();
        for (row, &weight) in self.rows.iter().zip(weights) {
            if weight > 0 {
                sums.add(row, f64::from(weight));
            }
        }
        let n_rows: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
        if n_rows == 0 {
            return vec![f64::NAN; NAMES.len()];
        }
        let of_truth = variance(sums.truth, sums.truth_squared, sums.weight);
        let of_predicted = variance(sums.predicted, sums.predicted_squared, sums.weight);
        let of_error = variance(sums.error, sums.error_squared, sums.weight);
        let share = |unexplained: f64| {
            if n_rows < 2 {
                f64::NAN
            } else if of_truth > 0.0 {
                1.0 - unexplained / of_truth
            } else {
                f64::from(u8::from(unexplained == 0.0))
            }
        };
        let covariance = sums.products / sums.weight - sums.truth / sums.weight * (sums.predicted / sums.weight);
        let correlation = covariance / (of_truth.sqrt() * of_predicted.sqrt());
        vec![
            share(of_error),
            sums.absolute_error / sums.weight,
            sums.relative_error / sums.weight,
            self.median_absolute_error(weights, n_rows),
            if correlation.is_finite() { correlation.clamp(-1.0, 1.0) } else { f64::NAN },
            share(sums.error_squared / sums.weight),
            (sums.error_squared / sums.weight).sqrt(),
        ]
    }

    /// Returns the middle error, or the mean of the middle two.
    fn median_absolute_error(&self, weights: &[u32], n_rows: u64) -> f64 {
        let (lower, upper) = ((n_rows - 1) / 2, n_rows / 2);
        let mut n_passed = 0;
        let mut lower_error = None;
        for &row in &self.by_error {
            n_passed += u64::from(weights[row as usize]);
            let error = self.rows[row as usize].error.abs();
            if lower_error.is_none() && n_passed > lower {
                lower_error = Some(error);
            }
            if n_passed > upper {
                return f64::midpoint(lower_error.unwrap_or(error), error);
            }
        }
        f64::NAN
    }
}

impl Sums {
    fn add(&mut self, row: &Row, weight: f64) {
        self.weight += weight;
        self.truth += weight * row.truth;
        self.truth_squared += weight * row.truth * row.truth;
        self.predicted += weight * row.predicted;
        self.predicted_squared += weight * row.predicted * row.predicted;
        self.products += weight * row.truth * row.predicted;
        self.error += weight * row.error;
        self.error_squared += weight * row.error * row.error;
        self.absolute_error += weight * row.error.abs();
        self.relative_error += weight * row.relative_error;
    }
}

fn variance(sum: f64, sum_of_squares: f64, weight: f64) -> f64 {
    let mean_square = sum_of_squares / weight;
    let variance = mean_square - (sum / weight).powi(2);
    if variance <= ROUNDING * mean_square { 0.0 } else { variance }
}
