//! The population stability index.

use statrs::function::gamma::gamma_ur;

use super::{DriftError, binned_totals};

/// The least proportion that a bin is taken to have.
pub const EMPTY_BIN_FLOOR: f64 = 1e-4;

/// Population stability index between two binned samples: `Σ (cᵢ − rᵢ) · ln(cᵢ / rᵢ)`.
///
/// `reference` and `current` are counts per bin, same length `n_bins ≥ 1`, each with a positive sum. Proportions are
/// floored at [`EMPTY_BIN_FLOOR`] so that an empty bin stays finite. The result is `≥ 0`; 0 means identical proportions.
///
/// Source: Siddiqi, *Credit Risk Scorecards* (2006).
///
/// # Errors
/// [`DriftError::BinMismatch`] for unequal lengths, [`DriftError::EmptyWindow`] for a zero sum.
pub fn psi(reference: &[u64], current: &[u64]) -> Result<f64, DriftError> {
    let (n_reference, n_current) = binned_totals(reference, current)?;
    let proportion = |count: u64, total: u64| (count as f64 / total as f64).max(EMPTY_BIN_FLOOR);
    let terms = reference.iter().zip(current).map(|(&reference, &current)| {
        let reference = proportion(reference, n_reference);
        let current = proportion(current, n_current);
        (current - reference) * (current / reference).ln()
    });
    Ok(terms.sum())
}

/// Returns about how likely chance alone makes the [`psi`] of two samples of one population as large as `psi`, in `0..=1`.
///
/// `psi / (1/n + 1/m)` is nearly χ²-distributed with one degree of freedom less than there are bins that have a value.
///
/// Source: Yurdakul and Naranjo, *Statistical properties of the population stability index* (2020).
///
/// # Errors
/// As [`psi`].
pub fn psi_p_value(psi: f64, reference: &[u64], current: &[u64]) -> Result<f64, DriftError> {
    let (n_reference, n_current) = binned_totals(reference, current)?;
    let n_bins = reference.iter().zip(current).filter(|(reference, current)| **reference + **current > 0).count();
    let scale = 1.0 / n_reference as f64 + 1.0 / n_current as f64;
    Ok(chi_square_survival(psi / scale, n_bins - 1))
}

/// Returns the probability that a χ²-distributed value with `degrees` of freedom exceeds `statistic`.
pub(super) fn chi_square_survival(statistic: f64, degrees: usize) -> f64 {
    if degrees == 0 || statistic <= 0.0 {
        return 1.0;
    }
    gamma_ur(degrees as f64 / 2.0, statistic / 2.0).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Side;
    use super::*;

    #[test]
    fn a_worked_example_agrees() {
        // (0.4 − 0.5) · ln(0.4 / 0.5) + (0.6 − 0.5) · ln(0.6 / 0.5)
        let expected = 0.1 * (0.5_f64 / 0.4).ln() + 0.1 * (0.6_f64 / 0.5).ln();
        assert!((psi(&[50, 50], &[400, 600]).unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn an_empty_bin_stays_finite() {
        let found = psi(&[100, 0], &[50, 50]).unwrap();
        assert!(found.is_finite() && found > 1.0, "{found}");
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        assert_eq!(psi(&[1], &[1, 2]), Err(DriftError::BinMismatch { reference: 1, current: 2 }));
        assert_eq!(psi(&[0, 0], &[1, 2]), Err(DriftError::EmptyWindow(Side::Reference)));
        assert_eq!(psi(&[1, 2], &[0, 0]), Err(DriftError::EmptyWindow(Side::Current)));
        assert!(psi(&[], &[]).is_err());
    }

    fn binned() -> impl Strategy<Value = (Vec<u64>, Vec<u64>)> {
        (1usize..20).prop_flat_map(|n_bins| {
            let counts = || proptest::collection::vec(0u64..10_000, n_bins);
            (counts(), counts())
        })
    }

    proptest! {
        #[test]
        fn it_is_never_negative((reference, current) in binned()) {
            prop_assume!(reference.iter().sum::<u64>() > 0 && current.iter().sum::<u64>() > 0);
            let found = psi(&reference, &current).unwrap();
            prop_assert!(found >= 0.0 && found.is_finite());
            let p_value = psi_p_value(found, &reference, &current).unwrap();
            prop_assert!((0.0..=1.0).contains(&p_value));
        }

        #[test]
        fn equal_proportions_give_zero((reference, _) in binned(), factor in 1u64..50) {
            prop_assume!(reference.iter().sum::<u64>() > 0);
            let current: Vec<u64> = reference.iter().map(|count| count * factor).collect();
            prop_assert!(psi(&reference, &current).unwrap().abs() < 1e-12);
            prop_assert_eq!(psi(&reference, &reference).unwrap(), 0.0);
        }
    }
}
