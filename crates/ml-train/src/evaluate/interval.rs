//! The interval that a figure lies in, from how it came out under resampling.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// The largest share of resamples in which a figure may be undefined.
const MAX_UNDEFINED: f64 = 0.05;

/// Where a figure lies with the confidence that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How it was found.
    pub method: IntervalMethod,
}

/// How an interval was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Quantiles of the resamples, corrected for bias and skew.
    Bca,
    /// Plain quantiles of the resamples, where the corrections are undefined.
    Percentile,
    /// From the binomial distribution, for a share of 0 or 1, of which resampling knows nothing.
    Exact,
}

/// How a figure comes out for the rows as they are, for resamples of them, and without each of some groups of them.
#[derive(Debug, Clone)]
pub(super) struct Distribution {
    pub(super) observed: f64,
    /// Ascending, without those that are undefined.
    draws: Vec<f64>,
    n_undefined: usize,
    left_out: Vec<f64>,
}

impl Distribution {
    pub(super) fn new(observed: f64, draws: Vec<f64>, left_out: Vec<f64>) -> Distribution {
        let n_draws = draws.len();
        let mut draws: Vec<f64> = draws.into_iter().filter(|draw| draw.is_finite()).collect();
        draws.sort_unstable_by(f64::total_cmp);
        Distribution { observed, n_undefined: n_draws - draws.len(), draws, left_out }
    }

    /// Returns the interval that holds the figure with `confidence`; `None` where the resamples do not tell: the figure is
    /// undefined, for the rows or for too many resamples, or the same in all of them, or resampling itself moves it further than
    /// it spreads, as it does with a small calibration error.
    ///
    /// Source: Efron, *Better bootstrap confidence intervals* (1987); the acceleration is that of groups of rows left out in
    /// turn.
    pub(super) fn interval(&self, confidence: f64) -> Option<Interval> {
        let (Some(first), Some(last)) = (self.draws.first(), self.draws.last()) else { return None };
        let n_all = (self.draws.len() + self.n_undefined) as f64;
        if !self.observed.is_finite() || first == last || self.n_undefined as f64 > MAX_UNDEFINED * n_all {
            return None;
        }
        let tail = (1.0 - confidence) / 2.0;
        let interval = match self.corrected(tail) {
            Some((low, high)) => Interval { low, high, method: IntervalMethod::Bca },
            None => Interval {
                low: self.quantile(tail),
                high: self.quantile(1.0 - tail),
                method: IntervalMethod::Percentile,
            },
        };
        (interval.low <= self.observed && self.observed <= interval.high).then_some(interval)
    }

    /// Returns the two-sided chance of draws on the other side of 0, if the figure were 0.
    ///
    /// One is added to what is counted, so that the chance is never said to be 0.
    pub(super) fn chance_of_zero(&self) -> f64 {
        let n_at_most = self.draws.partition_point(|&draw| draw <= 0.0);
        let n_at_least = self.draws.len() - self.draws.partition_point(|&draw| draw < 0.0);
        let n_other_side = n_at_most.min(n_at_least);
        (2.0 * (n_other_side + 1) as f64 / (self.draws.len() + 1) as f64).min(1.0)
    }

    /// Returns the corrected ends; `None` when all draws lie on one side, or leaving rows out changes nothing.
    fn corrected(&self, tail: f64) -> Option<(f64, f64)> {
        let normal = Normal::standard();
        let n_below = self.draws.partition_point(|&draw| draw < self.observed);
        let n_at_most = self.draws.partition_point(|&draw| draw <= self.observed);
        let share_below = (n_below + n_at_most) as f64 / 2.0 / self.draws.len() as f64;
        if share_below <= 0.0 || share_below >= 1.0 {
            return None;
        }
        let bias = normal.inverse_cdf(share_below);
        let acceleration = self.acceleration()?;
        let end = |tail: f64| {
            let shifted = bias + normal.inverse_cdf(tail);
            let scale = 1.0 - acceleration * shifted;
            (scale > 0.0).then(|| self.quantile(normal.cdf(bias + shifted / scale)))
        };
        Some((end(tail)?, end(1.0 - tail)?))
    }

    fn acceleration(&self) -> Option<f64> {
        if self.left_out.iter().any(|value| !value.is_finite()) || self.left_out.is_empty() {
            return None;
        }
        let mean = self.left_out.iter().sum::<f64>() / self.left_out.len() as f64;
        let moment = |power: i32| self.left_out.iter().map(|value| (mean - value).powi(power)).sum::<f64>();
        let spread = moment(2).powf(1.5);
        let acceleration = moment(3) / (6.0 * spread);
        acceleration.is_finite().then_some(acceleration)
    }

    /// Returns the draw below which `share` of them lie, between two of them where it falls there.
    fn quantile(&self, share: f64) -> f64 {
        let place = share.clamp(0.0, 1.0) * (self.draws.len() - 1) as f64;
        let below = place.floor() as usize;
        let above = (below + 1).min(self.draws.len() - 1);
        self.draws[below] + (self.draws[above] - self.draws[below]) * (place - below as f64)
    }
}

/// Returns the interval of a share of 0 or 1 of `n_rows`; `None` for any other.
///
/// Source: Clopper and Pearson, *The use of confidence or fiducial limits* (1934).
pub(super) fn exact_at_the_edge(share: f64, n_rows: usize, confidence: f64) -> Option<Interval> {
    let far_end = ((1.0 - confidence) / 2.0).powf(1.0 / n_rows as f64);
    let method = IntervalMethod::Exact;
    match share {
        1.0 => Some(Interval { low: far_end, high: 1.0, method }),
        0.0 => Some(Interval { low: 0.0, high: 1.0 - far_end, method }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symmetric_draws_have_plain_quantiles() {
        let draws: Vec<f64> = (0..=1000).map(f64::from).collect();
        let left_out = vec![499.0, 500.0, 501.0];
        let interval = Distribution::new(500.0, draws, left_out).interval(0.9).unwrap();
        assert_eq!(interval.method, IntervalMethod::Bca);
        assert!((interval.low - 50.0).abs() < 1e-6 && (interval.high - 950.0).abs() < 1e-6, "{interval:?}");
    }

    #[test]
    fn draws_that_lie_above_the_figure_are_corrected_downwards() {
        let draws: Vec<f64> = (0..=1000).map(f64::from).collect();
        let interval = Distribution::new(400.0, draws, vec![399.0, 400.0, 401.0]).interval(0.9).unwrap();
        assert!(interval.low < 50.0 && interval.high < 950.0, "{interval:?}");
    }

    #[test]
    fn draws_that_say_nothing_give_no_interval() {
        assert_eq!(Distribution::new(1.0, vec![1.0; 50], vec![1.0; 10]).interval(0.95), None);
        assert_eq!(Distribution::new(f64::NAN, vec![1.0, 2.0], vec![]).interval(0.95), None);
        assert_eq!(Distribution::new(1.0, vec![], vec![]).interval(0.95), None);
        let often_undefined: Vec<f64> =
            (0..100).map(|draw| if draw < 10 { f64::NAN } else { f64::from(draw) }).collect();
        assert_eq!(Distribution::new(50.0, often_undefined, vec![]).interval(0.95), None);
    }

    #[test]
    fn draws_that_lie_beyond_the_figure_give_no_interval() {
        let draws: Vec<f64> = (1..=1000).map(f64::from).collect();
        assert_eq!(Distribution::new(5.0, draws.clone(), vec![4.0, 5.0, 6.0]).interval(0.95), None);
        assert_eq!(Distribution::new(0.0, draws, vec![]).interval(0.95), None);
    }

    #[test]
    fn without_groups_the_quantiles_are_plain() {
        let draws: Vec<f64> = (0..=100).map(f64::from).collect();
        let interval = Distribution::new(50.0, draws, vec![]).interval(0.9).unwrap();
        assert_eq!(interval.method, IntervalMethod::Percentile);
        assert!((interval.low - 5.0).abs() < 1e-9 && (interval.high - 95.0).abs() < 1e-9, "{interval:?}");
    }

    #[test]
    fn rows_that_are_all_right_may_be_wrong_elsewhere() {
        // SciPy: binomtest(30, 30).proportion_ci(0.95).
        let interval = exact_at_the_edge(1.0, 30, 0.95).unwrap();
        assert!((interval.low - 0.884_296_691_777_972_5).abs() < 1e-9, "{interval:?}");
        assert_eq!(exact_at_the_edge(0.5, 30, 0.95), None);
    }

    #[test]
    fn the_chance_of_zero_counts_the_other_side_twice() {
        let draws: Vec<f64> = (-10..90).map(f64::from).collect();
        let chance = Distribution::new(40.0, draws, vec![]).chance_of_zero();
        assert!((chance - 2.0 * 12.0 / 101.0).abs() < 1e-12, "{chance}");
    }
}
