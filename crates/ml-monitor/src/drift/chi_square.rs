//! Pearson's χ² test of two binned samples, and how far apart their proportions are.

use super::psi::chi_square_survival;
use super::{DriftError, binned_totals};

/// The outcome of [`chi_square`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquareTest {
    /// `Σ (observed − expected)² / expected` over both samples, `≥ 0`.
    pub statistic: f64,
    /// The bins that have a value in either sample, less one.
    pub degrees_of_freedom: usize,
    /// How likely chance alone gives a statistic as large, in `0..=1`.
    pub p_value: f64,
}

/// Tests whether two binned samples are of one population: Pearson's χ² of the table of two rows, without correction.
///
/// `reference` and `current` are counts per bin of equal length. Bins that are empty in both are left out. The p-value is
/// good when most bins are expected to have five values or more.
///
/// Source: Pearson (1900), as in `scipy.stats.chi2_contingency(correction=False)`.
///
/// # Errors
/// [`DriftError::BinMismatch`] for unequal lengths, [`DriftError::EmptyWindow`] for a zero sum.
pub fn chi_square(reference: &[u64], current: &[u64]) -> Result<ChiSquareTest, DriftError> {
    let (n_reference, n_current) = binned_totals(reference, current)?;
    let n_total = (n_reference + n_current) as f64;
    let mut statistic = 0.0;
    let mut n_bins = 0;
    for (&reference, &current) in reference.iter().zip(current) {
        let n_in_bin = (reference + current) as f64;
        if n_in_bin == 0.0 {
            continue;
        }
        n_bins += 1;
        for (observed, n_sample) in [(reference, n_reference), (current, n_current)] {
            let expected = n_in_bin * n_sample as f64 / n_total;
            statistic += (observed as f64 - expected).powi(2) / expected;
        }
    }
    let degrees_of_freedom = n_bins - 1;
    Ok(ChiSquareTest { statistic, degrees_of_freedom, p_value: chi_square_survival(statistic, degrees_of_freedom) })
}

/// Total variation distance of two binned samples: `½ Σ |cᵢ − rᵢ|`, in `0..=1`; the share of rows that changed bins.
///
/// # Errors
/// As [`chi_square`].
pub fn total_variation(reference: &[u64], current: &[u64]) -> Result<f64, DriftError> {
    let (n_reference, n_current) = binned_totals(reference, current)?;
    let distances = reference.iter().zip(current).map(|(&reference, &current)| {
        (current as f64 / n_current as f64 - reference as f64 / n_reference as f64).abs()
    });
    Ok((distances.sum::<f64>() / 2.0).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_proportions_are_no_surprise() {
        let test = chi_square(&[10, 20, 0], &[100, 200, 0]).unwrap();
        assert_eq!((test.statistic, test.degrees_of_freedom, test.p_value), (0.0, 1, 1.0));
        assert_eq!(total_variation(&[10, 20], &[100, 200]).unwrap(), 0.0);
    }

    #[test]
    fn one_shared_bin_leaves_nothing_to_test() {
        assert_eq!(chi_square(&[5, 0], &[9, 0]).unwrap().p_value, 1.0);
    }

    #[test]
    fn disjoint_samples_are_all_variation() {
        assert_eq!(total_variation(&[3, 0], &[0, 8]).unwrap(), 1.0);
    }
}
