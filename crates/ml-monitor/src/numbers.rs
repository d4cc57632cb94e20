//! Moments and quantiles of a sample of numbers.

use serde::{Deserialize, Serialize};

/// What a sample of numbers is like. A figure is absent where it is not defined, or not finite.
///
/// Missing and infinite values are counted and take part in nothing else.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NumberSummary {
    /// How many finite values there are.
    pub n_finite: u64,
    /// How many values are missing.
    pub n_missing: u64,
    /// How many values are infinite.
    pub n_infinite: u64,
    /// The smallest finite value.
    pub min: Option<f64>,
    /// The largest finite value.
    pub max: Option<f64>,
    /// The arithmetic mean.
    pub mean: Option<f64>,
    /// The standard deviation of a sample: with `n - 1` in the denominator, so it takes two values.
    pub std: Option<f64>,
}

impl NumberSummary {
    /// Summarises `values`, where `NaN` is missing.
    pub fn of(values: &[f64]) -> NumberSummary {
        let mut summary = NumberSummary::default();
        let (mut mean, mut sum_of_squares) = (0.0, 0.0);
        for &value in values {
            if value.is_nan() {
                summary.n_missing += 1;
            } else if value.is_infinite() {
                summary.n_infinite += 1;
            } else {
                summary.n_finite += 1;
                summary.min = Some(summary.min.map_or(value, |min| value.min(min)));
                summary.max = Some(summary.max.map_or(value, |max| value.max(max)));
                // Welford's update, which loses no digits to a large mean.
                let delta = value - mean;
                mean += delta / summary.n_finite as f64;
                sum_of_squares += delta * (value - mean);
            }
        }
        summary.mean = if summary.n_finite > 0 { finite(mean) } else { None };
        if summary.n_finite > 1 {
            summary.std = finite((sum_of_squares / (summary.n_finite - 1) as f64).sqrt());
        }
        summary
    }

    /// Returns the number of values, missing and infinite ones included.
    pub fn n_values(&self) -> u64 {
        self.n_finite + self.n_missing + self.n_infinite
    }
}

/// Returns `value` unless it is `NaN` or infinite, which JSON cannot hold.
pub(crate) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Returns the finite ones of `values` in ascending order.
pub(crate) fn sorted_finite(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// Returns the quantile of `sorted` at `share` in `0..=1`, interpolated between neighbours; absent when there are no values.
///
/// Source: Hyndman and Fan, *Sample Quantiles in Statistical Packages* (1996), definition 7, which NumPy takes too.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = share.clamp(0.0, 1.0) * last as f64;
    let below = position.floor();
    let weight = position - below;
    let lower = sorted[below as usize];
    let upper = sorted[(below as usize + 1).min(last)];
    // Weighted apart, because the distance of two finite values may be infinite.
    Some(if weight == 0.0 { lower } else { lower * (1.0 - weight) + upper * weight })
}

/// Returns `numerator / denominator`, or 0 when there is nothing to have a share of.
pub(crate) fn share(numerator: u64, denominator: u64) -> f64 {
    if denominator == 0 { 0.0 } else { numerator as f64 / denominator as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_infinite_values_are_only_counted() {
        let summary = NumberSummary::of(&[1.0, f64::NAN, 3.0, f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!((summary.n_finite, summary.n_missing, summary.n_infinite), (2, 1, 2));
        assert_eq!((summary.min, summary.max, summary.mean), (Some(1.0), Some(3.0), Some(2.0)));
        assert_eq!(summary.std, Some(2.0_f64.sqrt()));
    }

    #[test]
    fn figures_that_are_not_defined_are_absent() {
        assert_eq!(NumberSummary::of(&[]).mean, None);
        let one = NumberSummary::of(&[5.0]);
        assert_eq!((one.mean, one.std), (Some(5.0), None));
        let huge = NumberSummary::of(&[f64::MAX, -f64::MAX]);
        assert_eq!(huge.std, None, "{huge:?}");
    }

    #[test]
    fn quantiles_interpolate() {
        let sorted = [1.0, 2.0, 4.0];
        assert_eq!(quantile(&sorted, 0.0), Some(1.0));
        assert_eq!(quantile(&sorted, 0.5), Some(2.0));
        assert_eq!(quantile(&sorted, 0.75), Some(3.0));
        assert_eq!(quantile(&sorted, 1.0), Some(4.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
