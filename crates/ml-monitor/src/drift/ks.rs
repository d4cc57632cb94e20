//! The two-sample Kolmogorov–Smirnov test.

use super::kolmogorov::kolmogorov_survival;
use super::{DriftError, Side};

/// The outcome of [`ks_two_sample`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KsTest {
    /// The largest distance between the two empirical distributions, in `0..=1`.
    pub statistic: f64,
    /// About how likely chance alone gives a statistic as large, in `0..=1`.
    pub p_value: f64,
}

/// Tests whether two samples of numbers are of one distribution, both sides, with the asymptotic p-value.
///
/// The order of the values does not matter; `NaN` is missing and left out; infinite values are the smallest and largest. The
/// p-value is that of a one-sample statistic of `n·m / (n + m)` values, rounded.
///
/// Source: Hodges, *The significance probability of the Smirnov two-sample test* (1958), as in
/// `scipy.stats.ks_2samp(method="asymp")`.
///
/// # Errors
/// [`DriftError::EmptyWindow`] when a sample has no values.
pub fn ks_two_sample(reference: &[f64], current: &[f64]) -> Result<KsTest, DriftError> {
    let reference = sorted(reference, Side::Reference)?;
    let current = sorted(current, Side::Current)?;
    let statistic = largest_distance(&reference, &current);
    let (n, m) = (reference.len() as f64, current.len() as f64);
    let n_effective = (n * m / (n + m)).round_ties_even().max(1.0);
    Ok(KsTest { statistic, p_value: kolmogorov_survival(n_effective as u64, statistic) })
}

fn sorted(values: &[f64], side: Side) -> Result<Vec<f64>, DriftError> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    if sorted.is_empty() {
        return Err(DriftError::EmptyWindow(side));
    }
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(sorted)
}

/// Returns the largest distance between the shares of values up to any point; both samples ascend.
fn largest_distance(a: &[f64], b: &[f64]) -> f64 {
    let (mut n_a, mut n_b) = (0, 0);
    let mut largest = 0.0_f64;
    while n_a < a.len() && n_b < b.len() {
        let point = a[n_a].min(b[n_b]);
        n_a += a[n_a..].iter().take_while(|value| **value <= point).count();
        n_b += b[n_b..].iter().take_while(|value| **value <= point).count();
        largest = largest.max((n_a as f64 / a.len() as f64 - n_b as f64 / b.len() as f64).abs());
    }
    largest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn samples_apart_have_distance_one() {
        let test = ks_two_sample(&[1.0, 2.0, f64::NAN], &[3.0, f64::INFINITY]).unwrap();
        assert_eq!(test.statistic, 1.0);
    }

    #[test]
    fn samples_without_values_are_refused() {
        assert_eq!(ks_two_sample(&[f64::NAN], &[1.0]), Err(DriftError::EmptyWindow(Side::Reference)));
        assert_eq!(ks_two_sample(&[1.0], &[]), Err(DriftError::EmptyWindow(Side::Current)));
    }

    fn sample() -> impl Strategy<Value = Vec<f64>> {
        let value = prop_oneof![(-5i32..5).prop_map(f64::from), -1e3..1e3f64];
        proptest::collection::vec(value, 1..200)
    }

    proptest! {
        #[test]
        fn it_is_a_share_and_symmetric(a in sample(), b in sample()) {
            let test = ks_two_sample(&a, &b).unwrap();
            prop_assert!((0.0..=1.0).contains(&test.statistic));
            prop_assert!((0.0..=1.0).contains(&test.p_value));
            prop_assert_eq!(test, ks_two_sample(&b, &a).unwrap());
        }

        #[test]
        fn a_sample_is_like_itself(a in sample()) {
            let test = ks_two_sample(&a, &a).unwrap();
            prop_assert_eq!((test.statistic, test.p_value), (0.0, 1.0));
        }
    }
}
