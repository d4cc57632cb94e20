//! McNemar's test: of the rows that one of two models alone has right, whether each has half.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, Discrete, DiscreteCDF};

/// Who has which rows right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Rows that both have right.
    pub both_right: u64,
    /// Rows that the champion alone has right.
    pub champion_only: u64,
    /// Rows that the challenger alone has right.
    pub challenger_only: u64,
    /// Rows that both have wrong.
    pub both_wrong: u64,
    /// The exact two-sided p-value, which is seldom small enough.
    pub exact_p: f64,
    /// The exact one less half the chance of what was seen, whose errors are as frequent as they should be.
    pub mid_p: f64,
}

impl McNemar {
    /// Tests the counts. Without rows that one has right alone, both p-values are 1.
    ///
    /// Source: Fagerland, Lydersen and Laake, *The McNemar test for binary matched-pairs data: mid-p and asymptotic are
    /// better than exact conditional* (2013).
    pub fn new(both_right: u64, champion_only: u64, challenger_only: u64, both_wrong: u64) -> McNemar {
        let (exact_p, mid_p) = p_values(champion_only, challenger_only);
        McNemar { both_right, champion_only, challenger_only, both_wrong, exact_p, mid_p }
    }
}

fn p_values(champion_only: u64, challenger_only: u64) -> (f64, f64) {
    let fewer = champion_only.min(challenger_only);
    let Ok(half_each) = Binomial::new(0.5, champion_only + challenger_only) else { return (1.0, 1.0) };
    if champion_only + challenger_only == 0 {
        return (1.0, 1.0);
    }
    let at_most = half_each.cdf(fewer);
    ((2.0 * at_most).min(1.0), (2.0 * at_most - half_each.pmf(fewer)).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against SciPy's `binomtest(min(b, c), b + c).pvalue` and `2 · binom.cdf − binom.pmf`.
    #[test]
    fn p_values_are_those_of_scipy() {
        let cases = [
            (10, 3, 0.092_285_156_25, 0.057_373_046_875),
            (25, 9, 0.009_041_185_490_787_03, 0.005_988_120_567_053_555),
            (7, 7, 1.0, 1.0),
            (1100, 1200, 0.038_966_852_683_820_23, 0.037_074_406_338_548_235),
            (1, 0, 1.0, 0.5),
            (0, 0, 1.0, 1.0),
        ];
        for (champion_only, challenger_only, exact_p, mid_p) in cases {
            let found = McNemar::new(5, champion_only, challenger_only, 5);
            assert!((found.exact_p - exact_p).abs() < 1e-9, "{found:?}");
            assert!((found.mid_p - mid_p).abs() < 1e-9, "{found:?}");
        }
    }
}
