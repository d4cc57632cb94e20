//! Whether probabilities mean what they say: of the rows that get 0.8, four out of five should be of the class.

use serde::{Deserialize, Serialize};

use super::{MetricError, check_classes, check_finite, check_lengths};

/// The rows whose probabilities fall between two bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// The lower end of the bin, which belongs to it in the first one alone.
    pub from: f64,
    /// The greatest probability that falls into the bin.
    pub to: f64,
    /// How many rows fall into it.
    pub n_samples: u64,
    /// The mean of their probabilities.
    pub mean_probability: f64,
    /// The share of them that are of the class.
    pub observed_share: f64,
}

/// Mean squared distance of the probability of a class from what happened, 1 or 0; in `[0, 1]`, and 0 is perfect.
///
/// Source: Brier, *Verification of forecasts expressed in terms of probability* (1950).
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::UnequalLengths`] or [`MetricError::NotFinite`].
pub fn brier_score_binary(truth: &[bool], probabilities: &[f64]) -> Result<f64, MetricError> {
    check_lengths(truth.len(), probabilities.len())?;
    check_finite(probabilities)?;
    let distance = |(&truth, &probability): (&bool, &f64)| (probability - f64::from(u8::from(truth))).powi(2);
    Ok(truth.iter().zip(probabilities).map(distance).sum::<f64>() / truth.len() as f64)
}

/// Mean over rows of the summed squared distances of all classes; in `[0, 2]`, and 0 is perfect.
///
/// `probabilities` is row-major with `n_classes` values per row. For two classes it is twice [`brier_score_binary`].
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::UnequalLengths`], [`MetricError::LabelOutOfRange`] or [`MetricError::NotFinite`].
pub fn brier_score(truth: &[usize], probabilities: &[f64], n_classes: usize) -> Result<f64, MetricError> {
    check_lengths(truth.len() * n_classes, probabilities.len())?;
    check_classes(truth, n_classes)?;
    check_finite(probabilities)?;
    let mut sum = 0.0;
    for (&class, row) in truth.iter().zip(probabilities.chunks(n_classes)) {
        sum += row.iter().map(|probability| probability * probability).sum::<f64>() - 2.0 * row[class] + 1.0;
    }
    Ok(sum / truth.len() as f64)
}

/// Returns the bin of `probability` among `n_bins` of equal width in `[0, 1]`; a probability on the edge of two
/// falls into the lower, as in scikit-learn, and what lies outside falls into the nearest.
pub fn reliability_bin(probability: f64, n_bins: usize) -> usize {
    let position = (probability * n_bins as f64).ceil() - 1.0;
    (position.max(0.0) as usize).min(n_bins.saturating_sub(1))
}

/// Puts rows into `n_bins` bins of equal width, and compares in each the mean probability with the share that came true.
///
/// Bins without rows are left out. `truth` says which rows are of the class that `probabilities` are of.
///
/// # Errors
/// [`MetricError::Empty`], also for no bins; [`MetricError::UnequalLengths`] or [`MetricError::NotFinite`].
pub fn reliability_curve(
    truth: &[bool],
    probabilities: &[f64],
    n_bins: usize,
) -> Result<Vec<ReliabilityBin>, MetricError> {
    check_lengths(truth.len(), probabilities.len())?;
    check_lengths(n_bins, n_bins)?;
    check_finite(probabilities)?;
    let mut sums = vec![(0_u64, 0.0, 0_u64); n_bins];
    for (&truth, &probability) in truth.iter().zip(probabilities) {
        let (n_samples, sum, n_positive) = &mut sums[reliability_bin(probability, n_bins)];
        *n_samples += 1;
        *sum += probability;
        *n_positive += u64::from(truth);
    }
    let width = 1.0 / n_bins as f64;
    let bins = sums.into_iter().enumerate().filter(|(_, (n_samples, ..))| *n_samples > 0);
    Ok(bins
        .map(|(bin, (n_samples, sum, n_positive))| ReliabilityBin {
            from: bin as f64 * width,
            to: (bin + 1) as f64 * width,
            n_samples,
            mean_probability: sum / n_samples as f64,
            observed_share: n_positive as f64 / n_samples as f64,
        })
        .collect())
}

/// Mean distance between probability and observed share over the bins, weighted by their rows; in `[0, 1]`.
///
/// Source: Naeini, Cooper and Hauskrecht, *Obtaining well calibrated probabilities using Bayesian binning* (2015).
pub fn expected_calibration_error(bins: &[ReliabilityBin]) -> f64 {
    let n_samples: u64 = bins.iter().map(|bin| bin.n_samples).sum();
    if n_samples == 0 {
        return 0.0;
    }
    let distance = |bin: &ReliabilityBin| (bin.mean_probability - bin.observed_share).abs() * bin.n_samples as f64;
    bins.iter().map(distance).sum::<f64>() / n_samples as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_that_come_true_as_often_as_they_say_have_no_error() {
        let probabilities = [0.75, 0.75, 0.75, 0.75, 0.25, 0.25, 0.25, 0.25];
        let truth = [true, true, true, false, true, false, false, false];
        let bins = reliability_curve(&truth, &probabilities, 10).unwrap();
        assert_eq!(bins.len(), 2, "bins without rows are left out");
        assert_eq!(expected_calibration_error(&bins), 0.0);
    }

    #[test]
    fn certain_mistakes_are_as_bad_as_can_be() {
        assert_eq!(brier_score_binary(&[true, false], &[0.0, 1.0]), Ok(1.0));
        assert_eq!(brier_score(&[0], &[0.0, 1.0], 2), Ok(2.0));
        let bins = reliability_curve(&[true, false], &[0.0, 1.0], 10).unwrap();
        assert_eq!(expected_calibration_error(&bins), 1.0);
    }

    #[test]
    fn the_ends_have_bins_and_an_edge_is_in_the_lower_one() {
        assert_eq!(reliability_bin(1.0, 10), 9);
        assert_eq!(reliability_bin(0.0, 10), 0);
        assert_eq!(reliability_bin(0.5, 10), 4);
        assert_eq!(reliability_bin(-0.1, 10), 0);
        assert_eq!(reliability_bin(1.5, 10), 9);
    }

    #[test]
    fn bad_input_is_named() {
        assert_eq!(reliability_curve(&[true], &[0.5], 0), Err(MetricError::Empty));
        assert_eq!(brier_score_binary(&[true], &[f64::NAN]), Err(MetricError::NotFinite { index: 0 }));
        assert_eq!(expected_calibration_error(&[]), 0.0);
    }
}
