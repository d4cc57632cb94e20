//! The slices on which a model is worse than elsewhere by more than chance, found without being asked for.
//!
//! Every column is cut as [`SliceColumn`] cuts it, and every two slices of different columns are looked at together. Looking
//! at many slices finds bad ones by chance; the intervals are therefore so wide that, with the confidence asked for, all of
//! them hold at once (Bonferroni). One half of what may go wrong is for single slices and the other for pairs, however few
//! of the pairs are computed, because which ones are depends on the rows.

use ml_core::table::Table;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use crate::evaluate::outcome::{Outcome, OutcomeValues};

use super::column::SliceColumn;

/// Slices have at least so many rows.
const MIN_ROWS: usize = 30;

/// And at least that share of all rows.
const MIN_SHARE: f64 = 0.01;

/// And at most that share: what holds nearly everywhere is no slice.
const MAX_SHARE: f64 = 0.8;

/// How many of the single slices that do worst are looked at in pairs.
const N_PAIRED: usize = 40;

/// How many slices are told.
const N_TOLD: usize = 10;

/// A slice on which the model is worse than on the other rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorstSlice {
    /// One or two columns, and what they hold.
    pub conditions: Vec<(String, String)>,
    /// How many rows there are.
    pub n_samples: usize,
    /// The mean loss of its rows.
    pub loss: f64,
    /// The mean loss of all other rows.
    pub loss_elsewhere: f64,
    /// How much greater the loss is here.
    pub difference: f64,
    /// The lower end of the interval of the difference, corrected for everything that was looked at.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The chance of such a difference in any of the slices looked at, if there were none; at most 1.
    pub p_value: f64,
}

/// What was found among everything that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WorstSlices {
    /// What the loss is: `share of rows that are wrong`, or `absolute error`.
    pub loss: String,
    /// The mean loss of all rows.
    pub overall: f64,
    /// How many rows a slice has at least.
    pub min_samples: usize,
    /// How many single slices were looked at.
    pub n_single: usize,
    /// How many pairs of slices there are.
    pub n_pairs: usize,
    /// How sure all intervals together are.
    pub confidence: f64,
    /// The slices that are worse than the other rows beyond chance, those that are so for sure by the most first.
    pub slices: Vec<WorstSlice>,
}

/// Looks for the worst slices of `outcome`, which is of the rows of `table` at `rows`, in every column but those in `except`.
pub fn worst_slices(outcome: &Outcome, table: &Table, rows: &[usize], except: &[&str], confidence: f64) -> WorstSlices {
    let rows: Vec<usize> = outcome.positions.iter().map(|&position| rows[position]).collect();
    let (losses, loss, is_share) = losses(outcome);
    let n_rows = losses.len();
    let least = MIN_ROWS.max((MIN_SHARE * n_rows as f64).ceil() as usize);
    let columns: Vec<SliceColumn> = table
        .columns()
        .par_iter()
        .filter(|column| !except.contains(&column.name.as_str()))
        .map(|column| SliceColumn::of(column, &rows))
        .collect();
    let whole = Moments::of(losses.iter().copied());
    let judge = Judge { whole, least, is_share };

    let mut singles = Vec::new();
    for (column, sliced) in columns.iter().enumerate() {
        let mut moments = vec![Moments::default(); sliced.labels.len()];
        for (&slice, &loss) in sliced.slice_of.iter().zip(&losses) {
            moments[slice as usize].add(loss);
        }
        let large = moments.into_iter().enumerate().filter(|(_, moments)| judge.is_slice(moments));
        singles.extend(large.map(|(slice, moments)| Found { parts: vec![(column, slice as u32)], moments }));
    }
    let n_single = singles.len();
    let n_pairs = count_pairs(&singles);
    let pairs = pairs(&singles, &columns, &losses, &judge);

    // A slice of one condition is easier to act on than one of two that is hardly worse.
    let tail = (1.0 - confidence) / 2.0;
    let told = |found: &Found, n_looks: usize| judge.told(found, &columns, tail, n_looks);
    let mut slices: Vec<WorstSlice> = singles.iter().filter_map(|found| told(found, n_single)).collect();
    let worse_pairs: Vec<WorstSlice> = pairs.iter().filter_map(|found| told(found, n_pairs)).collect();
    let beats_its_parts = |pair: &WorstSlice| {
        let within = |single: &&WorstSlice| pair.conditions.contains(&single.conditions[0]);
        slices.iter().filter(within).all(|single| pair.low > single.difference)
    };
    let worse_pairs: Vec<WorstSlice> = worse_pairs.into_iter().filter(beats_its_parts).collect();
    slices.extend(worse_pairs);
    slices.sort_by(|left, right| right.low.total_cmp(&left.low).then_with(|| left.conditions.cmp(&right.conditions)));
    slices.truncate(N_TOLD);
    WorstSlices {
        loss: loss.to_owned(),
        overall: whole.mean(),
        min_samples: least,
        n_single,
        n_pairs,
        confidence,
        slices,
    }
}

/// Returns the loss of each row, what it is, and whether it is 0 or 1.
fn losses(outcome: &Outcome) -> (Vec<f64>, &'static str, bool) {
    match &outcome.values {
        OutcomeValues::Classes(outcome) => {
            let pairs = outcome.truth.iter().zip(&outcome.predicted);
            (
                pairs.map(|(truth, predicted)| f64::from(u8::from(truth != predicted))).collect(),
                "share of rows that are wrong",
                true,
            )
        }
        OutcomeValues::Numbers(outcome) => {
            let pairs = outcome.truth.iter().zip(&outcome.predicted);
            (pairs.map(|(truth, predicted)| (truth - predicted).abs()).collect(), "mean absolute error", false)
        }
    }
}

/// A candidate: the slices it is where, by column, and the losses of its rows.
struct Found {
    parts: Vec<(usize, u32)>,
    moments: Moments,
}

#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    n: usize,
    sum: f64,
    sum_of_squares: f64,
}

impl Moments {
    fn of(losses: impl Iterator<Item = f64>) -> Moments {
        let mut moments = Moments::default();
        losses.for_each(|loss| moments.add(loss));
        moments
    }

    fn add(&mut self, loss: f64) {
        self.n += 1;
        self.sum += loss;
        self.sum_of_squares += loss * loss;
    }

    fn without(&self, part: &Moments) -> Moments {
        Moments {
            n: self.n - part.n,
            sum: self.sum - part.sum,
            sum_of_squares: self.sum_of_squares - part.sum_of_squares,
        }
    }

    fn mean(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.sum / self.n as f64 }
    }

    /// Returns the variance of the mean. For losses of 0 and 1, two rows right and wrong are added, so that a slice without any
    /// of either is not taken for certain.
    ///
    /// Source: Agresti and Caffo, *Simple and effective confidence intervals for proportions* (2000).
    fn variance_of_mean(&self, is_share: bool) -> f64 {
        let n = self.n as f64;
        if is_share {
            let share = (self.sum + 1.0) / (n + 2.0);
            return share * (1.0 - share) / (n + 2.0);
        }
        let mean = self.mean();
        ((self.sum_of_squares / n - mean * mean).max(0.0) * n / (n - 1.0).max(1.0)) / n
    }
}

/// Decides what is a slice, and whether it is worse than the rest.
struct Judge {
    whole: Moments,
    least: usize,
    is_share: bool,
}

impl Judge {
    fn is_slice(&self, moments: &Moments) -> bool {
        moments.n >= self.least && moments.n as f64 <= MAX_SHARE * self.whole.n as f64
    }

    fn excess(&self, moments: &Moments) -> f64 {
        moments.mean() - self.whole.without(moments).mean()
    }

    /// Returns `found` if it is worse than the other rows for sure, having looked at `n_looks` of its kind.
    fn told(&self, found: &Found, columns: &[SliceColumn], tail: f64, n_looks: usize) -> Option<WorstSlice> {
        let elsewhere = self.whole.without(&found.moments);
        let difference = self.excess(&found.moments);
        let variance = found.moments.variance_of_mean(self.is_share) + elsewhere.variance_of_mean(self.is_share);
        let normal = Normal::standard();
        // Half of what may go wrong is for single slices, half for pairs.
        let reach = normal.inverse_cdf(1.0 - tail / 2.0 / n_looks as f64) * variance.sqrt();
        let low = difference - reach;
        if !(low > 0.0 && variance > 0.0) {
            return None;
        }
        let chance = 2.0 * normal.sf(difference / variance.sqrt());
        let name = |&(column, slice): &(usize, u32)| {
            (columns[column].name.clone(), columns[column].labels[slice as usize].clone())
        };
        Some(WorstSlice {
            conditions: found.parts.iter().map(name).collect(),
            n_samples: found.moments.n,
            loss: found.moments.mean(),
            loss_elsewhere: elsewhere.mean(),
            difference,
            low,
            high: difference + reach,
            p_value: (chance * 2.0 * n_looks as f64).min(1.0),
        })
    }
}

/// Returns how many pairs of slices of different columns there are.
fn count_pairs(singles: &[Found]) -> usize {
    let n_all = singles.len() * singles.len().saturating_sub(1) / 2;
    let of_one_column = singles.chunk_by(|left, right| left.parts[0].0 == right.parts[0].0);
    n_all - of_one_column.map(|slices| slices.len() * (slices.len() - 1) / 2).sum::<usize>()
}

/// Returns the pairs of those single slices that do worst.
fn pairs(singles: &[Found], columns: &[SliceColumn], losses: &[f64], judge: &Judge) -> Vec<Found> {
    let mut order: Vec<usize> = (0..singles.len()).collect();
    let excess = |single: usize| judge.excess(&singles[single].moments);
    order.sort_by(|&left, &right| excess(right).total_cmp(&excess(left)).then(left.cmp(&right)));
    order.truncate(N_PAIRED);
    let mut candidates = Vec::new();
    for (place, &left) in order.iter().enumerate() {
        for &right in &order[place + 1..] {
            let (left, right) = (left.min(right), left.max(right));
            if singles[left].parts[0].0 != singles[right].parts[0].0 {
                candidates.push([singles[left].parts[0], singles[right].parts[0]]);
            }
        }
    }
    let is_in = |(column, slice): (usize, u32), row: usize| columns[column].slice_of[row] == slice;
    candidates
        .into_par_iter()
        .map(|parts| {
            let inside = (0..losses.len()).filter(|&row| parts.iter().all(|&part| is_in(part, row)));
            Found { parts: parts.to_vec(), moments: Moments::of(inside.map(|row| losses[row])) }
        })
        .filter(|found| judge.is_slice(&found.moments))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ml_core::table::Column;

    use super::*;
    use crate::evaluate::outcome::ClassOutcome;
    use crate::random::SplitMix64;

    const N_ROWS: usize = 2000;

    /// Rows with two columns of chance, and a model that is wrong with the chance that `wrong` gives.
    fn found(seed: u64, wrong: impl Fn(&str, &str) -> f64) -> WorstSlices {
        let mut random = SplitMix64::new(seed, 0);
        let draw = |random: &mut SplitMix64, values: [&'static str; 4]| values[random.below(4)];
        let languages: Vec<&str> = (0..N_ROWS).map(|_| draw(&mut random, ["en", "fr", "de", "it"])).collect();
        let sources: Vec<&str> = (0..N_ROWS).map(|_| draw(&mut random, ["web", "app", "mail", "phone"])).collect();
        let predicted = (0..N_ROWS)
            .map(|row| usize::from((random.below(1000) as f64) < 1000.0 * wrong(languages[row], sources[row])))
            .collect();
        let outcome = Outcome {
            positions: (0..N_ROWS).collect(),
            n_without_target: 0,
            n_without_prediction: 0,
            unknown_categories: BTreeMap::new(),
            values: OutcomeValues::Classes(ClassOutcome {
                classes: vec!["a".to_owned(), "b".to_owned()],
                n_known: 2,
                truth: vec![0; N_ROWS],
                predicted,
                scores: None,
                are_probabilities: false,
            }),
        };
        let columns = vec![Column::texts("language", languages), Column::texts("source", sources)];
        let rows: Vec<usize> = (0..N_ROWS).collect();
        worst_slices(&outcome, &Table::new(columns).unwrap(), &rows, &[], 0.95)
    }

    #[test]
    fn a_bad_slice_is_found_and_told_first() {
        let worst = found(1, |language, _| if language == "fr" { 0.4 } else { 0.1 });
        let first = &worst.slices[0];
        assert_eq!(first.conditions, [("language".to_owned(), "fr".to_owned())]);
        assert!(first.low > 0.1 && first.high < 0.5 && first.p_value < 1e-6, "{first:?}");
        assert_eq!((worst.n_single, worst.n_pairs), (8, 16));
    }

    #[test]
    fn a_bad_pair_is_found() {
        let worst = found(2, |language, source| if (language, source) == ("de", "mail") { 0.8 } else { 0.1 });
        let pair = [("language".to_owned(), "de".to_owned()), ("source".to_owned(), "mail".to_owned())];
        assert_eq!(worst.slices[0].conditions, pair, "{worst:?}");
    }

    /// With nothing to be found, one run in twenty may find something.
    #[test]
    fn chance_is_seldom_taken_for_a_bad_slice() {
        let n_fooled = (0..100).filter(|&seed| !found(100 + seed, |_, _| 0.2).slices.is_empty()).count();
        assert!(n_fooled <= 12, "{n_fooled} of 100 runs found a slice where there is none");
    }

    #[test]
    fn few_rows_have_no_slices() {
        let numbers = crate::evaluate::outcome::NumberOutcome { truth: vec![1.0, 2.0], predicted: vec![1.0, 2.0] };
        let outcome = Outcome {
            positions: vec![0, 1],
            n_without_target: 0,
            n_without_prediction: 0,
            unknown_categories: BTreeMap::new(),
            values: OutcomeValues::Numbers(numbers),
        };
        let table = Table::new(vec![Column::texts("c", ["a", "b"])]).unwrap();
        let worst = worst_slices(&outcome, &table, &[0, 1], &[], 0.95);
        assert_eq!((worst.n_single, worst.slices.len()), (0, 0));
    }
}
