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
    let mean = truth.iter().sum::<f64>() / truth.len() as f64;
    let total: f64 = truth.iter().map(|truth| (truth - mean).powi(2)).sum();
    let residual: f64 = truth.iter().zip(predicted).map(|(truth, predicted)| (truth - predicted).powi(2)).sum();
    if total == 0.0 {
        return Ok(if residual == 0.0 { 1.0 } else { 0.0 });
    }
    Ok(1.0 - residual / total)
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
    }

    #[test]
    fn one_row_has_an_error_but_no_coefficient_of_determination() {
        assert_eq!(mean_absolute_error(&[1.0], &[3.0]), Ok(2.0));
        assert_eq!(r2_score(&[1.0], &[3.0]), Err(MetricError::TooFewRows { metric: "R²", needed: 2, found: 1 }));
    }

    #[test]
    fn values_that_are_not_finite_are_refused() {
        assert_eq!(mean_absolute_error(&[1.0, f64::NAN], &[1.0, 1.0]), Err(MetricError::NotFinite { index: 1 }));
    }
}
