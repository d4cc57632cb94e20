//! How far figures would move if other rows had been drawn: intervals by resampling the rows.
//!
//! Each resample is a count per row, drawn from a stream of its own under the seed, so that the intervals do not depend on
//! how many threads share the work.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::random::SplitMix64;

use super::interval::{Distribution, Interval};

/// The most rows that all resamples together look at; beyond it there are fewer resamples.
const WORK_BUDGET: usize = 400_000_000;

/// The least number of resamples.
const MIN_RESAMPLES: usize = 200;

/// With fewer rows of a class than that, each class keeps its number of rows in every resample.
const RARE_CLASS: usize = 10;

/// The most groups of rows that are left out in turn.
const MAX_GROUPS: usize = 100;

/// How intervals are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BootstrapOptions {
    /// How often the rows are drawn anew, if the rows are not too many for that; 0 for no intervals.
    pub resamples: usize,
    /// How sure an interval is to hold what is true, such as 0.95.
    pub confidence: f64,
    /// Where the randomness comes from.
    pub seed: u64,
}

impl Default for BootstrapOptions {
    fn default() -> BootstrapOptions {
        BootstrapOptions { resamples: 1000, confidence: 0.95, seed: 0 }
    }
}

impl BootstrapOptions {
    /// Returns how many resamples are drawn when each looks at `cost` rows.
    pub fn resamples_for(&self, cost: usize) -> usize {
        let affordable = (WORK_BUDGET / cost.max(1)).max(MIN_RESAMPLES);
        self.resamples.min(affordable)
    }
}

/// How rows are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drawing {
    /// All rows alike.
    Plain,
    /// As many of each true class as there are, because one is so rare that it would be missing from some resamples.
    ByClass,
}

/// Rows, and how they are drawn.
pub(super) struct Rows {
    n_samples: usize,
    /// The rows that are drawn among one another.
    strata: Vec<Vec<u32>>,
    pub(super) drawing: Drawing,
}

impl Rows {
    /// Rows that are drawn alike.
    pub(super) fn plain(n_rows: usize) -> Rows {
        Rows { n_samples: n_rows, strata: vec![(0..n_rows as u32).collect()], drawing: Drawing::Plain }
    }

    /// Rows of classes, which are drawn by class where one is rare.
    pub(super) fn of_classes(truth: &[usize], n_classes: usize) -> Rows {
        let mut strata: Vec<Vec<u32>> = vec![Vec::new(); n_classes];
        for (row, &class) in truth.iter().enumerate() {
            strata[class].push(row as u32);
        }
        strata.retain(|rows| !rows.is_empty());
        if strata.iter().all(|rows| rows.len() >= RARE_CLASS) {
            return Rows::plain(truth.len());
        }
        Rows { n_samples: truth.len(), strata, drawing: Drawing::ByClass }
    }

    /// Counts how often each row is drawn in the resample of number `index`.
    fn draw(&self, seed: u64, index: usize, weights: &mut [u32]) {
        weights.fill(0);
        let mut random = SplitMix64::new(seed, index as u64);
        for rows in &self.strata {
            for _ in 0..rows.len() {
                weights[rows[random.below(rows.len())] as usize] += 1;
            }
        }
    }
}

/// Measures with every row counting once, under resamples, and without each of some groups of rows.
///
/// Returns one distribution per measurement. `measure` gets the weights of the rows, and gives `NaN` for what is undefined.
pub(super) fn resample(
    rows: &Rows,
    n_resamples: usize,
    seed: u64,
    measure: impl Fn(&[u32]) -> Vec<f64> + Sync,
) -> Vec<Distribution> {
    let observed = measure(&vec![1; rows.n_samples]);
    let new_weights = || vec![0_u32; rows.n_samples];
    let draws: Vec<Vec<f64>> = (0..n_resamples)
        .into_par_iter()
        .map_init(new_weights, |weights, index| {
            rows.draw(seed, index, weights);
            measure(weights)
        })
        .collect();
    let n_groups = rows.n_samples.min(MAX_GROUPS);
    let left_out: Vec<Vec<f64>> = (0..n_groups)
        .into_par_iter()
        .map_init(new_weights, |weights, group| {
            for (row, weight) in weights.iter_mut().enumerate() {
                *weight = u32::from(row % n_groups != group);
            }
            measure(weights)
        })
        .collect();
    let column = |rows: &[Vec<f64>], index: usize| rows.iter().map(|row| row[index]).collect();
    observed
        .iter()
        .enumerate()
        .map(|(index, &observed)| Distribution::new(observed, column(&draws, index), column(&left_out, index)))
        .collect()
}

/// Returns the interval of each measurement; see [`resample`].
pub(super) fn intervals(
    rows: &Rows,
    options: &BootstrapOptions,
    cost: usize,
    measure: impl Fn(&[u32]) -> Vec<f64> + Sync,
) -> Vec<Option<Interval>> {
    let n_resamples = options.resamples_for(cost);
    if n_resamples == 0 || rows.n_samples < 2 {
        return vec![None; measure(&vec![1; rows.n_samples]).len()];
    }
    let distributions = resample(rows, n_resamples, options.seed, measure);
    distributions.iter().map(|distribution| distribution.interval(options.confidence)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(values: &[f64]) -> impl Fn(&[u32]) -> Vec<f64> + Sync + '_ {
        |weights| {
            let sum: f64 = values.iter().zip(weights).map(|(value, &weight)| value * f64::from(weight)).sum();
            vec![sum / weights.iter().map(|&weight| f64::from(weight)).sum::<f64>()]
        }
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let values: Vec<f64> = (0..500).map(|value| f64::from(value * value % 97)).collect();
        let options = BootstrapOptions { resamples: 300, ..BootstrapOptions::default() };
        let with_threads = |n_threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| intervals(&Rows::plain(values.len()), &options, values.len(), mean_of(&values)))
        };
        assert_eq!(with_threads(1), with_threads(4));
        assert!(with_threads(1)[0].is_some());
    }

    #[test]
    fn a_rare_class_is_in_every_resample() {
        let truth: Vec<usize> = (0..100).map(|row| usize::from(row == 7)).collect();
        let rows = Rows::of_classes(&truth, 2);
        assert_eq!(rows.drawing, Drawing::ByClass);
        let mut weights = vec![0; 100];
        for index in 0..50 {
            rows.draw(1, index, &mut weights);
            assert_eq!(weights[7], 1);
            assert_eq!(weights.iter().sum::<u32>(), 100);
        }
        let even: Vec<usize> = (0..100).map(|row| row % 2).collect();
        assert_eq!(Rows::of_classes(&even, 2).drawing, Drawing::Plain);
    }

    /// An interval that is 95 % sure misses the truth about once in 20 times. Of 400 samples of a skewed distribution, 20 would
    /// be expected, and this interval is known to miss a little more often with few rows: at most 44 is five standard deviations
    /// and that little.
    #[test]
    fn intervals_hold_the_truth_about_as_often_as_they_say() {
        let n_missed = (0..400)
            .filter(|&sample| {
                let mut random = SplitMix64::new(99, sample);
                let uniform = |random: &mut SplitMix64| (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
                let values: Vec<f64> = (0..60).map(|_| -(1.0 - uniform(&mut random)).ln()).collect();
                let options = BootstrapOptions { resamples: 400, seed: sample, ..BootstrapOptions::default() };
                let interval = intervals(&Rows::plain(60), &options, 60, mean_of(&values))[0].unwrap();
                !(interval.low..=interval.high).contains(&1.0)
            })
            .count();
        assert!((4..=44).contains(&n_missed), "{n_missed} of 400 intervals miss the mean");
    }

    #[test]
    fn many_rows_get_fewer_resamples_and_never_too_few() {
        let options = BootstrapOptions::default();
        assert_eq!(options.resamples_for(10_000), 1000);
        assert_eq!(options.resamples_for(1_000_000), 400);
        assert_eq!(options.resamples_for(1_000_000_000), MIN_RESAMPLES);
        assert_eq!(BootstrapOptions { resamples: 0, ..options }.resamples_for(1), 0);
    }

    #[test]
    fn one_row_has_no_interval() {
        let options = BootstrapOptions::default();
        assert_eq!(intervals(&Rows::plain(1), &options, 1, mean_of(&[1.0])), [None]);
    }
}
