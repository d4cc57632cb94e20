//! Figures of predicted numbers.
//!
//! `truth` and `predicted` hold one finite number per row, in the unit of the target. Every function fails with
//! [`MetricError::Empty`], [`MetricError::UnequalLengths`] or [`MetricError::NotFinite`].

use super::{MetricError, check_finite, check_lengths};

/// Mean of `|truth − predicted|`, in the unit of the target; `≥ 0`.
pub fn mean_absolute_error(truth: &[f64], predicted: &[f64]) -> Result<f64, MetricError> {
    mean_loss(truth, predicted, |truth, predicted| (truth - predicted).abs())
}

/// Square root of the mean of `(truth − predicted)²`, in the unit of the target; `≥ 0`.
pub fn root_mean_squared_error(truth: &[f64], predicted: &[f64]) -> Result<f64, MetricError> {
    Ok(mean_loss(truth, predicted, |truth, predicted| (truth - predicted).powi(2))?.sqrt())
}

/// Mean of `|truth − predicted| / max(|truth|, ε)` with `ε = f64::EPSILON`, as a fraction (0.1 is ten per cent).
///
/// A truth of 0 that is not met makes the figure huge, as in scikit-learn.
pub fn mean_absolute_percentage_error(truth: &[f64], predicted: &[f64]) -> Result<f64, MetricError> {
    mean_loss(truth, predicted, |truth, predicted| (truth - predicted).abs() / truth.abs().max(f64::EPSILON))
}

/// Coefficient of determination: `1 − Σ (truth − predicted)² / Σ (truth − mean)²`; `≤ 1`, and 0 for the mean itself.
///
/// For a constant truth the result is 1 when every row is met and 0 otherwise, as in scikit-learn.
///
/// # Errors
/// [`MetricError::TooFewRows`] for a single row, besides those of the module.
pub fn r2_score(truth: &[f64], predicted: &[f64]) -> Result<f64, MetricError> {
    check(truth, predicted)?;
    if truth.len() < 2 {
        return Err(MetricError::TooFewRows { metric: "R²", needed: 2, found: truth.len() });
    }
    let total = variance(truth) * truth.len() as f64;
    let residual: f64 = truth.iter().zip(predicted).map(|(truth, predicted)| (truth - predicted).powi(2)).sum();
    if total == 0.0 {
        return Ok(if residual == 0.0 { 1.0 } else { 0.0 });
    }
    Ok(1.0 - residual / total)
}

/// Largest of `|truth − predicted|`, in the unit of the target; `≥ 0`.
pub fn max_error(truth: &[f64], predicted: &[f64]) -> Result<f64, MetricError> {
    check(truth, predicted)?;
    Ok(truth.iter().zip(predicted).map(|(truth, predicted)| (truth - predicted).abs()).fold(0.0, f64::max))
}

/// Median of `|truth − predicted|`, in the unit of the target; the mean of the middle two of an even number.
pub fn median_absolute_error(truth: &[f64], predicted: &[f64]) -> Result<f64, MetricError> {
    check(truth, predicted)?;
    let mut errors: Vec<f64> =
        truth.iter().zip(predicted).map(|(truth, predicted)| (truth - predicted).abs()).collect();
    errors.sort_unstable_by(f64::total_cmp);
    let middle = errors.len() / 2;
    Ok(if errors.len() % 2 == 1 { errors[middle] } else { f64::midpoint(errors[middle - 1], errors[middle]) })
}

/// Mean of `q · (truth − predicted)` where the truth lies above, and of `(1 − q) · (predicted − truth)` where it lies
/// below: the loss that the quantile `q` of the truth makes least. `quantile` is in `[0, 1]`.
pub fn mean_pinball_loss(truth: &[f64], predicted: &[f64], quantile: f64) -> Result<f64, MetricError> {
    check_finite(&[quantile])?;
    mean_loss(truth, predicted, |truth, predicted| {
        let above = truth - predicted;
        if above >= 0.0 { quantile * above } else { (quantile - 1.0) * above }
    })
}

/// `1 − variance(truth − predicted) / variance(truth)`; `≤ 1`. Unlike [`r2_score`] it forgives a constant error.
///
/// For a constant truth the result is 1 when the error is constant too and 0 otherwise, as in scikit-learn.
pub fn explained_variance(truth: &[f64], predicted: &[f64]) -> Result<f64, MetricError> {
    check(truth, predicted)?;
    let errors: Vec<f64> = truth.iter().zip(predicted).map(|(truth, predicted)| truth - predicted).collect();
    let (of_errors, of_truth) = (variance(&errors), variance(truth));
    if of_truth == 0.0 {
        return Ok(if of_errors == 0.0 { 1.0 } else { 0.0 });
    }
    Ok(1.0 - of_errors / of_truth)
}

/// Pearson's coefficient of linear correlation, in `[-1, 1]`.
///
/// # Errors
/// [`MetricError::Constant`] when all truths or all predictions are equal, [`MetricError::TooFewRows`] for a single row,
/// besides those of the module.
pub fn pearson_r(truth: &[f64], predicted: &[f64]) -> Result<f64, MetricError> {
    check(truth, predicted)?;
    if truth.len() < 2 {
        return Err(MetricError::TooFewRows { metric: "Pearson's r", needed: 2, found: truth.len() });
    }
    let (truth_mean, predicted_mean) = (mean(truth), mean(predicted));
    let (of_truth, of_predicted) = (variance(truth), variance(predicted));
    if of_truth == 0.0 || of_predicted == 0.0 {
        return Err(MetricError::Constant { metric: "Pearson's r" });
    }
    let products = truth.iter().zip(predicted).map(|(t, p)| (t - truth_mean) * (p - predicted_mean));
    let covariance = products.sum::<f64>() / truth.len() as f64;
    Ok((covariance / (of_truth.sqrt() * of_predicted.sqrt())).clamp(-1.0, 1.0))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Returns the mean squared distance from the mean; exactly 0 for equal values, whatever rounding does to their mean.
fn variance(values: &[f64]) -> f64 {
    if values.iter().all(|value| *value == values[0]) {
        return 0.0;
    }
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64
}

fn mean_loss(truth: &[f64], predicted: &[f64], loss: impl Fn(f64, f64) -> f64) -> Result<f64, MetricError> {
    check(truth, predicted)?;
    let sum: f64 = truth.iter().zip(predicted).map(|(&truth, &predicted)| loss(truth, predicted)).sum();
    Ok(sum / truth.len() as f64)
}

fn check(truth: &[f64], predicted: &[f64]) -> Result<(), MetricError> {
    check_lengths(truth.len(), predicted.len())?;
    check_finite(truth)?;
    check_finite(predicted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_explains_nothing_and_the_truth_everything() {
        assert_eq!(r2_score(&[1.0, 2.0, 3.0], &[2.0, 2.0, 2.0]), Ok(0.0));
        assert_eq!(r2_score(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]), Ok(1.0));
    }

    #[test]
    fn a_constant_truth_is_met_or_not() {
        assert_eq!(r2_score(&[2.0, 2.0], &[2.0, 2.0]), Ok(1.0));
        assert_eq!(r2_score(&[2.0, 2.0], &[2.0, 3.0]), Ok(0.0));
        // Their mean is not exactly their value.
        let constant = 1e6 + 9.0 / 7.0;
        assert_eq!(r2_score(&[constant; 3], &[1e6; 3]), Ok(0.0));
    }

    #[test]
    fn one_row_has_an_error_but_no_coefficient_of_determination() {
        assert_eq!(mean_absolute_error(&[1.0], &[3.0]), Ok(2.0));
        assert_eq!(r2_score(&[1.0], &[3.0]), Err(MetricError::TooFewRows { metric: "R²", needed: 2, found: 1 }));
    }

    #[test]
    fn a_constant_error_is_forgiven_where_it_should_be() {
        assert_eq!(explained_variance(&[1.0, 2.0, 3.0], &[2.0, 3.0, 4.0]), Ok(1.0));
        assert_eq!(pearson_r(&[1.0, 2.0, 3.0], &[3.0, 5.0, 7.0]), Ok(1.0));
        assert_eq!(explained_variance(&[2.0, 2.0], &[1.0, 1.0]), Ok(1.0));
        assert_eq!(explained_variance(&[0.1, 0.1, 0.1], &[0.3, 0.2, 0.1]), Ok(0.0));
    }

    #[test]
    fn a_correlation_with_a_constant_is_undefined() {
        let constant = Err(MetricError::Constant { metric: "Pearson's r" });
        assert_eq!(pearson_r(&[1.0, 2.0], &[0.1, 0.1]), constant);
        assert_eq!(pearson_r(&[0.1, 0.1, 0.1], &[1.0, 2.0, 3.0]), constant);
        assert_eq!(
            pearson_r(&[1.0], &[2.0]),
            Err(MetricError::TooFewRows { metric: "Pearson's r", needed: 2, found: 1 })
        );
    }

    #[test]
    fn the_pinball_loss_weighs_the_two_sides() {
        assert_eq!(mean_pinball_loss(&[1.0], &[0.0], 0.9), Ok(0.9));
        assert!((mean_pinball_loss(&[0.0], &[1.0], 0.9).unwrap() - 0.1).abs() < 1e-15);
        assert_eq!(mean_pinball_loss(&[0.0], &[1.0], f64::NAN), Err(MetricError::NotFinite { index: 0 }));
    }

    #[test]
    fn values_that_are_not_finite_are_refused() {
        assert_eq!(mean_absolute_error(&[1.0, f64::NAN], &[1.0, 1.0]), Err(MetricError::NotFinite { index: 1 }));
    }
}
